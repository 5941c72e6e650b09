package ui

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/dialog"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/layout"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
)

// dialog is the one that has the keyboard; nil when none is open.
func (a *App) dialog() dialog.Dialog {
	if n := len(a.dialogs); n > 0 {
		return a.dialogs[n-1]
	}
	return nil
}

func (a *App) push(d dialog.Dialog) {
	a.dialogs = append(a.dialogs, d)
	a.canvas.stale = true
}

func (a *App) popDialog() {
	if n := len(a.dialogs); n > 0 {
		a.dialogs = a.dialogs[:n-1]
		a.canvas.stale = true
		a.uncover()
	}
}

// typing reports that what has the keyboard takes text.
func (a *App) typing() bool {
	if d := a.dialog(); d != nil {
		return d.Typing()
	}
	s := a.focused()
	return s != nil && s.pane.Typing()
}

// place is the context that keys are looked up in.
func (a *App) place() keymap.Context {
	switch {
	case len(a.dialogs) > 0:
		return keymap.Everywhere
	case len(a.details) > 0:
		return keymap.Detail
	}
	return keymap.Board
}

// key routes a key: to what takes text; else, by the keymap, to the dialog, the App or the focused pane.
// A paste is text or nothing.
func (a *App) key(k tea.KeyMsg) tea.Cmd {
	a.attend()
	return tea.Batch(a.route(k), a.crowd.pressed())
}

func (a *App) route(k tea.KeyMsg) tea.Cmd {
	a.crowd.arrive(k)
	if key, ok := a.apart(k); ok {
		return a.escThen(key)
	}
	return a.press(k)
}

// press does what a key asks for.
func (a *App) press(k tea.KeyMsg) tea.Cmd {
	switch {
	case a.typing():
		return a.text(k)
	case k.Paste:
		return nil
	case k.Type == tea.KeyRunes && len(k.Runes) > 1:
		return a.together(k.Runes)
	}
	if action, ok := a.set.Keys.Lookup(a.place(), k.String()); ok {
		return a.ask(action)
	}
	a.elsewhere(k.String())
	return nil
}

// apart takes a key with alt apart. A terminal sends alt and a key as Esc and the key, and so does a slow link
// on which somebody pressed Esc and then the key: of the two the latter is meant, unless the keymap has the
// key with alt, or it moves or deletes by words in a field.
func (a *App) apart(k tea.KeyMsg) (key tea.KeyMsg, ok bool) {
	if !k.Alt || k.Paste {
		return k, false
	}
	for _, c := range []keymap.Context{keymap.Everywhere, keymap.Board, keymap.Detail} {
		if _, bound := a.set.Keys.Lookup(c, k.String()); bound {
			return k, false
		}
	}
	if a.typing() && component.EditsWords(k) {
		return k, false
	}
	k.Alt = false
	return k, true
}

// escThen does Esc and then a key that arrived as one with it. What Esc leaves never gets the key. Among the
// actions that want their key alone only quitting takes Esc for no company: nobody's text ends so.
func (a *App) escThen(k tea.KeyMsg) tea.Cmd {
	back := a.press(tea.KeyMsg{Type: tea.KeyEsc})
	if action, _ := a.set.Keys.Lookup(a.place(), k.String()); action != keymap.Quit {
		a.crowd.joined = true
	}
	return tea.Batch(back, a.press(k))
}

// elsewhere says of a key that does nothing here where it does something.
func (a *App) elsewhere(key string) {
	name := keymap.Symbol(key, !a.set.Theme.Options().ASCII)
	switch a.place() {
	case keymap.Detail:
		if _, ok := a.set.Keys.Lookup(keymap.Board, key); ok {
			a.say(theme.Muted, clean.Linef("%s works on the board: %s goes back there", name, a.key1(keymap.Back)))
		}
	case keymap.Board:
		if action, ok := a.set.Keys.Lookup(keymap.Detail, key); ok {
			a.say(theme.Muted, clean.Line(a.works(action)))
		}
	case keymap.Everywhere:
	}
}

func (a *App) what(action keymap.Action) string {
	info, _ := a.set.Keys.Info(action)
	return info.Long
}

