package ui

import (
	"time"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/theme"
)

// dutyDetail is how much the header says of who is on call.
type dutyDetail uint8

const (
	dutyNone  dutyDetail = iota
	dutyShort            // "sre1 until 06:00"
	dutyNow              // "on call sre1 until 06:00"
	dutyFull             // "on call sre1 until 06:00, then sre2"
)

// duty is who is on call, for the header; nil where no source tells.
func (a *App) duty(now time.Time, d dutyDetail) []component.Part {
	if d == dutyNone || !a.snap.Has(store.Shifts) {
		return nil
	}
	all := insight.OnCall(a.snap, insight.View{Follow: a.follow}, now)
	if len(all) == 0 {
		return a.nobody()
	}
	first := &all[0]
	who, lead := first.Who.Name, "on call "
	if who.IsZero() {
		who = first.Who.Login
	}
	tok := theme.Text
	if first.Mine {
		who, lead, tok = clean.Const("you"), "", theme.Accent
		if d > dutyShort {
			who = clean.Const("you are on call")
		}
	}
	if d == dutyShort {
		lead = ""
	}
	rest := ""
	if d == dutyFull && !first.Mine {
		rest = others(all)
	}
	if t := first.Until; !t.IsZero() {
		rest += " until " + a.hour(now, t)
	}
	if d == dutyFull && first.Then != nil {
		rest += a.then(first)
	}
	if h := &a.snap.Feeds[first.Feed].Health; h.Staleness(now) == store.VeryStale {
		lead = a.set.Theme.Glyph(theme.GlyphStale).String() + " " + lead
	}
	return []component.Part{{Token: theme.Muted, Text: clean.Line(lead)}, {Token: tok, Text: who}, {Token: theme.Muted, Text: clean.Line(rest)}}
}

// others counts those beside the first one at the same step of the escalation.
func others(all []insight.Duty) string {
	n := 0
	for i := range all {
		if d := &all[i]; d.Shift.Level == all[0].Shift.Level && d.Who.ID != all[0].Who.ID {
			n++
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return " and 1 other"
	}
	return clean.Linef(" and %d others", n).String()
}

// then says who takes over, and from when where that is later than the end of the turn.
func (a *App) then(d *insight.Duty) string {
	name := d.Then.Name
	if name.IsZero() {
		name = d.Then.Login
	}
	if d.From.After(d.Until) {
		return ", from " + a.hour(d.Until, d.From) + " " + name.String()
	}
	return ", then " + name.String()
}

// hour is the time of day, with the day where that is not clear.
func (a *App) hour(now, t time.Time) string {
	if t.Sub(now) < 20*time.Hour {
		return t.In(a.set.Zone).Format("15:04")
	}
	if t.Sub(now) < 6*24*time.Hour {
		return t.In(a.set.Zone).Format("Mon 15:04")
	}
	return t.In(a.set.Zone).Format("2 Jan")
}

// nobody says that there is a gap, once every feed of shifts has told so.
func (a *App) nobody() []component.Part {
	for i := range a.snap.Feeds {
		f := &a.snap.Feeds[i]
		if h := &f.Health; f.Key.Capability == store.Shifts && (h.LastGood.IsZero() || h.State > store.Throttled || h.State == store.Loading) {
			return nil
		}
	}
	return []component.Part{{Token: theme.Warn, Text: clean.Const("nobody is on call")}}
}
