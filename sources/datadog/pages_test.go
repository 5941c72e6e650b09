package datadog

import (
	"context"
	"net/http"
	"strconv"
	"testing"

	"example.com/signalbox/sources"
)

// Lists are read to their end: as many requests as there are pages, and everything once.
func TestEveryPageIsRead(t *testing.T) {
	t.Parallel()
	all := func(n int, one func(int) any) []any {
		out := make([]any, n)
		for i := range out {
			out[i] = one(i + 1)
		}
		return out
	}
	query := sources.Query{Now: testNow}
	for path, c := range map[string]struct {
		all        []any
		size, page string // the parameters that say which part is wanted
		offset     bool   // page is a place in the list
		wrap       func(part []any) any
		read       func(context.Context, *source) (int, error)
		requests   int
	}{
		"/api/v1/monitor": {
			all: all(450, func(i int) any { return obj{"id": i, "name": "m"} }), size: "page_size", page: "page", requests: 3,
			wrap: func(part []any) any { return part },
			read: func(ctx context.Context, s *source) (int, error) {
				b, err := s.ListMonitors(ctx, query)
				return len(b.Items), err
			},
		},
		"/api/v2/downtime": {
			all: all(230, func(i int) any { return obj{"id": uuid(i), "attributes": obj{"status": "active"}} }), size: "page[limit]", page: "page[offset]", offset: true, requests: 3,
			wrap: func(part []any) any { return obj{"data": part} },
			read: func(ctx context.Context, s *source) (int, error) {
				var n noticeBox
				found, err := s.downtimes(ctx, &n)
				return len(found), err
			},
		},
		"/api/v1/slo/search": {
			all:  all(230, func(i int) any { return obj{"data": obj{"id": uuid(i), "attributes": obj{"name": "x"}}} }),
			size: "page[size]", page: "page[number]", requests: 3,
			wrap: func(part []any) any { return obj{"data": obj{"attributes": obj{"slos": part}}} },
			read: func(ctx context.Context, s *source) (int, error) {
				b, err := s.ListSLOs(ctx, query)
				return len(b.Items), err
			},
		},
		"/api/v2/incidents/search": {
			all:  all(230, func(i int) any { return obj{"data": (&hub{}).incident(i, "active")} }),
			size: "page[size]", page: "page[offset]", offset: true, requests: 3,
			wrap: func(part []any) any { return obj{"data": obj{"attributes": obj{"incidents": part}}} },
			read: func(ctx context.Context, s *source) (int, error) {
				b, err := s.ListIncidents(ctx, query)
				return len(b.Items), err
			},
		},
		"/api/v2/team": {
			all:  all(230, func(i int) any { return obj{"id": uuid(i), "attributes": obj{"handle": "t" + strconv.Itoa(i)}} }),
			size: "page[size]", page: "page[number]", requests: 3,
			wrap: func(part []any) any { return obj{"data": part} },
			read: func(ctx context.Context, s *source) (int, error) {
				teams, err := s.allTeams(ctx, false)
				return len(teams), err
			},
		},
		"/api/v2/events": {
			all: all(450, func(i int) any {
				return obj{"id": "e" + strconv.Itoa(i), "attributes": obj{"timestamp": ago(0), "attributes": obj{"title": "t"}}}
			}), size: "page[limit]", page: "page[cursor]", offset: true, requests: 3,
			wrap: func(part []any) any { return obj{"data": part} },
			read: func(ctx context.Context, s *source) (int, error) {
				b, err := s.ListChanges(ctx, query)
				return len(b.Items), err
			},
		},
	} {
		h := &hub{override: func(r *http.Request, _ []byte) (int, any, bool) {
			size, at := num(r, c.size, 10), num(r, c.page, 0)
			if !c.offset {
				at *= size
			}
			answer := c.wrap(page(c.all, size, at))
			if o, ok := answer.(obj); ok && c.page == "page[cursor]" && at+size < len(c.all) {
				o["meta"] = obj{"page": obj{"after": strconv.Itoa(at + size)}}
			}
			return 200, answer, r.URL.Path == path
		}}
		n, err := c.read(t.Context(), opened(t, h))
		if got := h.count("GET " + path + "?"); err != nil || n < len(c.all) || got != c.requests {
			t.Errorf("%s: %d of %d in %d requests, want %d: %v", path, n, len(c.all), got, c.requests, err)
		}
	}
}
