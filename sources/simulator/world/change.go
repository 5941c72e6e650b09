package world

import "time"

// The kinds of a Change event.
const (
	FlagEvent   = "flag"
	ConfigEvent = "config"
	OtherEvent  = "other" // somebody's own
)

// ChangeEvent is something that was changed and told to those who are paged.
type ChangeEvent struct {
	ID      string // PagerDuty's
	At      time.Time
	Kind    string
	Service *Service // nil: nobody said
	Summary string
	Source  string
	By      *User // nil: nobody said
	Link    string
	Details map[string]any
}

// Flag is a feature flag's last change.
type Flag struct {
	Name    string
	Service *Service
	On      bool
	By      *User
	At      time.Time
}

// Tell files a change event now.
func (w *World) Tell(e ChangeEvent) *ChangeEvent {
	e.ID = w.code("0", 26, "change", len(w.Changes))
	if e.At.IsZero() {
		e.At = w.now
	}
	w.Changes = append(w.Changes, &e)
	w.Gen++
	return &e
}

// flip tells that a feature flag was switched.
func (s *script) flip(name string, service *Service, on bool, by *User) {
	word := "off"
	if on {
		word = "on"
	}
	s.Tell(ChangeEvent{
		Kind: FlagEvent, Service: service, Summary: name + " " + word, Source: "flags.example.com", By: by,
		Link: "https://flags.example.com/payments/" + name, Details: map[string]any{"flag": name, "value": on, "environment": "prod", "rollout": 100},
	})
}

// configure changes a service's configuration.
func (s *script) configure(service, summary, key string, was, is any, by string) {
	s.Tell(ChangeEvent{
		Kind: ConfigEvent, Service: s.Service(service), Summary: summary, Source: "config.example.com", By: s.by(by),
		Link: "https://config.example.com/" + service, Details: map[string]any{"key": key, "from": was, "to": is, "environment": "prod"},
	})
}
