package config

import (
	"slices"
	"strconv"
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

// UnmarshalText reads "Fri 16:00".
func (w *Weekly) UnmarshalText(text []byte) error {
	day, clock, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	at, err := time.Parse("15:04", strings.TrimSpace(clock))
	for d := time.Sunday; d <= time.Saturday && err == nil; d++ {
		if name := d.String(); strings.EqualFold(day, name) || strings.EqualFold(day, name[:3]) {
			*w = Weekly{d, at.Hour(), at.Minute()}
			return nil
		}
	}
	return &textProblem{quoted(string(text)) + " is no time of the week", `write for example "Fri 16:00"`}
}

// MarshalText is "Fri 16:00".
func (w Weekly) MarshalText() ([]byte, error) {
	two := func(n int) string { return strconv.Itoa(n/10) + strconv.Itoa(n%10) }
	return []byte(w.Day.String()[:3] + " " + two(w.Hour) + ":" + two(w.Minute)), nil
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
