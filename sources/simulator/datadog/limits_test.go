package datadog_test

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/datadog"
	"example.com/signalbox/sources/simulator/fault"
	"example.com/signalbox/sources/simulator/seen"
	"example.com/signalbox/sources/simulator/world"
)

func story(seed int64) *world.World { return world.Story(seed, simulator.Opening()) }

// TestRateLimits uses a family of endpoints up, and no other.
func TestRateLimits(t *testing.T) {
	t.Parallel()
	w := story(1)
	c, _ := direct(t, w, datadog.Config{Limits: map[string]datadog.Limit{"monitors": {Requests: 3, Period: time.Minute}}})
	for left := 2; left >= 0; left-- {
		a := c.get("/api/v1/monitor", "page_size", "1")
		h := a.Header
		if h.Get("X-RateLimit-Limit") != "3" || h.Get("X-RateLimit-Period") != "60" || h.Get("X-RateLimit-Remaining") != strconv.Itoa(left) ||
			h.Get("X-RateLimit-Name") != "monitors" {
			t.Errorf("with %d left the headers are %v", left, h)
		}
	}
	a := c.do(http.StatusTooManyRequests, http.MethodGet, "/api/v1/monitor/search", "")
	reset, err := strconv.Atoi(a.Header.Get("X-RateLimit-Reset"))
	if err != nil || reset < 1 || reset > 60 || a.Header.Get("X-RateLimit-Remaining") != "0" || !bytes.Contains(a.body, []byte(`"errors":["Rate limit`)) {
		t.Errorf("refused with %v: %s", a.Header, a.body)
	}
	c.get("/api/v2/team")
	w.RunUntil(w.Now().Add(time.Duration(reset) * time.Second))
	c.get("/api/v1/monitor", "page_size", "1")
	if names := datadog.Families(); !slices.Contains(names, "monitors") || !slices.IsSorted(names) {
		t.Errorf("the families are %v", names)
	}
}

// TestKeys holds who may what.
func TestKeys(t *testing.T) {
	t.Parallel()
	c, _ := direct(t, story(1), datadog.Config{Keys: []datadog.Keys{
		{API: "token", Application: "reader", Login: "dev1", Scopes: []string{"monitors_read"}}, {API: "other", Application: "all", Login: "dev2"},
	}})
	const event = `{"title":"x","text":"x"}`
	for _, x := range []struct {
		api, app     string
		status       int
		method, path string
		body         string
	}{
		{"", "", http.StatusUnauthorized, "GET", "/api/v1/validate", ""},
		{"wrong", "token", http.StatusForbidden, "GET", "/api/v1/validate", ""},
		{"token", "", http.StatusOK, "GET", "/api/v1/validate", ""},
		{"token", "wrong", http.StatusForbidden, "GET", "/api/v1/monitor", ""},
		{"token", "", http.StatusForbidden, "GET", "/api/v1/monitor", ""},
		{"token", "", http.StatusAccepted, "POST", "/api/v1/events", event},
		{"token", "reader", http.StatusOK, "GET", "/api/v1/monitor", ""},
		{"token", "reader", http.StatusForbidden, "GET", "/api/v2/team", ""},
		{"token", "reader", http.StatusForbidden, "POST", "/api/v2/downtime", "{}"},
		{"token", "all", http.StatusForbidden, "GET", "/api/v2/team", ""},
		{"other", "all", http.StatusOK, "GET", "/api/v2/team", ""},
	} {
		c.api, c.app = x.api, x.app
		a := c.do(x.status, x.method, x.path, x.body)
		if x.status == http.StatusForbidden && !bytes.Contains(a.body, []byte(`"errors":["Forbidden"`)) {
			t.Errorf("%s with %s and %s is %s", x.path, x.api, x.app, a.body)
		}
	}
	c.api, c.app = "token", "reader"
	if a := c.do(http.StatusForbidden, http.MethodGet, "/api/v1/slo", ""); !bytes.Contains(a.body, []byte("slos_read")) {
		t.Errorf("a missing scope is not named: %s", a.body)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base()+"/api/v2/team", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token")
	resp, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("a bearer token: status %d", resp.StatusCode)
	}
}

// TestUsage holds what the simulator counts and complains of.
func TestUsage(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	c.sim.ResetUsage()
	now := c.sim.Now()
	for range 2 {
		c.do(http.StatusOK, http.MethodPost, "/api/v2/query/timeseries", formulaBody("timeseries", now.Add(-time.Hour), now, 60_000))
		c.get("/api/v2/team", "page[size]", "2", "page[number]", "0")
	}
	u := c.sim.Usage().Of(seen.Datadog)
	if u.Requests != 4 || u.Charged != 4 || u.Writes != 0 || len(u.Complaints) != 0 || len(u.Unread) != 1 {
		t.Errorf("good manners are told as %+v", u)
	}
	c.get("/api/v2/team", "page[number]", "1", "page[size]", "2")
	c.get("/api/v1/slo", "page[size]", "3")
	c.get("/api/v1/slo", "limit", "3")
	c.get("/api/v1/slo", "offset", "3", "limit", "3")
	c.get("/api/v1/slo", "offset", "6", "limit", "3")
	for range 2 {
		c.do(http.StatusAccepted, http.MethodPost, "/api/v1/events", `{"title":"x","text":"x"}`)
	}
	u = c.sim.Usage().Of(seen.Datadog)
	var got []string
	for _, x := range u.Complaints {
		got = append(got, string(x.Kind)+" at "+x.Endpoint)
	}
	slices.Sort(got)
	want := "list without per_page at GET /api/v1/slo; same write sent twice at POST /api/v1/events; unknown query parameter at GET /api/v1/slo"
	if strings.Join(got, "; ") != want || u.Writes != 2 || len(u.Unread) != 0 {
		t.Errorf("complains %v, unread %v, %d writes", got, u.Unread, u.Writes)
	}
}

