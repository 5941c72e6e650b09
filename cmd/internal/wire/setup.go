package wire

import (
	"example.com/signalbox/config"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/theme"
)

// EmptyConfig is what is configured where nothing is.
func EmptyConfig() *config.Config {
	cfg, err := config.Parse("(nothing)", nil, LoadOptions())
	if err != nil {
		panic(err) // an empty file is a valid config: a mistake of the program, caught by its test
	}
	cfg.Files = nil // there is none that could change
	return cfg
}

// SetupPage says why there is nothing to show, and each way out.
func SetupPage(n *config.NothingSet) *ui.Setup {
	page := &ui.Setup{Title: clean.Const("Nothing is set up yet")}
	for _, line := range n.Found {
		page.Lines = append(page.Lines, []pane.Part{{Token: theme.Text, Text: clean.Line(line)}})
	}
	page.Lines = append(page.Lines, nil)
	for _, s := range n.Set {
		page.Lines = append(page.Lines,
			[]pane.Part{{Token: theme.Strong, Text: clean.Line(s.What)}},
			[]pane.Part{{Token: theme.Muted, Text: clean.Line("    " + s.Why)}},
		)
	}
	return page
}
