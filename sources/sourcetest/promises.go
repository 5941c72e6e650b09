package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/store"
)

// kindOf is the kind of a capability's objects; "" when the contract names none.
func kindOf(c store.Capability) sources.Kind {
	switch c {
	case store.Runs:
		return sources.KindRun
	case store.Environments:
		return sources.KindEnvironment
	case store.Incidents:
		return sources.KindIncident
	case store.Metrics:
		return sources.KindSeries
	case store.Past:
		return sources.KindIncident
	case store.Monitors:
		return sources.KindMonitor
	case store.SLOs:
		return sources.KindSLO
	case store.Shifts:
		return sources.KindShift
	case store.Changes:
		return sources.KindChange
	case store.Releases:
	}
	return ""
}

func describesItself(p *probe) {
	d := p.h.Driver
	if !regexp.MustCompile(`^[a-z][a-z0-9-]*$`).MatchString(d.Name) {
		p.errorf("the driver's name %q is not lower case", d.Name)
	}
	if d.Doc == "" || strings.Contains(d.Doc, "\n") {
		p.errorf("the driver's doc %q is not one line", d.Doc)
	}
	if strings.TrimSpace(d.Sample) == "" {
		p.errorf("the driver has no sample")
	}
	a, b := d.Config(), d.Config()
	if v := reflect.ValueOf(a); v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		p.errorf("Config returns a %T: not a pointer to a struct", a)
		return
	}
	if reflect.ValueOf(a).Elem().Type().Size() > 0 && a == b {
		p.errorf("Config returns the same config twice")
	}
	s := p.open()
	if s == nil {
		return
	}
	defer s.close()
	if got := s.src.Name(); got != sourceName {
		p.errorf("Name is %q: not the configured %q", got, sourceName)
	}
	has := capability.List(s.set)
	for _, c := range has {
		if !slices.ContainsFunc(p.h.Reads, func(r Read) bool { return r.Capability == c }) {
			p.errorf("the source has %s, and the harness reads none", c)
		}
	}
}

func opensOffline(p *probe) {
	s := p.open()
	if s == nil {
		return
	}
	s.close()
	if n, _ := s.wire.counts(); n > 0 {
		p.errorf("Open and Close sent %d requests", n)
	}
}

func refusesForeignConfigs(p *probe) {
	defer func() {
		if r := recover(); r != nil {
			p.errorf("Open of another driver's config panics: %v", r)
		}
	}()
	w := newWire(p.h, p.h.Provider(p.tb))
	src, err := p.h.Driver.Open(p.env(w, &Budget{}, &logBuffer{}), &struct{ Foreign string }{"config"})
	if err == nil {
		p.errorf("Open takes another driver's config")
		if src != nil {
			p.tb.Log(src.Close())
		}
	}
}

func identities(p *probe) {
	for _, r := range p.h.Reads {
		a, b := p.open(), p.open()
		if a == nil || b == nil {
			return
		}
		first, ok1 := a.must(r)
		second, ok2 := b.must(r)
		a.close()
		b.close()
		if !ok1 || !ok2 {
			continue
		}
		if first.count == 0 {
			p.errorf("%s: the world has nothing to find", r)
		}
		seen := make(map[sources.Ref]bool)
		for _, id := range first.ids {
			switch {
			case id.ref.Source != sourceName:
				p.errorf("%s: %v does not carry the configured source's name", r, id.ref)
			case kindOf(r.Capability) != "" && id.ref.Kind != kindOf(r.Capability):
				p.errorf("%s: %v is not a %s", r, id.ref, kindOf(r.Capability))
			case id.ref.ID == "":
				p.errorf("%s: %v has no identity", r, id.ref)
			case seen[id.ref]:
				p.errorf("%s: two objects are %v", r, id.ref)
			}
			if back, err := sources.ParseRef(id.ref.String()); err != nil || back != id.ref {
				p.errorf("%s: %v does not survive being written and read: %v, %v", r, id.ref, back, err)
			}
			seen[id.ref] = true
		}
		if !slices.Equal(first.ids, second.ids) {
			p.errorf("%s: two sources see other identities or revisions of the same world:\n%v\n%v", r, first.ids, second.ids)
		}
	}
}

func revisions(p *probe) {
	for _, r := range p.h.Reads {
		s := p.open()
		if s == nil {
			return
		}
		before, ok1 := s.must(r)
		s.provider.Change()
		after, ok2 := s.must(r)
		s.close()
		if !ok1 || !ok2 {
			continue
		}
		if dump(before.items) == dump(after.items) {
			p.errorf("%s: a change in the world does not show", r)
		}
		compareRevisions(p, r, before, after)
	}
}

