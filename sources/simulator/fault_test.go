package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/fault"
)

func (c *client) inject(r fault.Rule) {
	c.t.Helper()
	c.sim.ClearFaults()
	if err := c.sim.Inject(r); err != nil {
		c.t.Fatal(err)
	}
}

// TestFaults strikes with every kind of fault, and finds the world as it should be afterwards.
func TestFaults(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{})
	const path = "/repos/acme/web/actions/runs?per_page=3"
	with := func(k fault.Kind) fault.Rule { return fault.Rule{Path: "/repos/acme/web/**", Kind: k} }
	c.inject(fault.Rule{Path: "/repos/acme/web/**", Kind: fault.Status, Code: 503, Times: 1})
	c.do(http.StatusServiceUnavailable, http.MethodGet, path, "")
	c.get(path)
	c.inject(fault.Rule{Path: "/repos/*/web/**", Kind: fault.Secondary, Code: 429, RetryAfter: 7, Skip: 1})
	c.get(path)
	if a := c.do(http.StatusTooManyRequests, http.MethodGet, path, ""); a.Header.Get("Retry-After") != "7" || !strings.Contains(string(a.body), "secondary rate limit") {
		t.Errorf("secondary limit: %v %s", a.Header, a.body)
	}
	c.get("/repos/acme/search")
	c.inject(with(fault.HTML))
	if a := c.do(http.StatusBadGateway, http.MethodGet, path, ""); !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		t.Errorf("an HTML page is %s", a.Header.Get("Content-Type"))
	}
	c.inject(with(fault.Truncate))
	if a := c.get(path); json.Valid(a.body) || len(a.body) < 100 {
		t.Errorf("truncated JSON is %d bytes and valid: %t", len(a.body), json.Valid(a.body))
	}
	c.inject(with(fault.WrongTypes))
	var list runsBody
	if a := c.get(path); !json.Valid(a.body) || json.Unmarshal(a.body, &list) == nil {
		t.Error("the types are right")
	}
	c.inject(with(fault.ErrorIn200))
	if a := c.get(path); !strings.Contains(string(a.body), `"errors"`) {
		t.Errorf("an error inside a 200 is %s", a.body)
	}
	c.inject(with(fault.Reset))
	if _, err := c.try(http.MethodGet, path, ""); err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a reset in the middle looks like %v", err)
	}
	c.inject(with(fault.Hang))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, c.sim.URL()+path, http.NoBody)
	if resp, err := c.http.Do(req); err == nil {
		_ = resp.Body.Close()
		t.Errorf("a hanging request is answered %d", resp.StatusCode)
	} else if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a hanging request ends with %v", err)
	}
	c.inject(fault.Rule{Path: "/repos/acme/web/**", Kind: fault.Latency, Delay: time.Millisecond})
	c.get(path)
	for _, bad := range []fault.Rule{{Path: "/x", Kind: "earthquake"}, {Kind: fault.Hang}, {Path: "[", Kind: fault.Hang}, {Path: "/x", Kind: fault.Status, Code: 42}} {
		if c.sim.Inject(bad) == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// TestLostWrites holds the two ways in which a write's answer does not come.
func TestLostWrites(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{})
	const path, body = "/repos/acme/web/actions/workflows/deploy.yml/dispatches", `{"ref":"main","inputs":{"environment":"dev","ref":"main"}}`
	count := func() int { return c.runs("acme/web", "event=workflow_dispatch").TotalCount }
	before := count()
	c.inject(fault.Rule{Method: "POST", Path: path, Kind: fault.LostRequest, Times: 1})
	if _, err := c.try(http.MethodPost, path, body); err == nil {
		t.Fatal("a lost request was answered")
	}
	if n := count(); n != before {
		t.Errorf("a lost request started %d runs", n-before)
	}
	c.inject(fault.Rule{Method: "POST", Path: path, Kind: fault.LostAnswer, Times: 1})
	if _, err := c.try(http.MethodPost, path, body); err == nil {
		t.Fatal("a lost answer came")
	}
	if n := count(); n != before+1 {
		t.Errorf("after a lost answer there are %d new runs", n-before)
	}
	if c.sim.Usage().Complained(simulator.RepeatedWrite) {
		t.Error("complains of a write that was received once")
	}
}

