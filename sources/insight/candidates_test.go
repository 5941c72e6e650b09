package insight

import (
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

func noon() time.Time { return time.Date(2026, time.November, 17, 12, 0, 0, 0, time.UTC) }

func letter(v string) sources.Version {
	return sources.Version{SHA: strings.Repeat(v, 40)[:40], Tag: clean.Line("v" + v)}
}

// lived makes an environment whose history reads oldest first: "a@90 b@60 x:c@30 a/eu@10" are minutes before
// noon, x: one that failed, ?: one that nothing verifies, /eu of that target alone.
func livedIn(history string, targets ...string) *sources.Environment {
	e := &sources.Environment{Service: "checkout", Name: "prod", Prod: true}
	for _, t := range targets {
		e.Targets = append(e.Targets, sources.Target{Name: t})
	}
	for _, word := range strings.Fields(history) {
		d := sources.Deployment{State: sources.StateSuperseded, Verified: true}
		if rest, ok := strings.CutPrefix(word, "x:"); ok {
			d.State, word = sources.StateFailed, rest
		}
		if rest, ok := strings.CutPrefix(word, "?:"); ok {
			d.Verified, word = false, rest
		}
		what, when, _ := strings.Cut(word, "@")
		what, d.Target, _ = strings.Cut(what, "/")
		d.Version = letter(what)
		ago, _ := time.ParseDuration(when + "m")
		d.Created = noon().Add(-ago)
		d.Ended = d.Created
		e.History = append([]sources.Deployment{d}, e.History...)
	}
	return e
}

func snapOf(incidents ...sources.Incident) *store.Snapshot {
	return &store.Snapshot{At: noon(), Catalog: &store.Catalog{}, Feeds: []store.Feed{{Key: store.FeedKey{Capability: store.Past}, Incidents: incidents}}}
}

func trouble(began, ended int) sources.Incident {
	in := sources.Incident{Ref: sources.Ref{ID: itoa(began)}, Number: clean.Line("#" + itoa(began)), Service: "checkout", Created: noon().Add(-time.Duration(began) * time.Minute)}
	if ended >= 0 {
		in.State, in.Ended = sources.Resolved, noon().Add(-time.Duration(ended)*time.Minute)
	}
	return in
}

func TestCandidates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		history   string
		targets   []string
		only      []string
		incidents []sources.Incident
		want      string // newest first, "!" before what is not good
		why       string // of one of them
	}{
		{name: "in a row", history: "a@300 b@200 c@100", want: "c b a"},
		{name: "each once", history: "a@300 b@200 b@100", want: "b a"},
		{name: "what failed", history: "a@300 x:b@200 c@100", want: "c !b a", why: "it failed there"},
		{name: "failed, and went through later", history: "a@300 x:b@200 b@100", want: "b a"},
		{name: "rolled back from", history: "a@300 b@200 a@100", want: "a !b", why: "va was put back"},
		{name: "passed over as well", history: "a@400 b@300 c@200 a@100", want: "a !c !b"},
		{name: "rolled back from, and put there again", history: "a@400 b@300 a@200 b@100", want: "b a"},
		{name: "a hotfix after a rollback", history: "a@400 b@300 a@200 c@100", want: "c a !b"},
		{name: "not verified", history: "?:a@300 b@200", want: "b !a", why: "nothing trustworthy"},
		{name: "target by target", history: "a/eu@400 a/us@390 b/eu@300 b/us@290 a/us@100", targets: []string{"eu", "us"}, want: "a !b"},
		{name: "of one target", history: "a/eu@400 a/us@390 b/eu@300 b/us@290 a/us@100", targets: []string{"eu", "us"}, only: []string{"eu"}, want: "b a"},
		{name: "an order of targets is no rollback", history: "a/eu@400 a/us@390 b/eu@300 b/us@100", targets: []string{"eu", "us"}, want: "b a"},
		{name: "blamed at once", history: "a@900 b@300", incidents: []sources.Incident{trouble(890, 800)}, want: "b !a", why: "#890 began while it ran"},
		{name: "an incident much later", history: "a@900 b@300", incidents: []sources.Incident{trouble(600, 500)}, want: "b a"},
		{name: "replaced in the middle of one", history: "a@900 b@300", incidents: []sources.Incident{trouble(600, 200)}, want: "b !a"},
		{name: "what is open now is the newest's", history: "a@900 b@300", incidents: []sources.Incident{trouble(5, -1)}, want: "!b a"},
		{name: "open since before the newest came", history: "a@900 b@300", incidents: []sources.Incident{trouble(400, -1)}, want: "b !a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got, whys []string
			for _, x := range Candidates(snapOf(c.incidents...), livedIn(c.history, c.targets...), c.only) {
				name := strings.TrimPrefix(x.Version.Tag.String(), "v")
				if !x.Good {
					name = "!" + name
				}
				if x.Good != x.Why.IsZero() {
					t.Errorf("%s: good %t, why %q", name, x.Good, x.Why)
				}
				got, whys = append(got, name), append(whys, x.Why.String())
			}
			if strings.Join(got, " ") != c.want || !strings.Contains(strings.Join(whys, "\n"), c.why) {
				t.Errorf("%v, want %s (%q, want %q)", got, c.want, whys, c.why)
			}
		})
	}
}

