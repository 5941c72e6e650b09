package github

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

// anonymousLimit is how many requests an hour GitHub allows without a credential.
const anonymousLimit = 60

// authenticate finds out who asks. The answer counts only when it reports false.
func (c *call) authenticate() (answer, bool) {
	auth := c.r.Header.Get("Authorization")
	if auth == "" || strings.HasPrefix(c.route.pattern, "POST /app/") {
		return answer{}, true
	}
	_, token, _ := strings.Cut(auth, " ")
	id := c.s.identities[strings.TrimSpace(token)]
	if id == nil || !id.expires.IsZero() && !id.expires.After(c.w.Now()) {
		return c.fail(http.StatusUnauthorized, "Bad credentials"), false
	}
	c.id = id
	return answer{}, true
}

func (c *call) login() string {
	if c.id == nil {
		return ""
	}
	return c.id.Login
}

// user is who asks, in the world; nil for nobody and for an App.
func (c *call) user() *world.User { return c.w.User(c.login()) }

// actor is who a write is done by.
func (c *call) actor() *world.User {
	if u := c.user(); u != nil {
		return u
	}
	return c.w.User("bot")
}

func (c *call) sees(r *world.Repo) bool {
	return c.id != nil && (c.id.app || contains(c.id.Scopes, "repo")) && !contains(c.id.Hidden, r.Full())
}

// may reports whether the credential has a scope that a write needs.
func (c *call) may(scope string) (answer, bool) {
	if c.id.app || contains(c.id.Scopes, scope) {
		return answer{}, true
	}
	a := c.fail(http.StatusForbidden, "Resource not accessible by personal access token")
	a.header = map[string]string{"X-Accepted-OAuth-Scopes": scope}
	return a, false
}

func (c *call) limit() int {
	if c.id == nil {
		return anonymousLimit
	}
	return c.id.Limit
}

// window is the current hour of whoever asks: all of a user's tokens share it.
func (c *call) window() *window {
	w := c.s.windows[c.login()]
	if w == nil || !c.w.Now().Before(w.reset) {
		w = &window{reset: c.w.Now().Add(time.Hour)}
		c.s.windows[c.login()] = w
	}
	return w
}

func (c *call) charge() bool {
	w := c.window()
	if w.used >= c.limit() {
		return false
	}
	w.used++
	return true
}

func (c *call) exhausted() answer {
	who := "user ID"
	if c.id == nil {
		who = "127.0.0.1"
	} else if u := c.user(); u != nil {
		who += " " + strconv.FormatInt(u.ID, 10)
	}
	a := c.fail(http.StatusForbidden, "API rate limit exceeded for "+who+".")
	return a
}

func (c *call) moved(r *world.Repo) answer {
	to := c.s.view.api + "/repositories/" + strconv.FormatInt(r.ID, 10)
	parts := strings.SplitN(c.r.URL.EscapedPath(), "/", 5) // "", repos, owner, name, rest
	if len(parts) == 5 {
		to += "/" + parts[4]
	}
	if q := c.r.URL.RawQuery; q != "" {
		to += "?" + q
	}
	status := http.StatusMovedPermanently
	if c.r.Method != http.MethodGet {
		status = http.StatusTemporaryRedirect
	}
	return answer{
		status: status, header: map[string]string{"Location": to},
		body: mustJSON(map[string]string{"message": "Moved Permanently", "url": to, "documentation_url": c.s.docs}),
	}
}

func (c *call) signOn(o *world.Org) answer {
	a := c.fail(http.StatusForbidden, "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.")
	a.header = map[string]string{
		"X-GitHub-SSO": "required; url=" + c.s.view.html + "/orgs/" + o.Login + "/sso?authorization_request=A0B1C2D3",
	}
	return a
}

// token exchanges an App's JWT for an installation token that lives for an hour.
func (c *call) token() answer {
	if err := c.checkJWT(strings.TrimPrefix(c.r.Header.Get("Authorization"), "Bearer ")); err != nil {
		return c.fail(http.StatusUnauthorized, "A JSON web token could not be decoded")
	}
	number, err := strconv.ParseInt(c.r.PathValue("id"), 10, 64)
	if err != nil || number <= 0 {
		return c.notFound()
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %d", c.w.Seed, number, c.w.Now().UnixNano()))
	id := &Identity{
		Token: "ghs_" + hex.EncodeToString(sum[:18]), Login: "installation-" + strconv.FormatInt(number, 10), Limit: 5000, app: true,
		expires: c.w.Now().Add(time.Hour),
	}
	c.s.identities[id.Token] = id
	a := c.ok(map[string]any{
		"token": id.Token, "expires_at": stamp(id.expires), "repository_selection": "all",
		"permissions": map[string]string{"actions": "write", "contents": "read", "deployments": "write", "metadata": "read"},
	})
	a.status = http.StatusCreated
	return a
}

// checkJWT verifies an App's token: its form, its life of at most ten minutes by the world's clock or by
// the real one, and its signature where the key is known.
func (c *call) checkJWT(token string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("not a JWT")
	}
	var claims struct {
		Iat, Exp float64
		Iss      json.RawMessage
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return fmt.Errorf("claims: %w", err)
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		return fmt.Errorf("claims: %w", err)
	}
	exp := time.Unix(int64(claims.Exp), 0)
	if len(claims.Iss) == 0 || claims.Exp-claims.Iat > 660 || exp.Before(c.w.Now()) && exp.Before(time.Now()) {
		return errors.New("issuer or life is wrong")
	}
	if c.s.cfg.AppKey == nil {
		return nil
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return fmt.Errorf("signature: %w", err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(c.s.cfg.AppKey, crypto.SHA256, sum[:], sig); err != nil {
		return fmt.Errorf("signature: %w", err)
	}
	return nil
}
