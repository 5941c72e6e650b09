package kit

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/screen"
	"example.com/signalbox/ui/theme"
)

// Notice is what a pane says in place of its rows: what is so, and what to do about it.
type Notice struct {
	Token theme.Token
	Glyph theme.Glyph
	Title string
	Lines []string
}

// Draw draws n at the top of r, wrapped.
func (n Notice) Draw(r screen.Region, th *theme.Theme) {
	w, h := r.Size()
	y := 0
	if h >= 6 {
		y = 1
	}
	r.Text(1, y, th.Style(n.Token), th.Glyph(n.Glyph))
	title := theme.Text
	if n.Glyph == theme.GlyphDot {
		title = theme.Muted // nothing that anybody has to look at
	}
	y = n.wrapped(r, th, y, n.Title, title)
	for _, l := range n.Lines {
		if y >= h || w < 4 {
			return
		}
		y = n.wrapped(r, th, y, l, theme.Muted)
	}
}

func (n Notice) wrapped(r screen.Region, th *theme.Theme, y int, s string, tok theme.Token) int {
	w, _ := r.Size()
	for _, line := range Wrap(clean.Line(s), w-4) {
		r.Text(3, y, th.Style(tok), line)
		y++
	}
	return y
}

// Wrap breaks t at blanks into lines of at most w columns; a longer word is cut into pieces.
func Wrap(t clean.Text, w int) []clean.Text {
	if w <= 0 {
		return nil
	}
	var out []clean.Text
	var line strings.Builder
	used := 0
	flush := func() {
		out = append(out, clean.Line(line.String()))
		line.Reset()
		used = 0
	}
	for _, word := range strings.Fields(t.String()) {
		piece := clean.Line(word)
		n := piece.Width()
		if used > 0 && used+1+n > w {
			flush()
		}
		for n > w {
			out = append(out, piece.Cut(w, clean.Text{}))
			piece = piece.Skip(out[len(out)-1].Width())
			n = piece.Width()
		}
		if used > 0 {
			line.WriteByte(' ')
			used++
		}
		line.WriteString(piece.String())
		used += n
	}
	if used > 0 {
		flush()
	}
	return out
}

// Subject says what a pane is about, for its notices.
type Subject struct {
	What string             // "pipelines"
	Caps []store.Capability // the first one is the one it cannot do without
}

// Feeds sums up the feeds that a pane shows.
func (s Subject) Feeds(e pane.Env) insight.FeedSum {
	return insight.SumFeeds(e.Snap, e.Now, e.Follow, s.Caps...)
}

// Missing is the notice of a pane that has no rows: no source, still loading, failing, or really empty.
// empty is what to say in the last case.
func (s Subject) Missing(e pane.Env, sum insight.FeedSum, empty Notice) Notice {
	source := s.source(e.Snap)
	if sum.ErrFeed.Source != "" {
		source = sum.ErrFeed.Source
	}
	switch {
	case !e.Snap.Has(s.Caps[0]):
		return Notice{theme.Muted, theme.GlyphDot, "No source of " + s.What + " is configured.",
			[]string{"Sources stand under sources: in the config; signalbox config sample shows every kind, and what each reads."}}
	case sum.N == 0:
		return Notice{theme.Muted, theme.GlyphQueued, "No service is configured that has " + s.What + ".",
			[]string{"Name services and their repositories under services: in the config, or let signalbox init propose them."}}
	case sum.Refused > 0 && sum.Err != nil:
		return Notice{theme.Crit, theme.GlyphFailed, source + ": " + clause(insight.ErrorText(sum.Err).String()), fix(sum.Err)}
	case sum.Throttled > 0:
		return Notice{theme.Warn, theme.GlyphWaiting, source + " limits how often it may be asked.",
			[]string{"Asked again " + at(e, sum.Retry) + ". Nothing was read yet."}}
	case sum.Failing > 0 && sum.Err != nil:
		return Notice{theme.Warn, theme.GlyphWarn, source + ": " + clause(insight.ErrorText(sum.Err).String()),
			append(fix(sum.Err), "Tried again "+at(e, sum.Retry)+".")}
	case sum.Loading > 0:
		n := Notice{theme.Busy, theme.GlyphRunning, "Asking " + source + " for " + s.What + Ellipsis(e.Theme), nil}
		if sum.Loading < sum.N {
			n.Lines = []string{strconv.Itoa(sum.N-sum.Loading) + " of " + strconv.Itoa(sum.N) + " feeds have answered."}
		}
		return n
	default:
		return empty
	}
}

