package dialog

import (
	"strings"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/component"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
)

// HelpSection is a group of keys under a heading.
type HelpSection struct {
	Title clean.Text
	Keys  []HelpKey
}

// HelpKey is one action in the help.
type HelpKey struct {
	Keys     []string
	Command  string // its name in the palette, for one that has no key
	Does     string
	Disabled string // why it cannot be used now
}

// NewHelp makes the help of sections, most important first.
func NewHelp(title clean.Text, sections []HelpSection, unicode bool) *Page {
	return &Page{
		title: title, column: 44, width: 118,
		lines: func(e pane.Env, w int) []Line { return helpLines(sections, e.Theme, w, unicode) },
	}
}

const helpKeyWidth = 13

func helpLines(sections []HelpSection, th *theme.Theme, w int, unicode bool) []Line {
	var out []Line
	for i, s := range sections {
		if i > 0 {
			out = append(out, nil)
		}
		out = append(out, Line{{Token: theme.Strong, Text: s.Title}})
		for _, k := range s.Keys {
			out = append(out, helpLine(k, th, w, unicode)...)
		}
	}
	return out
}

func helpLine(k HelpKey, th *theme.Theme, w int, unicode bool) []Line {
	names := make([]string, len(k.Keys))
	for i, key := range k.Keys {
		names[i] = keymap.Symbol(key, unicode)
	}
	tok, keyTok := theme.Text, theme.KeyHint
	if k.Disabled != "" {
		tok, keyTok = theme.Muted, theme.Muted
	}
	key := pad(strings.Join(names, " "), helpKeyWidth)
	does := k.Does
	if len(names) == 0 {
		key, keyTok = pad(th.Glyph(theme.GlyphDot).String(), helpKeyWidth), theme.Muted
		if k.Command != "" {
			key, keyTok = pad(":"+k.Command, helpKeyWidth), theme.KeyHint
		}
	}
	out := hanging(Line{{Token: keyTok, Text: key}}, tok, clean.Line(does), w)
	if k.Disabled == "" {
		return out
	}
	why := clean.Linef("%s %s", th.Glyph(theme.GlyphDot), k.Disabled)
	if last := &out[len(out)-1]; width(*last)+1+why.Width() <= w {
		*last = append(*last, pane.Part{Text: clean.Const(" ")}, pane.Part{Token: theme.Warn, Text: why})
		return out
	}
	return append(out, hanging(Line{{Text: pad("", helpKeyWidth)}}, theme.Warn, why, w)...)
}

// hanging is text behind a lead, and under itself where it goes on.
func hanging(lead Line, tok theme.Token, t clean.Text, w int) []Line {
	var out []Line
	for _, s := range component.Wrap(t, max(8, w-width(lead))) {
		out = append(out, append(lead, pane.Part{Token: tok, Text: s}))
		lead = Line{{Text: pad("", width(lead))}}
	}
	return out
}

// pad is s with blanks up to w columns, and at least one.
func pad(s string, w int) clean.Text {
	t := clean.Line(s)
	return clean.Line(s + strings.Repeat(" ", max(1, w-t.Width())))
}
