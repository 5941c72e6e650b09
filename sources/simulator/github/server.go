package github

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.com/signalbox/sources/simulator/seen"
	"example.com/signalbox/sources/simulator/world"
)

// maxBody is the largest request body that is read.
const maxBody = 1 << 20

// Config is what a Server is made of.
type Config struct {
	// With runs f while nobody else looks at the world, after bringing it up to its clock's time.
	With func(f func(*world.World))
	API  string // where this server is reached, without a trailing slash; GHES: with its /api/v3
	Logs string // where LogHost is reached, without a trailing slash
	HTML string // where the pages would be, without a trailing slash
	// Identities are the tokens that are known. AppKey verifies the App's JWTs; nil: any well-formed one
	// will do.
	Identities []Identity
	AppKey     *rsa.PublicKey
	// Enterprise makes it an Enterprise server: under /api/v3, and without what only github.com has.
	// Clients that take any address of their own for an Enterprise server come with that prefix anyway.
	Enterprise bool
	// Observe hears of every request once its answer is known; nil: nobody listens. It is called while
	// the world is locked.
	Observe func(seen.Request)
}

// Identity is a credential and what it may do.
type Identity struct {
	Token  string
	Login  string   // whose it is
	Scopes []string // of a classic token; nil: repo, workflow and read:org
	Limit  int      // requests an hour; 0: 5,000
	SSO    []string // the organisations with single sign-on for which it is authorised
	Hidden []string // full names of repositories that it may not see

	app     bool
	expires time.Time
}

// Server answers GitHub's REST API. It is safe for use by several goroutines at once.
type Server struct {
	cfg  Config
	mux  *http.ServeMux
	docs string

	// What follows is guarded by the world's lock.
	view       view
	identities map[string]*Identity
	windows    map[string]*window
	cache      map[string]cached
	runs       map[runKey]rendered
	requests   int

	mu    sync.Mutex
	blobs map[string]blob // signed log addresses by their signature
}

type window struct {
	used  int
	reset time.Time
}

type cached struct {
	gen  uint64
	body []byte
	sum  [sha256.Size]byte
	link string
}

// New makes a Server.
func New(cfg Config) *Server {
	s := &Server{
		cfg: cfg, docs: "https://docs.github.com/rest", identities: map[string]*Identity{}, windows: map[string]*window{},
		cache: map[string]cached{}, runs: map[runKey]rendered{}, blobs: map[string]blob{},
		view: view{api: cfg.API, html: cfg.HTML, repos: map[int64]json.RawMessage{}},
	}
	for _, id := range cfg.Identities {
		if id.Scopes == nil {
			id.Scopes = []string{"read:org", "repo", "workflow"}
		}
		if id.Limit == 0 {
			id.Limit = 5000
		}
		s.identities[id.Token] = &id
	}
	s.mux = http.NewServeMux()
	s.routes()
	return s
}

// call is one request in the making of its answer.
type call struct {
	s     *Server
	w     *world.World
	r     *http.Request
	id    *Identity // nil: not authenticated
	repo  *world.Repo
	q     url.Values
	body  []byte
	route route
	link  string
	next  string
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
	list    bool // pages
	free    bool // does not count against the rate limit
	volatil bool // changes without the world: never taken from the cache
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	rest, prefixed := strings.CutPrefix(path, "/api/v3")
	if s.cfg.Enterprise && !prefixed {
		http.NotFound(w, r)
		return
	}
	path = rest
	if rest, ok := strings.CutPrefix(path, "/repositories/"); ok {
		path = s.byID(rest)
	}
	if r2, err := rewritten(r, path); err == nil {
		r = r2
	}
	s.mux.ServeHTTP(w, r)
}

func rewritten(r *http.Request, path string) (*http.Request, error) {
	plain, err := url.PathUnescape(path)
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	r2 := r.Clone(r.Context())
	r2.URL.Path, r2.URL.RawPath = plain, path
	return r2, nil
}

