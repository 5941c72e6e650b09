package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/cosign"
	"example.com/signalbox/sources/crash"
	"example.com/signalbox/sources/policy"
)

// lines reads what a person types, a line at a time. At most one of its lines is waited for at once.
type lines struct {
	in  *os.File
	buf *bufio.Reader
}

func newLines(in *os.File) lines { return lines{in, bufio.NewReader(in)} }

// next is the next line, without what surrounds it; "" when there is none, or ctx ends first: nothing more may
// be read then.
func (l lines) next(ctx context.Context) string {
	got := make(chan string, 1)
	crash.Handler(nil).Go(func() {
		line, err := l.buf.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			line = ""
		}
		got <- strings.TrimSpace(line)
	})
	select {
	case line := <-got:
		return line
	case <-ctx.Done():
		return ""
	}
}

// ask reads one line from the person; "" when there is none.
func (p *performer) ask(ctx context.Context, question string) string {
	if ctx.Err() != nil {
		return ""
	}
	p.say("%s", question)
	line := p.lines.next(ctx)
	if ctx.Err() != nil {
		p.say("\n")
		return ""
	}
	return line
}

// approve gets the answer to a plan's demand: from the flags, else from the person at the terminal. byGuard
// is a rollback that a guard may do by itself.
func (p *performer) approve(ctx context.Context, plan action.Plan, byGuard bool) action.Approval {
	a := action.Approval{Reason: p.flags.reason, BreakGlass: p.flags.reason != "" && plan.Demand.Reason}
	d := plan.Demand
	if byGuard {
		a.Yes, a.Typed = true, d.Word
		return a
	}
	asks := p.asks()
	if d.Reason && a.Reason == "" && asks && d.Kind != action.Refusal {
		a.Reason = p.ask(ctx, "It is refused, and a reason lifts that. Type the reason, or nothing to leave it: ")
		if a.BreakGlass = a.Reason != ""; !a.BreakGlass {
			return a
		}
	}
	switch d.Kind {
	case action.NoDemand, action.Refusal:
		// The Runner refuses, and writes that down.
	case action.YesDemand:
		if a.Yes = p.flags.yes; !a.Yes && asks {
			answer := strings.ToLower(p.ask(ctx, "Do it? y or n: "))
			a.Yes = answer == "y" || answer == "yes"
		}
	case action.TypeDemand, action.SecondDemand:
		a.Typed = p.typed(d.Word)
		if len(p.flags.confirm) == 0 && asks {
			a.Typed = p.ask(ctx, fmt.Sprintf("Type %s to do it: ", d.Word))
		}
	}
	if d.Kind == action.SecondDemand && a.Typed == d.Word && (!d.Reason || a.BreakGlass) {
		a.Cosigner = p.second(ctx, &plan)
	}
	return a
}

// asks reports that there is a person to ask.
func (p *performer) asks() bool {
	t := p.c.terminal()
	return t.in && t.out && p.flags.out != outputJSON
}

// typed is the name that --confirm gives: the one that is demanded, where it is among them.
func (p *performer) typed(word string) string {
	names := p.flags.confirm
	switch {
	case slices.Contains(names, word):
		return word
	case len(names) > 0:
		return names[0]
	}
	return ""
}

// lacks is what has to be added to the command line for an approval to be what its plan demands; zero where
// nothing would help, or nothing lacks.
func (p *performer) lacks(plan *action.Plan, a *action.Approval) clean.Text {
	d := plan.Demand
	var add []string
	if d.Reason && a.Reason == "" {
		_, names := policy.Lift(plan.Gates)
		lifts := ""
		if len(names) > 0 {
			lifts = " (it lifts " + strings.Join(names, ", ") + ")"
		}
		add = append(add, "--reason TEXT"+lifts)
	}
	switch d.Kind {
	case action.Refusal:
		return p.cure(plan)
	case action.NoDemand:
	case action.YesDemand:
		if !a.Yes {
			add = append(add, "--yes")
		}
	case action.TypeDemand, action.SecondDemand:
		if a.Typed != d.Word {
			add = append(add, "--confirm "+shellWord(d.Word))
		} else if d.Kind == action.SecondDemand && a.Cosigner == "" && len(add) == 0 {
			return clean.Linef("somebody else has to type, while this command waits: signalbox cosign %s", plan.ID)
		}
	}
	switch {
	case len(add) == 0:
		return clean.Text{}
	case p.asks(): // and was answered
		return clean.Const("nothing was sent")
	}
	return clean.Line("add " + strings.Join(add, " and "))
}

// cure is what lifts the strictest gates of a plan that nothing makes go ahead as things are.
func (p *performer) cure(plan *action.Plan) clean.Text {
	if by := p.board.Status().ReadOnly; !by.IsZero() {
		return clean.Linef("it is forbidden by %s: leave that out", by)
	}
	for _, g := range plan.Gates {
		if g.Verdict == policy.Deny && !g.BreakGlass && !g.Fix.IsZero() {
			return g.Fix
		}
	}
	return clean.Const("nothing makes it go ahead as things are")
}

// shellWord is a word as a shell takes it.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/-_.:@+,=", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// second waits until somebody else has agreed to a plan, and says who; "" when nobody has in time. The Runner
// looks for itself before anything is sent.
func (p *performer) second(ctx context.Context, plan *action.Plan) string {
	until := time.NewTimer(cosign.Lasts)
	defer until.Stop()
	tick := time.NewTicker(cosignStep)
	defer tick.Stop()
	told := false
	for {
		if who := p.board.Cosigned(plan); who != "" {
			p.say("%s has agreed\n", clean.Line(who))
			return who
		}
		if !told {
			p.say("somebody else has to agree within %s: signalbox cosign %s\n", cosign.Lasts, plan.ID)
			told = true
		}
		select {
		case <-ctx.Done():
			return ""
		case <-until.C:
			return ""
		case <-tick.C:
		}
	}
}

// cosignStep is between two looks whether somebody has agreed.
const cosignStep = time.Second
