package datadog_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/fault"
	"example.com/signalbox/sources/simulator/seen"
)

// driver is a small client of its own. Its zero value behaves; each field is a mistake made on purpose.
type driver struct {
	firstPageOnly bool
	retriesWrites bool
	zeroForGap    bool // takes a gap for a value
	trusts200     bool // takes every 200 for an answer
	makesUp       bool // sends parameters that do not exist
	noPageSize    bool
	textErrors    bool // reads errors as text alone
	refuses202    bool

	c *client
}

func (d *driver) slos() (int, error) {
	n := 0
	for page := 0; ; page++ {
		params := []string{"page[number]", fmt.Sprint(page), "page[size]", "3"}
		if d.noPageSize {
			params = params[:2]
		}
		if d.makesUp {
			params = append(params, "per_page", "3")
		}
		a, err := d.c.try(http.MethodGet, address("/api/v1/slo/search", params...), "")
		if err != nil || a.StatusCode != http.StatusOK {
			return 0, errors.Join(err, fmt.Errorf("status %d", a.StatusCode))
		}
		var b struct {
			Data  struct{ Attributes struct{ SLOs []any } }
			Links struct{ Next string }
		}
		if err := json.Unmarshal(a.body, &b); err != nil {
			return 0, err
		}
		n += len(b.Data.Attributes.SLOs)
		if b.Links.Next == "" || d.firstPageOnly {
			return n, nil
		}
	}
}

var errAnswer = errors.New("an error inside a 200")

// mean is the mean of a query's known values over the last ten minutes and the next two.
func (d *driver) mean(query string) (float64, error) {
	now := d.c.sim.Now()
	body := fmt.Sprintf(`{"data":{"type":"timeseries_request","attributes":{"from":%d,"to":%d,"interval":60000,"queries":[{"data_source":"metrics","name":"a","query":"%s"}]}}}`,
		now.Add(-10*time.Minute).UnixMilli(), now.Add(2*time.Minute).UnixMilli(), query)
	a, err := d.c.try(http.MethodPost, "/api/v2/query/timeseries", body)
	if err != nil {
		return 0, err
	}
	var b struct {
		Data struct{ Attributes struct{ Values [][]*float64 } }
	}
	if err := json.Unmarshal(a.body, &b); err != nil || len(b.Data.Attributes.Values) == 0 {
		return 0, errors.Join(err, errAnswer)
	}
	sum, n := 0.0, 0
	for _, v := range b.Data.Attributes.Values[0] {
		if v != nil {
			sum += *v
		}
		if v != nil || d.zeroForGap {
			n++
		}
	}
	return sum / float64(n), nil
}

func (d *driver) old(query string) error {
	now := d.c.sim.Now()
	a, err := d.c.try(http.MethodGet, address("/api/v1/query", "from", unix(now.Add(-time.Hour)), "to", unix(now), "query", query), "")
	if err != nil {
		return err
	}
	var b struct{ Status string }
	if err := json.Unmarshal(a.body, &b); err != nil {
		return err
	}
	if b.Status != "ok" && !d.trusts200 {
		return errAnswer
	}
	return nil
}

// why is what a refusal says.
func (d *driver) why(path string) string {
	a, err := d.c.try(http.MethodGet, path, "")
	if err != nil {
		return ""
	}
	var text struct{ Errors []string }
	if json.Unmarshal(a.body, &text) == nil && len(text.Errors) > 0 {
		return text.Errors[0]
	}
	var object struct{ Errors []struct{ Detail string } }
	if d.textErrors || json.Unmarshal(a.body, &object) != nil || len(object.Errors) == 0 {
		return ""
	}
	return object.Errors[0].Detail
}

var errUnknown = errors.New("unknown outcome")

func (d *driver) write(path, body string) error {
	a, err := d.c.try(http.MethodPost, path, body)
	if err != nil && d.retriesWrites {
		a, err = d.c.try(http.MethodPost, path, body)
	}
	switch {
	case err != nil:
		return errUnknown
	case a.StatusCode == http.StatusAccepted && d.refuses202, a.StatusCode >= 300:
		return fmt.Errorf("status %d", a.StatusCode)
	}
	return nil
}

// judge drives a driver through what every driver does, and lists what the simulator finds wrong.
func judge(t *testing.T, d *driver) (wrong []string) {
	t.Helper()
	d.c = start(t, simulator.Options{Seed: 2})
	c, note := d.c, func(bad bool, what string) {
		if bad {
			wrong = append(wrong, what)
		}
	}
	c.sim.ResetUsage()
	n, err := d.slos()
	u := c.sim.Usage().Of(seen.Datadog)
	note(err != nil || n != 7 || len(u.Unread) > 0, "objectives left unread")
	note(u.Complained("unknown query parameter"), "makes parameters up")
	note(u.Complained(simulator.NoPageSize), "no page size")

	mean, err := d.mean("avg:system.mem.used{service:checkout,env:prod}")
	note(err != nil || mean < 65, "gaps count as zero")
	note(d.old("avg:system.mem.used{") == nil, "an error is taken for an answer")
	note(!strings.Contains(d.why("/api/v2/incidents/nobody"), "not found"), "a refusal says nothing")

	m := c.monitor("checkout", "5xx")
	c.inject(fault.Rule{Method: "POST", Path: "/api/v2/downtime", Kind: fault.LostAnswer, Times: 1})
	err = d.write("/api/v2/downtime", muteBody(m.ID, "*", c.sim.Now().Add(time.Hour)))
	note(!errors.Is(err, errUnknown), "a lost answer is called known")
	note(len(c.ids("/api/v2/downtime", "data")) != 2, "mutes twice")
	note(c.sim.Usage().Complained(simulator.RepeatedWrite), "same write twice")

	page := c.pageOf(c.ids("/api/v2/incidents/search", "data.attributes.incidents", "query", "state:active")[0])
	err = d.write("/api/v2/on-call/pages/"+page+"/resolve", "")
	note(err != nil || c.incident("billing-core").State != "resolved", "a verb that worked is called failed")
	return wrong
}

// TestMutants holds that drivers which are broken on purpose do not pass.
func TestMutants(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		driver driver
		want   string
	}{
		"a good driver":             {driver{}, ""},
		"ignores pages":             {driver{firstPageOnly: true}, "objectives left unread"},
		"makes parameters up":       {driver{makesUp: true}, "makes parameters up"},
		"asks for any page":         {driver{noPageSize: true}, "no page size"},
		"draws gaps as zero":        {driver{zeroForGap: true}, "gaps count as zero"},
		"trusts every 200":          {driver{trusts200: true}, "an error is taken for an answer"},
		"reads errors as text":      {driver{textErrors: true}, "a refusal says nothing"},
		"repeats writes":            {driver{retriesWrites: true}, "a lost answer is called known, mutes twice, same write twice"},
		"takes a 202 for a failure": {driver{refuses202: true}, "a verb that worked is called failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(judge(t, &x.driver), ", "); got != x.want {
				t.Errorf("found %q, want %q", got, x.want)
			}
		})
	}
}
