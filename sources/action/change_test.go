package action_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/store"
)

// wanted is what a plan is to say; what is empty is not looked at.
type wanted struct {
	err     string       // of Propose
	version string       // a letter; "-" for none
	means   action.Means // "-" for none
	verb    sources.Verb
	targets string
	gate    string // that is to speak …
	verdict policy.Verdict
	text    string // … so
	offer   string
	line    string
	choice  string // "a: its warning"
	now     string
}

type planCase struct {
	name  string
	set   func(*yard)
	ask   func(*yard) action.Request
	want  wanted
	check func(*testing.T, *yard, action.Plan)
}

func rollbackOf(change func(*action.Request)) func(*yard) action.Request {
	return func(y *yard) action.Request {
		q := y.rollback()
		if change != nil {
			change(&q)
		}
		return q
	}
}

func promotionOf(change func(*action.Request)) func(*yard) action.Request {
	return func(y *yard) action.Request {
		q := y.promote()
		if change != nil {
			change(&q)
		}
		return q
	}
}

func runPlans(t *testing.T, cases []planCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { onePlan(t, c) })
		})
	}
}

func onePlan(t *testing.T, c planCase) {
	y := newYard(t)
	if c.set != nil {
		c.set(y)
	}
	p, err := y.Propose(t.Context(), c.ask(y))
	if len(y.hub.writes)+len(y.other.writes) != 0 {
		t.Fatal("a plan was made by writing")
	}
	if c.want.err != "" {
		if err == nil || !strings.Contains(err.Error(), c.want.err) {
			t.Fatalf("%v, want %q", err, c.want.err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	checkPlan(t, p, c.want)
	if c.check != nil {
		c.check(t, y, p)
	}
	if p.Demand.Kind == action.Refusal {
		refusedForGood(t, y, p)
	}
}

// refusedForGood checks that a plan that is refused sends nothing whatever is answered, and is recorded.
func refusedForGood(t *testing.T, y *yard, p action.Plan) {
	t.Helper()
	out := y.Execute(t.Context(), p, action.Approval{Yes: true, Typed: "checkout/prod", Reason: "x", BreakGlass: true, Cosigner: "sre2"})
	if out.State != action.Refused || len(y.hub.writes) != 0 || y.stages(t) != "refused" {
		t.Errorf("%+v after %d writes, journal %q", out, len(y.hub.writes), y.stages(t))
	}
}

func checkPlan(t *testing.T, p action.Plan, w wanted) {
	t.Helper()
	c := p.Change
	if c == nil {
		t.Fatal("no change")
	}
	has := func(what, got, want string) {
		t.Helper()
		if want != "" && !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q", what, got, want)
		}
	}
	if w.version != "" && strings.TrimPrefix(c.Then.Version.Tag.String(), "v") != strings.TrimPrefix(w.version, "-") {
		t.Errorf("version %q, want %q: %s", c.Then.Version.Tag, w.version, c.Then.Text)
	}
	if w.means != "" && string(c.Means) != strings.TrimPrefix(string(w.means), "-") {
		t.Errorf("means %q, want %q: %+v", c.Means, w.means, p.Gates)
	}
	if w.verb != "" && p.Call.Verb != w.verb {
		t.Errorf("call %+v", p.Call)
	}
	if w.targets != "" && strings.Join(c.Targets, " ") != w.targets {
		t.Errorf("targets %v", c.Targets)
	}
	if w.gate != "" {
		v, text := finding(p, w.gate)
		if v != w.verdict || !strings.Contains(text, w.text) || text == "" && w.text != "" {
			t.Errorf("gate %s says %s %q, want %s %q", w.gate, v, text, w.verdict, w.text)
		}
	}
	var offers, lines, choices []string
	for _, o := range p.Offers {
		offers = append(offers, o.Text.String())
	}
	for _, l := range p.Lines {
		lines = append(lines, l.String())
	}
	for _, ch := range c.Choices {
		choices = append(choices, strings.TrimPrefix(ch.Version.Tag.String(), "v")+": "+ch.Warning.String())
	}
	has("offers", strings.Join(offers, "\n"), w.offer)
	has("lines", strings.Join(lines, "\n"), w.line)
	has("choices", strings.Join(choices, "\n"), w.choice)
	has("now", p.Now.String(), w.now)
}

func pagerduty(id string, began time.Duration, ended time.Duration) sources.Incident {
	in := sources.Incident{
		Ref: sources.Ref{Source: "pagerduty", Kind: sources.KindIncident, ID: id}, Number: clean.Line("#" + id), Service: "checkout", Title: clean.Line("5xx"), Severity: 2,
		Created: time.Now().Add(-began), State: sources.Triggered,
	}
	if ended > 0 {
		in.State, in.Ended = sources.Resolved, time.Now().Add(-ended)
	}
	return in
}

// The version that a rollback puts back.
func TestRollbackVersions(t *testing.T) {
	t.Parallel()
	const hour, day = time.Hour, 24 * time.Hour
	runPlans(t, []planCase{
		{name: "the newest that was good", ask: rollbackOf(nil), want: wanted{version: "a", gate: "known_bad", text: "known good", choice: "b: it runs there already", now: "vb in eu us"}},
		{
			name: "not one that failed", set: func(y *yard) {
				y.hub.file("prod", sources.Deployment{Version: version("c"), Verified: true, State: sources.StateFailed}, 20*time.Minute)
			},
			ask: rollbackOf(nil), want: wanted{version: "a", choice: "c: it failed there"},
		},
		{
			name: "not one that was rolled back from", set: func(y *yard) {
				y.hub.put("prod", "c", 8*time.Minute)
				y.hub.put("prod", "a", 6*time.Minute)
				y.hub.put("prod", "d", 2*time.Minute)
			},
			ask: rollbackOf(nil), want: wanted{version: "a", choice: "c: va was put back in its place"},
		},
		{
			name: "not one that an incident followed", set: func(y *yard) { y.tells(store.Past, pagerduty("1", 3*day-10*time.Minute, 3*day-time.Hour)) },
			ask: rollbackOf(nil), want: wanted{version: "0", choice: "a: #1 began while it ran"},
		},
		{
			name: "not one that was replaced in the middle of an incident", set: func(y *yard) { y.tells(store.Past, pagerduty("1", day, 5*time.Minute)) },
			ask: rollbackOf(nil), want: wanted{version: "0", choice: "a: #1 began while it ran"},
		},
		{
			name: "an incident that came and went is no blame", set: func(y *yard) { y.tells(store.Past, pagerduty("1", day, 20*hour)) },
			ask: rollbackOf(nil), want: wanted{version: "a"},
		},
		{
			name: "nor is one that woke nobody", set: func(y *yard) {
				in := pagerduty("1", 3*day-10*time.Minute, 3*day-time.Hour)
				in.Low = true
				y.tells(store.Past, in)
			},
			ask: rollbackOf(nil), want: wanted{version: "a"},
		},
		{
			name: "not one that nothing verifies", set: func(y *yard) {
				for i := range y.hub.envs["prod"].History {
					if d := &y.hub.envs["prod"].History[i]; d.Version.Same(version("a")) {
						d.Verified = false
					}
				}
			},
			ask: rollbackOf(nil), want: wanted{version: "0", choice: "a: nothing trustworthy"},
		},
		{
			name: "not one that was swept away before it ran", set: func(y *yard) {
				for i := range y.hub.envs["prod"].History {
					if d := &y.hub.envs["prod"].History[i]; d.Version.Same(version("a")) {
						d.State, d.Unproven = sources.StateSuperseded, true
					}
				}
			},
			ask: rollbackOf(nil), want: wanted{version: "0", choice: "a: it is not known to have run there"},
		},
		{
			name: "none is good", set: func(y *yard) {
				y.hub.envs["prod"].History = y.hub.envs["prod"].History[:1]
				y.hub.settle(y.hub.envs["prod"])
			},
			ask: rollbackOf(nil), want: wanted{version: "-", means: "-", gate: "version", verdict: policy.Deny, text: "no version is known good in prod"},
		},
		{
			name: "what failed is undone to what still runs", set: func(y *yard) {
				y.hub.file("prod", sources.Deployment{Version: version("c"), Verified: true, State: sources.StateFailed}, time.Minute, "us")
				y.hub.put("prod", "c", 2*time.Minute, "eu")
			},
			ask: rollbackOf(nil), want: wanted{version: "b", targets: "eu us", now: "vc in eu; vb in us, vc failed"},
		},
		{name: "another by its tag", ask: rollbackOf(func(q *action.Request) { q.Version = "v0" }), want: wanted{version: "0", gate: "known_bad", text: "known good"}},
		{name: "another by its commit", ask: rollbackOf(func(q *action.Request) { q.Version = sha("0")[:7] }), want: wanted{version: "0"}},
		{name: "a commit that is too short", ask: rollbackOf(func(q *action.Request) { q.Version = sha("0")[:6] }), want: wanted{err: "no version 000000 ran in prod"}},
		{name: "one that never ran there", ask: rollbackOf(func(q *action.Request) { q.Version = "vd" }), want: wanted{err: "no version vd ran in prod"}},
		{name: "what runs there already", ask: rollbackOf(func(q *action.Request) { q.Version = "vb" }), want: wanted{err: "prod runs vb already"}},
		{
			name: "one that is known bad, with a warning", set: func(y *yard) { y.hub.put("prod", "c", 8*time.Minute); y.hub.put("prod", "a", 6*time.Minute) },
			ask: rollbackOf(func(q *action.Request) { q.Version = "vc" }), want: wanted{version: "c", gate: "known_bad", verdict: policy.Warn, text: "va was put back"},
		},
		{name: "a target that is none", ask: rollbackOf(func(q *action.Request) { q.Targets = []string{"asia"} }), want: wanted{err: "prod has no target asia"}},
		{name: "an environment that is none", ask: rollbackOf(func(q *action.Request) { q.Target.ID = "checkout/moon" }), want: wanted{err: "there is no"}},
	})
}

// The version that a promotion brings.
func TestPromotedVersions(t *testing.T) {
	t.Parallel()
	runPlans(t, []planCase{
		{name: "what the stage before runs", ask: promotionOf(nil), want: wanted{version: "c", gate: "soak", text: "staging has run it for 2h"}},
		{
			name: "not what nothing verifies", set: func(y *yard) { y.hub.envs["staging"].History[0].Verified = false }, ask: promotionOf(nil),
			want: wanted{version: "-", gate: "version", verdict: policy.Deny, text: "nothing trustworthy says what staging runs"},
		},
		{
			name: "not what two pieces of evidence disagree on", set: func(y *yard) { y.hub.envs["staging"].History[0].Mismatch = true }, ask: promotionOf(nil),
			want: wanted{version: "-", gate: "version", verdict: policy.Deny, text: "disagrees"},
		},
		{
			name: "not one of several", set: func(y *yard) {
				y.hub.env("staging", 1, "dev", false, "eu", "us")
				y.hub.put("staging", "c", 2*time.Hour, "eu")
				y.hub.put("staging", "b", 2*time.Hour, "us")
			}, ask: promotionOf(nil), want: wanted{version: "-", gate: "version", verdict: policy.Deny, text: "staging runs several versions"},
		},
		{
			name: "not where the stage before cannot be read", set: func(y *yard) { y.hub.noRead[y.hub.envRef("staging")] = refusal(sources.Transient) }, ask: promotionOf(nil),
			want: wanted{version: "-", gate: "version", verdict: policy.Deny, text: "what staging runs cannot be read"},
		},
		{name: "one that is named, for less time", ask: promotionOf(func(q *action.Request) { q.Version = sha("d") }), want: wanted{gate: "soak", verdict: policy.Deny, text: "only 0s"}},
		{name: "one that nobody knows", ask: promotionOf(func(q *action.Request) { q.Version = "v77" }), want: wanted{err: "no version v77"}},
		{
			name: "what runs there already", set: func(y *yard) { y.hub.put("prod", "c", time.Minute) }, ask: promotionOf(nil), want: wanted{err: "prod runs vc already"},
		},
		{
			name: "the first stage has none before it", ask: promotionOf(func(q *action.Request) { q.Target.ID = "checkout/dev" }),
			want: wanted{version: "-", gate: "version", verdict: policy.Deny, text: "there is no environment before dev"},
		},
		{
			name: "the only one that waits there, where there is no stage before it", set: func(y *yard) { y.hub.envs["dev"].History = nil; y.hub.wait("dev", "d", true) },
			ask: promotionOf(func(q *action.Request) { q.Target.ID, q.Means = "checkout/dev", action.ByApproval }), want: wanted{version: "d", means: action.ByApproval},
		},
		{
			name: "not one of two that wait", set: func(y *yard) { y.hub.wait("dev", "d", true); y.hub.wait("dev", "b", true) },
			ask: promotionOf(func(q *action.Request) { q.Target.ID = "checkout/dev" }), want: wanted{version: "-", gate: "version", verdict: policy.Deny, text: "name the version", choice: "b: "},
		},
		{
			name: "one that waits there, by its tag", set: func(y *yard) { y.hub.wait("prod", "d", true) },
			ask: promotionOf(func(q *action.Request) { q.Version, q.Means = "vd", action.ByApproval }), want: wanted{version: "d", means: action.ByApproval},
		},
		{
			name: "known bad there", set: func(y *yard) { y.hub.put("prod", "c", 8*time.Minute); y.hub.put("prod", "a", 6*time.Minute) }, ask: promotionOf(nil),
			want: wanted{version: "c", gate: "known_bad", verdict: policy.Deny, text: "va was put back"},
		},
		{
			name: "an older one", ask: promotionOf(func(q *action.Request) { q.Version = "va" }), want: wanted{version: "a", gate: "direction", verdict: policy.Warn, text: "older"},
		},
	})
}

// Who may change it at all.
func TestWhatIsNotChanged(t *testing.T) {
	t.Parallel()
	runPlans(t, []planCase{
		{name: "what the config does not name", set: func(y *yard) { y.services["checkout"] = false }, ask: rollbackOf(nil), want: wanted{err: "the config does not name checkout"}},
		{name: "another team's", set: func(y *yard) { y.catalog.Services[0].Team = "web" }, ask: rollbackOf(nil), want: wanted{gate: "other_team", verdict: policy.Deny, text: "belongs to web"}},
		{name: "discovered", set: func(y *yard) { y.catalog.Services[0].Discovered = true }, ask: rollbackOf(nil), want: wanted{gate: "unmanaged", verdict: policy.Deny}},
		{name: "a controller's, back", set: func(y *yard) { y.service.Returns = "sync" }, ask: rollbackOf(nil), want: wanted{gate: "controller", verdict: policy.Deny, text: "a controller would put it back"}},
		{name: "a controller's, on", set: func(y *yard) { y.service.Returns = "sync" }, ask: promotionOf(nil), want: wanted{gate: "controller", verdict: policy.Deny}},
		{name: "read-only", set: func(y *yard) { y.readOnly = true }, ask: rollbackOf(nil), want: wanted{gate: "read_only", verdict: policy.Deny}},
		{
			name: "a source that deploys nothing", set: func(y *yard) { y.hub.verbs = y.hub.verbs[4:5] }, ask: rollbackOf(nil), want: wanted{err: "has no means to change what runs"},
		},
	})
}