// text hands a key to the field that has the keyboard. The keys that end or suspend programs work there
// too: the first as Esc.
func (a *App) text(k tea.KeyMsg) tea.Cmd {
	switch k.Type {
	case tea.KeyCtrlZ:
		return a.ask(keymap.Suspend)
	case tea.KeyCtrlC:
		k = tea.KeyMsg{Type: tea.KeyEsc}
	default:
	}
	if d := a.dialog(); d != nil {
		return a.answered(d.Key(k))
	}
	return a.tell(a.focused(), k)
}

// answered takes a dialog's answer at once: the next key, which may have come in the same read, belongs to
// what is left when a dialog has gone.
func (a *App) answered(answer tea.Cmd) tea.Cmd {
	if answer == nil {
		return nil
	}
	msg := answer()
	if cmd, taken := a.choice(msg); taken {
		return cmd
	}
	return func() tea.Msg { return msg }
}

// together takes keys that arrived in one read, as they do on a slow link or when somebody pastes into
// a terminal that does not mark pastes. Repeated movements are counted; what reaches outside the board is
// left out, with a hint; and what follows a key that opens a text field is its text.
func (a *App) together(runes []rune) tea.Cmd {
	var cmds []tea.Cmd
	for i := 0; i < len(runes); {
		if a.typing() {
			cmds = append(cmds, a.text(tea.KeyMsg{Type: tea.KeyRunes, Runes: runes[i:]}))
			break
		}
		action, ok := a.set.Keys.Lookup(a.place(), string(runes[i]))
		info, _ := a.set.Keys.Info(action)
		n := 1
		for info.Repeats && i+n < len(runes) && runes[i+n] == runes[i] {
			n++
		}
		i += n
		switch {
		case !ok:
		case info.Alone:
			a.notAlone(action)
		default:
			cmds = append(cmds, a.act(action, n))
		}
	}
	return tea.Batch(cmds...)
}

// act does what a key or the palette asks for.
func (a *App) act(action keymap.Action, count int) tea.Cmd {
	if d := a.dialog(); d != nil {
		if action == keymap.Suspend {
			return a.suspend()
		}
		return a.answered(d.Do(pane.Action{Action: action, Count: count}))
	}
	if cmd, done := a.anywhere(action); done {
		return cmd
	}
	if why := a.disabled(action); why != "" {
		a.say(theme.Warn, clean.Line(why))
		return nil
	}
	if cmd, done := a.onSelection(action); done {
		return cmd
	}
	if len(a.details) == 0 {
		if cmd, done := a.onBoard(action, count); done {
			return cmd
		}
	}
	if why := a.foreign(action); why != "" {
		a.say(theme.Muted, clean.Line(why))
		return nil
	}
	return a.toPane(action, count)
}

// foreign is why an action means nothing to the focused pane; "" when it does, or when every pane takes it.
func (a *App) foreign(action keymap.Action) string {
	have := func(some ...keymap.Action) bool {
		return slices.ContainsFunc(a.paneKeys(), func(b keymap.Binding) bool { return slices.Contains(some, b.Action) })
	}
	var why string
	switch action {
	case keymap.Logs:
		why = "select a run"
	case keymap.Mark:
		why = "nothing here can be marked"
	case keymap.Filter:
		why = "there is nothing to filter here"
	case keymap.OpenDetail:
		why = "there is nothing more to open here"
	case keymap.NextMatch, keymap.PrevMatch, keymap.FirstError, keymap.FollowLog, keymap.Wrap, keymap.Save, keymap.Shorter, keymap.Longer:
		why = a.works(action)
	case keymap.NextPane, keymap.PrevPane:
		if have(keymap.NextPane, keymap.PrevPane) {
			return ""
		}
		why = a.key1(action) + " works on the board: " + a.key1(keymap.Back) + " goes back there"
	default: // what moves is every pane's
		return ""
	}
	if have(action) {
		return ""
	}
	return why
}

// works says where an action means something that means nothing here.
func (a *App) works(action keymap.Action) string {
	where := "a log"
	if action == keymap.Shorter || action == keymap.Longer {
		where = "the large chart of a metric"
	}
	return a.key1(action) + " works in " + where + ": " + a.what(action)
}

func (a *App) toPane(action keymap.Action, count int) tea.Cmd {
	if s := a.focused(); s != nil {
		return a.tell(s, pane.Action{Action: action, Count: count})
	}
	return nil
}

