package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/ui/uitest/vt"
)

// opensPromotion goes to web's row and asks to promote it.
func (s *session) opensPromotion() {
	s.t.Helper()
	s.keys("4")
	s.focuses(deploymentsPane)
	s.keys("gjj")
	s.shows("▌ web  ")
	s.pull("P", func(t *vt.Terminal) bool { return has(t, "Promote v2.1.0 to web/prod") })
}

// A version goes through dev and staging, is promoted to production, and its guard passes.
func TestPromotion(t *testing.T) {
	t.Parallel()
	w := openTale(t, shortGuard)
	w.rest()
	s := w.board(160, 48)
	s.ready()
	sha := w.stage("v2.1.0", false)
	if got := w.runs("web", "dev"); !slices.Equal(got, []string{sha}) {
		t.Errorf("dev runs %v", got)
	}
	w.advance(31 * time.Minute) // which it has to run in staging
	w.passes(s, time.Second, "\x12", "the version in staging", func(t *vt.Terminal) bool {
		return strings.Contains(line(t, "b00b1e5  26h"), "v2.1.0")
	})
	s.opensPromotion()
	s.shows("Type web/prod", "New pictures", "dispatch deploy.yml@main", "✓ soak", "✓ ci ")
	s.types("web/prod")
	if n := len(w.writes()); n != 0 {
		t.Errorf("%d writes before it was agreed to", n)
	}
	s.keys("\r")
	s.shows("GitHub took it")
	w.passesTo(s, 10*time.Second, sha+" runs in prod eu us")
	w.passesTo(s, 15*time.Second, "guard pass")
	if got := w.runs("web", "prod"); !slices.Equal(got, []string{sha, sha}) {
		t.Errorf("production runs %v", got)
	}
	if got := w.writes(); !slices.Equal(got, []string{"POST …/dispatches"}) {
		t.Errorf("written was %q", got)
	}
	s.keys("\x1b")
	s.hides("Promote v2.1.0")
	if code := s.quits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.givenBack()
}

// A promoted version is worse than what ran before: the guard fails, and on the board it asks.
func TestPromotionThatFails(t *testing.T) {
	t.Parallel()
	w := openTale(t, shortGuard)
	w.rest()
	sha := w.stage("v2.1.0", true)
	w.advance(31 * time.Minute)
	s := w.board(160, 48)
	s.shows("b00b1e5", "v2.1.0", "? help")
	s.opensPromotion()
	s.types("web/prod")
	s.keys("\r")
	s.shows("GitHub took it")
	w.passesTo(s, 10*time.Second, sha+" runs in prod eu us")
	w.passesTo(s, 15*time.Second, "guard fail")
	if got := w.writes(); len(got) != 1 {
		t.Errorf("the guard wrote by itself: %q", got)
	}
	s.keys("\x1b")
	s.hides("Promote v2.1.0")
	s.shows("p asks")
	s.keys("p")
	s.shows("Enter rolls it back")
	s.keys("\r")
	s.shows("Roll back web/prod to b00b1e5", "Type web/prod")
	s.types("web/prod")
	s.keys("\r")
	s.shows("GitHub took it")
	w.passesTo(s, 10*time.Second, "b00b1e5 runs in prod eu us")
	if got := w.runs("web", "prod"); !slices.Equal(got, []string{"b00b1e5", "b00b1e5"}) {
		t.Errorf("production runs %v", got)
	}
	w.passesTo(s, 15*time.Second, "guard pass")
	s.keys("\x1b")
	s.hides("Roll back web/prod to")
	if code := s.quits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.givenBack()
}

// The same without a board: the guard rolls it back by itself, once, and says so.
func TestPromotionThatIsTakenBack(t *testing.T) {
	t.Parallel()
	w := openTale(t, strings.Replace(shortGuard, "ask", "rollback", 1))
	w.rest()
	w.stage("v2.1.0", true)
	w.advance(31 * time.Minute)
	d := w.command(15*time.Second, "promote", "web", "--to", "prod", "--confirm", "web/prod", "--yes")
	if d.code != 1 || !strings.Contains(d.out+d.err, "guard fail") {
		t.Errorf("%s", d)
	}
	if got := w.runs("web", "prod"); !slices.Equal(got, []string{"b00b1e5", "b00b1e5"}) {
		t.Errorf("production runs %v: %s", got, d)
	}
	if got := w.writes(); !slices.Equal(got, []string{"POST …/dispatches", "POST …/dispatches"}) {
		t.Errorf("written was %q", got)
	}
	if d := w.command(0, "journal", "--verify"); d.code != 0 {
		t.Errorf("the journal: %s", d)
	}
}

const freeze = `
policies:
  - {name: freeze, env: prod, during: {from: "2026-11-16", to: "2026-11-19"}, else: deny, because: "nothing goes out before the audit", break_glass: true}
`

// A freeze refuses a promotion, and gives way to a typed reason, which is written down.
func TestPromotionInAFreeze(t *testing.T) {
	t.Parallel()
	w := openTale(t, shortGuard+freeze)
	w.rest()
	sha := w.stage("v2.1.0", false)
	w.advance(31 * time.Minute)
	if d := w.command(0, "promote", "web", "--to", "prod", "--confirm", "web/prod", "--yes"); d.code != 3 || !strings.Contains(d.out+d.err, "before the audit") {
		t.Errorf("without a reason: %s", d)
	}
	if n := len(w.writes()); n != 0 {
		t.Fatalf("what is refused wrote %d times", n)
	}
	s := w.board(160, 48)
	s.shows("b00b1e5", "v2.1.0", "? help")
	s.opensPromotion()
	s.shows("✗ freeze     nothing goes out before the audit")
	s.answers("\t", "the keyboard on the reason", func(t *vt.Terminal) bool { return !has(t, "Reason Tab") })
	s.keys("\r")
	s.shows("say why")
	s.keys("the auditor asked for it")
	s.shows("the auditor asked for it")
	s.keys("\r")
	s.hides("Tab goes here")
	if n := len(w.writes()); n != 0 {
		t.Fatalf("what is not agreed to wrote %d times", n)
	}
	s.types("web/prod")
	s.keys("\r")
	s.shows("GitHub took it")
	w.passesTo(s, 10*time.Second, sha+" runs in prod eu us")
	s.keys("\x1b")
	s.hides("Promote v2.1.0")
	d := w.command(0, "journal", "--output", "json")
	if d.code != 0 || !strings.Contains(d.out, "the auditor asked for it") || !strings.Contains(d.out, "freeze") {
		t.Errorf("the journal says nothing of it: %s", d)
	}
	w.leaves(s)
}
