package guard

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"example.com/signalbox/sources/clean"
)

func TestNext(t *testing.T) {
	t.Parallel()
	fail := Verdict{Outcome: Fail, Final: true, Why: clean.Line("errors")}
	for _, c := range []struct {
		name                          string
		v                             Verdict
		onFail                        string
		headless, migrations, already bool
		want                          Step
		why                           string
	}{
		{"still watching", Verdict{Outcome: Pass}, "rollback", true, false, false, Hold, "still watching"},
		{"failing, and still watching", Verdict{Outcome: Fail}, "rollback", true, false, false, Hold, "still watching"},
		{"the zero verdict", Verdict{}, "rollback", true, false, false, Hold, "still watching"},
		{"pass", Verdict{Outcome: Pass, Final: true}, "rollback", true, false, false, Proceed, ""},
		{"inconclusive", Verdict{Outcome: Inconclusive, Final: true, Why: clean.Line("no data")}, "rollback", true, false, false, Hold, "cannot be told, so nothing is done: no data"},
		{"an outcome of a later version", Verdict{Outcome: 9, Final: true}, "rollback", true, false, false, Hold, ""},
		{"fail on the board", fail, "rollback", false, false, false, Ask, "errors"},
		{"fail, headless", fail, "rollback", true, false, false, RollBack, "errors"},
		{"fail, headless, ask", fail, "ask", true, false, false, Ask, "errors; it is not rolled back: guard.on_fail is ask"},
		{"fail, headless, nothing said", fail, "", true, false, false, Ask, ""},
		{"fail across migrations", fail, "rollback", true, true, false, Ask, "schema may not go back"},
		{"fail again", fail, "rollback", true, false, true, Ask, "once at most"},
		{"fail again, on the board", fail, "rollback", false, true, true, Ask, "errors"},
	} {
		got, why := Next(c.v, c.onFail, c.headless, c.migrations, c.already)
		if got != c.want || !strings.Contains(why.String(), c.why) {
			t.Errorf("%s: %s, %q; want %s, %q", c.name, got, why, c.want, c.why)
		}
	}
	// Of all that can be, exactly one way leads to a rollback.
	ways := 0
	for _, o := range []Outcome{Inconclusive, Pass, Fail} {
		for bits := range 32 {
			on := func(bit int) bool { return bits>>bit&1 != 0 }
			onFail := "ask"
			if on(0) {
				onFail = OnRollback
			}
			if step, _ := Next(Verdict{Outcome: o, Final: on(1)}, onFail, on(2), on(3), on(4)); step == RollBack {
				ways++
			}
		}
	}
	if ways != 1 {
		t.Errorf("%d ways lead to a rollback", ways)
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	p95 := metricAt("p95", "latency", "ms", 500, 15, step(300, 310))
	cpu := metricAt("cpu", "saturation", "%", 90, 15, step(40, 40))
	at := func(minutes int) Report {
		now := seen(minutes, errorRate(minutes, step(0.2, 0.3)), p95, traffic(minutes, 49), cpu)
		return Report{Verdict: Judge(window(), Observation{}, now, now.At), Length: DefaultLength}
	}
	for _, c := range []struct {
		name   string
		report Report
		want   string
	}{
		{"as it goes", at(8), "guard 8m of 15m: error rate 0.3 % (was 0.2 %), p95 310 ms (was 300 ms), requests 49 req/s, 1 more"},
		{"at the end", at(15), "guard pass: 3 checks, nothing worse than before"},
		{"before it began", Report{Length: DefaultLength}, "guard 0s of 15m: no values yet"},
		{"no answer", Report{Length: DefaultLength, Failed: 2, Err: errors.New("no answer")}, "guard 0s of 15m: no answer to the last 2 reads: no answer"},
	} {
		if got := c.report.Line().String(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAVerdictCanBeWritten(t *testing.T) {
	t.Parallel()
	now := seen(8, errorRate(8, step(0.2, 9)), traffic(8, 20), errorRate(-70, nil0))
	v := Judge(window(), Observation{}, now, now.At)
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back Verdict
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if back.Outcome != Fail || told(back) != told(v) {
		t.Errorf("read back: %s\nwant %s\nfrom %s", told(back), told(v), b)
	}
	if s := strings.ToLower(string(b)); !strings.Contains(s, `"outcome":"fail"`) || !strings.Contains(s, `"limit":2`) {
		t.Errorf("written as %s", b)
	}
	if err := json.Unmarshal([]byte(`{"outcome":"great"}`), &back); err == nil {
		t.Error("an unknown outcome is read")
	}
	for name, got := range map[string]string{"inconclusive": Outcome(9).String(), "hold": Step(9).String(), "unclear": Judgement(9).String()} {
		if got != name {
			t.Errorf("what is not known is %q, want %q", got, name)
		}
	}
}