// byID turns the address of a repository by its identity into the one by its name.
func (s *Server) byID(rest string) string {
	num, tail, _ := strings.Cut(rest, "/")
	id, err := strconv.ParseInt(num, 10, 64)
	path := "/repositories/" + rest
	if err != nil {
		return path
	}
	s.cfg.With(func(w *world.World) {
		if repo := w.RepoByID(id); repo != nil {
			path = "/repos/" + repo.Full()
			if tail != "" {
				path += "/" + tail
			}
		}
	})
	return path
}

// serve answers one request of a route.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt route) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if big := (*http.MaxBytesError)(nil); errors.As(err, &big) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, `{"message":"Request body could not be read"}`, status)
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
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	if a.status == http.StatusNotModified || a.status == http.StatusNoContent {
		h.Del("Content-Length")
		h.Del("Content-Type")
		a.body = nil
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may be gone
}

// run takes a request through authentication, the rate limit, its handler and its conditions.
func (c *call) run() answer {
	s := c.s
	s.requests++
	a, ok := c.authenticate()
	charged := ok && !c.route.free
	if charged && !c.charge() {
		a, ok, charged = c.exhausted(), false, false
	}
	if ok {
		a = c.handle()
		if a.status == http.StatusOK && c.r.Method == http.MethodGet {
			a = c.condition(a)
			if a.status == http.StatusNotModified && c.id != nil && charged {
				c.window().used--
				charged = false
			}
		}
	}
	c.headers(&a)
	if s.cfg.Observe != nil {
		s.cfg.Observe(seen.Request{
			Vendor: seen.GitHub, Endpoint: c.route.pattern, Method: c.r.Method, URI: c.r.URL.RequestURI(), Identity: c.login(), Body: string(c.body),
			Status: a.status, Read: c.r.Method == http.MethodGet, Charged: charged, Conditional: c.r.Header.Get("If-None-Match") != "", Tagged: a.header["ETag"] != "",
			List: c.route.list, PageSize: c.q.Has("per_page"), Asked: c.pageBase() + "?" + c.q.Encode(), Next: c.next,
		})
	}
	return a
}

// handle resolves the repository that the request is about, and asks the route.
func (c *call) handle() answer {
	owner, name := c.r.PathValue("owner"), c.r.PathValue("repo")
	if owner == "" {
		return c.route.do(c)
	}
	repo, moved := c.w.Repo(owner + "/" + name)
	if repo == nil || repo.Deleted || !c.sees(repo) {
		return c.notFound()
	}
	if moved {
		return c.moved(repo)
	}
	if repo.Owner.SSO && !contains(c.id.SSO, repo.Owner.Login) {
		return c.signOn(repo.Owner)
	}
	if c.r.Method != http.MethodGet && repo.Archived {
		return c.fail(http.StatusForbidden, "Repository was archived so is read-only.")
	}
	c.repo = repo
	if c.r.Method != http.MethodGet || c.route.volatil {
		return c.route.do(c)
	}
	return c.cachedDo(repo.Gen)
}

// cachedDo asks the route only when the repository changed since it was asked the same.
func (c *call) cachedDo(gen uint64) answer {
	key := c.login() + " " + c.r.Header.Get("X-GitHub-Api-Version") + " " + c.r.URL.RequestURI()
	if hit, ok := c.s.cache[key]; ok && hit.gen == gen {
		c.setLink(hit.link)
		return answer{status: http.StatusOK, body: hit.body, header: map[string]string{"sum": string(hit.sum[:])}}
	}
	a := c.route.do(c)
	if a.status != http.StatusOK {
		return a
	}
	sum := sha256.Sum256(a.body)
	if len(c.s.cache) > 4096 {
		clear(c.s.cache)
	}
	c.s.cache[key] = cached{gen: gen, body: a.body, sum: sum, link: c.link}
	if a.header == nil {
		a.header = map[string]string{}
	}
	a.header["sum"] = string(sum[:])
	return a
}

func (c *call) setLink(link string) {
	c.link = link
	for part := range strings.SplitSeq(link, ",") {
		if strings.Contains(part, `rel="next"`) {
			c.next = strings.Trim(strings.TrimSpace(part[:strings.Index(part, ">")]), "<")
		}
	}
}

