package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// notOurs says that an answer is somebody else's: a gateway's, or another program's at that address.
func notOurs(what string) error {
	return &sources.Error{
		Kind: sources.Invalid, Msg: "the answer is not what Alertmanager promises for " + what,
		Fix: "check url, its path, and what stands in between",
	}
}

// get reads one body from a replica.
func (r *replica) get(ctx context.Context, path string, q url.Values) ([]byte, error) {
	body, _, err := r.send(ctx, http.MethodGet, path, q, nil)
	return body, err
}

// send sends one request and reads its whole answer. The headers are there for a refusal too.
func (r *replica) send(ctx context.Context, method, path string, q url.Values, body any) ([]byte, http.Header, error) {
	u := *r.address
	u.Path += path
	u.RawQuery = q.Encode()
	var in io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, nil, fmt.Errorf("write the request: %w", err)
		}
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), in)
	if err != nil {
		return nil, nil, fmt.Errorf("ask for %s: %w", path, err)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.GetBody = nil // nothing is sent twice
	}
	res, err := r.client.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("ask for %s: %w", path, err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if res.StatusCode/100 != 2 {
		return nil, res.Header, r.explain(res, data)
	}
	if err != nil {
		return nil, res.Header, fmt.Errorf("read %s: %w", path, err)
	}
	return data, res.Header, nil
}

// explain turns a refusal into an error for people, with Alertmanager's own words where it has some.
func (r *replica) explain(res *http.Response, body []byte) *sources.Error {
	e := httpx.Status("", "", res)
	said := saidBy(body)
	switch {
	case res.StatusCode == http.StatusRequestTimeout:
		e.Kind = sources.Transient // a gateway gave up waiting
	case e.Kind == sources.Throttled, res.StatusCode == http.StatusForbidden && !r.transport.PausedUntil().IsZero():
		e.Kind, e.Msg, e.RetryAt = sources.Throttled, "the server asks to slow down", r.transport.PausedUntil()
	case res.StatusCode == http.StatusUnauthorized:
		e.Msg, e.Fix = "the sign-in is not accepted", "check token, basic or secret_headers of this source"
	case res.StatusCode == http.StatusForbidden:
		e.Fix = "check what the credential may do, and the tenant in headers"
	case res.StatusCode == http.StatusNotFound:
		e.Msg, e.Fix = "there is no Alertmanager at this address, or not what was asked for", "check url and its path"
	}
	if said != "" && e.Kind != sources.Throttled && e.Kind != sources.Permission {
		e.Msg += ": " + said
	}
	return e
}

// saidBy is what an error's body says: a JSON string, or an object with a message.
func saidBy(body []byte) string {
	var text string
	var object struct {
		Message string `json:"message"`
		Error   string `json:"error"`
	}
	if json.Unmarshal(body, &text) != nil {
		if json.Unmarshal(body, &object) == nil {
			text = object.Message + object.Error
		}
	}
	return strings.TrimSuffix(clean.Line(text).Cut(200, clean.Const("…")).String(), ".")
}

// name is how a replica is called: its host, which tells it from its peers.
func (r *replica) name() string { return r.address.Host + r.address.Path }

// reader is one reading of a cluster: the replica that answered, and what is known of the others.
type reader struct {
	s       *source
	replica *replica
	failed  map[*replica]error
}

// order are the replicas, the one that answered last first.
func (s *source) order() []*replica {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append([]*replica(nil), s.replicas[s.good:]...)
	return append(all, s.replicas[:s.good]...)
}

func (s *source) answered(r *replica) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, known := range s.replicas {
		if known == r {
			s.good = i
		}
	}
}

// maxTry is how long one of several replicas may take where the context says nothing.
const maxTry = 15 * time.Second

// try bounds one of left attempts, so that a replica that hangs leaves time for the next.
func try(ctx context.Context, left int) (context.Context, context.CancelFunc) {
	if left <= 1 {
		return context.WithCancel(ctx)
	}
	limit := maxTry
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline)/time.Duration(left))
	}
	return context.WithTimeout(ctx, limit)
}

// read asks the replicas in turn until one has answered. What fails on all of them is an error that names
// each.
func read[T any](ctx context.Context, s *source, ask func(context.Context, *replica) (T, error)) (T, *reader, error) {
	rd := &reader{s: s, failed: map[*replica]error{}}
	var first *sources.Error
	var texts []string
	all := s.order()
	for i, r := range all {
		one, cancel := try(ctx, len(all)-i)
		v, err := ask(one, r)
		cancel()
		if err == nil {
			rd.replica = r
			s.answered(r)
			return v, rd, nil
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		e := httpx.Explain("", "", err)
		rd.failed[r] = e
		texts = append(texts, r.name()+": "+e.Msg)
		if first == nil || first.Kind != sources.Throttled && e.Kind == sources.Throttled {
			first = e
		}
		if ctx.Err() != nil {
			break
		}
	}
	var none T
	if len(texts) == 1 {
		return none, rd, first
	}
	c := *first
	c.Msg = "no replica answers: " + strings.Join(texts, "; ")
	return none, rd, &c
}

// probeTime is how long a replica that is not needed may take to show that it lives.
const probeTime = 4 * time.Second

// notices name the replicas that do not answer: those that failed, and those that were not needed, which
// are asked for something small.
func (rd *reader) notices(ctx context.Context) []sources.Notice {
	if len(rd.s.replicas) < 2 {
		return nil
	}
	found := make([]error, len(rd.s.replicas))
	var wg sync.WaitGroup
	for i, r := range rd.s.replicas {
		if err, tried := rd.failed[r]; tried {
			found[i] = err
			continue
		}
		if r == rd.replica {
			continue
		}
		wg.Go(func() {
			one, cancel := context.WithTimeout(ctx, probeTime)
			defer cancel()
			_, found[i] = r.get(one, "/api/v2/receivers", nil)
		})
	}
	wg.Wait()
	var all []sources.Notice
	for i, err := range found {
		if err == nil {
			continue
		}
		e := httpx.Explain("", "", err)
		fix := e.Fix
		if fix == "" {
			fix = "check that replica: nothing is lost while another one answers"
		}
		all = append(all, sources.Notice{
			Kind: e.Kind,
			Text: clean.Linef("replica %s does not answer (%s); %s does", rd.s.replicas[i].name(), e.Msg, rd.replica.name()),
			Fix:  clean.Line(fix),
		})
	}
	return all
}