// TestControl holds the control tree: its token, its faults, its clock.
func TestControl(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{})
	c.do(http.StatusNoContent, http.MethodPost, "/-/fault", `{"path":"/meta","kind":"status","code":500}`)
	c.do(http.StatusInternalServerError, http.MethodGet, "/meta", "")
	c.do(http.StatusNoContent, http.MethodDelete, "/-/fault", "")
	c.get("/meta")
	c.do(http.StatusBadRequest, http.MethodPost, "/-/fault", `{"path":"/meta","kind":"status","cod":500}`)
	c.do(http.StatusBadRequest, http.MethodPost, "/-/fault", `{"path":"/meta","kind":"quake"}`)
	c.do(http.StatusOK, http.MethodPost, "/-/advance?d=90s", "")
	if got := c.truth().Now; !got.Equal(simulator.Opening().Add(90 * time.Second)) {
		t.Errorf("now is %s", got)
	}
	for _, d := range []string{"", "-1s", "1000h", "soon"} {
		c.do(http.StatusBadRequest, http.MethodPost, "/-/advance?d="+d, "")
	}
	c.do(http.StatusNotFound, http.MethodPost, "/-/incidents/1/resolve", "")
	p := c.incident("5xx above 2 % for 5m")
	c.do(http.StatusNotFound, http.MethodPost, "/-/incidents/"+itoa(int64(p.Number))+"/ignore", "")
	c.do(http.StatusNoContent, http.MethodPost, "/-/incidents/"+itoa(int64(p.Number))+"/resolve", "")
	c.do(http.StatusOK, http.MethodPost, "/-/incidents", `{"service":"web","title":"pages are blank","severity":1}`)
	if i := c.incident("pages are blank"); i.Holder != "sre1" || i.Severity != 1 || i.State != "triggered" {
		t.Errorf("paged %+v", i)
	}
	was := c.service("web").Metrics["error rate"]
	c.do(http.StatusNoContent, http.MethodPost, "/-/trouble", `{"service":"web","metric":"error rate","add":5,"minutes":9}`)
	if is := c.service("web").Metrics["error rate"]; is < was+4.9 {
		t.Errorf("in trouble web's error rate is %g, it was %g", is, was)
	}
	c.sim.Advance(8 * time.Minute)
	if i := c.incident("5xx above 2 % for 5m"); i.Service != "web" || i.State != "triggered" {
		t.Errorf("the trouble paged %+v", i)
	}
	c.sim.Advance(2 * time.Minute)
	if i := c.incident("5xx above 2 % for 5m"); i.State != "resolved" {
		t.Errorf("after the trouble: %+v", i)
	}
	for path, body := range map[string]string{
		"/-/incidents": `{"service":"nothing","title":"x"}`, "/-/trouble": `{"service":"web","metric":"replica lag","add":5,"minutes":9}`,
	} {
		c.do(http.StatusBadRequest, http.MethodPost, path, body)
		c.do(http.StatusBadRequest, http.MethodPost, path, `{"who":"me"}`)
	}
	var u simulator.Usage
	c.get("/-/usage").into(t, &u)
	if u.Requests == 0 || len(u.Endpoints) == 0 {
		t.Errorf("usage is %+v", u)
	}
	c.do(http.StatusNoContent, http.MethodDelete, "/-/usage", "")
	if u = c.sim.Usage(); u.Requests != 0 || u.PerHour() != 0 {
		t.Errorf("counting anew begins with %+v", u)
	}
	c.token = ""
	c.do(http.StatusUnauthorized, http.MethodGet, "/-/world", "")
}
