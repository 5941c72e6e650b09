package ui_test

import (
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui"
)

// onCall is a board with these shifts.
func onCall(t *testing.T, width int, health store.HealthState, shifts func(now time.Time) []sources.Shift) *board {
	t.Helper()
	return newBoard(t, width, 30, func(o *ui.Options, b *board) {
		s, now := o.Snapshot, b.clock.now()
		s.Catalog.Sources = append(s.Catalog.Sources, store.SourceInfo{Name: "pagerduty", Type: "pagerduty", Capabilities: []store.Capability{store.Shifts}})
		s.Feeds = append(s.Feeds, store.Feed{Key: store.FeedKey{Source: "pagerduty", Capability: store.Shifts},
			Health: store.Health{State: health, Interval: time.Minute, LastGood: now}, Shifts: shifts(now)})
	})
}

func shiftOf(who string, level int, start, end time.Time) sources.Shift {
	return sources.Shift{Ref: sources.Ref{Source: "pagerduty", Kind: sources.KindShift, ID: who}, Level: level, Start: start, End: end,
		Who: sources.Person{ID: "U" + who, Name: clean.Line(who)}}
}

func night(now time.Time) []sources.Shift {
	six := now.Truncate(24 * time.Hour).Add(6 * time.Hour)
	return []sources.Shift{shiftOf("sre1", 1, now.Add(-time.Hour), six), shiftOf("sre2", 1, six, six.Add(8*time.Hour)),
		shiftOf("boss", 2, now.Add(-time.Hour), time.Time{})}
}

func TestTheHeaderNamesWhoIsOnCall(t *testing.T) {
	t.Parallel()
	mine := func(now time.Time) []sources.Shift {
		all := night(now)
		all[0].Mine = true
		return all
	}
	two := func(now time.Time) []sources.Shift {
		return append(night(now), shiftOf("sre5", 1, now.Add(-time.Hour), now.Add(3*24*time.Hour)))
	}
	gap := func(now time.Time) []sources.Shift {
		all := night(now)
		all[1].Start = all[0].End.Add(time.Hour)
		return all
	}
	forever := func(now time.Time) []sources.Shift {
		return []sources.Shift{shiftOf("sre9", 1, time.Time{}, time.Time{})}
	}
	nobody := func(time.Time) []sources.Shift { return nil }
	for _, c := range []struct {
		width  int
		health store.HealthState
		shifts func(time.Time) []sources.Shift
		want   string
		not    string
	}{
		{160, store.Healthy, night, "  on call sre1 until 06:00, then sre2  ", "boss"},
		{80, store.Healthy, night, "  sre1 until 06:00  ", "then"},
		{160, store.Healthy, mine, "  you are on call until 06:00, then sre2  ", "sre1 until"},
		{80, store.Healthy, mine, "  you until 06:00  ", "then"},
		{160, store.Healthy, two, "on call sre1 and 1 other until 06:00, then sre2", ""},
		{160, store.Healthy, gap, "on call sre1 until 06:00, from 07:00 sre2", ""},
		{160, store.Healthy, forever, "on call sre9  ", "until"},
		{160, store.Healthy, nobody, "nobody is on call", ""},
		{160, store.Loading, nobody, "02:14 UTC", "on call"},
		{160, store.Refused, nobody, "02:14 UTC", "on call"},
		{60, store.Healthy, night, "02:14 UTC", "then"},
	} {
		b := onCall(t, c.width, c.health, c.shifts)
		head := b.line(0)
		if !strings.Contains(head, c.want) || c.not != "" && strings.Contains(head, c.not) {
			t.Errorf("at %d columns: %q, want %q and no %q", c.width, head, c.want, c.not)
		}
	}
}

func TestTheHeaderFitsAtAnyWidth(t *testing.T) {
	t.Parallel()
	for width := 60; width < 220; width++ {
		b := onCall(t, width, store.Healthy, night)
		if head := b.line(0); !strings.Contains(head, "signalbox") || !strings.Contains(head, "02:14 UTC") || width >= 72 && !strings.Contains(head, "sre1 until") {
			t.Errorf("at %d columns: %q", width, head)
		}
	}
}

func TestTheHeaderCountsTheTeamsServices(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 160, 30, func(o *ui.Options, _ *board) {
		o.Snapshot.Catalog.Services = []store.Service{{Name: "checkout"}, {Name: "ledger"}, {Name: "billing-core", Team: "platform"}}
	})
	if head := b.line(0); !strings.Contains(head, " 2 services ") {
		t.Errorf("the header is %q", head)
	}
}

// Where all sources fail at once there is no room for the words of each: how old each is stays.
func TestTheHeaderSaysHowOldEachSourceIs(t *testing.T) {
	t.Parallel()
	b := newBoard(t, 120, 30, func(o *ui.Options, b *board) {
		s := o.Snapshot
		s.Feeds = nil
		for _, name := range []string{"datadog", "pagerduty"} {
			s.Catalog.Sources = append(s.Catalog.Sources, store.SourceInfo{Name: name, Type: name})
		}
		for _, src := range s.Catalog.Sources {
			s.Feeds = append(s.Feeds, store.Feed{Key: store.FeedKey{Source: src.Name, Capability: store.Runs}, Health: store.Health{State: store.Failing,
				Err: &sources.Error{Kind: sources.Transient, Msg: "no answer"}, LastGood: b.clock.now().Add(-4 * time.Minute), Interval: 10 * time.Second}})
		}
	})
	head := b.line(0)
	if strings.Count(head, "✗ 3m old") != 3 || !strings.Contains(head, "team view") {
		t.Errorf("the header is %q", head)
	}
}
