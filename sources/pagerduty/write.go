package pagerduty

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// send makes one request that changes something, once. from is the address of who acts: PagerDuty wants it on
// every write, also where go-pagerduty forgets it. An error of another kind than Ambiguous means that nothing
// was changed. Go's transport tries again by itself only where a connection turned out to be dead before a
// byte was written.
func (s *source) send(ctx context.Context, method, path, from string, body any) ([]byte, error) {
	c, err := s.conn(ctx)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	ctx, flight := httpx.Watch(ctx)
	req, err := http.NewRequestWithContext(ctx, method, s.address(path, nil), bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Accept", media)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("From", from)
	res, err := c.writes.Do(req)
	if err != nil && !flight.MayHaveArrived(err) {
		return nil, err //nolint:wrapcheck // Perform says what was being done
	}
	if err != nil {
		return nil, ambiguous(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	switch code := res.StatusCode; {
	case code/100 == 2 && err != nil:
		return nil, ambiguous(err)
	case code/100 == 2:
		return answer, nil
	case code >= 500:
		e := ambiguous(fmt.Errorf("status %s", res.Status))
		e.Msg = "PagerDuty failed while it worked on it: it may have been done"
		return nil, e
	case httpx.Undecided(res):
		return nil, ambiguous(fmt.Errorf("status %s", res.Status))
	case code/100 == 3:
		return nil, httpx.Redirected("", "", "check region: and base_url:", res)
	}
	e := s.refusal(res, answer, c.write)
	if e.Kind == sources.Throttled {
		e.Msg, e.Fix = "PagerDuty takes no more changes at the moment: nothing was changed", "try again when the time is up, or use PagerDuty's own pages"
	}
	return nil, e
}

func ambiguous(err error) *sources.Error {
	return httpx.Lost("", "", "look at the incident before you try again", err)
}

// answered decodes what a write brought. What cannot be decoded leaves open whether it was done.
func answered[T wire](body []byte) (T, error) {
	v, err := decode[T](body)
	if err != nil {
		return v, ambiguous(err)
	}
	return v, nil
}
