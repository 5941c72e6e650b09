package github

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

//go:embed sample.yaml
var sample string

// Driver describes this kind of source.
func Driver() sources.Driver {
	return sources.Driver{
		Name:   "github",
		Doc:    "GitHub Actions, deployments and releases",
		Sample: sample,
		Config: func() any { return &Config{} },
		Open:   open,
	}
}

// Config is a source of type github.
type Config struct {
	Token       secret.Ref            `yaml:"token,omitempty" doc:"A personal access token, as env:NAME, file:PATH or cmd:PROGRAM."`
	App         *App                  `yaml:"app,omitempty" doc:"A GitHub App's installation, instead of a token."`
	Credentials map[string]Credential `yaml:"credentials,omitempty" doc:"A credential per owner; the one above is for all others."`
	BaseURL     string                `yaml:"base_url,omitempty" doc:"The address of GitHub Enterprise: https://github.example.com."`
	Proxy       string                `yaml:"proxy,omitempty" doc:"The proxy: http://proxy:3128, or none; the environment's by default. Never with a password: see proxy_auth."`
	ProxyAuth   secret.Ref            `yaml:"proxy_auth,omitempty" doc:"What the proxy wants for a sign-in, user:password, as env:NAME, file:PATH or cmd:PROGRAM."`
	CAFile      string                `yaml:"ca_file,omitempty" doc:"A PEM file of certificates to trust besides the system's."`
}

// Credential is one identity: a token or an App's installation.
type Credential struct {
	Token secret.Ref `yaml:"token,omitempty" doc:"A personal access token."`
	App   *App       `yaml:"app,omitempty" doc:"A GitHub App's installation."`
}

// App is one installation of a GitHub App.
type App struct {
	ID           int64      `yaml:"id" doc:"The App's ID."`
	Installation int64      `yaml:"installation" doc:"The installation's ID, from its settings page's address."`
	Key          secret.Ref `yaml:"key" doc:"The App's private key (PEM)."`
}

// Validate names every key that is wrong.
func (c *Config) Validate() error {
	var errs []error
	if !c.Token.IsZero() || c.App != nil || len(c.Credentials) == 0 {
		errs = append(errs, Credential{c.Token, c.App}.validate(""))
	}
	for _, owner := range slices.Sorted(maps.Keys(c.Credentials)) {
		if !ownerName.MatchString(owner) {
			errs = append(errs, &sources.FieldError{Path: "credentials." + owner, Msg: "is not the name of an owner", Fix: "write the organisation or user, without a repository"})
		}
		errs = append(errs, c.Credentials[owner].validate("credentials."+owner+"."))
	}
	if _, err := apiURL(c.BaseURL); err != nil {
		errs = append(errs, &sources.FieldError{Path: "base_url", Msg: err.Error(), Fix: "write https://github.example.com"})
	}
	return errors.Join(append(errs, c.route().Validate())...)
}

// route is how c says to reach GitHub.
func (c *Config) route() httpx.Route {
	return httpx.Route{Proxy: c.Proxy, ProxyAuth: c.ProxyAuth, CAFile: c.CAFile}
}

func (c Credential) validate(at string) error {
	switch {
	case c.App == nil && c.Token.IsZero():
		return &sources.FieldError{Path: at + "token", Msg: "there is no credential", Fix: "write token: env:GITHUB_TOKEN, or app:"}
	case c.App != nil && !c.Token.IsZero():
		return &sources.FieldError{Path: at + "app", Msg: "there is a token too", Fix: "keep one of the two"}
	case c.App == nil:
		return nil
	}
	var errs []error
	if c.App.ID <= 0 {
		errs = append(errs, &sources.FieldError{Path: at + "app.id", Msg: "is missing", Fix: "it stands on the App's settings page"})
	}
	if c.App.Installation <= 0 {
		errs = append(errs, &sources.FieldError{Path: at + "app.installation", Msg: "is missing", Fix: "it is the number at the end of the installation's address"})
	}
	if c.App.Key.IsZero() {
		errs = append(errs, &sources.FieldError{Path: at + "app.key", Msg: "is missing", Fix: "write key: file:PATH of the App's private key"})
	}
	return errors.Join(errs...)
}

