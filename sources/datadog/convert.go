package datadog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// parallel is how many requests one list has under way at most.
const parallel = 4

// owners tells which configured service a value of the service tag names.
type owners struct {
	tag   string
	names map[string]string // by value in lower case
}

func (s *source) owners(services []sources.ServiceSpec) owners {
	o := owners{tag: s.cfg.ServiceTag, names: map[string]string{}}
	for i := range services {
		spec := &services[i]
		values := spec.Incidents
		if len(values) == 0 {
			values = []string{spec.Name}
		}
		for _, v := range values {
			key := strings.ToLower(v)
			if _, taken := o.names[key]; !taken {
				o.names[key] = spec.Name
			}
		}
	}
	return o
}

// of is the service that one of values names; "" when no configured service claims it.
func (o owners) of(values ...string) string {
	for _, v := range values {
		if name, ok := o.names[strings.ToLower(v)]; ok {
			return name
		}
	}
	return ""
}

// tagged are the values of key among tags.
func tagged(tags []string, key string) []string {
	var out []string
	for _, t := range tags {
		if k, v, ok := strings.Cut(t, ":"); ok && strings.EqualFold(k, key) && v != "" {
			out = append(out, v)
		}
	}
	return out
}

// within are the values of key in a query: of "service:checkout" in "avg:errors{service:checkout,env:prod}".
func within(query, key string) []string {
	var out []string
	for rest := query; ; {
		i := strings.Index(rest, key+":")
		if i < 0 {
			return out
		}
		before := rest[:i]
		rest = rest[i+len(key)+1:]
		if before != "" && isWord(before[len(before)-1]) || strings.HasSuffix(before, "!") || strings.HasSuffix(before, "-") {
			continue
		}
		n := strings.IndexFunc(rest, func(r rune) bool { return strings.ContainsRune(" ,{}()\"'", r) })
		if n < 0 {
			n = len(rest)
		}
		if v := rest[:n]; v != "" && !strings.ContainsAny(v, "*$") && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
}

func isWord(c byte) bool {
	return c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// plain is s as an identifier may be kept: one line, without what a terminal obeys.
func plain[S ~string](s S) string { return clean.Line(string(s)).String() }

// fingerprint is the revision of what parts say.
func fingerprint(parts ...any) sources.Revision {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = fmt.Fprintf(h, "%v\x00", p) // a hash takes everything
	}
	return sources.Revision(fmt.Sprintf("%016x", h.Sum64()))
}

// person is somebody whom Datadog names.
type person struct {
	ID     text `json:"id"`
	UUID   text `json:"uuid"`
	Name   text `json:"name"`
	Email  text `json:"email"`
	Handle text `json:"handle"`
}

func (p person) isZero() bool { return p == person{} }

// person is p for the domain. Datadog's users need not have a name.
func (p person) person() sources.Person {
	id := plain(cmp.Or(p.ID, p.UUID, p.Handle, p.Email))
	login := cmp.Or(p.Email, p.Handle)
	name := cmp.Or(p.Name, login)
	if name == "" && id != "" {
		name = text("user " + id[:min(8, len(id))])
	}
	return sources.Person{ID: id, Name: clean.Line(string(name)), Login: clean.Line(string(login))}
}

// is reports whether identity, as `me:` says it, names p: by id, address, the part of it before the @, or name.
func (p person) is(identity string) bool {
	if identity == "" {
		return false
	}
	for _, t := range []text{p.ID, p.UUID, p.Email, p.Handle, p.Name} {
		local, _, mail := strings.Cut(string(t), "@")
		if t != "" && strings.EqualFold(string(t), identity) || mail && strings.EqualFold(local, identity) {
			return true
		}
	}
	return false
}

// included is something that an answer of JSON:API brings along.
type included struct {
	ID         text           `json:"id"`
	Type       text           `json:"type"`
	Attributes includedFields `json:"attributes"`
	Relations  struct {
		Responders links `json:"responders"`
	} `json:"relationships"`
}

// includedFields are the attributes of what is brought along: users and attached links.
type includedFields struct {
	Name       text   `json:"name"`
	Email      text   `json:"email"`
	Handle     text   `json:"handle"`
	Attachment *paper `json:"attachment"`
}

// people are the users among what was brought along, by their ids.
func people(all []included) map[string]person {
	out := map[string]person{}
	for _, i := range all {
		if i.Type == "users" && i.ID != "" {
			out[string(i.ID)] = person{ID: i.ID, Name: i.Attributes.Name, Email: i.Attributes.Email, Handle: i.Attributes.Handle}
		}
	}
	return out
}

// noticeBox gathers notices from several goroutines, each once.
type noticeBox struct {
	mu   sync.Mutex
	all  []sources.Notice
	odds map[string]int // how many of what could not be read
}

func (b *noticeBox) add(ns ...sources.Notice) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range ns {
		if !slices.Contains(b.all, n) {
			b.all = append(b.all, n)
		}
	}
}

