package wire

import (
	"io"
	"regexp"
	"slices"
	"strings"

	"example.com/signalbox/config/secret"
)

// Redactor takes credentials out of text that nobody meant to hold any: crash reports and logs. Secrets
// are redacted by their type everywhere; this is the second line behind that.
type Redactor struct {
	values   *strings.Replacer
	patterns []*regexp.Regexp
}

// minSecret keeps an environment variable that holds a word like "true" from making holes everywhere.
const minSecret = 8

// NewRedactor knows the secrets of environ ("NAME=value", by their names) and the shapes of the vendors'
// tokens.
func NewRedactor(environ []string) *Redactor {
	name := regexp.MustCompile(`(?i)(token|secret|password|passwd|_key|apikey|credential|webhook)`)
	var values []string
	for _, kv := range environ {
		k, v, _ := strings.Cut(kv, "=")
		if len(v) >= minSecret && name.MatchString(k) {
			values = append(values, v)
		}
	}
	// The longest first, so that no part of one is left behind when it holds another.
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(values))
	for _, v := range values {
		pairs = append(pairs, v, secret.Redacted)
	}
	return &Redactor{
		values: strings.NewReplacer(pairs...),
		patterns: []*regexp.Regexp{
			regexp.MustCompile(`\b(gh[pousr]_|github_pat_|sim_|xox[abprs]-)[A-Za-z0-9_-]{10,}`),
			regexp.MustCompile(`(?i)\b(bearer|basic|token)\s+[A-Za-z0-9+/._~=-]{12,}`),
			regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`),
			regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`),
			regexp.MustCompile(`hooks\.slack(-gov)?\.com/[^\s"'<>]+`),
			regexp.MustCompile(`://[^/\s:@]+:[^/\s@]+@`),
		},
	}
}

// String is s without credentials.
func (r *Redactor) String(s string) string {
	s = r.values.Replace(s)
	for i, p := range r.patterns {
		with := secret.Redacted
		if i == len(r.patterns)-1 {
			with = "://" + secret.Redacted + "@"
		}
		s = p.ReplaceAllLiteralString(s, with)
	}
	return s
}

// Writer passes on to w what is written, without credentials. Each Write must be whole lines.
func (r *Redactor) Writer(w io.Writer) io.Writer { return redacting{r, w} }

type redacting struct {
	r *Redactor
	w io.Writer
}

func (w redacting) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.w, w.r.String(string(p))); err != nil {
		return 0, err //nolint:wrapcheck // a writer returns what the writer behind it says
	}
	return len(p), nil
}