var (
	ownerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-_.]*$`)
	scopeName = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9-_.]*)/([A-Za-z0-9-_.]+)$`)
)

const publicAPI = "https://api.github.com/"

// apiURL is the root of the API below a configured address: Enterprise Server serves it at /api/v3,
// github.com and ghe.com at a host of its own. An address of this machine is taken as it is.
func apiURL(base string) (*url.URL, error) {
	if base == "" {
		base = publicAPI
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("is not an address")
	}
	host := u.Hostname()
	loopback := host == "localhost"
	if a, err := netip.ParseAddr(host); err == nil && a.IsLoopback() {
		loopback = true
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback) {
		return nil, errors.New("is not encrypted: a token would travel in the clear")
	}
	if host == "github.com" || host == "www.github.com" {
		base = publicAPI
		if u, err = url.Parse(base); err != nil {
			return nil, errors.New("is not an address")
		}
		return u, nil
	}
	if sub, ok := strings.CutSuffix(host, ".ghe.com"); ok && !strings.Contains(sub, ".") {
		u.Host = "api." + u.Host
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/"
	isAPI := strings.HasPrefix(u.Host, "api.") || strings.Contains(u.Host, ".api.")
	if u.Path == "/" && !loopback && !isAPI {
		u.Path = "/api/v3/"
	}
	return u, nil
}

// source is an open source of this kind.
type source struct {
	env  sources.Env
	cfg  Config
	api  *url.URL
	base http.RoundTripper
	own  bool         // base was made for this source alone
	bare *http.Client // carries no credential: signed log addresses, /version pages
	memo *httpx.Memo[any]
	apps singleflight.Group // exchanges of App tokens, by installation
	// flights are reads of what never changes, by key.
	flights singleflight.Group

	mu        sync.Mutex
	conns     map[string]*conn       // by credential
	delivered map[string]uint64      // by feed: what the last answer was made of
	asked     map[string]querySet    // by scope: the services that it was last listed with
	origins   map[sources.Ref]origin // what made the deployments, by run
	abouts    map[string]aboutRepo   // by credential and scope
	entering  map[workflowKey]bool   // workflows whose runs have entered an environment
}

type workflowKey struct {
	scope string
	id    int64
}

type querySet struct {
	services []sources.ServiceSpec
	identity string
}

// memoSize bounds what is remembered: a board of a hundred repositories needs some two thousand.
const memoSize = 8192

func open(env sources.Env, config any) (sources.Source, error) {
	cfg, ok := config.(*Config)
	if !ok {
		return nil, fmt.Errorf("github: config is a %T", config)
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	api, err := apiURL(cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	base, own, err := cfg.route().Base(env.Transport)
	if err != nil {
		return nil, err
	}
	s := &source{
		env: env, cfg: *cfg, api: api, base: base, own: own,
		memo:      httpx.NewMemo[any](memoSize),
		conns:     map[string]*conn{},
		delivered: map[string]uint64{},
		asked:     map[string]querySet{},
		origins:   map[sources.Ref]origin{},
		abouts:    map[string]aboutRepo{},
		entering:  map[workflowKey]bool{},
	}
	s.bare = &http.Client{Transport: base, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		if len(via) > 3 {
			return errors.New("too many redirects")
		}
		return nil
	}}
	return s, nil
}

func (s *source) Name() string { return s.env.Source }

// Close lets idle connections go where they are this source's own.
func (s *source) Close() error {
	if s.own {
		s.bare.CloseIdleConnections()
	}
	return nil
}

var (
	_ sources.RunLister         = (*source)(nil)
	_ sources.JobLister         = (*source)(nil)
	_ sources.LogReader         = (*source)(nil)
	_ sources.EnvironmentLister = (*source)(nil)
	_ sources.ReleaseLister     = (*source)(nil)
	_ sources.Comparer          = (*source)(nil)
	_ sources.Getter            = (*source)(nil)
	_ sources.Actor             = (*source)(nil)
	_ sources.Previewer         = (*source)(nil)
	_ sources.Verifier          = (*source)(nil)
	_ sources.Checker           = (*source)(nil)
	_ sources.ScopeChecker      = (*source)(nil)
	_ sources.Credentialer      = (*source)(nil)
	_ sources.Discoverer        = (*source)(nil)
)
