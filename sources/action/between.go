package action

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// between is what lies between what runs and what is to run.
type between struct {
	forward, back *sources.Comparison // from what runs to the other version, and the other way round; nil: not read
	commits       []sources.Commit
	known         bool
	undoes        bool
	older         bool
	url           string
	files         []string
	partial       bool // files lacks some
	count         int  // of commits; -1 unknown
}

// mostBases is how many versions that run side by side are compared.
const mostBases = 3

// compare reads what lies between.
func (d *draft) compare(ctx context.Context) {
	d.between.count = -1
	d.between.partial = true
	bases := d.bases()
	if d.want.IsZero() || len(bases) == 0 {
		return
	}
	d.baseline = bases[0]
	if bases[0].Same(d.want) {
		d.between.known, d.between.count, d.between.partial = true, 0, false
	} else if !d.compareWith(ctx, bases[0]) {
		return
	}
	for _, b := range bases[1:] {
		if b.Same(d.want) {
			continue
		}
		c, err := d.comparison(ctx, b, d.want)
		o, backErr := d.comparison(ctx, d.want, b)
		if err != nil || backErr != nil {
			d.between.partial = true
			continue
		}
		d.between.add(c)
		d.between.add(o)
	}
	if len(bases) > mostBases {
		d.between.partial = true
	}
}

// bases are the versions that it takes the place of: the newest that runs first, then those of other targets,
// and those that failed there, which may have done some of their work.
func (d *draft) bases() []sources.Version {
	var out []sources.Version
	add := func(c *sources.Deployment) {
		if c != nil && !c.Version.IsZero() && !slices.ContainsFunc(out, c.Version.Same) {
			out = append(out, c.Version)
		}
	}
	add(running(d.selected))
	for i := range d.selected {
		t := &d.selected[i]
		add(t.Current)
		add(t.Failed)
		if t.Arriving != nil && t.Arriving.State == sources.StateRunning {
			add(t.Arriving)
		}
	}
	return out
}

// compareWith reads the comparison that the plan shows. A rollback is expected to go back, anything else
// forward: what is expected is asked for first, and what then is not asked for has nothing in it.
func (d *draft) compareWith(ctx context.Context, base sources.Version) bool {
	from, to := base, d.want
	if d.q.Verb == sources.Rollback {
		from, to = d.want, base
	}
	first, err := d.comparison(ctx, from, to)
	if err != nil {
		d.o.Log.Info("compare", "scope", d.env.Ref.Scope, "err", err)
		return false
	}
	b := &d.between
	b.partial = false
	b.add(first)
	var second *sources.Comparison
	if first.Status == "behind" || first.Status == "diverged" {
		if second, err = d.comparison(ctx, to, from); err != nil {
			return false
		}
		b.add(second)
	}
	b.forward, b.back = first, second
	if d.q.Verb == sources.Rollback {
		b.forward, b.back = second, first
	}
	b.known = true
	ahead := b.forward != nil && (b.forward.Status == "ahead" || b.forward.Status == "diverged")
	behind := b.back != nil && (b.back.Status == "ahead" || b.back.Status == "diverged")
	b.older, b.undoes = behind && !ahead, behind && (!ahead || d.q.Verb == sources.Rollback)
	show := b.forward
	if b.undoes {
		show = b.back
	}
	if show != nil {
		b.commits, b.url, b.count = show.Commits, show.URL, len(show.Commits)
	} else {
		b.count = 0
	}
	return true
}

func (b *between) add(c *sources.Comparison) {
	b.partial = b.partial || c.Partial
	for _, f := range c.Files {
		if !slices.Contains(b.files, f) {
			b.files = append(b.files, f)
		}
	}
}

func (d *draft) comparison(ctx context.Context, base, head sources.Version) (*sources.Comparison, error) {
	if d.a.Set.Comparer == nil {
		return nil, &sources.Error{Kind: sources.Unsupported, Op: "compare", Msg: "the source compares nothing"}
	}
	globs := d.svc.Spec.Paths
	if len(globs) > 0 {
		globs = slices.Concat(globs, d.svc.Migrations)
	}
	c, err := d.a.Set.Comparer.Compare(ctx, d.env.Ref.Scope, handle(base), handle(head), globs)
	return &c, err
}

// handle is what a repository knows a version by.
func handle(v sources.Version) string {
	if v.SHA != "" {
		return v.SHA
	}
	return v.Tag.String()
}

