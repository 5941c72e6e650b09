package guard

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

// weather is one kind of healthy service.
type weather struct {
	name string
	rps  func(*rand.Rand) float64
	// noise is the coefficient of variation of latency, persist how much of it stays from minute to minute.
	noise, persist float64
	spikes         float64 // a minute: the chance that a spike of one or two minutes begins
	season         float64 // how many times the usual a nightly job makes latency and errors, as on other days
	drift          float64 // the rise of latency and errors over the hour and a quarter, with the time of day
	restart        int     // so many minutes from the action on are ten times as bad: caches are cold
	healing        bool    // it was ten times as bad for 20 minutes before the action, and heals in 5
	near           float64 // where the usual error rate and latency lie, of their limits
}

func between(a, b float64) func(*rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return a * math.Exp(r.Float64()*math.Log(b/a)) }
}

func weathers() []weather {
	return []weather{
		{name: "calm", rps: between(20, 500), noise: 0.1, near: 0.4},
		{name: "noisy", rps: between(5, 100), noise: 0.4, near: 0.4},
		{name: "persistent noise", rps: between(5, 100), noise: 0.3, persist: 0.8, near: 0.4},
		{name: "spikes", rps: between(5, 100), noise: 0.15, spikes: 0.04, near: 0.4},
		{name: "few requests", rps: between(0.75, 3), noise: 0.3, near: 0.4},
		{name: "time of day", rps: between(5, 100), noise: 0.15, drift: 0.6, near: 0.4},
		{name: "nightly job", rps: between(5, 100), noise: 0.15, season: 3, near: 0.5},
		{name: "cold caches", rps: between(5, 100), noise: 0.15, restart: 3, near: 0.3},
		{name: "healing", rps: between(5, 100), noise: 0.15, healing: true, near: 0.3},
		{name: "wandering", rps: between(5, 100), noise: 0.5, persist: 0.95, near: 0.4},
		{name: "near the limit", rps: between(5, 100), noise: 0.15, near: 0.8},
	}
}

// before is how many times as bad it is at a minute for reasons of its own.
func (w *weather) before(i int) float64 {
	switch {
	case i >= 0 && i < w.restart:
		return 10
	case w.healing && i >= -20 && i < 0:
		return 10
	case w.healing && i >= 0 && i < 5:
		return 10 - 9*float64(i)/5
	default:
		return 1
	}
}

// change is what an action does to errors or latency: times as much, from a minute on, at once or over ten
// minutes.
type change struct {
	times float64
	from  int
	ramp  bool
}

func (c change) at(i int) float64 {
	switch {
	case c.times == 0 || i < c.from:
		return 1
	case c.ramp:
		return 1 + (c.times-1)*min(1, float64(i-c.from+1)/10)
	default:
		return c.times
	}
}

const (
	simErrors  = 2.0 // the limits
	simLatency = 400.0
)

// synthesize is everything that a watch of a quarter of an hour would read.
func (w *weather) synthesize(r *rand.Rand, c change) Observation {
	rps, spike, walk, slow := w.rps(r), 0, 0.0, r.IntN(2) == 0
	var errs, latency, requests []float64
	season := func(i int) float64 {
		if w.season > 0 && i >= 2 && i < 10 {
			return w.season
		}
		return 1
	}
	for i := -60; i <= 15; i++ {
		if spike--; spike < 0 && r.Float64() < w.spikes {
			spike = 1 + r.IntN(2)
		}
		level := w.near * season(i) * (1 + w.drift*float64(i+60)/75) * w.before(i)
		if spike > 0 {
			level *= 4 + 16*r.Float64()
		}
		walk = w.persist*walk + math.Sqrt(1-w.persist*w.persist)*r.NormFloat64()
		slower, fail := level*c.at(i), level
		if !slow {
			slower, fail = level, level*c.at(i)
		}
		n := poisson(r, rps*60)
		p := min(1, fail*simErrors/100*math.Exp(w.noise/2*r.NormFloat64()))
		failed := min(n, poisson(r, n*p))
		requests, latency = append(requests, n/60), append(latency, slower*simLatency*math.Exp(w.noise*walk))
		if n == 0 {
			errs = append(errs, nan)
		} else {
			errs = append(errs, 100*failed/n)
		}
	}
	list := func(vs []float64) func(int) float64 { return func(i int) float64 { return vs[i+60] } }
	o := seen(15, errorRate(15, list(errs)), metricAt("p95", sources.LatencySignal, "ms", simLatency, 15, list(latency)),
		metricAt("requests", sources.TrafficSignal, "req/s", nan, 15, list(requests)))
	for _, ago := range seasons() {
		if w.season == 0 {
			break
		}
		p := Past{Ago: ago}
		for k, usual := range []float64{simErrors, simLatency} {
			s := sources.Series{Ref: o.Series[k].Ref}
			for i := 0; i <= 15; i++ {
				s.Points = append(s.Points, sources.Point{At: after(float64(i)).Add(-ago), Value: usual * w.near * season(i) * math.Exp(0.15*r.NormFloat64())})
			}
			p.Series = append(p.Series, s)
		}
		o.Past = append(o.Past, p)
	}
	return o
}

// poisson draws a number of events; a large mean is as good as normal.
func poisson(r *rand.Rand, mean float64) float64 {
	if mean > 50 {
		return math.Max(0, math.Round(mean+math.Sqrt(mean)*r.NormFloat64()))
	}
	n, p, end := 0.0, r.Float64(), math.Exp(-mean)
	for ; p > end; n++ {
		p *= r.Float64()
	}
	return n
}

