package ui

import (
	"strings"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/dialog"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
)

// commands are the lines of the palette: what the focused pane can do, what the board can do, what is
// seen and followed, and last what only moves.
func (a *App) commands() []dialog.Item {
	unicode := !a.set.Theme.Options().ASCII
	var out []dialog.Item
	var moves []dialog.Item
	for _, in := range a.inOrder() {
		it := dialog.Item{
			Name: strings.ReplaceAll(string(in.Action), "-", " "), Long: in.Long, Key: a.set.Keys.Show(in.Action, unicode),
			Disabled: a.unusable(in), Msg: commandMsg{in.Action},
		}
		if in.Moves {
			moves = append(moves, it)
		} else {
			out = append(out, it)
		}
	}
	for _, w := range [...]pane.Whose{pane.Team, pane.Mine, pane.All} {
		name := [...]string{"show the team's", "show mine", "show everybody's"}[w]
		out = append(out, dialog.Item{Name: name, Long: "show " + whoseLong(w) + " on every pane", Msg: whoseMsg{w}})
	}
	if a.follow != "" {
		out = append(out, dialog.Item{Name: "stop following " + a.follow, Long: "show every service again", Msg: pane.Follow{}})
	}
	for _, s := range a.snap.Catalog.Services {
		out = append(out, dialog.Item{Name: "follow " + s.Name, Long: "narrow every pane to " + s.Name, Msg: pane.Follow{Service: s.Name}})
	}
	return append(out, moves...)
}

// inOrder lists the actions with the focused pane's first. Panes go by their titles.
func (a *App) inOrder() []keymap.Info {
	var out []keymap.Info
	first := map[keymap.Action]bool{}
	if s := a.focused(); s != nil {
		for _, b := range s.pane.Keys(a.env(s)) {
			if in, ok := a.set.Keys.Info(b.Action); ok && !first[b.Action] {
				first[b.Action] = true
				out = append(out, in)
			}
		}
	}
	for _, in := range a.set.Keys.Infos() {
		if n, ok := paneNumber(in.Action); ok {
			if n >= len(a.board) {
				continue
			}
			s := a.board[n]
			in.Long = "to the pane " + s.pane.Heading(a.env(s)).Title.String()
		}
		if !first[in.Action] {
			out = append(out, in)
		}
	}
	return out
}

// unusable is why an action does nothing here; "" when it does something.
func (a *App) unusable(in keymap.Info) string {
	inDetail := len(a.details) > 0
	switch {
	case in.Context == keymap.Board && inDetail:
		return "only on the board"
	case in.Context == keymap.Detail && !inDetail:
		return "only in a run or a log"
	}
	for _, b := range a.ownKeys() {
		if b.Action == in.Action {
			return b.Disabled
		}
	}
	s := a.focused()
	if s == nil {
		return ""
	}
	for _, b := range s.pane.Keys(a.env(s)) {
		if b.Action == in.Action {
			return b.Disabled
		}
	}
	switch in.Action {
	case keymap.OpenBrowser, keymap.CopyID, keymap.CopyURL, keymap.Runbook:
		if _, ok := a.selected(); !ok {
			return "nothing is selected"
		}
	case keymap.OpenDetail, keymap.Filter, keymap.NextMatch, keymap.PrevMatch, keymap.Logs,
		keymap.FirstError, keymap.FollowLog, keymap.Wrap, keymap.Save, keymap.Refresh:
		return "not in this pane"
	case keymap.LastError:
		if a.failure == nil {
			return "nothing has failed"
		}
	default:
	}
	return ""
}

// help is what is focused, what works there, and every other key.
func (a *App) help() dialog.Dialog {
	var sections []dialog.HelpSection
	seen := map[keymap.Action]bool{}
	title := clean.Const("Help")
	if s := a.focused(); s != nil {
		h := s.pane.Heading(a.env(s)).Title
		title = clean.Linef("Help: %s", h)
		if keys := a.paneHelp(s, seen); len(keys) > 0 {
			sections = append(sections, dialog.HelpSection{Title: clean.Linef("In %s", h), Keys: keys})
		}
	}
	for _, g := range [...]struct {
		title   string
		context keymap.Context
	}{{"On the board", keymap.Board}, {"In a run or a log", keymap.Detail}, {"Everywhere", keymap.Everywhere}} {
		if keys := a.contextHelp(g.context, seen); len(keys) > 0 {
			sections = append(sections, dialog.HelpSection{Title: clean.Line(g.title), Keys: keys})
		}
	}
	return dialog.NewHelp(title, sections, !a.set.Theme.Options().ASCII)
}

func (a *App) paneHelp(s *slot, seen map[keymap.Action]bool) []dialog.HelpKey {
	var out []dialog.HelpKey
	for _, b := range s.pane.Keys(a.env(s)) {
		in, ok := a.set.Keys.Info(b.Action)
		if !ok || seen[b.Action] {
			continue
		}
		seen[b.Action] = true
		does := in.Long
		if b.Help != "" && b.Help != in.Help {
			does = b.Help
		}
		out = append(out, dialog.HelpKey{Keys: a.set.Keys.Keys(b.Action), Does: does, Disabled: b.Disabled})
	}
	return out
}

func (a *App) contextHelp(c keymap.Context, seen map[keymap.Action]bool) []dialog.HelpKey {
	own := map[keymap.Action]string{}
	for _, b := range a.ownKeys() {
		own[b.Action] = b.Disabled
	}
	var out []dialog.HelpKey
	for _, in := range a.set.Keys.Infos() {
		if in.Context != c || seen[in.Action] {
			continue
		}
		if n, ok := paneNumber(in.Action); ok {
			if n >= len(a.board) {
				continue
			}
			s := a.board[n]
			in.Long = "to the pane " + s.pane.Heading(a.env(s)).Title.String()
		}
		out = append(out, dialog.HelpKey{Keys: a.set.Keys.Keys(in.Action), Does: in.Long, Disabled: own[in.Action]})
	}
	return out
}
