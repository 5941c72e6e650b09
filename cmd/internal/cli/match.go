package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"example.com/signalbox/cmd/internal/wire"
)

// candidate is one service, as all sources together propose it.
type candidate struct {
	wire.Proposal        // of the repository; without one, of whoever knows the service
	Also          []also // what other sources call by its name
}

// also is what another source knows of a candidate.
type also struct {
	wire.Proposal
	Exact  bool // its name is the service's but for case and punctuation
	Others int  // so many other candidates have as good a claim
}

// sure reports whether a is written as it is; else it is written as a comment.
func (a *also) sure() bool { return a.Exact && a.Others == 0 && a.Confidence >= sure }

// candidates joins what the sources propose by the services' names: each repository is a candidate, and so
// is what no repository's name fits.
func candidates(found []wire.Proposal) []candidate {
	var out []candidate
	var rest []wire.Proposal
	for _, p := range found {
		if p.Repo != "" {
			out = append(out, candidate{Proposal: p})
		} else {
			rest = append(rest, p)
		}
	}
	repositories := len(out)
	for _, p := range rest {
		if join(out[:repositories], p) {
			continue
		}
		same := func(c candidate) bool { return nameKey(c.Service) == nameKey(p.Service) }
		if i := slices.IndexFunc(out[repositories:], same); i >= 0 {
			c := &out[repositories+i]
			c.Also = append(c.Also, also{Proposal: p, Exact: true})
			continue
		}
		out = append(out, candidate{Proposal: p, Also: []also{{Proposal: p, Exact: true}}})
	}
	return out
}

// join gives p to the candidates whose names fit best; it reports whether any does.
func join(list []candidate, p wire.Proposal) bool {
	var exact, near []int
	for i := range list {
		switch {
		case nameKey(list[i].Service) == nameKey(p.Service):
			exact = append(exact, i)
		case stem(list[i].Service) != "" && stem(list[i].Service) == stem(p.Service):
			near = append(near, i)
		}
	}
	best := exact
	if len(exact) == 0 {
		best = near
	}
	for _, i := range best {
		list[i].Also = append(list[i].Also, also{Proposal: p, Exact: len(exact) > 0, Others: len(best) - 1})
	}
	return len(best) > 0
}

var notInKeys = regexp.MustCompile(`[^a-z0-9]+`)

// nameKey is s without case and punctuation: "Checkout API" and checkout-api are one name.
func nameKey(s string) string { return notInKeys.ReplaceAllString(strings.ToLower(s), "") }

// stem is the words of s without those that say what it is rather than which: "Checkout (production)" and
// checkout-service may be one.
func stem(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') })
	words = slices.DeleteFunc(words, func(w string) bool {
		switch w {
		case "service", "services", "svc", "app", "application", "api", "server", "prod", "production", "live", "team", "the":
			return true
		}
		return false
	})
	return strings.Join(words, "")
}

// alsoText is what other sources know of the service, as lines of its config.
func (c *candidate) alsoText() string {
	var b strings.Builder
	var incidents, slos []string
	var unsure []*also
	for i := range c.Also {
		a := &c.Also[i]
		if !a.sure() {
			unsure = append(unsure, a)
			continue
		}
		incidents = append(incidents, objects(a, a.Incidents)...)
		slos = append(slos, objects(a, a.SLOs)...)
	}
	list := func(indent, key string, values []string) {
		if len(values) > 0 {
			fmt.Fprintf(&b, "%s%s: [%s]\n", indent, key, strings.Join(values, ", "))
		}
	}
	list("    ", "incidents", incidents)
	list("    ", "slos", slos)
	c.metricsText(&b)
	for _, a := range unsure {
		fmt.Fprintf(&b, "    # %s calls something %s: %s\n", a.Source, quoteLine(a.Service), oneLine(a.doubt()))
		list("    # ", "incidents", objects(a, a.Incidents))
		list("    # ", "slos", objects(a, a.SLOs))
	}
	return b.String()
}

// metricsText proposes metrics, as comments: whether they are what the service is judged by, a person decides.
func (c *candidate) metricsText(b *strings.Builder) {
	first := true
	for i := range c.Also {
		a := &c.Also[i]
		for _, m := range a.Metrics {
			if first {
				b.WriteString("    # metrics:\n")
				first = false
			}
			fmt.Fprintf(b, "    #   - {name: %s, source: %s, unit: %s, query: %s}\n", yamlName(oneLine(m.Name)), yamlName(a.Source),
				quoteLine(m.Unit), quoteLine(m.Query))
		}
	}
}

func (a *also) doubt() string {
	switch {
	case a.Others > 0:
		return fmt.Sprintf("%d services have as good a claim to it", a.Others+1)
	case !a.Exact:
		return "the names are alike, not equal"
	default:
		return confidence(a.Proposal)
	}
}

// objects are ids as `incidents:` and `slos:` take them.
func objects(a *also, ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = yamlName(a.Source + ":" + id)
	}
	return out
}

// quoteLine is s in YAML's double quotes, on one line.
func quoteLine(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(oneLine(s)) + `"`
}