// source names the sources that have what a pane shows.
func (s Subject) source(snap *store.Snapshot) string {
	var names []string
	for _, src := range snap.Catalog.Sources {
		if slices.ContainsFunc(src.Capabilities, func(c store.Capability) bool { return slices.Contains(s.Caps, c) }) {
			names = append(names, src.Name)
		}
	}
	if len(names) == 0 {
		return "the source"
	}
	return strings.Join(names, " and ")
}

// Ellipsis is the theme's "…".
func Ellipsis(th *theme.Theme) string { return th.Glyph(theme.GlyphEllipsis).String() }

func fix(err *sources.Error) []string {
	if err.Fix == "" {
		return nil
	}
	return []string{sentence(err.Fix)}
}

// sentence begins s with a capital and ends it with a period.
func sentence(s string) string {
	if s == "" {
		return s
	}
	if first, n := utf8.DecodeRuneInString(s); unicode.IsLower(first) {
		s = string(unicode.ToUpper(first)) + s[n:]
	}
	return strings.TrimSuffix(s, ".") + "."
}

// clause ends s with a period and keeps its first letter: something stands before it.
func clause(s string) string { return strings.TrimSuffix(s, ".") + "." }

func at(e pane.Env, t time.Time) string {
	if t.IsZero() || !t.After(e.Now) {
		return "shortly"
	}
	return "at " + Clock(e.Now, t, e.Zone)
}

// Remarks are the lines below a pane's rows that say what is wrong with its feeds, worst first, wrapped
// to w columns; none when all is well.
func (s Subject) Remarks(e pane.Env, sum insight.FeedSum, w int) [][]pane.Part {
	var out [][]pane.Part
	mark := func(tok theme.Token, g theme.Glyph, text string) {
		lead := clean.Concat(e.Theme.Glyph(g), clean.Const(" "))
		for _, line := range Wrap(clean.Line(text), w-2) {
			out = append(out, []pane.Part{{Token: tok, Text: lead}, {Token: theme.Muted, Text: line}})
			lead = clean.Const("  ")
		}
	}
	if (sum.Refused > 0 || sum.Failing > 0) && sum.Err != nil {
		where := Sep(" ", sum.ErrFeed.Source, sum.ErrFeed.Scope)
		if sum.Refused+sum.Failing == sum.N {
			where = sum.ErrFeed.Source
		}
		tok := theme.Warn
		if sum.Refused > 0 {
			tok = theme.Crit
		}
		if more := sum.Refused + sum.Failing - 1; more > 0 && more+1 < sum.N {
			where += " and " + strconv.Itoa(more) + " more"
		}
		never := ""
		if sum.Throttled == 0 {
			never = lacking(sum)
		}
		mark(tok, theme.GlyphWarn, Dots(e.Theme, where+": "+insight.ErrorText(sum.Err).String(), never, sum.Err.Fix))
	}
	if sum.Throttled > 0 {
		mark(theme.Warn, theme.GlyphWaiting, Dots(e.Theme, "rate limit reached, asked again "+at(e, sum.Retry), lacking(sum)))
	}
	for i, n := range sum.Notices {
		if i == 1 && len(sum.Notices) > 2 {
			mark(theme.Warn, theme.GlyphWarn, strconv.Itoa(len(sum.Notices)-1)+" more parts did not answer")
			break
		}
		mark(theme.Warn, theme.GlyphWarn, Dots(e.Theme, Sep(": ", n.Scope, n.Text.String()), n.Fix.String()))
	}
	if sum.Loading > 0 && sum.Loading < sum.N {
		mark(theme.Busy, theme.GlyphRunning, strconv.Itoa(sum.Loading)+" of "+strconv.Itoa(sum.N)+" feeds not read yet")
	}
	return out
}

