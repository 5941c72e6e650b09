package component

import (
	"strings"
	"testing"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

func TestTabsAreCutWhereItSaysSomething(t *testing.T) {
	t.Parallel()
	th := theme.New(theme.Options{Depth: theme.TrueColor})
	mark := []Part{{Token: theme.Crit, Text: clean.Const("2!")}}
	tabs := []Tab{{Title: clean.Const("Incidents"), Marks: mark}, {Title: clean.Const("Metrics · checkout"), Marks: mark}, {Title: clean.Const("Pipelines")}, {Title: clean.Const("Deployments"), Marks: mark}}
	for w, want := range map[int]string{
		80: "[1 Incidents 2!] 2 Metrics · checkout 2!  3 Pipelines  4 Deployments 2!",
		70: "[1 Incidents 2!] 2 Metrics · checkout 2!  3 Pipeli…  4 Deployments 2!",
		60: "[1 Incidents 2!] 2 Metrics 2!  3 Pipelin…  4 Deployments 2!",
		56: "[1 Incidents 2!] 2 Metrics 2!  3 Pip…  4 Deployments 2!",
		40: "[1 Inci… 2!] 2 Metr… 2!  3  4 Depl… 2!",
	} {
		g := screen.NewGrid(w, 1)
		TabBar(g.Region(), th, tabs, 0)
		if got := strings.TrimRight(g.String(), " \n"); got != want {
			t.Errorf("%d columns: %q, want %q", w, got, want)
		}
	}
}
