package pagerduty

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/seen"
	"example.com/signalbox/sources/simulator/world"
)

const (
	maxBody = 1 << 20
	// perMinute is how many requests a minute PagerDuty allows a token.
	perMinute = 960
)

// Config is what a Server is made of.
type Config struct {
	// With runs f while nobody else looks at the world, after bringing it up to its clock's time.
	With       func(f func(*world.World))
	Identities []Identity // the tokens that are known
	API        string     // where this server is reached, without a trailing slash
	HTML       string     // where the pages would be, without a trailing slash
	Monitors   string     // where Datadog's pages would be, without a trailing slash
	// Observe hears of every request once its answer is known; nil: nobody listens. It is called while the
	// world is locked.
	Observe func(seen.Request)
}

// Identity is a token and what it may do.
type Identity struct {
	Token string
	Login string // whose it is
	// User makes it a user's own token. Another is the account's, and says with each write in whose name it
	// acts. What comes as an OAuth bearer is a user's own all the same.
	User     bool
	ReadOnly bool
	Limit    int // requests a minute; 0: 960
}

// Server answers PagerDuty's REST API. It is safe for use by several goroutines at once.
type Server struct {
	cfg  Config
	mux  *http.ServeMux
	view view

	// What follows is guarded by the world's lock.
	identities map[string]*Identity
	windows    map[string]*window
}

type window struct {
	used  int
	reset time.Time
}

// New makes a Server.
func New(cfg Config) *Server {
	s := &Server{
		cfg: cfg, mux: http.NewServeMux(), view: view{api: cfg.API, html: cfg.HTML, monitors: cfg.Monitors},
		identities: map[string]*Identity{}, windows: map[string]*window{},
	}
	for _, id := range cfg.Identities {
		if id.Limit == 0 {
			id.Limit = perMinute
		}
		s.identities[id.Token] = &id
	}
	s.routes()
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// call is one request in the making of its answer.
type call struct {
	s     *Server
	w     *world.World
	v     view
	r     *http.Request
	id    *Identity // nil: not authenticated
	own   bool      // the credential says who acts
	actor *world.User
	q     url.Values
	body  []byte
	route route
	next  string // the query of the page that was announced
	wrong []string
}

// answer is what is sent.
type answer struct {
	status int
	body   []byte
	header map[string]string
}

// serve answers one request of a route.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt route) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if big := (*http.MaxBytesError)(nil); errors.As(err, &big) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, `{"error":{"message":"Invalid Input Provided","code":2001}}`, status)
		return
	}
	var a answer
	s.cfg.With(func(wd *world.World) {
		c := &call{s: s, w: wd, v: s.view, r: r, body: body, route: rt, q: r.URL.Query()}
		c.v.w = wd
		a = c.run()
	})
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may be gone
}

// run takes a request through authentication, the rate limit and its handler.
func (c *call) run() answer {
	charged := false
	a, ok := c.authenticate()
	if ok && c.id != nil {
		charged = c.charge()
		if !charged {
			a, ok = c.limited(), false
		}
	}
	if ok {
		c.check()
		if a, ok = c.requester(); ok {
			a = c.route.do(c)
		}
	}
	if a.header == nil {
		a.header = map[string]string{}
	}
	c.headers(a.header)
	if c.s.cfg.Observe != nil {
		uri := "/pagerduty" + c.r.URL.RequestURI()
		c.s.cfg.Observe(seen.Request{
			Vendor: seen.PagerDuty, Endpoint: c.route.name(), Method: c.r.Method, URI: uri, Identity: c.who(), Body: string(c.body),
			Status: a.status, Read: c.r.Method == http.MethodGet, Charged: charged, List: c.route.list, PageSize: c.q.Has("limit"),
			Asked: c.asked(), Next: c.next, Wrong: c.wrong,
		})
	}
	return a
}

func (c *call) who() string {
	if c.id == nil {
		return ""
	}
	return c.id.Login + " " + c.id.Token
}

// authenticate finds out who asks. The answer counts only when it reports false.
func (c *call) authenticate() (answer, bool) {
	if c.route.open {
		return answer{}, true
	}
	scheme, rest, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	token := strings.TrimSpace(rest)
	switch {
	case strings.EqualFold(scheme, "Token"):
		after, ok := strings.CutPrefix(token, "token=")
		if !ok {
			c.complain("authorization is not Token token=…")
		}
		token = strings.Trim(after, `"`)
	case strings.EqualFold(scheme, "Bearer"):
		c.own = true
	default:
		token = ""
	}
	c.id = c.s.identities[token]
	if c.id == nil || token == "" {
		c.id = nil
		return c.fail(http.StatusUnauthorized, 2006, "Invalid credentials"), false
	}
	c.own = c.own || c.id.User
	if c.id.ReadOnly && c.r.Method != http.MethodGet {
		return c.fail(http.StatusForbidden, 2010, "Access Denied"), false
	}
	return answer{}, true
}

