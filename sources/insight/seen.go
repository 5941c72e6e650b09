package insight

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

// seenIn is how far back incidents count as seen before.
const seenIn = 30 * 24 * time.Hour

// likeTitle is what the titles of like incidents have in common: their words in lower case without numbers,
// durations, sizes, ids and the numbers at the end of names. What names a kind of trouble stays: 5xx is not
// 4xx, p95 is not p99. It is "" when nothing is left.
func likeTitle(t clean.Text) string {
	var b strings.Builder
	for w := range strings.FieldsFuncSeq(strings.ToLower(t.String()), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	}) {
		if w = likeWord(w); w == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w)
	}
	return b.String()
}

// likeWord is what a word (lower case) says of the kind of trouble.
func likeWord(w string) string {
	first := strings.IndexFunc(w, unicode.IsDigit)
	if first < 0 || strings.HasSuffix(w, "xx") {
		return w
	}
	name := strings.TrimRightFunc(w, unicode.IsDigit)
	if name == "p" { // a percentile
		return w
	}
	if first == 0 && len(w) > 0 && isMeasure(strings.TrimLeftFunc(w, unicode.IsDigit)) || isID(w) {
		return ""
	}
	return name
}

// isMeasure reports that s, after a number, is what was counted: nothing or a unit.
func isMeasure(s string) bool {
	switch s {
	case "", "ns", "us", "µs", "ms", "s", "sec", "m", "min", "h", "hr", "d", "w", "b", "k", "kb", "kib", "mb", "mib", "gb", "gib",
		"tb", "tib", "g", "x", "st", "nd", "rd", "th", "rps", "qps", "pct":
		return true
	default:
		return false
	}
}

// isID reports that a word with a digit in it is a hexadecimal id, too long to be a name, or letters and
// digits in turn: x2k4q.
func isID(w string) bool {
	const shortest, mixed, longest = 6, 5, 20
	groups, digit, hex := 0, false, true
	for _, r := range w {
		was := digit
		digit = unicode.IsDigit(r)
		groups += b2i(digit && !was)
		hex = hex && strings.ContainsRune("0123456789abcdef", r)
	}
	return len(w) > longest || hex && len(w) >= shortest || groups > 1 && len(w) >= mixed
}

// Like lists the incidents that ended like p did begin, newest first: those that Problem.Seen counts.
func Like(s *store.Snapshot, p *Problem) []*sources.Incident {
	return factsOf(s, p.opened).about(p.Service).like(p)
}

// like are the incidents of p's service with a title like p's that ended within seenIn before it was opened.
func (sf *serviceFacts) like(p *Problem) []*sources.Incident {
	if len(sf.past) == 0 {
		return nil
	}
	if sf.byTitle == nil {
		sf.sortPast()
	}
	title := likeTitle(p.Incident.Title)
	if title == "" {
		return nil
	}
	all := sf.byTitle[title]
	after := func(t time.Time) func(*sources.Incident, time.Time) int {
		return func(in *sources.Incident, _ time.Time) int {
			if endOf(in).After(t) {
				return -1
			}
			return 1
		}
	}
	from, _ := slices.BinarySearchFunc(all, p.opened, after(p.opened))
	to, _ := slices.BinarySearchFunc(all, p.opened, after(p.opened.Add(-seenIn)))
	return all[from:max(from, to)]
}

// sortPast sorts the past by title, newest first. Two views of one incident: of one title, with a key in common,
// that overlap in time, count once.
func (sf *serviceFacts) sortPast() {
	sf.byTitle = map[string][]*sources.Incident{}
	past := slices.Clone(sf.past)
	slices.SortFunc(past, func(a, b *sources.Incident) int {
		return cmp.Or(endOf(b).Compare(endOf(a)), compareMembers(Member{Incident: a}, Member{Incident: b}))
	})
	seen := map[sources.Ref]bool{}
	told := map[string][]*sources.Incident{}
	for _, in := range past {
		if seen[in.Ref] {
			continue
		}
		seen[in.Ref] = true
		title := likeTitle(in.Title)
		again := false
		for _, k := range in.Keys {
			k = title + "\x00" + k
			for _, o := range told[k] {
				again = again || overlap(o, in)
			}
			told[k] = append(told[k], in)
		}
		if title != "" && !again {
			sf.byTitle[title] = append(sf.byTitle[title], in)
		}
	}
}

// endOf is when an incident ended; where the list does not tell, when it entered its state.
func endOf(in *sources.Incident) time.Time { return cmp.Or(in.Ended, in.Changed, in.Created) }