// part notes that a part of an answer is missing; what ends the whole read is returned instead: the end of
// its context, and a limit, after which the rest would be refused too.
func (b *noticeBox) part(ctx context.Context, scope, what string, err error) error {
	if err != nil && ctx.Err() == nil && httpx.Explain("", "", err).Kind == sources.Throttled {
		return err
	}
	return b.bearable(ctx, scope, what, err)
}

// bearable is part for what has a limit of its own: the rest is worth having without it.
func (b *noticeBox) bearable(ctx context.Context, scope, what string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := httpx.Explain("", "", err)
	b.add(sources.Notice{Scope: scope, Kind: e.Kind, Text: clean.Line(what + ": " + e.Msg), Fix: clean.Line(e.Fix)})
	return nil
}

// odd counts what of a list could not be read.
func (b *noticeBox) odd(what string, n int) {
	if n <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.odds == nil {
		b.odds = map[string]int{}
	}
	b.odds[what] += n
}

// list is what was gathered, in an order that does not depend on who was first.
func (b *noticeBox) list() []sources.Notice {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := slices.Clone(b.all)
	for what, n := range b.odds {
		out = append(out, sources.Notice{
			Kind: sources.Invalid,
			Text: clean.Linef("left out for their form, which this version does not know: %d %s", n, what),
			Fix:  clean.Const("look at them on Datadog's pages, and report it"),
		})
	}
	slices.SortFunc(out, func(x, y sources.Notice) int {
		return strings.Compare(x.Scope+x.Text.String(), y.Scope+y.Text.String())
	})
	return out
}

// keptValue is something that is not asked for again for a while.
type keptValue struct {
	value any
	said  string // what tells two values apart
	at    time.Time
}

// keep answers what read brought less than ttl ago, or reads it anew. What it answers is noted for who
// asks whether a list has changed; said must print the whole of it. A failure is not kept.
func keep[T any](ctx context.Context, s *source, key string, ttl time.Duration, read func(context.Context) (T, error)) (T, error) {
	return keepFor(ctx, s, key, ttl, ttl, read)
}

// keepFor is keep, and answers what is less than atMost old where it cannot be read anew.
func keepFor[T any](ctx context.Context, s *source, key string, ttl, atMost time.Duration, read func(context.Context) (T, error)) (T, error) {
	now := s.env.Now()
	s.mu.Lock()
	k, ok := s.kept[key]
	s.mu.Unlock()
	was, is := k.value.(T)
	age := now.Sub(k.at)
	ok = ok && is && age >= 0 && !isFresh(ctx)
	if ok && age < ttl {
		httpx.Note(ctx, key+k.said)
		return was, nil
	}
	v, err := read(untraced(ctx))
	if err != nil {
		if kind := httpx.Explain("", "", err).Kind; ok && age < atMost && ctx.Err() == nil && (kind == sources.Throttled || kind == sources.Transient) {
			httpx.Note(ctx, key+k.said)
			return was, nil
		}
		return v, err
	}
	k = keptValue{value: v, said: fmt.Sprintf("%+v", v), at: now}
	s.mu.Lock()
	if len(s.kept) >= mostKept {
		clear(s.kept)
	}
	s.kept[key] = k
	s.mu.Unlock()
	httpx.Note(ctx, key+k.said)
	return v, nil
}

var (
	monitorLink   = regexp.MustCompile(`/monitors/(\d{1,18})\b`)
	pagerDutyLink = regexp.MustCompile(`https?://(?:[a-zA-Z0-9-]+\.)*pagerduty\.[a-z]+/incidents/([A-Z0-9]{4,32})\b`)
	pageLink      = regexp.MustCompile(`(?i)(?:/on-call/[^\s"'<>]*|[?&#]page[_-]?id=)([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})`)
	uuidForm      = regexp.MustCompile(`(?i)^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	anyLink       = regexp.MustCompile(`https?://[^\s<>"')\]]+`)
)

// runbook is the first address on a line of a monitor's message that speaks of a runbook.
func runbook(message string) string {
	for line := range strings.Lines(message) {
		if strings.Contains(strings.ToLower(line), "runbook") {
			if at := anyLink.FindString(line); at != "" {
				return plain(at)
			}
		}
	}
	return ""
}

// gone reports whether err says that something does not exist.
func gone(err error) bool {
	e, ok := errors.AsType[*sources.Error](err)
	return ok && e.Kind == sources.NotExist
}
