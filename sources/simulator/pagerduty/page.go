package pagerduty

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	defaultLimit = 25
	maxLimit     = 100
	maxReach     = 10_000 // offset and limit together
)

// span is the part of a list that a request asks for.
type span struct{ offset, limit int }

func (c *call) span() (span, bool) {
	s := span{limit: defaultLimit}
	if n, err := strconv.Atoi(c.q.Get("limit")); err == nil && n > 0 {
		s.limit = min(n, maxLimit)
	}
	if n, err := strconv.Atoi(c.q.Get("offset")); err == nil && n > 0 {
		s.offset = n
	}
	return s, s.offset+s.limit <= maxReach
}

// asked is the address of the page that was asked for, in one form.
func (c *call) asked() string {
	s, _ := c.span()
	return c.pageAt(s.offset)
}

func (c *call) pageAt(offset int) string {
	q := url.Values{}
	for k, v := range c.q {
		q[k] = v
	}
	q.Set("offset", strconv.Itoa(offset))
	return c.r.URL.Path + "?" + q.Encode()
}

// page answers the part of a list that is asked for, under its key. show renders an item.
func page[T any](c *call, key string, list []T, show func(T) any) answer {
	s, ok := c.span()
	if !ok {
		return c.invalid("Offset and limit together must not exceed 10000")
	}
	from := min(s.offset, len(list))
	to := min(from+s.limit, len(list))
	if to < len(list) {
		c.next = c.pageAt(s.offset + s.limit)
	}
	total := "null"
	if c.q.Get("total") == "true" {
		total = strconv.Itoa(len(list))
	}
	var b bytes.Buffer // items are large: they are encoded once
	fmt.Fprintf(&b, `{%q:[`, key)
	for n, x := range list[from:to] {
		if n > 0 {
			b.WriteByte(',')
		}
		b.Write(mustJSON(show(x)))
	}
	fmt.Fprintf(&b, `],"limit":%d,"offset":%d,"more":%t,"total":%s}`, s.limit, s.offset, to < len(list), total)
	return answer{status: http.StatusOK, body: b.Bytes()}
}

// bounds reads since and until; a missing one is what otherwise says. It answers when one of them is no
// time, or both lie the wrong way round.
func (c *call) bounds(since, until time.Time) (from, to time.Time, a answer, ok bool) {
	from, to = since, until
	for _, x := range []struct {
		name string
		at   *time.Time
	}{{"since", &from}, {"until", &to}} {
		if c.q.Get(x.name) == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, c.q.Get(x.name))
		if err != nil {
			c.complain("time is not ISO 8601")
			return from, to, c.invalid(x.name + " is invalid"), false
		}
		*x.at = at
	}
	if to.Before(from) {
		return from, to, c.invalid("until must be after since"), false
	}
	return from, to, answer{}, true
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func stampOrNil(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}
