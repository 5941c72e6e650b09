package guard

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// scene is a random service before and after an action, healthy or not.
func scene(r *rand.Rand) (before, now Observation) {
	pick := func(from, to float64) float64 { return from + r.Float64()*(to-from) }
	walk := func(signal sources.Signal, name, unit string) sources.Series {
		base, limit := pick(0.5, 3), pick(1, 5)
		if r.IntN(4) == 0 {
			limit = nan
		}
		noise, worse, from := pick(0, 0.6), []float64{1, 1, 1.4, 2, 5}[r.IntN(5)], r.IntN(14)
		m := metricAt(name, signal, unit, limit, 15, func(i int) float64 {
			v := base * math.Exp(noise*r.NormFloat64())
			if i >= from {
				v *= worse
			}
			return v
		})
		m.Below = signal == sources.OtherSignal && r.IntN(2) == 0
		return m
	}
	now = seen(15, walk(sources.ErrorSignal, "errors", "%"), walk(sources.LatencySignal, "p95", "ms"), walk(sources.OtherSignal, "orders", "1/min"),
		traffic(15, []float64{0.5, 1, 20, 20, 20}[r.IntN(5)]))
	if r.IntN(8) == 0 {
		now.Series = now.Series[:2]
	}
	for i := range now.Series {
		m := &now.Series[i]
		for _, ago := range seasons() {
			if r.IntN(3) == 0 {
				continue
			}
			p := Past{Ago: ago, Series: []sources.Series{{Ref: m.Ref}}}
			for k := range 15 {
				p.Series[0].Points = append(p.Series[0].Points, sources.Point{At: after(float64(k)).Add(-ago), Value: pick(0, 6)})
			}
			now.Past = append(now.Past, p)
		}
	}
	if r.IntN(2) == 0 {
		is := sources.Monitor{Ref: ref(sources.KindMonitor, "1"), Name: clean.Line("monitor"), State: sources.MonitorState(r.IntN(6))}
		was := is
		was.State = sources.MonitorState(r.IntN(6))
		now.Monitors, before.Monitors = []sources.Monitor{is}, []sources.Monitor{was}
	}
	if r.IntN(2) == 0 {
		is := sources.SLO{Ref: ref(sources.KindSLO, "1"), Name: clean.Line("slo"), Traffic: sources.Number(nan), Budget: 0.5, State: sources.MonitorState(r.IntN(6))}
		was := is
		if r.IntN(2) == 0 {
			is.Burns, was.Burns = burns4(pick(0, 40), pick(0, 30), pick(0, 12), pick(0, 12)), burns4(1, pick(0, 30), 1, 1)
		} else {
			is.Budget -= sources.Number(pick(0, 0.04))
		}
		now.SLOs, before.SLOs = []sources.SLO{is}, []sources.SLO{was}
	}
	if r.IntN(2) == 0 {
		for _, m := range now.Series {
			m.Points = slices.Clone(m.Points[:61])
			before.Series = append(before.Series, m)
		}
	}
	return before, now
}

// lose takes data away from a copy of o, and says what. before tells what there was.
func lose(r *rand.Rand, before, o Observation) (Observation, string) {
	o.Series, o.Past, o.Monitors, o.SLOs = slices.Clone(o.Series), slices.Clone(o.Past), slices.Clone(o.Monitors), slices.Clone(o.SLOs)
	for i := range o.Series {
		o.Series[i].Points = slices.Clone(o.Series[i].Points)
	}
	if len(o.Series) == 0 {
		return o, "nothing"
	}
	m := &o.Series[r.IntN(len(o.Series))]
	if len(m.Points) == 0 {
		return o, "nothing"
	}
	switch r.IntN(9) {
	case 0:
		n := 1 + r.IntN(6)
		for range n {
			m.Points[r.IntN(len(m.Points))].Value = nan
		}
		return o, fmt.Sprintf("%d points of %s are NaN", n, m.Name)
	case 1:
		at, n := r.IntN(len(m.Points)), 1+r.IntN(12)
		m.Points = slices.Delete(m.Points, at, min(len(m.Points), at+n))
		return o, fmt.Sprintf("points %d to %d of %s are gone", at, at+n, m.Name)
	case 2:
		m.Points = nil
		return o, fmt.Sprintf("%s has no points", m.Name)
	case 3:
		for i := range m.Points {
			if m.Points[i].At.Before(started) {
				m.Points[i].Value = nan
			}
		}
		return o, fmt.Sprintf("%s has no baseline", m.Name)
	case 4:
		if len(o.Past) > 0 {
			i := r.IntN(len(o.Past))
			o.Past = slices.Delete(o.Past, i, i+1)
			return o, "a day of the past is gone"
		}
	case 5:
		for i := range o.Monitors {
			o.Monitors[i].State = sources.MonitorNoData
		}
		return o, "monitors have no data"
	case 6:
		if len(before.Series) > 0 {
			o.Series = slices.DeleteFunc(o.Series, func(s sources.Series) bool { return s.Ref == m.Ref })
			return o, "a series is gone"
		}
	case 7:
		for i := range o.SLOs {
			o.SLOs[i].Burns, o.SLOs[i].Budget = burns4(nan, nan, nan, nan), sources.Number(nan)
		}
		return o, "objectives have no data"
	default:
		o.Lacking = append(slices.Clone(o.Lacking), clean.Line("a source is down"))
		return o, "a source is down"
	}
	return o, "nothing"
}