func compareRevisions(p *probe, r Read, before, after outcome) {
	old := make(map[sources.Ref]int)
	for i, id := range before.ids {
		old[id.ref] = i
	}
	changed := len(before.ids) != len(after.ids)
	for j, id := range after.ids {
		if id.versions && id.revision == "" {
			p.errorf("%s: %v has no revision", r, id.ref)
		}
		i, known := old[id.ref]
		if !known || !id.versions {
			changed = true
			continue
		}
		a := reflect.ValueOf(before.items).Index(i).Interface()
		b := reflect.ValueOf(after.items).Index(j).Interface()
		moved := before.ids[i].revision != id.revision
		changed = changed || moved
		if moved && dump(a) == strings.ReplaceAll(dump(b), string(id.revision), string(before.ids[i].revision)) {
			p.errorf("%s: %v has another revision and nothing else changed", r, id.ref)
		}
		if !moved && state(a) != state(b) {
			p.errorf("%s: %v changed from %s to %s and its revision did not", r, id.ref, state(a), state(b))
		}
	}
	if !changed {
		p.errorf("%s: no revision changed with the world", r)
	}
}

// state is what an action depends on, for the types that have a revision.
func state(item any) string {
	switch v := item.(type) {
	case sources.Run:
		return fmt.Sprint(v.State, v.Attempt)
	case sources.Incident:
		return fmt.Sprint(v.State, v.Assignees, v.Level)
	case sources.Monitor:
		return fmt.Sprint(v.State, len(v.Silenced) > 0)
	case sources.Environment:
		var b strings.Builder
		for _, t := range v.Targets {
			for _, d := range []*sources.Deployment{t.Current, t.Arriving, t.Failed} {
				if d != nil {
					fmt.Fprint(&b, t.Name, d.Ref, d.State, " ")
				}
			}
		}
		return b.String()
	default:
		return ""
	}
}

func immutable(p *probe) {
	for _, r := range p.h.Reads {
		s := p.open()
		if s == nil {
			return
		}
		first, ok := s.must(r)
		if ok {
			was := dump(first.items)
			s.provider.Change()
			s.must(r)
			if dump(first.items) != was {
				p.errorf("%s: a later read changed what an earlier one had answered", r)
			}
		}
		s.close()
	}
}

func notModified(p *probe) {
	for _, r := range p.h.Reads {
		s := p.open()
		if s == nil {
			return
		}
		first, ok := s.must(r)
		if ok {
			again := s.read(p.tb.Context(), r)
			switch {
			case errors.Is(again.err, sources.ErrNotModified):
				if again.count > 0 {
					p.errorf("%s: not modified, with items", r)
				}
			case again.err != nil:
				p.errorf("%s, again: %v", r, again.err)
			case dump(first.items) != dump(again.items):
				p.errorf("%s: two reads of an unchanged world differ", r)
			}
			s.provider.Change()
			if o := s.read(p.tb.Context(), r); errors.Is(o.err, sources.ErrNotModified) {
				p.errorf("%s: not modified, but it was", r)
			}
		}
		s.close()
	}
}

// faults are what is done to each request in turn.
func faults() map[string]fault {
	return map[string]fault{
		"answers 500":              {status: http.StatusInternalServerError},
		"is reset":                 {reset: true},
		"answers half a body":      {truncate: true},
		"answers a web page":       {html: true},
		"answers 429":              {status: http.StatusTooManyRequests, header: "Retry-After: 30"},
		"answers 200 with no data": {status: http.StatusOK},
	}
}

// maxFaulted bounds how many of a read's requests are broken, one by one.
const maxFaulted = 12

func allOrNothing(p *probe) {
	for _, r := range p.h.Reads {
		s := p.open()
		if s == nil {
			return
		}
		want, ok := s.must(r)
		n, _ := s.wire.counts()
		s.close()
		if !ok {
			continue
		}
		for name, f := range faults() {
			for i := range min(n, maxFaulted) {
				oneFault(p, r, want, fmt.Sprintf("request %d of %d %s", i+1, n, name), only(i, f))
			}
		}
	}
}

func only(i int, f fault) func(int) fault {
	return func(n int) fault {
		if n == i {
			return f
		}
		return fault{}
	}
}

func oneFault(p *probe, r Read, want outcome, name string, f func(int) fault) {
	s := p.open()
	if s == nil {
		return
	}
	defer s.close()
	s.wire.setFault(f)
	got := s.read(p.tb.Context(), r)
	if got.err != nil {
		wellFormed(p, fmt.Sprintf("%s, %s", r, name), got)
		return
	}
	if len(got.notices) == 0 && dump(got.items) != dump(want.items) {
		p.errorf("%s, %s: answers something else (%d items, not %d) without an error or a notice", r, name, got.count, want.count)
	}
}

