package policy

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// Case is facts, and what the policy is expected to say to them.
type Case struct {
	Name  string
	Facts Facts
	Want  Verdict
	Gate  string // which gate's verdict Want is; "" is the strictest
}

// Result is what the policy said to a case.
type Result struct {
	Case     string     `json:"case"`
	OK       bool       `json:"ok"`
	Want     Verdict    `json:"want"`
	Got      Verdict    `json:"got"`
	Text     clean.Text `json:"text"` // what there is to say about it
	Findings []Finding  `json:"findings"`
}

// Test asks the policy about cases. One that says no time is at now.
func (s *Set) Test(cases []Case, now time.Time) []Result {
	out := make([]Result, len(cases))
	for i, c := range cases {
		if c.Facts.Now.IsZero() {
			c.Facts.Now = now
		}
		findings := s.Judge(c.Facts)
		out[i] = Result{Case: c.Name, Want: c.Want, Findings: findings}
		out[i].answer(c, findings)
	}
	return out
}

func (r *Result) answer(c Case, findings []Finding) {
	picked := findings
	if c.Gate != "" {
		picked = slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.Gate != c.Gate })
	}
	if c.Gate != "" && len(picked) == 0 {
		r.Got, r.Text = Allow, clean.Linef("%s says nothing", c.Gate)
		r.OK = c.Want == Allow
		return
	}
	r.Got = Strictest(picked)
	r.OK = r.Got == c.Want
	var said []clean.Text
	for _, f := range picked {
		if f.Verdict == r.Got {
			said = append(said, clean.Linef("%s: %s", f.Gate, f.Text))
		}
	}
	r.Text = clean.Join(clean.Const("; "), said...)
}

// Given is the facts of a promotion, unless they say otherwise, by the names of Variables: dotted, or as
// mappings in each other. What is not given is not known. The error joins an *Error for each mistake, whose Field is the
// variable.
func Given(values map[string]any) (Facts, error) {
	f := Facts{Action: sources.Promote}
	flat := map[string]any{}
	flatten("", values, flat)
	names := make([]string, 0, len(flat))
	for name := range flat {
		names = append(names, name)
	}
	slices.Sort(names)
	var errs []error
	for _, name := range names {
		v, err := find(name)
		switch {
		case err != nil:
			errs = append(errs, &Error{Field: name, Msg: fmt.Sprintf("unknown variable %q", name), Word: name, Known: settable()})
			continue
		case v.set == nil:
			errs = append(errs, &Error{Field: name, Msg: name + " follows from others", Fix: "give incidents: or monitors: instead"})
			continue
		}
		if err := v.set(&f, flat[name]); err != nil {
			errs = append(errs, &Error{Field: name, Msg: err.Error(), Fix: "it is a " + cel.FormatCELType(v.typ)})
		}
	}
	return f, errors.Join(errs...)
}

func settable() []string {
	var out []string
	for _, v := range variables() {
		if v.set != nil {
			out = append(out, v.name)
		}
	}
	return out
}

// flatten joins the names of mappings in each other, but where a variable is a mapping itself.
func flatten(prefix string, values map[string]any, into map[string]any) {
	for k, v := range values {
		name := prefix + k
		inner, deeper := v.(map[string]any)
		if _, err := find(name); deeper && err != nil && len(inner) > 0 {
			flatten(name+".", inner, into)
			continue
		}
		into[name] = v
	}
}

func mismatch(want string, v any) error {
	return fmt.Errorf("expected %s, got %s", want, kindOf(v))
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case string:
		return "text"
	case bool:
		return "true or false"
	case int64, int, float64, uint64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "a mapping"
	}
	return fmt.Sprintf("%T", v)
}

func asText(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", mismatch("text", v)
	}
	return s, nil
}

func asBool(v any) (bool, error) {
	b, ok := v.(bool)
	if !ok {
		return false, mismatch("true or false", v)
	}
	return b, nil
}

func asInt(v any) (int, error) {
	x, err := asFloat(v)
	if err != nil || x != math.Trunc(x) || math.Abs(x) > math.MaxInt32 {
		return 0, mismatch("a whole number", v)
	}
	return int(x), nil
}