func TestMissingDataNeverPasses(t *testing.T) {
	t.Parallel()
	outcomes := map[Outcome]int{}
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 1))
		before, now := scene(r)
		whole := Judge(window(), before, now, now.At)
		outcomes[whole.Outcome]++
		lost := ""
		for range 4 {
			var what string
			now, what = lose(r, before, now)
			lost += "\n" + what
			v := Judge(window(), before, now, now.At)
			if v.Outcome == Pass && whole.Outcome != Pass {
				t.Fatalf("seed %d was %s\nand is %s\nafter:%s", seed, told(whole), told(v), lost)
			}
			whole = v
		}
	}
	for _, o := range []Outcome{Pass, Fail, Inconclusive} {
		if outcomes[o] < 50 {
			t.Errorf("only %d of the scenes are %s: %v", outcomes[o], o, outcomes)
		}
	}
}

// TestUnitsDoNotMatter measures the same in other units.
func TestUnitsDoNotMatter(t *testing.T) {
	t.Parallel()
	scale := func(o Observation, name string, by float64, unit string) Observation {
		o.Series, o.Past = slices.Clone(o.Series), slices.Clone(o.Past)
		points := func(ps []sources.Point) []sources.Point {
			out := slices.Clone(ps)
			for i := range out {
				out[i].Value *= by
			}
			return out
		}
		for i := range o.Series {
			if m := &o.Series[i]; m.Name.String() == name {
				m.Limit, m.Unit, m.Points = m.Limit*by, unit, points(m.Points)
			}
		}
		for i := range o.Past {
			if o.Past[i].Series[0].Ref.ID == name {
				m := o.Past[i].Series[0]
				m.Points = points(m.Points)
				o.Past[i].Series = []sources.Series{m}
			}
		}
		return o
	}
	for seed := range uint64(600) {
		before, now := scene(rand.New(rand.NewPCG(seed, 2)))
		want := Judge(window(), before, now, now.At)
		for _, c := range []struct {
			name, unit string
			by         float64
		}{
			{"errors", "ratio", 0.01}, {"p95", "s", 0.001}, {"p95", "us", 1000}, {"orders", "1/h", 60}, {"orders", "things", 0.37}, {"requests", "req/min", 60},
		} {
			o := scale(now, c.name, c.by, c.unit)
			got := Judge(window(), before, o, now.At)
			if got.Outcome != want.Outcome || len(got.Findings) != len(want.Findings) || math.Abs(float64(got.Requests-want.Requests)) > 1e-6 {
				t.Fatalf("seed %d, %s in %s: %s\nwant %s", seed, c.name, c.unit, told(got), told(want))
			}
			for i := range got.Findings {
				if got.Findings[i].Judgement != want.Findings[i].Judgement {
					t.Fatalf("seed %d, %s in %s: %s\nwant %s", seed, c.name, c.unit, told(got), told(want))
				}
			}
		}
	}
}

func TestJudgeKeepsNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		before, now := scene(rand.New(rand.NewPCG(seed, 3)))
		b, n := scene(rand.New(rand.NewPCG(seed, 3)))
		first := told(Judge(window(), before, now, now.At))
		if second := told(Judge(window(), before, now, now.At)); first != second {
			t.Fatalf("first %s\nthen %s", first, second)
		}
		if fmt.Sprint(before, now) != fmt.Sprint(b, n) {
			t.Fatal("what was given to Judge is changed")
		}
	}
}

// FuzzJudge tries points that no provider should send.
func FuzzJudge(f *testing.F) {
	f.Add(int64(60), 1.0, 2.0, 2.0, 5.0, int64(0), uint8(0))
	f.Add(int64(0), math.Inf(1), math.NaN(), -1.0, math.MaxFloat64, int64(-1), uint8(255))
	f.Fuzz(func(t *testing.T, seconds int64, a, b, limit, c float64, shift int64, flags uint8) {
		m := errorRate(15, func(i int) float64 { return []float64{a, b, c}[(i+60)%3] })
		m.Limit, m.Step, m.Below = limit, time.Duration(seconds)*time.Second, flags&1 != 0
		m.Unit = []string{"%", "ms", "", "ratio"}[flags>>1&3]
		m.Points[len(m.Points)/2].At = m.Points[len(m.Points)/2].At.Add(time.Duration(shift))
		o := seen(15, m, traffic(15, b))
		v := Judge(window(), o, o, o.At)
		if v.Why.IsZero() || !v.Final {
			t.Errorf("a verdict without a reason, or none: %s", told(v))
		}
		if math.IsNaN(a) && math.IsNaN(b) && math.IsNaN(c) && v.Outcome != Inconclusive {
			t.Errorf("no data is %s", told(v))
		}
	})
}
