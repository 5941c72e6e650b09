package world

import (
	"encoding/hex"
	"time"
)

// SLO is a service's objective on the share of its requests in production that succeed.
type SLO struct {
	ID      string // 32 digits
	Service *Service
	Name    string
	Target  float64       // percent
	Window  time.Duration // whole days
	Created time.Time
}

// tally counts requests.
type tally struct{ bad, total float64 }

// Tally counts a service's requests to production in [from, to), and those that failed, from the history of
// its metrics. What lies in the future is not counted. Where nothing ran there were no requests.
func (w *World) Tally(s *Service, from, to time.Time) (bad, total float64) {
	if to.After(w.now) {
		to = w.now
	}
	var sum tally
	for t := from; t.Before(to); {
		hour := t.Truncate(time.Hour)
		next := hour.Add(time.Hour)
		if t.Equal(hour) && !next.After(to) && next.Before(w.now.Add(-2*time.Hour)) {
			sum = sum.and(w.hour(s, hour))
		} else {
			next = minTime(next, to)
			sum = sum.and(w.tally(s, t, next, 10*time.Second))
		}
		t = next
	}
	return sum.bad, sum.total
}

func (a tally) and(b tally) tally { return tally{a.bad + b.bad, a.total + b.total} }

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// hour is what was in an hour that has long ended; it is counted once.
func (w *World) hour(s *Service, at time.Time) tally {
	n := at.Unix() / 3600
	if t, ok := s.sli[n]; ok {
		return t
	}
	t := w.tally(s, at, at.Add(time.Hour), 4*time.Minute)
	if s.sli == nil {
		s.sli = map[int64]tally{}
	}
	s.sli[n] = t
	return t
}

func (w *World) tally(s *Service, from, to time.Time, step time.Duration) (sum tally) {
	targets := s.Targets("prod")
	for t := from; t.Before(to); t = t.Add(step) {
		next := minTime(t.Add(step), to)
		mid, secs := t.Add(next.Sub(t)/2), next.Sub(t).Seconds()
		for _, target := range targets {
			if w.ranAt(s, "prod", target, mid) {
				harm := s.harmIn(target, mid)
				n := secs * w.value(s, Requests, "prod", harm, mid) / float64(len(targets))
				sum = sum.and(tally{n * w.value(s, ErrorRate, "prod", harm, mid) / 100, n})
			}
		}
	}
	return sum
}

// Left is the share of an objective's error budget that is left: 1 is all of it, below 0 it is overdrawn.
// It reports false when there was no traffic.
func (w *World) Left(o *SLO) (float64, bool) {
	bad, total := w.Tally(o.Service, w.now.Add(-o.Window), w.now)
	if total == 0 {
		return 0, false
	}
	return 1 - bad/total/(1-o.Target/100), true
}

// Burn is how fast the budget was used over the last d; 1 uses it up exactly over the window.
func (w *World) Burn(o *SLO, d time.Duration) float64 {
	bad, total := w.Tally(o.Service, w.now.Add(-d), w.now)
	if total == 0 {
		return 0
	}
	return bad / total / (1 - o.Target/100)
}

func (w *World) addSLO(s *Service, name string, target float64, days int) {
	d := w.digest("slo", s.Name, name)
	w.SLOs = append(w.SLOs, &SLO{
		ID: hex.EncodeToString(d[:16]), Service: s, Name: name, Target: target, Window: time.Duration(days) * day, Created: w.now,
	})
}
