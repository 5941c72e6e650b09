package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane/kit"
)

// facts is the answer of `status --output json`. Names are never changed or reused; new ones may come.
type facts struct {
	At          time.Time         `json:"at"` // by the board's clock
	Team        string            `json:"team,omitempty"`
	Troubles    []troubleFact     `json:"troubles"`
	Waiting     []troubleFact     `json:"waiting"`
	Pipelines   []sources.Run     `json:"pipelines"`
	Deployments []environmentFact `json:"deployments"`
	Incidents   []incidentFact    `json:"incidents"`
	Metrics     []metricFact      `json:"metrics"`
	Objectives  []objectiveFact   `json:"slos"`
	OnCall      []dutyFact        `json:"on_call"`
	Feeds       []feedFact        `json:"feeds"`
}

// troubleFact is something that is wrong, or that waits for a person.
type troubleFact struct {
	Service string     `json:"service"` // or the source that is in trouble
	Text    clean.Text `json:"text"`
	Since   time.Time  `json:"since,omitzero"`
	Mine    bool       `json:"mine,omitempty"` // waits for this identity
	Ref     string     `json:"ref,omitempty"`  // source:kind:scope:id
}

// environmentFact is one service in one stage.
type environmentFact struct {
	Service  string               `json:"service"`
	Name     string               `json:"environment"`
	Prod     bool                 `json:"prod"`
	Version  sources.Version      `json:"version,omitzero"`
	Since    time.Time            `json:"since,omitzero"`
	Verified bool                 `json:"verified"`
	Mismatch bool                 `json:"mismatch,omitempty"`
	Ahead    int                  `json:"ahead"` // commits that the stage before has; -1 unknown
	Targets  []sources.Target     `json:"targets"`
	Gates    []sources.Gate       `json:"gates,omitempty"`
	Detail   *sources.Environment `json:"-"`
}

// feedFact is how one polled read does.
type feedFact struct {
	Source     string     `json:"source"`
	Capability string     `json:"capability"`
	Scope      string     `json:"scope,omitempty"`
	State      string     `json:"state"` // loading, healthy, degraded, throttled, failing or refused
	LastGood   time.Time  `json:"last_good,omitzero"`
	Error      clean.Text `json:"error,omitzero"`
	Fix        clean.Text `json:"fix,omitzero"`
	Notices    []string   `json:"notices,omitempty"`
	cure       clean.Text // of the first notice
}

