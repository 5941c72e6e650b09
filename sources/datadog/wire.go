package datadog

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The types below read what Datadog sends, which is not always what it describes: numbers as strings,
// times as dates or as seconds, null for anything. What makes no sense is read as nothing, since one odd
// field must not cost a board its monitors.

// text is a string; a number or a boolean is read as it is written.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = ""
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[' || b[0] == 'n':
		return nil
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err //nolint:wrapcheck // the decoder's own error, back to the decoder
		}
		*t = text(s)
	default:
		*t = text(b)
	}
	return nil
}

// number is a float64; NaN where there is none.
type number float64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	*n = number(parseNumber(b))
	return nil
}

// known is n, and whether it says anything.
func (n *number) known() (float64, bool) {
	if n == nil || math.IsNaN(float64(*n)) {
		return math.NaN(), false
	}
	return float64(*n), true
}

// parseNumber reads a JSON number, or one in quotes; NaN for anything else.
func parseNumber(b []byte) float64 {
	s := strings.Trim(string(b), `"`)
	if s == "" || s[0] == 'n' || s[0] == '{' || s[0] == '[' {
		return math.NaN()
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return math.NaN()
	}
	return f
}

// whole is an integer; 0 where there is none.
type whole int64

// UnmarshalJSON implements json.Unmarshaler.
func (w *whole) UnmarshalJSON(b []byte) error {
	*w = 0
	s := strings.Trim(string(b), `"`)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		*w = whole(n)
	} else if f := parseNumber(b); f > -1e15 && f < 1e15 {
		*w = whole(f)
	}
	return nil
}

// stamp is a moment: a date, or a Unix time in seconds, milliseconds, microseconds or nanoseconds. Zero
// where there is none.
type stamp struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (s *stamp) UnmarshalJSON(b []byte) error {
	s.Time = time.Time{}
	if len(b) > 1 && b[0] == '"' {
		v := strings.Trim(string(b), `"`)
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", time.DateOnly} {
			if t, err := time.Parse(layout, v); err == nil {
				s.Time = sane(t)
				return nil
			}
		}
	}
	s.Time = unix(parseNumber(b))
	return nil
}

// unix tells the unit of a Unix time by its size: seconds until the year 5138, then milliseconds, and so
// on.
func unix(f float64) time.Time {
	switch {
	case !(f > 0) || f > 4e18:
		return time.Time{}
	case f < 1e11:
		return sane(time.UnixMilli(int64(f * 1000)))
	case f < 1e14:
		return sane(time.UnixMilli(int64(f)))
	case f < 1e17:
		return sane(time.UnixMicro(int64(f)))
	default:
		return sane(time.Unix(0, int64(f)))
	}
}

// sane is t in UTC; zero when no clock has ever shown it and JSON cannot hold it.
func sane(t time.Time) time.Time {
	if y := t.UTC().Year(); y < 1971 || y > 9999 {
		return time.Time{}
	}
	return t.UTC()
}

// words are strings: a list of them, or one.
type words []string

// UnmarshalJSON implements json.Unmarshaler.
func (w *words) UnmarshalJSON(b []byte) error {
	*w = nil
	if len(b) > 0 && b[0] == '[' {
		var list []text
		if err := json.Unmarshal(b, &list); err != nil {
			return err //nolint:wrapcheck // the decoder's own error, back to the decoder
		}
		for _, t := range list {
			if t != "" {
				*w = append(*w, string(t))
			}
		}
		return nil
	}
	var one text
	if err := one.UnmarshalJSON(b); err != nil {
		return err
	}
	if one != "" {
		*w = words{string(one)}
	}
	return nil
}

// some is a list whose elements are read one by one: those that cannot be are counted and left out.
type some[T any] struct {
	Items []T
	Bad   int
	// Given reports that there was a list at all, if an empty one.
	Given bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *some[T]) UnmarshalJSON(b []byte) error {
	*s = some[T]{}
	if len(b) == 0 || b[0] != '[' {
		if len(b) > 0 && b[0] != 'n' {
			s.Bad = 1
		}
		return nil
	}
	s.Given = true
	var all []T
	if err := json.Unmarshal(b, &all); err == nil {
		s.Items = all
		return nil
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err //nolint:wrapcheck // the decoder's own error, back to the decoder
	}
	s.Items = make([]T, 0, len(raw))
	for _, r := range raw {
		v, ok := element[T](r)
		if !ok {
			s.Bad++
			continue
		}
		s.Items = append(s.Items, v)
	}
	return nil
}

// element reads one of several. It is none where it is of another type as a whole; a part of it that is of
// another type is left out.
func element[T any](raw []byte) (v T, ok bool) {
	err := json.Unmarshal(raw, &v)
	if e, odd := errors.AsType[*json.UnmarshalTypeError](err); odd && e.Field != "" {
		return v, true
	}
	return v, err == nil
}

// table is an object whose values are read one by one, as some's are.
type table[T any] map[string]T

// UnmarshalJSON implements json.Unmarshaler.
func (t *table[T]) UnmarshalJSON(b []byte) error {
	*t = nil
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err //nolint:wrapcheck // the decoder's own error, back to the decoder
	}
	*t = make(table[T], len(raw))
	for k, r := range raw {
		if v, ok := element[T](r); ok {
			(*t)[k] = v
		}
	}
	return nil
}

// link is one end of a relationship of JSON:API.
type link struct {
	ID   text `json:"id"`
	Type text `json:"type"`
}

// links are a relationship: to one thing, to several, or to none.
type links []link

// UnmarshalJSON implements json.Unmarshaler.
func (l *links) UnmarshalJSON(b []byte) error {
	*l = nil
	var r struct {
		Data json.RawMessage `json:"data"`
	}
	if len(b) == 0 || b[0] != '{' || json.Unmarshal(b, &r) != nil {
		return nil
	}
	data := bytes.TrimSpace(r.Data)
	switch {
	case len(data) == 0:
	case data[0] == '[':
		var all some[link]
		if json.Unmarshal(data, &all) == nil {
			*l = slices.DeleteFunc(all.Items, func(end link) bool { return end.ID == "" })
		}
	case data[0] == '{':
		var one link
		if json.Unmarshal(data, &one) == nil && one.ID != "" {
			*l = links{one}
		}
	}
	return nil
}

// first is the ID of the first end; "" when there is none.
func (l links) first() string {
	if len(l) == 0 {
		return ""
	}
	return string(l[0].ID)
}

// row is the values of one series; null is NaN.
type row []float64

// UnmarshalJSON implements json.Unmarshaler. It reads an array of plain values, as a reply has by the
// hundred thousand, without an allocation for each.
func (r *row) UnmarshalJSON(b []byte) error {
	*r = nil
	b = bytes.TrimSpace(b)
	if len(b) < 2 || b[0] != '[' {
		return nil
	}
	b = bytes.TrimSpace(b[1 : len(b)-1])
	if len(b) == 0 {
		*r = row{}
		return nil
	}
	out := make(row, 0, bytes.Count(b, []byte{','})+1)
	depth, quoted, start := 0, false, 0
	for i := 0; i <= len(b); i++ {
		if i == len(b) || depth == 0 && !quoted && b[i] == ',' {
			out = append(out, parseNumber(bytes.TrimSpace(b[start:i])))
			start = i + 1
			continue
		}
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		}
	}
	*r = out
	return nil
}

// pairs are the points of one series of version 1: a moment in milliseconds and a value.
type pairs []row
