package guard

import (
	"math"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

var nan = math.NaN()

func TestJudgeAMetric(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		series sources.Series
		at     int
		want   Outcome
		final  bool
		says   string
	}{
		{"healthy, at the end", errorRate(15, step(0.2, 0.3)), 15, Pass, true, "1 check, nothing worse than before"},
		{"healthy, not over", errorRate(14, step(0.2, 0.3)), 14, Inconclusive, false, "not over"},
		{"a step", errorRate(8, step(0.2, 5)), 8, Fail, true, "error rate: 5 %, was 0.2 %, 5 of 5 values over the limit of 2 %"},
		{"a step, too few values yet", errorRate(7, step(0.2, 5)), 7, Inconclusive, false, "4 of the 5 values"},
		{"a step within the limit", errorRate(15, step(0.2, 1.9)), 15, Pass, true, ""},
		{"on the limit", errorRate(15, step(0.2, 2)), 15, Pass, true, ""},
		{"over the limit, under 1.5 times", errorRate(15, step(1.8, 2.5)), 15, Inconclusive, true, "over its limit of 2 %, 2.5 %, was 1.8 %"},
		{"over the limit, as before", errorRate(15, step(4, 4)), 15, Inconclusive, true, "over its limit of 2 %, 4 %, was 4 %"},
		{"a spike of two", errorRate(15, since(0.2, 0.2, 0.2, 9, 9, 0.2)), 15, Pass, true, ""},
		{"two spikes, far apart", errorRate(15, since(9, 9, 0.2, 0.2, 0.2, 9, 9, 0.2)), 15, Pass, true, ""},
		{"three of five", errorRate(8, since(0.2, 9, 0.2, 9, 9)), 8, Fail, true, "3 of 5"},
		{"three of five, the newest well", errorRate(15, since(0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 9, 9, 9, 0.2)), 15, Inconclusive, true, "it was bad for 3 values and has recovered"},
		{"recovered", errorRate(15, since(9, 9, 9, 0.2)), 15, Inconclusive, true, "has recovered"},
		{"a late step", errorRate(15, since(0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 9)), 15, Fail, true, "3 of 12"},
		{"the newest two minutes are not looked at", errorRate(15, since(0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 9)), 15, Pass, true, ""},
		{"a ramp", errorRate(15, func(i int) float64 { return 0.2 + 0.4*float64(max(i, 0)) }), 12, Fail, true, ""},
		{"no value since", errorRate(0, step(0.2, 0.2)), 15, Inconclusive, true, "no data since"},
		{"gaps that might have been bad", errorRate(15, since(0.2, 0.2, nan, nan, nan, 0.2)), 15, Inconclusive, true, "3 values of 12 are missing"},
		{"gaps that would not have mattered", errorRate(15, since(0.2, 0.2, nan, nan, 0.2)), 15, Pass, true, ""},
		{"a gap between bad ones", errorRate(15, since(0.2, 9, nan, 9, 0.2)), 15, Inconclusive, true, "1 values of 12"},
		{"infinite", errorRate(15, since(math.Inf(1))), 15, Inconclusive, true, "no data since"},
		{"a counter that was reset", errorRate(15, since(0.2, -900, 0.2)), 15, Pass, true, ""},
		{"a counter that is broken", errorRate(15, since(0.2, -900, -1, -900, 0.2)), 15, Inconclusive, true, "3 values of 12 are missing"},
		{"latency without a limit, as high as at times before", metricAt("p95", sources.LatencySignal, "ms", nan, 15, func(i int) float64 {
			if i == -30 {
				return 1000
			}
			return step(300, 900)(i)
		}), 15, Inconclusive, true, "nothing to go by"},
		{"late metrics", errorRate(9, step(0.2, 0.2)), 15, Inconclusive, true, "3 values of 12 are missing"},
		{"nothing before, within the limit", errorRate(15, step(nan, 0.2)), 15, Pass, true, ""},
		{"nothing before, over the limit", errorRate(15, step(nan, 9)), 15, Inconclusive, true, "nothing from before the action to compare"},
		{"half of the baseline is missing", errorRate(15, func(i int) float64 {
			if i < 0 && i%2 != 0 {
				return nan
			}
			return step(0.2, 9)(i)
		}), 15, Inconclusive, true, ""},
		{"a third of the baseline is missing", errorRate(15, func(i int) float64 {
			if i < 0 && i%3 == 0 {
				return nan
			}
			return step(0.2, 9)(i)
		}), 15, Fail, true, ""},
		{"from nothing", errorRate(15, step(0, 3)), 15, Fail, true, "3 %, was 0 %"},
		{"an outage in the baseline does not hide the next", errorRate(15, func(i int) float64 {
			if i < -30 && i > -50 {
				return 40
			}
			return step(0.2, 9)(i)
		}), 15, Fail, true, ""},
		{"healing after a rollback", errorRate(15, func(i int) float64 {
			switch {
			case i < -15:
				return 0.2
			case i < 0:
				return 9
			default:
				return max(0.2, 9-1.5*float64(i))
			}
		}), 15, Pass, true, ""},
		{"a rollback that does not help", errorRate(15, func(i int) float64 {
			if i < -15 {
				return 0.2
			}
			return 9
		}), 15, Inconclusive, true, "over its limit of 2 %, 9 %, was 9 %"},
		{"a rollback that makes it worse", errorRate(15, func(i int) float64 {
			switch {
			case i < -15:
				return 0.2
			case i < 0:
				return 9
			default:
				return 40
			}
		}), 15, Fail, true, "40 %, was 9 %"},
		{"a success rate falls", func() sources.Series {
			m := metricAt("success", sources.OtherSignal, "%", 99, 15, step(99.9, 90))
			m.Below = true
			return m
		}(), 15, Fail, true, "90 %, was 99.9 %, 12 of 12 values under the limit of 99 %"},
		{"throughput falls", func() sources.Series {
			m := metricAt("orders", sources.OtherSignal, "1/min", 50, 15, step(100, 20))
			m.Below = true
			return m
		}(), 15, Fail, true, "orders: 20/min, was 100/min"},
		{"throughput rises", func() sources.Series {
			m := metricAt("orders", sources.OtherSignal, "1/min", 50, 15, step(100, 900))
			m.Below = true
			return m
		}(), 15, Pass, true, ""},
		{"cpu has no 1.5 times", metricAt("cpu", sources.SaturationSignal, "%", 90, 15, step(75, 97)), 15, Fail, true, "97 %, was 75 %"},
		{"saturation without a limit", metricAt("cpu", sources.SaturationSignal, "%", nan, 15, step(5, 97)), 15, Inconclusive, true, "nothing to go by"},
		{"latency without a limit, as before", metricAt("p95", sources.LatencySignal, "ms", nan, 15, step(300, 320)), 15, Inconclusive, true, "nothing to go by"},
		{"latency without a limit, much worse", metricAt("p95", sources.LatencySignal, "ms", nan, 15, step(300, 900)), 15, Inconclusive, true, "p95: 900 ms, was 300 ms, and no limit says"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now := seen(c.at, c.series, traffic(c.at, 20))
			wantVerdict(t, Judge(window(), Observation{}, now, now.At), c.want, c.final, c.says)
		})
	}
}

