package github

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	gh "github.com/google/go-github/v60/github"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// conn is one credential and the client that uses it. go-github remembers limits per client, and a
// client keeps the first token that it was given: a renewed credential gets a new conn.
type conn struct {
	client    *gh.Client
	transport *httpx.Transport
	// identity names the credential in memo keys. It does not change when its token is renewed.
	identity string
	// fingerprint is the token's; "" for an App.
	fingerprint string
	app         *appToken // nil for a token
}

// credential is the one that is configured for owner, and its identity.
func (s *source) credential(owner string) (Credential, string) {
	for name, c := range s.cfg.Credentials {
		if strings.EqualFold(name, owner) {
			return c, strings.ToLower(name)
		}
	}
	return Credential{s.cfg.Token, s.cfg.App}, ""
}

// Credential names the credential of a repository's owner by what the config calls it: its token is not
// read for that.
func (s *source) Credential(scope string) string {
	owner, _, _ := strings.Cut(scope, "/")
	_, identity := s.credential(owner)
	return identity
}

// connFor is the connection for an owner's repositories. A token is read anew each time (which is
// cheap, see secret.Ref), so that a rotated one is noticed.
func (s *source) connFor(ctx context.Context, owner string) (*conn, error) {
	cred, identity := s.credential(owner)
	if cred.App == nil && cred.Token.IsZero() {
		return nil, &sources.Error{
			Kind: sources.Permission, Msg: "no credential is configured for " + owner,
			Fix: "add credentials: {" + owner + ": {token: …}}, or a token for all owners",
		}
	}
	if cred.App != nil {
		return s.keep(identity, "", func() *conn { return s.appConn(identity, *cred.App) }), nil
	}
	token, err := cred.Token.Resolve(ctx)
	if err != nil {
		return nil, secretError(err)
	}
	if value := token.Reveal(); strings.ContainsAny(value, "\r\n \t") || value == "" {
		return nil, &sources.Error{Kind: sources.Permission, Msg: "the token of " + cred.Token.String() + " is empty or holds blanks", Fix: "check what it resolves to"}
	}
	return s.keep(identity, token.Fingerprint(), func() *conn { return s.tokenConn(identity, token) }), nil
}

// keep returns the connection of an identity, made anew when the token's fingerprint has changed.
func (s *source) keep(identity, fingerprint string, build func() *conn) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.conns[identity]; ok && c.fingerprint == fingerprint {
		return c
	}
	c := build()
	c.identity, c.fingerprint = identity, fingerprint
	s.conns[identity] = c
	return c
}

func secretError(err error) error {
	if e, ok := errors.AsType[*secret.Error](err); ok {
		return &sources.Error{Kind: sources.Permission, Msg: "the token cannot be read: " + e.Msg, Fix: e.Fix, Err: err}
	}
	return err
}

func (s *source) tokenConn(identity string, token secret.Secret) *conn {
	return s.newConn(identity, "github/"+token.Fingerprint(), func(r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token.Reveal())
		return nil
	})
}

func (s *source) newConn(identity, budgetKey string, authorize func(*http.Request) error) *conn {
	t := httpx.NewTransport(httpx.Options{
		Base: s.base, Hosts: []string{httpx.HostOf(s.api)}, Authorize: authorize,
		BudgetKey: budgetKey, Budget: s.env.Budget,
		UserAgent: s.env.UserAgent, Log: s.env.Log, Now: s.env.Now,
	})
	client := gh.NewClient(&http.Client{Transport: unmetered{t}, CheckRedirect: s.checkRedirect})
	api := *s.api
	client.BaseURL = &api
	client.UserAgent = cmp.Or(s.env.UserAgent, "signalbox")
	return &conn{client: client, transport: t, identity: identity}
}

// checkRedirect follows GitHub's redirects of renamed repositories, and none to another host.
func (s *source) checkRedirect(req *http.Request, via []*http.Request) error {
	if httpx.HostOf(req.URL) != httpx.HostOf(s.api) {
		return &sources.Error{Kind: sources.Invalid, Msg: "the API redirects to " + req.URL.Host + ": not followed", Fix: "check base_url"}
	}
	if len(via) > 5 {
		return &sources.Error{Kind: sources.Invalid, Msg: "the API redirects in a circle", Fix: "check base_url"}
	}
	return nil
}