// wellFormed holds an error against the contract of sources.Error.
func wellFormed(p *probe, what string, o outcome) {
	e, ok := errors.AsType[*sources.Error](o.err)
	if !ok {
		p.errorf("%s: a %T is no *sources.Error: %v", what, o.err, o.err)
		return
	}
	if e.Op == "" || e.Msg == "" {
		p.errorf("%s: the error does not say what was done (%q) or what went wrong (%q)", what, e.Op, e.Msg)
	}
	if strings.HasSuffix(e.Msg, ".") || strings.ContainsAny(e.Msg, "\n\r\x1b") {
		p.errorf("%s: %q is not a sentence without a period", what, e.Msg)
	}
	if o.count > 0 {
		p.errorf("%s: %d items come with an error", what, o.count)
	}
}

func errorKinds(p *probe) {
	kinds := map[int]sources.ErrKind{
		http.StatusUnauthorized: sources.Permission, http.StatusForbidden: sources.Permission,
		http.StatusNotFound: sources.NotExist, http.StatusTooManyRequests: sources.Throttled,
		http.StatusInternalServerError: sources.Transient, http.StatusServiceUnavailable: sources.Transient,
	}
	for status, kind := range p.h.Kinds {
		kinds[status] = kind
	}
	for _, r := range p.h.Reads {
		for status, want := range kinds {
			s := p.open()
			if s == nil {
				return
			}
			f := fault{status: status}
			if status == http.StatusTooManyRequests {
				f.header = "Retry-After: 30"
			}
			s.wire.setFault(func(int) fault { return f })
			o := s.read(p.tb.Context(), r)
			s.close()
			checkKind(p, fmt.Sprintf("%s, answered %d", r, status), o, want)
		}
	}
}

func checkKind(p *probe, what string, o outcome, want sources.ErrKind) {
	if o.err == nil {
		for _, n := range o.notices {
			if n.Kind == want {
				return
			}
		}
		p.errorf("%s: no error, and no notice of kind %s", what, want)
		return
	}
	wellFormed(p, what, o)
	e, _ := errors.AsType[*sources.Error](o.err)
	if got := sources.KindOf(o.err); got != want {
		p.errorf("%s: kind %s, not %s: %v", what, got, want, o.err)
	} else if want == sources.Throttled {
		if wait := e.RetryAt.Sub(p.h.Now); wait < 29*time.Second || wait > 2*time.Minute {
			p.errorf("%s: told to wait for 30 s, it wants to wait for %s", what, wait)
		}
	}
}

func recovers(p *probe) {
	for _, r := range p.h.Reads {
		s := p.open()
		if s == nil {
			return
		}
		if _, ok := s.must(r); ok {
			recoversFrom(p, s, r)
		}
		s.close()
	}
}

// recoversFrom breaks a read of a changed world late: what its earlier requests had brought must neither
// be lost nor make the next read believe that nothing changed.
func recoversFrom(p *probe, s *session, r Read) {
	before, _ := s.wire.counts()
	s.provider.Change()
	s.wire.setFault(only(max(0, before-1), fault{reset: true}))
	broken := s.read(p.tb.Context(), r)
	s.wire.setFault(nil)
	got := s.read(p.tb.Context(), r)
	if errors.Is(got.err, sources.ErrNotModified) && broken.err == nil {
		return
	}
	if got.err != nil {
		p.errorf("%s: after a read that failed on the way, the next one fails: %v", r, got.err)
		return
	}
	fresh := p.open()
	if fresh == nil {
		return
	}
	defer fresh.close()
	fresh.provider.Change()
	if want, ok := fresh.must(r); ok && dump(got.items) != dump(want.items) {
		p.errorf("%s: after a read that failed on the way, the next one differs from that of a new source", r)
	}
}

func cancellation(p *probe) {
	for _, r := range p.h.Reads {
		s := p.open()
		if s == nil {
			return
		}
		s.wire.setFault(func(int) fault { return fault{hang: true} })
		ctx, cancel := context.WithCancel(p.tb.Context())
		done := make(chan outcome, 1)
		go func() { done <- s.read(ctx, r) }()
		select {
		case <-s.wire.hanging:
		case o := <-done:
			p.errorf("%s: answers before its provider does: %v", r, o.err)
		case <-time.After(p.patience):
			p.errorf("%s: asks its provider nothing", r)
		}
		cancel()
		select {
		case o := <-done:
			if o.err == nil || o.count > 0 {
				p.errorf("%s: a cancelled read answers %d items and %v", r, o.count, o.err)
			}
		case <-time.After(p.patience):
			p.errorf("%s: goes on after its context has ended", r)
			continue
		}
		s.wire.setFault(nil)
		if o := s.read(ctx, r); o.err == nil {
			p.errorf("%s: reads with a context that has ended", r)
		}
		s.close()
	}
}
