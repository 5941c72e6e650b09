package policy

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

func verbs() []sources.Verb {
	return []sources.Verb{
		sources.Acknowledge, sources.Resolve, sources.Escalate, sources.Reassign, sources.Snooze, sources.AddNote, sources.Merge, sources.PostStatus,
		sources.SilenceIt, sources.Expire, sources.Mute, sources.Unmute, sources.PostEvent, sources.Approve, sources.Reject, sources.RerunFailed,
		sources.RerunAll, sources.Cancel, sources.Dispatch, sources.Deploy, sources.Promote, sources.Rollback,
	}
}

// random are facts of any kind, in which each part may be missing.
func random(r *rand.Rand) Facts {
	yes := func() bool { return r.IntN(2) == 0 }
	f := with(func(f *Facts) {
		f.Action = verbs()[r.IntN(len(verbs()))]
		f.Now = noon.Add(time.Duration(r.IntN(8*24)) * time.Hour)
		f.Mine, f.Deploys, f.Alerting, f.CanCosign, f.AgeKnown = yes(), yes(), yes(), yes(), yes()
		f.ReadOnly, f.Discovered, f.FirstStage = r.IntN(9) == 0, r.IntN(9) == 0, r.IntN(4) == 0
		f.Bulk, f.Age = r.IntN(8), time.Duration(r.IntN(10))*time.Minute
		f.Environment.Prod, f.Environment.BusyKnown = yes(), yes()
		f.Environment.Name = []string{"dev", "staging", "prod"}[r.IntN(3)]
		f.From.Age = time.Duration(r.IntN(90)) * time.Minute
		f.Version.MigrationsKnown, f.Version.Older, f.Version.RolledBack = yes(), yes(), r.IntN(3)
		f.Checks.Failed, f.Checks.Running = r.IntN(2), r.IntN(2)
		f.IncidentsKnown, f.MonitorsKnown = yes(), yes()
		f.Incidents = make([]IncidentFacts, r.IntN(3))
		for i := range f.Incidents {
			f.Incidents[i] = IncidentFacts{Severity: r.IntN(5), State: "triggered", Upstream: yes()}
		}
		f.SLO.Remaining, f.SLO.BurnKnown = r.Float64(), yes()
	})
	for _, drop := range []func(){
		func() { f.Environment = nil }, func() { f.From = nil }, func() { f.Version = nil }, func() { f.Checks = nil }, func() { f.SLO = nil },
		func() { f.Metrics = nil }, func() { f.Deployments = nil }, func() { f.Run = nil },
	} {
		if r.IntN(5) == 0 {
			drop()
		}
	}
	return f
}

func manyRules(n int) []Rule {
	all := []Rule{
		{Require: `from.age >= duration("30m")`, Else: Deny, Because: "staging has run it for only {{from.age}}", BreakGlass: true},
		{Require: "slo.remaining > 0.25", Else: Warn},
		{During: &Window{Moment{Day: time.Friday, Hour: 16}, Moment{Day: time.Monday, Hour: 8}, "Europe/Berlin"}, Else: Deny, BreakGlass: true},
		{Require: `incidents.all(i, i.severity > 2 || i.upstream)`, Else: Confirm},
		{Require: `metrics["error rate"] < 2.0 && monitors_alerting == 0`, Else: TypedConfirm},
		{Require: `"oncall" in roles || deployments.today < 3`, Else: SecondPerson, On: []sources.Verb{sources.Promote, sources.Rollback}},
		{Require: `now.getHours("Europe/Berlin") < 17`, Else: Warn, Env: "prod"},
		{Require: "checks.failed == 0 && version.migrations.size() == 0", Else: Deny},
		{Require: `deployments.failed == 0`, On: []sources.Verb{sources.Rollback}, Else: Deny},
		{Require: `run.branch == "main"`, On: []sources.Verb{sources.Cancel, sources.Approve}, Else: Deny},
	}
	var out []Rule
	for i := range n {
		r := all[i%len(all)]
		r.Name = fmt.Sprintf("rule %d", i)
		out = append(out, r)
	}
	return out
}