// migrations are the files between that change the schema. known is false when there may be others.
func (d *draft) migrations() (files []string, known bool) {
	if len(d.svc.Migrations) == 0 {
		return nil, true
	}
	for _, f := range d.between.files {
		if matches(d.svc.Migrations, f) {
			files = append(files, f)
		}
	}
	slices.Sort(files)
	return files, len(files) > 0 || d.between.known && !d.between.partial
}

// matches reports whether a file matches a glob: * and ? stay within a path's element, ** does not, and what
// names a folder covers what is in it.
func matches(globs []string, file string) bool {
	return slices.ContainsFunc(globs, func(g string) bool {
		g = strings.Trim(g, "/")
		return elements(strings.Split(g, "/"), strings.Split(file, "/")) || !strings.ContainsAny(g, "*?[") && strings.HasPrefix(file, g+"/")
	})
}

func elements(pattern, name []string) bool {
	for i, p := range pattern {
		if p == "**" {
			rest := pattern[i+1:]
			return len(rest) == 0 || slices.ContainsFunc(tails(name), func(tail []string) bool { return elements(rest, tail) })
		}
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(p, name[0]); err != nil || !ok {
			return false
		}
		name = name[1:]
	}
	return len(name) == 0
}

func tails(name []string) [][]string {
	out := make([][]string, 0, len(name)+1)
	for i := range len(name) + 1 {
		out = append(out, name[i:])
	}
	return out
}

// flagReach is how long before what runs now a flag was switched that a rollback is warned of: it is switched
// for the new version as often as after it, and was not on when the old one ran well.
const flagReach = time.Hour

// flags were switched since what runs came, or shortly before it where that is taken back.
func (d *draft) flags() []string {
	c := running(d.selected)
	if c == nil {
		return nil
	}
	since := ended(c)
	if d.between.undoes {
		since = since.Add(-flagReach)
	}
	var out []string
	for ch := range d.snap.Changes() {
		if ch.Kind == sources.FlagChange && ch.Service == d.env.Service && ch.At.After(since) {
			if text := clean.Linef("%s (%s)", ch.Title, ch.At.In(d.now.Location()).Format("15:04")).String(); !slices.Contains(out, text) {
				out = append(out, text) // once, however many systems tell of it
			}
		}
	}
	return out
}

// returning is what would bring back the version that is taken out.
type returning struct {
	what string     // "the next merge to main"; "" for nothing known
	fix  clean.Text // what can be done about it
}

// comesBack finds out whether what is undone comes back by itself.
func (d *draft) comesBack(ctx context.Context) {
	if !d.between.undoes || d.svc.Returns == "no" || d.svc.Returns == "sync" {
		return
	}
	branch := d.branch()
	if branch == "" || d.svc.Returns == "" && !d.pushed() {
		return
	}
	c, err := d.a.Set.Comparer.Compare(ctx, d.env.Ref.Scope, handle(d.baseline), branch, nil)
	switch {
	case err != nil:
		d.returns.what = clean.Linef("the next merge to %s, if it contains %s (which could not be read)", branch, d.baseline.Short()).String()
	case c.Status == "identical" || c.Status == "ahead":
		d.returns.what = "the next merge to " + branch
	default:
		return
	}
	if d.gated() {
		d.returns.what += ", once somebody approves it"
	}
	d.returns.fix = clean.Linef("hold merges to %s", branch)
	if pulls := d.pulls(); pulls != "" {
		d.returns.fix = clean.Linef("hold merges to %s, or revert %s", branch, pulls)
	}
}

// gated reports that runs were seen to wait for an approval before they deploy there.
func (d *draft) gated() bool {
	if len(d.env.Gates) > 0 {
		return true
	}
	for r := range d.snap.Runs() {
		if r.Ref.Source == d.env.Ref.Source && r.Ref.Scope == d.env.Ref.Scope && slices.ContainsFunc(r.Gates, func(g sources.Gate) bool { return d.provides(g.Environment) }) {
			return true
		}
	}
	return false
}

// pulls are the pull requests that the undone commits came with: "#418 and #417".
func (d *draft) pulls() string {
	const most = 3
	var out []string
	for _, c := range d.between.commits {
		if s := clean.Linef("#%d", c.Pull).String(); c.Pull > 0 && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if len(out) > most {
		out = append(out[:most:most], "…")
	}
	return strings.Join(out, ", ")
}

// pushed reports that runs which a merge started were seen to deploy there.
func (d *draft) pushed() bool {
	for i := range d.env.History {
		h := &d.env.History[i]
		if h.Run.IsZero() {
			continue
		}
		if r, _ := d.snap.Run(h.Run); r != nil && r.Event == "push" && r.Default {
			return true
		}
	}
	return false
}
