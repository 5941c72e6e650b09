package httpx

import (
	"errors"
	"net"
	"net/http"

	"example.com/signalbox/sources"
)

const (
	proxySignIn = "the proxy wants a sign-in, or does not take the one that it got"
	proxyFix    = "set proxy_auth: to env:NAME, file:PATH or cmd:PROGRAM of user:password"
)

// refusedByProxy is what a proxy's answer to CONNECT means; nil when the way is open. Nothing of the request
// has been sent then.
func refusedByProxy(proxy string, status int) error {
	if status == http.StatusOK {
		return nil
	}
	e := &sources.Error{Kind: sources.Transient, Msg: "the proxy " + proxy + " cannot reach the address: " + statusText(status)}
	switch {
	case status == http.StatusProxyAuthRequired:
		e.Kind, e.Msg, e.Fix = sources.Permission, proxySignIn+": "+proxy, proxyFix
	case status >= http.StatusInternalServerError:
		e.Fix = "check the address; if it is right, ask who runs the proxy"
	default:
		e.Kind, e.Msg = sources.Permission, "the proxy "+proxy+" lets nobody through to this address: "+statusText(status)
		e.Fix = "ask who runs the proxy to allow it, or set proxy: none where no proxy is needed"
	}
	return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: e}
}

func statusText(code int) string {
	if text := http.StatusText(code); text != "" {
		return text
	}
	return "an answer that is none of HTTP's"
}

// explainProxy tells why a proxy could not be asked, and names it where op does.
func explainProxy(op *net.OpError) (kind sources.ErrKind, msg, fix string) {
	const check = "check proxy:, or HTTPS_PROXY where the config names none, and the network"
	if dns, ok := errors.AsType[*net.DNSError](op.Err); ok {
		return sources.Transient, "the proxy " + dns.Name + " does not exist or cannot be resolved", check
	}
	if kind, msg, fix, ok := explainTLS(op.Err, "the proxy"); ok {
		return kind, msg, fix
	}
	at := ""
	if dial, ok := errors.AsType[*net.OpError](op.Err); ok && dial.Addr != nil {
		at = " " + dial.Addr.String()
	}
	return sources.Transient, "the proxy" + at + " does not answer", check
}
