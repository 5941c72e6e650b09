package simulator_test

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
	"example.com/signalbox/sources/simulator/world"
)

// pager is a small client of PagerDuty's. Its zero value behaves; each field is a mistake made on purpose.
type pager struct {
	firstPageOnly bool
	lastMonthOnly bool // leaves out date_range
	noPageSize    bool
	plainLists    bool // statuses instead of statuses[]
	noFrom        bool
	textDetails   bool // takes every detail of an event for text
	retriesWrites bool
	believesReply bool // calls an answer that was lost a success
	asksEach      bool // reads each incident alone

	c *client
}

func (p *pager) ask(method, path, body string) (answer, error) {
	h := []string{"Authorization", "Token token=" + p.c.token, "From", "sre1@example.com"}
	if p.noFrom {
		h[3] = ""
	}
	return p.c.try(method, "/pagerduty"+path, body, h...)
}

func (p *pager) open() (n int, err error) {
	q := "date_range=all&statuses[]=triggered&statuses[]=acknowledged&include[]=first_trigger_log_entries"
	if p.lastMonthOnly {
		q = strings.TrimPrefix(q, "date_range=all&")
	}
	if p.plainLists {
		q = strings.ReplaceAll(q, "[]", "")
	}
	for offset, more := 0, true; more; {
		url := fmt.Sprintf("/incidents?%s&offset=%d", q, offset)
		if !p.noPageSize {
			url += "&limit=100"
		}
		a, err := p.ask(http.MethodGet, url, "")
		if err != nil || a.StatusCode != http.StatusOK {
			return 0, errors.Join(err, errors.New("no list"))
		}
		var out struct {
			pdPage
			Incidents []struct {
				ID    string
				First struct {
					Details json.RawMessage `json:"event_details"`
				} `json:"first_trigger_log_entry"`
			}
		}
		if err := json.Unmarshal(a.body, &out); err != nil {
			return 0, err
		}
		for _, i := range out.Incidents {
			if p.asksEach {
				if _, err := p.ask(http.MethodGet, "/incidents/"+i.ID, ""); err != nil {
					return 0, err
				}
			}
			if details := map[string]string{}; p.textDetails && i.First.Details != nil {
				if err := json.Unmarshal(i.First.Details, &details); err != nil {
					return 0, err
				}
			}
		}
		n, offset, more = n+len(out.Incidents), offset+out.Limit, out.More && !p.firstPageOnly
	}
	return n, nil
}

func (p *pager) note(id, text string) error {
	path, body := "/incidents/"+id+"/notes", `{"note":{"content":"`+text+`"}}`
	a, err := p.ask(http.MethodPost, path, body)
	if err != nil && p.retriesWrites {
		a, err = p.ask(http.MethodPost, path, body)
	}
	switch {
	case err != nil && p.believesReply:
		return nil
	case err != nil:
		return errUnknown
	case a.StatusCode >= 300:
		return fmt.Errorf("status %d", a.StatusCode)
	}
	return nil
}

// judgePager drives a pager through what every driver does, and lists what the simulator finds wrong.
func judgePager(t *testing.T, p *pager) (wrong []string) {
	t.Helper()
	note := func(bad bool, what string) {
		if bad {
			wrong = append(wrong, what)
		}
	}
	p.c = start(t, simulator.Options{Seed: 2, Scale: world.Scale{Repositories: 4, Incidents: 240}})
	n, err := p.open()
	u := p.c.sim.Usage().Of(seen.PagerDuty)
	note(err != nil, "no list")
	note(err == nil && n != 240, "not every open incident")
	note(len(u.Unread) > 0, "pages left unread")
	note(u.Requests > 3, "too many requests")
	note(u.Complained(simulator.NoPageSize), "no page size")
	note(u.Complained("unknown query parameter"), "unknown parameter")

	p.c = start(t, simulator.Options{Seed: 2})
	id := p.c.paged("checkout").ID
	p.c.sim.ResetUsage()
	note(p.note(id, "one") != nil, "no note")
	p.c.inject(fault.Rule{Vendor: seen.PagerDuty, Method: "POST", Path: "/pagerduty/incidents/*/notes", Kind: fault.LostAnswer, Times: 1})
	err = p.note(id, "two")
	note(!p.noFrom && !errors.Is(err, errUnknown), "a lost answer is called known")
	p.c.sim.ClearFaults()
	var notes struct{ Notes []struct{ Content string } }
	p.c.pd(200, http.MethodGet, "/incidents/"+id+"/notes", "").into(t, &notes)
	note(len(notes.Notes) > 2, "acts twice")
	note(p.c.sim.Usage().Complained(simulator.RepeatedWrite), "same write twice")
	p.c.sim.Advance(time.Second)
	return wrong
}

// TestPagerMutants holds that clients of PagerDuty which are broken on purpose do not pass.
func TestPagerMutants(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		pager pager
		want  string
	}{
		"a good client":               {pager{}, ""},
		"ignores pages":               {pager{firstPageOnly: true}, "not every open incident, pages left unread"},
		"looks back a month":          {pager{lastMonthOnly: true}, "not every open incident"},
		"asks for small pages":        {pager{noPageSize: true}, "too many requests, no page size"},
		"writes lists without []":     {pager{plainLists: true}, "unknown parameter"},
		"says not who acts":           {pager{noFrom: true}, "no note"},
		"takes details for text":      {pager{textDetails: true}, "no list, pages left unread"},
		"repeats writes":              {pager{retriesWrites: true}, "a lost answer is called known, acts twice, same write twice"},
		"believes in what it sent":    {pager{believesReply: true}, "a lost answer is called known"},
		"asks for each incident":      {pager{asksEach: true}, "too many requests"},
		"asks for each, page by page": {pager{asksEach: true, noPageSize: true}, "too many requests, no page size"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(judgePager(t, &x.pager), ", "); got != x.want {
				t.Errorf("found %q, want %q", got, x.want)
			}
		})
	}
}
