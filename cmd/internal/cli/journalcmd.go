package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/journal"
)

// journalFilter says which records are listed.
type journalFilter struct {
	service, user, plan string
	verb, stage         string
	since               time.Duration
	last                int
}

func (c *commands) journal() *cobra.Command {
	var filter journalFilter
	var follow, records, verify bool
	form := outputText
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "What was done here, by whom, and what became of it",
		Long: `What was done here, by whom, and what became of it: every action and every refusal of this user on
this machine, from the journal in the state directory.

A line is one action; --records lists each of its records. --verify checks that no record was changed,
taken out or cut off, and says which.

Exit codes: 0 well · 1 --verify found something · 2 usage or config.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(filter.check(), excluded(cmd, form)); err != nil {
				return err
			}
			j, err := c.openJournal(cmd.Context())
			if err != nil {
				return err
			}
			if verify {
				return verifyJournal(cmd.OutOrStdout(), j, form)
			}
			v := &journalView{c: c, w: cmd.OutOrStdout(), j: j, filter: filter, form: form, records: records || follow, now: time.Now()}
			if follow {
				return v.follow(cmd.Context())
			}
			return v.list()
		},
	}
	f := cmd.Flags()
	f.StringVar(&filter.service, "service", "", "only of this service")
	f.StringVar(&filter.user, "user", "", "only by this user, of the machine or at the provider")
	f.StringVar(&filter.plan, "plan", "", "only this plan")
	f.StringVar(&filter.verb, "verb", "", "only this verb: rollback, ack …")
	f.StringVar(&filter.stage, "stage", "", "only actions that have a record of this stage: refused, verified …")
	f.DurationVar(&filter.since, "since", 0, "only of so long ago or less: 24h")
	f.IntVarP(&filter.last, "last", "n", 0, "only the last so many; 0 is all")
	f.BoolVarP(&follow, "follow", "f", false, "go on with what comes")
	f.BoolVar(&records, "records", false, "each record of an action")
	f.BoolVar(&verify, "verify", false, "check that no record was changed, taken out or cut off")
	f.VarP(&documentForm{&form}, "output", "o", "table, json (one record a line) or markdown")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "markdown"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// check refuses what no record can be.
func (f *journalFilter) check() error {
	stages := []journal.Stage{
		journal.Refused, journal.Stale, journal.Intended, journal.Answered, journal.Unknown, journal.Failed, journal.Verified,
		journal.Superseded, journal.Given, journal.Guarded, journal.Cosigned, journal.Restarted,
	}
	verbs := []sources.Verb{
		sources.Acknowledge, sources.Resolve, sources.Escalate, sources.Reassign, sources.Snooze, sources.AddNote, sources.Merge, sources.PostStatus,
		sources.SilenceIt, sources.Expire, sources.Mute, sources.Unmute, sources.PostEvent, sources.Approve, sources.Reject, sources.RerunFailed,
		sources.RerunAll, sources.Cancel, sources.Promote, sources.Rollback,
	}
	switch {
	case f.stage != "" && !slices.Contains(stages, journal.Stage(f.stage)):
		return usagef("--stage %q is no stage: type one of %s", f.stage, listOf(stages))
	case f.verb != "" && !slices.Contains(verbs, sources.Verb(f.verb)):
		return usagef("--verb %q is no verb: type one of %s", f.verb, listOf(verbs))
	case f.since < 0:
		return usagef("--since %s is not in the past: type for example --since 24h", f.since)
	case f.last < 0:
		return usagef("--last %d is below 0: type for example --last 20", f.last)
	}
	return nil
}

func listOf[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, one := range list {
		if out[i] = string(one); strings.Contains(out[i], " ") {
			out[i] = shellWord(out[i])
		}
	}
	return strings.Join(out, ", ")
}

// excluded refuses flags that leave each other nothing to do.
func excluded(cmd *cobra.Command, form output) error {
	given := func(name string) bool { return cmd.Flags().Changed(name) }
	if given("verify") {
		for _, name := range []string{"service", "user", "plan", "verb", "stage", "since", "last", "follow", "records"} {
			if given(name) {
				return usagef("--verify looks at the whole journal: leave out --%s", name)
			}
		}
	}
	if form == outputMarkdown {
		for _, name := range []string{"verify", "follow", "records"} {
			if given(name) {
				return usagef("a document tells of whole actions: leave out --%s or --output markdown", name)
			}
		}
	}
	return nil
}

const outputMarkdown output = "markdown"

// documentForm is an output that may be a document, too.
type documentForm struct{ *output }

func (d *documentForm) Set(s string) error {
	if output(s) == outputMarkdown {
		*d.output = outputMarkdown
		return nil
	}
	if err := d.output.Set(s); err != nil {
		return fmt.Errorf("%q is no form of output: type --output table, json or markdown", s)
	}
	return nil
}

// openJournal is the journal of the state directory that the config names. Without a config it is the
// default one's.
func (c *commands) openJournal(ctx context.Context) (*journal.Journal, error) {
	if c.globals.demo {
		return nil, usagef("the demo's journal ends with the demo: leave out --demo")
	}
	cfg, err := c.load(ctx)
	if _, nothing := asNothingSet(err); err != nil && !nothing {
		return nil, err
	}
	return wire.JournalOf(cfg)
}

// unread is why a journal was not read: its file is the caller's to mend, what stands in it a person's to look at.
func unread(err error) error {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return usagef("%w: make it readable, or set state_dir: in the config to a directory of your own", err)
	}
	return &exit{code: exitFailed, err: err}
}

func verifyJournal(w io.Writer, j *journal.Journal, form output) error {
	r, err := j.Verify()
	if err != nil {
		return unread(err)
	}
	if form == outputJSON {
		err := writeJSON(w, struct {
			Path string `json:"path"`
			journal.Report
		}{j.Path(), r})
		if err == nil && len(r.Problems) > 0 {
			err = quiet(exitFailed)
		}
		return err
	}
	for _, p := range r.Problems {
		at := j.Path()
		if p.Line > 0 {
			at = fmt.Sprintf("%s:%d", at, p.Line)
		}
		if err := say(w, "%s: %s\n", at, clean.Line(p.What)); err != nil {
			return err
		}
	}
	mended := ""
	if r.Mended > 0 {
		mended = fmt.Sprintf(", %s that a crash had torn told of", clean.Counted(r.Mended, "line"))
	}
	if len(r.Problems) > 0 {
		if err := say(w, "%s: %s in %s%s\n", j.Path(), clean.Counted(len(r.Problems), "problem"), clean.Counted(int(r.Records), "record"), mended); err != nil {
			return err
		}
		return quiet(exitFailed)
	}
	return say(w, "%s: %s, none changed, none missing%s\n", j.Path(), clean.Counted(int(r.Records), "record"), mended)
}

// journalView writes records as they were asked for.
type journalView struct {
	c       *commands
	w       io.Writer
	j       *journal.Journal
	filter  journalFilter
	form    output
	records bool
	now     time.Time
}

// deed is one action: its records, oldest first.
type deed []journal.Record

func (f *journalFilter) wants(d deed, now time.Time) bool {
	first := &d[0]
	by := func(r journal.Record) bool {
		return r.Who.User == f.user || r.Who.Sudo == f.user || r.Who.Login.String() == f.user
	}
	return (f.service == "" || first.Service == f.service) &&
		(f.plan == "" || first.Plan == f.plan) &&
		(f.verb == "" || first.Verb == sources.Verb(f.verb)) &&
		(f.user == "" || slices.ContainsFunc(d, by)) &&
		(f.stage == "" || slices.ContainsFunc(d, func(r journal.Record) bool { return r.Stage == journal.Stage(f.stage) })) &&
		(f.since <= 0 || now.Sub(d[len(d)-1].At) <= f.since)
}

func (v *journalView) list() error {
	var deeds []deed
	at := map[string]int{}
	for r, err := range v.j.Records() {
		if err != nil {
			return unread(err)
		}
		i, known := at[r.Plan]
		if r.Plan == "" || !known {
			i = len(deeds)
			deeds = append(deeds, nil)
			if r.Plan != "" {
				at[r.Plan] = i
			}
		}
		deeds[i] = append(deeds[i], r)
	}
	deeds = slices.DeleteFunc(deeds, func(d deed) bool { return !v.filter.wants(d, v.now) })
	if n := v.filter.last; n > 0 && len(deeds) > n {
		deeds = deeds[len(deeds)-n:]
	}
	switch v.form {
	case outputJSON:
		return v.json(deeds)
	case outputText:
		return v.table(deeds)
	case outputMarkdown:
		return v.markdown(deeds)
	}
	return v.table(deeds)
}

func (v *journalView) json(deeds []deed) error {
	enc := json.NewEncoder(v.w)
	for _, d := range deeds {
		for i := range d {
			if err := enc.Encode(&d[i]); err != nil {
				return fmt.Errorf("write the output: %w", err)
			}
		}
	}
	return nil
}

const journalTime = "2006-01-02 15:04:05"

func (v *journalView) table(deeds []deed) error {
	if len(deeds) == 0 {
		return say(v.w, "nothing was done that fits\n")
	}
	w := &columns{out: v.w, color: v.c.terminal().out && v.c.terminal().colors > 0}
	if v.records {
		w.head("AT", "PLAN", "STAGE", "WHO", "WHAT", "TEXT")
		for _, d := range deeds {
			for i := range d {
				r := &d[i]
				w.row(tintOfStage(r.Stage), 2, clean.Line(r.At.Local().Format(journalTime)), clean.Line(r.Plan), clean.Line(string(r.Stage)), whoText(r.Who), whatText(r), stageText(r))
			}
		}
	} else {
		w.head("AT", "WHO", "WHAT", "OUTCOME", "TEXT")
		for _, d := range deeds {
			last := d.last()
			w.row(tintOfStage(last.Stage), 3, clean.Line(d[0].At.Local().Format(journalTime)), whoText(d[0].Who), whatText(&d[0]), clean.Line(d.outcome()), openText(last))
		}
	}
	w.flush()
	return w.err
}

// follow writes what is there, and then each record as it comes, until ctx ends.
func (v *journalView) follow(ctx context.Context) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	var at int64
	var err error
	w := &columns{out: v.w}
	var before []journal.Record // the last ones of those that were there, where that many were asked for
	for first := true; ; first = false {
		at, err = v.j.Since(at, func(r journal.Record) bool {
			switch {
			case !v.filter.wants(deed{r}, time.Now()):
			case first && v.filter.last > 0:
				before = append(before[max(0, len(before)+1-v.filter.last):], r)
			default:
				v.one(w, &r)
			}
			return w.err == nil
		})
		for i := range before {
			v.one(w, &before[i])
		}
		before = nil
		if err != nil {
			return unread(err)
		}
		if w.err != nil {
			return &exit{code: exitFailed, err: w.err}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (v *journalView) one(w *columns, r *journal.Record) {
	if v.form == outputJSON {
		if err := json.NewEncoder(v.w).Encode(r); err != nil {
			w.err = fmt.Errorf("write the output: %w", err)
		}
		return
	}
	w.err = say(v.w, "%s  %-10s  %s  %s  %s\n", r.At.Local().Format(journalTime), r.Stage, whoText(r.Who), whatText(r), stageText(r))
}
