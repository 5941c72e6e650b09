package cli

import (
	"fmt"
	"slices"
	"strings"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// objectKind is what a command's argument names.
type objectKind uint8

const (
	anIncident objectKind = iota // or an On-Call page, by its id
	aMonitor
	aSilence
	aRun
)

func (k objectKind) noun() string {
	switch k {
	case anIncident:
		return "incident"
	case aMonitor:
		return "monitor"
	case aSilence:
		return "silence"
	case aRun:
		return "run"
	}
	return "object"
}

func (k objectKind) doc() string {
	switch k {
	case anIncident:
		return "An INCIDENT is source:id, or its id, number or address alone where that is unique. An On-Call page of Datadog\nis datadog:page::ID."
	case aMonitor:
		return "A MONITOR is source:id, or its id or address alone where that is unique."
	case aSilence:
		return "A SILENCE is source:id, as the incident's detail and the journal tell it."
	case aRun:
		return "A RUN is source:id, or its id or address alone where that is unique; or repository#number\nor repository/workflow#number: acme/checkout/deploy#812."
	}
	return ""
}

func (k objectKind) kinds() []sources.Kind {
	switch k {
	case anIncident:
		return []sources.Kind{sources.KindIncident, sources.KindPage}
	case aMonitor:
		return []sources.Kind{sources.KindMonitor}
	case aSilence:
		return []sources.Kind{sources.KindSilence}
	case aRun:
		return []sources.Kind{sources.KindRun}
	}
	return nil
}

// resolver finds what arguments name among what is known.
type resolver struct {
	snap  *store.Snapshot
	names map[sources.Ref]string // of what was found, as it was typed
}

func newResolver(s *store.Snapshot) *resolver {
	return &resolver{snap: s, names: map[sources.Ref]string{}}
}

// called is an object, and what people may call it.
type called struct {
	ref   sources.Ref
	names []string // lower case
	text  clean.Text
}

func (r *resolver) known(k objectKind) []called {
	var out []called
	add := func(ref sources.Ref, text clean.Text, names ...string) {
		n := called{ref: ref, text: text, names: []string{strings.ToLower(ref.ID), strings.ToLower(ref.Source + ":" + ref.ID)}}
		for _, name := range names {
			if name != "" {
				n.names = append(n.names, strings.ToLower(name))
			}
		}
		out = append(out, n)
	}
	switch k {
	case anIncident:
		for i := range r.snap.Incidents() {
			number := strings.TrimPrefix(i.Number.String(), "#")
			if number == "" {
				add(i.Ref, i.Title, i.URL)
			} else {
				add(i.Ref, i.Title, number, "#"+number, i.Ref.Source+":"+number, i.URL)
			}
			for _, p := range i.Pages {
				add(p, clean.Linef("the page of %s", i.Title))
			}
		}
	case aMonitor:
		for m := range r.snap.Monitors() {
			add(m.Ref, m.Name, m.URL)
		}
	case aSilence:
		for i := range r.snap.Incidents() {
			for _, s := range i.Silenced {
				add(s.Ref, clean.Linef("the silence of %s", i.Title))
			}
		}
		for m := range r.snap.Monitors() {
			for _, s := range m.Silenced {
				add(s.Ref, clean.Linef("the downtime of %s", m.Name))
			}
		}
	case aRun:
		for run := range r.snap.Runs() {
			add(run.Ref, clean.Linef("%s #%d of %s", run.Workflow, run.Number, run.Ref.Scope), run.URL,
				fmt.Sprintf("%s#%d", run.Ref.Scope, run.Number), fmt.Sprintf("%s/%s#%d", run.Ref.Scope, run.Workflow, run.Number))
		}
	}
	return out
}

// objects are those that args name.
func (r *resolver) objects(k objectKind, args []string) ([]sources.Ref, error) {
	var out []sources.Ref
	for _, arg := range args {
		ref, err := r.object(k, arg)
		if err != nil {
			return nil, err
		}
		r.names[ref] = arg
		out = append(out, ref)
	}
	return out, nil
}

// object is the one that arg names. One that is not listed, too old or ended, is taken by its whole
// identity alone: source:kind:scope:id, or source:id where the source has no scopes.
func (r *resolver) object(k objectKind, arg string) (sources.Ref, error) {
	var fits []called
	want := strings.ToLower(arg)
	known := r.known(k)
	for _, n := range known {
		if slices.Contains(n.names, want) && !slices.ContainsFunc(fits, func(o called) bool { return o.ref == n.ref }) {
			fits = append(fits, n)
		}
	}
	switch {
	case len(fits) == 1:
		return fits[0].ref, nil
	case len(fits) > 1:
		var list []string
		for _, n := range fits {
			list = append(list, n.ref.String())
		}
		slices.Sort(list)
		return sources.Ref{}, usagef("%q names %s: type one of %s", arg, clean.Counted(len(fits), k.noun()), strings.Join(list, "; "))
	}
	if ref, err := sources.ParseRef(arg); err == nil && slices.Contains(k.kinds(), ref.Kind) {
		return ref, r.hasSource(ref.Source)
	}
	if source, id, ok := strings.Cut(arg, ":"); ok && id != "" && k != aRun && !strings.HasPrefix(id, "//") {
		return sources.Ref{Source: source, Kind: k.kinds()[0], ID: id}, r.hasSource(source)
	}
	return sources.Ref{}, r.unknown(k, arg, known)
}

func (r *resolver) unknown(k objectKind, arg string, known []called) error {
	if down := r.failing(k); down != "" {
		return &exit{code: exitSource, err: fmt.Errorf("whether there is %s %q cannot be told: %s", article(k.noun()), arg, down)}
	}
	if hint := r.otherKind(k, arg); hint != "" {
		return usagef("there is no %s %q: %s", k.noun(), arg, hint)
	}
	if len(known) == 0 {
		return usagef("there is no %s %q: no %s is listed", k.noun(), arg, k.noun())
	}
	best, at := known[0], 1<<30
	for _, n := range known {
		for _, name := range n.names {
			if d := edits(name, strings.ToLower(arg)); d < at {
				best, at = n, d
			}
		}
	}
	if at <= 2 {
		return usagef("there is no %s %q: did you mean %s:%s, %s?", k.noun(), arg, best.ref.Source, best.ref.ID, best.text)
	}
	if k == anIncident || k == aRun {
		return usagef("there is no %s %q: signalbox status lists them, and an older one is taken as source:kind:scope:id", k.noun(), arg)
	}
	var some []string
	for _, n := range known[:min(len(known), someKnown)] {
		some = append(some, fmt.Sprintf("%s:%s (%s)", n.ref.Source, n.ref.ID, n.text))
	}
	if more := len(known) - len(some); more > 0 {
		some = append(some, fmt.Sprintf("and %d more", more))
	}
	return usagef("there is no %s %q: there are %s", k.noun(), arg, strings.Join(some, ", "))
}

// someKnown is how many objects a complaint names.
const someKnown = 5

// otherKind says what an argument names that is no monitor: an incident, and the monitor behind it. "" when it
// names nothing.
func (r *resolver) otherKind(k objectKind, arg string) string {
	if k != aMonitor {
		return ""
	}
	for _, n := range r.known(anIncident) {
		if !slices.Contains(n.names, strings.ToLower(arg)) {
			continue
		}
		for _, ref := range sameTrouble(r.snap, n.ref) {
			if ref.Kind == sources.KindMonitor {
				return fmt.Sprintf("that is an incident, and the monitor behind it is %s:%s", ref.Source, ref.ID)
			}
		}
		return "that is an incident"
	}
	return ""
}

// failing is why the list of a kind cannot be believed; "" when it can.
func (r *resolver) failing(k objectKind) string {
	c := store.Incidents
	switch k {
	case aMonitor:
		c = store.Monitors
	case aRun:
		c = store.Runs
	case anIncident, aSilence:
	}
	for f := range r.snap.FeedsOf(c) {
		if f.Health.LastGood.IsZero() {
			return f.Key.Source + ": " + noAnswer(f)
		}
	}
	return ""
}

// noAnswer is why a feed has told nothing yet, and what mends that.
func noAnswer(f *store.Feed) string {
	e := f.Health.Err
	if e == nil {
		return "it has not answered: type a longer --wait"
	}
	text := clean.Line(e.Msg).String()
	if cure := sources.Cure(e); cure != "" {
		text += ": " + clean.Line(cure).String()
	}
	return text
}

func (r *resolver) hasSource(name string) error {
	var known []string
	for _, s := range r.snap.Catalog.Sources {
		known = append(known, s.Name)
	}
	if slices.Contains(known, name) {
		return nil
	}
	return usagef("the config names no source %q: it names %s", name, strings.Join(known, ", "))
}

// environment is one stage of a service.
func (r *resolver) environment(service, env string) (sources.Ref, error) {
	svc := r.snap.Catalog.Service(service)
	if svc == nil {
		var names []string
		for i := range r.snap.Catalog.Services {
			names = append(names, r.snap.Catalog.Services[i].Name)
		}
		return sources.Ref{}, usagef("there is no service %q: %s", service, nearestOf(service, names))
	}
	var refs []sources.Ref
	for e := range r.snap.Environments() {
		if e.Service == service && e.Name == env {
			refs = append(refs, e.Ref)
		}
	}
	switch {
	case len(refs) == 1:
		r.names[refs[0]] = service + "/" + env
		return refs[0], nil
	case len(refs) > 1:
		return sources.Ref{}, usagef("%s/%s is told by several sources, %s and %s: name the repository of the service in the config", service, env, refs[0].Source, refs[1].Source)
	case !slices.Contains(svc.Environments, env):
		return sources.Ref{}, usagef("%s has no environment %q: %s", service, env, nearestOf(env, svc.Environments))
	}
	for f := range r.snap.FeedsOf(store.Environments) {
		if f.Key.Source == svc.Source && f.Key.Scope == svc.Repo && f.Health.LastGood.IsZero() {
			return sources.Ref{}, &exit{code: exitSource, err: fmt.Errorf("what runs in %s/%s cannot be told: %s: %s", service, env, f.Key.Source, noAnswer(f))}
		}
	}
	return sources.Ref{}, &exit{code: exitFailed, err: fmt.Errorf("nothing is known of %s/%s: nothing was ever deployed there", service, env)}
}

// nearestOf proposes the one of names that is nearest to a word, else lists them.
func nearestOf(word string, names []string) string {
	best, at := "", 3
	for _, n := range names {
		if d := edits(n, word); d < at {
			best, at = n, d
		}
	}
	switch {
	case best != "":
		return "did you mean " + best + "?"
	case len(names) == 0:
		return "the config names none"
	}
	return "there are " + strings.Join(names, ", ")
}
