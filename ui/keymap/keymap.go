// Package keymap knows every action that a key can start, its default keys and the user's own. Help,
// footer and documentation are made from it.
package keymap

// Action is something that a key starts.
type Action string

// The actions. Those that can be meant in one place never share a key.
const (
	Up           Action = "up"
	Down         Action = "down"
	Top          Action = "top"
	Bottom       Action = "bottom"
	PageUp       Action = "page-up"
	PageDown     Action = "page-down"
	HalfUp       Action = "half-page-up"
	HalfDown     Action = "half-page-down"
	NextPane     Action = "next-pane"
	PrevPane     Action = "previous-pane"
	Pane1        Action = "pane-1"
	Pane2        Action = "pane-2"
	Pane3        Action = "pane-3"
	Pane4        Action = "pane-4"
	Pane5        Action = "pane-5"
	Pane6        Action = "pane-6"
	Pane7        Action = "pane-7"
	Pane8        Action = "pane-8"
	Pane9        Action = "pane-9"
	OpenDetail   Action = "open"
	Back         Action = "back"
	Quit         Action = "quit"
	Suspend      Action = "suspend"
	Zoom         Action = "zoom"
	Filter       Action = "filter" // in a log: search
	NextMatch    Action = "next-match"
	PrevMatch    Action = "previous-match"
	Palette      Action = "palette"
	Help         Action = "help"
	FollowKey    Action = "follow"
	WhoseKey     Action = "whose"
	Logs         Action = "log"
	Runbook      Action = "runbook"
	Refresh      Action = "refresh"
	RefreshAll   Action = "refresh-all"
	OpenBrowser  Action = "open-in-browser"
	CopyID       Action = "copy-id"
	CopyURL      Action = "copy-url"
	FirstError   Action = "first-error"
	FollowLog    Action = "follow-log"
	Wrap         Action = "wrap"
	Save         Action = "save"
	Shorter      Action = "shorter" // the time that a chart shows
	Longer       Action = "longer"
	SourceHealth Action = "sources" // the health of every feed
	Messages     Action = "messages"
	LastError    Action = "last-error"
	Mark         Action = "mark" // a row, for what is done to several at once
	Operations   Action = "operations"
)

// The actions that change something. Their names are those of the verbs, as commands and the journal use
// them.
const (
	Ack      Action = "ack"
	Escalate Action = "escalate"
	Snooze   Action = "snooze"
	AddNote  Action = "note"
	Resolve  Action = "resolve"
	HandOver Action = "reassign"
	Silence  Action = "silence" // and mute; ends either where it is on
	Merge    Action = "merge"
	Tell     Action = "status" // the subscribers of an incident
	Promote  Action = "promote"
	Rollback Action = "rollback"
	Approve  Action = "approve"
	Reject   Action = "reject"
	Rerun    Action = "rerun" // the failed jobs
	RerunAll Action = "rerun-all"
	Cancel   Action = "cancel"
	Undo     Action = "undo" // what was done last, where the provider can
)

// Binding is an action as it can be used in one place at one moment.
type Binding struct {
	Action   Action
	Help     string // a word or two for the footer: "open"
	Disabled string // why it cannot be used now; "" when it can
}

// Context is a place where an action can be meant. Actions of Board and Detail may share a key, as only
// one of the two is on the screen; an action of Everywhere shares its keys with nobody.
type Context uint8

// The contexts.
const (
	Everywhere Context = iota
	Board              // the panes side by side, or on tabs
	Detail             // a run, an environment, a log
)

func (c Context) String() string {
	switch c {
	case Everywhere:
		return "everywhere"
	case Board:
		return "board"
	case Detail:
		return "details"
	}
	return "unknown"
}

// Info is what is known of an action: the source of the help, the palette, the documentation and of
// the check of a config's keys.
type Info struct {
	Action  Action
	Context Context
	Default []string // keys, as Bubble Tea names them
	Help    string   // a word or two, for the footer
	Long    string   // one line, for help, palette and documentation
	// Repeats reports that keys which arrive together are counted: three times down is one Action with
	// Count 3.
	Repeats bool
	// Moves reports that the action only moves the cursor or the window.
	Moves bool
	// Alone reports that the action reaches outside the board (quits, opens, copies, saves, acts): it counts
	// only when its key came by itself, so that pasted text cannot start it.
	Alone bool
	// Acts reports that the action changes something at a provider. It is Alone, and does nothing shortly after
	// the row under the cursor became another by itself.
	Acts bool
}

