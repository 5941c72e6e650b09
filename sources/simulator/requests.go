package simulator

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"example.com/signalbox/sources/simulator/seen"
)

// Request is one request that reached the simulator, and what became of it.
type Request struct {
	At     time.Time `json:"at"` // in the world's time
	Vendor string    `json:"vendor"`
	Method string    `json:"method"`
	Path   string    `json:"path"`  // without its query
	Write  bool      `json:"write"` // it may change something
	// Status is what the client was answered; 0 when the connection was broken, or nothing was answered yet.
	Status int `json:"status"`
	// Applied reports that it is a write which the provider took, whatever its client then learned of that.
	Applied bool `json:"applied"`
}

// requestsKept bounds the log; the oldest go first.
const requestsKept = 1 << 14

// requests logs what arrives.
type requests struct {
	mu  sync.Mutex
	all []*Request
}

// Requests lists what has arrived since the start, or since ResetRequests, in the order of its arrival. With
// writes only what may change something.
func (s *Simulator) Requests(writes bool) []Request {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	out := []Request{}
	for _, r := range s.requests.all {
		if !writes || r.Write {
			out = append(out, *r)
		}
	}
	return out
}

// ResetRequests forgets what has arrived.
func (s *Simulator) ResetRequests() {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	s.requests.all = nil
}

func (q *requests) add(r *Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.all) >= requestsKept {
		q.all = append([]*Request(nil), q.all[requestsKept/4:]...)
	}
	q.all = append(q.all, r)
}

func (q *requests) change(r *Request, do func(*Request)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	do(r)
}

// writes reports whether a request may change something: not every POST does.
func writes(vendor, method, path string) bool {
	if method == http.MethodGet || method == http.MethodHead {
		return false
	}
	return vendor != seen.Datadog || method != http.MethodPost || !slices.Contains(asking(), path)
}

// asking are what Datadog is asked by POST.
func asking() []string {
	return []string{"/api/v2/query/timeseries", "/api/v2/query/scalar", "/api/v2/events/search", "/api/v2/dora/deployments"}
}

type requestKey struct{}

// arriving logs a request before any fault strikes it.
func (s *Simulator) arriving(vendor string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one := &Request{
			At: s.clock.now(), Vendor: vendor, Method: r.Method, Path: r.URL.EscapedPath(), Write: writes(vendor, r.Method, r.URL.Path),
		}
		s.requests.add(one)
		told := func(status int) { s.requests.change(one, func(x *Request) { x.Status = status }) }
		next.ServeHTTP(&hearing{w, told}, r.WithContext(context.WithValue(r.Context(), requestKey{}, one)))
	})
}

// processed notes what the provider made of a request: it is within the faults.
func (s *Simulator) processed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one, _ := r.Context().Value(requestKey{}).(*Request)
		next.ServeHTTP(&hearing{w, func(status int) {
			if one != nil && one.Write && status/100 == 2 {
				s.requests.change(one, func(x *Request) { x.Applied = true })
			}
		}}, r)
	})
}

// hearing tells of the status that is sent.
type hearing struct {
	http.ResponseWriter
	told func(status int)
}

// WriteHeader sends the status.
func (h *hearing) WriteHeader(status int) {
	h.told(status)
	h.ResponseWriter.WriteHeader(status)
}

// Unwrap lets what is behind it be reached.
func (h *hearing) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// Hijack hands the connection over.
func (h *hearing) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buf, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take the connection: %w", err)
	}
	return conn, buf, nil
}
