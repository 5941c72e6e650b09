package pagerduty

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// Config is a source of type pagerduty.
type Config struct {
	Token      secret.Ref `yaml:"token,omitempty" doc:"An API key, of a user or of the account, as env:NAME, file:PATH or cmd:PROGRAM."`
	OAuthToken secret.Ref `yaml:"oauth_token,omitempty" doc:"An OAuth access token, instead of an API key."`
	Region     string     `yaml:"region,omitempty" jsonschema:"enum=us,enum=eu" doc:"The account's service region: us or eu."`
	BaseURL    string     `yaml:"base_url,omitempty" doc:"Another address of the API, instead of the region's; it may have a path."`
	From       string     `yaml:"from,omitempty" doc:"The e-mail address of the user who acts; the one of me: by default."`
	Teams      []string   `yaml:"teams,omitempty" doc:"The ids of the teams whose incidents, services and changes are read. None: all."`
	Proxy      string     `yaml:"proxy,omitempty" doc:"The proxy: http://proxy:3128, or none; the environment's by default. Never with a password: see proxy_auth."`
	ProxyAuth  secret.Ref `yaml:"proxy_auth,omitempty" doc:"What the proxy wants for a sign-in, user:password, as env:NAME, file:PATH or cmd:PROGRAM."`
	CAFile     string     `yaml:"ca_file,omitempty" doc:"A PEM file of certificates to trust besides the system's."`
}

const (
	regionUS = "us"
	regionEU = "eu"
	hostUS   = "https://api.pagerduty.com"
	hostEU   = "https://api.eu.pagerduty.com"
)

func defaults() *Config { return &Config{Region: regionUS} }

var (
	objectID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	email    = regexp.MustCompile(`^[^@\s<>"',;:]+@[^@\s<>"',;:]+$`)
)

// Validate names every key that is wrong.
func (c *Config) Validate() error {
	var errs []error
	wrong := func(path, msg, fix string) {
		errs = append(errs, &sources.FieldError{Path: path, Msg: msg, Fix: fix})
	}
	switch {
	case c.Token.IsZero() && c.OAuthToken.IsZero():
		wrong("token", "there is no credential", "write token: env:PAGERDUTY_TOKEN, or oauth_token:")
	case !c.Token.IsZero() && !c.OAuthToken.IsZero():
		wrong("oauth_token", "there is a token too", "keep one of the two")
	}
	if c.Region != "" && c.Region != regionUS && c.Region != regionEU {
		wrong("region", fmt.Sprintf("%q is no region of PagerDuty's", c.Region), "write us or eu")
	}
	if _, err := c.api(); err != nil {
		wrong("base_url", err.Error(), "write https://api.pagerduty.com, or set region: and leave base_url out")
	}
	if c.From != "" && !email.MatchString(c.From) {
		wrong("from", "is not an e-mail address", "write the address with which the user signs in to PagerDuty")
	}
	for i, id := range c.Teams {
		if !objectID.MatchString(id) {
			wrong(fmt.Sprintf("teams[%d]", i), fmt.Sprintf("%q is not the id of a team", id), "write the id at the end of the address of the team's page: PTEAM01")
		}
	}
	return errors.Join(append(errs, c.route().Validate())...)
}

// api is the root of the API, without a slash at its end.
func (c *Config) api() (*url.URL, error) {
	address := c.BaseURL
	if address == "" {
		address = hostUS
		if c.Region == regionEU {
			address = hostEU
		}
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("is not an address")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return nil, errors.New("is not encrypted: a token would travel in the clear")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// credential is where the token is kept, and the word that stands before it in a request.
func (c *Config) credential() (ref secret.Ref, scheme string) {
	if !c.OAuthToken.IsZero() {
		return c.OAuthToken, "Bearer "
	}
	return c.Token, "Token token="
}

// route is how c says to reach PagerDuty.
func (c *Config) route() httpx.Route {
	return httpx.Route{Proxy: c.Proxy, ProxyAuth: c.ProxyAuth, CAFile: c.CAFile}
}

func secretError(what string, err error) error {
	if e, ok := errors.AsType[*secret.Error](err); ok {
		return &sources.Error{Kind: sources.Permission, Msg: what + " cannot be read: " + e.Msg, Fix: e.Fix, Err: err}
	}
	return fmt.Errorf("read %s: %w", what, err)
}
