package pane

// What the App hands to Pane.Update, beside the Replies to what the pane asked:
//
//   - Sized, before the first Draw and whenever its region changes its size;
//   - Changed, whenever the Env differs in more than the clock and the focus;
//   - Action, a key in the keymap's terms; Click, the mouse. To the Action Back a pane that has nothing
//     of its own to leave (no filter, no part opened) answers with Close: the board then goes one step
//     back itself. The App carries out open-in-browser, copy-id, copy-url and runbook by Selected, and
//     follow, whose and zoom: panes never see them;
//   - tea.KeyMsg, only while Typing reports true: runes that arrived together are one message, and a
//     paste is marked as such.
//
// The Env of each call is the newest.

// Sized tells a pane the size of the region that it will draw into, its frame not included. A list keeps
// its window by it: Draw is pure and cannot scroll.
type Sized struct{ W, H int }

// Changed tells a pane that its Env has a new snapshot, another followed service or another Whose: the
// moment to derive its rows and to find its selection again, by identity.
type Changed struct{}