// lacking names what was never read, though other feeds were.
func lacking(sum insight.FeedSum) string {
	if sum.Unread == 0 || sum.Unread == sum.N {
		return ""
	}
	what := cmp.Or(sum.Lacking.Scope, sum.Lacking.Source)
	if sum.Unread > 1 {
		what += " and " + strconv.Itoa(sum.Unread-1) + " more"
	}
	return what + " not read yet"
}

// Old says that what was read at t is old.
func Old(e pane.Env, t time.Time) pane.Part {
	d := e.Now.Sub(t)
	said := Age(d)
	if d < time.Minute {
		said = Minutes(d)
	}
	return P(theme.Warn, Ellipsis(e.Theme)+" "+said+" old")
}

// Below is how many of n remark lines a pane h lines high shows.
func Below(n, h int) int {
	if h < 4 {
		return 0
	}
	most := 1
	if h >= 10 {
		most = max(2, h/8)
	}
	return min(n, most)
}

// DrawRemarks draws the first n of remarks on the last n lines of r; an ellipsis says that more would
// follow.
func DrawRemarks(e pane.Env, r screen.Region, n int, remarks [][]pane.Part) {
	w, h := r.Size()
	for i := range min(n, len(remarks)) {
		used := Parts(r, e.Theme, 1, h-n+i, w-2, remarks[i])
		if i == n-1 && len(remarks) > n {
			r.Text(min(2+used, w-2), h-1, e.Theme.Style(theme.Muted), e.Theme.Glyph(theme.GlyphEllipsis))
		}
	}
}

// Summary puts the age of the data before a heading's summary once it is stale; the heading then is marked.
func Summary(e pane.Env, h *pane.Heading, sum insight.FeedSum) {
	if sum.Stale == store.Fresh || sum.Oldest.IsZero() {
		return
	}
	h.Stale = true
	old := Old(e, sum.Oldest)
	mark := P(theme.Warn, Ellipsis(e.Theme))
	if len(h.Short) > 0 {
		h.Short = append([]pane.Part{old, P(theme.Muted, " ")}, h.Short...)
	}
	if len(h.Tab) > 0 {
		h.Tab = append([]pane.Part{mark, P(theme.Muted, " ")}, h.Tab...)
	} else {
		h.Tab = []pane.Part{mark}
	}
	if len(h.Summary) > 0 {
		h.Summary = append([]pane.Part{old, P(theme.Muted, " "+e.Theme.Glyph(theme.GlyphDot).String()+" ")}, h.Summary...)
		return
	}
	h.Summary = []pane.Part{old}
}

// List joins parts with the theme's dot between them.
func List(th *theme.Theme, parts ...pane.Part) []pane.Part {
	out := make([]pane.Part, 0, 2*len(parts))
	for _, p := range parts {
		if len(out) > 0 {
			out = append(out, P(theme.Muted, " "+th.Glyph(theme.GlyphDot).String()+" "))
		}
		out = append(out, p)
	}
	return out
}

// Spaced is parts and one more, with a blank between.
func Spaced(parts []pane.Part, one pane.Part) []pane.Part {
	if len(parts) > 0 {
		parts = append(parts, P(theme.Muted, " "))
	}
	return append(parts, one)
}

// Whose is the pane's Whose in the terms of insight.
func Whose(w pane.Whose) insight.Whose {
	switch w {
	case pane.Mine:
		return insight.Mine
	case pane.All:
		return insight.All
	case pane.Team:
	}
	return insight.Team
}

// Refresh is the intent to read the feeds behind a pane now, or to say that there are none.
func (s Subject) Refresh(e pane.Env) tea.Msg {
	var keys []store.FeedKey
	for i := range e.Snap.Feeds {
		if k := e.Snap.Feeds[i].Key; slices.Contains(s.Caps, k.Capability) {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return pane.Toast{Token: theme.Muted, Text: clean.Linef("no configured source has %s to ask for", s.What)}
	}
	return pane.Refresh{Feeds: keys}
}

// Staleness is how old the data of the feed with index i is.
func Staleness(e pane.Env, i int) store.Staleness {
	if i < 0 || i >= len(e.Snap.Feeds) {
		return store.Fresh
	}
	return e.Snap.Feeds[i].Health.Staleness(e.Now)
}
