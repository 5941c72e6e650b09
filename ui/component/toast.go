package component

import (
	"slices"
	"time"
)

// How long a toast stands: longer when it is long, shorter when others wait.
const (
	toastStands  = 4 * time.Second
	toastPerCell = 30 * time.Millisecond
	toastHurried = 1500 * time.Millisecond
	toastsKept   = 100
)

// Said is a toast and when it was said.
type Said struct {
	Part
	At    time.Time
	reply bool
}

// Toasts is a queue of short messages that go away by themselves. It owns no timer: Next says when it
// wants to be looked at.
type Toasts struct {
	queue []Said
	since time.Time // when the first of the queue began to stand
	said  []Said    // the newest last
}

// Note remembers a message that is shown elsewhere.
func (t *Toasts) Note(now time.Time, p Part) {
	t.said = append(t.said, Said{Part: p, At: now})
	if len(t.said) > toastsKept {
		t.said = append([]Said(nil), t.said[len(t.said)-toastsKept:]...)
	}
}

// Reply adds the answer to a key. It takes the place of answers to earlier keys.
func (t *Toasts) Reply(now time.Time, p Part) {
	t.queue = slices.DeleteFunc(t.queue, func(s Said) bool { return s.reply })
	t.Push(now, p)
	t.queue[len(t.queue)-1].reply = true
}

// Push adds a message. One that already waits as the last is not repeated.
func (t *Toasts) Push(now time.Time, p Part) {
	t.Note(now, p)
	if n := len(t.queue); n > 0 && t.queue[n-1].Part == p {
		if n == 1 {
			t.since = now
		}
		return
	}
	if len(t.queue) == 0 {
		t.since = now
	}
	t.queue = append(t.queue, Said{Part: p, At: now})
}

// Current is the message to show; ok is false when there is none. More is how many wait behind it.
func (t *Toasts) Current() (p Part, more int, ok bool) {
	if len(t.queue) == 0 {
		return Part{}, 0, false
	}
	return t.queue[0].Part, len(t.queue) - 1, true
}

// Said lists what was said lately, the newest last. The caller must not change it.
func (t *Toasts) Said() []Said { return t.said }

// Next is when the current message goes away; zero when there is none.
func (t *Toasts) Next() time.Time {
	if len(t.queue) == 0 {
		return time.Time{}
	}
	if len(t.queue) > 1 {
		return t.since.Add(toastHurried)
	}
	return t.since.Add(toastStands + time.Duration(t.queue[0].Text.Width())*toastPerCell)
}

// Expire drops what has stood long enough; it reports whether anything changed.
func (t *Toasts) Expire(now time.Time) bool {
	changed := false
	for len(t.queue) > 0 && !now.Before(t.Next()) {
		t.since = t.Next()
		t.queue = t.queue[1:]
		changed = true
	}
	return changed
}

// Dismiss drops the current message; it reports whether there was one.
func (t *Toasts) Dismiss(now time.Time) bool {
	if len(t.queue) == 0 {
		return false
	}
	t.queue, t.since = t.queue[1:], now
	return true
}
