package insight

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// series is a metric of shop with one value a minute, the last one at now.
func series(name string, s sources.Signal, unit string, limit float64, values ...float64) sources.Series {
	m := sources.Series{Service: "shop", Name: clean.Line(name), Signal: s, Unit: unit, Limit: limit, Step: time.Minute,
		Ref: sources.Ref{Source: "datadog", Kind: sources.KindSeries, ID: sources.MetricID("shop", name, "")}}
	for i, v := range values {
		m.Points = append(m.Points, sources.Point{At: now.Add(time.Duration(i-len(values)+1) * time.Minute), Value: v})
	}
	return m
}

// shape is a value for each letter: . is 1, # is 9, _ is a gap.
func shape(s string) []float64 {
	var out []float64
	for _, r := range s {
		out = append(out, map[rune]float64{'.': 1, '#': 9, '_': math.NaN()}[r])
	}
	return out
}

func TestOnset(t *testing.T) {
	t.Parallel()
	errors := func(s string) sources.Series { return series("error rate", sources.ErrorSignal, "%", 2, shape(s)...) }
	below := errors(strings.NewReplacer(".", "#", "#", ".").Replace("...............#########"))
	below.Below = true
	p95 := func(s string) sources.Series { return series("p95", sources.LatencySignal, "ms", 2, shape(s)...) }
	for _, c := range []struct {
		name   string
		opened int // minutes ago
		series []sources.Series
		want   int // minutes ago
		by     string
	}{
		{"no metric", 3, nil, 3, ""},
		{"a breach before the page", 3, []sources.Series{errors("...............#########")}, 8, "error rate"},
		{"below its limit", 3, []sources.Series{below}, 8, "error rate"},
		{"a short dip does not end it", 3, []sources.Series{errors("..........###..#########")}, 13, "error rate"},
		{"a long one does", 3, []sources.Series{errors("......####.....#########")}, 8, "error rate"},
		{"a gap does not", 3, []sources.Series{errors("......####_____#########")}, 17, "error rate"},
		{"a spike is none", 9, []sources.Series{errors("..........#.............")}, 9, ""},
		{"unless it is the newest", 0, []sources.Series{errors(".......................#")}, 0, "error rate"},
		{"it ended long before the page", 1, []sources.Series{errors("...######...............")}, 1, ""},
		{"it ended just before the page", 9, []sources.Series{errors(".....########...........")}, 18, "error rate"},
		{"it ended since", 12, []sources.Series{errors(".....########...........")}, 18, "error rate"},
		{"it came after the page", 15, []sources.Series{errors("...............#########")}, 15, ""},
		{"the page was faster", 10, []sources.Series{errors("...............#########")}, 8, "error rate"},
		{"it began before the window", 3, []sources.Series{errors("########################")}, 3, ""},
		{"errors speak before latency", 3, []sources.Series{p95("..........##############"), errors("...............#########")}, 8, "error rate"},
		{"latency when errors are fine", 3, []sources.Series{p95("..........##############"), errors("........................")}, 13, "p95"},
		{"no limit, no breach", 3, []sources.Series{series("e", sources.ErrorSignal, "%", math.NaN(), shape("....########")...)}, 3, ""},
	} {
		s := world(incidents("pd", page("pd", "1", opened(time.Duration(c.opened)*time.Minute))), metrics(c.series...))
		p := Problems(s, View{}, now)[0]
		if got := int(now.Sub(p.Onset) / time.Minute); got != c.want || p.OnsetBy.String() != c.by {
			t.Errorf("%s: %dm ago by %q, want %dm ago by %q", c.name, got, p.OnsetBy, c.want, c.by)
		}
	}
	s := world(incidents("pd", page("pd", "1", keys(sources.MonitorKey(1)))), monitors(alert(1)))
	if p := Problems(s, View{}, now)[0]; !p.Onset.Equal(before(12 * time.Minute)) {
		t.Errorf("the alert began 12m ago, the onset is %s", p.Onset)
	}
	old := errors("########################")
	old.Points = append([]sources.Point{{At: before(4 * time.Hour), Value: 1}, {At: before(3 * time.Hour), Value: 9}}, old.Points...)
	s = world(incidents("pd", page("pd", "1")), metrics(old))
	if p := Problems(s, View{}, now)[0]; !p.OnsetBy.IsZero() {
		t.Errorf("a breach that lasts for hours explains a page of ten minutes ago: %s", p.Onset)
	}
}