func TestNoiseIsNotARegression(t *testing.T) {
	t.Parallel()
	// 1 % of 38 requests a minute: a third of the minutes has an error, and each is over the limit.
	sparse := func(every int) func(int) float64 {
		return func(i int) float64 {
			if (i+60)%every == 0 {
				return 2.6
			}
			return 0
		}
	}
	bursts := func(i int) float64 { // three of four in a row, as often before as after
		if k := (i + 63) % 12; k >= 8 && k != 10 {
			return 2.6
		}
		return 0
	}
	for name, at := range map[string]func(int) float64{"every third": sparse(3), "bursts": bursts} {
		for minutes := 5; minutes <= 15; minutes++ {
			now := seen(minutes, errorRate(minutes, at), traffic(minutes, 20))
			if v := Judge(window(), Observation{}, now, now.At); v.Outcome == Fail {
				t.Errorf("%s, after %d minutes: %s", name, minutes, told(v))
			}
		}
	}
	// A noisy metric whose every value lies within three deviations of before, but all of them high.
	noisy := func(i int) float64 {
		v := []float64{0.4, 1.6, 0.8, 2.4, 1.2}[(i+60)%5]
		if i > 0 {
			v = max(v, 2.2)
		}
		return v
	}
	now := seen(15, errorRate(15, noisy), traffic(15, 20))
	v := Judge(window(), Observation{}, now, now.At)
	wantVerdict(t, v, Fail, true, "error rate")
}

