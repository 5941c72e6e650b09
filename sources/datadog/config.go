package datadog

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// Config is a source of type datadog.
type Config struct {
	Site        string     `yaml:"site,omitempty" doc:"Where the account lives: datadoghq.com, us3.datadoghq.com, us5.datadoghq.com, ap1.datadoghq.com, ap2.datadoghq.com, uk1.datadoghq.com, datadoghq.eu, ddog-gov.com or us2.ddog-gov.com."`
	Host        string     `yaml:"host,omitempty" doc:"Another address for every request, paging included: https://datadog.example.com."`
	APIKey      secret.Ref `yaml:"api_key,omitempty" doc:"The organisation's API key, as env:NAME, file:PATH or cmd:PROGRAM."`
	AppKey      secret.Ref `yaml:"app_key,omitempty" doc:"The application key: what its owner may do, the board may."`
	AccessToken secret.Ref `yaml:"access_token,omitempty" doc:"An access token, instead of the two keys."`
	ServiceTag  string     `yaml:"service_tag,omitempty" doc:"The tag that names the service."`
	EnvTag      string     `yaml:"env_tag,omitempty" doc:"The tag that names the environment."`
	MonitorTags []string   `yaml:"monitor_tags,omitempty" doc:"Only monitors that carry all of these tags."`
	OnCallSite  string     `yaml:"oncall_site,omitempty" doc:"The host of On-Call paging, where it is not the site's usual one."`
	Teams       []string   `yaml:"teams,omitempty" doc:"Teams whose shifts are shown, by handle or id. None, and no schedules: those of the key's owner."`
	Schedules   []string   `yaml:"schedules,omitempty" doc:"Schedules whose shifts are shown, by id or name."`
	Proxy       string     `yaml:"proxy,omitempty" doc:"The proxy: http://proxy:3128, or none; the environment's by default. Never with a password: see proxy_auth."`
	ProxyAuth   secret.Ref `yaml:"proxy_auth,omitempty" doc:"What the proxy wants for a sign-in, user:password, as env:NAME, file:PATH or cmd:PROGRAM."`
	CAFile      string     `yaml:"ca_file,omitempty" doc:"A PEM file of certificates to trust besides the system's."`
}

func defaults() *Config {
	return &Config{Site: "datadoghq.com", ServiceTag: "service", EnvTag: "env"}
}

// site is one of Datadog's regions: where its pages are, and where it takes verbs on On-Call pages.
type site struct{ name, app, paging string }

// sites are Datadog's regions. The hosts of On-Call are those that its API reference lists.
func sites() []site {
	return []site{
		{"datadoghq.com", "app.datadoghq.com", "navy.oncall.datadoghq.com"},
		{"us3.datadoghq.com", "us3.datadoghq.com", "teal.oncall.datadoghq.com"},
		{"us5.datadoghq.com", "us5.datadoghq.com", "coral.oncall.datadoghq.com"},
		{"ap1.datadoghq.com", "ap1.datadoghq.com", "saffron.oncall.datadoghq.com"},
		{"ap2.datadoghq.com", "ap2.datadoghq.com", "lava.oncall.datadoghq.com"},
		{"uk1.datadoghq.com", "uk1.datadoghq.com", "scarlet.oncall.datadoghq.com"},
		{"datadoghq.eu", "app.datadoghq.eu", "beige.oncall.datadoghq.eu"},
		{"ddog-gov.com", "app.ddog-gov.com", "navy.oncall.datadoghq.com"},
		{"us2.ddog-gov.com", "us2.ddog-gov.com", "navy.oncall.datadoghq.com"},
	}
}

func siteOf(name string) (site, bool) {
	all := sites()
	i := slices.IndexFunc(all, func(s site) bool { return s.name == name })
	if i < 0 {
		return site{}, false
	}
	return all[i], true
}

func siteNames() string {
	var names []string
	for _, s := range sites() {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

var (
	hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
	tagKey   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*$`)
)

// Validate names every key that is wrong.
func (c *Config) Validate() error {
	var errs []error
	wrong := func(path, msg, fix string) {
		errs = append(errs, &sources.FieldError{Path: path, Msg: msg, Fix: fix})
	}
	if _, ok := siteOf(c.Site); !ok && c.Host == "" {
		wrong("site", fmt.Sprintf("%q is no site of Datadog's", c.Site), "write one of "+siteNames()+"; or host: for another address")
	}
	if c.Host != "" {
		if _, err := hostURL(c.Host); err != nil {
			wrong("host", err.Error(), "write https://datadog.example.com, without a path")
		}
	}
	if c.OnCallSite != "" && !hostName.MatchString(c.OnCallSite) {
		wrong("oncall_site", "is not the name of a host", "write navy.oncall.datadoghq.com, or leave it out")
	}
	for _, t := range []struct{ path, value string }{{"service_tag", c.ServiceTag}, {"env_tag", c.EnvTag}} {
		if !tagKey.MatchString(t.value) {
			wrong(t.path, "is not the key of a tag", "write what stands before the colon: service")
		}
	}
	for i, t := range c.MonitorTags {
		if strings.TrimSpace(t) == "" || strings.Contains(t, ",") {
			wrong(fmt.Sprintf("monitor_tags[%d]", i), "is not a tag", "write key:value, one tag an entry")
		}
	}
	return errors.Join(append(errs, c.validateKeys(), c.route().Validate())...)
}

func (c *Config) validateKeys() error {
	api, app, token := !c.APIKey.IsZero(), !c.AppKey.IsZero(), !c.AccessToken.IsZero()
	switch {
	case token && (api || app):
		return &sources.FieldError{Path: "access_token", Msg: "there are keys too", Fix: "keep the token, or the two keys"}
	case token:
		return nil
	case !api:
		return &sources.FieldError{Path: "api_key", Msg: "there is no API key", Fix: "write api_key: env:DD_API_KEY, or access_token:"}
	case !app:
		return &sources.FieldError{Path: "app_key", Msg: "there is no application key: an API key alone may read nothing", Fix: "write app_key: env:DD_APP_KEY"}
	}
	return nil
}

// route is how c says to reach Datadog.
func (c *Config) route() httpx.Route {
	return httpx.Route{Proxy: c.Proxy, ProxyAuth: c.ProxyAuth, CAFile: c.CAFile}
}

// hostURL reads an address that takes the place of every one of Datadog's. The client knows no prefix.
func hostURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("is not an address")
	}
	if strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("has a path: Datadog's API starts at the root")
	}
	host := u.Hostname()
	loopback := host == "localhost"
	if a, err := netip.ParseAddr(host); err == nil && a.IsLoopback() {
		loopback = true
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback) {
		return nil, errors.New("is not encrypted: a key would travel in the clear")
	}
	u.Path = ""
	return u, nil
}
