package sourcetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"time"
	"unicode"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

func asksBudget(p *probe) {
	for _, r := range p.h.Reads {
		s := p.open()
		if s == nil {
			return
		}
		_, ok := s.must(r)
		taken, _ := s.budget.Taken()
		_, owned := s.wire.counts()
		if ok && taken < owned {
			p.errorf("%s: sends %d requests with its credential and asks the budget for %d", r, owned, taken)
		}
		retry := p.h.Now.Add(7 * time.Minute)
		refusal := &sources.Error{Kind: sources.Throttled, Msg: "the share of the rate limit is used up", RetryAt: retry}
		s.budget.RefuseAfter(0, refusal)
		o := s.read(p.tb.Context(), r)
		_, after := s.wire.counts()
		s.close()
		if after > owned {
			p.errorf("%s: sends requests that the budget has refused", r)
		}
		e, ok := errors.AsType[*sources.Error](o.err)
		if !ok || e.Kind != sources.Throttled || !e.RetryAt.Equal(retry) {
			p.errorf("%s: refused by the budget until %s, it answers %v", r, retry, o.err)
		}
	}
}

func concurrency(p *probe) {
	s := p.open()
	if s == nil {
		return
	}
	defer s.close()
	want := make([]string, len(p.h.Reads))
	for i, r := range p.h.Reads {
		o, ok := s.must(r)
		if !ok {
			return
		}
		want[i] = dump(o.items)
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		said = make(map[string]bool)
	)
	for range 4 {
		for i, r := range p.h.Reads {
			wg.Go(func() {
				o := s.read(p.tb.Context(), r)
				var problem string
				switch {
				case errors.Is(o.err, sources.ErrNotModified):
				case o.err != nil:
					problem = fmt.Sprintf("%s, with others at once: %v", r, o.err)
				case dump(o.items) != want[i]:
					problem = fmt.Sprintf("%s: differs when others read at once", r)
				}
				mu.Lock()
				defer mu.Unlock()
				if problem != "" && !said[problem] {
					said[problem] = true
					p.errorf("%s", problem)
				}
			})
		}
	}
	wg.Wait()
}

func cleanText(p *probe) {
	for _, r := range p.h.Reads {
		s := p.open()
		if s == nil {
			return
		}
		s.wire.rewrite = p.h.FreeText
		if o, ok := s.must(r); ok {
			problems := make(map[string]bool)
			dirty(reflect.ValueOf(o.items), "", problems)
			dirty(reflect.ValueOf(o.notices), "notice", problems)
			for problem := range problems {
				p.errorf("%s: %s", r, problem)
			}
		}
		s.close()
	}
}

// dirty looks for text that a terminal would obey. A plain string is held to less than a Text: it is an
// identifier, and is cleaned when it is drawn; but no control character belongs into it.
func dirty(v reflect.Value, path string, problems map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			dirty(v.Elem(), path, problems)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			dirty(v.Index(i), path, problems)
		}
	case reflect.Struct:
		if text, ok := v.Interface().(clean.Text); ok {
			if clean.Line(text.String()) != text {
				problems[fmt.Sprintf("%s is not clean: %q", path, text.String())] = true
			}
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				dirty(v.Field(i), strings.TrimPrefix(path+"."+f.Name, "."), problems)
			}
		}
	case reflect.String:
		if strings.ContainsFunc(v.String(), unicode.IsControl) {
			problems[fmt.Sprintf("%s holds control characters: %q", path, v.String())] = true
		}
	default:
	}
}

// goroutines finds what a source leaves behind by a profiler label, which goroutines inherit: other
// tests may run at the same time.
func goroutines(p *probe) {
	label := fmt.Sprintf("sourcetest-%p", p)
	pprof.Do(p.tb.Context(), pprof.Labels("sourcetest", label), func(ctx context.Context) {
		s := p.open()
		if s == nil {
			return
		}
		for _, r := range p.h.Reads {
			s.must(r)
			s.wire.setFault(only(0, fault{reset: true}))
			s.read(ctx, r)
			s.wire.setFault(nil)
		}
		s.close()
		s.close()
	})
	deadline := time.Now().Add(p.patience)
	for left := labelled(label); left > 0; left = labelled(label) {
		if time.Now().After(deadline) {
			p.errorf("%d goroutines outlive Close", left)
			return
		}
		runtime.Gosched()
	}
}

// labelled counts the goroutines with the given label, but for the caller.
func labelled(label string) int {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		return 0
	}
	n := 0
	for stack := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(stack, label) {
			var count int
			if _, err := fmt.Sscanf(stack[strings.LastIndex(stack[:strings.Index(stack, "@")], "\n")+1:], "%d @", &count); err == nil {
				n += count
			}
		}
	}
	return n
}

func keepsSecret(p *probe) {
	config := p.h.Config(p.tb)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if strings.Contains(fmt.Sprintf(format, config), p.h.Secret) {
			p.errorf("the config shows its credential when it is formatted with %s", format)
		}
	}
	if data, err := json.Marshal(config); err == nil && bytes.Contains(data, []byte(p.h.Secret)) {
		p.errorf("the config shows its credential in JSON")
	}
	all := faults()
	all["answers 401"] = fault{status: 401}
	all["works"] = fault{}
	for _, r := range p.h.Reads {
		for name, f := range all {
			s := p.open()
			if s == nil {
				return
			}
			s.wire.setFault(func(int) fault { return f })
			o := s.read(p.tb.Context(), r)
			s.close()
			for err := o.err; err != nil; err = errors.Unwrap(err) {
				if strings.Contains(fmt.Sprintf("%v %+v", err, err), p.h.Secret) {
					p.errorf("%s, when the provider %s: the error holds the credential", r, name)
					break
				}
			}
			if strings.Contains(s.logged.String(), p.h.Secret) {
				p.errorf("%s, when the provider %s: the log holds the credential", r, name)
			}
			for _, leak := range s.wire.leaked() {
				p.errorf("%s, when the provider %s: the credential leaks %s", r, name, leak)
			}
		}
	}
}

// credentialHosts sends each request of each read elsewhere in turn.
func credentialHosts(p *probe) {
	for _, r := range p.h.Reads {
		s := p.open()
		if s == nil {
			return
		}
		s.must(r)
		n, _ := s.wire.counts()
		s.close()
		for i := range min(n, maxFaulted) {
			s := p.open()
			if s == nil {
				return
			}
			s.wire.setFault(only(i, fault{redirect: "https://elsewhere.example/collect"}))
			s.read(p.tb.Context(), r)
			s.close()
			for _, leak := range s.wire.leaked() {
				p.errorf("%s, with request %d sent elsewhere: the credential leaks %s", r, i+1, leak)
			}
		}
	}
}
