package fault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Vendor is a provider whose requests are struck.
type Vendor struct {
	Name string
	// Refuse is the body of a refusal as the provider words it, in JSON, and what else its head carries; for
	// status 200 the body that says all the same that something went wrong. An empty message stands for the
	// provider's own. Limited says that too much was asked; retryAfter is in seconds, 0 for none.
	Refuse func(status int, message string, limited bool, retryAfter int) (body []byte, header map[string]string)
}

// Wrap lets the rules of s strike the requests to a provider.
func (s *Set) Wrap(v Vendor, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rule, ok := s.pick(v.Name, r)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		if rule.Kind == Hang || rule.Kind == Latency {
			r = received(r)
		}
		if !rule.before(v, w, r) {
			return
		}
		rec := &recorder{header: http.Header{}, status: http.StatusOK}
		next.ServeHTTP(rec, r)
		if rule.Kind == Stall {
			<-r.Context().Done()
			return
		}
		rule.after(v, w, rec)
	})
}

// mostBody is the largest body that is kept while its request waits.
const mostBody = 1 << 20

// received has read the whole of r: only then a server learns that the client has gone.
func received(r *http.Request) *http.Request {
	body, err := io.ReadAll(io.LimitReader(r.Body, mostBody))
	if err != nil {
		return r // the client has gone already
	}
	r2 := r.Clone(r.Context())
	r2.Body = io.NopCloser(bytes.NewReader(body))
	return r2
}

// before strikes what fails before the request is processed; true lets it be processed.
func (rule Rule) before(v Vendor, w http.ResponseWriter, r *http.Request) bool {
	switch rule.Kind {
	case Status:
		rule.refuse(v, w, rule.code(http.StatusInternalServerError), false)
	case Secondary:
		rule.refuse(v, w, rule.code(http.StatusForbidden), true)
	case HTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(rule.code(http.StatusBadGateway))
		_, _ = fmt.Fprint(w, "<!DOCTYPE html><html><head><title>Unicorn!</title></head><body><h1>We could not serve this in time.</h1></body></html>")
	case Hang:
		<-r.Context().Done()
	case LostRequest:
		drop(w, nil)
	case Latency:
		t := time.NewTimer(rule.Delay)
		defer t.Stop()
		select {
		case <-t.C:
			return true
		case <-r.Context().Done():
		}
	case LostAnswer, Stall, Reset, Truncate, WrongTypes, ErrorIn200:
		return true
	}
	return false
}

func (rule Rule) code(otherwise int) int {
	if rule.Code != 0 {
		return rule.Code
	}
	return otherwise
}

func (rule Rule) message(otherwise string) string {
	if rule.Message != "" {
		return rule.Message
	}
	return otherwise
}

func (rule Rule) refuse(v Vendor, w http.ResponseWriter, code int, limited bool) {
	body, header := v.Refuse(code, rule.Message, limited, rule.RetryAfter)
	for name, value := range header {
		w.Header().Set(name, value)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(body)
}

// after spoils the answer of a request that was processed.
func (rule Rule) after(v Vendor, w http.ResponseWriter, rec *recorder) {
	body := rec.body.Bytes()
	switch rule.Kind {
	case LostAnswer:
		drop(w, nil)
		return
	case Reset:
		var head bytes.Buffer
		fmt.Fprintf(&head, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", rec.status, http.StatusText(rec.status), len(body)+1)
		head.Write(body[:len(body)/2])
		drop(w, head.Bytes())
		return
	case Truncate:
		body = body[:len(body)/2]
	case WrongTypes:
		body = mistype(body)
	case ErrorIn200:
		rec.status = http.StatusOK
		body, _ = v.Refuse(http.StatusOK, rule.message("Something went wrong"), false, 0)
		rec.header.Del("ETag")
	case Status, HTML, Secondary, Hang, LostRequest, Stall, Latency:
	}
	for k, v := range rec.header {
		w.Header()[k] = v
	}
	if rec.header.Get("Content-Length") != "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(rec.status)
	_, _ = w.Write(body)
}

// drop writes what there is and breaks the connection: with a reset, so that nothing looks like an end.
func drop(w http.ResponseWriter, bytes []byte) {
	hj, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, buf, err := hj.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if len(bytes) > 0 {
		_, _ = buf.Write(bytes)
		_ = buf.Flush()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// mistype turns every value into one of another type.
func mistype(body []byte) []byte {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return body
	}
	out, err := json.Marshal(wrong(v))
	if err != nil {
		return body
	}
	return out
}

func wrong(v any) any {
	switch x := v.(type) {
	case float64:
		return strings.Repeat("9", 3)
	case string:
		return 17
	case bool:
		return "yes"
	case nil:
		return map[string]any{}
	case []any:
		return map[string]any{"items": len(x)}
	case map[string]any:
		for k := range x {
			x[k] = wrong(x[k])
		}
		return x
	default:
		return v
	}
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) { r.status = status }

func (r *recorder) Write(b []byte) (int, error) {
	n, _ := r.body.Write(b) // never fails
	return n, nil
}
