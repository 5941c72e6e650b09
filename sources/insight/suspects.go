package insight

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

const (
	suspectReach = time.Hour       // how long before the onset a change is suspected
	suspectSlack = 2 * time.Minute // and after it: clocks and the steps of a metric are no finer
	oneRollout   = 30 * time.Minute
	oneChange    = 10 * time.Minute
)

// shift is something that was changed, told by however many records.
type shift struct {
	kind     sources.ChangeKind
	at       time.Time // when it took effect: the end of a deployment that went through, else its start
	start    time.Time
	text     clean.Text
	by       clean.Text
	url      string
	version  sources.Version
	ref      sources.Ref // of the environment
	env      string
	where    string // env and, where it is not all of them, its targets
	provider string
	prod     bool
	failed   bool
	live     bool // a deployment that is on its way
}

// changed lists what was changed in the service, oldest first. The deployment of one version to the targets
// of an environment is one; so are a deployment and the events that other systems keep of it: of the same
// version, in the same environment as far as both name one, within oneChange.
func (sf *serviceFacts) changed() []shift {
	if sf.shifted {
		return sf.shifts
	}
	sf.shifted = true
	for _, e := range sf.envs {
		sf.shifts = append(sf.shifts, rollouts(e.env)...)
	}
	for _, c := range sf.changes {
		sf.addChange(c.change)
	}
	slices.SortStableFunc(sf.shifts, func(a, b shift) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(b2i(a.prod), b2i(b.prod)), strings.Compare(a.text.String(), b.text.String()))
	})
	return sf.shifts
}

// rollouts folds the history of an environment: deployments of one version to different targets.
func rollouts(e *sources.Environment) []shift {
	var out []shift
	for i := 0; i < len(e.History); {
		n := 1
		first := &e.History[i]
		targets := map[string]bool{first.Target: true}
		for ; i+n < len(e.History); n++ {
			d := &e.History[i+n]
			if !sameVersion(d.Version, first.Version) || targets[d.Target] || first.Created.Sub(d.Created) > oneRollout {
				break
			}
			targets[d.Target] = true
		}
		if s, ok := rollout(e, e.History[i:i+n]); ok {
			out = append(out, s)
		}
		i += n
	}
	return out
}

// rollout is one deployment to some targets of e; false when none of it ever began.
func rollout(e *sources.Environment, ds []sources.Deployment) (shift, bool) {
	s := shift{kind: sources.DeploymentChange, ref: e.Ref, env: e.Name, provider: e.Provider, prod: e.Prod, failed: true}
	var targets []string
	for i := range ds {
		d := &ds[i]
		switch d.State {
		case sources.StatePassed, sources.StateSuperseded:
			s.failed = false
			s.at = earlier(s.at, ended(d))
		case sources.StateRunning:
			s.failed, s.live = false, true
		case sources.StateFailed, sources.StateUnknown:
		case sources.StateQueued, sources.StateWaiting, sources.StateCancelled, sources.StateSkipped:
			continue
		}
		s.start = earlier(s.start, cmp.Or(d.Started, d.Created))
		s.version = d.Version
		s.by = cmp.Or(s.by, d.Actor)
		s.url = cmp.Or(s.url, d.URL)
		targets = append(targets, d.Target)
	}
	if len(targets) == 0 {
		return s, false
	}
	s.at = cmp.Or(s.at, s.start)
	s.where = s.env
	if len(targets) < len(e.Targets) {
		slices.Sort(targets)
		s.where = join(" ", append([]string{s.where}, targets...)...).String()
	}
	s.text = s.deployText()
	return s, true
}

// deployText is a deployment in words: "v1.9.2 → prod".
func (s *shift) deployText() clean.Text {
	what, to, failed := cmp.Or(s.version.Short(), clean.Const("a deployment")), "", ""
	if s.where != "" {
		to = "→ " + s.where
	}
	if s.failed {
		failed = "failed"
	}
	return join(" ", what.String(), to, failed)
}

// sameVersion is Version.Same where one system writes v1.9.2 and the other 1.9.2.
func sameVersion(a, b sources.Version) bool {
	if a.Same(b) {
		return true
	}
	x, y := strings.TrimPrefix(a.Tag.String(), "v"), strings.TrimPrefix(b.Tag.String(), "v")
	if a.SHA != "" && b.SHA != "" {
		return false
	}
	return x != "" && x == y
}