// unmetered hides from go-github when a limit ends. It would refuse every later call of the client
// itself, with a made-up 403 and by the machine's clock; the shared budget decides instead, by the
// board's.
type unmetered struct{ *httpx.Transport }

func (u unmetered) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := u.Transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	res.Header = res.Header.Clone()
	res.Header.Del("X-Ratelimit-Reset")
	res.Header.Del("Retry-After")
	return res, nil
}

// appToken is an installation's token, renewed before it expires.
type appToken struct {
	app   App
	mu    sync.Mutex
	token string
	until time.Time
	may   *gh.InstallationPermissions // nil: not told
}

// renewBefore is how long before its end a token is renewed; GitHub's live for an hour.
const renewBefore = 5 * time.Minute

func (s *source) appConn(identity string, app App) *conn {
	at := &appToken{app: app}
	name := fmt.Sprintf("%d/%d", app.ID, app.Installation)
	c := s.newConn(identity, "github/app/"+s.api.Host+"/"+name, func(r *http.Request) error {
		token, err := s.installationToken(r.Context(), name, at)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	})
	c.app = at
	return c
}

func (a *appToken) valid(now time.Time) (string, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.token, a.token != "" && now.Before(a.until.Add(-renewBefore))
}

func (a *appToken) set(token string, until time.Time, may *gh.InstallationPermissions) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.token, a.until, a.may = token, until, may
}

// forget drops a token that GitHub refused: it may have been revoked.
func (a *appToken) forget() { a.set("", time.Time{}, nil) }

// permissions are those of the installation; nil: not told.
func (a *appToken) permissions() *gh.InstallationPermissions {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.may
}

// installationToken is the current token, or a new one. Callers that overlap share one exchange, which
// goes on when one of them gives up.
func (s *source) installationToken(ctx context.Context, name string, at *appToken) (string, error) {
	if token, ok := at.valid(s.env.Now()); ok {
		return token, nil
	}
	ch := s.apps.DoChan(name, func() (any, error) {
		if token, ok := at.valid(s.env.Now()); ok {
			return token, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		return s.exchange(ctx, at)
	})
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-ch:
		token, _ := r.Val.(string)
		return token, r.Err
	}
}

func (s *source) exchange(ctx context.Context, at *appToken) (string, error) {
	pem, err := at.app.Key.Resolve(ctx)
	if err != nil {
		return "", secretError(err)
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(pem.Reveal()))
	if err != nil {
		return "", &sources.Error{Kind: sources.Permission, Msg: "the App's key is no RSA private key in PEM form", Fix: "make a new one on the App's settings page and name its file in app.key"}
	}
	signed, err := appJWT(at.app.ID, key, s.env.Now())
	if err != nil {
		return "", err
	}
	// The exchange has a limit of its own, apart from the installation's.
	c := s.newConn("", "github/app/"+s.api.Host+"/"+strconv.FormatInt(at.app.ID, 10), func(r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+signed)
		return nil
	})
	// A new context: the caller's may make its own request conditional.
	token, res, err := c.client.Apps.CreateInstallationToken(detach(ctx), at.app.Installation, nil)
	if err != nil {
		e := c.explain("sign in as App", "", res, err)
		if res != nil && (res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusNotFound) {
			e.Kind = sources.Permission
			e.Fix = "check app.id, app.installation and app.key, and this machine's clock"
		}
		return "", e
	}
	if token.GetToken() == "" {
		return "", &sources.Error{Kind: sources.Invalid, Op: "sign in as App", Msg: "the answer holds no token"}
	}
	until := token.GetExpiresAt().Time
	if until.IsZero() {
		until = s.env.Now().Add(time.Hour)
	}
	at.set(token.GetToken(), until, token.Permissions)
	return token.GetToken(), nil
}

// appJWT is the claim of being an App. It starts a minute ago, because GitHub refuses a claim from the
// future, and ends before the ten minutes that GitHub allows.
func appJWT(id int64, key *rsa.PrivateKey, now time.Time) (string, error) {
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
		Issuer:    strconv.FormatInt(id, 10),
		IssuedAt:  jwt.NewNumericDate(now.Add(-time.Minute)),
		ExpiresAt: jwt.NewNumericDate(now.Add(8 * time.Minute)),
	}).SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign the App's claim: %w", err)
	}
	return signed, nil
}

// detached keeps a context's end and hides its values.
type detached struct{ context.Context }

func (detached) Value(any) any { return nil }

func detach(ctx context.Context) context.Context { return detached{ctx} }
