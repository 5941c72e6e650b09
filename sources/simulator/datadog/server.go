// Package datadog tells the simulated world as Datadog's API would: metrics, monitors, downtimes, SLOs,
// incidents, on-call and events under /api/v1/ and /api/v2/. Its types are its own.
package datadog

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strconv"

	"example.com/signalbox/sources/simulator/seen"
	"example.com/signalbox/sources/simulator/world"
)

// Config is what a Server is made of.
type Config struct {
	// With runs f while nobody else looks at the world, after bringing it up to its clock's time.
	With  func(f func(*world.World))
	Token string // both keys: DD-API-KEY and DD-APPLICATION-KEY
	API   string // where this server is reached, without a trailing slash: its paths are /api/v1/… and /api/v2/…
	HTML  string // where the pages would be, without a trailing slash
	// Observe hears of every request once its answer is known; nil: nobody listens.
	Observe func(seen.Request)
}

// Server answers Datadog's API. It is safe for use by several goroutines at once.
type Server struct {
	cfg Config
	mux *http.ServeMux
}

// New makes a Server.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, mux: http.NewServeMux()}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.fail(w, http.StatusNotFound, "Not found") })
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, name := range []string{"DD-API-KEY", "DD-APPLICATION-KEY"} {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get(name)), []byte(s.cfg.Token)) != 1 {
			s.fail(w, http.StatusForbidden, "Forbidden")
			return
		}
	}
	s.mux.ServeHTTP(w, r)
}

func (*Server) fail(w http.ResponseWriter, status int, message string) {
	body, _ := Refusal(status, message, false, 0)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone
}

// Refusal is how Datadog words a refusal that does not come from the request itself. With status 200 it is
// an answer that holds an error.
func Refusal(status int, message string, limited bool, retryAfter int) (body []byte, header map[string]string) {
	switch {
	case limited && message == "":
		message = "Rate limit exceeded"
	case message == "":
		message = "Internal Server Error"
	}
	var answer any = map[string][]string{"errors": {message}}
	if status == http.StatusOK {
		answer = map[string]string{"status": "error", "error": message}
	}
	if limited || retryAfter > 0 {
		header = map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": strconv.Itoa(retryAfter)}
	}
	body, err := json.Marshal(answer)
	if err != nil { // maps of text always encode
		panic(err)
	}
	return body, header
}
