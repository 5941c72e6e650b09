package component

import (
	"testing"
	"time"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/theme"
)

func TestToastsStandAndGo(t *testing.T) {
	t.Parallel()
	var q Toasts
	now := time.Date(2026, 11, 21, 2, 14, 0, 0, time.UTC)
	a, b := Part{theme.OK, clean.Const("a")}, Part{theme.Crit, clean.Const("b")}
	if _, _, ok := q.Current(); ok || !q.Next().IsZero() || q.Expire(now) || q.Dismiss(now) {
		t.Fatal("an empty queue shows something")
	}
	q.Push(now, a)
	if q.Expire(q.Next().Add(-time.Nanosecond)) {
		t.Error("gone too early")
	}
	q.Push(now, b)
	if p, more, _ := q.Current(); p != a || more != 1 {
		t.Errorf("shows %v and %d more", p, more)
	}
	if want := now.Add(toastHurried); q.Next() != want {
		t.Errorf("the first stands until %v although another waits", q.Next())
	}
	if !q.Expire(q.Next()) {
		t.Error("the first does not go")
	}
	if p, more, _ := q.Current(); p != b || more != 0 {
		t.Errorf("then shows %v and %d more", p, more)
	}
	if !q.Expire(now.Add(time.Hour)) || q.Expire(now.Add(time.Hour)) {
		t.Error("the last does not go, or goes twice")
	}
	if len(q.Said()) != 2 {
		t.Errorf("remembers %d", len(q.Said()))
	}
}

func TestToastIsNotRepeatedBehindItself(t *testing.T) {
	t.Parallel()
	var q Toasts
	now := time.Date(2026, 11, 21, 2, 14, 0, 0, time.UTC)
	p := Part{theme.OK, clean.Const("copied")}
	q.Push(now, p)
	first := q.Next()
	q.Push(now.Add(time.Second), p)
	if _, more, _ := q.Current(); more != 0 {
		t.Errorf("%d copies wait", more)
	}
	if q.Next() != first.Add(time.Second) {
		t.Error("saying it again does not keep it standing")
	}
	if !q.Dismiss(now) || q.Dismiss(now) {
		t.Error("Dismiss")
	}
	for range 3 * toastsKept {
		q.Push(now, p)
	}
	if len(q.Said()) != toastsKept {
		t.Errorf("remembers %d", len(q.Said()))
	}
}

func TestAnswersToKeysReplaceEachOther(t *testing.T) {
	t.Parallel()
	var q Toasts
	now := time.Date(2026, 11, 21, 2, 14, 0, 0, time.UTC)
	news := Part{theme.Crit, clean.Const("the config was not taken")}
	q.Push(now, news)
	for _, s := range []string{"mine", "all", "team"} {
		q.Reply(now, Part{theme.Info, clean.Line(s)})
	}
	if p, more, _ := q.Current(); p != news || more != 1 {
		t.Errorf("shows %v and %d more", p, more)
	}
	q.Dismiss(now)
	if p, _, _ := q.Current(); p.Text.String() != "team" {
		t.Errorf("the last answer is %v", p)
	}
}
