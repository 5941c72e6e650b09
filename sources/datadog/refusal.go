package datadog

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// complaint reads what a refusal says. Datadog's description knows lists of strings; its servers also send
// lists of objects, single strings, and objects of lists.
func complaint(body []byte) string {
	var v map[string]json.RawMessage
	if json.Unmarshal(body, &v) != nil {
		return ""
	}
	return said(v, "errors", "error", "message")
}

// trouble reads what a success says of what went wrong. Of what was asked for, message may be a field.
func trouble(body []byte) string {
	var v map[string]json.RawMessage
	if json.Unmarshal(body, &v) != nil {
		return ""
	}
	return said(v, "errors", "error")
}

// said is the text of the first of keys that has any.
func said(v map[string]json.RawMessage, keys ...string) string {
	for _, key := range keys {
		if all := sayings(v[key], 0); len(all) > 0 {
			return clean.Line(strings.Join(all, "; ")).Cut(200, clean.Const("…")).String()
		}
	}
	return ""
}

// sayings gathers the texts of one part of a refusal. Datadog nests them twice at most.
func sayings(raw json.RawMessage, depth int) []string {
	if len(raw) == 0 || depth > 3 {
		return nil
	}
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) == nil && strings.TrimSpace(s) != "" {
			return []string{strings.TrimRight(strings.TrimSpace(s), ".")}
		}
	case '[':
		var all []json.RawMessage
		if json.Unmarshal(raw, &all) != nil {
			return nil
		}
		var out []string
		for _, one := range all {
			out = append(out, sayings(one, depth+1)...)
		}
		return out
	case '{':
		return saying(raw, depth)
	}
	return nil
}

// saying is one object of a refusal: its detail where it has one, else its title; else all that it holds.
func saying(raw json.RawMessage, depth int) []string {
	var known struct {
		Title   text `json:"title"`
		Detail  text `json:"detail"`
		Message text `json:"message"`
		Error   text `json:"error"`
		Name    text `json:"error_message"`
	}
	if json.Unmarshal(raw, &known) != nil {
		return nil
	}
	if s := cmp.Or(known.Detail, known.Message, known.Name, known.Error, known.Title); s != "" {
		return []string{strings.TrimRight(strings.TrimSpace(string(s)), ".")}
	}
	var rest map[string]json.RawMessage
	if json.Unmarshal(raw, &rest) != nil {
		return nil
	}
	var out []string
	for _, k := range slices.Sorted(maps.Keys(rest)) {
		for _, s := range sayings(rest[k], depth+1) {
			out = append(out, k+": "+s)
		}
	}
	return out
}

// statusError is the status of an answer that is no success.
type statusError struct{ status int }

func (e *statusError) Error() string { return fmt.Sprintf("status %d", e.status) }

// unfit reports whether err is Datadog's refusal of what was asked, as opposed to that of who asks.
func unfit(err error) bool {
	e, ok := errors.AsType[*statusError](err)
	return ok && (e.status == http.StatusBadRequest || e.status == http.StatusUnprocessableEntity)
}

// refusal explains an answer that is no success.
func (s *source) refusal(op operation, a answer) *sources.Error {
	said := complaint(a.body)
	res := &http.Response{StatusCode: a.status, Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), Header: a.header}
	e := httpx.Status(op.doing, "", res)
	e.Err = &statusError{a.status}
	because := func(msg string) string {
		if said == "" {
			return msg
		}
		return msg + ": " + said
	}
	switch {
	case a.status == http.StatusUnauthorized:
		e.Msg, e.Fix = because("Datadog does not accept the key"), s.keyFix()
	case a.status == http.StatusForbidden:
		e.Msg = because("Datadog denies it")
		e.Fix = "if this key works elsewhere, check site: (it is " + s.where() + ")"
		if op.need != "" {
			e.Fix = "give the application key, or its owner's role, the permission " + op.need + "; " + e.Fix
		}
	case a.status == http.StatusPaymentRequired:
		e.Kind, e.Msg, e.Fix = sources.Unsupported, because("this account's plan does not include it"), "ask who runs Datadog"
	case e.Kind == sources.NotExist:
		e.Msg = because("Datadog knows no such thing")
	case e.Kind == sources.Conflict:
		e.Msg = because("it is not in a state that allows this")
	case e.Kind == sources.Invalid:
		e.Msg = because("Datadog refuses the request")
	case e.Kind == sources.Transient:
		e.Msg = because(e.Msg)
	}
	return e
}

// where is the address that is asked, for people.
func (s *source) where() string {
	if s.host != nil {
		return s.host.Host
	}
	return s.cfg.Site
}

func (s *source) keyFix() string {
	if !s.cfg.AccessToken.IsZero() {
		return "check access_token: it may be expired or revoked; and site: (it is " + s.where() + ")"
	}
	return "check api_key: and app_key:, which may be revoked, and site: (it is " + s.where() + ")"
}
