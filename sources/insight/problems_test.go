package insight

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

func before(d time.Duration) time.Time { return now.Add(-d) }

// page is an open incident of source, of shop, P3, paged ten minutes ago.
func page(source, id string, edits ...func(*sources.Incident)) sources.Incident {
	in := sources.Incident{Ref: sources.Ref{Source: source, Kind: sources.KindIncident, ID: id}, Kind: sources.PageIncident, Service: "shop",
		Title: clean.Line("5xx above 2 % for 5m"), Severity: 3, Created: before(10 * time.Minute), Changed: before(10 * time.Minute)}
	for _, e := range edits {
		e(&in)
	}
	return in
}

type incidentEdit = func(*sources.Incident)

func keys(k ...string) incidentEdit            { return func(in *sources.Incident) { in.Keys = k } }
func of(service string) incidentEdit           { return func(in *sources.Incident) { in.Service = service } }
func sev(n int) incidentEdit                   { return func(in *sources.Incident) { in.Severity = n } }
func kind(k sources.IncidentKind) incidentEdit { return func(in *sources.Incident) { in.Kind = k } }
func opened(d time.Duration) incidentEdit {
	return func(in *sources.Incident) { in.Created = before(d) }
}
func titled(s string) incidentEdit { return func(in *sources.Incident) { in.Title = clean.Line(s) } }
func acked(in *sources.Incident)   { in.State = sources.Acknowledged }
func ended5(in *sources.Incident) {
	in.State, in.Ended = sources.Resolved, before(5*time.Minute)
}
func isMine(in *sources.Incident) { in.Mine = true }

func alert(id int64, edits ...func(*sources.Monitor)) sources.Monitor {
	m := sources.Monitor{Ref: sources.Ref{Source: "datadog", Kind: sources.KindMonitor, ID: fmt.Sprint(id)}, Service: "shop", Name: clean.Line("errors"),
		State: sources.MonitorAlert, Since: before(12 * time.Minute), Severity: 2, Keys: []string{sources.MonitorKey(id)}}
	for _, e := range edits {
		e(&m)
	}
	return m
}

// world is a board of shop, which depends on bank of another team, and of tax of a third team.
func world(fill ...func(*store.Snapshot)) *store.Snapshot {
	s := &store.Snapshot{At: now, Catalog: &store.Catalog{Services: []store.Service{
		{Name: "shop", DependsOn: []string{"bank"}}, {Name: "cart"}, {Name: "bank", Team: "money"}, {Name: "tax", Team: "state"},
	}}}
	for _, f := range fill {
		f(s)
	}
	return s
}

func feed(source string, c store.Capability, put func(*store.Feed)) func(*store.Snapshot) {
	return func(s *store.Snapshot) {
		f := store.Feed{Key: store.FeedKey{Source: source, Capability: c}, Health: store.Health{State: store.Healthy, LastGood: now, Interval: time.Minute}}
		put(&f)
		s.Feeds = append(s.Feeds, f)
	}
}

func incidents(source string, ins ...sources.Incident) func(*store.Snapshot) {
	return feed(source, store.Incidents, func(f *store.Feed) { f.Incidents = ins })
}

func past(ins ...sources.Incident) func(*store.Snapshot) {
	return feed("pd", store.Past, func(f *store.Feed) { f.Incidents = ins })
}

func monitors(ms ...sources.Monitor) func(*store.Snapshot) {
	return feed("datadog", store.Monitors, func(f *store.Feed) { f.Monitors = ms })
}

func metrics(ms ...sources.Series) func(*store.Snapshot) {
	return feed("datadog", store.Metrics, func(f *store.Feed) { f.Series = ms })
}

// told is the problems as text: the id of who speaks for each, with its members in parentheses.
func told(ps []Problem) string {
	var out []string
	for i := range ps {
		p := &ps[i]
		var ids []string
		for _, m := range p.Members[1:] {
			if m.Monitor != nil {
				ids = append(ids, m.Monitor.Ref.ID)
			} else {
				ids = append(ids, m.Incident.Ref.ID)
			}
		}
		slices.Sort(ids)
		row := p.Incident.Ref.ID
		if len(ids) > 0 {
			row += "(" + strings.Join(ids, " ") + ")"
		}
		if n := len(p.Inside); n > 0 {
			row += fmt.Sprintf("*%d", n)
		}
		out = append(out, row)
	}
	return strings.Join(out, " ")
}

