package keymap

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
)

// Map is the keys as they are: the defaults, and what the user made of them. It is immutable.
type Map struct {
	infos   []Info
	byName  map[Action]int
	keys    map[Action][]string
	actions map[Context]map[string]Action // Board and Detail hold those of Everywhere too
}

// Error is what is wrong with one entry of the user's keys. Action is the entry's name as it was
// written, so that a config can tell the line.
type Error struct {
	Action string
	Msg    string
	Fix    string // "" when the message says it all
}

func (e *Error) Error() string {
	s := "keys." + e.Action + ": " + e.Msg
	if e.Fix != "" {
		s += "; " + e.Fix
	}
	return s
}

// Default is the keymap without overrides.
func Default() *Map {
	m, err := New(nil)
	if err != nil {
		panic(err) // the defaults conflict: a mistake of the program, caught by its test
	}
	return m
}

// New makes a keymap of the defaults and the user's own keys: an action's name to its keys, which
// replace its default ones; no keys at all unbind it. The error joins one *Error for each thing that
// is wrong, in the order of the actions' names.
func New(overrides map[string][]string) (*Map, error) {
	m := &Map{infos: Infos(), byName: map[Action]int{}, keys: map[Action][]string{}}
	for i, in := range m.infos {
		m.byName[in.Action] = i
		m.keys[in.Action] = in.Default
	}
	var errs []error
	for _, name := range sortedNames(overrides) {
		errs = append(errs, m.override(name, overrides[name])...)
	}
	errs = append(errs, m.index(overrides)...)
	if len(m.keys[Quit]) == 0 {
		errs = append(errs, &Error{Action: string(Quit), Msg: "leaves no key to quit with", Fix: "give it at least one"})
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return m, nil
}

func sortedNames(overrides map[string][]string) []string {
	names := make([]string, 0, len(overrides))
	for name := range overrides {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (m *Map) override(name string, keys []string) []error {
	if _, ok := m.byName[Action(name)]; !ok {
		e := &Error{Action: name, Msg: fmt.Sprintf("there is no action %q", name)}
		if near := m.nearest(name); near != "" {
			e.Fix = fmt.Sprintf("did you mean %q?", near)
		}
		return []error{e}
	}
	var errs []error
	norm := make([]string, 0, len(keys))
	for _, key := range keys {
		k, err := Normalize(key)
		if err != nil {
			errs = append(errs, &Error{Action: name, Msg: err.Error(), Fix: `keys are written like "x", "X", "ctrl+x", "alt+x", "f5", "space" or "pgdown"`})
			continue
		}
		if !slices.Contains(norm, k) {
			norm = append(norm, k)
		}
	}
	m.keys[Action(name)] = norm
	return errs
}

// index fills actions and finds every key that two actions want in one context. The error goes to the
// one that the user wrote.
func (m *Map) index(overrides map[string][]string) []error {
	m.actions = map[Context]map[string]Action{Everywhere: {}, Board: {}, Detail: {}}
	var errs []error
	seen := map[[2]Action]bool{}
	for _, in := range m.infos {
		for _, key := range m.keys[in.Action] {
			for _, ctx := range contextsOf(in.Context) {
				other, taken := m.actions[ctx][key]
				if !taken {
					m.actions[ctx][key] = in.Action
					continue
				}
				if pair := [2]Action{other, in.Action}; !seen[pair] {
					seen[pair] = true
					errs = append(errs, conflict(key, in.Action, other, overrides))
				}
			}
		}
	}
	return errs
}

func contextsOf(c Context) []Context {
	if c == Everywhere {
		return []Context{Everywhere, Board, Detail}
	}
	return []Context{c}
}

func conflict(key string, a, b Action, overrides map[string][]string) error {
	if _, ok := overrides[string(a)]; !ok {
		a, b = b, a
	}
	return &Error{
		Action: string(a),
		Msg:    fmt.Sprintf("%s is the key of %q and of %q", Name(key), a, b),
		Fix:    fmt.Sprintf("choose another for one of them, or unbind one with %s: []", b),
	}
}

// Lookup is what key (as tea.KeyMsg.String names it) means in a context.
func (m *Map) Lookup(c Context, key string) (Action, bool) {
	a, ok := m.actions[c][key]
	return a, ok
}

// Keys are the keys of an action, the one to show first; none when it is unbound. The caller must not
// change the slice.
func (m *Map) Keys(a Action) []string { return m.keys[a] }

// Info is what is known of an action; ok is false for one that does not exist.
func (m *Map) Info(a Action) (in Info, ok bool) {
	i, ok := m.byName[a]
	if !ok {
		return Info{}, false
	}
	return m.infos[i], true
}

// Infos lists every action in the order of the help. The caller must not change the slice.
func (m *Map) Infos() []Info { return m.infos }

// Show is how the first key of a is drawn, "" when it is unbound. Symbols stand for the named keys
// where unicode is true.
func (m *Map) Show(a Action, unicode bool) string {
	keys := m.keys[a]
	if len(keys) == 0 {
		return ""
	}
	return Symbol(keys[0], unicode)
}

// Symbol is how a key is drawn in little space.
func Symbol(key string, unicode bool) string {
	if unicode {
		switch key {
		case "enter":
			return "⏎"
		case "up":
			return "↑"
		case "down":
			return "↓"
		case "left":
			return "←"
		case "right":
			return "→"
		}
	}
	return Name(key)
}

// Name is how a key is written for people.
func Name(key string) string {
	switch key {
	case " ":
		return "space"
	case "esc":
		return "Esc"
	case "enter":
		return "Enter"
	case "tab":
		return "Tab"
	case "shift+tab":
		return "shift+Tab"
	case "pgup":
		return "PgUp"
	case "pgdown":
		return "PgDn"
	case "home":
		return "Home"
	case "end":
		return "End"
	}
	return key
}

// Normalize is the name that Bubble Tea gives the key that s means, or an error that says that there is
// no such key.
func Normalize(s string) (string, error) {
	if utf8.RuneCountInString(s) == 1 {
		r, _ := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return "", fmt.Errorf("there is no key %q", s)
		}
		return s, nil
	}
	rest, alt := strings.CutPrefix(s, "alt+")
	if alt {
		k, err := Normalize(rest)
		if err != nil || strings.HasPrefix(k, "alt+") {
			return "", fmt.Errorf("there is no key %q", s)
		}
		return "alt+" + k, nil
	}
	low := strings.ToLower(s)
	if key, ok := strings.CutPrefix(low, "shift+"); ok && utf8.RuneCountInString(key) == 1 {
		return strings.ToUpper(key), nil
	}
	switch low {
	case "space":
		return " ", nil
	case "return", "ctrl+m":
		return "enter", nil
	case "escape", "ctrl+[":
		return "esc", nil
	case "ctrl+i":
		return "tab", nil
	case "pageup":
		return "pgup", nil
	case "pagedown", "pgdn":
		return "pgdown", nil
	case "del":
		return "delete", nil
	}
	if !namedKey(low) {
		return "", fmt.Errorf("there is no key %q", s)
	}
	return low, nil
}

// namedKey reports whether Bubble Tea has a key of that name. Its key types are small numbers around
// zero: control characters above, named keys below.
func namedKey(s string) bool {
	for t := tea.KeyType(-128); t < 128; t++ {
		if t != tea.KeyRunes && t.String() == s && s != "" {
			return true
		}
	}
	return false
}

// nearest is the action whose name differs least from s, "" when none is near.
func (m *Map) nearest(s string) string {
	best, at := "", 1+max(2, len(s)/3)
	for _, in := range m.infos {
		if d := distance(s, string(in.Action)); d < at {
			best, at = string(in.Action), d
		}
	}
	return best
}

// distance is the Levenshtein distance of a and b, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
