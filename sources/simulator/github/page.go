package github

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// span is the part of a list that a request asks for.
type span struct{ page, per int }

func (c *call) span() span {
	s := span{page: 1, per: 30}
	if n, err := strconv.Atoi(c.q.Get("page")); err == nil && n > 0 {
		s.page = n
	}
	if n, err := strconv.Atoi(c.q.Get("per_page")); err == nil && n > 0 {
		s.per = min(n, 100)
	}
	return s
}

// cut is the page of list that the request asks for; it sets the Link header.
func cut[T any](c *call, list []T) []T {
	s := c.span()
	c.links(s, len(list))
	from := min((s.page-1)*s.per, len(list))
	return list[from:min(from+s.per, len(list))]
}

func (c *call) links(s span, total int) {
	last := max(1, (total+s.per-1)/s.per)
	var out []string
	add := func(rel string, page int) {
		q := url.Values{}
		for k, v := range c.q {
			q[k] = v
		}
		q.Set("page", strconv.Itoa(page))
		out = append(out, fmt.Sprintf("<%s?%s>; rel=%q", c.pageBase(), q.Encode(), rel))
	}
	if s.page > 1 {
		add("prev", min(s.page-1, last))
	}
	if s.page < last {
		add("next", s.page+1)
		add("last", last)
	}
	if s.page > 1 {
		add("first", 1)
	}
	c.setLink(strings.Join(out, ", "))
}

// pageBase is the address of the list by the repository's identity, as GitHub links to its pages.
func (c *call) pageBase() string {
	path := c.r.URL.EscapedPath()
	if c.repo == nil {
		return c.s.view.api + path
	}
	rest := strings.TrimPrefix(path, "/repos/")
	if _, tail, ok := strings.Cut(rest, "/"); ok {
		if _, tail, ok = strings.Cut(tail, "/"); ok {
			return c.s.view.api + "/repositories/" + strconv.FormatInt(c.repo.ID, 10) + "/" + tail
		}
	}
	return c.s.view.api + path
}

// counted answers a page of a list that stands under a key, beside its total count.
func (*call) counted(key string, total int, items []json.RawMessage) answer {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"total_count":%d,%q:`, total, key)
	b.Write(joined(items))
	b.WriteByte('}')
	return answer{status: http.StatusOK, body: b.Bytes()}
}

func (*call) list(items []json.RawMessage) answer {
	return answer{status: http.StatusOK, body: joined(items)}
}

func joined(items []json.RawMessage) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, raw := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(raw)
	}
	b.WriteByte(']')
	return b.Bytes()
}

func raws[T, U any](list []T, f func(T) U) []json.RawMessage {
	out := make([]json.RawMessage, 0, len(list))
	for _, x := range list {
		out = append(out, mustJSON(f(x)))
	}
	return out
}
