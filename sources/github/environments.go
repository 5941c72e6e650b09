package github

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"example.com/signalbox/sources"
)

// ListEnvironments lists each service's stages: what runs there, what arrives, what failed to, and by
// which evidence. Without services the repository's own environments are listed under its name.
func (s *source) ListEnvironments(ctx context.Context, q sources.Query) (sources.Batch[sources.Environment], error) {
	return deliver(ctx, s, "environments", q, func(ctx context.Context, c *repoConn) (sources.Batch[sources.Environment], error) {
		l := &laneList{repoConn: c, q: q}
		return l.read(ctx)
	})
}

// laneList is one reading of a repository's environments.
type laneList struct {
	*repoConn
	q        sources.Query
	only     string // the one service that is wanted; "" for all
	deep     string // the stage whose history is read further back: for who chooses a version out of it; "" for none
	about    wireRepo
	services []sources.ServiceSpec
	places   []place
	versions versions
	notices  noticeBox
	records  map[string][]record // by provider's name: looked into, newest first
	waiting  []waitingRun
	mu       sync.Mutex
	touched  map[string][]string // by SHA: the files of commits that decide whose a record is
	unclear  map[int64][]int     // by record: the services that it may be of, when nothing tells of which
}

// place is where one service's stage, or one target of it, is in GitHub.
type place struct {
	service, stage int
	target         string
	name           string // GitHub's environment
}

type waitingRun struct {
	run    sources.Run
	origin origin
	gates  []sources.Gate
}

func (l *laneList) read(ctx context.Context) (sources.Batch[sources.Environment], error) {
	var none sources.Batch[sources.Environment]
	about, notices, err := l.repoConn.about(ctx)
	if err != nil {
		return none, err
	}
	l.about = about
	l.notices.add(notices...)
	l.services = l.q.Services
	if len(l.services) == 0 || len(l.services) == 1 && len(l.services[0].Environments) == 0 {
		if l.services, err = l.discovered(ctx); err != nil {
			return none, err
		}
	}
	l.place()
	if err := l.gather(ctx); err != nil {
		return none, err
	}
	envs := l.lanes(ctx)
	l.askServices(ctx, envs)
	for _, e := range envs {
		l.finish(ctx, e)
	}
	if err := l.distances(ctx, envs); err != nil {
		return none, err
	}
	out := make([]sources.Environment, len(envs))
	for i, e := range envs {
		out[i] = e.Environment
	}
	return sources.Batch[sources.Environment]{Items: out, Notices: l.notices.list(), Busy: laneBusy(out)}, nil
}

func laneBusy(envs []sources.Environment) sources.Busy {
	grade := sources.Quiet
	for _, e := range envs {
		if len(e.Gates) > 0 {
			grade = max(grade, sources.WaitingForPerson)
		}
		for _, t := range e.Targets {
			switch {
			case t.Arriving == nil:
			case t.Arriving.State == sources.StateWaiting:
				grade = max(grade, sources.WaitingForPerson)
			default:
				return sources.Live
			}
		}
	}
	return grade
}

// discovered gives the only service of the repository, or one that is named like it, the environments that
// GitHub has.
func (l *laneList) discovered(ctx context.Context) ([]sources.ServiceSpec, error) {
	envs, err := l.environments(ctx)
	if err != nil {
		if err := l.optional(&l.notices, "environments cannot be listed", err); err != nil {
			return nil, err
		}
	}
	_, name, _ := strings.Cut(l.scope, "/")
	sp := sources.ServiceSpec{Name: name}
	if len(l.q.Services) == 1 {
		sp = l.q.Services[0]
	}
	for _, n := range stageOrder(envs) {
		if n != "github-pages" {
			sp.Environments = append(sp.Environments, sources.EnvironmentSpec{Name: n, Prod: isProd(n)})
		}
	}
	return []sources.ServiceSpec{sp}, nil
}

// environments are the names of the repository's environments.
func (c *repoConn) environments(ctx context.Context) ([]string, error) {
	envs, _, _, err := pages(func(p string) (reply[wireEnvironments], error) { return fetch[wireEnvironments](ctx, c, p) },
		c.path+"/environments?per_page=100", 0, 3,
		func(r wireEnvironments) []wireEnvironment { return r.Environments }, func(e wireEnvironment) int64 { return e.ID })
	names := make([]string, 0, len(envs))
	for _, e := range envs {
		names = append(names, e.Name)
	}
	return names, err
}

// stageOrder puts names in their usual order towards production; names that say nothing come before it.
func stageOrder(names []string) []string {
	out := slices.Clone(names)
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(stageRank(a), stageRank(b)), strings.Compare(a, b)) })
	return out
}

func stageRank(name string) int {
	low := strings.ToLower(name)
	for rank, words := range [][]string{
		{"preview", "review", "sandbox"}, {"dev", "development", "integration"}, {"test", "testing", "qa"},
		{"stag", "staging", "stage", "uat", "preprod", "pre-prod"}, {"canary"},
	} {
		for _, w := range words {
			if strings.Contains(low, w) {
				return rank
			}
		}
	}
	if isProd(name) {
		return 7
	}
	return 6
}

