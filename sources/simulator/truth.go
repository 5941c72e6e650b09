package simulator

import (
	"math"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

// Truth is what is true in the world at one moment, as no provider tells it in one place.
type Truth struct {
	Now       time.Time       `json:"now"`
	Services  []ServiceTruth  `json:"services"`
	Incidents []IncidentTruth `json:"incidents"` // oldest first
	Shifts    []ShiftTruth    `json:"shifts"`    // the one of now, and the next
	Flags     []FlagTruth     `json:"flags"`
}

// ServiceTruth is how one service is.
type ServiceTruth struct {
	Name    string             `json:"name"`
	Repo    string             `json:"repo"`
	Running []RunningTruth     `json:"running"`
	Metrics map[string]float64 `json:"metrics"`
}

// RunningTruth is what really runs in one place.
type RunningTruth struct {
	Stage  string    `json:"stage"`
	Target string    `json:"target,omitempty"`
	SHA    string    `json:"sha"`
	Since  time.Time `json:"since"`
}

// IncidentTruth is one incident with its log.
type IncidentTruth struct {
	Number    int          `json:"number"`
	Service   string       `json:"service"`
	Title     string       `json:"title"`
	Severity  int          `json:"severity"`
	State     string       `json:"state"`
	Onset     time.Time    `json:"onset"`
	Created   time.Time    `json:"created"`
	Changed   time.Time    `json:"changed"`
	Holder    string       `json:"holder,omitempty"`
	Escalates time.Time    `json:"escalates,omitzero"` // or pages again, when it is acknowledged
	Log       []EntryTruth `json:"log"`
}

// EntryTruth is one line of an incident's log.
type EntryTruth struct {
	At   time.Time `json:"at"`
	Kind string    `json:"kind"`
	Who  string    `json:"who,omitempty"`
	Text string    `json:"text,omitempty"`
}

// ShiftTruth is a turn of being on call.
type ShiftTruth struct {
	Who  string    `json:"who"`
	From time.Time `json:"from"`
	Till time.Time `json:"till"`
	Zone string    `json:"zone"` // the offset of where they live
}

// FlagTruth is a feature flag's last change.
type FlagTruth struct {
	Name    string    `json:"name"`
	Service string    `json:"service"`
	On      bool      `json:"on"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

// Truth tells what is true now.
func (s *Simulator) Truth() Truth {
	var t Truth
	s.with(func(w *world.World) { t = truth(w) })
	return t
}

func truth(w *world.World) Truth {
	t := Truth{Now: w.Now(), Services: []ServiceTruth{}, Incidents: []IncidentTruth{}, Shifts: []ShiftTruth{}, Flags: []FlagTruth{}}
	for _, s := range w.Services {
		t.Services = append(t.Services, serviceTruth(w, s))
	}
	for _, i := range w.Incidents {
		x := IncidentTruth{
			Number: i.Number, Service: i.Service.Name, Title: i.Title, Severity: i.Severity, State: i.State, Onset: i.Onset,
			Created: i.Created, Changed: i.Changed, Holder: login(i.Holder), Escalates: i.Next, Log: []EntryTruth{},
		}
		for _, e := range i.Log {
			x.Log = append(x.Log, EntryTruth{At: e.At, Kind: e.Kind, Who: login(e.Who), Text: e.Text})
		}
		t.Incidents = append(t.Incidents, x)
	}
	for _, x := range w.OnCall(w.Now()) {
		t.Shifts = append(t.Shifts, ShiftTruth{Who: login(x.Who), From: x.From, Till: x.Till, Zone: w.Now().In(x.Who.Zone).Format("-07:00")})
	}
	for _, f := range w.Flags {
		t.Flags = append(t.Flags, FlagTruth{Name: f.Name, Service: f.Service.Name, On: f.On, By: login(f.By), At: f.At})
	}
	return t
}

func serviceTruth(w *world.World, s *world.Service) ServiceTruth {
	t := ServiceTruth{Name: s.Name, Repo: s.Repo.Full(), Running: []RunningTruth{}, Metrics: map[string]float64{}}
	for _, stage := range []string{"dev", "staging", "prod"} {
		for _, target := range s.Targets(stage) {
			if sha, since := s.Running(stage, target); sha != "" {
				t.Running = append(t.Running, RunningTruth{Stage: stage, Target: target, SHA: sha, Since: since})
			}
		}
	}
	for _, m := range world.Metrics() {
		t.Metrics[m] = math.Round(1000*w.Metric(s, m, w.Now())) / 1000
	}
	return t
}

func login(u *world.User) string {
	if u == nil {
		return ""
	}
	return u.Login
}
