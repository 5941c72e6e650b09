package prometheus

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// outbound is what the server does to its alerts' labels on their way to Alertmanager. By the labels that an
// alert has there it is known to others.
type outbound struct {
	asked time.Time
	add   map[string]string
	drop  []*regexp.Regexp
}

// serverConfig is the part of a server's own config that outbound is made of.
type serverConfig struct {
	Global struct {
		ExternalLabels map[string]string `yaml:"external_labels"`
	} `yaml:"global"`
	Alerting struct {
		Relabel []struct {
			Action string `yaml:"action"`
			Regex  string `yaml:"regex"`
		} `yaml:"alert_relabel_configs"`
	} `yaml:"alerting"`
}

// outboundOf reads a server's config. What it does besides adding and dropping labels is not followed.
func outboundOf(text string) outbound {
	var cfg serverConfig
	if yaml.Unmarshal([]byte(text), &cfg) != nil {
		return outbound{}
	}
	o := outbound{add: cfg.Global.ExternalLabels}
	for _, r := range cfg.Alerting.Relabel {
		if re, err := regexp.Compile("^(?:" + r.Regex + ")$"); err == nil && r.Action == "labeldrop" {
			o.drop = append(o.drop, re)
		}
	}
	return o
}

// labels are those that an alert has in Alertmanager.
func (o outbound) labels(own map[string]string) map[string]string {
	all := maps.Clone(o.add)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, own)
	maps.DeleteFunc(all, func(name, _ string) bool {
		return slices.ContainsFunc(o.drop, func(re *regexp.Regexp) bool { return re.MatchString(name) })
	})
	return all
}

// keys are what an alert is known by elsewhere: with the labels that it has here, and with those that it has
// in Alertmanager.
func (o outbound) keys(own map[string]string) []string {
	here := sources.AlertKey(sources.PrintLabels(own))
	there := sources.AlertKey(sources.PrintLabels(o.labels(own)))
	if here == there {
		return []string{here}
	}
	return []string{here, there}
}

// outboundFor is how long what the server's config says is believed.
const outboundFor = time.Hour

// outboundLabels reads the server's config once an hour. A store without one, or that shows it to others
// only, adds nothing that is known.
func (s *source) outboundLabels(ctx context.Context, now time.Time) (outbound, error) {
	s.mu.Lock()
	was := s.outbound
	s.mu.Unlock()
	if !was.asked.IsZero() && now.Sub(was.asked).Abs() < outboundFor {
		return was, nil
	}
	next, err := ask(ctx, s.server, "config", func(ctx context.Context, a v1.API) (outbound, error) {
		c, err := a.Config(ctx)
		if err != nil {
			return outbound{}, err //nolint:wrapcheck // ask explains it
		}
		return outboundOf(c.YAML), nil
	})
	if err != nil {
		if e := httpx.Explain("", "", err); !absent(e) && e.Kind != sources.Permission && !ofExpression(err) {
			return outbound{}, e
		}
		next = outbound{}
	}
	next.asked = now
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outbound = next
	return next, nil
}