func (sf *serviceFacts) addChange(c *sources.Change) {
	s := shift{kind: c.Kind, at: c.At, start: c.At, by: c.By, url: c.URL, version: c.Version, env: c.Env, text: c.Title}
	for _, e := range sf.envs {
		if c.Env != "" && (strings.EqualFold(c.Env, e.env.Name) || strings.EqualFold(c.Env, e.env.Provider)) {
			s.ref, s.env, s.provider, s.prod = e.env.Ref, e.env.Name, e.env.Provider, e.env.Prod
			break
		}
	}
	switch c.Kind {
	case sources.DeploymentChange:
		for i := range sf.shifts {
			if sf.shifts[i].isOf(&s) {
				sf.shifts[i].merge(&s)
				return
			}
		}
		if !c.Version.IsZero() || c.Title.IsZero() {
			s.where = s.env
			s.text = s.deployText()
		}
	case sources.FlagChange, sources.ConfigChange:
		if word := string(c.Kind); !containsFold(c.Title.String(), word) {
			s.text = clean.Join(clean.Const(" "), clean.Line(word), c.Title)
		}
		if sf.known(&s) {
			return
		}
	case sources.OtherChange:
		if sf.known(&s) {
			return
		}
	}
	sf.shifts = append(sf.shifts, s)
}

// known reports that another system told of the same change already.
func (sf *serviceFacts) known(s *shift) bool {
	return slices.ContainsFunc(sf.shifts, func(o shift) bool {
		return o.kind == s.kind && o.text == s.text && (o.env == s.env || o.env == "" || s.env == "") && o.at.Sub(s.at).Abs() <= oneChange
	})
}

// isOf reports that s and the event o are the same deployment. Where one system knows the commit alone and
// the other the tag alone, the same environment at the same time is enough.
func (s *shift) isOf(o *shift) bool {
	if s.kind != sources.DeploymentChange || s.env != "" && o.env != "" && s.env != o.env {
		return false
	}
	if o.at.Before(s.start.Add(-oneChange)) || o.at.After(s.at.Add(oneChange)) {
		return false
	}
	v, w := s.version, o.version
	if w.IsZero() {
		name := v.Short().String()
		return name != "" && strings.Contains(o.text.String(), name)
	}
	both := v.SHA != "" && w.SHA != "" || !v.Tag.IsZero() && !w.Tag.IsZero()
	return sameVersion(v, w) || !both && s.env != "" && s.env == o.env
}

// merge takes from another record of the same deployment what this one lacks.
func (s *shift) merge(o *shift) {
	s.by, s.url = cmp.Or(s.by, o.by), cmp.Or(s.url, o.url)
	if s.version.Tag.IsZero() && !o.version.Tag.IsZero() {
		s.version.Tag = o.version.Tag
		s.version.SHA = cmp.Or(s.version.SHA, o.version.SHA)
		s.text = s.deployText()
	}
}

// explain adds what speaks for a cause: when it began, who is hurt, what was changed before.
func (f *facts) explain(p *Problem) {
	sf := f.about(p.Service)
	cause := sf.cause(p.opened)
	sf.onset(p, cause)
	p.Impact = f.impactOf(sf, cause)
	p.Seen, p.SeenIn = len(sf.like(p)), seenIn
	p.Suspects = f.suspects(p)
}

// explainStorm adds to the row of a storm, which has what explains the first of its problems, what the others
// add: an earlier onset, and the suspects of that.
func (f *facts) explainStorm(row *Problem) {
	was := row.Onset
	for i := range row.Inside {
		if p := &row.Inside[i]; p.Onset.Before(row.Onset) {
			row.Onset, row.OnsetBy = p.Onset, p.OnsetBy
		}
	}
	if row.Service != "" && !row.Onset.Equal(was) {
		_, row.Suspects = f.suspected(nil, row)
	}
}

// suspects lists what was changed in p's service, and in those that it depends on, from suspectReach before
// the onset to suspectSlack after it, newest first. A deployment that was rolling out at the onset counts
// from its start. Deployments to other environments than production count only when p's scope names
// them, or when there is no production.
func (f *facts) suspects(p *Problem) []Suspect {
	if p.Service == "" || p.Onset.IsZero() {
		return nil
	}
	sf := f.of(p.Service)
	k := suspectsOf{p.Onset.UnixNano(), p.Scope}
	out, ok := sf.suspects[k]
	if ok {
		return out
	}
	f.picked, out = f.suspected(f.picked, p)
	if sf.suspects == nil {
		sf.suspects = map[suspectsOf][]Suspect{}
	}
	sf.suspects[k] = out
	return out
}

