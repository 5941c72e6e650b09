package httpx

import (
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// Findings gathers what a check finds.
type Findings []sources.Finding

// OK adds what is well.
func (f *Findings) OK(what, detail string) { f.Add(sources.LevelOK, what, detail, "") }

// Add adds a finding, its texts cleaned.
func (f *Findings) Add(level sources.Level, what, detail, fix string) {
	*f = append(*f, sources.Finding{Level: level, What: clean.Line(what), Detail: clean.Line(detail), Fix: clean.Line(fix)})
}

// Fail adds what an error says. A rate limit passes: it is a warning.
func (f *Findings) Fail(what string, err error) { f.FailAs(sources.LevelFail, what, err) }

// FailAs is Fail with another level than LevelFail.
func (f *Findings) FailAs(level sources.Level, what string, err error) {
	e := Explain("", "", err)
	if e.Kind == sources.Throttled {
		level = sources.LevelWarn
	}
	f.Add(level, what, e.Msg, sources.Cure(e))
}
