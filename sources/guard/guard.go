package guard

import (
	"cmp"
	"fmt"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// Outcome is what a watch comes to. The zero Outcome holds.
type Outcome uint8

// The outcomes.
const (
	Inconclusive Outcome = iota
	Pass
	Fail
)

var outcomes = [...]string{"inconclusive", "pass", "fail"}

func (o Outcome) String() string {
	if int(o) < len(outcomes) {
		return outcomes[o]
	}
	return outcomes[Inconclusive]
}

// MarshalText makes an outcome its name in JSON.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads an outcome's name.
func (o *Outcome) UnmarshalText(b []byte) error {
	for i, name := range outcomes {
		if name == string(b) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("%q is not an outcome of a guard", b)
}

// What a Window's zero fields stand for.
const (
	DefaultLength   = 15 * time.Minute
	DefaultSkip     = 2 * time.Minute
	DefaultBefore   = time.Hour
	DefaultRequests = 500
	DefaultPoints   = 5
)

// longest is what no part of a window exceeds: it bounds what one verdict looks at.
const longest = 24 * time.Hour

// Window is what a watch looks at. Zero durations and counts are the defaults; a negative one is none. No
// duration is longer than a day.
type Window struct {
	Service string    // whose incidents count; "": all that were read
	Acted   time.Time // when the action was sent: the baseline ends here
	Start   time.Time // when it had taken effect: the watch begins here; zero: Acted

	Length   time.Duration // of the watch
	Skip     time.Duration // so much of the newest is not looked at: metrics arrive late
	Before   time.Duration // of the baseline
	Requests float64       // with fewer since Start there is no verdict on metrics
	Points   int           // with fewer of a metric there is no verdict on it; never below 5, which the rule is about
}

// End is when the watch is over.
func (w Window) End() time.Time { return w.Start.Add(w.Length) }

// Since is from when on data is needed.
func (w Window) Since() time.Time { return w.Acted.Add(-w.Before) }

func (w Window) filled() Window {
	w.Length = min(orDefault(w.Length, DefaultLength), longest)
	w.Skip = min(orDefault(w.Skip, DefaultSkip), longest)
	w.Before = min(orDefault(w.Before, DefaultBefore), longest)
	w.Requests = orDefault(w.Requests, DefaultRequests)
	w.Points = max(w.Points, DefaultPoints)
	w.Start = cmp.Or(w.Start, w.Acted)
	if w.Acted.IsZero() || w.Acted.After(w.Start) {
		w.Acted = w.Start
	}
	return w
}

func orDefault[T time.Duration | float64](v, d T) T {
	if v == 0 {
		return d
	}
	return max(v, 0)
}

// Observation is what was read of a service at one moment. Everything in it is of that service; what its
// sources do not have is empty, and what they could not tell is named in Lacking.
type Observation struct {
	At time.Time
	// Series are its metrics, in steps of a minute or less, from Window.Since to At.
	Series []sources.Series
	// Past are the same metrics some days before, where they were asked for. Series.Earlier is as good.
	Past      []Past
	Monitors  []sources.Monitor
	SLOs      []sources.SLO
	Incidents []sources.Incident
	Lacking   []clean.Text // "datadog: no answer in 20 s": keeps the watch from passing
}

// Past are metrics as they were so long ago. Points keep the time at which they were measured.
type Past struct {
	Ago    time.Duration // 24 h or 168 h
	Series []sources.Series
}

// Subject says what a finding is about.
type Subject string

// The subjects.
const (
	OfMetric   Subject = "metric"
	OfTraffic  Subject = "traffic"
	OfMonitor  Subject = "monitor"
	OfSLO      Subject = "slo"
	OfIncident Subject = "incident"
	OfReading  Subject = "reading" // what could not be read
)

// Judgement is what one finding says.
type Judgement uint8

// The judgements, from the least to the most telling.
const (
	Noted   Judgement = iota // it says nothing about the action
	Good                     // it speaks for it
	Unclear                  // it keeps the watch from passing
	Bad                      // it fails the watch
)

var judgements = [...]string{"noted", "good", "unclear", "bad"}

func (j Judgement) String() string {
	if int(j) < len(judgements) {
		return judgements[j]
	}
	return judgements[Unclear]
}

// MarshalText makes a judgement its name in JSON.
func (j Judgement) MarshalText() ([]byte, error) { return []byte(j.String()), nil }

// UnmarshalText reads a judgement's name; an unknown one is Unclear.
func (j *Judgement) UnmarshalText(b []byte) error {
	*j = Unclear
	for i, name := range judgements {
		if name == string(b) {
			*j = Judgement(i)
		}
	}
	return nil
}

// Finding is what one metric, monitor, objective or incident says. Was, Is and Limit are in Unit; unknown
// where there is no such number.
type Finding struct {
	Subject   Subject        `json:"subject"`
	Ref       sources.Ref    `json:"ref,omitzero"`
	Name      clean.Text     `json:"name"` // "error rate us"
	Signal    sources.Signal `json:"signal,omitempty"`
	Judgement Judgement      `json:"judgement"`
	Unit      string         `json:"unit,omitempty"`
	Was       sources.Number `json:"was"`   // the baseline's median
	Is        sources.Number `json:"is"`    // the median of the newest five that are judged
	Limit     sources.Number `json:"limit"` // unknown: none
	Points    int            `json:"points,omitempty"`
	BadPoints int            `json:"bad_points,omitempty"`
	Gaps      int            `json:"gaps,omitempty"`
	Text      clean.Text     `json:"text"`         // the reason in words
	Fix       clean.Text     `json:"fix,omitzero"` // what would let it be told the next time
	URL       string         `json:"url,omitempty"`
}

// Verdict is what the findings come to.
type Verdict struct {
	Outcome  Outcome        `json:"outcome"`
	Final    bool           `json:"final"` // false: the watch goes on
	Why      clean.Text     `json:"why"`
	At       time.Time      `json:"at"`
	Elapsed  time.Duration  `json:"elapsed"`  // since Window.Start
	Requests sources.Number `json:"requests"` // that were served since; unknown where no metric tells
	Findings []Finding      `json:"findings"` // the most telling first
}