func TestJoining(t *testing.T) {
	t.Parallel()
	const a1, a2 = `{alertname="A"}`, `{alertname="B"}`
	m1, m2 := sources.MonitorKey(1), sources.MonitorKey(2)
	for _, c := range []struct {
		name  string
		world *store.Snapshot
		want  string
	}{
		{"nothing in common", world(incidents("pd", page("pd", "p1")), incidents("dd", page("dd", "d1"))), "d1 p1"},
		{"a monitor's page and the monitor", world(incidents("pd", page("pd", "p1", keys(m1))), monitors(alert(1))), "p1(1)"},
		{"a page, an incident and alerts", world(
			incidents("am", page("am", "a1", kind(sources.AlertIncident), keys(sources.AlertKey(a1)))),
			incidents("dd", page("dd", "d1", kind(sources.DeclaredIncident), keys(sources.IncidentKey("pagerduty", "p1")))),
			incidents("pd", page("pd", "p1", keys(sources.IncidentKey("pagerduty", "p1"), sources.AlertKey(a1))))), "p1(a1 d1)"},
		{"by way of a third", world(incidents("x", page("x", "1", keys(m1)), page("x", "2", keys(m1, m2)), page("x", "3", keys(m2)))), "1(2 3)"},
		{"by way of a resolved one: not", world(incidents("x", page("x", "1", keys(m1)), page("x", "2", keys(m1, m2), ended5), page("x", "3", keys(m2)))), "1(2) 3(2)"},
		{"resolved alone", world(incidents("x", page("x", "1", keys(m1), ended5))), ""},
		{"a resolved page behind an open incident", world(
			incidents("dd", page("dd", "d1", kind(sources.DeclaredIncident), keys(m1))), incidents("pd", page("pd", "p1", keys(m1), ended5))), "d1(p1)"},
		{"one monitor pages two services", world(incidents("pd", page("pd", "p1", keys(m1)), page("pd", "p2", keys(m1), of("cart")))), "p1 p2"},
		{"and is claimed by neither", world(incidents("pd", page("pd", "p1", keys(m1)), page("pd", "p2", keys(m1), of("cart"))),
			monitors(alert(1, func(m *sources.Monitor) { m.Service = "" }))), "p1(1) p2(1)"},
		{"one alert of two services is one alert", world(incidents("am", page("am", "a1", keys(sources.AlertKey(a1)))),
			incidents("pd", page("pd", "p1", keys(sources.AlertKey(a1)), of("cart")))), "a1(p1)"},
		{"what no service claims joins the one that does", world(incidents("pd", page("pd", "p1", keys(m1), of("")), page("pd", "p2", keys(m1)))), "p1(p2)"},
		{"what no service claims joins neither of two", world(incidents("pd", page("pd", "p1", keys(m1), of("")), page("pd", "p2", keys(m1)),
			page("pd", "p3", keys(m1), of("cart")))), "p1 p2 p3"},
		{"one rule, two alerts of a service", world(incidents("am", page("am", "a1", keys(sources.AlertKey(a1))), page("am", "a2", keys(sources.AlertKey(a2)))),
			monitors(alert(1, func(m *sources.Monitor) { m.Keys = []string{sources.AlertKey(a1), sources.AlertKey(a2)} }))), "a1(1 a2)"},
		{"one rule, alerts of two services", world(incidents("am", page("am", "a1", keys(sources.AlertKey(a1))), page("am", "a2", keys(sources.AlertKey(a2)), of("cart"))),
			monitors(alert(1, func(m *sources.Monitor) { m.Service, m.Keys = "", []string{sources.AlertKey(a1), sources.AlertKey(a2)} }))), "a1(1) a2(1)"},
		{"a recovered monitor is still told", world(incidents("pd", page("pd", "p1", keys(m1))), monitors(alert(1, func(m *sources.Monitor) { m.State = sources.MonitorOK }))), "p1(1)"},
		{"one incident by two feeds of a source", world(incidents("pd", page("pd", "p1")), incidents("pd", page("pd", "p1"))), "p1"},
		{"one monitor by two feeds of a source", world(monitors(alert(1)), monitors(alert(1))), "1"},
	} {
		if got := told(Problems(c.world, View{}, now)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestMonitorsThatNobodyIsPagedFor(t *testing.T) {
	t.Parallel()
	edit := func(f func(*sources.Monitor)) []func(*sources.Monitor) { return []func(*sources.Monitor){f} }
	for _, c := range []struct {
		name  string
		edits []func(*sources.Monitor)
		want  string
	}{
		{"alerts", nil, "7"},
		{"warns", edit(func(m *sources.Monitor) { m.State = sources.MonitorWarn }), ""},
		{"pending", edit(func(m *sources.Monitor) { m.State = sources.MonitorPending }), ""},
		{"no data", edit(func(m *sources.Monitor) { m.State = sources.MonitorNoData }), ""},
		{"muted", edit(func(m *sources.Monitor) { m.Silenced = []sources.Silence{{}} }), ""},
		{"muted until later", edit(func(m *sources.Monitor) { m.Silenced = []sources.Silence{{Until: now.Add(1)}} }), ""},
		{"muted until a while ago", edit(func(m *sources.Monitor) { m.Silenced = []sources.Silence{{Until: before(1)}} }), "7"},
		{"all its groups muted", edit(func(m *sources.Monitor) {
			m.Groups = []sources.MonitorGroup{{State: sources.MonitorAlert, Muted: true}, {State: sources.MonitorWarn}}
		}), ""},
		{"one of its groups muted", edit(func(m *sources.Monitor) {
			m.Groups = []sources.MonitorGroup{{State: sources.MonitorAlert, Muted: true}, {State: sources.MonitorAlert}}
		}), "7"},
		{"of no service", edit(func(m *sources.Monitor) { m.Service = "" }), ""},
		{"of a service that nobody configured", edit(func(m *sources.Monitor) { m.Service = "other" }), ""},
		{"told by a page of another service", edit(func(m *sources.Monitor) { m.Service, m.Keys = "shop", []string{sources.MonitorKey(9)} }), ""},
	} {
		s := world(incidents("pd", page("pd", "other", keys(sources.MonitorKey(9)), of("cart"))), monitors(alert(7, c.edits...)))
		ps := slices.DeleteFunc(Problems(s, View{}, now), func(p Problem) bool { return p.Incident.Ref.ID == "other" })
		if got := told(ps); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	p := Problems(world(monitors(alert(7))), View{}, now)[0]
	if in := p.Incident; in.Kind != sources.MonitorIncident || in.Ref != alert(7).Ref || p.Severity != 2 || p.State != sources.Triggered || !p.Onset.Equal(before(12*time.Minute)) {
		t.Errorf("the monitor's problem is %+v of %+v", p, in)
	}
}

func TestOrderOfProblems(t *testing.T) {
	t.Parallel()
	s := world(incidents("pd",
		page("pd", "unknown", sev(0), opened(time.Hour)),
		page("pd", "low", sev(4)),
		page("pd", "acked", sev(1), acked, opened(time.Hour)),
		page("pd", "young", sev(1), opened(time.Minute)),
		page("pd", "old", sev(1), opened(9*time.Minute)),
		page("pd", "unmapped", sev(2), of("")),
		page("pd", "upstream", sev(1), of("bank")),
		page("pd", "other", sev(1), of("tax")),
		page("pd", "other but mine", sev(3), of("tax"), isMine),
		page("pd", "undiscovered", sev(5), of("zoo")),
		page("pd", "b", sev(3), opened(time.Minute)), page("pd", "a", sev(3), opened(time.Minute)),
	))
	for _, c := range []struct {
		view View
		want string
	}{
		{View{}, "old young acked unmapped other but mine a b low undiscovered unknown upstream"},
		{View{Whose: All}, "old young acked unmapped other but mine a b low undiscovered unknown other upstream"},
		{View{Whose: Mine}, "other but mine"},
		{View{Follow: "shop"}, "old young acked unmapped a b low undiscovered unknown upstream"},
		{View{Follow: "cart"}, "unmapped undiscovered"},
		{View{Follow: "bank"}, "unmapped undiscovered upstream"},
		{View{Follow: "shop", Whose: Mine}, ""},
	} {
		if got := told(Problems(s, c.view, now)); got != c.want {
			t.Errorf("%+v:\n got %s\nwant %s", c.view, got, c.want)
		}
	}
	for _, v := range []View{{}, {Whose: All}, {Follow: "shop"}, {Follow: "bank"}} {
		for _, p := range Problems(s, v, now) {
			if want := p.Incident.Ref.ID == "upstream"; p.Upstream != want {
				t.Errorf("%+v: %s upstream: %t", v, p.Incident.Ref.ID, p.Upstream)
			}
			if want := p.Upstream || p.Incident.Ref.ID == "other"; p.Foreign != want {
				t.Errorf("%+v: %s of another team: %t", v, p.Incident.Ref.ID, p.Foreign)
			}
		}
	}
}

func TestAProblemOfTwoServicesIsShownForBoth(t *testing.T) {
	t.Parallel()
	k := keys(sources.IncidentKey("pagerduty", "1"))
	s := world(incidents("pd", page("pd", "1", k, of("tax")), page("pd", "2", k, of("cart"), opened(0))))
	for v, want := range map[View]string{{}: "1(2)", {Follow: "tax"}: "1(2)", {Follow: "cart"}: "1(2)", {Follow: "shop"}: "", {Whose: All}: "1(2)"} {
		ps := Problems(s, v, now)
		if got := told(ps); got != want || want != "" && ps[0].Foreign {
			t.Errorf("%+v: %q, want %q", v, got, want)
		}
	}
}

func TestAProblemIsWhatItsViewsSay(t *testing.T) {
	t.Parallel()
	k := keys(sources.MonitorKey(1))
	s := world(
		incidents("dd", page("dd", "d1", k, kind(sources.DeclaredIncident), sev(1), opened(30*time.Minute), func(in *sources.Incident) { in.Scope = clean.Line("prod eu") })),
		incidents("pd", page("pd", "p1", k, acked, sev(0), of("")), page("pd", "p2", k, acked, isMine, sev(4), opened(time.Minute))),
		monitors(alert(1)))
	ps := Problems(s, View{}, now)
	if told(ps) != "p2(1 d1 p1)" {
		t.Fatalf("problems are %s", told(ps))
	}
	p := ps[0]
	if p.Severity != 1 || p.State != sources.Acknowledged || !p.Mine || p.Service != "shop" || p.Scope.String() != "prod eu" {
		t.Errorf("P%d %s mine %t of %q in %q", p.Severity, p.State, p.Mine, p.Service, p.Scope)
	}
	if !p.Onset.Equal(before(30 * time.Minute)) {
		t.Errorf("onset %s", p.Onset)
	}
	if p.Feed != 1 || s.Feeds[p.Feed].Key.Source != "pd" {
		t.Errorf("feed %d", p.Feed)
	}
	// One page of two is triggered again: so is the problem, and it is still known by the same page.
	s.Feeds[1].Incidents[0].State = sources.Triggered
	if p := Problems(s, View{}, now)[0]; p.State != sources.Triggered || p.Incident.Ref.ID != "p2" {
		t.Errorf("%s %s", p.Incident.Ref.ID, p.State)
	}
}

func TestStorms(t *testing.T) {
	t.Parallel()
	storm := func(n int, apart time.Duration, edits ...incidentEdit) []sources.Incident {
		var out []sources.Incident
		for i := range n {
			out = append(out, page("am", fmt.Sprintf("%s%02d", "s", i), append([]incidentEdit{kind(sources.AlertIncident), opened(time.Hour - time.Duration(i)*apart)}, edits...)...))
		}
		return out
	}
	for _, c := range []struct {
		name string
		ins  []sources.Incident
		rows int
		want int // inside the first
	}{
		{"seven are none", storm(7, time.Second), 7, 0},
		{"eight within a minute", storm(8, 8*time.Second), 1, 8},
		{"eight within two minutes", storm(8, 17*time.Second), 8, 0},
		{"it lasts as long as they follow", storm(40, 8*time.Second), 1, 40},
		{"of what no service claims, by the provider's name", storm(8, time.Second, of(""), func(in *sources.Incident) { in.Provider = clean.Line("db") }), 1, 8},
		{"of what nobody names", storm(8, time.Second, of("")), 8, 0},
		{"two, an hour apart", append(storm(8, time.Second), func() []sources.Incident {
			late := storm(9, time.Second)
			for i := range late {
				late[i].Ref.ID += "late"
				late[i].Created = late[i].Created.Add(30 * time.Minute)
			}
			return late
		}()...), 2, 8},
	} {
		ps := Problems(world(incidents("am", c.ins...)), View{}, now)
		if len(ps) != c.rows || len(ps[0].Inside) != c.want {
			t.Errorf("%s: %d rows, %d in the first, want %d and %d", c.name, len(ps), len(ps[0].Inside), c.rows, c.want)
		}
	}
}

func TestAStormKeepsItsIdentityWhileItGrows(t *testing.T) {
	t.Parallel()
	var ins []sources.Incident
	for i := range 60 {
		ins = append(ins, page("am", fmt.Sprintf("%02d", i), opened(time.Hour-time.Duration(i)*2*time.Second), sev(3-i/20), func(in *sources.Incident) {
			in.Mine = i == 50
			if i < 30 {
				in.State = sources.Acknowledged
			}
		}))
	}
	for n := stormSize; n <= len(ins); n++ {
		ps := Problems(world(incidents("am", ins[:n]...)), View{}, now)
		if len(ps) != 1 || ps[0].Incident.Ref.ID != "00" || len(ps[0].Inside) != n {
			t.Fatalf("with %d: %d rows, the first of %d by %s", n, len(ps), len(ps[0].Inside), ps[0].Incident.Ref.ID)
		}
		p := ps[0]
		if want := 3 - (n-1)/20; p.Severity != want || p.Mine != (n > 50) || (p.State == sources.Triggered) != (n > 30) {
			t.Fatalf("with %d: P%d, mine %t, %s", n, p.Severity, p.Mine, p.State)
		}
		if !p.Matches(Words("5xx")) {
			t.Fatal("the filter does not find what is inside")
		}
	}
}

// randomWorld is any incidents and monitors, with few keys, so that much joins.
func randomWorld(r *rand.Rand) *store.Snapshot {
	some := func() []string {
		var k []string
		for range r.IntN(3) {
			switch n := r.IntN(12); r.IntN(3) {
			case 0:
				k = append(k, sources.MonitorKey(int64(n)))
			case 1:
				k = append(k, sources.AlertKey(fmt.Sprint(n)))
			default:
				k = append(k, sources.IncidentKey("pd", fmt.Sprint(n)))
			}
		}
		return k
	}
	services := []string{"shop", "cart", "bank", "tax", "", "zoo"}
	kinds := []sources.IncidentKind{sources.PageIncident, sources.DeclaredIncident, sources.AlertIncident}
	var fill []func(*store.Snapshot)
	for _, source := range []string{"am", "dd", "pd"} {
		var ins []sources.Incident
		for i := range r.IntN(20) {
			ins = append(ins, page(source, fmt.Sprint(source, i), keys(some()...), of(services[r.IntN(len(services))]), sev(r.IntN(4)),
				opened(time.Duration(r.IntN(600))*time.Second), kind(kinds[r.IntN(3)]), func(in *sources.Incident) {
					in.State, in.Mine = sources.IncidentState(r.IntN(3)), r.IntN(5) == 0
				}))
		}
		fill = append(fill, incidents(source, ins...))
	}
	var ms []sources.Monitor
	for i := range r.IntN(10) {
		ms = append(ms, alert(int64(i), func(m *sources.Monitor) {
			m.Keys, m.Service, m.State = append(m.Keys, some()...), services[r.IntN(len(services))], sources.MonitorState(r.IntN(6))
		}))
	}
	return world(append(fill, monitors(ms...))...)
}

// shuffled is the same world, told in another order.
func shuffled(r *rand.Rand, s *store.Snapshot) *store.Snapshot {
	out := *s
	out.Feeds = slices.Clone(s.Feeds)
	r.Shuffle(len(out.Feeds), func(i, j int) { out.Feeds[i], out.Feeds[j] = out.Feeds[j], out.Feeds[i] })
	for i := range out.Feeds {
		f := &out.Feeds[i]
		f.Incidents, f.Monitors = slices.Clone(f.Incidents), slices.Clone(f.Monitors)
		r.Shuffle(len(f.Incidents), func(i, j int) { f.Incidents[i], f.Incidents[j] = f.Incidents[j], f.Incidents[i] })
		r.Shuffle(len(f.Monitors), func(i, j int) { f.Monitors[i], f.Monitors[j] = f.Monitors[j], f.Monitors[i] })
		for k := range f.Incidents {
			f.Incidents[k].Keys = slices.Clone(f.Incidents[k].Keys)
			slices.Reverse(f.Incidents[k].Keys)
		}
	}
	return &out
}

func TestProblemsDoNotDependOnTheOrderOfWhatIsTold(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := randomWorld(r)
		for _, v := range []View{{}, {Whose: All}, {Whose: Mine}, {Follow: "shop"}} {
			want := told(Problems(s, v, now))
			for range 3 {
				if got := told(Problems(shuffled(r, s), v, now)); got != want {
					t.Fatalf("seed %d, %+v:\n%s\n%s", seed, v, want, got)
				}
			}
		}
	}
}

// TestNoOpenIncidentIsLost looks for each open incident in just one problem, and nothing resolved speaks.
func TestNoOpenIncidentIsLost(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		s := randomWorld(rand.New(rand.NewPCG(seed, 2)))
		held := map[sources.Ref]int{}
		rows := map[sources.Ref]bool{}
		var count func(ps []Problem)
		count = func(ps []Problem) {
			for i := range ps {
				p := &ps[i]
				if p.Inside != nil {
					count(p.Inside)
					continue
				}
				if rows[p.Incident.Ref] || p.Incident.State == sources.Resolved {
					t.Fatalf("seed %d: %s speaks twice, or is resolved", seed, p.Incident.Ref)
				}
				rows[p.Incident.Ref] = true
				for _, m := range p.Members {
					if m.Incident != nil {
						held[m.Incident.Ref]++
					}
				}
			}
		}
		count(Problems(s, View{Whose: All}, now))
		for in := range s.Incidents() {
			if in.State != sources.Resolved && held[in.Ref] != 1 {
				t.Fatalf("seed %d: %s is in %d problems", seed, in.Ref, held[in.Ref])
			}
		}
	}
}

// TestOnlyWhatIsTakenMoves takes one problem at a time: the others keep their order.
func TestOnlyWhatIsTakenMoves(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 3))
		s := randomWorld(r)
		was := refsOf(Problems(s, View{Whose: All}, now))
		next := shuffled(r, s)
		var taken sources.Ref
		for i := range next.Feeds {
			for k := range next.Feeds[i].Incidents {
				if in := &next.Feeds[i].Incidents[k]; in.State == sources.Triggered && len(in.Keys) == 0 && taken.IsZero() {
					in.State, in.Changed, in.Holder, taken = sources.Acknowledged, now, clean.Line("sre1"), in.Ref
				}
			}
		}
		is := refsOf(Problems(next, View{Whose: All}, now.Add(time.Minute)))
		drop := func(r sources.Ref) bool { return r == taken }
		if a, b := slices.DeleteFunc(was, drop), slices.DeleteFunc(is, drop); !slices.Equal(a, b) {
			t.Fatalf("seed %d: taking %s moved others:\n%v\n%v", seed, taken, a, b)
		}
	}
}

