package httpx

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
)

// Access is how servers that people run themselves are reached and signed in to: the keys that their
// drivers' configs have in common, to be inlined. The zero Access signs in nowhere.
type Access struct {
	Basic         *Basic                `yaml:"basic,omitempty" doc:"A user and a password, for HTTP's basic sign-in."`
	Token         secret.Ref            `yaml:"token,omitempty" doc:"A bearer token, as env:NAME, file:PATH or cmd:PROGRAM."`
	Headers       map[string]string     `yaml:"headers,omitempty" doc:"Further headers, such as X-Scope-OrgID: team-a."`
	SecretHeaders map[string]secret.Ref `yaml:"secret_headers,omitempty" doc:"Further headers whose values are secrets, as env:NAME, file:PATH or cmd:PROGRAM."`
	CAFile        string                `yaml:"ca_file,omitempty" doc:"A PEM file of certificates to trust besides the system's."`
	CertFile      string                `yaml:"cert_file,omitempty" doc:"A PEM file of the certificate to show to the server (mTLS), its intermediates behind it."`
	CertKey       secret.Ref            `yaml:"cert_key,omitempty" doc:"The private key of cert_file (PEM), as file:PATH, env:NAME or cmd:PROGRAM."`
	Proxy         string                `yaml:"proxy,omitempty" doc:"The proxy: http://proxy:3128, or none; the environment's by default. Never with a password: see proxy_auth."`
	ProxyAuth     secret.Ref            `yaml:"proxy_auth,omitempty" doc:"What the proxy wants for a sign-in, user:password, as env:NAME, file:PATH or cmd:PROGRAM."`
	PlainHTTP     bool                  `yaml:"plain_http,omitempty" doc:"Allow http:// to another machine: whatever is sent and answered can be read and changed on its way."`
}

// Basic is a user of HTTP's basic sign-in.
type Basic struct {
	User     string     `yaml:"user" jsonschema:"required" doc:"The user's name, or a tenant's number."`
	Password secret.Ref `yaml:"password" jsonschema:"required" doc:"The password, as env:NAME, file:PATH or cmd:PROGRAM."`
}

// Validate names every key that is wrong.
func (a *Access) Validate() error {
	var errs []error
	fail := func(path, msg, fix string) {
		errs = append(errs, &sources.FieldError{Path: path, Msg: msg, Fix: fix})
	}
	if a.Basic != nil {
		if !a.Token.IsZero() {
			fail("token", "there is a basic sign-in too", "keep one of the two")
		}
		if a.Basic.User == "" || strings.Contains(a.Basic.User, ":") {
			fail("basic.user", "is empty or holds a colon", "write the user's name alone")
		}
		if a.Basic.Password.IsZero() {
			fail("basic.password", "is missing", "write password: env:NAME")
		}
	}
	errs = append(errs, a.validateHeaders()...)
	if a.CertFile == "" && !a.CertKey.IsZero() {
		fail("cert_file", "is missing: there is a cert_key without it", "name the PEM file of the certificate")
	}
	if a.CertFile != "" && a.CertKey.IsZero() {
		fail("cert_key", "is missing: there is a cert_file without it", "write cert_key: file:PATH of the private key")
	}
	return errors.Join(append(errs, a.route().Validate())...)
}

var (
	headerName  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	headerValue = regexp.MustCompile(`^[\t\x20-\x7e\x80-\xff]*$`)
	secretForm  = regexp.MustCompile(`^\s*(env|file|cmd):`)
)

// validateHeaders refuses what would end a header, be taken for another, or be a secret in the open.
func (a *Access) validateHeaders() []error {
	var errs []error
	fail := func(path, msg, fix string) {
		errs = append(errs, &sources.FieldError{Path: path, Msg: msg, Fix: fix})
	}
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		at := "headers." + name
		switch value := a.Headers[name]; {
		case !headerName.MatchString(name):
			fail(at, "is not the name of a header", "write for example X-Scope-OrgID")
		case secretForm.MatchString(value), strings.EqualFold(name, "Authorization"), strings.EqualFold(name, "Cookie"):
			fail(at, "holds a secret", "move it to secret_headers:, as env:NAME, file:PATH or cmd:PROGRAM")
		case !headerValue.MatchString(value):
			fail(at, "is not the value of a header", "write it in one line of plain text")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.SecretHeaders)) {
		at := "secret_headers." + name
		switch _, twice := a.Headers[name]; {
		case !headerName.MatchString(name):
			fail(at, "is not the name of a header", "write for example X-Api-Key")
		case twice:
			fail(at, "stands in headers: too", "keep one of the two")
		case strings.EqualFold(name, "Authorization") && (a.Basic != nil || !a.Token.IsZero()):
			fail(at, "there is another sign-in too", "keep one of them")
		case a.SecretHeaders[name].IsZero():
			fail(at, "is empty", "write env:NAME, file:PATH or cmd:PROGRAM")
		}
	}
	return errs
}

