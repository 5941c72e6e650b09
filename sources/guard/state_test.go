package guard

import (
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

func burns4(m5, h1, m30, h6 float64) []sources.Burn {
	return []sources.Burn{{Over: 5 * time.Minute, Rate: sources.Number(m5)}, {Over: time.Hour, Rate: sources.Number(h1)},
		{Over: 30 * time.Minute, Rate: sources.Number(m30)}, {Over: 6 * time.Hour, Rate: sources.Number(h6)}}
}

func TestJudgeAMonitor(t *testing.T) {
	t.Parallel()
	muted := []sources.Silence{{Until: after(60)}}
	group := func(name string, since time.Time, muted bool) sources.MonitorGroup {
		return sources.MonitorGroup{Name: clean.Line(name), State: sources.MonitorAlert, Since: since, Muted: muted}
	}
	for _, c := range []struct {
		name    string
		was, is sources.Monitor
		unknown bool // it was not read before
		want    Judgement
		says    string
	}{
		{name: "ok", want: Good, says: "ok"},
		{name: "began", is: sources.Monitor{State: sources.MonitorAlert, Since: after(3)}, want: Bad, says: "began to alert"},
		{name: "began, by what was before", is: sources.Monitor{State: sources.MonitorAlert}, want: Bad, says: "began to alert"},
		{name: "older", was: sources.Monitor{State: sources.MonitorAlert}, is: sources.Monitor{State: sources.MonitorAlert, Since: after(-9)}, want: Unclear, says: "still alerts, as before"},
		{name: "older, and nobody says since when", was: sources.Monitor{State: sources.MonitorAlert}, is: sources.Monitor{State: sources.MonitorAlert}, want: Unclear, says: "as before"},
		{name: "recovered and began again", was: sources.Monitor{State: sources.MonitorAlert}, is: sources.Monitor{State: sources.MonitorAlert, Since: after(3)}, want: Bad, says: "began"},
		{name: "nothing tells since when", unknown: true, is: sources.Monitor{State: sources.MonitorAlert}, want: Unclear, says: "since when is not told"},
		{name: "muted", is: sources.Monitor{State: sources.MonitorAlert, Since: after(3), Silenced: muted}, want: Noted, says: "muted"},
		{name: "was muted", is: sources.Monitor{State: sources.MonitorAlert, Since: after(3), Silenced: []sources.Silence{{Until: after(1)}}}, want: Bad, says: "began"},
		{name: "another group", was: sources.Monitor{State: sources.MonitorAlert, Groups: []sources.MonitorGroup{group("eu", after(-9), false)}},
			is: sources.Monitor{State: sources.MonitorAlert, Since: after(-9), Groups: []sources.MonitorGroup{group("eu", after(-9), false), group("us", time.Time{}, false)}}, want: Bad, says: "began to alert: us"},
		{name: "the same group", is: sources.Monitor{State: sources.MonitorAlert, Groups: []sources.MonitorGroup{group("eu", after(-9), false)}}, want: Unclear, says: "as before"},
		{name: "a muted group", is: sources.Monitor{State: sources.MonitorAlert, Groups: []sources.MonitorGroup{group("eu", after(3), true)}}, want: Noted, says: "muted"},
		{name: "warns", is: sources.Monitor{State: sources.MonitorWarn}, want: Unclear, says: "began to warn"},
		{name: "warns as before", was: sources.Monitor{State: sources.MonitorWarn}, is: sources.Monitor{State: sources.MonitorWarn}, want: Noted, says: "as before"},
		{name: "pending", is: sources.Monitor{State: sources.MonitorPending}, want: Unclear, says: "about to alert"},
		{name: "no data", was: sources.Monitor{State: sources.MonitorNoData}, is: sources.Monitor{State: sources.MonitorNoData}, want: Unclear, says: "no data"},
		{name: "unknown", is: sources.Monitor{State: sources.MonitorUnknown}, want: Unclear, says: "not known"},
		{name: "of a later version", is: sources.Monitor{State: 99}, want: Unclear, says: "not known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.is.Name, c.is.Ref = clean.Line("5xx"), ref(sources.KindMonitor, "1")
			c.was.Ref = c.is.Ref
			var before Observation
			if !c.unknown {
				before.Monitors = []sources.Monitor{c.was}
			}
			now := Observation{At: after(15), Monitors: []sources.Monitor{c.is}}
			v := Judge(window(), before, now, now.At)
			if f := finding(t, v, "5xx"); f.Judgement != c.want || !contains(f.Text, c.says) {
				t.Errorf("%s, want %s saying %q", told(v), c.want, c.says)
			}
			want := map[Judgement]Outcome{Good: Pass, Bad: Fail}[c.want]
			if v.Outcome != want {
				t.Errorf("%s, want %s", told(v), want)
			}
			early := Judge(window(), before, Observation{At: after(3), Monitors: now.Monitors}, after(3))
			if early.Final != (c.want == Bad) {
				t.Errorf("after 3 minutes final is %v: %s", early.Final, told(early))
			}
		})
	}
	gone := Judge(window(), Observation{Monitors: []sources.Monitor{{Ref: ref(sources.KindMonitor, "1"), Name: clean.Line("5xx")}}}, Observation{At: after(15)}, after(15))
	wantVerdict(t, gone, Inconclusive, true, "5xx: its source does not tell of it any more")
}