func refsOf(ps []Problem) []sources.Ref {
	var out []sources.Ref
	for i := range ps {
		out = append(out, ps[i].Incident.Ref)
	}
	return out
}

func TestNothingIsKnownOfAnEmptyBoard(t *testing.T) {
	t.Parallel()
	s := &store.Snapshot{Catalog: &store.Catalog{}}
	if ps := Problems(s, View{}, now); len(ps) != 0 {
		t.Errorf("%d problems", len(ps))
	}
	p := Problems(world(incidents("pd", page("pd", "1", of("")))), View{}, now)[0]
	if p.Impact.Failing.Known() || p.Impact.Known || p.Impact.Feed != -1 || p.Suspects != nil || p.Seen != 0 || !math.IsNaN(float64(p.Impact.Failing)) {
		t.Errorf("an unmapped problem is explained: %+v", p)
	}
}

func TestTheFilterFindsEveryView(t *testing.T) {
	t.Parallel()
	k := keys(sources.MonitorKey(1))
	p := Problems(world(incidents("pd", page("pd", "1", k, func(in *sources.Incident) { in.Number, in.Holder = clean.Line("#4101"), clean.Line("sre1") })),
		incidents("dd", page("dd", "2", k, kind(sources.DeclaredIncident), titled("Checkout is down"))), monitors(alert(1, func(m *sources.Monitor) { m.Name = clean.Line("burn") }))), View{}, now)[0]
	for filter, want := range map[string]bool{"": true, "5xx #4101": true, "checkout DOWN": true, "burn sre1": true, "p2 shop": true, "p3": false, "triggered": true, "acked": false} {
		if got := p.Matches(Words(filter)); got != want {
			t.Errorf("%q: %t", filter, got)
		}
	}
}
