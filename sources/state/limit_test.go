package state

import (
	"testing"
	"time"

	"example.com/signalbox/sources"
)

// A source's own limit holds for its credentials, and what the provider says of another span of time is
// scaled to it.
func TestLimitOfASource(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 2, 14, 0, 0, time.UTC)
	b := NewBudget(nil, BudgetOptions{Now: func() time.Time { return now }})
	pager := b.For("pagerduty", Limit{Requests: 960, Window: time.Minute, Fraction: 0.1, Burst: 0.3})
	if err := pager.Take("token"); err != nil {
		t.Fatal(err)
	}
	if u := b.Usage("pagerduty", ""); u.Limit != 96 || u.Window != time.Minute {
		t.Errorf("usage %+v, want 96 a minute", u)
	}
	pager.Report("token", sources.Rate{Limit: 100, Remaining: 99, Reset: now.Add(time.Second), Window: 10 * time.Second})
	if u := b.Usage("pagerduty", ""); u.Limit != 60 {
		t.Errorf("100 in 10 s are %d of ours a minute, want 60", u.Limit)
	}
	sent := 1
	for pager.Take("token") == nil {
		sent++
		if sent > 1000 {
			break
		}
	}
	if sent != 180 {
		t.Errorf("%d requests in a minute, want 180: three tenths of 600", sent)
	}
	if err := b.For("github", Limit{}).Take("other"); err != nil || b.Usage("github", "").Limit != 1000 {
		t.Errorf("the zero limit: %v, %+v", err, b.Usage("github", ""))
	}
}
