package httpx

import (
	"context"
	"net/http"
	"strings"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
)

// Route is how a provider is reached: the keys proxy, proxy_auth and ca_file that every driver's config has.
type Route struct {
	Proxy     string     // "http://proxy:3128"; "" means the environment's, "none" a direct connection
	ProxyAuth secret.Ref // what Proxy wants for a sign-in, user:password
	CAFile    string     // a PEM file of certificates that are trusted besides the system's
}

// Validate names every key that is wrong.
func (r Route) Validate() error {
	if _, err := Base(Network{Proxy: r.Proxy}); err != nil {
		fix := "write http://proxy:3128, or none"
		if strings.Contains(r.Proxy, "@") {
			fix = "write http://proxy:3128, and proxy_auth: env:NAME where the variable holds user:password"
		}
		return &sources.FieldError{Path: "proxy", Msg: strings.TrimPrefix(err.Error(), "proxy: "), Fix: fix}
	}
	if !r.ProxyAuth.IsZero() && (r.Proxy == "" || r.Proxy == "none") {
		return &sources.FieldError{Path: "proxy_auth", Msg: "there is no proxy: to sign in to", Fix: "set proxy: to its address"}
	}
	return nil
}

// Network is r for Base.
func (r Route) Network() Network {
	n := Network{Proxy: r.Proxy, CAFile: r.CAFile}
	if !r.ProxyAuth.IsZero() {
		n.SignIn = r.signIn
	}
	return n
}

// Base is the transport that r says to use: the surroundings' own unless r names a proxy or an authority;
// made reports that it is this caller's to close. An error is a *sources.FieldError.
func (r Route) Base(own http.RoundTripper) (base http.RoundTripper, made bool, err error) {
	if own != nil && r.Proxy == "" && r.CAFile == "" {
		return own, false, nil
	}
	base, err = Base(r.Network())
	if err != nil {
		return nil, false, badCA(err)
	}
	return base, true, nil
}

func badCA(err error) error {
	return &sources.FieldError{Path: "ca_file", Msg: strings.TrimPrefix(err.Error(), "ca_file: "), Fix: "name a readable PEM file"}
}

func (r Route) signIn(ctx context.Context) (user, password string, err error) {
	auth, err := reveal(ctx, r.ProxyAuth, "the proxy's sign-in")
	if err != nil {
		return "", "", err
	}
	user, password, ok := strings.Cut(auth, ":")
	if !ok || user == "" {
		return "", "", &sources.Error{Kind: sources.Permission, Msg: r.ProxyAuth.String() + " holds no sign-in for the proxy", Fix: "let proxy_auth name what holds user:password"}
	}
	return user, password, nil
}
