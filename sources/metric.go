package sources

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"example.com/signalbox/sources/clean"
)

// Number is a float64 that JSON can hold: NaN is null, the infinities are strings. NaN means unknown.
type Number float64

// Known reports whether n says anything.
func (n Number) Known() bool { return !math.IsNaN(float64(n)) }

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	switch f := float64(n); {
	case math.IsNaN(f):
		return []byte("null"), nil
	case math.IsInf(f, 0):
		return strconv.AppendQuote(nil, strconv.FormatFloat(f, 'g', -1, 64)), nil
	default:
		return strconv.AppendFloat(nil, f, 'g', -1, 64), nil
	}
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(b []byte) error {
	s := string(b)
	if s == "null" {
		*n = Number(math.NaN())
		return nil
	}
	if unquoted, err := strconv.Unquote(s); err == nil {
		s = unquoted
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return fmt.Errorf("%q is not a number", s)
	}
	*n = Number(f)
	return nil
}

// Signal is which of the golden signals a metric tells.
type Signal string

// The signals, in the order in which they are shown. OtherSignal is the zero value.
const (
	ErrorSignal      Signal = "errors"
	LatencySignal    Signal = "latency"
	TrafficSignal    Signal = "traffic"
	SaturationSignal Signal = "saturation"
	OtherSignal      Signal = ""
)

// Point is one value of a series.
type Point struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"` // NaN is a gap
}

// Series is one metric over time, oldest point first.
type Series struct {
	Ref     Ref           `json:"ref"` // of kind series; its ID is MetricID's
	Service string        `json:"service"`
	Name    clean.Text    `json:"name"`
	Unit    string        `json:"unit"`
	Signal  Signal        `json:"signal,omitempty"`
	Limit   float64       `json:"limit"`           // NaN: none configured
	Below   bool          `json:"below,omitempty"` // it is bad below Limit, not above
	Points  []Point       `json:"points"`
	Step    time.Duration `json:"step,omitempty"` // between two points; a longer distance is a gap
	// Earlier are its values at the same time some days before: for services that are followed, and only
	// where the provider was asked.
	Earlier []Earlier `json:"earlier,omitempty"`
	// Labels tell apart several series of one query; they are drawn after the name.
	Labels clean.Text `json:"labels,omitzero"`
	URL    string     `json:"url,omitempty"` // the query in the provider's own pages
}

// Earlier is what a metric was so long ago: the mean of the five minutes before that moment.
type Earlier struct {
	Ago   time.Duration `json:"ago"` // 24 h, 168 h
	Value Number        `json:"value"`
}

// MetricID is the identity of a series within its source: the service, the metric's configured name and
// what tells several series of one query apart.
func MetricID(service, name, labels string) string {
	id := service + "/" + name
	if labels != "" {
		id += "{" + labels + "}"
	}
	return id
}

// MonitorState is what a monitor says.
type MonitorState uint8

// The states of a monitor, best first.
const (
	MonitorOK MonitorState = iota
	MonitorUnknown
	MonitorPending // breached, and not yet for long enough
	MonitorNoData
	MonitorWarn
	MonitorAlert
)

var monitorStates = [...]string{"ok", "unknown", "pending", "no data", "warn", "alert"}

func (s MonitorState) String() string {
	if int(s) < len(monitorStates) {
		return monitorStates[s]
	}
	return "unknown"
}

// MarshalText makes a state its name in JSON.
func (s MonitorState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a state's name; what this version does not know is MonitorUnknown.
func (s *MonitorState) UnmarshalText(b []byte) error {
	*s = MonitorUnknown
	for i, name := range monitorStates {
		if name == string(b) {
			*s = MonitorState(i)
		}
	}
	return nil
}

// MonitorGroup is one group of a monitor that is not OK.
type MonitorGroup struct {
	Name  clean.Text   `json:"name"` // "env:prod,region:eu"
	State MonitorState `json:"state"`
	Since time.Time    `json:"since,omitzero"`
	Muted bool         `json:"muted,omitempty"`
	Value Number       `json:"value"`
}

// Monitor is a rule on a metric: a Datadog monitor, a Prometheus alerting rule, the targets of a job.
type Monitor struct {
	Ref      Ref            `json:"ref"`
	Revision Revision       `json:"revision"`
	Service  string         `json:"service,omitempty"`
	Name     clean.Text     `json:"name"`
	State    MonitorState   `json:"state"`
	Since    time.Time      `json:"since,omitzero"` // when it entered State, where the provider tells
	Severity int            `json:"severity,omitempty"`
	Groups   []MonitorGroup `json:"groups,omitempty"`   // those that are not OK, the worst first
	Silenced []Silence      `json:"silenced,omitempty"` // a muted monitor alerts nobody
	Pages    bool           `json:"pages,omitempty"`    // it notifies somebody who is paged
	Keys     []string       `json:"keys,omitempty"`     // as Incident.Keys
	Query    clean.Text     `json:"query,omitzero"`
	Runbook  string         `json:"runbook,omitempty"`
	URL      string         `json:"url,omitempty"`
}

// Burn is how fast an error budget is used up, as in the SRE Workbook's chapter on alerting: 1 uses it up
// exactly over the objective's window.
type Burn struct {
	Over time.Duration `json:"over"`
	Rate Number        `json:"rate"`
}

// SLO is a service level objective and what is left of its error budget.
type SLO struct {
	Ref      Ref           `json:"ref"`
	Revision Revision      `json:"revision"`
	Service  string        `json:"service,omitempty"`
	Name     clean.Text    `json:"name"`
	Target   float64       `json:"target"` // percent
	Window   time.Duration `json:"window"`
	Value    Number        `json:"value"`           // percent, over Window
	Budget   Number        `json:"budget"`          // what is left of it: 1 is all, 0 nothing, negative overdrawn
	Burns    []Burn        `json:"burns,omitempty"` // shortest first: 5 m, 1 h, 30 m and 6 h where they are known
	Traffic  Number        `json:"traffic"`         // requests a second; unknown where the source does not tell
	State    MonitorState  `json:"state"`           // as the provider judges it; MonitorUnknown where it does not
	Note     clean.Text    `json:"note,omitzero"`   // why Value is unknown: "no traffic"
	URL      string        `json:"url,omitempty"`
}