// outcome watches as Watch does: at every minute, as far as the data had come.
func watched(whole Observation) (Outcome, time.Duration) {
	for i := 1; ; i++ {
		now := whole
		now.At, now.Series = after(float64(i)), slices.Clone(whole.Series)
		for k := range now.Series {
			now.Series[k].Points = now.Series[k].Points[:61+i]
		}
		if v := Judge(window(), Observation{}, now, now.At); v.Final {
			return v.Outcome, v.Elapsed
		}
	}
}

// tally are outcomes.
type tally struct {
	n    int
	by   [3]int
	took time.Duration // until failures were seen
}

func (t *tally) rate(o Outcome) float64 { return 100 * float64(t.by[o]) / float64(max(1, t.n)) }

func (t *tally) add(o Outcome, d time.Duration) {
	t.n++
	if t.by[o]++; o == Fail {
		t.took += d
	}
}

func (t *tally) meanTime() time.Duration {
	return (t.took / time.Duration(max(1, t.by[Fail]))).Round(time.Second)
}

// regressions are sizes of harm to a service that runs at 0.4 of its limits: the least ends 20 % over them.
func regressions() []change {
	return []change{{times: 3}, {times: 5}, {times: 12}, {times: 5, from: 4}, {times: 5, ramp: true}}
}

// atTheEdge are what the rule cannot see for certain: 4 % over the limit, and harm in the last two values.
func atTheEdge() []change { return []change{{times: 2.6}, {times: 5, from: 11}} }

func (c change) String() string {
	s := fmt.Sprintf("x%g", c.times)
	if c.ramp {
		return s + "_ramp"
	}
	if c.from > 0 {
		return s + fmt.Sprintf("_from_min_%d", c.from)
	}
	return s
}

// simulate watches n seeded windows of each kind.
func simulate(n int, changes []change) (healthy map[string]*tally, harmed map[string]*tally) {
	healthy, harmed = map[string]*tally{}, map[string]*tally{}
	for k, w := range weathers() {
		h := &tally{}
		healthy[w.name] = h
		for i := range n {
			r := rand.New(rand.NewPCG(uint64(i), uint64(k)))
			h.add(watched(w.synthesize(r, change{})))
		}
		if w.near != 0.4 {
			continue
		}
		for _, c := range changes {
			t := harmed[c.String()]
			if t == nil {
				t = &tally{}
				harmed[c.String()] = t
			}
			for i := range n {
				r := rand.New(rand.NewPCG(uint64(i), uint64(1000+k)))
				t.add(watched(w.synthesize(r, c)))
			}
		}
	}
	return healthy, harmed
}

func sum(all map[string]*tally) tally {
	var out tally
	for _, t := range all {
		out.n += t.n
		out.took += t.took
		for o := range t.by {
			out.by[o] += t.by[o]
		}
	}
	return out
}

// TestSimulatedRates holds the rates under the bounds that the package's documentation states. The seeds are
// fixed: it is as right or wrong on every machine.
func TestSimulatedRates(t *testing.T) {
	t.Parallel()
	healthy, harmed := simulate(30, regressions())
	for name, h := range healthy {
		t.Logf("%-17s rolled back %4.1f %%, held %5.1f %%, passed %5.1f %%", name, h.rate(Fail), h.rate(Inconclusive), h.rate(Pass))
		if h.rate(Fail) > 7 {
			t.Errorf("%s: %.1f %% false rollbacks", name, h.rate(Fail))
		}
	}
	for name, h := range harmed {
		t.Logf("%-17s caught %5.1f %%, held %5.1f %%, missed %4.1f %%, after %s", name, h.rate(Fail), h.rate(Inconclusive), h.rate(Pass), h.meanTime())
		if h.rate(Pass) > 6 || h.rate(Fail) < 90 {
			t.Errorf("%s: %.1f %% missed, %.1f %% caught", name, h.rate(Pass), h.rate(Fail))
		}
	}
	if h := sum(healthy); h.rate(Fail) > 1.5 || h.rate(Inconclusive) > 4 {
		t.Errorf("of %d healthy windows %.2f %% are rolled back, %.2f %% held", h.n, h.rate(Fail), h.rate(Inconclusive))
	}
	if h := sum(harmed); h.rate(Pass) > 2 || h.rate(Fail) < 96 {
		t.Errorf("of %d regressions %.2f %% are missed, %.2f %% caught", h.n, h.rate(Pass), h.rate(Fail))
	}
}

// BenchmarkJudge tells what one look costs, and how often thousands of simulated watches err.
func BenchmarkJudge(b *testing.B) {
	w := weathers()[0]
	o := w.synthesize(rand.New(rand.NewPCG(1, 1)), change{})
	b.ReportAllocs()
	for b.Loop() {
		Judge(window(), Observation{}, o, o.At)
	}
}

func BenchmarkRates(b *testing.B) {
	for b.Loop() {
		healthy, harmed := simulate(400, regressions())
		_, edge := simulate(100, atTheEdge())
		h, r := sum(healthy), sum(harmed)
		b.ReportMetric(float64(h.n+r.n), "windows")
		b.ReportMetric(h.rate(Fail), "%false-rollback")
		b.ReportMetric(h.rate(Inconclusive), "%healthy-held")
		b.ReportMetric(r.rate(Pass), "%missed")
		b.ReportMetric(r.rate(Inconclusive), "%harm-held")
		b.ReportMetric(r.meanTime().Minutes(), "min-to-fail")
		for name, t := range healthy {
			b.ReportMetric(t.rate(Fail), "%false-"+strings.ReplaceAll(name, " ", "-"))
		}
		for _, all := range []map[string]*tally{harmed, edge} {
			for name, t := range all {
				b.ReportMetric(t.rate(Pass), "%missed-"+name)
			}
		}
	}
}
