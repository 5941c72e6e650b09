package insight

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// TestWhatIsDerivedDependsOnItsFeedsAlone takes away the feeds that a derivation says it does not look at:
// who keeps the answer while the key of the others holds keeps the right one.
func TestWhatIsDerivedDependsOnItsFeedsAlone(t *testing.T) {
	t.Parallel()
	whole := lanes(prod(sources.Target{Current: deployment("", "v2", sources.StatePassed, time.Hour)}))
	whole.At = now
	for _, fill := range []func(*store.Snapshot){
		incidents("pd", page("pd", "1"), page("pd", "2", titled("lag"), keys(sources.MonitorKey(1)))),
		past(page("pd", "0", ended5, opened(time.Hour), func(in *sources.Incident) { in.Ended = before(50 * time.Minute) })),
		monitors(alert(1), alert(2)), metrics(series("errors", sources.ErrorSignal, "%", 2, 1, 1, 1, 9, 9, 9)),
		changes(sources.Change{Service: "shop", Kind: sources.FlagChange, Title: clean.Line("a"), At: before(12 * time.Minute)}),
		feed("datadog", store.SLOs, func(f *store.Feed) { f.SLOs = []sources.SLO{{Service: "shop", Burns: burns(82, 20, 40, 30)}} }),
		feed("pd", store.Shifts, func(f *store.Feed) { f.Shifts = []sources.Shift{turn("a", 1, -4, 4)} }),
	} {
		fill(whole)
	}
	for _, c := range []struct {
		name   string
		caps   []store.Capability
		derive func(*store.Snapshot) any
	}{
		{"problems", ProblemFeeds(), func(s *store.Snapshot) any {
			var out []string
			for _, p := range Problems(s, View{}, now) {
				out = append(out, fmt.Sprint(p.Incident.Ref, p.State, p.Severity, p.Onset, p.OnsetBy, p.Seen, p.Impact.Failing, p.Impact.Trend, p.Suspects, len(p.Members)))
			}
			return out
		}},
		{"charts", ChartFeeds(), func(s *store.Snapshot) any {
			c := Charts(s, "shop", now)
			return fmt.Sprint(len(c.Charts), c.Marks, len(c.Budgets), c.Budgets[0].Sense)
		}},
		{"health", HealthFeeds(), func(s *store.Snapshot) any {
			h := ServiceHealth(s, "shop", now)
			return fmt.Sprint(h.Known, h.Sense, h.Text, h.Since)
		}},
		{"lanes", LaneFeeds(), func(s *store.Snapshot) any {
			l := DeriveDeployments(s, View{}, now).Lanes[0]
			return fmt.Sprint(l.Service, l.Health.Text, l.Last, l.Next, l.Ahead)
		}},
	} {
		want := fmt.Sprint(c.derive(whole))
		part := *whole
		part.Feeds = slices.Clone(whole.Feeds)
		part.Feeds = slices.DeleteFunc(part.Feeds, func(f store.Feed) bool { return !slices.Contains(c.caps, f.Key.Capability) })
		if got := fmt.Sprint(c.derive(&part)); got != want || len(part.Feeds) == len(whole.Feeds) {
			t.Errorf("%s of its feeds alone:\n%s, want\n%s", c.name, got, want)
		}
	}
}

// TestDependenciesMayGoInCircles also names one that nobody knows.
func TestDependenciesMayGoInCircles(t *testing.T) {
	t.Parallel()
	s := world(incidents("pd", page("pd", "1", of("far")), page("pd", "2")), changes(
		sources.Change{Service: "far", Kind: sources.FlagChange, Title: clean.Line("a"), At: before(12 * time.Minute)}))
	s.Catalog.Services = []store.Service{{Name: "shop", DependsOn: []string{"near", "gone"}}, {Name: "near", Team: "money", DependsOn: []string{"far"}},
		{Name: "far", Team: "money", DependsOn: []string{"shop", "near"}}}
	ps := Problems(s, View{}, now)
	if told(ps) != "2 1" || !ps[1].Upstream {
		t.Fatalf("problems are %s", told(ps))
	}
	if u := ps[0].Suspects; len(u) != 1 || u[0].Upstream != "far" {
		t.Errorf("suspects are %+v", u)
	}
	if u := ps[1].Suspects; len(u) != 1 || u[0].Upstream != "" {
		t.Errorf("the far service's own change is %+v", u)
	}
}

func TestProductionIsMeasured(t *testing.T) {
	t.Parallel()
	marks := []Mark{{EnvName: "staging"}, {EnvName: "prod", Prod: true}}
	if got := Production(marks); len(got) != 1 || !got[0].Prod {
		t.Errorf("of both: %+v", got)
	}
	if got := Production(marks[:1]); len(got) != 1 || got[0].Prod {
		t.Errorf("of staging alone: %+v", got)
	}
}
