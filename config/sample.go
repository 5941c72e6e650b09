package config

import (
	_ "embed"
	"strings"
)

//go:embed sample.yaml
var baseSample string

// Sample is a commented config that passes the check, with an entry for each of types, whose samples it
// is made of. There must be at least one type.
func Sample(types []SourceType) string {
	var entries []string
	for _, t := range types {
		var b strings.Builder
		if t.Doc != "" && !strings.HasPrefix(t.Sample, "#") {
			b.WriteString("  # " + t.Doc + ".\n")
		}
		b.WriteString("  " + t.Name + ":\n")
		for line := range strings.Lines(strings.Trim(t.Sample, "\n")) {
			if line = strings.TrimRight(line, " \r\n"); line != "" {
				b.WriteString("    " + line)
			}
			b.WriteByte('\n')
		}
		entries = append(entries, strings.TrimRight(b.String(), "\n"))
	}
	name := ""
	if len(types) > 0 {
		name = types[0].Name
	}
	return strings.NewReplacer("@SOURCES@", strings.Join(entries, "\n\n"), "@SOURCE@", name).Replace(baseSample)
}