func TestRolledBackInARow(t *testing.T) {
	t.Parallel()
	for history, want := range map[string]int{
		"": 0, "a@300": 0, "a@300 b@200": 0, "a@300 b@200 a@100": 1, "a@300 b@200 a@100 a@50": 1, "a@400 b@300 c@200 b@100 a@50": 2,
		"a@400 b@300 a@200 c@100": 0, "a@400 b@300 a@200 b@100": 0, "a@300 x:b@200 a@100": 0,
	} {
		if got := RolledBack(livedIn(history), nil); got != want {
			t.Errorf("%q: %d, want %d", history, got, want)
		}
	}
}

func TestRolloutsFoldTargets(t *testing.T) {
	t.Parallel()
	got := Rollouts(livedIn("a/eu@300 a/us@290 x:b/eu@100", "eu", "us"))
	if len(got) != 2 || !got[0].Failed || !got[1].At.Equal(noon().Add(-300*time.Minute)) {
		t.Errorf("%+v", got)
	}
}

func TestToUndo(t *testing.T) {
	t.Parallel()
	env := sources.Ref{Source: "github", Kind: sources.KindEnvironment, ID: "checkout/prod"}
	at := func(kind sources.ChangeKind, before time.Duration, ref sources.Ref) Suspect {
		return Suspect{Kind: kind, At: noon().Add(-before), Before: before, Env: ref, Text: clean.Line(string(kind) + " " + before.String())}
	}
	deploy := func(before time.Duration) Suspect { return at(sources.DeploymentChange, before, env) }
	flag := at(sources.FlagChange, 3*time.Minute, sources.Ref{})
	upstream := deploy(time.Minute)
	upstream.Upstream = "ledger"
	for _, c := range []struct {
		name     string
		suspects []Suspect
		step     time.Duration
		want     int
		n        int
		why      string
	}{
		{name: "nothing", want: -1, why: "nothing was deployed"},
		{name: "one", suspects: []Suspect{deploy(time.Minute)}, n: 1},
		{name: "a flag before it", suspects: []Suspect{flag, deploy(20 * time.Minute)}, want: 1, n: 2},
		{name: "two far apart", suspects: []Suspect{deploy(time.Minute), deploy(30 * time.Minute)}, n: 2},
		{name: "two close to each other", suspects: []Suspect{deploy(time.Minute), deploy(11 * time.Minute)}, want: -1, n: 2, why: "within 10m of each other"},
		{name: "two closer than the onset is known", suspects: []Suspect{deploy(time.Minute), deploy(16 * time.Minute)}, step: 15 * time.Minute, want: -1, n: 2, why: "within 15m of each other"},
		{name: "flags alone", suspects: []Suspect{flag}, want: -1, n: 1, why: "nothing was deployed"},
		{name: "another service's", suspects: []Suspect{upstream}, want: -1, why: "nothing was deployed"},
		{name: "where is not known", suspects: []Suspect{at(sources.DeploymentChange, time.Minute, sources.Ref{})}, want: -1, n: 1, why: "in which environment"},
		{name: "only after it began", suspects: []Suspect{deploy(-5 * time.Minute)}, want: -1, n: 1, why: "nothing was deployed"},
		{name: "configuration is not undone here", suspects: []Suspect{at(sources.ConfigChange, time.Minute, sources.Ref{})}, want: -1, why: "nothing was deployed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &store.Snapshot{Catalog: &store.Catalog{}, Feeds: []store.Feed{{Key: store.FeedKey{Capability: store.Metrics}, Series: []sources.Series{{Service: "checkout", Name: clean.Const("errors"), Step: c.step}}}}}
			got := ToUndo(s, &Problem{Service: "checkout", Onset: noon(), OnsetBy: clean.Const("errors"), Suspects: c.suspects})
			if got.Preselected != c.want || len(got.Changes) != c.n || !strings.Contains(got.Why.String(), c.why) || (got.Preselected >= 0) != got.Why.IsZero() {
				t.Errorf("%+v", got)
			}
			for _, u := range got.Changes {
				if u.Refused.IsZero() != (u.Kind == sources.DeploymentChange && u.Env == env) {
					t.Errorf("%+v", u)
				}
			}
		})
	}
}
