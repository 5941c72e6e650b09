package cli

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/sources"
)

// candidate is one service, as all sources together propose it.
type candidate struct {
	wire.Proposal        // of the repository; without one, of whoever knows the service
	Part          bool   // it is one of several services in its repository
	Also          []also // what other sources know of it
}

// also is what another source knows of a candidate.
type also struct {
	wire.Proposal
	Exact  bool // its name is the service's but for case and punctuation
	Others int  // so many other candidates have as good a claim
}

// sure reports whether a is written as it is; else it is written as a comment.
func (a *also) sure() bool { return a.Exact && a.Others == 0 && a.Confidence >= sure }

// candidates joins what the sources propose. Each repository is a candidate; what another source says to live
// in one is that one, or one of its services; all else is joined by its name, and is a candidate of its own
// where no name fits.
func candidates(found []wire.Proposal) []candidate {
	var out []candidate
	var told, rest []wire.Proposal
	for _, p := range found {
		switch {
		case p.Hosts && p.Repo != "":
			out = append(out, candidate{Proposal: p})
		case slices.ContainsFunc(found, func(r wire.Proposal) bool { return r.Hosts && sameRepo(r, p) }):
			told = append(told, p)
		default:
			p.Repo = ""
			rest = append(rest, p)
		}
	}
	out = house(out, told)
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

func sameRepo(a, b wire.Proposal) bool { return a.Repo != "" && strings.EqualFold(a.Repo, b.Repo) }

// house gives to each repository what is told to live in it. Where that is several services, each is a
// candidate of its own, and the repository as one service is left to a person.
func house(repositories []candidate, told []wire.Proposal) []candidate {
	out := repositories
	for i := range repositories {
		r := &out[i]
		var names []string
		for _, p := range told {
			if sameRepo(r.Proposal, p) && !slices.ContainsFunc(names, func(n string) bool { return nameKey(n) == nameKey(p.Service) }) {
				names = append(names, p.Service)
			}
		}
		several := len(names) > 1
		for _, p := range told {
			switch {
			case !sameRepo(r.Proposal, p):
			case !several || nameKey(p.Service) == nameKey(r.Service):
				r.Also = append(r.Also, also{Proposal: p, Exact: true})
			default:
				out = lodge(out, i, p)
				r = &out[i]
			}
		}
		r.Environments = slices.DeleteFunc(slices.Clone(r.Environments), func(e string) bool {
			return slices.ContainsFunc(out[i+1:], func(c candidate) bool {
				return c.Part && sameRepo(c.Proposal, r.Proposal) && slices.Contains(c.Environments, e)
			})
		})
		if several && !slices.ContainsFunc(names, func(n string) bool { return nameKey(n) == nameKey(r.Service) }) {
			r.Confidence = min(r.Confidence, sure/2)
			r.Why = append(slices.Clone(r.Why), "several services live in it: "+strings.Join(names, ", "))
		}
	}
	return out
}

// lodge adds p to the service of its name inside the repository of list[house], and makes one where there is
// none.
func lodge(list []candidate, house int, p wire.Proposal) []candidate {
	for i := range list {
		if c := &list[i]; c.Part && c.Source == list[house].Source && sameRepo(c.Proposal, p) && nameKey(c.Service) == nameKey(p.Service) {
			c.Also = append(c.Also, also{Proposal: p, Exact: true})
			return list
		}
	}
	part := list[house].Proposal
	part.Service, part.Deploy, part.Team = p.Service, "", p.Team
	part.Confidence = min(part.Confidence, p.Confidence)
	part.Why = []string{p.Source + " says that it lives in " + part.Repo, "unsure which files of it are this service's"}
	part.Environments = nil
	for _, e := range list[house].Environments {
		if strings.HasPrefix(nameKey(e), nameKey(p.Service)) {
			part.Environments = append(part.Environments, e)
		}
	}
	return append(list, candidate{Proposal: part, Part: true, Also: []also{{Proposal: p, Exact: true}}})
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
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	words = slices.DeleteFunc(words, func(w string) bool {
		switch w {
		case "service", "services", "svc", "app", "application", "api", "server", "prod", "production", "live", "team", "the":
			return true
		}
		return false
	})
	return strings.Join(words, "")
}

// alsoText is what other sources know of the service, as lines of its config. A key that have reports to be
// there already cannot stand there twice: what it lacks is a comment.
func (c *candidate) alsoText(have func(key string) bool) string {
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
		switch {
		case len(values) == 0:
		case have(key):
			fmt.Fprintf(&b, "    # %s, to those that are there: %s\n", key, strings.Join(values, ", "))
		default:
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
			fmt.Fprintf(b, "    #   - {name: %s, source: %s, %squery: %s}\n", yamlName(oneLine(m.Name)), yamlName(a.Source), metricKeys(m), quoteLine(m.Query))
		}
	}
}

// metricKeys are those of m that may be left out.
func metricKeys(m sources.MetricSpec) string {
	var b strings.Builder
	if m.Unit != "" {
		fmt.Fprintf(&b, "unit: %s, ", quoteLine(m.Unit))
	}
	if !math.IsNaN(m.Limit) {
		fmt.Fprintf(&b, "limit: %s, ", strconv.FormatFloat(m.Limit, 'f', -1, 64))
	}
	if m.Below {
		b.WriteString("below: true, ")
	}
	return b.String()
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