func contains(text clean.Text, part string) bool {
	return strings.Contains(text.String(), part)
}

func TestJudgeAnObjective(t *testing.T) {
	t.Parallel()
	const alert = sources.MonitorAlert
	calm := sources.SLO{Burns: burns4(1, 1, 1, 1), Traffic: sources.Number(nan)}
	with := func(f func(*sources.SLO)) sources.SLO {
		o := sources.SLO{Traffic: sources.Number(nan), Budget: sources.Number(nan), State: sources.MonitorUnknown}
		f(&o)
		return o
	}
	burning := with(func(o *sources.SLO) { o.Burns = burns4(40, 20, 30, 4) })
	for _, c := range []struct {
		name    string
		was, is sources.SLO
		unknown bool
		want    Judgement
		says    string
	}{
		{name: "calm", was: calm, is: calm, want: Good},
		{name: "began to burn", was: calm, is: burning, want: Bad, says: "burns ×40"},
		{name: "burned before", was: burning, is: burning, want: Unclear, says: "as before"},
		{name: "not known before", unknown: true, is: burning, want: Unclear, says: "not known"},
		{name: "as before, and not for an hour yet", was: with(func(o *sources.SLO) { o.Burns = burns4(82, 13, 25, 3) }), is: burning, want: Unclear, says: "as before"},
		{name: "again", was: with(func(o *sources.SLO) { o.Burns = burns4(2, 20, 30, 4) }), is: burning, want: Bad, says: "burns"},
		{name: "only just", was: calm, is: with(func(o *sources.SLO) { o.Burns = burns4(40, 3, 8, 1) }), want: Unclear, says: "just now"},
		{name: "slowly", was: calm, is: with(func(o *sources.SLO) { o.Burns = burns4(8, 8, 8, 7) }), want: Unclear, says: "half an hour"},
		{name: "slowly, as before", was: with(func(o *sources.SLO) { o.Burns = burns4(8, 8, 8, 7) }), is: with(func(o *sources.SLO) { o.Burns = burns4(8, 8, 8, 7) }), want: Good},
		{name: "low traffic", was: calm, is: with(func(o *sources.SLO) { o.Burns, o.Traffic = burns4(40, 20, 30, 4), 0.2 }), want: Unclear, says: "too few requests"},
		{name: "unknown rates", was: calm, is: with(func(o *sources.SLO) { o.Burns = burns4(nan, nan, nan, nan) }), want: Unclear, says: "not known"},
		{name: "rates are not told any more", was: calm, is: with(func(*sources.SLO) {}), want: Unclear, says: "not known"},
		{name: "budget lasts", was: with(func(o *sources.SLO) { o.Budget = 0.4 }), is: with(func(o *sources.SLO) { o.Budget = 0.395 }), want: Good},
		{name: "budget goes", was: with(func(o *sources.SLO) { o.Budget = 0.4 }), is: with(func(o *sources.SLO) { o.Budget = 0.36 }), want: Bad, says: "4 % of its budget"},
		{name: "the provider alerts", was: with(func(o *sources.SLO) { o.Budget, o.State = 0.4, sources.MonitorOK }), is: with(func(o *sources.SLO) { o.Budget, o.State = 0.4, alert }), want: Bad, says: "began to alert"},
		{name: "the provider alerted", was: with(func(o *sources.SLO) { o.Budget, o.State = 0.4, alert }), is: with(func(o *sources.SLO) { o.Budget, o.State = 0.4, alert }), want: Unclear, says: "alerts"},
		{name: "no traffic", was: with(func(*sources.SLO) {}), is: with(func(o *sources.SLO) { o.Note = clean.Line("no traffic") }), want: Unclear, says: "no traffic"},
		{name: "nothing is known", was: with(func(*sources.SLO) {}), is: with(func(*sources.SLO) {}), want: Unclear, says: "not known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.is.Name, c.is.Ref = clean.Line("availability"), ref(sources.KindSLO, "1")
			c.was.Ref = c.is.Ref
			var before Observation
			if !c.unknown {
				before.SLOs = []sources.SLO{c.was}
			}
			now := Observation{At: after(15), SLOs: []sources.SLO{c.is}}
			v := Judge(window(), before, now, now.At)
			if f := finding(t, v, "availability"); f.Judgement != c.want || !contains(f.Text, c.says) {
				t.Errorf("%s, want %s saying %q", told(v), c.want, c.says)
			}
		})
	}
	gone := Judge(window(), Observation{SLOs: []sources.SLO{{Ref: ref(sources.KindSLO, "1"), Name: clean.Line("a")}}}, Observation{At: after(15)}, after(15))
	wantVerdict(t, gone, Inconclusive, true, "a: its source does not tell")
}

