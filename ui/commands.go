package ui

import (
	"cmp"
	"slices"
	"strings"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/dialog"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
)

// rank is where an action stands in the palette: what the row under the cursor offers comes before what the
// board shows, and what leaves comes last. Actions without a rank only move.
type rank uint8

const (
	rankRow rank = iota + 1
	rankLever
	rankView
	rankLook
	rankGo
	rankLeave
)

func rankOf(a keymap.Action) rank {
	switch a {
	case keymap.OpenDetail, keymap.Logs, keymap.Filter, keymap.FirstError, keymap.FollowLog, keymap.Wrap, keymap.Save,
		keymap.OpenBrowser, keymap.CopyURL, keymap.CopyID, keymap.Runbook:
		return rankRow
	case keymap.FollowKey, keymap.WhoseKey, keymap.Zoom, keymap.Refresh, keymap.RefreshAll:
		return rankView
	case keymap.Palette, keymap.SourceHealth, keymap.Operations, keymap.Messages, keymap.LastError, keymap.Help:
		return rankLook
	case keymap.Mark, keymap.Undo:
		return rankLever
	case keymap.NextPane, keymap.PrevPane, keymap.NextMatch, keymap.PrevMatch:
		return rankGo
	case keymap.Back, keymap.Suspend, keymap.Quit:
		return rankLeave
	default:
		if _, ok := paneNumber(a); ok {
			return rankGo
		}
		if _, ok := leverOf(a); ok {
			return rankLever
		}
		return 0
	}
}

// commands are the lines of the palette, those that somebody wants first on top: what can be done with
// the row under the cursor, whose things are seen, how everything does, where to go, what leaves.
func (a *App) commands() []dialog.Item {
	var by [rankLeave + 1][]dialog.Item
	for _, in := range a.inOrder() {
		switch in.Action {
		case keymap.Palette, keymap.FollowKey, keymap.WhoseKey: // is open; stand below in words
			continue
		default:
		}
		r := rankOf(in.Action)
		if in.Acts {
			by[r] = append(by[r], a.leverItem(in.Action))
		} else {
			by[r] = append(by[r], a.item(in))
		}
	}
	slices.SortStableFunc(by[rankLever], func(x, y dialog.Item) int { return cmp.Compare(b2i(x.Disabled != ""), b2i(y.Disabled != "")) })
	views := append(a.follows(), a.whoses()...)
	return slices.Concat(by[rankRow], by[rankLever], views, by[rankView], by[rankLook], by[rankGo], a.otherFollows(), by[0], by[rankLeave])
}

func (a *App) item(in keymap.Info) dialog.Item {
	name := strings.ReplaceAll(string(in.Action), "-", " ")
	if n, ok := paneNumber(in.Action); ok {
		name += ": " + a.title(n)
	}
	return dialog.Item{Name: name, Long: in.Long, Key: a.key1(in.Action), Disabled: a.unusable(in), Msg: commandMsg{in.Action}}
}

func (a *App) key1(action keymap.Action) string {
	return a.set.Keys.Show(action, !a.set.Theme.Options().ASCII)
}

func (a *App) title(n int) string {
	s := a.board[n]
	return s.pane.Heading(a.env(s)).Title.String()
}

// follows are what the key that follows would do now.
func (a *App) follows() []dialog.Item {
	if a.follow != "" {
		return []dialog.Item{{Name: "stop following " + a.follow, Long: "show every service again", Key: a.key1(keymap.FollowKey), Msg: pane.Follow{}}}
	}
	if s, ok := a.selected(); ok && s.Service != "" {
		it := followItem(s.Service)
		it.Key = a.key1(keymap.FollowKey)
		return []dialog.Item{it}
	}
	return nil
}

// otherFollows are the services that no line of follows names.
func (a *App) otherFollows() []dialog.Item {
	skip := a.follow
	if s, ok := a.selected(); ok && skip == "" {
		skip = s.Service
	}
	var out []dialog.Item
	for _, s := range a.snap.Catalog.Services {
		if s.Name != skip {
			out = append(out, followItem(s.Name))
		}
	}
	return out
}

func followItem(service string) dialog.Item {
	return dialog.Item{Name: "follow " + service, Long: "narrow every pane to " + service, Msg: pane.Follow{Service: service}}
}

// whoses are the views that are not seen now; the key goes to the first of them.
func (a *App) whoses() []dialog.Item {
	var out []dialog.Item
	for by := range pane.All {
		w := (a.whose + 1 + by) % (pane.All + 1)
		name := [...]string{"show the team's", "show mine", "show everybody's"}[w]
		it := dialog.Item{Name: name, Long: "show " + whoseLong(w) + " on every pane", Msg: whoseMsg{w}}
		if by == 0 {
			it.Key = a.key1(keymap.WhoseKey)
		}
		out = append(out, it)
	}
	return out
}

// inOrder lists the actions with the focused pane's first, each as it is meant here.
func (a *App) inOrder() []keymap.Info {
	var out []keymap.Info
	first := map[keymap.Action]bool{}
	for _, b := range a.paneKeys() {
		if in, ok := a.set.Keys.Info(b.Action); ok && !first[b.Action] {
			first[b.Action] = true
			out = append(out, a.meant(in, b.Help))
		}
	}
	for _, in := range a.set.Keys.Infos() {
		if n, ok := paneNumber(in.Action); ok && n >= len(a.board) {
			continue
		}
		if !first[in.Action] && (a.opts.Levers != nil || !ofLevers(in)) {
			out = append(out, a.meant(in, ""))
		}
	}
	return out
}

