package keymap

import (
	"errors"
	"slices"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
)

func TestDefaultsHoldTogether(t *testing.T) {
	t.Parallel()
	m := Default()
	for _, in := range m.Infos() {
		if in.Help == "" || in.Long == "" {
			t.Errorf("%s lacks its help", in.Action)
		}
		for _, k := range in.Default {
			if n, err := Normalize(k); err != nil || n != k {
				t.Errorf("%s: default key %q is not in its own notation: %q, %v", in.Action, k, n, err)
			}
			for _, c := range contextsOf(in.Context) {
				if a, ok := m.Lookup(c, k); !ok || a != in.Action {
					t.Errorf("%q in %s is %q, want %q", k, c, a, in.Action)
				}
			}
		}
	}
}

func TestNothingActsOnATmuxKey(t *testing.T) {
	t.Parallel()
	taken := []string{"ctrl+a", "ctrl+b", "ctrl+h", "ctrl+j", "ctrl+k", "ctrl+l", "ctrl+s", "ctrl+q", "ctrl+@"}
	for _, in := range Infos() {
		for _, k := range in.Default {
			if slices.Contains(taken, k) {
				t.Errorf("%s sits on %s, which tmux, screen or the terminal uses", in.Action, k)
			}
		}
	}
}

func TestBoardAndDetailMayShareAKey(t *testing.T) {
	t.Parallel()
	m := Default()
	if a, _ := m.Lookup(Board, "w"); a != WhoseKey {
		t.Errorf("w on the board is %q", a)
	}
	if a, _ := m.Lookup(Detail, "w"); a != Wrap {
		t.Errorf("w in a detail is %q", a)
	}
	if a, ok := m.Lookup(Everywhere, "w"); ok {
		t.Errorf("w everywhere is %q", a)
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	m, err := New(map[string][]string{"up": {"i", "Up"}, "whose": {}, "mark": {}, "page-down": {"space"}, "sources": {"shift+l", "alt+h"}})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]Action{"i": Up, "up": Up, " ": PageDown, "L": SourceHealth, "alt+h": SourceHealth} {
		if a, _ := m.Lookup(Board, key); a != want {
			t.Errorf("%q is %q, want %q", key, a, want)
		}
	}
	for _, key := range []string{"k", "w", "pgdown"} {
		if a, ok := m.Lookup(Board, key); ok {
			t.Errorf("%q still is %q", key, a)
		}
	}
	if got := m.Show(WhoseKey, true); got != "" {
		t.Errorf("an unbound action shows %q", got)
	}
}

func TestNewTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		keys   map[string][]string
		action string
		parts  []string
	}{
		{"conflict", map[string][]string{"zoom": {"f"}}, "zoom", []string{`f is the key of "zoom" and of "follow"`, "follow: []"}},
		{"conflict with everywhere", map[string][]string{"wrap": {"j"}}, "wrap", []string{`"wrap"`, `"down"`}},
		{"unknown action", map[string][]string{"zom": {"f"}}, "zom", []string{`no action "zom"`, `"zoom"`}},
		{"far from any action", map[string][]string{"make-coffee-now": {"f"}}, "make-coffee-now", []string{"no action"}},
		{"unknown key", map[string][]string{"zoom": {"hyper+z"}}, "zoom", []string{`no key "hyper+z"`, "pgdown"}},
		{"empty key", map[string][]string{"zoom": {""}}, "zoom", []string{`no key ""`}},
		{"control character", map[string][]string{"zoom": {"\x1b"}}, "zoom", []string{"no key"}},
		{"no way out", map[string][]string{"quit": {}}, "quit", []string{"no key to quit"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(tt.keys)
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("error %v is no *Error", err)
			}
			if e.Action != tt.action {
				t.Errorf("blames %q, want %q", e.Action, tt.action)
			}
			for _, p := range tt.parts {
				if !strings.Contains(err.Error(), p) {
					t.Errorf("%q does not say %q", err, p)
				}
			}
		})
	}
}

func TestSwappingTwoKeysIsNoConflict(t *testing.T) {
	t.Parallel()
	if _, err := New(map[string][]string{"zoom": {"f"}, "follow": {"z"}}); err != nil {
		t.Error(err)
	}
}

func TestNormalizeMatchesBubbleTea(t *testing.T) {
	t.Parallel()
	tests := map[string]tea.KeyMsg{
		"space":     {Type: tea.KeySpace, Runes: []rune{' '}},
		"Return":    {Type: tea.KeyEnter},
		"ctrl+M":    {Type: tea.KeyEnter},
		"escape":    {Type: tea.KeyEsc},
		"PageUp":    {Type: tea.KeyPgUp},
		"F5":        {Type: tea.KeyF5},
		"alt+x":     {Type: tea.KeyRunes, Runes: []rune{'x'}, Alt: true},
		"alt+enter": {Type: tea.KeyEnter, Alt: true},
		"ß":         {Type: tea.KeyRunes, Runes: []rune{'ß'}},
		"ctrl+r":    {Type: tea.KeyCtrlR},
	}
	for s, msg := range tests {
		if got, err := Normalize(s); err != nil || got != msg.String() {
			t.Errorf("Normalize(%q) = %q, %v; Bubble Tea says %q", s, got, err, msg.String())
		}
	}
	if _, err := Normalize("alt+alt+x"); err == nil {
		t.Error("alt+alt+x is no key")
	}
}
