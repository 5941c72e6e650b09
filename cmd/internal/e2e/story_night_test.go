package e2e

import (
	"slices"
	"testing"
	"time"

	"example.com/signalbox/ui/uitest/vt"
)

// shortGuard is a watch that ends ten minutes of the world's time after the change.
const shortGuard = `
guard: {window: 10m, requests: 100, on_fail: ask}
`

// The story of the night: sre1 is paged, acknowledges, looks at the suspect, finds that a run holds the queue,
// rejects it, rolls back, and sees the metrics heal and the page resolve.
func TestNight(t *testing.T) {
	t.Parallel()
	w := openTale(t, shortGuard)
	w.rest()
	s := w.board(160, 48)
	s.ready()
	s.shows("5xx above 2 %", "paged you 02:11", "v1.9.2 → prod 02:04")

	s.pull("a", func(t *vt.Terminal) bool { return has(t, "acked now") })
	if p := w.page("checkout"); p.State != "acknowledged" || p.Holder != "sre1" {
		t.Errorf("the page is %+v", p)
	}
	s.keys("\r")
	s.hides("4 Deployments")
	s.shows("v1.9.2 → prod 02:04, 1m before onset, by dev4")
	s.keys("\x1b")
	s.shows("4 Deployments")

	s.pull("R", func(t *vt.Terminal) bool { return has(t, "Roll back checkout/prod to v1.9.1") })
	s.shows("in its way: run 812 waits for approval since Tue 02:07 and holds deploy-prod", "D reject run 812 first",
		"db/0042_cards.sql", "pay_retry on (02:01)", "brought back by the next merge to main", "revert #418")
	s.answer("D", "Reject deploy #812")
	s.answer("y", "✓ done")
	s.keys("\x1b")
	w.passes(s, 5*time.Second, "", "a plan whose queue is free", func(t *vt.Terminal) bool {
		return has(t, "Type checkout/prod") && !has(t, "in its way")
	})
	if got := w.runs("checkout", "prod"); !slices.Equal(got, []string{"a1b2c3d", "a1b2c3d"}) {
		t.Fatalf("production runs %v before it was agreed to", got)
	}
	s.types("checkout/prod")
	s.keys("\r")
	s.shows("GitHub took it")
	w.passesTo(s, 10*time.Second, "9f8e7d6 runs in prod eu us")
	w.passesTo(s, 15*time.Second, "guard pass")
	s.keys("\x1b")
	s.hides("Roll back checkout/prod")
	w.passes(s, 15*time.Second, "\x12", "no page and metrics that are well", func(t *vt.Terminal) bool {
		return !has(t, "5xx above") && !has(t, "✗ 5xx")
	})

	if p := w.page("checkout"); p.State != "resolved" {
		t.Errorf("the page is %+v", p)
	}
	if got := w.runs("checkout", "prod"); !slices.Equal(got, []string{"9f8e7d6", "9f8e7d6"}) {
		t.Errorf("production runs %v", got)
	}
	if got := w.writes(); len(got) != 3 || got[1] != "POST …/pending_deployments" || got[2] != "POST …/dispatches" {
		t.Errorf("written was %q", got)
	}
	if code := s.quits(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	s.givenBack()
	if d := w.command(0, "journal", "--verify"); d.code != 0 {
		t.Errorf("the journal: %s", d)
	}
}
