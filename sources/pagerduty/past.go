package pagerduty

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

const (
	defaultPast = 30 * 24 * time.Hour
	// longest is what PagerDuty takes for a range.
	longest = 179 * 24 * time.Hour
	// openFor is how long before the window an incident may have been opened: PagerDuty's range is on when
	// it was opened, the window on when it ended.
	openFor       = 7 * 24 * time.Hour
	mostPastPages = 10
)

// ListPastIncidents lists what was resolved within the window, newest first: the newest thousand at most.
func (s *source) ListPastIncidents(ctx context.Context, q sources.Query) (sources.Batch[sources.Incident], error) {
	return deliver(ctx, s, "past incidents", q, func(ctx context.Context) (sources.Batch[sources.Incident], error) {
		return s.readPast(ctx, q)
	})
}

func (s *source) readPast(ctx context.Context, q sources.Query) (sources.Batch[sources.Incident], error) {
	var b sources.Batch[sources.Incident]
	now := s.now(q)
	window := q.Window
	if window <= 0 {
		window = defaultPast
	}
	from := now.Add(-window)
	query := url.Values{
		"statuses[]": {"resolved"}, "include[]": included, "sort_by": {"created_at:desc"},
		"since": {stampOf(now.Add(-min(window+openFor, longest)))}, "until": {stampOf(now.Add(time.Minute))},
	}
	s.narrow(query)
	all, cut, err := pages[wireIncidents](ctx, s, "past", "/incidents", query, q.Limit, mostPastPages, func(w wireIncident) string { return known(w.ID) })
	if err != nil {
		return b, err
	}
	c := s.converter(q.Services, q.Identity, roster{}, now)
	for i := range all {
		if inc := c.incident(&all[i]); inc.State == sources.Resolved && !inc.Ended.Before(from) {
			b.Items = append(b.Items, inc)
		}
	}
	slices.SortStableFunc(b.Items, func(x, y sources.Incident) int {
		return cmp.Or(y.Ended.Compare(x.Ended), cmp.Compare(y.Ref.ID, x.Ref.ID))
	})
	if q.Limit > 0 && len(b.Items) > q.Limit {
		b.Items = b.Items[:q.Limit]
	}
	for _, inc := range b.Items {
		httpx.Note(ctx, inc.Ref.ID) // which are in the window changes with the clock alone
	}
	if cut && (q.Limit <= 0 || len(all) < q.Limit) {
		b.Notices = append(b.Notices, sources.Notice{
			Kind: sources.Unsupported, Text: clean.Linef("only the newest %d past incidents are read", len(all)),
			Fix: clean.Const("set teams: to narrow them"),
		})
	}
	if window+openFor > longest {
		b.Notices = append(b.Notices, sources.Notice{Kind: sources.Unsupported, Text: clean.Const("PagerDuty tells of six months at most")})
	}
	return b, nil
}