// TestFaults strikes with the faults that are worded as the provider words them.
func TestFaults(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	c.inject(fault.Rule{Path: "/api/v1/monitor", Kind: fault.Status, Code: 503, Times: 1})
	if a := c.do(http.StatusServiceUnavailable, http.MethodGet, "/api/v1/monitor", ""); !bytes.Contains(a.body, []byte(`{"errors":["`)) {
		t.Errorf("refused with %s", a.body)
	}
	c.get("/api/v1/monitor")
	c.inject(fault.Rule{Path: "/api/v2/**", Kind: fault.Secondary, Code: 429, RetryAfter: 9, Times: 1})
	if a := c.do(http.StatusTooManyRequests, http.MethodGet, "/api/v2/team", ""); a.Header.Get("X-RateLimit-Reset") != "9" || a.Header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("limited with %v", a.Header)
	}
	c.inject(fault.Rule{Path: "/api/v1/query", Kind: fault.ErrorIn200, Message: "backend is tired"})
	a := c.get("/api/v1/query", "from", "1", "to", "2", "query", "avg:system.cpu.used{*}")
	if a.at(t, "status") != "error" || a.at(t, "error") != "backend is tired" {
		t.Errorf("an error inside a 200 is %s", a.body)
	}
	m := c.monitor("checkout", "5xx")
	c.inject(fault.Rule{Method: "POST", Path: "/api/v2/downtime", Kind: fault.LostAnswer, Times: 1})
	if _, err := c.try(http.MethodPost, "/api/v2/downtime", muteBody(m.ID, "*", c.sim.Now().Add(time.Hour))); err == nil {
		t.Error("the answer was not lost")
	}
	if n := len(c.ids("/api/v2/downtime", "data")); n != 2 {
		t.Errorf("the request was lost too: %d downtimes", n)
	}
	c.inject(fault.Rule{Method: "POST", Path: "/api/v2/downtime", Kind: fault.LostRequest, Times: 1})
	if _, err := c.try(http.MethodPost, "/api/v2/downtime", muteBody(m.ID, "*", c.sim.Now().Add(time.Hour))); err == nil {
		t.Error("the request was not lost")
	}
	if n := len(c.ids("/api/v2/downtime", "data")); n != 2 {
		t.Errorf("a lost request made a downtime: %d", n)
	}
}

// TestPaging reads every list in small pages, and finds each entry once.
func TestPaging(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Seed: 1})
	type list struct{ path, at, size, number, first string }
	for _, l := range []list{
		{"/api/v1/slo/search", "data.attributes.slos", "page[size]", "page[number]", ""},
		{"/api/v1/slo", "data", "limit", "offset", "items"},
		{"/api/v2/incidents", "data", "page[size]", "page[offset]", "items"},
		{"/api/v2/team", "data", "page[size]", "page[number]", ""},
		{"/api/v2/on-call/schedules", "data", "page[size]", "page[number]", ""},
		{"/api/v2/services/definitions", "data", "page[size]", "page[number]", ""},
		{"/api/v1/monitor/search", "monitors", "per_page", "page", ""},
	} {
		all := c.ids(l.path, l.at, l.size, "100")
		var got []string
		for n := 0; n < 100; n++ {
			at := n
			if l.first == "items" {
				at = 2 * n
			}
			page := c.ids(l.path, l.at, l.size, "2", l.number, strconv.Itoa(at))
			got = append(got, page...)
			if len(page) < 2 {
				break
			}
		}
		if !slices.Equal(got, all) || len(all) < 3 {
			t.Errorf("%s: %d by pages, %d at once", l.path, len(got), len(all))
		}
		if l.path == "/api/v2/services/definitions" || l.path == "/api/v1/monitor/search" || strings.Contains(l.path, "/slo") {
			c.do(http.StatusBadRequest, http.MethodGet, address(l.path, l.size, "-1"), "")
		}
	}
	if u := c.sim.Usage().Of(seen.Datadog); len(u.Unread) != 0 || len(u.Complaints) != 0 {
		t.Errorf("unread %v, complaints %v", u.Unread, u.Complaints)
	}
	var one, two, rest []monitorBody
	c.get("/api/v1/monitor", "page", "0", "page_size", "5").into(t, &one)
	c.get("/api/v1/monitor", "page", "1", "page_size", "5").into(t, &two)
	c.get("/api/v1/monitor", "id_offset", strconv.FormatInt(one[4].ID, 10), "page_size", "5").into(t, &rest)
	if len(one) != 5 || len(two) != 5 || one[4].ID >= two[0].ID || rest[0].ID != two[0].ID {
		t.Errorf("monitors' pages are %v, %v, %v", one, two, rest)
	}
}
