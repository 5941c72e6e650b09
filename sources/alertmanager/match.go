package alertmanager

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func equal(name, value string) matcher {
	yes := true
	return matcher{Name: name, Value: value, IsEqual: &yes}
}

func oneOf(name string, values []string) matcher {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = regexp.QuoteMeta(v)
	}
	yes := true
	return matcher{Name: name, Value: strings.Join(quoted, "|"), IsRegex: true, IsEqual: &yes}
}

func (m matcher) String() string {
	op := "="
	switch {
	case m.IsRegex && m.equals():
		op = "=~"
	case m.IsRegex:
		op = "!~"
	case !m.equals():
		op = "!="
	}
	return m.Name + op + strconv.Quote(m.Value)
}

func (m matcher) equals() bool { return m.IsEqual == nil || *m.IsEqual }

// compiled are matchers that are ready to be asked: a label that is absent has the value "".
type compiled []func(map[string]string) bool

func compile(ms []matcher) (compiled, error) {
	var c compiled
	for _, m := range ms {
		want := m.equals()
		if !m.IsRegex {
			c = append(c, func(labels map[string]string) bool { return (labels[m.Name] == m.Value) == want })
			continue
		}
		re, err := regexp.Compile("^(?:" + m.Value + ")$")
		if err != nil {
			return nil, fmt.Errorf("the matcher of %s is no regular expression: %w", m.Name, err)
		}
		c = append(c, func(labels map[string]string) bool { return re.MatchString(labels[m.Name]) == want })
	}
	return c, nil
}

// match reports whether labels meet all conditions. No conditions match nothing: Alertmanager refuses such
// a silence.
func (c compiled) match(labels map[string]string) bool {
	for _, f := range c {
		if !f(labels) {
			return false
		}
	}
	return len(c) > 0
}

// common are the labels that all alerts have with one value.
func common(alerts []*wireAlert) map[string]string {
	if len(alerts) == 0 {
		return nil
	}
	same := maps.Clone(alerts[0].Labels)
	for _, a := range alerts[1:] {
		maps.DeleteFunc(same, func(name, value string) bool {
			v, ok := a.Labels[name]
			return !ok || v != value
		})
	}
	return same
}

// maxListed bounds how many values of one label a matcher lists.
const maxListed = 100

// cover finds matchers for alerts, which are all of one group, that match none of the others as far as
// conjunctions can tell them apart: what all alerts have in common (of a single alert: every label);
// then, for as long as others match too, that a label which only they have is absent, or which values a
// label takes. An alert that joins the group later is covered if it has in common what the others had.
func cover(alerts, others []*wireAlert) []matcher {
	same := common(alerts)
	var ms []matcher
	for _, name := range slices.Sorted(maps.Keys(same)) {
		if same[name] != "" {
			ms = append(ms, equal(name, same[name]))
		}
	}
	if len(ms) == 0 {
		if m, ok := anchor(alerts); ok {
			ms = append(ms, m)
		}
	}
	values := valuesOf(alerts)
	for {
		c, err := compile(ms)
		if err != nil {
			return ms
		}
		m, ok := tellApart(alerts, values, firstMatch(c, others))
		if !ok {
			return ms
		}
		ms = append(ms, m)
	}
}

func firstMatch(c compiled, others []*wireAlert) *wireAlert {
	for _, o := range others {
		if c.match(o.Labels) {
			return o
		}
	}
	return nil
}

// tellApart is a matcher that all alerts meet and other does not.
func tellApart(alerts []*wireAlert, values map[string]map[string]bool, other *wireAlert) (matcher, bool) {
	if other == nil {
		return matcher{}, false
	}
	names := slices.Sorted(maps.Keys(other.Labels))
	for _, name := range names {
		if _, known := values[name]; !known && other.Labels[name] != "" {
			return equal(name, ""), true
		}
	}
	// What other lacks tells apart as well as what it has.
	for _, name := range slices.Sorted(maps.Keys(values)) {
		taken := values[name]
		full := maps.Clone(taken)
		for _, a := range alerts {
			full[a.Labels[name]] = true
		}
		if !full[other.Labels[name]] && len(full) <= maxListed {
			return oneOf(name, slices.Sorted(maps.Keys(full))), true
		}
	}
	return matcher{}, false
}

// anchor is a matcher for alerts that have no label in common: a silence needs one that matches no
// absent label.
func anchor(alerts []*wireAlert) (matcher, bool) {
	best, listed := "", map[string]bool(nil)
	for name, values := range valuesOf(alerts) {
		everywhere := !slices.ContainsFunc(alerts, func(a *wireAlert) bool { return a.Labels[name] == "" })
		if everywhere && len(values) <= maxListed && (best == "" || len(values) < len(listed) || len(values) == len(listed) && name < best) {
			best, listed = name, values
		}
	}
	if best == "" {
		return matcher{}, false
	}
	return oneOf(best, slices.Sorted(maps.Keys(listed))), true
}

// valuesOf are the values that each label takes where it is there.
func valuesOf(alerts []*wireAlert) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for _, a := range alerts {
		for name, value := range a.Labels {
			if all[name] == nil {
				all[name] = map[string]bool{}
			}
			all[name][value] = true
		}
	}
	return all
}
