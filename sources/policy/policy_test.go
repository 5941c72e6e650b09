package policy

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

// noon is a Wednesday.
var noon = time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)

// good are the facts of a promotion to production that nothing speaks against.
func good() Facts {
	return Facts{
		Action: sources.Promote, Now: noon, Who: "sre1", Roles: []string{"oncall"}, Service: "checkout", AgeKnown: true, Age: 20 * time.Second,
		Environment: &EnvironmentFacts{Name: "prod", Prod: true, Since: 24 * time.Hour, BusyKnown: true},
		From:        &StageFacts{Name: "staging", Age: time.Hour, Healthy: true, Known: true},
		Version:     &VersionFacts{SHA: "abc1234", Tag: "v1.9.2", KnownGood: true, MigrationsKnown: true, Commits: 4},
		Checks:      &CheckFacts{Passed: 7}, Run: &RunFacts{Workflow: "deploy", Branch: "main", Event: "push", Attempt: 1},
		IncidentsKnown: true, MonitorsKnown: true, Monitors: []MonitorFacts{{Name: "5xx", State: "ok"}},
		SLO: &SLOFacts{Name: "availability", Remaining: 0.8, Burn: 0.5, BurnKnown: true}, Metrics: map[string]float64{"error rate": 0.4},
		Deployments: &DeploymentFacts{LastHour: 1, Today: 3}, CanCosign: true,
	}
}

func with(change func(*Facts)) Facts {
	f := good()
	change(&f)
	return f
}

func rollback(change func(*Facts)) Facts {
	return with(func(f *Facts) {
		f.Action, f.From = sources.Rollback, nil
		if change != nil {
			change(f)
		}
	})
}

