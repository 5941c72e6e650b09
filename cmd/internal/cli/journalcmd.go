package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
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
			j, err := c.openJournal(cmd.Context())
			if err != nil {
				return err
			}
			if verify {
				return verifyJournal(cmd.OutOrStdout(), j)
			}
			if follow && form == outputMarkdown {
				return usagef("--follow has no end, and a document has one: leave out --follow or --output markdown")
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

func verifyJournal(w io.Writer, j *journal.Journal) error {
	r, err := j.Verify()
	if err != nil {
		return &exit{code: exitFailed, err: err}
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
		mended = fmt.Sprintf(", %s that a crash had torn told of", counted(r.Mended, "line"))
	}
	if len(r.Problems) > 0 {
		if err := say(w, "%s: %s in %s%s\n", j.Path(), counted(len(r.Problems), "problem"), counted(int(r.Records), "record"), mended); err != nil {
			return err
		}
		return quiet(exitFailed)
	}
	return say(w, "%s: %s, none changed, none missing%s\n", j.Path(), counted(int(r.Records), "record"), mended)
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
			return &exit{code: exitFailed, err: err}
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
			w.row(tintOfStage(last.Stage), 3, clean.Line(d[0].At.Local().Format(journalTime)), whoText(d[0].Who), whatText(&d[0]), clean.Line(d.outcome()), stageText(last))
		}
	}
	w.flush()
	return w.err
}

// last is the record that tells how the action ended, as far as it has.
func (d deed) last() *journal.Record {
	for i := len(d) - 1; i >= 0; i-- {
		if d[i].Stage.Final() || d[i].Stage == journal.Guarded && i == 0 {
			return &d[i]
		}
	}
	return &d[len(d)-1]
}

// outcome is that in a word. What has no end is open: under way, or left by a crash.
func (d deed) outcome() string {
	last := d.last()
	switch last.Stage {
	case journal.Intended, journal.Answered, journal.Unknown:
		return "open"
	case journal.Refused, journal.Stale, journal.Failed, journal.Verified, journal.Superseded, journal.Given, journal.Guarded, journal.Cosigned, journal.Restarted:
	}
	return string(last.Stage)
}

func tintOfStage(s journal.Stage) tint {
	switch s {
	case journal.Verified:
		return tintGood
	case journal.Failed, journal.Superseded:
		return tintBad
	case journal.Refused, journal.Stale, journal.Unknown, journal.Given, journal.Intended, journal.Answered, journal.Restarted:
		return tintWarn
	case journal.Guarded, journal.Cosigned:
		return tintNone
	}
	return tintNone
}

func whoText(w journal.Who) clean.Text {
	text := w.User
	if w.Sudo != "" {
		text = w.Sudo + " as " + text
	}
	if !w.Login.IsZero() && w.Login.String() != w.User {
		text += " (" + w.Login.String() + ")"
	}
	return clean.Line(text)
}

func whatText(r *journal.Record) clean.Text {
	text := strings.TrimSpace(string(r.Verb) + " " + r.Name.String())
	if text == "" {
		text = string(r.Stage)
	}
	if !r.After.IsZero() && (r.Verb == sources.Promote || r.Verb == sources.Rollback) {
		text += " → " + r.After.String()
	}
	return clean.Line(text)
}

// stageText is what a record says beyond its stage: the outcome, else why it was refused or agreed to.
func stageText(r *journal.Record) clean.Text {
	switch {
	case !r.Outcome.IsZero():
		return r.Outcome
	case r.Approval != nil && !r.Approval.Reason.IsZero():
		return r.Approval.Reason
	}
	return r.How
}

// follow writes what is there, and then each record as it comes, until ctx ends.
func (v *journalView) follow(ctx context.Context) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	var at int64
	var err error
	w := &columns{out: v.w, color: v.c.terminal().out && v.c.terminal().colors > 0}
	for {
		at, err = v.j.Since(at, func(r journal.Record) bool {
			if v.filter.wants(deed{r}, time.Now()) {
				v.one(w, &r)
			}
			return w.err == nil
		})
		if err == nil {
			err = w.err
		}
		if err != nil {
			return &exit{code: exitFailed, err: err}
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

// markdown writes the actions as a document: a list by day, for a post-mortem.
func (v *journalView) markdown(deeds []deed) error {
	var b strings.Builder
	b.WriteString("# What was done\n")
	day := ""
	for _, d := range deeds {
		first := &d[0]
		if today := first.At.UTC().Format("Mon 2 January 2006"); today != day {
			day = today
			fmt.Fprintf(&b, "\n## %s (UTC)\n\n", day)
		}
		fmt.Fprintf(&b, "- **%s** %s, by %s: %s", first.At.UTC().Format("15:04:05"), escapeMarkdown(whatText(first)), escapeMarkdown(whoText(first.Who)), d.outcome())
		if text := stageText(d.last()); !text.IsZero() {
			fmt.Fprintf(&b, ": %s", escapeMarkdown(text))
		}
		b.WriteString("\n")
		for _, line := range d.details() {
			fmt.Fprintf(&b, "  - %s\n", line)
		}
	}
	if len(deeds) == 0 {
		b.WriteString("\nNothing.\n")
	}
	return say(v.w, "%s", b.String())
}

// details are what a reader of an action asks next, as Markdown.
func (d deed) details() []string {
	var out []string
	add := func(name string, t clean.Text) {
		if !t.IsZero() {
			out = append(out, name+": "+escapeMarkdown(t))
		}
	}
	first := &d[0]
	add("before", first.Before)
	add("wanted", first.After)
	add("how", first.How)
	for _, g := range first.Gates {
		if g.Verdict != "allow" {
			add("gate "+escapeMarkdown(clean.Line(g.Rule)), clean.Linef("%s: %s", g.Verdict, g.Text))
		}
	}
	for i := range d {
		if a := d[i].Approval; a != nil {
			add("reason", a.Reason)
			add("rules lifted", clean.Line(strings.Join(a.BreakGlass, ", ")))
			add("second person", clean.Line(a.Cosigner))
		}
		if d[i].Stage == journal.Guarded {
			add("guard", d[i].Outcome)
		}
	}
	if url := d.last().URL; url != "" {
		out = append(out, "<"+clean.Line(url).String()+">")
	}
	return out
}

// escapeMarkdown is t so that nothing in it is markup.
func escapeMarkdown(t clean.Text) string {
	var b strings.Builder
	for _, r := range t.String() {
		if strings.ContainsRune("\\`*_{}[]<>#|!~&", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