// condition gives the answer its ETag, and leaves the body out where the client has it already. The tag
// depends on the credential and on what was accepted, as GitHub's does.
func (c *call) condition(a answer) answer {
	sum := a.header["sum"]
	delete(a.header, "sum")
	if sum == "" {
		b := sha256.Sum256(a.body)
		sum = string(b[:])
	}
	h := sha256.New()
	_, _ = io.WriteString(h, sum+"\x00"+c.r.Header.Get("Authorization")+"\x00"+c.r.Header.Get("Accept"))
	tag := `W/"` + hex.EncodeToString(h.Sum(nil)) + `"`
	if a.header == nil {
		a.header = map[string]string{}
	}
	a.header["ETag"] = tag
	for given := range strings.SplitSeq(c.r.Header.Get("If-None-Match"), ",") {
		if g := strings.TrimSpace(given); g != "" && (g == "*" || strings.TrimPrefix(g, "W/") == strings.TrimPrefix(tag, "W/")) {
			a.status, a.body = http.StatusNotModified, nil
			return a
		}
	}
	return a
}

func (c *call) headers(a *answer) {
	h := map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Cache-Control": "private, max-age=60, s-maxage=60",
		"Vary": "Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding, Accept, X-Requested-With",
		"Date": c.w.Now().UTC().Format(http.TimeFormat), "Server": "github.com", "X-GitHub-Media-Type": "github.v3; format=json",
		"X-GitHub-Request-Id": requestID(c.s.requests), "X-GitHub-Api-Version-Selected": "2022-11-28",
	}
	if c.r.Method != http.MethodGet || a.status >= 400 {
		delete(h, "Cache-Control")
	}
	if c.s.cfg.Enterprise {
		h["X-GitHub-Enterprise-Version"] = "3.17.2"
	}
	if c.id != nil && !c.id.app {
		h["X-OAuth-Scopes"] = strings.Join(c.id.Scopes, ", ")
		h["X-Accepted-OAuth-Scopes"] = ""
	}
	win, limit := c.window(), c.limit()
	h["X-RateLimit-Limit"] = strconv.Itoa(limit)
	h["X-RateLimit-Remaining"] = strconv.Itoa(max(0, limit-win.used))
	h["X-RateLimit-Used"] = strconv.Itoa(win.used)
	h["X-RateLimit-Reset"] = strconv.FormatInt(win.reset.Unix(), 10)
	h["X-RateLimit-Resource"] = "core"
	if c.link != "" {
		h["Link"] = c.link
	}
	delete(a.header, "sum")
	for k, v := range a.header {
		h[k] = v
	}
	a.header = h
}

func requestID(n int) string {
	b := sha256.Sum256([]byte(strconv.Itoa(n)))
	x := strings.ToUpper(hex.EncodeToString(b[:14]))
	return x[:4] + ":" + x[4:10] + ":" + x[10:16] + ":" + x[16:22] + ":" + x[22:]
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}

// ok answers x.
func (*call) ok(x any) answer { return answer{status: http.StatusOK, body: mustJSON(x)} }

// fail answers an error as GitHub words them.
func (c *call) fail(status int, message string) answer {
	return answer{status: status, body: mustJSON(map[string]string{
		"message": message, "documentation_url": c.s.docs, "status": strconv.Itoa(status),
	})}
}

// invalid answers a validation error of one field.
func (c *call) invalid(resource, field, code string) answer {
	return answer{status: http.StatusUnprocessableEntity, body: mustJSON(map[string]any{
		"message": "Validation Failed", "documentation_url": c.s.docs, "status": "422",
		"errors": []map[string]string{{"resource": resource, "field": field, "code": code}},
	})}
}

func (c *call) notFound() answer { return c.fail(http.StatusNotFound, "Not Found") }

func (c *call) decode(into any) (answer, bool) {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return answer{}, true
	}
	if err := json.Unmarshal(c.body, into); err != nil {
		if mistyped := (*json.UnmarshalTypeError)(nil); errors.As(err, &mistyped) {
			return c.fail(http.StatusUnprocessableEntity, "Invalid request.\n\nFor '"+mistyped.Field+"', a "+mistyped.Value+" is not of the right type."), false
		}
		return c.fail(http.StatusBadRequest, "Problems parsing JSON"), false
	}
	return answer{}, true
}