func (c *commands) status() *cobra.Command {
	var out output
	var wait patience
	cmd := &cobra.Command{
		Use:   "status",
		Short: "The board's facts without a screen: a table, or JSON",
		Long: `The board's facts without a screen: every source is asked once.

Exit codes: 0 all is well · 1 something failed, waits for a person, is beyond its limit or spends its
error budget too fast · 2 usage or config · 6 a source failed, so it cannot be told whether all is well.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			snap, now, err := c.once(cmd.Context(), wait)
			if err != nil {
				return err
			}
			if len(snap.Feeds) == 0 {
				return usagef("the config names nothing to read, so nothing can be told: add services:, as in signalbox config sample")
			}
			f := factsOf(snap, now)
			if out == outputJSON {
				err = writeJSON(cmd.OutOrStdout(), f)
			} else {
				err = newTable(cmd.OutOrStdout(), c.terminal(), now).facts(f)
			}
			if err != nil {
				return err
			}
			return quiet(verdict(f))
		},
	}
	out.flag(cmd)
	wait.flag(cmd, 30*time.Second)
	return cmd
}

// once asks every source once and returns what is known after at most wait.
func (c *commands) once(ctx context.Context, wait patience) (*store.Snapshot, time.Time, error) {
	board, closeBoard, err := c.open(ctx, wire.Options{Stateless: true}, demoAt{})
	if err != nil {
		return nil, time.Time{}, err
	}
	defer closeBoard()
	ctx, cancel := wait.context(ctx)
	defer cancel()
	return board.Settle(ctx), board.Now(), nil
}

// verdict is the exit code of the facts. What is known to need a person counts more than what is not
// known: it is acted on either way.
func verdict(f facts) int {
	beyond := slices.ContainsFunc(f.Metrics, func(m metricFact) bool { return m.Over && !m.Upstream })
	burning := slices.ContainsFunc(f.Objectives, func(o objectiveFact) bool { return o.Verdict == "crit" && !o.Upstream })
	if len(f.Troubles)+len(f.Waiting) > 0 || beyond || burning {
		return exitFailed
	}
	for _, feed := range f.Feeds {
		if feed.State != healthName(store.Healthy) && feed.State != healthName(store.Degraded) {
			return exitSource
		}
	}
	return exitWell
}

func factsOf(s *store.Snapshot, now time.Time) facts {
	pipelines := insight.DerivePipelines(s, insight.View{}, now)
	y, m, d := now.Date()
	deployments := insight.DeriveDeployments(s, insight.View{}, time.Date(y, m, d, 0, 0, 0, 0, now.Location()))
	f := facts{
		At: now.UTC(), Team: s.Catalog.Team,
		Troubles: []troubleFact{}, Waiting: []troubleFact{}, Pipelines: []sources.Run{},
		Deployments: []environmentFact{}, Incidents: incidentsOf(s, now), OnCall: dutiesOf(s, now), Feeds: []feedFact{},
	}
	f.Metrics, f.Objectives = behaviourOf(s, now)
	for _, t := range insight.Troubles(s, &pipelines, &deployments) {
		// A source that fails is told by its feed: it is not known to need a person.
		if t.Kind != insight.SourceDown && t.Kind != insight.SourceFails {
			f.Troubles = append(f.Troubles, troubleOf(t))
		}
	}
	for _, t := range insight.Waits(&pipelines, &deployments) {
		if t.Kind == insight.GateWaits {
			f.Waiting = append(f.Waiting, troubleOf(t))
		}
	}
	for i := range pipelines.Rows {
		r := *pipelines.Rows[i].Run
		r.Service = pipelines.Rows[i].Service
		f.Pipelines = append(f.Pipelines, r)
	}
	for i := range deployments.Lanes {
		l := &deployments.Lanes[i]
		for j := range l.Cells {
			if e := l.Cells[j].Env; e != nil {
				f.Deployments = append(f.Deployments, environmentFact{
					Service: l.Service, Name: e.Name, Prod: e.Prod, Version: l.Cells[j].Version, Since: l.Cells[j].Since,
					Verified: l.Cells[j].Verified, Mismatch: l.Cells[j].Mismatch, Ahead: e.Ahead, Targets: e.Targets, Gates: e.Gates,
				})
			}
		}
	}
	for i := range s.Feeds {
		f.Feeds = append(f.Feeds, feedOf(&s.Feeds[i]))
	}
	return f
}

func troubleOf(t insight.Trouble) troubleFact {
	f := troubleFact{Service: t.Service, Text: t.Text, Since: t.Since, Mine: t.Mine}
	if !t.Ref.IsZero() {
		f.Ref = t.Ref.String()
	}
	return f
}

func feedOf(f *store.Feed) feedFact {
	out := feedFact{
		Source: f.Key.Source, Capability: string(f.Key.Capability), Scope: f.Key.Scope,
		State: healthName(f.Health.State), LastGood: f.Health.LastGood,
	}
	if e := f.Health.Err; e != nil {
		out.Error, out.Fix = insight.ErrorText(e), clean.Line(sources.Cure(e))
	}
	if out.State == healthName(store.Loading) {
		out.Error = clean.Const("no answer in the time that was given")
		out.Fix = clean.Const("type a longer --wait")
	}
	for i, n := range f.Health.Notices {
		if i == 0 {
			out.cure = n.Fix
		}
		out.Notices = append(out.Notices, n.Text.String())
	}
	return out
}

func healthName(s store.HealthState) string {
	switch s {
	case store.Loading:
		return "loading"
	case store.Healthy:
		return "healthy"
	case store.Degraded:
		return "degraded"
	case store.Throttled:
		return "throttled"
	case store.Failing:
		return "failing"
	case store.Refused:
		return "refused"
	default:
		return "unknown"
	}
}

// table writes facts for people.
type table struct {
	w    *columns
	term terminal
	now  time.Time
}

func newTable(w io.Writer, t terminal, now time.Time) *table {
	return &table{w: &columns{out: w, color: t.out && t.colors > 0}, term: t, now: now}
}

func (t *table) facts(f facts) error {
	t.troubles("NEEDS A PERSON", f.Troubles, tintBad)
	t.troubles("WAITS FOR A PERSON", f.Waiting, tintWarn)
	t.behaviour(f)
	t.w.head("PIPELINE", "RUN", "WORKFLOW", "BRANCH", "COMMIT", "STATE", "AGE")
	for i := range f.Pipelines {
		r := &f.Pipelines[i]
		branch := r.Branch
		if r.Pull != 0 && (r.RefKind == sources.RefPull || r.RefKind == sources.RefQueue) {
			branch = insight.PullName(r)
		}
		t.w.row(tintOf(r.State), 5, clean.Line(r.Service), clean.Line(r.Ref.ID), r.Workflow, branch, commitOf(r), stateOf(r), t.age(r.Created))
	}
	t.w.flush()
	t.w.head("SERVICE", "ENVIRONMENT", "VERSION", "FOR", "DEPLOYMENT", "EVIDENCE")
	for i := range f.Deployments {
		e := &f.Deployments[i]
		evidence := clean.Const("verified")
		switch {
		case e.Mismatch:
			evidence = clean.Const("disagrees")
		case e.Version.IsZero():
			evidence = clean.Text{}
		case !e.Verified:
			evidence = clean.Const("unverified")
		}
		text, tint := deploymentState(e)
		t.w.row(tint, 4, clean.Line(e.Service), clean.Line(e.Name), e.Version.Short(), t.age(e.Since), text, evidence)
	}
	t.w.flush()
	t.w.head("SOURCE", "READS", "SCOPE", "STATE", "AGE", "")
	for _, feed := range f.Feeds {
		tint := tintNone
		if feed.State != healthName(store.Healthy) {
			tint = tintWarn
		}
		why := feed.Error
		fix := feed.Fix
		if why.IsZero() && len(feed.Notices) > 0 {
			why, fix = clean.Line(feed.Notices[0]), feed.cure
		}
		if !fix.IsZero() {
			why = clean.Line(why.String() + ": " + fix.String())
		}
		if more := len(feed.Notices) - 1; more > 0 && feed.Error.IsZero() {
			why = clean.Linef("%s (and %d more)", why, more)
		}
		t.w.row(tint, 3, clean.Line(feed.Source), clean.Line(feed.Capability), clean.Line(feed.Scope), clean.Line(feed.State),
			t.age(feed.LastGood), why)
	}
	t.w.flush()
	return t.w.err
}

func (t *table) troubles(title string, list []troubleFact, tint tint) {
	if len(list) == 0 {
		return
	}
	t.w.head(title, "", "SINCE")
	for _, one := range list {
		t.w.row(tint, 1, clean.Line(one.Service), one.Text, t.age(one.Since))
	}
	t.w.flush()
}

// age is how long ago at was; "" when it is not known.
func (t *table) age(at time.Time) clean.Text {
	if at.IsZero() {
		return clean.Text{}
	}
	return clean.Line(kit.Age(t.now.Sub(at)))
}

func commitOf(r *sources.Run) clean.Text {
	return clean.Line(r.Commit.SHA[:min(7, len(r.Commit.SHA))] + " " + r.Commit.Title.String())
}

func stateOf(r *sources.Run) clean.Text {
	if len(r.NoRunner) > 0 && r.State == sources.StateQueued {
		return clean.Line("no runner for [" + strings.Join(r.NoRunner, " ") + "]")
	}
	if !r.Reason.IsZero() {
		return r.Reason
	}
	return clean.Line(r.State.String())
}

func tintOf(s sources.State) tint {
	switch s {
	case sources.StateFailed:
		return tintBad
	case sources.StateWaiting, sources.StateUnknown:
		return tintWarn
	case sources.StatePassed:
		return tintGood
	case sources.StateQueued, sources.StateRunning, sources.StateCancelled, sources.StateSkipped, sources.StateSuperseded:
		return tintNone
	default:
		return tintNone
	}
}

// deploymentState says of each target how its newest deployment did.
func deploymentState(e *environmentFact) (clean.Text, tint) {
	var parts []string
	worst := tintGood
	for _, target := range e.Targets {
		word, tint := "nothing", tintNone
		switch {
		case target.Arriving != nil:
			word, tint = fmt.Sprintf("%s %s", target.Arriving.Version.Short(), target.Arriving.State), tintWarn
		case target.Failed != nil:
			word, tint = fmt.Sprintf("%s failed", target.Failed.Version.Short()), tintBad
		case target.Current != nil:
			word, tint = "passed", tintGood
		}
		if target.Name != "" {
			word = target.Name + " " + word
		}
		worst = max(worst, tint)
		parts = append(parts, word)
	}
	if len(parts) == 0 {
		return clean.Const("nothing"), tintNone
	}
	return clean.Line(strings.Join(parts, ", ")), worst
}
