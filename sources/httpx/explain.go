package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"example.com/signalbox/sources"
)

// Explain turns an error of an HTTP call into an *sources.Error for people. An *sources.Error in err's
// chain keeps its kind and words; op and scope are filled in where it has none. It never returns nil
// for an error, nor the address of a request, which may hold a signature.
func Explain(op, scope string, err error) *sources.Error {
	if e, ok := errors.AsType[*sources.Error](err); ok {
		c := *e
		if c.Op == "" {
			c.Op, c.Scope = op, scope
		}
		return &c
	}
	kind, msg, fix := explain(err)
	return &sources.Error{Kind: kind, Op: op, Scope: scope, Msg: msg, Fix: fix, Err: withoutURL(err)}
}

// explain says what went wrong, with the host that it went wrong with where err tells.
func explain(err error) (kind sources.ErrKind, msg, fix string) {
	// What a proxy answers to CONNECT comes as the text of its status alone.
	if strings.HasSuffix(err.Error(), http.StatusText(http.StatusProxyAuthRequired)) {
		return sources.Permission, proxySignIn, proxyFix
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" && !errors.Is(err, context.Canceled) {
		return explainProxy(op)
	}
	host := hostIn(err)
	if kind, msg, fix, ok := explainTLS(err, host); ok {
		return kind, msg, fix
	}
	if msg, ok := explainDecode(err); ok {
		return sources.Invalid, msg, "the provider answered with something else than its API promises: try again, and check what stands in between"
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		if dns.IsNotFound {
			return sources.Transient, "there is no host " + dns.Name, "check the address and the network"
		}
		return sources.Transient, "the name " + dns.Name + " cannot be resolved", "check the network"
	}
	switch {
	case errors.Is(err, context.Canceled):
		return sources.Transient, "was cancelled", ""
	case isTimeout(err):
		return sources.Transient, said(host, "no answer in time from ", "no answer in time"), "check the network; it is tried again"
	case errors.Is(err, syscall.ECONNREFUSED):
		return sources.Transient, said(host, "the connection was refused by ", "the connection was refused"), "check the address and whether the service is up"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed), strings.Contains(err.Error(), "INTERNAL_ERROR"):
		return sources.Transient, said(host, "the connection broke before the answer was whole: ", "the connection broke before the answer was whole"), "it is tried again"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return sources.Transient, said(host, "the network failed on the way to ", "the network failed") + ": " + op.Err.Error(), "check the network"
	}
	return sources.Transient, withoutURL(err).Error(), ""
}

// said names host where it is known.
func said(host, named, unnamed string) string {
	if host == "" {
		return unnamed
	}
	return named + host
}

// hostIn is the host and port that a request was for; "" when err does not tell.
func hostIn(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		if p, perr := url.Parse(u.URL); perr == nil {
			return p.Host
		}
	}
	return ""
}

func explainTLS(err error, host string) (kind sources.ErrKind, msg, fix string, ok bool) {
	if e, is := errors.AsType[x509.UnknownAuthorityError](err); is {
		by := ""
		if e.Cert != nil {
			by = " (" + e.Cert.Issuer.String() + ")"
		}
		return sources.Invalid, said(host, "the certificate of ", "the server's certificate") + " is signed by an authority that is not trusted here" + by,
			"set ca_file to the authority's certificate (PEM); if a proxy of yours signs what passes it, to the proxy's", true
	}
	if e, is := errors.AsType[x509.HostnameError](err); is {
		return sources.Invalid, "the server's certificate is not for " + e.Host, "check the address", true
	}
	if e, is := errors.AsType[x509.CertificateInvalidError](err); is {
		if e.Reason == x509.Expired {
			return sources.Invalid, said(host, "the certificate of ", "the server's certificate") + " is expired or not yet valid", "check this machine's clock, then the server", true
		}
		return sources.Invalid, said(host, "the certificate of ", "the server's certificate") + " is not valid", "ask who runs the server", true
	}
	if op, is := errors.AsType[*net.OpError](err); is && op.Op == "remote error" {
		switch said := op.Err.Error(); {
		case strings.Contains(said, "certificate required"):
			return sources.Permission, "the server wants a certificate, and was shown none", "set cert_file and cert_key", true
		case strings.Contains(said, "certificate"):
			return sources.Permission, "the server does not take the certificate that it was shown (" + strings.TrimPrefix(said, "tls: ") + ")",
				"check cert_file and cert_key: who signed it, and until when it is valid", true
		}
	}
	if _, is := errors.AsType[tls.RecordHeaderError](err); is {
		return sources.Invalid, said(host, "no TLS is spoken at ", "the server does not speak TLS"), "check the address and its port", true
	}
	return 0, "", "", false
}

func explainDecode(err error) (string, bool) {
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return "the answer is not JSON", true
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		where := e.Field
		if where == "" {
			where = "the answer"
		}
		return fmt.Sprintf("%s is a JSON %s where something else was expected", where, e.Value), true
	}
	return "", false
}

func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // it looks no deeper than at this for a time-out, and the transport says what it did
	}
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// withoutURL takes the addresses out of err's text, and keeps its chain.
func withoutURL(err error) error {
	u, ok := errors.AsType[*url.Error](err)
	if !ok {
		return err
	}
	where := ""
	if p, perr := url.Parse(u.URL); perr == nil {
		where = " " + p.Host
	}
	return fmt.Errorf("%s%s: %w", strings.ToLower(u.Op), where, u.Err)
}

// Status explains a reply that is no success, by its status alone. What a driver knows better, from
// the body or from headers, it says itself first.
func Status(op, scope string, res *http.Response) *sources.Error {
	e := &sources.Error{Op: op, Scope: scope, Err: fmt.Errorf("status %s", res.Status)}
	switch code := res.StatusCode; {
	case code == http.StatusUnauthorized:
		e.Kind, e.Msg, e.Fix = sources.Permission, "the credential is not accepted", "check the token: it may be expired or revoked"
	case code == http.StatusForbidden:
		e.Kind, e.Msg, e.Fix = sources.Permission, "access is denied", "check what the token may do"
	case code == http.StatusProxyAuthRequired:
		e.Kind, e.Msg, e.Fix = sources.Permission, proxySignIn, proxyFix
	case code == http.StatusNotFound, code == http.StatusGone:
		e.Kind, e.Msg = sources.NotExist, "it does not exist, or is hidden from this credential"
		e.Fix = "check its name, and that the token may see it"
	case code == http.StatusConflict, code == http.StatusPreconditionFailed, code == http.StatusLocked:
		e.Kind, e.Msg = sources.Conflict, "it is not in a state that allows this"
	case code == http.StatusTooManyRequests:
		e.Kind, e.Msg = sources.Throttled, "the rate limit is used up"
	case code == http.StatusNotImplemented:
		e.Kind, e.Msg = sources.Unsupported, "the server cannot do this"
	case code >= 500:
		e.Kind, e.Msg, e.Fix = sources.Transient, "the server failed: "+http.StatusText(code), "it is tried again; if it lasts, look at the status page of who runs it"
	case code >= 400:
		e.Kind, e.Msg = sources.Invalid, "the request was refused: "+http.StatusText(code)
	default:
		e.Kind, e.Msg = sources.Invalid, fmt.Sprintf("an answer with status %d was not expected", code)
	}
	return e
}
