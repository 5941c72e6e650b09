package datadog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"example.com/signalbox/sources/simulator/datadog/mql"
	"example.com/signalbox/sources/simulator/seen"
	"example.com/signalbox/sources/simulator/world"
)

// maxBody is the largest request body that is read.
const maxBody = 1 << 20

// Config is what a Server is made of.
type Config struct {
	// With runs f while nobody else looks at the world, after bringing it up to its clock's time.
	With  func(f func(*world.World))
	Token string // both keys of sre1: DD-API-KEY and DD-APPLICATION-KEY
	API   string // where this server is reached, without a trailing slash: its paths are /api/v1/… and /api/v2/…
	HTML  string // where the pages would be, without a trailing slash
	// Keys are more pairs of keys: other people, fewer scopes.
	Keys []Keys
	// Limits are the rate limits of families of endpoints that differ from Datadog's own.
	Limits map[string]Limit
	// Observe hears of every request once its answer is known; nil: nobody listens. It is called while
	// the world is locked.
	Observe func(seen.Request)
}

// Keys is a pair of an API key and an application key, and what it may do.
type Keys struct {
	API, Application string
	Login            string   // whose application key it is
	Scopes           []string // of the application key; nil: all
}

// Server answers Datadog's API at /api/v1/ and /api/v2/. It is safe for use by several goroutines at once.
type Server struct {
	cfg Config
	mux *http.ServeMux

	// What follows is guarded by the world's lock.
	cache   mql.Cache
	windows map[string]*window
	stable  map[int]bool // incidents that no longer get worse, by number
	lowered map[int]bool // incidents whose severity was changed here
	posted  []*event
	filed   []deployment
}

// New makes a Server.
func New(cfg Config) *Server {
	cfg.Keys = append([]Keys{{API: cfg.Token, Application: cfg.Token, Login: "sre1"}}, cfg.Keys...)
	s := &Server{cfg: cfg, windows: map[string]*window{}, stable: map[int]bool{}, lowered: map[int]bool{}}
	s.mux = http.NewServeMux()
	for _, rt := range routes() {
		s.mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, rt) })
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, s.nowhere(r)) })
	return s
}

// call is one request in the making of its answer.
type call struct {
	s     *Server
	w     *world.World
	r     *http.Request
	keys  *Keys
	q     url.Values
	body  []byte
	route route
	next  url.Values // the parameters of the page after this one; nil: there is none
}

// answer is what is sent. A nil body sends none.
type answer struct {
	status int
	body   []byte
	header map[string]string
}

type handler func(*call) answer

// route is one endpoint.
type route struct {
	pattern string
	do      handler
	family  string
	scope   string   // that an application key needs; "": the API key alone will do
	params  []string // that may stand in the address
	size    string   // the one that names the page's size, where the endpoint is a list
	write   bool
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// nowhere answers what no route does: a path that is none, or a method that a path does not have.
func (s *Server) nowhere(r *http.Request) route {
	rt := route{pattern: r.Method + " (none)", family: "none", do: func(c *call) answer { return c.fail(http.StatusNotFound, "Not Found") }}
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = m
		if _, pattern := s.mux.Handler(other); pattern != "/" && m != r.Method {
			rt.do = func(c *call) answer { return c.fail(http.StatusMethodNotAllowed, "Method Not Allowed") }
		}
	}
	return rt
}

// serve answers one request of a route.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt route) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if big := (*http.MaxBytesError)(nil); errors.As(err, &big) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, `{"errors":["Request body could not be read"]}`, status)
		return
	}
	var a answer
	s.cfg.With(func(wd *world.World) {
		c := &call{s: s, w: wd, r: r, body: body, route: rt, q: r.URL.Query()}
		a = c.run()
	})
	h := w.Header()
	for k, v := range a.header {
		h.Set(k, v)
	}
	if a.status == http.StatusNoContent {
		a.body = nil
	} else {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may be gone
}