// Address checks the address of a server and returns it without a slash at its end. A path is kept: it
// is the prefix under which the server stands. The error is for the config key that holds it.
func (a *Access) Address(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil, errors.New("is missing")
	case err != nil, u.Host == "", u.Opaque != "", u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("is not an address")
	case u.User != nil:
		return nil, errors.New("holds a user or a password, which belong into basic")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, errors.New("holds more than a host and a path")
	case u.Scheme == "http" && !isLoopback(u.Hostname()) && !a.PlainHTTP:
		return nil, errors.New("is not encrypted: plain_http: true allows that where the network in between is trusted")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

// Base is the transport that a says to use: the surroundings' own unless a names a proxy, an authority
// or a certificate.
func (a *Access) Base(own http.RoundTripper) (http.RoundTripper, error) {
	if own != nil && a.Proxy == "" && a.CAFile == "" && a.CertFile == "" {
		return own, nil
	}
	n := a.route().Network()
	if a.CertFile != "" {
		n.Certificate = a.certificate
	}
	base, err := Base(n)
	if err != nil {
		return nil, badCA(err)
	}
	return base, nil
}

func (a *Access) route() Route {
	return Route{Proxy: a.Proxy, ProxyAuth: a.ProxyAuth, CAFile: a.CAFile}
}

// certificate is read at each handshake, so that a renewed one is noticed.
func (a *Access) certificate(ctx context.Context) (*tls.Certificate, error) {
	key, err := reveal(ctx, a.CertKey, "the key of the certificate")
	if err != nil {
		return nil, err
	}
	pem, err := readPEM(a.CertFile)
	if err != nil {
		return nil, &sources.Error{Kind: sources.Permission, Msg: "the certificate cannot be read: " + err.Error(), Fix: "check cert_file"}
	}
	cert, err := tls.X509KeyPair(pem, []byte(key))
	if err != nil {
		// Neither the reason nor the input is shown: the one may quote the other.
		return nil, &sources.Error{Kind: sources.Permission, Msg: "the certificate and its key do not fit together", Fix: "check cert_file and cert_key: both are PEM, of one pair"}
	}
	return &cert, nil
}

// Authorize adds the credential to a request. It reads secrets anew each time, so that rotated ones are
// noticed.
func (a *Access) Authorize(req *http.Request) error {
	ctx := req.Context()
	if a.Basic != nil {
		password, err := reveal(ctx, a.Basic.Password, "the password")
		if err != nil {
			return err
		}
		req.SetBasicAuth(a.Basic.User, password)
	}
	if !a.Token.IsZero() {
		token, err := reveal(ctx, a.Token, "the token")
		if err != nil {
			return err
		}
		if token == "" || !headerValue.MatchString(token) || strings.ContainsAny(token, " \t") {
			return &sources.Error{Kind: sources.Permission, Msg: "the token of " + a.Token.String() + " is empty or holds blanks", Fix: "check what it resolves to"}
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for name, value := range a.Headers {
		req.Header.Set(name, value)
	}
	for name, ref := range a.SecretHeaders {
		value, err := reveal(ctx, ref, "the header "+name)
		if err != nil {
			return err
		}
		if value == "" || !headerValue.MatchString(value) {
			return &sources.Error{Kind: sources.Permission, Msg: ref.String() + " holds no value for the header " + name, Fix: "check what it resolves to: one line of plain text"}
		}
		req.Header.Set(name, value)
	}
	return nil
}

// Name tells credentials apart without revealing them: it is made of what the config says.
func (a *Access) Name() string {
	var parts []string
	if a.Basic != nil {
		parts = append(parts, a.Basic.User, a.Basic.Password.String())
	}
	if !a.Token.IsZero() {
		parts = append(parts, a.Token.String())
	}
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		parts = append(parts, name+"="+a.Headers[name])
	}
	for _, name := range slices.Sorted(maps.Keys(a.SecretHeaders)) {
		parts = append(parts, name+"="+a.SecretHeaders[name].String())
	}
	if a.CertFile != "" {
		parts = append(parts, a.CertFile)
	}
	return strings.Join(parts, " ")
}

// reveal resolves a secret, and says what could not be read otherwise.
func reveal(ctx context.Context, ref secret.Ref, what string) (string, error) {
	s, err := ref.Resolve(ctx)
	if e, ok := errors.AsType[*secret.Error](err); ok {
		return "", &sources.Error{Kind: sources.Permission, Msg: what + " cannot be read: " + e.Msg, Fix: e.Fix, Err: err}
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	return s.Reveal(), nil
}

// SameHost is a redirect policy: redirects are followed within one host, and never to another, which
// would be told what was asked. key is the config key to check.
func SameHost(u *url.URL, key string) func(*http.Request, []*http.Request) error {
	host := HostOf(u)
	return func(req *http.Request, via []*http.Request) error {
		if HostOf(req.URL) != host {
			return &sources.Error{Kind: sources.Invalid, Msg: "the server redirects to " + req.URL.Host + ": not followed", Fix: "check " + key + ", and whether a sign-in page stands in between"}
		}
		if len(via) > 5 {
			return &sources.Error{Kind: sources.Invalid, Msg: "the server redirects in a circle", Fix: "check " + key}
		}
		return nil
	}
}
