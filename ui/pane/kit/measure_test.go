package kit

import (
	"math"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
)

func measureEnv(ascii bool) pane.Env {
	return pane.Env{Snap: &store.Snapshot{Catalog: &store.Catalog{}}, Zone: time.UTC, Now: time.Date(2026, 11, 21, 2, 14, 0, 0, time.UTC),
		Theme: theme.New(theme.Options{ASCII: ascii})}
}

func TestBudgets(t *testing.T) {
	t.Parallel()
	unknown := sources.Number(math.NaN())
	for _, c := range []struct {
		name       string
		budget     insight.Budget
		slo        sources.SLO
		left, burn string
		gone       string
	}{
		{"burns", insight.Budget{Left: 0.31, Sense: insight.Crit, Exhausts: true, Gone: 163 * time.Minute},
			sources.SLO{Burns: []sources.Burn{{Over: 5 * time.Minute, Rate: 82}, {Over: time.Hour, Rate: 14}}},
			"budget ▰▰▰▱▱▱▱▱▱▱ 31 %", "! burn ×82 over 5m, ×14 over 1h", "gone in 2h43m"},
		{"four rates", insight.Budget{Left: 0.5},
			sources.SLO{Burns: []sources.Burn{{Over: 5 * time.Minute, Rate: 1}, {Over: 30 * time.Minute, Rate: 2}, {Over: time.Hour, Rate: 3}, {Over: 6 * time.Hour, Rate: 4}}},
			"budget ▰▰▰▰▰▱▱▱▱▱ 50 %", "burn ×1.0 over 5m, ×3.0 over 1h", ""},
		{"is spent", insight.Budget{Left: 0, Spent: true}, sources.SLO{}, "budget ▱▱▱▱▱▱▱▱▱▱ ✗ spent", "", ""},
		{"is overdrawn", insight.Budget{Left: -0.5, Spent: true}, sources.SLO{}, "budget ▱▱▱▱▱▱▱▱▱▱ ✗ overdrawn by 50 %", "", ""},
		{"is unknown", insight.Budget{Left: unknown}, sources.SLO{Note: clean.Line("no traffic"), Burns: []sources.Burn{{Over: time.Hour, Rate: unknown}}},
			"budget unknown: no traffic", "", ""},
		{"little traffic", insight.Budget{Left: 1, Quiet: true}, sources.SLO{Burns: []sources.Burn{{Over: time.Hour, Rate: 3}}},
			"budget ▰▰▰▰▰▰▰▰▰▰ 100 %", "burn ×3.0 over 1h, little traffic", ""},
	} {
		c.slo.Target, c.slo.Window, c.slo.Name = 99.95, 30*24*time.Hour, clean.Line("availability")
		c.budget.SLO, c.budget.Feed = &c.slo, -1
		b := BudgetOf(measureEnv(false), &c.budget, true)
		if got := component.String(b.Target); got != "SLO availability 99.95 % 30d" {
			t.Errorf("%s: %q", c.name, got)
		}
		if l, r := component.String(b.Left), component.String(b.Burn); l != c.left || r != c.burn || b.Gone != c.gone {
			t.Errorf("%s: got %q, %q, %q", c.name, l, r, b.Gone)
		}
	}
}

func TestWordsOfAMetric(t *testing.T) {
	t.Parallel()
	e := measureEnv(false)
	s := sources.Series{Name: clean.Line("p95"), Labels: clean.Line("shard=2"), Unit: "ms", Limit: 300}
	if got := MetricName(&s).String(); got != "p95 shard=2" {
		t.Errorf("it is called %q", got)
	}
	if got := LimitText(&s); got != "limit 300 ms" {
		t.Errorf("its limit is %q", got)
	}
	s.Below = true
	if got := LimitText(&s); got != "least 300 ms" {
		t.Errorf("its limit is %q", got)
	}
	for _, c := range []struct {
		chart insight.Chart
		want  string
	}{
		{insight.Chart{Value: math.NaN(), Old: true}, "no data"},
		{insight.Chart{Value: 912, At: e.Now, Over: true}, "! 912 ms"},
		{insight.Chart{Value: 88, At: e.Now}, "88 ms"},
		{insight.Chart{Value: 88, At: e.Now.Add(-12 * time.Minute), Old: true}, "88 ms … 12m old"},
	} {
		c.chart.Series, c.chart.Feed = &s, -1
		if got := component.String(ValueParts(e, &c.chart)); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	up := insight.Change{Kind: insight.ChangeRatio, Up: true, Ratio: 18}
	if got, ascii := ChangeText(e, up), ChangeText(measureEnv(true), up); got != "▲ ×18" || ascii != "^ x18" {
		t.Errorf("got %q and %q", got, ascii)
	}
	for ago, want := range map[time.Duration]string{24 * time.Hour: "yesterday 90 ms", 7 * 24 * time.Hour: "last week 90 ms", 48 * time.Hour: "2d ago 90 ms"} {
		if got := EarlierText(&s, insight.EarlierChange{Ago: ago, Change: insight.Change{Kind: insight.ChangeLevel, From: 90}}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestHowFarApartPointsAre(t *testing.T) {
	t.Parallel()
	at := func(minutes ...int) []sources.Point {
		var out []sources.Point
		for _, m := range minutes {
			out = append(out, sources.Point{At: time.Unix(int64(m)*60, 0)})
		}
		return out
	}
	for _, c := range []struct {
		series sources.Series
		want   time.Duration
	}{
		{sources.Series{Step: time.Minute}, 90 * time.Second},
		{sources.Series{Points: at(0, 2, 4, 9)}, 3 * time.Minute},
		{sources.Series{Points: at(3)}, 0},
		{sources.Series{}, 0},
	} {
		if got := Apart(&c.series); got != c.want {
			t.Errorf("got %v, want %v", got, c.want)
		}
	}
}