// suspected is suspects worked out, with some room to work in.
func (f *facts) suspected(room []picked, p *Problem) ([]picked, []Suspect) {
	all := f.about(p.Service).pick(room[:0], p, "")
	for _, up := range f.upstreamOf(p.Service) {
		all = f.about(up).pick(all, p, up)
	}
	if len(all) == 0 {
		return all, nil
	}
	slices.SortStableFunc(all, func(a, b picked) int { return b.at.Compare(a.at) })
	out := make([]Suspect, len(all))
	for i := range all {
		out[i] = all[i].suspect(p.Onset)
	}
	return all, out
}

// suspectsOf is what the suspects of a service's problem depend on.
type suspectsOf struct {
	onset int64
	scope clean.Text
}

// upstreamOf are the services that one depends on, nearest first.
func (f *facts) upstreamOf(service string) []string {
	if ups, ok := f.upstream[service]; ok {
		return ups
	}
	var ups []string
	seen := map[string]bool{service: true}
	for wave := []string{service}; len(wave) > 0; {
		var next []string
		for _, name := range wave {
			svc := f.snap.Catalog.Service(name)
			if svc == nil {
				continue
			}
			for _, up := range svc.DependsOn {
				if !seen[up] {
					seen[up] = true
					next = append(next, up)
				}
			}
		}
		ups = append(ups, next...)
		wave = next
	}
	f.upstream[service] = ups
	return ups
}

// picked is a change that is suspected.
type picked struct {
	*shift
	at       time.Time
	rolling  bool // it was rolling out at the onset
	upstream string
}

// pick adds the changes of a service that are suspects of p, the newest first.
func (sf *serviceFacts) pick(out []picked, p *Problem, upstream string) []picked {
	all := sf.changed()
	from, to := p.Onset.Add(-suspectReach), p.Onset.Add(suspectSlack)
	for i := len(all) - 1; i >= 0; i-- {
		s := &all[i]
		if s.start.After(to) || s.at.Before(from) {
			continue
		}
		rolling := s.kind == sources.DeploymentChange && (s.live || s.at.After(p.Onset))
		if !rolling && s.at.After(to) || !sf.concerns(s, p) {
			continue
		}
		at := s.at
		if rolling {
			at = s.start
		}
		out = append(out, picked{s, at, rolling, upstream})
	}
	return out
}

func (s *picked) suspect(onset time.Time) Suspect {
	return Suspect{
		Kind: s.kind, At: s.at, Before: onset.Sub(s.at), Text: s.text, By: s.by, Why: why(s.shift, onset.Sub(s.at), s.rolling),
		Env: s.ref, Version: s.version, URL: s.url, Upstream: s.upstream,
	}
}

// concerns reports that a change was made where p is.
func (sf *serviceFacts) concerns(s *shift, p *Problem) bool {
	if s.env == "" || s.prod || s.ref.IsZero() {
		return true
	}
	return names(p.Scope, s.env) || names(p.Scope, s.provider) || !sf.produces()
}

// produces reports that an environment of the service is production.
func (sf *serviceFacts) produces() bool { return len(sf.envs) > 0 && sf.envs[0].env.Prod }

// names reports that a word of the scope is name.
func names(scope clean.Text, name string) bool {
	if name == "" {
		return false
	}
	for word := range strings.FieldsSeq(scope.String()) {
		if strings.EqualFold(word, name) {
			return true
		}
	}
	return false
}

// why is the reason to suspect a change: "1m before onset, by dev4".
func why(s *shift, before time.Duration, rolling bool) clean.Text {
	when := span(before) + " before onset"
	switch {
	case rolling && before > 0:
		when = "began " + when + ", was rolling out"
	case before < 0 && before > -time.Minute, before >= 0 && before < time.Second:
		when = "at onset"
	case before < 0:
		when = span(-before) + " after onset"
	}
	by := ""
	if !s.by.IsZero() {
		by = "by " + s.by.String()
	}
	return join(", ", when, by)
}

// span writes a duration in its largest unit: 40s, 12m, 3h, 5d.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return itoa(int(d/time.Second)) + "s"
	case d < time.Hour:
		return itoa(int(d/time.Minute)) + "m"
	case d < 24*time.Hour:
		return itoa(int(d/time.Hour)) + "h"
	default:
		return itoa(int(d/(24*time.Hour))) + "d"
	}
}
