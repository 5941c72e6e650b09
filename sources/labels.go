package sources

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// PrintLabels writes labels as Prometheus prints them, sorted by name: {alertname="HighErrors",
// service="checkout"}. What is not printable is escaped.
func PrintLabels(labels map[string]string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(labels)) {
		if i > 0 {
			b.WriteString(", ")
		}
		if isLabelName(name) {
			b.WriteString(name)
		} else {
			b.WriteString(strconv.Quote(name))
		}
		b.WriteByte('=')
		b.WriteString(strconv.Quote(labels[name]))
	}
	b.WriteByte('}')
	return b.String()
}

func isLabelName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// SeverityOf is what people's words for how bad something is mean, from 1 (worst) to 5: critical 1, error 2,
// warning 3, info 4, none 5, and the numbers of P1, SEV-2 or "3". 0 is unknown.
func SeverityOf(word string) int {
	word = strings.ToLower(strings.TrimSpace(word))
	switch word {
	case "critical", "crit", "page", "emergency", "emerg", "fatal", "disaster", "blocker":
		return 1
	case "error", "err", "high", "major", "alert":
		return 2
	case "warning", "warn", "medium", "moderate", "average", "ticket":
		return 3
	case "info", "informational", "information", "low", "minor", "notice":
		return 4
	case "none", "debug", "ok":
		return 5
	}
	digits := word
	for _, prefix := range []string{"severity", "priority", "sev", "p", "s"} {
		if rest, ok := strings.CutPrefix(word, prefix); ok {
			digits = strings.TrimLeft(rest, "-_ ")
			break
		}
	}
	switch n, err := strconv.Atoi(digits); {
	case err != nil || n < 0 || n > 9:
		return 0
	case n == 0:
		return 1 // where they count from 0, that is the worst
	default:
		return min(n, 5)
	}
}