func compiles(t testing.TB, rules ...Rule) *Set {
	t.Helper()
	s, err := Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// said is what a gate says; ok is false when it is silent.
func said(findings []Finding, gate string) (Finding, bool) {
	i := slices.IndexFunc(findings, func(f Finding) bool { return f.Gate == gate })
	if i < 0 {
		return Finding{}, false
	}
	return findings[i], true
}

func TestNothingSpeaksAgainstAGoodPromotion(t *testing.T) {
	t.Parallel()
	for _, f := range Default().Judge(good()) {
		if want := Allow; f.Gate != "confirmation" && f.Verdict != want || f.Text.IsZero() {
			t.Errorf("%+v", f)
		}
	}
	if got := Strictest(Default().Judge(good())); got != TypedConfirm {
		t.Errorf("got %s", got)
	}
}

func TestBuiltinGates(t *testing.T) {
	t.Parallel()
	staging := func(f *Facts) { f.Environment.Name, f.Environment.Prod = "staging", false }
	both := func(a, b func(*Facts)) func(*Facts) { return func(f *Facts) { a(f); b(f) } }
	for _, c := range []struct {
		name    string
		facts   Facts
		gate    string
		verdict Verdict
		glass   bool
		unknown bool
		silent  bool
		text    string
	}{
		{"read-only", with(func(f *Facts) { f.ReadOnly = true }), "read_only", Deny, false, false, false, "read-only"},
		{"read-only, of an acknowledgement", with(func(f *Facts) { f.Action, f.Mine, f.ReadOnly = sources.Acknowledge, true, true }), "read_only", Deny, false, false, false, "read-only"},
		{"discovered", with(func(f *Facts) { f.Discovered = true }), "unmanaged", Deny, false, false, false, "does not name checkout"},
		{"discovered, my own page", with(func(f *Facts) { f.Action, f.Mine, f.Discovered = sources.Acknowledge, true, true }), "unmanaged", 0, false, false, true, ""},
		{"discovered, somebody else's page", with(func(f *Facts) { f.Action, f.Discovered = sources.Acknowledge, true }), "unmanaged", Deny, false, false, false, "does not name"},
		{"another team's", with(func(f *Facts) { f.Team = "ledger crew" }), "other_team", Deny, false, false, false, "belongs to ledger crew"},
		{"another team's page that is mine", with(func(f *Facts) { f.Action, f.Mine, f.Team = sources.Acknowledge, true, "x" }), "other_team", 0, false, false, true, ""},
		{"no environment", with(func(f *Facts) { f.Environment = nil }), "target", Deny, false, true, false, "which environment"},
		{"no version", rollback(func(f *Facts) { f.Version = nil }), "target", Deny, false, true, false, "which version"},

		{"checks passed", good(), "ci", Allow, false, false, false, "7 checks of this commit passed"},
		{"a check failed", with(func(f *Facts) { f.Checks = &CheckFacts{Passed: 6, Failed: 1, Names: []string{"unit"}} }), "ci", Deny, true, false, false, "1 check of this commit failed: unit"},
		{"a check runs", with(func(f *Facts) { f.Checks = &CheckFacts{Passed: 6, Running: 2} }), "ci", Deny, true, false, false, "2 checks of this commit have not ended"},
		{"no check", with(func(f *Facts) { f.Checks = &CheckFacts{} }), "ci", Deny, true, false, false, "no check of this commit has run"},
		{"checks unknown", with(func(f *Facts) { f.Checks = nil }), "ci", Deny, true, true, false, "not known"},
		{"checks that cannot be read", with(func(f *Facts) {
			f.Checks, f.Unchecked = nil, &sources.Error{Kind: sources.Permission, Msg: "the token may not do this"}
		}), "ci", Deny, true, true, false, "cannot be read: the token may not do this"},
		{"checks, to staging", with(both(staging, func(f *Facts) { f.Checks = nil })), "ci", 0, false, false, true, ""},
		{"checks, of a rollback", rollback(func(f *Facts) { f.Checks = nil }), "ci", 0, false, false, true, ""},
		{"checks, of an approval", with(func(f *Facts) { f.Action, f.Deploys, f.Checks = sources.Approve, true, nil }), "ci", Deny, true, true, false, "not known"},
		{"checks, of an approval that deploys nothing", with(func(f *Facts) { f.Action, f.Checks = sources.Approve, nil }), "ci", 0, false, false, true, ""},

		{"a check failed, and nobody knows for where", with(func(f *Facts) { f.Environment, f.Checks.Failed = nil, 1 }), "ci", Deny, true, false, false, "1 check of this commit failed"},
		{"known bad, and nobody knows where", with(func(f *Facts) { f.Environment, f.Version.KnownBad = nil, "x" }), "known_bad", Deny, true, false, false, "known bad"},
		{"soaked", good(), "soak", Allow, false, false, false, "staging has run it for 1h"},
		{"too fresh", with(func(f *Facts) { f.From.Age = 12 * time.Minute }), "soak", Deny, true, false, false, "staging has run it for only 12m, of 30m"},
		{"just long enough", with(func(f *Facts) { f.From.Age = 30 * time.Minute }), "soak", Allow, false, false, false, ""},
		{"soak unknown", with(func(f *Facts) { f.From = nil }), "soak", Deny, true, true, false, "not known"},
		{"no stage before", with(func(f *Facts) { f.From, f.FirstStage = nil, true }), "soak", Allow, false, false, false, "no stage before"},

		{"no incident", good(), "incidents", Allow, false, false, false, "no incident of P2 or worse is open"},
		{"a P2", with(func(f *Facts) { f.Incidents = []IncidentFacts{{Severity: 2, State: "triggered", Title: "5xx"}} }), "incidents", Deny, true, false, false, "P2 is open: 5xx"},
		{"a P3", with(func(f *Facts) { f.Incidents = []IncidentFacts{{Severity: 3, State: "triggered"}} }), "incidents", Allow, false, false, false, ""},
		{"of unknown severity", with(func(f *Facts) { f.Incidents = []IncidentFacts{{State: "acknowledged", Title: "5xx"}} }), "incidents", Deny, true, false, false, "unknown severity"},
		{"of unknown severity, and low", with(func(f *Facts) { f.Incidents = []IncidentFacts{{State: "triggered", Low: true}} }), "incidents", Allow, false, false, false, ""},
		{"resolved", with(func(f *Facts) { f.Incidents = []IncidentFacts{{Severity: 1, State: "resolved"}} }), "incidents", Allow, false, false, false, ""},
		{"upstream", with(func(f *Facts) { f.Incidents = []IncidentFacts{{Severity: 1, State: "triggered", Upstream: true}} }), "incidents", Allow, false, false, false, ""},
		{"incidents unknown", with(func(f *Facts) { f.IncidentsKnown = false }), "incidents", Deny, true, true, false, "not known"},
		{"no source of incidents", with(func(f *Facts) { f.IncidentsKnown, f.NoIncidentSource = false, true }), "incidents", 0, false, false, true, ""},
		{"incident, of a rollback", rollback(func(f *Facts) { f.IncidentsKnown = false }), "incidents", 0, false, false, true, ""},

		{"budget", good(), "budget", Allow, false, false, false, "80 % of the error budget is left"},
		{"little budget", with(func(f *Facts) { f.SLO.Remaining = 0.124 }), "budget", Warn, false, false, false, "12.4 % of the error budget is left (availability)"},
		{"budget unknown", with(func(f *Facts) { f.SLO = nil }), "budget", Deny, true, true, false, "not known"},
		{"no objective", with(func(f *Facts) { f.SLO, f.NoObjective = nil, true }), "budget", 0, false, false, true, ""},

		{"too many", with(func(f *Facts) { f.Deployments.LastHour = 6 }), "rate", Deny, true, false, false, "6 deployments in the last hour, of 6"},
		{"rate unknown", with(func(f *Facts) { f.Deployments = nil }), "rate", Deny, true, true, false, "not known"},

		{"data just fresh", with(func(f *Facts) { f.Age = 5 * time.Minute }), "fresh", Allow, false, false, false, "5m old"},
		{"old data", with(func(f *Facts) { f.Age = 6 * time.Minute }), "fresh", Deny, true, false, false, "the data is 6m old"},
		{"old data, of a rollback", rollback(func(f *Facts) { f.Age = 6 * time.Minute }), "fresh", Warn, false, false, false, "the data is 6m old"},
		{"data of unknown age", with(func(f *Facts) { f.AgeKnown = false }), "fresh", Deny, true, true, false, "not known"},
		{"data of unknown age, of a rollback", rollback(func(f *Facts) { f.AgeKnown = false }), "fresh", Warn, false, true, false, "not known"},

		{"queue", with(func(f *Facts) { f.Environment.Busy = "deploy #481 waits" }), "queue", Deny, true, false, false, "in its way: deploy #481 waits"},
		{"queue, of a rollback", rollback(func(f *Facts) { f.Environment.Busy = "deploy #481 waits" }), "queue", Warn, false, false, false, "in its way: deploy #481 waits"},
		{"queue unknown", with(func(f *Facts) { f.Environment.BusyKnown = false }), "queue", Deny, true, true, false, "not known"},

		{"known bad", with(func(f *Facts) { f.Version.KnownBad = "rolled back on Monday" }), "known_bad", Deny, true, false, false, "known bad: rolled back on Monday"},
		{"known bad, to staging", with(both(staging, func(f *Facts) { f.Version.KnownBad = "x" })), "known_bad", Warn, false, false, false, "known bad"},
		{"known bad, of a rollback", rollback(func(f *Facts) { f.Version.KnownBad = "x" }), "known_bad", Warn, false, false, false, "known bad"},
		{"not known good, of a rollback", rollback(func(f *Facts) { f.Version.KnownGood = false }), "known_bad", Warn, false, false, false, "not known to have been good"},
		{"known good", rollback(nil), "known_bad", Allow, false, false, false, "known good"},

		{"migrations", with(func(f *Facts) { f.Version.Migrations = []string{"db/7.sql"} }), "schema", TypedConfirm, false, false, false, "db/7.sql"},
		{"migrations, of a rollback", rollback(func(f *Facts) { f.Version.Migrations = []string{"db/7.sql"} }), "schema", TypedConfirm, false, false, false, "may not go back"},
		{"migrations unknown", with(func(f *Facts) { f.Version.MigrationsKnown = false }), "schema", Deny, true, true, false, "not known"},
		{"migrations unknown, of a rollback", rollback(func(f *Facts) { f.Version.MigrationsKnown = false }), "schema", Warn, false, true, false, "not known"},

		{"older", with(func(f *Facts) { f.Version.Older = true }), "direction", Warn, false, false, false, "older"},
		{"older, of a rollback", rollback(func(f *Facts) { f.Version.Older = true }), "direction", 0, false, false, true, ""},
		{"flags", rollback(func(f *Facts) { f.Version.Flags = []string{"pay_retry"} }), "flags", Warn, false, false, false, "pay_retry"},
		{"comes back", rollback(func(f *Facts) { f.Version.Returns = "the next merge" }), "comes_back", Warn, false, false, false, "brought back by the next merge"},
		{"once more", rollback(func(f *Facts) { f.Version.RolledBack = 1 }), "loop", Deny, true, false, false, "rolled back once already"},
		{"and again", rollback(func(f *Facts) { f.Version.RolledBack = 3 }), "loop", Deny, true, false, false, "3 times in a row"},
		{"a promotion after a rollback", with(func(f *Facts) { f.Version.RolledBack = 1 }), "loop", 0, false, false, true, ""},
		{"a first rollback", rollback(nil), "loop", 0, false, false, true, ""},
		{"second person, not configured", good(), "second_person", 0, false, false, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, ok := said(Default().Judge(c.facts), c.gate)
			switch {
			case ok == c.silent:
				t.Fatalf("it speaks: %t, %+v", ok, f)
			case !ok:
			case f.Verdict != c.verdict || f.BreakGlass != c.glass || f.Unknown != c.unknown || !strings.Contains(f.Text.String(), c.text):
				t.Errorf("got %+v", f)
			case f.Verdict == Deny && f.Fix.IsZero():
				t.Errorf("it says nothing that lifts it: %+v", f)
			}
		})
	}
}