// requester finds out in whose name a write is done.
func (c *call) requester() (answer, bool) {
	if c.route.open {
		return answer{}, true
	}
	if c.own {
		c.actor = c.w.User(c.id.Login)
		return answer{}, true
	}
	if c.r.Method == http.MethodGet {
		return answer{}, true
	}
	from := strings.TrimSpace(c.r.Header.Get("From"))
	if from == "" {
		return c.fail(http.StatusBadRequest, 2016, "You must specify a user's email address in the \"From\" header to perform this action"), false
	}
	for _, u := range c.w.Users {
		if !u.Bot && strings.EqualFold(u.Email(), from) {
			c.actor = u
			return answer{}, true
		}
	}
	return c.fail(http.StatusBadRequest, 1008, "Requester User Not Found"), false
}

// window is the current minute of a token.
func (c *call) window() *window {
	w := c.s.windows[c.id.Token]
	if w == nil || !c.w.Now().Before(w.reset) {
		w = &window{reset: c.w.Now().Add(time.Minute)}
		c.s.windows[c.id.Token] = w
	}
	return w
}

func (c *call) charge() bool {
	w := c.window()
	if w.used >= c.id.Limit {
		return false
	}
	w.used++
	return true
}

func (c *call) limited() answer {
	return c.fail(http.StatusTooManyRequests, 2020, "Rate Limit Exceeded")
}

func (c *call) headers(h map[string]string) {
	h["Content-Type"] = "application/json; charset=utf-8"
	h["Date"] = c.w.Now().UTC().Format(http.TimeFormat)
	h["Cache-Control"] = "no-store"
	if c.id == nil {
		return
	}
	w := c.window()
	h["ratelimit-limit"] = strconv.Itoa(c.id.Limit)
	h["ratelimit-remaining"] = strconv.Itoa(max(0, c.id.Limit-w.used))
	h["ratelimit-reset"] = strconv.Itoa(int((w.reset.Sub(c.w.Now()) + time.Second - 1) / time.Second))
}

func (c *call) complain(what string) { c.wrong = append(c.wrong, what) }

// check complains of what the API does not know and silently ignores.
func (c *call) check() {
	for name := range c.q {
		if !c.route.takes(name) {
			c.complain("unknown query parameter")
		}
	}
	if n, err := strconv.Atoi(c.q.Get("limit")); c.q.Has("limit") && (err != nil || n < 1 || n > maxLimit) {
		c.complain("limit outside 1 to 100")
	}
	if accept := c.r.Header.Get("Accept"); accept != "" && !strings.Contains(accept, "json") && !strings.Contains(accept, "*/*") {
		c.complain("accepts no JSON")
	}
	if len(c.body) > 0 && !strings.HasPrefix(c.r.Header.Get("Content-Type"), "application/json") {
		c.complain("body is not called JSON")
	}
	if c.r.Method == http.MethodGet && len(c.body) > 0 {
		c.complain("body in a read")
	}
}

// decode reads the body. What the API does not know is complained of and ignored.
func (c *call) decode(into any) (answer, bool) {
	strict := json.NewDecoder(strings.NewReader(string(c.body)))
	strict.DisallowUnknownFields()
	if strict.Decode(into) == nil {
		return answer{}, true
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		c.complain("malformed body")
		return c.invalid("Body is not as described: " + err.Error()), false
	}
	c.complain("unknown field in the body")
	return answer{}, true
}

func (*call) ok(status int, x any) answer { return answer{status: status, body: mustJSON(x)} }

func (*call) fail(status, code int, message string, errs ...string) answer {
	return answer{status: status, body: mustJSON(errorBody{Error: errorText{Code: code, Message: message, Errors: errs}})}
}

func (c *call) invalid(errs ...string) answer {
	return c.fail(http.StatusBadRequest, 2001, "Invalid Input Provided", errs...)
}

func (c *call) notFound() answer { return c.fail(http.StatusNotFound, 2100, "Not Found") }

// refused turns the world's refusal into PagerDuty's.
func (c *call) refused(err error) answer { return c.invalid(err.Error()) }

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
	header = map[string]string{}
	switch {
	case limited:
		e.Code = 2020
		if message == "" {
			e.Message = "Rate Limit Exceeded"
		}
		header["ratelimit-remaining"], header["ratelimit-reset"] = "0", strconv.Itoa(retryAfter)
	case message == "":
		e.Message = "Internal Server Error"
	}
	if retryAfter > 0 {
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