func TestJudgeAnIncident(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		in   sources.Incident
		want Judgement
		says string
	}{
		{"opened since", sources.Incident{Service: "shop", Created: after(4)}, Bad, "was opened: 5xx"},
		{"taken at once", sources.Incident{Service: "shop", Created: after(4), State: sources.Acknowledged}, Bad, "was opened"},
		{"opened before", sources.Incident{Service: "shop", Created: after(-4)}, Noted, "since before"},
		{"resolved", sources.Incident{Service: "shop", Created: after(4), State: sources.Resolved}, Unclear, "is resolved"},
		{"of low urgency", sources.Incident{Service: "shop", Created: after(4), Low: true}, Unclear, "low urgency"},
		{"inhibited", sources.Incident{Service: "shop", Created: after(4), Inhibited: true}, Noted, "silenced"},
		{"nobody says when", sources.Incident{Service: "shop"}, Unclear, "not told"},
	} {
		c.in.Ref, c.in.Title, c.in.Number = ref(sources.KindIncident, "1"), clean.Line("5xx"), clean.Line("#7")
		now := Observation{At: after(15), Incidents: []sources.Incident{c.in}}
		v := Judge(window(), Observation{}, now, now.At)
		if f := finding(t, v, "incident #7"); f.Judgement != c.want || !contains(f.Text, c.says) {
			t.Errorf("%s: %s, want %s saying %q", c.name, told(v), c.want, c.says)
		}
		if v := Judge(window(), Observation{Incidents: now.Incidents}, now, now.At); finding(t, v, "incident #7").Judgement != Noted {
			t.Errorf("%s, and read before the action: %s", c.name, told(v))
		}
	}
	other := Observation{At: after(15), Incidents: []sources.Incident{{Service: "ledger", Created: after(4)}}}
	if v := Judge(window(), Observation{}, other, other.At); len(v.Findings) != 0 {
		t.Errorf("an incident of another service counts: %s", told(v))
	}
}

func TestWhatWasNotReadIsNoPass(t *testing.T) {
	t.Parallel()
	now := seen(15, errorRate(15, step(0.2, 0.2)), traffic(15, 20))
	now.Lacking = []clean.Text{clean.Line("pagerduty does not answer")}
	wantVerdict(t, Judge(window(), Observation{}, now, now.At), Inconclusive, true, "pagerduty does not answer")
	now.Lacking = nil
	v := Judge(window(), Observation{}, now, after(20))
	wantVerdict(t, v, Inconclusive, true, "the last answer is 5m old")
	wantVerdict(t, Judge(window(), Observation{}, Observation{}, after(15)), Inconclusive, true, "nothing could be read")
	wantVerdict(t, Judge(window(), Observation{}, Observation{At: after(15)}, after(15)), Inconclusive, true, "nothing to go by")
}
