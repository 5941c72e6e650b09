package sourcetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Reply is one answer of a provider, kept.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Tape is a provider that answers from memory, whatever the host: by path, query and what was sent, as Key
// has them, and else by path alone. What it does not know it records from Next; without Next it is a 404.
type Tape struct {
	Next    http.RoundTripper
	Replies map[string]Reply // not to be changed while requests are under way

	mu sync.Mutex
}

// NewTape makes a Tape that records from next.
func NewTape(next http.RoundTripper) *Tape { return &Tape{Next: next, Replies: map[string]Reply{}} }

// Key names what is asked for.
func Key(u *url.URL, body []byte) string {
	key := u.EscapedPath() + "?" + u.RawQuery
	if len(body) > 0 {
		key += " " + string(body)
	}
	return key
}

// RoundTrip implements http.RoundTripper.
func (tp *Tape) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		sent, err = io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
	}
	key := Key(r.URL, sent)
	got, err := tp.reply(r, key, sent)
	if err != nil {
		return nil, err
	}
	header := got.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Del("ETag")
	header.Del("Content-Length")
	return &http.Response{
		StatusCode: got.Status, Status: http.StatusText(got.Status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(got.Body)), ContentLength: int64(len(got.Body)), Request: r,
	}, nil
}

func (tp *Tape) reply(r *http.Request, key string, sent []byte) (Reply, error) {
	tp.mu.Lock()
	got, ok := tp.Replies[key]
	if !ok {
		got, ok = tp.Replies[r.URL.EscapedPath()]
	}
	tp.mu.Unlock()
	switch {
	case ok:
		return got, nil
	case tp.Next == nil:
		return Reply{Status: http.StatusNotFound, Body: []byte(`{"message":"Not Found"}`)}, nil
	}
	again := r.Clone(r.Context())
	if sent != nil {
		again.Body = io.NopCloser(bytes.NewReader(sent))
	}
	again.Header.Del("Accept-Encoding") // the transport asks for what it reads itself
	res, err := tp.Next.RoundTrip(again)
	if err != nil {
		return Reply{}, err //nolint:wrapcheck // a transport hands on what its base says
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return Reply{}, fmt.Errorf("read the answer: %w", err)
	}
	got = Reply{res.StatusCode, res.Header, body}
	tp.mu.Lock()
	defer tp.mu.Unlock()
	tp.Replies[key] = got
	return got, nil
}

// With is the tape with another body for key. It records nothing.
func (tp *Tape) With(key string, body []byte) *Tape {
	changed := &Tape{Replies: maps.Clone(tp.Replies)}
	reply := changed.Replies[key]
	reply.Body = body
	changed.Replies[key] = reply
	return changed
}

// Fields are the names of what is read of a provider's answers; nil: everything.
type Fields map[string]bool

func (f Fields) has(name string) bool { return f == nil || f[name] }

// FieldsOf are the fields of the types that answers decode into, and more that are read otherwise.
func FieldsOf(types []any, more ...string) Fields {
	out := Fields{}
	for _, name := range more {
		out[name] = true
	}
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		if seen[t] || t == reflect.TypeFor[time.Time]() {
			return
		}
		seen[t] = true
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(t.Elem())
		case reflect.Struct:
			for i := range t.NumField() {
				f := t.Field(i)
				if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
					out[name] = true
				}
				walk(f.Type)
			}
		default:
		}
	}
	for _, v := range types {
		walk(reflect.TypeOf(v))
	}
	return out
}

// Trim shortens the lists of a tape, because what is read of one item is read of all, and leaves out what
// is not in fields. What stands below a name in whole is kept as it is.
func (tp *Tape) Trim(tb testing.TB, fields Fields, whole ...string) {
	tb.Helper()
	var prune func(any)
	prune = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				prune(item)
			}
		case map[string]any:
			maps.DeleteFunc(v, func(k string, _ any) bool { return !fields.has(k) })
			for k, item := range v {
				if !slices.Contains(whole, k) {
					prune(item)
				}
			}
		}
	}
	short := func(l []any) []any { return slices.Delete(l, min(4, len(l)), max(min(4, len(l)), len(l)-1)) }
	for key, reply := range tp.Replies {
		var root any
		if reply.Status != http.StatusOK || json.Unmarshal(reply.Body, &root) != nil {
			continue
		}
		if fields != nil {
			prune(root)
		}
		switch v := root.(type) {
		case []any:
			root = short(v)
		case map[string]any:
			for k, item := range v {
				if l, ok := item.([]any); ok {
					v[k] = short(l)
				}
			}
		}
		body, err := json.Marshal(root)
		if err != nil {
			tb.Fatal(err)
		}
		reply.Body, reply.Header = body, reply.Header.Clone()
		reply.Header.Del("Link") // the rest was cut off
		tp.Replies[key] = reply
	}
}