func isProd(name string) bool {
	low := strings.ToLower(name)
	return strings.Contains(low, "prod") && !strings.Contains(low, "preprod") && !strings.Contains(low, "pre-prod") || low == "live"
}

// place finds GitHub's environment for each stage and target.
func (l *laneList) place() {
	for si, sp := range l.services {
		for ei, env := range sp.Environments {
			targets := env.Targets
			if len(targets) == 0 {
				targets = []string{""}
			}
			for _, t := range targets {
				name := strings.NewReplacer("{{target}}", t, "{{env}}", env.Name, "{{service}}", sp.Name).Replace(firstOf(env.Provider, env.Name))
				l.places = append(l.places, place{service: si, stage: ei, target: t, name: name})
			}
		}
	}
}

// names are GitHub's environments that somebody wants, each once.
func (l *laneList) names() []string {
	var out []string
	for _, p := range l.places {
		if l.wants(p.service) && !slices.Contains(out, p.name) {
			out = append(out, p.name)
		}
	}
	return out
}

func (l *laneList) wants(service int) bool { return l.only == "" || l.services[service].Name == l.only }

// gather reads tags, records and waiting runs.
func (l *laneList) gather(ctx context.Context) error {
	tags, _, err := l.tags(ctx)
	if err != nil {
		if err := l.optional(&l.notices, "tags cannot be read", err); err != nil {
			return err
		}
	}
	l.versions = newVersions(tags)
	names := l.names()
	all, err := l.deployments(ctx, names)
	if err != nil {
		return err
	}
	l.records, l.touched, l.unclear = map[string][]record{}, map[string][]string{}, map[int64][]int{}
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, name := range names {
		g.Go(func() error {
			recs, err := l.look(ctx, name, all[name])
			mu.Lock()
			defer mu.Unlock()
			l.records[name] = recs
			return err
		})
	}
	g.Go(func() error { return l.readWaiting(ctx) })
	if err := g.Wait(); err != nil {
		return fmt.Errorf("read deployments: %w", err)
	}
	return nil
}

