package guard

import (
	"time"

	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/insight"
)

// Report is how a watch stands.
type Report struct {
	Verdict Verdict
	Length  time.Duration
	Err     error // why the last read failed; nil when it did not
	Reads   int   // that were answered
	Failed  int   // in a row, up to now
}

// lineMetrics is how many metrics a line names.
const lineMetrics = 3

// Line is the report in one line: "guard 7m of 15m: error rate 0.3 % (was 0.2 %), p95 310 ms".
func (r Report) Line() clean.Text {
	v := &r.Verdict
	if v.Final {
		return join(": ", clean.Linef("guard %s", v.Outcome), v.Why)
	}
	head := clean.Linef("guard %s of %s", clean.Elapsed(min(v.Elapsed, r.Length)), clean.Elapsed(r.Length))
	if r.Failed > 0 {
		return join(": ", head, clean.Linef("no answer to the last %s", clean.Counted(r.Failed, "read")), clean.Linef("%v", r.Err))
	}
	return join(": ", head, v.Numbers(lineMetrics))
}

// Numbers are the first n metrics that are known, the most telling first, and how many more there are.
func (v *Verdict) Numbers(n int) clean.Text {
	var parts []clean.Text
	more := 0
	for i := range v.Findings {
		switch f := &v.Findings[i]; {
		case f.Subject != OfMetric || !f.Is.Known():
		case len(parts) < n:
			parts = append(parts, f.Number())
		default:
			more++
		}
	}
	switch {
	case len(parts) == 0:
		return clean.Const("no values yet")
	case more > 0:
		parts = append(parts, clean.Linef("%d more", more))
	}
	return join(", ", parts...)
}

// Number is a metric's finding in short: "error rate 0.3 % (was 0.2 %)". What it was is left out where it
// reads the same.
func (f *Finding) Number() clean.Text {
	is, was := insight.FormatValue(float64(f.Is), f.Unit), insight.FormatValue(float64(f.Was), f.Unit)
	if !f.Was.Known() || is == was {
		return clean.Linef("%s %s", f.Name, is)
	}
	return clean.Linef("%s %s (was %s)", f.Name, is, was)
}
