package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// textProblem is what an UnmarshalText of this package refuses.
type textProblem struct{ msg, fix string }

func (p *textProblem) Error() string { return p.msg }

// Field implements FieldProblem.
func (p *textProblem) Field() (path, msg, fix string) { return "", p.msg, p.fix }

// UnmarshalText takes one string as a list of one.
func (s *Strings) UnmarshalText(text []byte) error {
	*s = Strings{string(text)}
	return nil
}

// UnmarshalText takes one key as a list of one.
func (k *Keys) UnmarshalText(text []byte) error {
	*k = Keys{string(text)}
	return nil
}

// UnmarshalText takes any scalar.
func (i *Input) UnmarshalText(text []byte) error {
	*i = Input(text)
	return nil
}

// UnmarshalText takes on, off, true and false.
func (s *Switch) UnmarshalText(text []byte) error {
	switch strings.ToLower(string(text)) {
	case "on", "true":
		*s = true
	case "off", "false":
		*s = false
	default:
		return &textProblem{quoted(string(text)) + " is neither on nor off", "write on or off"}
	}
	return nil
}

// UnmarshalText reads source:owner/name.
func (r *RepoRef) UnmarshalText(text []byte) error {
	source, scope, ok := strings.Cut(string(text), ":")
	parts := strings.Split(scope, "/")
	bad := func(s string) bool { return s == "" || s == "." || s == ".." || strings.ContainsAny(s, " \t\n:?#\\") }
	if !ok || source == "" || len(parts) < 2 || slices.ContainsFunc(parts, bad) {
		return &textProblem{quoted(string(text)) + " is no repository", "write source:owner/name, for example github:acme/checkout"}
	}
	*r = RepoRef{source, scope}
	return nil
}

// MarshalText is source:owner/name.
func (r RepoRef) MarshalText() ([]byte, error) {
	if r == (RepoRef{}) {
		return nil, nil
	}
	return []byte(r.Source + ":" + r.Scope), nil
}

// UnmarshalText reads source:id.
func (r *ObjectRef) UnmarshalText(text []byte) error {
	source, id, ok := strings.Cut(string(text), ":")
	if !ok || source == "" || strings.TrimSpace(id) == "" {
		return &textProblem{quoted(string(text)) + " names nothing", "write source:id, for example pagerduty:PABC123"}
	}
	*r = ObjectRef{source, id}
	return nil
}

// UnmarshalText reads source:id.
func (o *Objective) UnmarshalText(text []byte) error {
	var ref ObjectRef
	if err := ref.UnmarshalText(text); err != nil {
		return err
	}
	*o = Objective{Source: ref.Source, ID: ref.ID}
	return nil
}

// UnmarshalText takes a name as the whole environment.
func (e *Environment) UnmarshalText(text []byte) error {
	*e = Environment{Name: string(text)}
	return nil
}

// UnmarshalText reads "Fri 16:00", "2026-12-20" and "2026-12-20 18:00".
func (w *When) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	day, clock, timed := strings.Cut(s, " ")
	at, err := time.Parse("15:04", strings.TrimSpace(clock))
	for d := time.Sunday; d <= time.Saturday && err == nil; d++ {
		if name := d.String(); strings.EqualFold(day, name) || strings.EqualFold(day, name[:3]) {
			*w = When{Day: d, Hour: at.Hour(), Minute: at.Minute()}
			return nil
		}
	}
	if date, wrong := time.Parse(time.DateOnly, day); wrong == nil && date.Year() > 0 && (err == nil || !timed) {
		*w = When{Year: date.Year(), Month: date.Month(), Date: date.Day(), Hour: at.Hour(), Minute: at.Minute(), Whole: !timed}
		return nil
	}
	return &textProblem{quoted(string(text)) + " is no time of the week and no date", `write for example "Fri 16:00" or "2026-12-20 18:00"`}
}

// MarshalText is what UnmarshalText reads.
func (w When) MarshalText() ([]byte, error) {
	clock := fmt.Sprintf("%02d:%02d", w.Hour, w.Minute)
	switch {
	case w.Year == 0:
		return []byte(w.Day.String()[:3] + " " + clock), nil
	case w.Whole:
		return fmt.Appendf(nil, "%04d-%02d-%02d", w.Year, int(w.Month), w.Date), nil
	}
	return fmt.Appendf(nil, "%04d-%02d-%02d %s", w.Year, int(w.Month), w.Date, clock), nil
}

// Clock is what a clock shows at a date, as if it were UTC. A whole date as an end is the end of its day.
func (w When) Clock(end bool) time.Time {
	t := time.Date(w.Year, w.Month, w.Date, w.Hour, w.Minute, 0, 0, time.UTC)
	if w.Whole && end {
		t = t.AddDate(0, 0, 1)
	}
	return t
}

// UnmarshalText takes a zone that the machine knows, by its IANA name.
func (z *Zone) UnmarshalText(text []byte) error {
	name := string(text)
	if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
		return &textProblem{quoted(name) + " is no time zone that this machine knows", "write for example Europe/Berlin or UTC"}
	}
	*z = Zone(name)
	return nil
}