// Infos lists every action, in the order of the help. The slice is the caller's own.
func Infos() []Info {
	return []Info{
		{Action: Up, Default: []string{"k", "up"}, Help: "up", Long: "one row up", Repeats: true, Moves: true},
		{Action: Down, Default: []string{"j", "down"}, Help: "down", Long: "one row down", Repeats: true, Moves: true},
		{Action: Top, Default: []string{"g", "home"}, Help: "top", Long: "to the first row", Moves: true},
		{Action: Bottom, Default: []string{"G", "end"}, Help: "bottom", Long: "to the last row", Moves: true},
		{Action: PageUp, Default: []string{"pgup"}, Help: "page up", Long: "one page up", Repeats: true, Moves: true},
		{Action: PageDown, Default: []string{"pgdown"}, Help: "page down", Long: "one page down", Repeats: true, Moves: true},
		{Action: HalfUp, Default: []string{"ctrl+u"}, Help: "half up", Long: "half a page up", Repeats: true, Moves: true},
		{Action: HalfDown, Default: []string{"ctrl+d"}, Help: "half down", Long: "half a page down", Repeats: true, Moves: true},
		{Action: OpenDetail, Default: []string{"enter", "d"}, Help: "open", Long: "show the selected row in full"},
		{Action: Back, Default: []string{"esc"}, Help: "back", Long: "one step back"},
		{Action: Quit, Default: []string{"q", "ctrl+c"}, Help: "quit", Long: "one step back, and quit at the top", Alone: true},
		{Action: Suspend, Default: []string{"ctrl+z"}, Help: "suspend", Long: "back to the shell; fg returns", Alone: true},
		{Action: Help, Default: []string{"?"}, Help: "help", Long: "what is focused, and every key"},
		{Action: Palette, Default: []string{":"}, Help: "commands", Long: "every command by its name"},
		{Action: SourceHealth, Help: "sources", Long: "how every source and feed does"},
		{Action: Messages, Help: "messages", Long: "what was said lately"},
		{Action: LastError, Help: "last error", Long: "the last error in full, and what mends it"},
		{Action: Filter, Default: []string{"/"}, Help: "filter", Long: "filter a list, search a log"},
		{Action: NextMatch, Default: []string{"n"}, Help: "next match", Long: "to the next match", Repeats: true},
		{Action: PrevMatch, Default: []string{"N"}, Help: "previous match", Long: "to the previous match", Repeats: true},
		{Action: Refresh, Default: []string{"r"}, Help: "refresh", Long: "ask this pane's sources now"},
		{Action: RefreshAll, Default: []string{"ctrl+r"}, Help: "refresh all", Long: "ask every source now"},
		{Action: OpenBrowser, Default: []string{"o"}, Help: "browser", Long: "open the selected row in the browser", Alone: true},
		{Action: CopyID, Default: []string{"c"}, Help: "copy id", Long: "copy the selected row's id", Alone: true},
		{Action: CopyURL, Default: []string{"u"}, Help: "copy url", Long: "copy the selected row's address", Alone: true},
		{Action: Logs, Default: []string{"l"}, Help: "log", Long: "show the log"},
		{Action: Runbook, Default: []string{"b"}, Help: "runbook", Long: "open the service's runbook", Alone: true},
		{Action: NextPane, Default: []string{"tab", "right"}, Help: "next pane", Long: "to the next pane", Repeats: true},
		{Action: PrevPane, Default: []string{"shift+tab", "left"}, Help: "previous pane", Long: "to the previous pane", Repeats: true},
		{Action: Mark, Default: []string{" "}, Help: "mark", Long: "mark, to act on several; Esc unmarks"},
		{Action: Operations, Default: []string{"p"}, Help: "progress", Long: "what is under way, and just ended"},

		{Action: Ack, Default: []string{"a"}, Help: "ack", Long: "acknowledge: your own page at once, else it asks", Alone: true, Acts: true},
		{Action: Escalate, Default: []string{"E"}, Help: "escalate", Long: "escalate; asks", Alone: true, Acts: true},
		{Action: Snooze, Default: []string{"S"}, Help: "snooze", Long: "snooze for a time; asks", Alone: true, Acts: true},
		{Action: AddNote, Default: []string{"M"}, Help: "note", Long: "write a note; asks", Alone: true, Acts: true},
		{Action: Resolve, Default: []string{"V"}, Help: "resolve", Long: "resolve; asks", Alone: true, Acts: true},
		{Action: HandOver, Default: []string{"H"}, Help: "hand over", Long: "hand over to somebody; asks", Alone: true, Acts: true},
		{Action: Silence, Default: []string{"U"}, Help: "silence", Long: "silence or mute, and end that; asks", Alone: true, Acts: true},
		{Action: Merge, Help: "merge", Long: "merge the marked ones into this; asks", Alone: true, Acts: true},
		{Action: Tell, Help: "status update", Long: "tell those who follow the incident; asks", Alone: true, Acts: true},
		{Action: Promote, Default: []string{"P"}, Help: "promote", Long: "promote to this environment; asks", Alone: true, Acts: true},
		{Action: Rollback, Default: []string{"R"}, Help: "roll back", Long: "roll back, also an incident's suspect; asks", Alone: true, Acts: true},
		{Action: Approve, Default: []string{"A"}, Help: "approve", Long: "approve what a run waits for; asks", Alone: true, Acts: true},
		{Action: Reject, Default: []string{"D"}, Help: "reject", Long: "reject what a run waits for; asks", Alone: true, Acts: true},
		{Action: Rerun, Default: []string{"X"}, Help: "run again", Long: "run the failed jobs again; asks", Alone: true, Acts: true},
		{Action: RerunAll, Help: "run all again", Long: "run all jobs again; asks", Alone: true, Acts: true},
		{Action: Cancel, Default: []string{"C"}, Help: "cancel", Long: "cancel a run; asks", Alone: true, Acts: true},
		{Action: Undo, Default: []string{"Z"}, Help: "undo", Long: "take back what was done last; asks", Alone: true, Acts: true},

		{Action: Pane1, Context: Board, Default: []string{"1"}, Help: "pane 1", Long: "to pane 1"},
		{Action: Pane2, Context: Board, Default: []string{"2"}, Help: "pane 2", Long: "to pane 2"},
		{Action: Pane3, Context: Board, Default: []string{"3"}, Help: "pane 3", Long: "to pane 3"},
		{Action: Pane4, Context: Board, Default: []string{"4"}, Help: "pane 4", Long: "to pane 4"},
		{Action: Pane5, Context: Board, Default: []string{"5"}, Help: "pane 5", Long: "to pane 5"},
		{Action: Pane6, Context: Board, Default: []string{"6"}, Help: "pane 6", Long: "to pane 6"},
		{Action: Pane7, Context: Board, Default: []string{"7"}, Help: "pane 7", Long: "to pane 7"},
		{Action: Pane8, Context: Board, Default: []string{"8"}, Help: "pane 8", Long: "to pane 8"},
		{Action: Pane9, Context: Board, Default: []string{"9"}, Help: "pane 9", Long: "to pane 9"},
		{Action: Zoom, Context: Board, Default: []string{"z"}, Help: "zoom", Long: "this pane over the whole screen, and back"},
		{Action: FollowKey, Context: Board, Default: []string{"f"}, Help: "follow", Long: "narrow every pane to this service, and back"},
		{Action: WhoseKey, Context: Board, Default: []string{"w"}, Help: "whose", Long: "show the team's, mine, or everybody's"},

		{Action: FirstError, Context: Detail, Default: []string{"e"}, Help: "first error", Long: "to the log's first error"},
		{Action: FollowLog, Context: Detail, Default: []string{"F"}, Help: "follow", Long: "keep at the end of a growing log"},
		{Action: Wrap, Context: Detail, Default: []string{"w"}, Help: "wrap", Long: "wrap long lines, and back"},
		{Action: Save, Context: Detail, Default: []string{"s"}, Help: "save", Long: "save the log to a file", Alone: true},
		{Action: Shorter, Context: Detail, Default: []string{"["}, Help: "shorter", Long: "a shorter time in a chart: down to 15m", Repeats: true},
		{Action: Longer, Context: Detail, Default: []string{"]"}, Help: "longer", Long: "a longer time in a chart: up to 1w", Repeats: true},
	}
}