func TestSeasons(t *testing.T) {
	t.Parallel()
	m := errorRate(15, step(1, 3))
	day := func(ago time.Duration, v float64) Past {
		p := Past{Ago: ago, Series: []sources.Series{{Ref: m.Ref}}}
		for i := range 16 {
			p.Series[0].Points = append(p.Series[0].Points, sources.Point{At: after(float64(i)).Add(-ago), Value: v})
		}
		return p
	}
	const yesterday, lastWeek = 24 * time.Hour, 7 * 24 * time.Hour
	for _, c := range []struct {
		name string
		past []Past
		want Outcome
	}{
		{"not known", nil, Fail},
		{"so it is each night", []Past{day(yesterday, 2.9), day(lastWeek, 3.1)}, Pass},
		{"worse than each night", []Past{day(yesterday, 1.9), day(lastWeek, 1.9)}, Fail},
		{"yesterday was an outage", []Past{day(yesterday, 40), day(lastWeek, 1)}, Fail},
		{"last week was an outage", []Past{day(yesterday, 1), day(lastWeek, 40)}, Fail},
		{"only yesterday is known", []Past{day(yesterday, 2.9)}, Inconclusive},
		{"yesterday was not so", []Past{day(yesterday, 1)}, Fail},
		{"last week has no data", []Past{day(yesterday, 2.9), day(lastWeek, nan)}, Inconclusive},
		{"another day is no season", []Past{day(30*time.Hour, 9), day(40*time.Hour, 9)}, Fail},
	} {
		now := seen(15, m, traffic(15, 20))
		now.Past = c.past
		if v := Judge(window(), Observation{}, now, now.At); v.Outcome != c.want || !v.Final {
			t.Errorf("%s: %s\nwant %s", c.name, told(v), c.want)
		}
	}
	short := errorRate(15, since(1, 1, 1, 1, 1, 1, 1, 1, 1, 3))
	short.Earlier = []sources.Earlier{{Ago: yesterday, Value: 2.9}, {Ago: lastWeek, Value: 3.1}}
	now := seen(15, short, traffic(15, 20))
	if v := Judge(window(), Observation{}, now, now.At); v.Outcome != Pass {
		t.Errorf("what the series say of other days is not heard: %s", told(v))
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	busy, broken := traffic(15, 20), errorRate(15, step(0.2, 50))
	fine := errorRate(15, step(0.2, 0.2))
	counted := busy
	counted.Unit = "requests"
	per := metricAt("requests", sources.TrafficSignal, "req/min", nan, 15, func(int) float64 { return 45 })
	gone := metricAt("requests", sources.TrafficSignal, "req/s", nan, 15, step(20, 2))
	reset := metricAt("requests", sources.TrafficSignal, "req/s", nan, 15, func(i int) float64 {
		return []float64{20, -1e9, math.Inf(1)}[min(2, max(0, i%9-5))]
	})
	for _, c := range []struct {
		name   string
		series []sources.Series
		want   Outcome
		says   string
	}{
		{"enough", []sources.Series{fine, busy}, Pass, ""},
		{"enough, and broken", []sources.Series{broken, busy}, Fail, ""},
		{"few", []sources.Series{fine, traffic(15, 0.5)}, Inconclusive, "requests: 360 since the action, 500 are needed"},
		{"few, and broken", []sources.Series{broken, traffic(15, 0.5)}, Inconclusive, "of too few requests to tell"},
		{"none at all", []sources.Series{fine, traffic(15, 0)}, Inconclusive, "0 since the action"},
		{"a metric without data", []sources.Series{broken, traffic(-70, 0)}, Inconclusive, "requests: no data since the action"},
		{"nothing counts them", []sources.Series{fine}, Inconclusive, "how many were served is not known"},
		{"nothing counts them, and broken", []sources.Series{broken}, Fail, ""},
		{"counts, not rates: 20 a minute", []sources.Series{fine, counted}, Inconclusive, "240 since"},
		{"45 a minute", []sources.Series{fine, per}, Pass, ""},
		{"traffic fell to a tenth", []sources.Series{fine, gone}, Inconclusive, "requests: 2 req/s, was 20 req/s"},
		{"a worker serves none", []sources.Series{metricAt("lag", sources.OtherSignal, "s", 60, 15, step(3, 4))}, Pass, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now := seen(15, c.series...)
			wantVerdict(t, Judge(window(), Observation{}, now, now.At), c.want, true, c.says)
		})
	}
	now := seen(15, fine, reset)
	v := Judge(window(), Observation{}, now, now.At)
	wantVerdict(t, v, Pass, true, "")
	if v.Requests != 9*60*20 {
		t.Errorf("%v requests were counted of a counter that was reset", v.Requests)
	}
	now = seen(15, fine)
	now.SLOs = []sources.SLO{{Ref: ref(sources.KindSLO, "1"), Name: clean.Line("slo"), Traffic: 20, Burns: burns4(1, 1, 1, 1)}}
	wantVerdict(t, Judge(window(), Observation{}, now, now.At), Pass, true, "2 checks")
}