// TestPromises checks on random facts what holds for all: the strictest wins, the order of the rules does not
// matter, the same facts have the same answer, judging changes nothing, and what cannot be told never lets a
// promotion pass.
func TestPromises(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	rules := manyRules(10)
	s := compiles(t, rules...)
	unknowns := 0
	for range 1200 {
		f := random(r)
		before := fmt.Sprintf("%+v", f)
		got := s.Judge(f)
		if after := fmt.Sprintf("%+v", f); after != before {
			t.Fatalf("judging changed %s to %s", before, after)
		}
		if again := s.Judge(f); !reflect.DeepEqual(got, again) {
			t.Fatalf("twice: %+v, %+v", got, again)
		}
		worst := Strictest(got)
		for _, one := range got {
			if one.Verdict > worst || one.Gate == "" || one.Text.IsZero() {
				t.Fatalf("%+v of %s", one, worst)
			}
			if one.Unknown && f.Action != sources.Rollback {
				unknowns++
				if one.Verdict != Deny || worst != Deny {
					t.Fatalf("unknown, and %s: %+v", worst, one)
				}
			}
			if one.Unknown && f.Action == sources.Rollback && one.Gate != "target" && one.Verdict != Warn {
				t.Fatalf("unknown stops a rollback: %+v", one)
			}
		}
		shuffled := slices.Clone(rules)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if unknowns%50 == 0 && !sameFindings(got, compiles(t, shuffled...).Judge(f)) {
			t.Fatal("the order of the rules matters")
		}
	}
	if unknowns < 100 {
		t.Errorf("only %d unknowns", unknowns)
	}
}

func sameFindings(a, b []Finding) bool {
	sorted := func(list []Finding) []Finding {
		return slices.SortedFunc(slices.Values(list), func(x, y Finding) int {
			if x.Gate < y.Gate {
				return -1
			}
			return 1
		})
	}
	return reflect.DeepEqual(sorted(a), sorted(b))
}

// TestNothingKnownRefusesEveryPromotion: of empty facts no promotion passes, whatever its verb.
func TestNothingKnownRefusesEveryPromotion(t *testing.T) {
	t.Parallel()
	for _, v := range verbs() {
		f := Facts{Action: v, Now: noon, Mine: true}
		got := Strictest(Default().Judge(f))
		switch v {
		case sources.Promote, sources.Deploy, sources.Dispatch, sources.Rollback:
			if got != Deny {
				t.Errorf("%s: %s", v, got)
			}
		case sources.Acknowledge:
			if got != Allow {
				t.Errorf("%s: %s", v, got)
			}
		default:
			if got < Confirm || got == Deny {
				t.Errorf("%s: %s", v, got)
			}
		}
	}
}

// TestLifting: breaking glass lifts exactly what allows it.
func TestLifting(t *testing.T) {
	t.Parallel()
	findings := Default().Judge(with(func(f *Facts) { f.From.Age, f.Checks = time.Minute, nil }))
	lifted, names := Lift(findings)
	if !slices.Equal(names, []string{"ci", "soak"}) || Strictest(findings) != Deny || Strictest(lifted) != TypedConfirm {
		t.Errorf("%q: %s", names, Strictest(lifted))
	}
	if _, names := Lift(Default().Judge(with(func(f *Facts) { f.ReadOnly = true }))); len(names) != 0 {
		t.Errorf("lifted %q", names)
	}
}

func FuzzRule(f *testing.F) {
	for _, r := range manyRules(10) {
		f.Add(r.Require, r.Because)
	}
	for _, text := range []string{
		"(((", "incidents[99].title == ''", "incident{severity: 1} == incidents[0]", "from.age / 0", "'a'.matches('(a+)+$')", "dyn(incidents)[0].nothing",
		"[[1]].map(x, x.map(y, [y, y]))", "type(incidents[0]) == incident", "incidents[0] == monitors[0]", "now - now > from.age", `timestamp("0000-00-00T00:00:00Z") < now`,
		"9223372036854775807 + 1 > 0", "{'a': 1}.a", "has(incidents[0].title)", "metrics.map(m, m)", "now.getHours('nowhere') > 1", "\x00", "string(incidents)", "double('x') < 1.0",
	} {
		f.Add(text, "{{"+text+"}}")
	}
	full, empty := good(), Facts{Action: sources.Promote, Now: noon}
	full.Incidents = []IncidentFacts{{Severity: 1, State: "triggered", Title: "5xx"}}
	f.Fuzz(func(t *testing.T, require, because string) {
		s, err := Compile([]Rule{{Name: "r", Require: require, Because: because, Else: Deny}})
		if err != nil {
			return
		}
		for _, facts := range []Facts{full, empty, rollback(nil)} {
			for _, one := range s.Judge(facts) {
				if one.Gate == "" || one.Text.IsZero() && because == "" {
					t.Errorf("%+v", one)
				}
				if one.Unknown && facts.Action == sources.Promote && one.Verdict != Deny {
					t.Errorf("%+v", one)
				}
			}
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	s := compiles(b, manyRules(30)...)
	f := good()
	b.ReportAllocs()
	for b.Loop() {
		s.Judge(f)
	}
}

func BenchmarkJudgeDefault(b *testing.B) {
	s, f := Default(), good()
	b.ReportAllocs()
	for b.Loop() {
		s.Judge(f)
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		compiles(b, manyRules(30)...)
	}
}