func TestSettingsOfBuiltinGates(t *testing.T) {
	t.Parallel()
	hour, three, one, half := time.Hour, 3, 1, 0.9
	young := with(func(f *Facts) { f.From.Age = 45 * time.Minute })
	staging := with(func(f *Facts) {
		f.Environment.Name, f.Environment.Prod, f.Checks = "staging", false, &CheckFacts{Failed: 1}
	})
	for _, c := range []struct {
		name    string
		rules   []Rule
		facts   Facts
		gate    string
		verdict Verdict
		glass   bool
		silent  bool
	}{
		{"a longer soak", []Rule{{Builtin: "soak", After: &hour}}, young, "soak", Deny, true, false},
		{"a longer soak that warns", []Rule{{Builtin: "soak", After: &hour, Else: Warn, ElseSet: true}}, young, "soak", Warn, false, false},
		{"without glass", []Rule{{Builtin: "soak", After: &hour, GlassSet: true}}, young, "soak", Deny, false, false},
		{"for another environment", []Rule{{Builtin: "soak", After: &hour, Env: "staging"}}, young, "soak", Allow, false, false},
		{"the narrower wins, whatever the order", []Rule{{Builtin: "soak", Env: "prod", After: &hour}, {Builtin: "soak", After: new(time.Duration)}}, young, "soak", Deny, true, false},
		{"off", []Rule{{Builtin: "soak", After: new(time.Duration)}}, young, "soak", 0, false, true},
		{"checks in staging too", []Rule{{Builtin: "ci", Env: "staging", Else: Warn, ElseSet: true}}, staging, "ci", Warn, false, false},
		{"rate", []Rule{{Builtin: "rate", Most: &three}}, with(func(f *Facts) { f.Deployments.LastHour = 3 }), "rate", Deny, true, false},
		{"severity", []Rule{{Builtin: "incidents", Severity: &one}}, with(func(f *Facts) { f.Incidents = []IncidentFacts{{Severity: 2, State: "triggered"}} }), "incidents", Allow, false, false},
		{"budget", []Rule{{Builtin: "budget", Below: &half, Else: Confirm, ElseSet: true}}, good(), "budget", Confirm, false, false},
		{"allowed environments", []Rule{{Builtin: "environments", Only: []string{"dev", "staging"}}}, good(), "environments", Deny, false, false},
		{"an allowed environment", []Rule{{Builtin: "environments", Only: []string{"prod"}}}, good(), "environments", Allow, false, false},
		{"second person", []Rule{{Builtin: "second_person"}}, good(), "second_person", SecondPerson, false, false},
		{"second person, nowhere to agree", []Rule{{Builtin: "second_person"}}, with(func(f *Facts) { f.CanCosign = false }), "second_person", Deny, false, false},
		{"second person, of a rollback", []Rule{{Builtin: "second_person"}}, rollback(nil), "second_person", 0, false, true},
		{"of a rollback no stricter", []Rule{{Builtin: "schema", Else: Deny, ElseSet: true}}, rollback(func(f *Facts) { f.Version.Migrations = []string{"db/1"} }), "schema", TypedConfirm, false, false},
		{"of a rollback more lenient", []Rule{{Builtin: "schema", Else: Warn, ElseSet: true}}, rollback(func(f *Facts) { f.Version.Migrations = []string{"db/1"} }), "schema", Warn, false, false},
		{"of a promotion stricter", []Rule{{Builtin: "schema", Else: Deny, ElseSet: true}}, with(func(f *Facts) { f.Version.Migrations = []string{"db/1"} }), "schema", Deny, false, false},
		{"of a loop", []Rule{{Builtin: "loop", GlassSet: true}}, rollback(func(f *Facts) { f.Version.RolledBack = 1 }), "loop", Deny, false, false},
		{"second person, in staging", []Rule{{Builtin: "second_person"}}, staging, "second_person", 0, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, ok := said(compiles(t, c.rules...).Judge(c.facts), c.gate)
			if ok == c.silent || (ok && (f.Verdict != c.verdict || f.BreakGlass != c.glass)) {
				t.Errorf("it speaks: %t, %+v", ok, f)
			}
		})
	}
}

