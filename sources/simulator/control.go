package simulator

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/fault"
	"example.com/signalbox/sources/simulator/world"
)

// Controls tells those who steer a world what its control tree takes.
func Controls() string {
	return `  GET    /-/world            what is true: what runs where, how it behaves, who is paged
  GET    /-/clock            its time and speed; ?after=N waits until it was set more often than N times
  POST   /-/clock            {"speed"}: the world's seconds in a real one; 0 stops it
  POST   /-/advance?d=1m30s  puts the clock forward
  POST   /-/merges           {"service", "title", "by", "tag", "bad", "path"}: a change lands on the default
                             branch and starts what that starts; bad: it fails requests where it runs
  POST   /-/versions         {"service", "ref", "bad"}: whether a version is bad, from when it next takes effect
  POST   /-/approvals        {"service", "approve"}: decides, as sre1, all that waits in its repository
  POST   /-/rest             {"rest"}: whether everybody rests from everyday work, so that nothing else moves
  POST   /-/incidents        {"service", "title", "severity"}: pages
  POST   /-/incidents/N/ACT  acknowledge or resolve the incident with number N, as sre1
  POST   /-/trouble          {"service", "metric", "add", "minutes"}: makes a metric worse for a while
  POST   /-/fault            {"vendor", "method", "path", "kind", "code", "message", "retry_after", "delay",
                             "skip", "times"}: the requests that fit fail, after skip of them and so many
                             times; path is a pattern (* within an element, a last ** for the rest); kind is
                             status (with code), html, secondary (a rate limit), hang, stall (carried out, and
                             never answered), lost_request, lost_answer, reset, truncate, wrong_types,
                             error_in_200 or latency (delay in nanoseconds)
  DELETE /-/fault            takes all faults away
  GET    /-/requests         what arrived, its status, and whether a write was carried out; ?writes=true
  GET    /-/usage            how much was asked, and what no well-behaved client does
  DELETE /-/requests, /-/usage  forgets it, and counts anew`
}

// control serves the tree under /-/, for tests and training, to whoever has the simulator's token. Controls
// lists it.
func (s *Simulator) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/world", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Truth()) })
	mux.HandleFunc("POST /-/advance", s.advance)
	mux.HandleFunc("GET /-/clock", s.tellClock)
	mux.HandleFunc("POST /-/clock", s.setClock)
	mux.HandleFunc("GET /-/requests", func(w http.ResponseWriter, r *http.Request) {
		reply(w, s.Requests(r.URL.Query().Get("writes") == "true"))
	})
	mux.HandleFunc("DELETE /-/requests", func(w http.ResponseWriter, _ *http.Request) {
		s.ResetRequests()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /-/merges", s.addMerge)
	mux.HandleFunc("POST /-/versions", s.addVersion)
	mux.HandleFunc("POST /-/approvals", s.decide)
	mux.HandleFunc("POST /-/rest", s.setRest)
	mux.HandleFunc("POST /-/fault", s.addFault)
	mux.HandleFunc("DELETE /-/fault", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /-/usage", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Usage()) })
	mux.HandleFunc("DELETE /-/usage", func(w http.ResponseWriter, _ *http.Request) {
		s.ResetUsage()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /-/incidents", s.addIncident)
	mux.HandleFunc("POST /-/incidents/{number}/{act}", s.incident)
	mux.HandleFunc("POST /-/trouble", s.addTrouble)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) != 1 {
			http.Error(w, "the control tree wants the simulator's token", http.StatusUnauthorized)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		mux.ServeHTTP(w, r)
	})
}

func reply(w http.ResponseWriter, x any) {
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(x) // the client may be gone
}

func (s *Simulator) advance(w http.ResponseWriter, r *http.Request) {
	d, err := time.ParseDuration(r.URL.Query().Get("d"))
	if err != nil || d < 0 || d > 31*24*time.Hour {
		http.Error(w, "d must be a duration from 0 to 744h, like 1m30s", http.StatusBadRequest)
		return
	}
	s.Advance(d)
	reply(w, map[string]time.Time{"now": s.Now()})
}

func (s *Simulator) tellClock(w http.ResponseWriter, r *http.Request) {
	after, err := strconv.Atoi(r.URL.Query().Get("after"))
	if err != nil {
		after = -1
	}
	late := time.NewTimer(followWait)
	defer late.Stop()
	for {
		now, changed := s.clock.read()
		if now.Set > after {
			reply(w, now)
			return
		}
		select {
		case <-changed:
		case <-late.C:
			after = -1
		case <-r.Context().Done():
			return
		}
	}
}

func (s *Simulator) setClock(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Speed *float64 `json:"speed"`
	}
	if !told(w, r, &in) {
		return
	}
	if in.Speed == nil || s.Run(*in.Speed) != nil {
		http.Error(w, fmt.Sprintf("speed must be a number from 0 to %d", MaxSpeed), http.StatusBadRequest)
		return
	}
	now, _ := s.clock.read()
	reply(w, now)
}

func (s *Simulator) addMerge(w http.ResponseWriter, r *http.Request) {
	var in Merge
	if !told(w, r, &in) {
		return
	}
	sha, err := s.Merge(in)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, map[string]string{"sha": sha})
}

func (s *Simulator) addVersion(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Service string `json:"service"`
		Ref     string `json:"ref"`
		Bad     bool   `json:"bad"`
	}
	if !told(w, r, &in) {
		return
	}
	sha, err := s.Judge(in.Service, in.Ref, in.Bad)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, map[string]string{"sha": sha})
}

func (s *Simulator) setRest(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Rest bool `json:"rest"`
	}
	if told(w, r, &in) {
		s.Rest(in.Rest)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *Simulator) decide(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Service string `json:"service"`
		Approve *bool  `json:"approve"`
	}
	if !told(w, r, &in) {
		return
	}
	if in.Approve == nil {
		http.Error(w, "approve must be true or false", http.StatusBadRequest)
		return
	}
	n, err := s.Decide(in.Service, *in.Approve)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, map[string]int{"runs": n})
}

// told decodes the body of a request, and answers when it is none of its kind.
func told(w http.ResponseWriter, r *http.Request, into any) bool {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		http.Error(w, "the body is not as described: "+err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func (s *Simulator) addIncident(w http.ResponseWriter, r *http.Request) {
	in := struct {
		Service  string `json:"service"`
		Title    string `json:"title"`
		Severity int    `json:"severity"`
	}{Severity: 2}
	if !told(w, r, &in) {
		return
	}
	number, err := s.Page(in.Service, in.Title, in.Severity)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, map[string]int{"number": number})
}

func (s *Simulator) addTrouble(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Service string  `json:"service"`
		Metric  string  `json:"metric"`
		Add     float64 `json:"add"`
		Minutes float64 `json:"minutes"`
	}
	if !told(w, r, &in) {
		return
	}
	if err := s.Trouble(in.Service, in.Metric, in.Add, time.Duration(in.Minutes*float64(time.Minute))); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Simulator) addFault(w http.ResponseWriter, r *http.Request) {
	var rule fault.Rule
	if !told(w, r, &rule) {
		return
	}
	if err := s.Inject(rule); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Simulator) incident(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.PathValue("number"))
	found := false
	s.with(func(wd *world.World) {
		i := wd.Incident(number)
		if i == nil || err != nil {
			return
		}
		switch r.PathValue("act") {
		case "acknowledge":
			wd.Acknowledge(i, wd.User("sre1"), "web")
			found = true
		case "resolve":
			wd.Resolve(i, wd.User("sre1"), "web")
			found = true
		}
	})
	if !found {
		http.Error(w, "no such incident or act", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