func asFloat(v any) (float64, error) {
	switch n := v.(type) {
	case int:
		return float64(n), nil
	case int64:
		return float64(n), nil
	case float64:
		return n, nil
	}
	return 0, mismatch("a number", v)
}

func asDuration(v any) (time.Duration, error) {
	s, err := asText(v)
	if err != nil {
		return 0, mismatch("a duration such as 30m", v)
	}
	var days time.Duration
	if n, rest, ok := strings.Cut(s, "d"); ok {
		x := 0
		if _, err := fmt.Sscanf(n+"\n", "%d\n", &x); err != nil || x < 0 || x > 10_000 {
			return 0, mismatch("a duration such as 30m or 2d", v)
		}
		days, s = time.Duration(x)*24*time.Hour, rest
		if s == "" {
			return days, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, mismatch("a duration such as 30m or 2d", v)
	}
	return days + d, nil
}

func asTime(v any) (time.Time, error) {
	s, _ := v.(string)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	// "2026-12-24 12:00 Europe/Berlin"
	if day, clock, ok := strings.Cut(s, " "); ok {
		hour, zone, _ := strings.Cut(clock, " ")
		loc, err := time.LoadLocation(strings.TrimSpace(zone))
		if err == nil {
			if t, err := time.ParseInLocation("2006-01-02 15:04", day+" "+hour, loc); err == nil {
				return t, nil
			}
		}
	}
	return time.Time{}, mismatch("a time such as 2026-12-24 12:00 Europe/Berlin", v)
}

func asTexts(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, mismatch("a list of texts", v)
	}
	out := make([]string, len(list))
	for i, one := range list {
		s, err := asText(one)
		if err != nil {
			return nil, mismatch("a list of texts", v)
		}
		out[i] = s
	}
	return out, nil
}

func asNumbers(v any) (map[string]float64, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, mismatch("a mapping of numbers", v)
	}
	out := make(map[string]float64, len(m))
	for k, one := range m {
		x, err := asFloat(one)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		out[k] = x
	}
	return out, nil
}

// each gives the mappings of a list, one after the other, to read, which takes out of them what it knows.
func each(v any, what string, read func(map[string]any) error) error {
	list, ok := v.([]any)
	if !ok {
		return mismatch("a list of "+what, v)
	}
	for _, one := range list {
		m, ok := one.(map[string]any)
		if !ok {
			return mismatch("a list of "+what, v)
		}
		rest := make(map[string]any, len(m))
		for k, v := range m {
			rest[k] = v
		}
		if err := read(rest); err != nil {
			return err
		}
		for k := range rest {
			return fmt.Errorf("%s have no %q", what, k)
		}
	}
	return nil
}

// take moves one value out of m, where it is.
func take[T any](m map[string]any, key string, to *T, as func(any) (T, error)) error {
	v, ok := m[key]
	if !ok {
		return nil
	}
	delete(m, key)
	value, err := as(v)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	*to = value
	return nil
}

func setIncidents(f *Facts, v any) error {
	f.Incidents, f.IncidentsKnown = nil, true
	return each(v, "incidents", func(m map[string]any) error {
		i := IncidentFacts{State: sources.Triggered.String(), Service: f.Service}
		err := errors.Join(
			take(m, "severity", &i.Severity, asInt), take(m, "low", &i.Low, asBool), take(m, "state", &i.State, asText),
			take(m, "service", &i.Service, asText), take(m, "title", &i.Title, asText), take(m, "age", &i.Age, asDuration),
			take(m, "upstream", &i.Upstream, asBool),
		)
		f.Incidents = append(f.Incidents, i)
		return err
	})
}

func setMonitors(f *Facts, v any) error {
	f.Monitors, f.MonitorsKnown = nil, true
	return each(v, "monitors", func(m map[string]any) error {
		one := MonitorFacts{}
		err := errors.Join(take(m, "name", &one.Name, asText), take(m, "state", &one.State, asText), take(m, "muted", &one.Muted, asBool))
		f.Monitors = append(f.Monitors, one)
		return err
	})
}
