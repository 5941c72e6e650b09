package config

import (
	"slices"
	"strings"
)

// didYouMean is what to do about a word that is not one of known.
func didYouMean(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	const most = 16
	switch sorted := slices.Sorted(slices.Values(known)); {
	case len(sorted) == 0:
		return "remove it"
	case len(sorted) > most:
		return "known here: " + strings.Join(sorted[:most], ", ") + " …"
	default:
		return "known here: " + strings.Join(sorted, ", ")
	}
}

// nearest is the one of known that word is most likely a slip of; "" when none is near: a third of the
// letters may differ.
func nearest(word string, known []string) string {
	const longest = 64
	if len(word) > longest {
		return ""
	}
	word = fold(word)
	best, distance := "", len(word)/3+1
	for _, k := range known {
		if d := editDistance(word, fold(k), distance); d < distance || (d == distance && best == "") {
			best, distance = k, d
		}
	}
	if distance > len(word)/2 {
		return ""
	}
	return best
}

func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return '_'
		}
		return r
	}, strings.ToLower(s))
}

// editDistance counts the insertions, deletions, replacements and swaps of neighbours that make b of
// a; some number above limit when there are more of them.
func editDistance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) > limit || len(y)-len(x) > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
