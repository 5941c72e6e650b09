// Package pagerduty tells the simulated world as PagerDuty's REST API would: incidents with their logs,
// alerts and notes, shifts, services, people and change events, and what a person does with an incident.
// Its types are its own.
package pagerduty

import (
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
	Token string
	// Login is whose the token is when it is sent as an OAuth bearer: the user of users/me.
	Login    string
	API      string // where this server is reached, without a trailing slash
	HTML     string // where the pages would be, without a trailing slash
	Monitors string // where Datadog's pages would be
	// Observe hears of every request once its answer is known; nil: nobody listens.
	Observe func(seen.Request)
}

// Server answers PagerDuty's REST API. It is safe for use by several goroutines at once.
type Server struct {
	cfg Config
	mux *http.ServeMux
}

// New makes a Server.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, mux: http.NewServeMux()}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write(mustJSON(errorBody{Error: errorText{Code: 2100, Message: "Not Found"}}))
	})
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

type errorBody struct {
	Error errorText `json:"error"`
}

type errorText struct {
	Code    int      `json:"code"`
	Message string   `json:"message"`
	Errors  []string `json:"errors,omitempty"`
}

// Refusal is how PagerDuty words a refusal that does not come from the request itself. With status 200 it
// is an answer that holds an error.
func Refusal(_ int, message string, limited bool, retryAfter int) (body []byte, header map[string]string) {
	e := errorText{Code: 2000, Message: message}
	switch {
	case limited:
		e.Code = 2020
		if message == "" {
			e.Message = "Rate Limit Exceeded"
		}
		header = map[string]string{"ratelimit-remaining": "0", "ratelimit-reset": strconv.Itoa(retryAfter)}
	case message == "":
		e.Message = "Internal Server Error"
	}
	if retryAfter > 0 {
		if header == nil {
			header = map[string]string{}
		}
		header["Retry-After"] = strconv.Itoa(retryAfter)
	}
	return mustJSON(errorBody{Error: e}), header
}

func mustJSON(x any) []byte {
	b, err := json.Marshal(x)
	if err != nil { // every value is one of this package's types
		panic(err)
	}
	return b
}