func TestConfirmation(t *testing.T) {
	t.Parallel()
	dev := func(f *Facts) { f.Environment.Name, f.Environment.Prod = "dev", false }
	of := func(v sources.Verb, change func(*Facts)) Facts {
		return with(func(f *Facts) {
			f.Action, f.Mine = v, true
			if change != nil {
				change(f)
			}
		})
	}
	for _, c := range []struct {
		name  string
		facts Facts
		want  Verdict
	}{
		{"my own page", of(sources.Acknowledge, nil), Allow},
		{"somebody else's page", of(sources.Acknowledge, func(f *Facts) { f.Mine = false }), Confirm},
		{"a page that somebody holds", of(sources.Acknowledge, func(f *Facts) { f.HeldBy = "sre2" }), Confirm},
		{"two pages", of(sources.Acknowledge, func(f *Facts) { f.Bulk = 2 }), Confirm},
		{"five pages", of(sources.Acknowledge, func(f *Facts) { f.Bulk = 5 }), Confirm},
		{"six pages", of(sources.Acknowledge, func(f *Facts) { f.Bulk = 6 }), TypedConfirm},
		{"six notes", of(sources.AddNote, func(f *Facts) { f.Bulk = 6 }), TypedConfirm},
		{"resolve", of(sources.Resolve, nil), Confirm},
		{"resolve while it alerts", of(sources.Resolve, func(f *Facts) { f.Alerting = true }), TypedConfirm},
		{"note", of(sources.AddNote, nil), Confirm},
		{"escalate", of(sources.Escalate, nil), Confirm},
		{"reassign", of(sources.Reassign, nil), Confirm},
		{"snooze", of(sources.Snooze, nil), Confirm},
		{"merge", of(sources.Merge, nil), Confirm},
		{"status", of(sources.PostStatus, nil), Confirm},
		{"silence", of(sources.SilenceIt, nil), Confirm},
		{"end of a silence", of(sources.Expire, nil), Confirm},
		{"mute", of(sources.Mute, nil), Confirm},
		{"unmute", of(sources.Unmute, nil), Confirm},
		{"marker", of(sources.PostEvent, nil), Confirm},
		{"reject", of(sources.Reject, func(f *Facts) { f.Deploys = true }), Confirm},
		{"failed jobs", of(sources.RerunFailed, nil), Confirm},
		{"failed jobs of a deployment", of(sources.RerunFailed, func(f *Facts) { f.Deploys = true }), TypedConfirm},
		{"a deployment of nobody knows what", of(sources.RerunAll, func(f *Facts) { f.Deploys, f.Environment = true, nil }), TypedConfirm},
		{"a deployment to dev", of(sources.RerunAll, func(f *Facts) { f.Deploys = true; dev(f) }), Confirm},
		{"cancel", of(sources.Cancel, nil), Confirm},
		{"cancel a deployment", of(sources.Cancel, func(f *Facts) { f.Deploys = true }), TypedConfirm},
		{"approve", of(sources.Approve, nil), Confirm},
		{"approve a deployment", of(sources.Approve, func(f *Facts) { f.Deploys = true }), TypedConfirm},
		{"promote to prod", of(sources.Promote, nil), TypedConfirm},
		{"promote to dev", of(sources.Promote, dev), Confirm},
		{"roll back prod", of(sources.Rollback, nil), TypedConfirm},
		{"roll back dev", of(sources.Rollback, dev), Confirm},
		{"what nobody knows", of("explode", nil), TypedConfirm},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			findings := Default().Judge(c.facts)
			if got := findings[len(findings)-1]; got.Gate != "confirmation" || got.Verdict != c.want || got.Text.IsZero() {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestOnlyTheFireCountsForItsHose: with everything unknown or bad that is not about a rollback, one still
// goes ahead in production with no more than the target's name typed.
func TestOnlyTheFireCountsForItsHose(t *testing.T) {
	t.Parallel()
	s := compiles(t, Rule{Name: "quiet", Require: "incidents_open == 0", Else: Deny}, Rule{Name: "known", Require: "slo.remaining > 0.5", Else: Deny, On: []sources.Verb{sources.Rollback}})
	got := Strictest(s.Judge(Facts{
		Action: sources.Rollback, Now: noon, Service: "checkout", Environment: &EnvironmentFacts{Name: "prod", Prod: true, Busy: "deploy #1", BusyKnown: true},
		Version: &VersionFacts{SHA: "a", KnownBad: "x", Older: true, Flags: []string{"f"}, Returns: "a sync"}, Incidents: []IncidentFacts{{Severity: 1, State: "triggered"}},
	}))
	if got != TypedConfirm {
		t.Errorf("got %s", got)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	weekend := &Window{Moment{Day: time.Friday, Hour: 16}, Moment{Day: time.Monday, Hour: 8}, "Europe/Berlin"}
	saturday := with(func(f *Facts) { f.Now = noon.AddDate(0, 0, 3) })
	for _, c := range []struct {
		name    string
		rule    Rule
		facts   Facts
		verdict Verdict
		silent  bool
		text    string
	}{
		{"holds", Rule{Require: `from.age >= duration("30m")`, Else: Deny}, good(), Allow, false, "holds: from.age"},
		{"does not hold", Rule{Require: `from.age >= duration("2h")`, Else: Deny}, good(), Deny, false, "does not hold: from.age"},
		{"with a reason", Rule{Require: `from.age >= duration("2h")`, Else: Deny, Because: "staging has run it for only {{from.age}}"}, good(), Deny, false, "staging has run it for only 1h"},
		{"a second person", Rule{Require: `!environment.prod`, Else: SecondPerson}, good(), SecondPerson, false, ""},
		{"another environment", Rule{Require: "false", Env: "dev", Else: Deny}, good(), Allow, true, ""},
		{"its environment", Rule{Require: "false", Env: "prod", Else: Deny}, good(), Deny, false, ""},
		{"no environment", Rule{Require: "true", Env: "prod", Else: Warn}, with(func(f *Facts) { f.Environment = nil }), Deny, false, "which environment"},
		{"another action", Rule{Require: "false", Else: Deny}, rollback(nil), Allow, true, ""},
		{"its action", Rule{Require: "false", On: []sources.Verb{sources.Rollback}, Else: Confirm}, rollback(nil), Confirm, false, ""},
		{"an approval of a deployment is a promotion", Rule{Require: "false", Else: Deny}, with(func(f *Facts) { f.Action, f.Deploys = sources.Approve, true }), Deny, false, ""},
		{"an approval of something else is none", Rule{Require: "false", Else: Deny}, with(func(f *Facts) { f.Action = sources.Approve }), Allow, true, ""},
		{"a freeze", Rule{During: weekend, Else: Deny}, saturday, Deny, false, "from Fri 12 Jun 16:00 to Mon 15 Jun 08:00 Europe/Berlin"},
		{"outside a freeze", Rule{During: weekend, Else: Deny}, good(), Allow, false, "not between Fri 16:00 and Mon 08:00"},
		{"inside, and holds", Rule{During: weekend, Require: `"oncall" in roles`, Else: Deny}, saturday, Allow, false, ""},
		{"inside, and does not hold", Rule{During: weekend, Require: `"manager" in roles`, Else: Deny}, saturday, Deny, false, ""},
		{"outside, and does not hold", Rule{During: weekend, Require: `"manager" in roles`, Else: Deny}, good(), Allow, false, ""},
		{"outside, and unknown", Rule{During: weekend, Require: `slo.remaining > 1`, Else: Deny}, with(func(f *Facts) { f.SLO = nil }), Allow, false, ""},

		{"unknown", Rule{Require: "slo.remaining > 0.2", Else: Warn}, with(func(f *Facts) { f.SLO = nil }), Deny, false, "cannot be told: slo.remaining is not known"},
		{"unknown, of a rollback", Rule{Require: "slo.remaining > 0.2", On: []sources.Verb{sources.Rollback}, Else: Deny}, rollback(func(f *Facts) { f.SLO = nil }), Warn, false, "slo.remaining is not known"},
		{"unknown, and it does not matter", Rule{Require: "environment.prod || slo.remaining > 0.2", Else: Deny}, with(func(f *Facts) { f.SLO = nil }), Allow, false, ""},
		{"unknown on the left, and it does not matter", Rule{Require: "slo.remaining > 0.2 || environment.prod", Else: Deny}, with(func(f *Facts) { f.SLO = nil }), Allow, false, ""},
		{"no such metric", Rule{Require: `metrics["latency"] < 3`, Else: Warn}, good(), Deny, false, "cannot be told: no metric latency has a fresh value"},
		{"a metric", Rule{Require: `metrics["error rate"] < 1`, Else: Deny}, good(), Allow, false, ""},
		{"a metric where there is one", Rule{Require: `!("latency" in metrics) || metrics["latency"] < 3`, Else: Deny}, good(), Allow, false, ""},
		{"numbers of two types", Rule{Require: "slo.remaining > 0 && checks.passed > 0.5", Else: Deny}, good(), Allow, false, ""},
		{"incidents one by one", Rule{Require: "incidents.all(i, i.severity > 2 || i.upstream)", Else: Deny}, with(func(f *Facts) {
			f.Incidents = []IncidentFacts{{Severity: 1, State: "triggered", Upstream: true}, {Severity: 2, State: "triggered"}}
		}), Deny, false, ""},
		{"monitors one by one", Rule{Require: `monitors.exists(m, m.name == "5xx" && m.state == "ok" && !m.muted)`, Else: Deny}, good(), Allow, false, ""},
		{"the clock of a zone", Rule{Require: `now.getHours("Europe/Berlin") == 14 && now.getDayOfWeek("Europe/Berlin") == 3`, Else: Deny}, good(), Allow, false, ""},
		{"counts", Rule{Require: `incidents_open == 0 && worst_severity == 9 && monitors_alerting == 0 && deployments.today == 3`, Else: Deny}, good(), Allow, false, ""},
		{"an unknown severity counts as the worst", Rule{Require: "worst_severity == 1 && incidents_open == 1", Else: Deny}, with(func(f *Facts) {
			f.Incidents = []IncidentFacts{{State: "triggered"}, {State: "resolved"}, {State: "triggered", Upstream: true}}
		}), Allow, false, ""},
		{"nobody knows who", Rule{Require: `who != "intern"`, Else: Deny, BreakGlass: true}, with(func(f *Facts) { f.Who, f.Roles = "", nil }), Deny, false, "who is not known"},
		{"nobody knows whose role", Rule{Require: `!("intern" in roles)`, Else: Deny}, with(func(f *Facts) { f.Who, f.Roles = "", nil }), Deny, false, "roles is not known"},
		{"one object", Rule{Require: "bulk == 1", Else: Deny}, good(), Allow, false, ""},
		{"too much work", Rule{Require: `"x".matches("x") && [1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, a+b+c+d+e > 0)))))`, Else: Warn}, good(), Deny, false, "takes too long"},
		{"division by zero", Rule{Require: "deployments.today / deployments.failed > 2", Else: Warn}, good(), Deny, false, "division by zero"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.rule.Name = "rule"
			f, ok := said(compiles(t, c.rule).Judge(c.facts), "rule")
			if ok == c.silent || (ok && (f.Verdict != c.verdict || !strings.Contains(f.Text.String(), c.text))) {
				t.Errorf("it speaks: %t, %+v", ok, f)
			}
		})
	}
}

// TestWhatIsToBeMended: no refresh mends a rule that is wrong, and no rule what a source does not tell.
func TestWhatIsToBeMended(t *testing.T) {
	t.Parallel()
	for rule, want := range map[string]string{
		`metrics["latency"] < 3`:                        "refresh",
		"slo.remaining > 0.2":                           "refresh",
		`now.getHours("Mars/Base") > 3`:                 "mend the rule",
		"deployments.today / deployments.failed > 2":    "mend the rule",
		`int(version.tag) > 3 && environment.prod`:      "mend the rule",
		`slo.remaining > 0.2 && int(version.tag) > 300`: "refresh",
	} {
		f, _ := said(compiles(t, Rule{Name: "rule", Require: rule, Else: Warn}).Judge(with(func(f *Facts) { f.SLO = nil })), "rule")
		if !strings.Contains(f.Fix.String(), want) {
			t.Errorf("%s: %+v, want %q", rule, f, want)
		}
	}
}

func TestGlass(t *testing.T) {
	t.Parallel()
	noSLO := with(func(f *Facts) { f.SLO = nil })
	for _, c := range []struct {
		name  string
		rule  Rule
		facts Facts
		want  bool
	}{
		{"denies for good", Rule{Require: "false", Else: Deny}, good(), false},
		{"may be lifted", Rule{Require: "false", Else: Deny, BreakGlass: true}, good(), true},
		{"warns, so there is nothing to lift", Rule{Require: "false", Else: Warn, BreakGlass: true}, good(), false},
		{"unknown, of what denies for good", Rule{Require: "slo.remaining > 0", Else: Deny}, noSLO, false},
		{"unknown, of what only warns", Rule{Require: "slo.remaining > 0", Else: Warn}, noSLO, true},
	} {
		c.rule.Name = "rule"
		if f, _ := said(compiles(t, c.rule).Judge(c.facts), "rule"); f.BreakGlass != c.want {
			t.Errorf("%s: %+v", c.name, f)
		}
	}
}

func TestBecause(t *testing.T) {
	t.Parallel()
	f := with(func(f *Facts) {
		f.SLO.Remaining, f.Checks.Names = 0.12345, []string{"unit", "lint"}
		f.Incidents = []IncidentFacts{{Title: "5xx \x1b[31mred", Age: 90 * time.Minute}}
		f.Version.Commits = -1
	})
	for text, want := range map[string]string{
		"only {{from.age}}":                              "only 1h",
		"{{ from.age }} of {{duration('90m')}}":          "1h of 1h30m",
		"{{duration('26h5m')}}, {{duration('95s')}}":     "1d02h, 1m35s",
		"{{slo.remaining * 100.0}} % left":               "12.35 % left",
		"{{checks.names}} failed":                        "unit, lint failed",
		"{{version.commits}} commits":                    "(not known) commits",
		"{{environment.prod}}, {{1 + 1}}, {{0.0}}":       "yes, 2, 0",
		"since {{now}}":                                  "since 2026-06-10 12:00 UTC",
		"{{incidents[0].title}}, {{incidents[0].age}}":   "5xx red, 1h30m",
		"{{incidents.map(i, i.title)}}":                  "5xx red",
		"{{metrics['nothing']}} no templates } } { {":    "(not known) no templates } } { {",
		"ключ {{who}}":                                   "ключ sre1",
		"{{from.age > duration('1m') ? 'long' : 'now'}}": "long",
		"": "does not hold: false",
	} {
		got, _ := said(compiles(t, Rule{Name: "r", Require: "false", Else: Deny, Because: text}).Judge(f), "r")
		if got.Text.String() != want {
			t.Errorf("%q: got %q, want %q", text, got.Text, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		rule         Rule
		field        string
		line, column int
		msg, word    string
	}{
		{"a slip in a name", Rule{Require: `from.aeg > duration("1m")`}, "require", 1, 1, `unknown variable "from.aeg"`, "from.aeg"},
		{"a slip further on", Rule{Require: "true &&\n  slo.remainin > 0.1"}, "require", 2, 3, `unknown variable "slo.remainin"`, "slo.remainin"},
		{"behind wide text", Rule{Require: `"ключ" == who && whoo == ""`}, "require", 1, 18, `unknown variable "whoo"`, "whoo"},
		{"a slip in a field", Rule{Require: "incidents.all(i, i.sevrity > 2)"}, "require", 1, 18, `unknown field "sevrity"`, "sevrity"},
		{"types that do not go together", Rule{Require: "from.age > 30"}, "require", 1, 10, "> does not work on duration and int", ""},
		{"no bool", Rule{Require: "from.age"}, "require", 1, 1, "it must be true or false, and this is of the type duration", ""},
		{"not closed", Rule{Require: "(true"}, "require", 1, 6, "", ""},
		{"a duration that is none", Rule{Require: `from.age > duration("half an hour")`}, "require", 1, 21, "", ""},
		{"a pattern that is none", Rule{Require: `who.matches("(")`}, "require", 1, 13, "", ""},
		{"too long", Rule{Require: strings.Repeat("(", 5000)}, "require", 0, 0, "", ""},
		{"too deep", Rule{Require: strings.Repeat("(", 500) + "true" + strings.Repeat(")", 500)}, "require", 0, 0, "", ""},
		{"nothing", Rule{}, "", 0, 0, "neither what must hold nor when", ""},
		{"in a reason", Rule{Require: "true", Because: "a {{ from.age }} and {{ from.aeg }}"}, "because", 1, 25, `unknown variable "from.aeg"`, "from.aeg"},
		{"in a reason's second line", Rule{Require: "true", Because: "a\nb {{whoo}}"}, "because", 2, 5, `unknown variable "whoo"`, "whoo"},
		{"a reason that is not closed", Rule{Require: "true", Because: "a {{ from.age }"}, "because", 1, 3, "not closed", ""},
		{"a reason that cannot be written out", Rule{Require: "true", Because: "a {{ metrics }}"}, "because", 1, 6, "cannot be written out", ""},
		{"nor an incident", Rule{Require: "true", Because: "a {{ incidents[0] }}"}, "because", 1, 6, "cannot be written out", ""},
		{"a zone", Rule{During: &Window{Moment{Day: 1}, Moment{Day: 2}, "Mars/Olympus"}}, "during", 0, 0, "no time zone", ""},
		{"two kinds of moment", Rule{During: &Window{Moment{Day: 1}, Moment{Year: 2026, Month: 1, Date: 2}, ""}}, "during", 0, 0, "one end is a date", ""},
		{"an end before its begin", Rule{During: &Window{Moment{Year: 2026, Month: 1, Date: 2}, Moment{Year: 2026, Month: 1, Date: 1}, ""}}, "during", 0, 0, "ends before it begins", ""},
		{"no such built-in", Rule{Builtin: "sok"}, "builtin", 0, 0, "no built-in gate", "sok"},
		{"a built-in that cannot be set", Rule{Builtin: "read_only"}, "builtin", 0, 0, "no built-in gate", "read_only"},
		{"what a built-in does not have", Rule{Builtin: "ci", After: new(time.Duration)}, "after", 0, 0, "has no after", ""},
		{"an expression of a built-in", Rule{Builtin: "ci", Require: "true"}, "require", 0, 0, "takes no require", ""},
		{"a setting of a rule", Rule{Require: "true", Most: new(int)}, "most", 0, 0, "is for built-in gates", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.rule.Name = "r"
			_, err := Compile([]Rule{{Name: "well", Require: "true"}, c.rule})
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if e.Rule != 1 || e.Name != "r" || e.Field != c.field || !strings.Contains(e.Msg, c.msg) || e.Word != c.word || e.Msg == "" {
				t.Errorf("got %+v", *e)
			}
			if c.line != 0 && (e.Line != c.line || e.Column != c.column) {
				t.Errorf("at %d:%d: %v", e.Line, e.Column, e)
			}
			if e.Fix == "" && len(e.Known) == 0 && c.line != 0 {
				t.Errorf("it does not say what to do: %v", e)
			}
		})
	}
}

// What mends it is said where the source says it.
func TestTheCureOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	f := good()
	f.Checks, f.Unchecked = nil, &sources.Error{Kind: sources.Permission, Msg: "the token may not do this", Fix: "give it checks=read"}
	if got, _ := said(Default().Judge(f), "ci"); got.Fix.String() != "give it checks=read" {
		t.Errorf("%+v", got)
	}
}