// run takes a request through authentication, the rate limit and its handler.
func (c *call) run() answer {
	a, ok := c.authenticate()
	charged := false
	if ok {
		if charged = c.charge(); charged {
			a = c.route.do(c)
		} else {
			a = c.exhausted()
		}
	}
	c.headers(&a)
	if c.s.cfg.Observe != nil {
		c.s.cfg.Observe(c.seen(a.status, charged))
	}
	return a
}

func (c *call) seen(status int, charged bool) seen.Request {
	s := seen.Request{
		Vendor: seen.Datadog, Endpoint: c.route.pattern, Method: c.r.Method, URI: c.r.URL.RequestURI(), Identity: c.login(),
		Body: string(c.body), Status: status, Read: !c.route.write, Charged: charged, List: c.route.size != "",
		PageSize: c.route.size != "" && c.q.Has(c.route.size), Asked: c.r.URL.Path + "?" + c.q.Encode(),
	}
	for p := range c.q {
		if !slices.Contains(c.route.params, p) {
			s.Wrong = append(s.Wrong, "unknown query parameter")
			break
		}
	}
	if c.next != nil {
		s.Next = c.r.URL.Path + "?" + c.next.Encode()
	}
	return s
}

func (c *call) headers(a *answer) {
	h := map[string]string{
		"Content-Type": "application/json", "Date": c.w.Now().UTC().Format(http.TimeFormat), "Cache-Control": "no-cache",
		"X-Frame-Options": "SAMEORIGIN", "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
	}
	if c.keys != nil {
		c.limitHeaders(h)
	}
	for k, v := range a.header {
		h[k] = v
	}
	if a.status == http.StatusNoContent {
		h["Content-Type"] = "text/html; charset=utf-8"
	}
	a.header = h
}

// ok answers x.
func (*call) ok(x any) answer { return answer{status: http.StatusOK, body: mustJSON(x)} }

// api answers x as a JSON:API document.
func (*call) api(status int, x any) answer {
	return answer{status: status, body: mustJSON(x), header: map[string]string{"Content-Type": "application/vnd.api+json"}}
}

// fail answers an error as most endpoints word theirs.
func (*call) fail(status int, messages ...string) answer {
	return answer{status: status, body: mustJSON(map[string][]string{"errors": messages})}
}

// problem answers an error as an object: the younger endpoints do, whatever their description says.
func (c *call) problem(status int, detail string) answer {
	return c.api(status, map[string]any{"errors": []map[string]string{
		{"status": strconv.Itoa(status), "title": http.StatusText(status), "detail": detail},
	}})
}

// decode reads a body that has to be there.
func (c *call) decode(into any) error {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return errors.New("request body is empty")
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		if mistyped := (*json.UnmarshalTypeError)(nil); errors.As(err, &mistyped) {
			return fmt.Errorf("'%s' is of the wrong type: %s", mistyped.Field, mistyped.Value)
		}
		return errors.New("JSON parse error")
	}
	return nil
}

// number reads a whole number from the address; otherwise where it is not there.
func (c *call) number(param string, otherwise, lo, hi int) (int, error) {
	v := c.q.Get(param)
	if v == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < lo || n > hi {
		return 0, fmt.Errorf("Invalid value for '%s': %s", param, v) //nolint:staticcheck // Datadog's words
	}
	return n, nil
}

// from is the entries of a page, and whether there are more behind it.
func from[T any](list []T, offset, size int) ([]T, bool) {
	if offset >= len(list) {
		return []T{}, false
	}
	end := min(offset+size, len(list))
	return list[offset:end], end < len(list)
}

// announce notes that there is a page after this one, and where it begins.
func (c *call) announce(param string, value int) {
	c.next = url.Values{}
	for k, v := range c.q {
		c.next[k] = v
	}
	c.next.Set(param, strconv.Itoa(value))
}

func mustJSON(x any) []byte {
	b, err := json.Marshal(x)
	if err != nil { // every value is one of this package's types
		panic(err)
	}
	return b
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
	return mustJSON(answer), header
}
