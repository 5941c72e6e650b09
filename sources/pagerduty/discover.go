package pagerduty

import (
	"context"
	"fmt"
	"strings"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// Discover proposes a service for each service of PagerDuty's that pages somebody.
func (s *source) Discover(ctx context.Context) ([]sources.Proposal, error) {
	all, _, err := s.listServices(ctx)
	if err != nil {
		return nil, httpx.Explain("discover", "", err)
	}
	var out []sources.Proposal
	count := map[string]int{}
	for _, w := range all {
		count[slug(w.called())]++
	}
	for _, w := range all {
		name := slug(w.called())
		if name == "" || w.Status == "disabled" {
			continue
		}
		p := sources.Proposal{Service: name, Incidents: []string{w.ID}, Confidence: 0.5}
		why := fmt.Sprintf("PagerDuty has the service %s (%s)", oneLine(w.called()), w.ID)
		if w.Policy != nil && w.Policy.called() != "" {
			why += ", which pages by " + oneLine(w.Policy.called())
		} else {
			p.Confidence -= 0.2
		}
		p.Why = append(p.Why, why)
		if len(w.Teams) > 0 {
			p.Team = oneLine(w.Teams[0].called())
			p.Confidence += 0.1
		}
		if count[name] > 1 {
			p.Confidence -= 0.2
			p.Why = append(p.Why, fmt.Sprintf("%d services of PagerDuty's have this name", count[name]))
		}
		if w.Status == "maintenance" {
			p.Why = append(p.Why, "it is in maintenance now")
		}
		out = append(out, p)
	}
	return out, nil
}

// slug is a name in the form of those in the config: "Checkout (prod)" is checkout-prod.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '_':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 60 {
			break
		}
	}
	return strings.Trim(b.String(), "-._")
}