// meant says what an action does here: in the pane's own word where it has one, else with the name of
// what it would be done to.
func (a *App) meant(in keymap.Info, help string) keymap.Info {
	if help != "" && help != in.Help {
		in.Long = help
		return in
	}
	if n, ok := paneNumber(in.Action); ok {
		in.Long = "to the pane " + a.title(n)
		return in
	}
	if in.Action == keymap.Filter && help != "" {
		in.Long = "show only the rows that match"
		return in
	}
	s, ok := a.selected()
	if !ok {
		return in
	}
	switch name := s.Name.String(); in.Action {
	case keymap.OpenDetail:
		in.Long = "show " + name + " in full"
	case keymap.Logs:
		in.Long = "show the log of " + name
	case keymap.OpenBrowser:
		in.Long = "open " + name + " in the browser"
	case keymap.CopyURL:
		in.Long = "copy the url of " + name
	case keymap.CopyID:
		in.Long = "copy the id of " + name
	case keymap.Runbook:
		if s.Service != "" {
			in.Long = "open the runbook of " + s.Service
		}
	default:
	}
	return in
}

// unusable is why an action does nothing here; "" when it does something.
func (a *App) unusable(in keymap.Info) string {
	inDetail := len(a.details) > 0
	for _, b := range a.paneKeys() {
		if b.Action == in.Action {
			return b.Disabled
		}
	}
	switch {
	case in.Context == keymap.Board && inDetail:
		return "only on the board"
	case in.Context == keymap.Detail && !inDetail:
		return "only in a run or a log"
	}
	for _, b := range slices.Concat(a.ownKeys(), a.leverKeys()) {
		if b.Action == in.Action {
			return b.Disabled
		}
	}
	if in.Acts {
		return a.unpullable(in.Action)
	}
	switch in.Action {
	case keymap.OpenBrowser, keymap.CopyID, keymap.CopyURL, keymap.Runbook:
		s, ok := a.selected()
		return a.cannot(in.Action, s, ok).String()
	case keymap.OpenDetail, keymap.Mark, keymap.Filter, keymap.NextMatch, keymap.PrevMatch, keymap.Logs,
		keymap.FirstError, keymap.FollowLog, keymap.Wrap, keymap.Save:
		return "not in this pane"
	case keymap.NextPane, keymap.PrevPane:
		if inDetail {
			return "only on the board"
		}
	case keymap.LastError:
		if a.failure == nil {
			return "nothing has failed"
		}
	default:
	}
	return ""
}

// ofLevers reports that an action means nothing on a board that only looks.
func ofLevers(in keymap.Info) bool {
	return in.Acts || in.Action == keymap.Mark || in.Action == keymap.Operations
}

// unpullable is why an action that changes something does nothing for the row under the cursor.
func (a *App) unpullable(act keymap.Action) string {
	switch {
	case act == keymap.Undo && a.lastUndo() == nil:
		return "nothing that was done here lately can be taken back"
	case act == keymap.Undo:
		return a.barred()
	}
	return "not in this pane"
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (a *App) paneKeys() []keymap.Binding {
	s := a.focused()
	if s == nil {
		return nil
	}
	return s.pane.Keys(a.env(s))
}

// help is what is focused, what works there, and every key that works beside it. What belongs to another
// place is left to the palette, which names it with the reason.
func (a *App) help() dialog.Dialog {
	groups := [...]struct {
		title string
		has   func(keymap.Info) bool
	}{
		{"With the selected row", func(in keymap.Info) bool { return rankOf(in.Action) == rankRow && in.Context == keymap.Everywhere }},
		{"What changes something", func(in keymap.Info) bool { return in.Acts }},
		{"On the board", func(in keymap.Info) bool { return in.Context == keymap.Board || rankOf(in.Action) == rankGo }},
		{"Everywhere", func(in keymap.Info) bool { return !in.Moves }},
		{"Moving", func(in keymap.Info) bool { return true }},
	}
	title := clean.Const("Help")
	seen := map[keymap.Action]bool{}
	var sections []dialog.HelpSection
	if s := a.focused(); s != nil {
		h := s.pane.Heading(a.env(s)).Title
		title = clean.Linef("Help: %s", h)
		sections = a.section(sections, clean.Linef("In %s", h), seen, func(in keymap.Info) bool {
			return slices.ContainsFunc(a.paneKeys(), func(b keymap.Binding) bool { return b.Action == in.Action })
		})
	}
	for _, g := range groups {
		sections = a.section(sections, clean.Line(g.title), seen, g.has)
	}
	return dialog.NewHelp(title, sections, !a.set.Theme.Options().ASCII)
}

// section appends the actions that have, when there are any that mean something here and were not seen
// before.
func (a *App) section(to []dialog.HelpSection, title clean.Text, seen map[keymap.Action]bool, has func(keymap.Info) bool) []dialog.HelpSection {
	place := keymap.Board
	if len(a.details) > 0 {
		place = keymap.Detail
	}
	var keys []dialog.HelpKey
	actions := a.inOrder()
	slices.SortStableFunc(actions, func(a, b keymap.Info) int { return cmp.Compare(rankOf(a.Action), rankOf(b.Action)) })
	for _, in := range actions {
		why := a.unusable(in)
		elsewhere := in.Context != keymap.Everywhere && in.Context != place || why == "not in this pane" || why == "only on the board"
		if seen[in.Action] || elsewhere || !has(in) {
			continue
		}
		seen[in.Action] = true
		k := dialog.HelpKey{Keys: a.set.Keys.Keys(in.Action), Does: in.Long, Disabled: why}
		if len(k.Keys) == 0 {
			k.Command = strings.ReplaceAll(string(in.Action), "-", " ")
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return to
	}
	return append(to, dialog.HelpSection{Title: title, Keys: keys})
}