// anywhere does the actions that need no pane.
func (a *App) anywhere(action keymap.Action) (cmd tea.Cmd, done bool) {
	switch action {
	case keymap.Quit:
		return a.quit(), true
	case keymap.Suspend:
		return a.suspend(), true
	case keymap.Help:
		a.push(a.help())
	case keymap.Palette:
		a.push(dialog.NewPalette(a.commands()))
	case keymap.SourceHealth:
		a.push(dialog.NewHealth())
	case keymap.Messages:
		a.push(dialog.NewSaid(a.toasts.Said()))
	case keymap.LastError:
		a.showFailure()
	case keymap.RefreshAll:
		a.refresh()
	case keymap.Operations:
		a.showOperations()
	default:
		return nil, false
	}
	return nil, true
}

// disabled is why the focused pane says that an action cannot be done now; "" when it can, or when the
// pane does not know it.
func (a *App) disabled(action keymap.Action) string {
	s := a.focused()
	if s == nil {
		return ""
	}
	for _, b := range s.pane.Keys(a.env(s)) {
		if b.Action == action {
			return b.Disabled
		}
	}
	return ""
}

// onBoard does the actions that arrange the board.
func (a *App) onBoard(action keymap.Action, count int) (cmd tea.Cmd, done bool) {
	switch action {
	case keymap.NextPane:
		a.turn(count)
	case keymap.PrevPane:
		a.turn(-count)
	case keymap.Zoom:
		a.setZoom(!a.zoom)
	case keymap.WhoseKey:
		a.narrow((a.whose + 1) % (pane.All + 1))
	case keymap.FollowKey:
		a.toggleFollow()
	default:
		if n, ok := paneNumber(action); ok {
			a.focusOn(n)
			return nil, true
		}
		return nil, false
	}
	return nil, true
}

// paneNumber is the index of the pane that an action goes to.
func paneNumber(action keymap.Action) (int, bool) {
	n, ok := strings.CutPrefix(string(action), "pane-")
	if !ok || len(n) != 1 || n[0] < '1' || n[0] > '9' {
		return 0, false
	}
	return int(n[0] - '1'), true
}

// turn moves the focus by so many panes, around the ends.
func (a *App) turn(by int) {
	if n := len(a.board); n > 0 {
		a.focusOn(((a.focus+by)%n + n) % n)
	}
}

func (a *App) focusOn(n int) {
	if n < 0 || n >= len(a.board) || len(a.details) > 0 {
		return
	}
	a.focus = n
}

func (a *App) setZoom(on bool) {
	if len(a.board) == 0 {
		return
	}
	if a.mode() == layout.Narrow && on {
		a.say(theme.Muted, clean.Const("one pane is shown at a time already"))
		return
	}
	a.zoom = on
}

func (a *App) narrow(w pane.Whose) {
	a.whose = w
	a.say(theme.Info, clean.Linef("showing %s", whoseLong(w)))
}

func (a *App) toggleFollow() {
	if a.follow != "" {
		a.setFollow("")
		return
	}
	s, ok := a.selected()
	if !ok || s.Service == "" {
		a.say(theme.Warn, clean.Const("no service is selected to follow"))
		return
	}
	a.setFollow(s.Service)
}

func (a *App) setFollow(service string) {
	if service == a.follow {
		return
	}
	was := a.follow
	a.follow = service
	if service == "" {
		a.say(theme.Info, clean.Linef("no longer following %s", was))
		return
	}
	a.say(theme.Info, clean.Linef("following %s: every pane shows it alone", service))
}

func whoseLong(w pane.Whose) string {
	switch w {
	case pane.Team:
		return "the team's services"
	case pane.Mine:
		return "what is mine"
	case pane.All:
		return "everybody's"
	}
	return ""
}

// quit goes one step back, and ends the program at the top.
func (a *App) quit() tea.Cmd {
	switch {
	case len(a.details) > 0:
		return a.toPane(keymap.Back, 1)
	case a.zoom:
		a.zoom = false
		return nil
	}
	if a.askQuit() {
		return nil
	}
	return tea.Quit
}

func (a *App) suspend() tea.Cmd {
	a.suspended = true
	return tea.Suspend
}
