package cli

import (
	"fmt"
	"strings"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/policy"
)

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
	if r.Stage == journal.Guarded {
		return clean.Linef("guard %s", r.Name)
	}
	text := strings.TrimSpace(string(r.Verb) + " " + r.Name.String())
	if text == "" {
		text = string(r.Stage)
	}
	if !r.After.IsZero() && (r.Verb == sources.Promote || r.Verb == sources.Rollback) {
		text += " → " + r.After.String()
	}
	return clean.Line(text)
}

// stageText is what a record says beyond its stage: the outcome, else why it was refused or agreed to. A
// refusal names the gates that refused.
func stageText(r *journal.Record) clean.Text {
	switch {
	case r.Stage == journal.Refused:
		return refusalText(r)
	case r.Stage == journal.Guarded: // its findings follow, each as long
		verdict, _, _ := strings.Cut(r.Outcome.String(), " · ")
		return clean.Line(verdict)
	case !r.Outcome.IsZero():
		return r.Outcome
	case r.Approval != nil && !r.Approval.Reason.IsZero():
		return r.Approval.Reason
	}
	return r.How
}

func refusalText(r *journal.Record) clean.Text {
	text := strings.TrimPrefix(r.Outcome.String(), "refused: ")
	var gates []string
	for _, g := range r.Gates {
		if g.Verdict == policy.Deny.String() {
			gates = append(gates, g.Rule)
		}
	}
	if len(gates) == 0 || strings.HasPrefix(text, "not confirmed") {
		return clean.Line(text)
	}
	return clean.Linef("by %s: %s", strings.Join(gates, ", "), text)
}

// openText is what is known of an action that has no end: it is under way, or a crash has left it.
func openText(r *journal.Record) clean.Text {
	switch r.Stage {
	case journal.Answered:
		return clean.Const("sent, not followed to its end")
	case journal.Unknown:
		return clean.Linef("sent, its answer was lost: %s", r.Outcome)
	case journal.Intended:
		return clean.Const("about to be sent: whether it was is not known")
	default:
		return stageText(r)
	}
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
		if text := openText(d.last()); !text.IsZero() {
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