func TestImpact(t *testing.T) {
	t.Parallel()
	flat := func(v float64) []float64 { return []float64{v, v, v, v, v, v, v, v} }
	up := []float64{1, 1, 3, 3, 4, 4, 4.1, 8, 8.2}
	errs := func(unit string, v ...float64) sources.Series {
		return series("errors", sources.ErrorSignal, unit, 2, v...)
	}
	requests := func(unit string, v ...float64) sources.Series {
		return series("requests", sources.TrafficSignal, unit, math.NaN(), v...)
	}
	label := func(m sources.Series, l string) sources.Series { m.Labels = clean.Line(l); return m }
	late := func(m sources.Series) sources.Series {
		for i := range m.Points {
			m.Points[i].At = m.Points[i].At.Add(-10 * time.Minute)
		}
		return m
	}
	for _, c := range []struct {
		name   string
		series []sources.Series
		want   float64 // -1: unknown
		trend  string
	}{
		{"percent of requests", []sources.Series{errs("%", flat(4.1)...), requests("1/s", flat(1200)...)}, 49.2, "steady"},
		{"rising", []sources.Series{errs("%", up...), requests("req/s", flat(1000)...)}, 82, "rising"},
		{"falling", []sources.Series{errs("%", 9, 9, 9, 9, 9, 9, 4, 3, 3), requests("rps", flat(1000)...)}, 30, "falling"},
		{"a share of one", []sources.Series{errs("ratio", flat(2.5)...), requests("1/s", flat(2)...)}, 5, "steady"},
		{"counted errors", []sources.Series{errs("1/s", flat(7)...)}, 7, "steady"},
		{"no traffic known", []sources.Series{errs("%", flat(4.1)...)}, -1, "steady"},
		{"traffic in another unit", []sources.Series{errs("%", flat(4.1)...), requests("1/min", flat(4)...)}, -1, "steady"},
		{"errors as ever", []sources.Series{errs("%", flat(1)...), requests("1/s", flat(1200)...)}, -1, "steady"},
		{"errors without a limit", []sources.Series{series("e", sources.ErrorSignal, "%", math.NaN(), flat(1)...), requests("1/s", flat(100)...)}, 1, "steady"},
		{"values of ten minutes ago", []sources.Series{late(errs("%", flat(4.1)...)), requests("1/s", flat(1200)...)}, -1, ""},
		{"by label", []sources.Series{label(errs("%", flat(10)...), "eu"), label(errs("%", flat(20)...), "us"),
			label(requests("1/s", flat(100)...), "us"), label(requests("1/s", flat(1000)...), "eu")}, 120, "steady"},
		{"labels that do not match", []sources.Series{label(errs("%", flat(10)...), "eu"), label(errs("%", flat(20)...), "us"), requests("1/s", flat(100)...)}, -1, "steady"},
		{"nothing", nil, -1, ""},
		{"latency only", []sources.Series{series("p95", sources.LatencySignal, "ms", 300, flat(100)...)}, -1, ""},
		{"one value", []sources.Series{errs("1/s", 9)}, 9, ""},
	} {
		p := Problems(world(incidents("pd", page("pd", "1", opened(0))), metrics(c.series...)), View{}, now)[0]
		got, trend := p.Impact, ""
		if got.Known {
			trend = [...]string{"falling", "steady", "rising"}[got.Trend+1]
		}
		failing := float64(got.Failing)
		if !got.Failing.Known() {
			failing = -1
		}
		if math.Abs(failing-c.want) > 1e-9 || trend != c.trend {
			t.Errorf("%s: %v %q, want %v %q", c.name, failing, trend, c.want, c.trend)
		}
		if known := got.Failing.Known() || got.Known; known != (got.Feed == 1) {
			t.Errorf("%s: feed %d", c.name, got.Feed)
		}
	}
}

