package prometheus

import (
	"encoding/json"
	"strings"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"example.com/signalbox/sources/httpx"
)

// wireRules is the answer that lists rules. Each rule is read by itself: what one store writes in its own way
// must not cost the others.
type wireRules struct {
	Status string `json:"status"`
	Data   *struct {
		Groups []wireRuleGroup `json:"groups"`
	} `json:"data"`
}

type wireRuleGroup struct {
	Name  string            `json:"name"`
	File  string            `json:"file"`
	Rules []json.RawMessage `json:"rules"`
}

type wireRule struct {
	Type        string            `json:"type"` // alerting, recording
	Name        string            `json:"name"`
	Query       string            `json:"query"`
	Health      string            `json:"health"`
	LastError   string            `json:"lastError"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Alerts      []wireAlert       `json:"alerts"`
}

type wireAlert struct {
	State       string            `json:"state"`
	ActiveAt    stamp             `json:"activeAt"`
	Value       string            `json:"value"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// stamp is a time; zero where there is none, or something that is no time.
type stamp struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (s *stamp) UnmarshalJSON(b []byte) error {
	s.Time = time.Time{}
	var t time.Time
	if len(b) > 0 && b[0] == '"' && t.UnmarshalJSON(b) == nil && t.Year() > 1970 {
		s.Time = t
	}
	return nil
}

// rulesIn reads the alerting rules of an answer. It gives up (ok is false) on what is no list of rules.
func rulesIn(body []byte) (found *v1.RulesResult, ok bool) {
	var w wireRules
	if httpx.Tolerant(body, &w) != nil || w.Status != "success" || w.Data == nil || w.Data.Groups == nil {
		return nil, false
	}
	found = &v1.RulesResult{}
	for _, g := range w.Data.Groups {
		group := v1.RuleGroup{Name: g.Name, File: g.File}
		for _, raw := range g.Rules {
			var r wireRule
			if httpx.Tolerant(raw, &r) == nil && r.alerting() {
				group.Rules = append(group.Rules, r.rule())
			}
		}
		found.Groups = append(found.Groups, group)
	}
	return found, true
}

// alerting reports that r is a rule that alerts. One that does not say what it is does when it has alerts.
func (r *wireRule) alerting() bool { return r.Type == "alerting" || r.Type == "" && r.Alerts != nil }

func (r *wireRule) rule() v1.AlertingRule {
	out := v1.AlertingRule{
		Name: r.Name, Query: r.Query, Health: v1.RuleHealth(r.Health), LastError: r.LastError,
		Labels: labelSet(r.Labels), Annotations: labelSet(r.Annotations),
	}
	for _, a := range r.Alerts {
		if state := alertState(a.State); state != "" {
			out.Alerts = append(out.Alerts, &v1.Alert{
				State: state, ActiveAt: a.ActiveAt.Time, Value: a.Value, Labels: labelSet(a.Labels), Annotations: labelSet(a.Annotations),
			})
		}
	}
	return out
}

// alertState reads Prometheus' words and Grafana's; "" is an alert that is none.
func alertState(word string) v1.AlertState {
	switch word = strings.ToLower(word); {
	case word == "firing", strings.HasPrefix(word, "alerting"), word == "recovering":
		return v1.AlertStateFiring
	case word == "pending", word == "nodata", word == "error":
		return v1.AlertStatePending
	default:
		return ""
	}
}

func labelSet(m map[string]string) model.LabelSet {
	out := make(model.LabelSet, len(m))
	for name, value := range m {
		out[model.LabelName(name)] = model.LabelValue(value)
	}
	return out
}