func TestTargets(t *testing.T) {
	t.Parallel()
	in := func(region string, m sources.Series) sources.Series {
		m.Labels, m.Ref.ID = clean.Line(region), m.Ref.ID+region
		return m
	}
	eu := []sources.Series{in("eu", errorRate(15, step(0.2, 0.2))), in("eu", traffic(15, 20))}
	judge := func(before []sources.Series, now ...sources.Series) Verdict {
		o := seen(15, append(append([]sources.Series{}, eu...), now...)...)
		return Judge(window(), Observation{Series: before}, o, o.At)
	}
	wantVerdict(t, judge(nil, in("us", errorRate(15, step(0.2, 9))), in("us", traffic(15, 20))), Fail, true, "error rate us: 9 %")
	wantVerdict(t, judge(nil, in("us", errorRate(15, step(0.2, 0.2))), in("us", traffic(15, 0.1))), Pass, true, "")
	wantVerdict(t, judge(nil, in("us", errorRate(15, step(0.2, 9))), in("us", traffic(15, 0.1))), Inconclusive, true, "error rate us: 9 %, was 0.2 %, of too few requests")
	// A target that was not there before is compared with its sibling; one that went away is no pass.
	wantVerdict(t, judge(nil, in("us", errorRate(15, step(nan, 9))), in("us", traffic(15, 20))), Fail, true, "error rate us")
	// Of several siblings the worst counts, and none of them lets it pass.
	ap := in("ap", errorRate(15, step(8, 8)))
	wantVerdict(t, judge(nil, in("us", errorRate(15, step(nan, 9))), ap, in("us", traffic(15, 20)), in("ap", traffic(15, 20))), Inconclusive, true, "error rate us")
	healed := in("ap", errorRate(15, func(i int) float64 { return max(0.2, 8-2*float64(max(i, 0))) }))
	v := judge(nil, in("us", errorRate(15, func(i int) float64 {
		if i < 1 {
			return nan
		}
		return max(0.2, 10-2*float64(i))
	})), healed, in("us", traffic(15, 20)), in("ap", traffic(15, 20)))
	if f := finding(t, v, "error rate ap"); f.Judgement != Good {
		t.Errorf("ap has healed: %s", told(v))
	}
	if f := finding(t, v, "error rate us"); f.Judgement != Unclear {
		t.Errorf("nothing is known of us before the action: %s", told(v))
	}
	lost := in("us", errorRate(0, step(0.2, 0.2)))
	wantVerdict(t, judge([]sources.Series{lost}), Inconclusive, true, "error rate us: no data since the action")
}

func TestFinePointsAreTakenTogether(t *testing.T) {
	t.Parallel()
	fine := func(bad func(second int) bool) sources.Series {
		m := errorRate(0, nil0)
		m.Points, m.Step = nil, 15*time.Second
		for s := -3600; s <= 900; s += 15 {
			v := 0.2
			if s > 0 && bad(s) {
				v = 9
			}
			m.Points = append(m.Points, sources.Point{At: started.Add(time.Duration(s) * time.Second), Value: v})
		}
		return m
	}
	for _, c := range []struct {
		name string
		bad  func(int) bool
		want Outcome
	}{
		{"one minute of four bad points is one value", func(s int) bool { return s > 300 && s <= 375 }, Pass},
		{"a bad point each minute", func(s int) bool { return s%60 == 0 }, Pass},
		{"bad throughout", func(int) bool { return true }, Fail},
	} {
		now := seen(15, fine(c.bad), traffic(15, 20))
		if v := Judge(window(), Observation{}, now, now.At); v.Outcome != c.want {
			t.Errorf("%s: %s", c.name, told(v))
		}
	}
	coarse := errorRate(15, step(0.2, 9))
	coarse.Step = 5 * time.Minute
	now := seen(15, coarse, traffic(15, 20))
	wantVerdict(t, Judge(window(), Observation{}, now, now.At), Inconclusive, true, "of the 5 values")
}