// look looks into one environment's records, newest first: the last day's, and on until each service
// that is deployed there has what runs and what ran before.
func (l *laneList) look(ctx context.Context, name string, ds []wireDeployment) ([]record, error) {
	var recs []record
	withJob := l.needsJobs(name)
	for from := 0; from < len(ds) && from < mostDeep && (l.recent(ds[from]) || !l.enoughOf(name, recs, l.wanted(name))); from += batch {
		part := make([]record, min(batch, len(ds)-from))
		var g errgroup.Group
		at := ctx
		if l.enoughOf(name, recs, runsAndBefore) {
			at = unfresh(ctx)
		}
		for i := range part {
			g.Go(func() error {
				var err error
				part[i], err = l.inspect(at, ds[from+i], from > 0, withJob)
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return nil, fmt.Errorf("read deployment statuses: %w", err)
		}
		if err := l.readFiles(ctx, name, part); err != nil {
			return nil, err
		}
		recs = append(recs, part...)
	}
	return recs, nil
}

// recent reports that a record is of the last day, which people count.
func (l *laneList) recent(d wireDeployment) bool { return l.q.Now.Sub(d.CreatedAt.Time) < 24*time.Hour }

// readFiles reads the files of the commits whose records only these can attribute.
func (l *laneList) readFiles(ctx context.Context, name string, recs []record) error {
	sharers := map[int]bool{}
	for _, p := range l.places {
		if p.name == name && len(l.services[p.service].Paths) > 0 {
			sharers[p.service] = true
		}
	}
	if len(sharers) < 2 {
		return nil
	}
	for i := range recs {
		sha := shaOf(recs[i].SHA)
		if sha == "" || recs[i].origin != nil && isDispatch(recs[i].origin.event) {
			continue
		}
		files, err := l.files(ctx, sha)
		if err != nil {
			if err := l.optional(&l.notices, "the files of commits cannot be read", err); err != nil {
				return err
			}
		}
		l.mu.Lock()
		l.touched[sha] = files
		l.mu.Unlock()
	}
	return nil
}

// needsJobs reports whether a job's name decides whose a record is, or of which target.
func (l *laneList) needsJobs(name string) bool {
	services, targets := map[int]bool{}, 0
	for _, p := range l.places {
		if p.name != name {
			continue
		}
		if len(l.services[p.service].Deploys) > 0 {
			return true
		}
		services[p.service] = true
		if p.target != "" {
			targets++
		}
	}
	return len(services) > 1 || targets > 1
}

// How many deployments that succeeded are looked for in each place: what runs and what ran before, or enough to
// choose a version from.
const (
	runsAndBefore = 2
	toChoose      = 6
)

func (l *laneList) wanted(name string) int {
	for _, p := range l.places {
		if p.name == name && l.deep != "" && l.wants(p.service) && l.services[p.service].Environments[p.stage].Name == l.deep {
			return toChoose
		}
	}
	return runsAndBefore
}

// enoughOf reports whether every place of an environment has so many deployments that succeeded.
func (l *laneList) enoughOf(name string, recs []record, enough int) bool {
	for _, p := range l.places {
		if p.name != name {
			continue
		}
		good := 0
		for i := range recs {
			if _, succeeded := recs[i].state(); succeeded && l.counts(p, &recs[i]) {
				good++
			}
		}
		if good < enough {
			return false
		}
	}
	return true
}

// readWaiting reads the runs that wait for an approval, and what they wait for.
func (l *laneList) readWaiting(ctx context.Context) error {
	wires, _, err := l.runPage(ctx, "status=waiting", 30)
	if err != nil {
		return l.optional(&l.notices, "waiting runs cannot be read", err)
	}
	l.s.remember(l.scope, wires)
	for _, w := range wires {
		if w.Status != "waiting" {
			continue
		}
		r := l.run(w, refs{branch: l.about.DefaultBranch, tags: l.versions.tags}, l.q.Identity)
		gates, err := l.gates(ctx, &r)
		if err != nil {
			if err := l.optional(&l.notices, "pending approvals cannot be read", err); err != nil {
				return err
			}
			continue
		}
		l.waiting = append(l.waiting, waitingRun{r, originOf(w), gates})
	}
	return nil
}

// counts reports whether a record is a deployment of a place.
func (l *laneList) counts(p place, r *record) bool {
	return slices.Contains(l.owners(p.name, r), p.service) && l.hits(p, r)
}

// hits reports whether a record is of a place's target. One that names no target is of all of them.
func (l *laneList) hits(p place, r *record) bool {
	if p.target == "" {
		return true
	}
	named := ""
	for _, other := range l.places {
		if other.service == p.service && other.stage == p.stage && other.name == p.name && other.target != "" && r.names(other.target, "target", "region", "cluster") {
			if named != "" && named != other.target {
				return true // names several
			}
			named = other.target
		}
	}
	return named == "" || named == p.target
}

// names reports whether a record names a word: under one of the payload's keys, in its job, its run's
// title, its task or its description.
func (r *record) names(word string, keys ...string) bool {
	payload := decodePayload(r.Payload)
	for _, k := range keys {
		if said := firstOf(lookup(payload, k), lookup(payload, "inputs."+k)); said != "" {
			return strings.EqualFold(said, word)
		}
	}
	texts := []string{r.job, r.Task, r.Description}
	if r.origin != nil {
		texts = append(texts, r.origin.title)
	}
	return slices.ContainsFunc(texts, func(t string) bool { return hasWord(t, word) })
}

// owners are the services that a record of an environment is of: one where anything tells, none where
// nothing does. It never guesses: two services of one repository would swap their deployments.
func (l *laneList) owners(name string, r *record) []int {
	var able []int
	for si := range l.services {
		if slices.ContainsFunc(l.places, func(p place) bool { return p.name == name && p.service == si }) {
			able = append(able, si)
		}
	}
	shared := len(able) > 1
	able = slices.DeleteFunc(able, func(si int) bool { return !l.mayBe(l.services[si], r) })
	if !shared || len(able) <= 1 {
		return able
	}
	for _, tells := range []func(sources.ServiceSpec) bool{
		func(sp sources.ServiceSpec) bool { return r.names(sp.Name, "service", "app", "component", "project") },
		func(sp sources.ServiceSpec) bool {
			return r.origin != nil && (sp.DeployWorkflow != "" && named([]string{sp.DeployWorkflow}, r.origin.path) || hasWord(r.origin.name, sp.Name))
		},
		func(sp sources.ServiceSpec) bool { return sp.TagPrefix != "" && strings.HasPrefix(r.Ref, sp.TagPrefix) },
	} {
		var hit []int
		for _, si := range able {
			if tells(l.services[si]) {
				hit = append(hit, si)
			}
		}
		if len(hit) == 1 {
			return hit
		}
		if len(hit) > 1 {
			able = hit
		}
	}
	return l.byFiles(able, name, r)
}

// mayBe reports whether nothing speaks against a record's being a service's: `deploys:` and `workflows:`
// narrow by the run and job that made it, `tag_prefix:` by its tag. What `deploys:` is not known to name is
// not counted; a workflow that it names need not be among `workflows:`.
func (l *laneList) mayBe(sp sources.ServiceSpec, r *record) bool {
	var workflow, path string
	if r.origin != nil {
		workflow, path = r.origin.name, r.origin.path
	}
	if len(sp.Deploys) > 0 {
		caller, job, _ := jobName(r.job)
		if !named(sp.Deploys, append(caller, workflow, path, job, r.job)...) && (r.Task == "deploy" || !named(sp.Deploys, r.Task)) {
			return false
		}
	}
	if len(sp.Workflows) > 0 && r.origin != nil && !named(slices.Concat(sp.Workflows, sp.Deploys), workflow, path) &&
		(sp.DeployWorkflow == "" || !named([]string{sp.DeployWorkflow}, path)) {
		return false
	}
	if sp.TagPrefix != "" && (l.versions.tags[r.Ref] != "" || looksLikeTag(r.Ref, []sources.ServiceSpec{sp})) {
		return strings.HasPrefix(r.Ref, sp.TagPrefix)
	}
	return true
}
