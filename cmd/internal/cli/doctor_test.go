package cli

import (
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

func broken() *store.Snapshot {
	notice := func(kind sources.ErrKind, text string) sources.Notice {
		return sources.Notice{Scope: "shop", Kind: kind, Text: clean.Line(text), Fix: clean.Const("mend it")}
	}
	down := &sources.Error{Kind: sources.Transient, Op: "list", Msg: "the connection was refused by h", Fix: "check the address"}
	return &store.Snapshot{Feeds: []store.Feed{
		{Key: store.FeedKey{Source: "prom", Capability: store.Metrics, Scope: "shop"}, Health: store.Health{
			State: store.Degraded, Notices: []sources.Notice{notice(sources.Invalid, "errors: parse error"), notice(sources.Transient, "p95: no answer")},
		}},
		{Key: store.FeedKey{Source: "prom", Capability: store.Monitors}, Health: store.Health{State: store.Failing, Err: down}},
		{Key: store.FeedKey{Source: "prom", Capability: store.SLOs}, Health: store.Health{State: store.Failing, Err: down}},
		{Key: store.FeedKey{Source: "other", Capability: store.SLOs}, Health: store.Health{State: store.Failing, Err: down}},
	}}
}

// A query that a source does not understand is a mistake in the config, which no check of the source can see. The
// same failure of several reads is told once.
func TestDoctorTellsOfReads(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	found := examineFeeds(broken(), "prom", nil)
	if err := tellFindings(&b, []section{{Name: "prom", Findings: found}}, terminal{}); err != nil {
		t.Fatal(err)
	}
	want := `prom
  warn  shop metrics: errors: parse error
          → mend it
  FAIL  monitors: the connection was refused by h
          → check the address
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

// A rate limit passes by itself: when it has is the cure.
func TestDoctorTellsWhenALimitHasPassed(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 11, 18, 0, 0, time.Local)
	used := &sources.Error{Kind: sources.Throttled, Msg: "the rate limit is used up", RetryAt: at}
	s := &store.Snapshot{Feeds: []store.Feed{{Key: store.FeedKey{Source: "hub", Capability: store.Runs}, Health: store.Health{State: store.Throttled, Err: used}}}}
	found := examineFeeds(s, "hub", nil)
	if len(found) != 1 || !strings.HasPrefix(found[0].Fix.String(), "try again at 11:18") {
		t.Errorf("found is %+v", found)
	}
}

func TestStatusTellsOfReads(t *testing.T) {
	t.Parallel()
	var f facts
	s := broken()
	for i := range s.Feeds[:2] {
		f.Feeds = append(f.Feeds, feedOf(&s.Feeds[i]))
	}
	var b strings.Builder
	if err := newTable(&b, terminal{}, time.Time{}).facts(f); err != nil {
		t.Fatal(err)
	}
	want := `SOURCE  READS     SCOPE  STATE     AGE
prom    metrics   shop   degraded       errors: parse error: mend it (and 1 more)
prom    monitors         failing        the connection was refused by h: check the address
`
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