func nil0(int) float64 { return 0 }

func TestTheTimeOfTheActionBelongsToNeitherSide(t *testing.T) {
	t.Parallel()
	w := window()
	w.Acted = after(-20) // a slow rollout, with errors as instances go
	m := errorRate(15, func(i int) float64 {
		switch {
		case i < -20:
			return 0.2
		case i < 0:
			return 30
		default:
			return 0.3
		}
	})
	now := seen(15, m, traffic(15, 20))
	v := Judge(w, Observation{}, now, now.At)
	wantVerdict(t, v, Pass, true, "")
	if f := finding(t, v, "error rate"); f.Was != 0.2 || f.Points != 12 {
		t.Errorf("it was %v, of %d values", f.Was, f.Points)
	}
}

func TestPointsInAnyOrderAndWithoutAStep(t *testing.T) {
	t.Parallel()
	m := errorRate(15, step(0.2, 9))
	m.Step = 0
	for i, j := 0, len(m.Points)-1; i < j; i, j = i+1, j-1 {
		m.Points[i], m.Points[j] = m.Points[j], m.Points[i]
	}
	now := seen(15, m, traffic(15, 20))
	wantVerdict(t, Judge(window(), Observation{}, now, now.At), Fail, true, "12 of 12")
}

func TestTheBaselineIsKeptWhereTheProviderForgets(t *testing.T) {
	t.Parallel()
	full := errorRate(15, step(0.2, 9))
	cut := full
	cut.Points = full.Points[60:]
	before, now := seen(0, full), seen(15, cut, traffic(15, 20))
	wantVerdict(t, Judge(window(), before, now, now.At), Fail, true, "was 0.2 %")
}

func TestTimesThatNoProviderShouldSend(t *testing.T) {
	t.Parallel()
	m := errorRate(15, step(0.2, 9))
	m.Points = append([]sources.Point{{Value: 50}, {At: time.Unix(1<<40, 0), Value: 50}, {At: after(40), Value: 50}}, m.Points...)
	now := seen(15, m, traffic(15, 20))
	wantVerdict(t, Judge(window(), Observation{}, now, now.At), Fail, true, "error rate: 9 %, was 0.2 %, 12 of 12")
	wantVerdict(t, Judge(Window{}, Observation{}, now, now.At), Inconclusive, false, "")
	wantVerdict(t, Judge(Window{Start: started, Before: 1 << 62, Length: 1 << 62}, Observation{}, now, now.At), Inconclusive, false, "over its limit")
}

func TestUnusualLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		limit float64
		want  Outcome
	}{{-1, Inconclusive}, {0, Inconclusive}, {math.Inf(1), Pass}, {math.Inf(-1), Inconclusive}} {
		m := errorRate(15, step(0.2, 0.2))
		m.Limit = c.limit
		now := seen(15, m, traffic(15, 20))
		if v := Judge(window(), Observation{}, now, now.At); v.Outcome != c.want {
			t.Errorf("a limit of %v: %s", c.limit, told(v))
		}
	}
}

func TestNoSkipAndNoLeast(t *testing.T) {
	t.Parallel()
	w := window()
	w.Skip, w.Requests = -1, -1
	now := seen(15, errorRate(15, since(0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 9)))
	wantVerdict(t, Judge(w, Observation{}, now, now.At), Fail, true, "3 of 14")
	for unit, want := range map[string]float64{"req/s": 60, "rps": 60, "rpm": 1, "req/min": 1, "1/h": 1.0 / 60, "requests": 1, "": 1} {
		if got := requestsIn(unit, time.Minute); math.Abs(got-want) > 1e-12 {
			t.Errorf("1 %s for a minute is %v requests, want %v", unit, got, want)
		}
	}
}

// A window that can never hold the values that are needed says so, and not that there are none.
func TestAWindowThatIsTooShort(t *testing.T) {
	t.Parallel()
	w := window()
	w.Length = 4 * time.Minute
	now := seen(4, errorRate(4, step(0.2, 0.2)), traffic(4, 50))
	v := Judge(w, Observation{}, now, now.At)
	if want := "a window of 4m, of which the newest 2m do not count, is too short for 5 values"; v.Outcome != Inconclusive || !strings.Contains(v.Why.String(), want) {
		t.Errorf("%s: %s, want %s", v.Outcome, v.Why, want)
	}
}
