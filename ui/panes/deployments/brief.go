package deployments

import (
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/pane/kit"
	"example.com/signalbox/ui/theme"
)

// briefWidth is the room of a line on the screens that have briefs.
const briefWidth = 76

// Brief is a lane in one line a stage, production first.
func Brief(e pane.Env, l *insight.Lane) [][]pane.Part {
	if l.Last < 0 || l.Empty != insight.NotEmpty {
		return [][]pane.Part{emptyParts(e, l)}
	}
	width, version := 0, 0
	for i := range l.Cells {
		if c := &l.Cells[i]; c.Env != nil {
			width = max(width, kit.Text(c.Env.Name).Width())
			version = max(version, kit.Width(cellParts(e, c, true)))
		}
	}
	var out [][]pane.Part
	for i := len(l.Cells) - 1; i >= 0; i-- {
		c := &l.Cells[i]
		if c.Env == nil {
			continue
		}
		stale := kit.Staleness(e, c.Feed)
		cell := cellParts(e, c, true)
		parts := append([]pane.Part{kit.P(theme.Muted, c.Env.Name+blanks(width-kit.Text(c.Env.Name).Width()+2))}, cell...)
		parts = append(parts, kit.P(theme.Text, blanks(version-kit.Width(cell)+2)))
		if t := targetParts(e, c, stale); len(t) > 0 {
			parts = append(append(parts, t...), kit.P(theme.Text, "  "))
		}
		judged := i == l.Last && l.Health.Known
		if judged {
			parts = append(parts, kit.P(theme.Muted, "deploy "))
		}
		parts = append(parts, outcomeParts(e, c, stale)...)
		if judged {
			parts = append(append(parts, kit.P(theme.Muted, "  health ")), healthParts(e, &l.Health, mostHealth)...)
		}
		if i == l.Last {
			next := nextParts(e, l, stale, true)
			if kit.Width(parts)+2+kit.Width(next) > briefWidth {
				next = nextParts(e, l, stale, false)
			}
			parts = append(append(parts, kit.P(theme.Text, "  ")), next...)
		}
		out = append(out, parts)
	}
	return out
}

func blanks(n int) string {
	const all = "                                        "
	return all[:max(0, min(n, len(all)))]
}