func deployed(env, tag, target string, s sources.State, ago time.Duration) sources.Deployment {
	return sources.Deployment{Version: version(tag), Target: target, State: s, Created: before(ago + time.Minute), Ended: before(ago),
		Actor: clean.Line("dev4"), Ref: ref(sources.KindDeployment, env, tag+target)}
}

func environment(service, name string, isProd bool, history ...sources.Deployment) sources.Environment {
	return sources.Environment{Ref: ref(sources.KindEnvironment, service, name), Service: service, Name: name, Provider: name + "uction", Prod: isProd,
		History: history, Targets: make([]sources.Target, 2)}
}

func environments(es ...sources.Environment) func(*store.Snapshot) {
	return feed("github", store.Environments, func(f *store.Feed) { f.Environments = es })
}

func changes(cs ...sources.Change) func(*store.Snapshot) {
	return feed("datadog", store.Changes, func(f *store.Feed) { f.Changes = cs })
}

func TestSuspects(t *testing.T) {
	t.Parallel()
	const passed, failed, running = sources.StatePassed, sources.StateFailed, sources.StateRunning
	flag := func(title string, ago time.Duration) sources.Change {
		return sources.Change{Service: "shop", Kind: sources.FlagChange, Title: clean.Line(title), At: before(ago)}
	}
	event := func(tag, env string, ago time.Duration) sources.Change {
		return sources.Change{Service: "shop", Kind: sources.DeploymentChange, Title: clean.Line("Deployed " + tag), Version: version(tag), Env: env, At: before(ago)}
	}
	eu, us := deployed("prod", "v1.9.2", "eu", passed, 11*time.Minute), deployed("prod", "v1.9.2", "us", passed, 13*time.Minute)
	upstreamFlag := flag("limits 50", 14*time.Minute)
	upstreamFlag.Service = "bank"
	staging := deployed("staging", "v1.9.3", "", passed, 12*time.Minute)
	bySHA := deployed("prod", "", "eu", passed, 11*time.Minute)
	bySHA.Version = sources.Version{SHA: "a1b2c3d4e5"}
	bare := event("v1.9.2", "", 11*time.Minute)
	bare.Version = sources.Version{}
	nameless := bare
	nameless.Title = clean.Text{}
	rolling := deployed("prod", "v2", "eu", running, 0)
	rolling.Created, rolling.Ended = before(12*time.Minute), time.Time{}
	approved := func(started, ended time.Duration) sources.Deployment {
		d := deployed("prod", "v2", "eu", passed, ended)
		d.Created, d.Started = before(50*time.Minute), before(started)
		return d
	}
	// The incident was opened ten minutes ago.
	for _, c := range []struct {
		name string
		fill []func(*store.Snapshot)
		want string
	}{
		{"a deployment of two targets and a flag", []func(*store.Snapshot){environments(environment("shop", "prod", true, eu, us)), changes(flag("pay_retry on", 14*time.Minute))},
			"v1.9.2 → prod: 3m before onset, by dev4; flag pay_retry on: 4m before onset"},
		{"one target of two", []func(*store.Snapshot){environments(environment("shop", "prod", true, eu))}, "v1.9.2 → prod eu: 1m before onset, by dev4"},
		{"a failed one", []func(*store.Snapshot){environments(environment("shop", "prod", true, deployed("prod", "v2", "eu", failed, 12*time.Minute), deployed("prod", "v2", "us", failed, 12*time.Minute)))},
			"v2 → prod failed: 3m before onset, by dev4"},
		{"one on its way", []func(*store.Snapshot){environments(environment("shop", "prod", true, rolling))}, "v2 → prod eu: began 2m before onset, was rolling out, by dev4"},
		{"one that ended after the onset", []func(*store.Snapshot){environments(environment("shop", "prod", true, deployed("prod", "v2", "eu", passed, 9*time.Minute+30*time.Second)))},
			"v2 → prod eu: began 30s before onset, was rolling out, by dev4"},
		{"one that waited for an approval until after the onset", []func(*store.Snapshot){environments(environment("shop", "prod", true, approved(5*time.Minute, 4*time.Minute)))}, ""},
		{"one that was approved just before it", []func(*store.Snapshot){environments(environment("shop", "prod", true, approved(11*time.Minute, 9*time.Minute)))},
			"v2 → prod eu: began 1m before onset, was rolling out, by dev4"},
		{"a cancelled one", []func(*store.Snapshot){environments(environment("shop", "prod", true, deployed("prod", "v2", "eu", sources.StateCancelled, 12*time.Minute)))}, ""},
		{"too early, too late", []func(*store.Snapshot){environments(environment("shop", "prod", true, deployed("prod", "v3", "eu", passed, 0), deployed("prod", "v1", "eu", passed, 71*time.Minute)))}, ""},
		{"just after", []func(*store.Snapshot){changes(flag("a", 9*time.Minute), flag("b", 10*time.Minute))}, "flag a: 1m after onset; flag b: at onset"},
		{"staging is not production", []func(*store.Snapshot){environments(environment("shop", "prod", true, eu), environment("shop", "staging", false, staging))}, "v1.9.2 → prod eu: 1m before onset, by dev4"},
		{"staging when there is no production", []func(*store.Snapshot){environments(environment("shop", "staging", false, staging))}, "v1.9.3 → staging: 2m before onset, by dev4"},
		{"the event of a deployment", []func(*store.Snapshot){environments(environment("shop", "prod", true, eu)), changes(event("1.9.2", "production", 10*time.Minute))}, "v1.9.2 → prod eu: 1m before onset, by dev4"},
		{"the event knows the tag, the deployment the commit", []func(*store.Snapshot){environments(environment("shop", "prod", true, bySHA)), changes(event("v1.9.2", "prod", 12*time.Minute))},
			"v1.9.2 → prod eu: 1m before onset, by dev4"},
		{"an event that only names it", []func(*store.Snapshot){environments(environment("shop", "prod", true, eu)), changes(bare)}, "v1.9.2 → prod eu: 1m before onset, by dev4"},
		{"an event that names nothing", []func(*store.Snapshot){changes(nameless)}, "a deployment: 1m before onset"},
		{"the event of another", []func(*store.Snapshot){environments(environment("shop", "prod", true, eu)), changes(event("v1.9.1", "prod", 40*time.Minute))},
			"v1.9.2 → prod eu: 1m before onset, by dev4; v1.9.1 → prod: 30m before onset"},
		{"two events of one", []func(*store.Snapshot){changes(event("v1.9.1", "prod", 40*time.Minute), event("v1.9.1", "", 39*time.Minute))}, "v1.9.1 → prod: 30m before onset"},
		{"one flag told twice", []func(*store.Snapshot){changes(flag("a", 12*time.Minute)), feed("other", store.Changes, func(f *store.Feed) { f.Changes = []sources.Change{flag("a", 13*time.Minute)} })}, "flag a: 2m before onset"},
		{"upstream", []func(*store.Snapshot){changes(upstreamFlag)}, "bank: flag limits 50: 4m before onset"},
		{"of another service", []func(*store.Snapshot){changes(sources.Change{Service: "tax", Kind: sources.ConfigChange, Title: clean.Line("a"), At: before(12 * time.Minute)})}, ""},
	} {
		s := world(append(c.fill, incidents("pd", page("pd", "1")))...)
		var got []string
		for _, u := range Problems(s, View{}, now)[0].Suspects {
			line := u.Text.String() + ": " + u.Why.String()
			if u.Upstream != "" {
				line = u.Upstream + ": " + line
			}
			got = append(got, line)
		}
		if got := strings.Join(got, "; "); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	s := world(incidents("pd", page("pd", "1", func(in *sources.Incident) { in.Scope = clean.Line("Staging eu") })),
		environments(environment("shop", "prod", true), environment("shop", "staging", false, staging)))
	if got := Problems(s, View{}, now)[0].Suspects; len(got) != 1 || got[0].Env != ref(sources.KindEnvironment, "shop", "staging") || got[0].Before != 2*time.Minute {
		t.Errorf("an incident in staging has suspects %+v", got)
	}
}

func TestLikeTitles(t *testing.T) {
	t.Parallel()
	same := [][]string{
		{"5xx above 2 % for 5m", "5xx above 10 % for 10m", "5XX ABOVE 2%% for 5m!"},
		{"disk full on db-7", "Disk full on db-12", "disk full on db7"},
		{"pod checkout-7d9f8b6c5d-x2k4q restarted", "pod checkout-59bc7f9d4f-x7k9q restarted"},
		{"host 10.0.3.17 is down", "host 10.12.0.4 is down"},
		{"job 0af3c2d19e failed", "job deadbee7 failed"},
		{"", "12 34"},
	}
	for i, group := range same {
		for _, title := range group {
			if a, b := likeTitle(clean.Line(title)), likeTitle(clean.Line(group[0])); a != b {
				t.Errorf("%q is %q, and %q is %q", title, a, group[0], b)
			}
			for _, other := range same[i+1:] {
				if likeTitle(clean.Line(title)) == likeTitle(clean.Line(other[0])) {
					t.Errorf("%q is like %q", title, other[0])
				}
			}
		}
	}
	for _, c := range [][2]string{{"5xx above 2 %", "4xx above 2 %"}, {"p95 above 300 ms", "p99 above 300 ms"}} {
		if likeTitle(clean.Line(c[0])) == likeTitle(clean.Line(c[1])) {
			t.Errorf("%q is like %q", c[0], c[1])
		}
	}
}

func TestSeenBefore(t *testing.T) {
	t.Parallel()
	var n int
	gone := func(title string, ago time.Duration, edits ...incidentEdit) sources.Incident {
		n++
		return page("pd", fmt.Sprint("old", n), append([]incidentEdit{titled(title), func(in *sources.Incident) {
			in.State, in.Created, in.Ended = sources.Resolved, before(ago+time.Hour), before(ago)
		}}, edits...)...)
	}
	const day = 24 * time.Hour
	k := sources.MonitorKey(4)
	twin := gone("5xx above 7 % for 5m", 9*day, keys(k))
	other := gone("5xx above 7 % for 5m", 9*day+10*time.Minute, keys(k))
	other.Ref.Source = "dd"
	s := world(incidents("pd", page("pd", "1"), gone("5xx above 9 % for 5m", 20*time.Minute)), past(
		gone("5xx above 1 % for 9m", day), twin, other, gone("5xx above 7 % for 5m", 11*day, keys(k)),
		gone("5xx above 1 % for 9m", 31*day), gone("4xx above 1 % for 9m", day), gone("5xx above 1 % for 9m", day, of("cart")),
		gone("5xx above 1 % for 9m", 5*time.Minute), page("pd", "1", ended5),
	))
	p := Problems(s, View{}, now)[0]
	if p.Seen != 4 || p.SeenIn != 30*day {
		t.Errorf("seen %d times in %s, want 4", p.Seen, p.SeenIn)
	}
	like := Like(s, &p)
	if len(like) != 4 || !endOf(like[0]).Equal(before(20*time.Minute)) || !endOf(like[3]).Equal(before(11*day)) {
		t.Errorf("like it were %v", like)
	}
}

func FuzzTitles(f *testing.F) {
	for _, s := range []string{"5xx above 2 % for 5m", "p95 912ms", "\xff\x00", "İ 1İ", "deadbeef00", strings.Repeat("9a", 40), "—·—"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := likeTitle(clean.Line(s))
		if got != strings.TrimSpace(got) || strings.Contains(got, "  ") {
			t.Errorf("%q has loose spaces", got)
		}
		if again := likeTitle(clean.Line("17 " + clean.Line(s).String())); again != got && len(s) < 1000 {
			t.Errorf("a number makes %q of %q", again, got)
		}
		old := page("pd", "old", titled(s), ended5)
		old.Created, old.Ended = before(time.Hour), before(30*time.Minute)
		p := Problems(world(incidents("pd", page("pd", "1", titled(s))), past(old)), View{}, now)[0]
		if want := b2i(got != ""); p.Seen != want {
			t.Errorf("%q was seen %d times, want %d", s, p.Seen, want)
		}
		p.Matches(Words(s))
	})
}
