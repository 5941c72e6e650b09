// Package keymap knows every action that a key can start, its default keys and the user's own. Help,
// footer and documentation are made from it.
package keymap

// Action is something that a key starts.
type Action string

// The actions. Those of one context never share a key.
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
	SourceHealth Action = "sources" // the health of every feed
)

// Binding is an action as it can be used in one place at one moment.
type Binding struct {
	Action   Action
	Help     string // a word or two for the footer: "open"
	Disabled string // why it cannot be used now; "" when it can
}
