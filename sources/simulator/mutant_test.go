package simulator_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/fault"
)

// driver is a small client of its own. Its zero value behaves; each field is a mistake made on purpose.
type driver struct {
	firstPageOnly bool
	ignoresTags   bool
	keepsToken    bool // follows a log's redirect with the token
	retriesWrites bool
	refuses202    bool
	noPageSize    bool

	c    *client
	tags map[string]string
	kept map[string][]byte
	next map[string]string
}

func (d *driver) read(url string) ([]byte, string, error) {
	var h []string
	if tag := d.tags[url]; tag != "" && !d.ignoresTags {
		h = []string{"If-None-Match", tag}
	}
	a, err := d.c.try(http.MethodGet, url, "", h...)
	switch {
	case err != nil:
		return nil, "", err
	case a.StatusCode == http.StatusNotModified:
		return d.kept[url], d.next[url], nil
	case a.StatusCode != http.StatusOK:
		return nil, "", fmt.Errorf("status %d", a.StatusCode)
	}
	next := ""
	if m := nextLink.FindStringSubmatch(a.Header.Get("Link")); m != nil {
		next = m[1]
	}
	d.tags[url], d.kept[url], d.next[url] = a.Header.Get("ETag"), a.body, next
	return a.body, next, nil
}

func (d *driver) deployments(repo string) (int, error) {
	url := "/repos/" + repo + "/deployments?per_page=20"
	if d.noPageSize {
		url = "/repos/" + repo + "/deployments"
	}
	n := 0
	for url != "" {
		body, next, err := d.read(url)
		if err != nil {
			return 0, err
		}
		var list []deploymentBody
		if err := json.Unmarshal(body, &list); err != nil {
			return 0, err
		}
		n += len(list)
		if url = next; d.firstPageOnly {
			break
		}
	}
	return n, nil
}

func (d *driver) log(repo string, job int64) ([]byte, error) {
	a, err := d.c.try(http.MethodGet, "/repos/"+repo+"/actions/jobs/"+itoa(job)+"/logs", "")
	if err != nil || a.StatusCode != http.StatusFound {
		return nil, errors.Join(err, errors.New("no redirect"))
	}
	req, err := http.NewRequestWithContext(d.c.t.Context(), http.MethodGet, a.Header.Get("Location"), http.NoBody)
	if err != nil {
		return nil, err
	}
	if d.keepsToken {
		req.Header.Set("Authorization", "Bearer "+d.c.token)
	}
	resp, err := d.c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	return io.ReadAll(resp.Body)
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
	d.tags, d.kept, d.next = map[string]string{}, map[string][]byte{}, map[string]string{}
	c, note := d.c, func(bad bool, what string) {
		if bad {
			wrong = append(wrong, what)
		}
	}
	c.sim.ResetUsage()
	first, err := d.deployments("acme/web")
	second, err2 := d.deployments("acme/web")
	u := c.sim.Usage()
	note(errors.Join(err, err2) != nil || first != second, "two reads differ")
	note(len(u.Unread) > 0, "pages left unread")
	note(u.Complained(simulator.Unconditional) || u.NotModified == 0, "asks again without condition")
	note(u.Complained(simulator.NoPageSize), "no page size")

	run := c.find("acme/money", "branch=fix/lag")
	job := c.jobs("acme/money", run.ID, "")[0]
	body, err := d.log("acme/money", job.ID)
	note(err != nil || !bytes.HasPrefix(body, []byte("\ufeff")), "no log")
	note(c.sim.Usage().Complained(simulator.TokenToLogHost), "token given away")

	const dispatch = "/repos/acme/web/actions/workflows/deploy.yml/dispatches"
	before := c.runs("acme/web", "event=workflow_dispatch").TotalCount
	c.inject(fault.Rule{Method: "POST", Path: dispatch, Kind: fault.LostAnswer, Times: 1})
	err = d.write(dispatch, `{"ref":"main","inputs":{"environment":"dev","ref":"main"}}`)
	note(!errors.Is(err, errUnknown), "a lost answer is called known")
	note(c.runs("acme/web", "event=workflow_dispatch").TotalCount != before+1, "fires twice")
	note(c.sim.Usage().Complained(simulator.RepeatedWrite), "same write twice")

	started := c.find("acme/web", "event=workflow_dispatch")
	err = d.write("/repos/acme/web/actions/runs/"+itoa(started.ID)+"/cancel", "")
	c.until(time.Minute, func() bool { return c.find("acme/web", "event=workflow_dispatch").done() })
	note(err != nil, "a cancel that worked is called failed")
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
		"ignores pages":             {driver{firstPageOnly: true}, "pages left unread"},
		"ignores ETags":             {driver{ignoresTags: true}, "asks again without condition"},
		"gives its token away":      {driver{keepsToken: true}, "no log, token given away"},
		"repeats writes":            {driver{retriesWrites: true}, "a lost answer is called known, fires twice, same write twice"},
		"takes a 202 for a failure": {driver{refuses202: true}, "a cancel that worked is called failed"},
		"asks for small pages":      {driver{noPageSize: true}, "no page size"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(judge(t, &x.driver), ", "); got != x.want {
				t.Errorf("found %q, want %q", got, x.want)
			}
		})
	}
}
