package guard

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// world is a service in a synctest bubble, whose time begins at year 2000: begin is when the watch starts.
type world struct {
	begin   time.Time
	rate    func(minute int) float64
	reads   int
	since   time.Time
	fail    func(elapsed time.Duration) error
	more    func(o *Observation, elapsed time.Duration)
	reports []Report
}

func (w *world) read(ctx context.Context, since time.Time) (Observation, error) {
	elapsed := time.Since(w.begin)
	w.reads++
	w.since = since
	if w.fail != nil {
		if err := w.fail(elapsed); err != nil {
			return Observation{}, err
		}
	}
	to := int(elapsed / time.Minute)
	o := Observation{At: time.Now(), Series: []sources.Series{errorRate(to, w.rate), traffic(to, 20)}}
	for i := range o.Series {
		for k := range o.Series[i].Points {
			p := &o.Series[i].Points[k]
			p.At = w.begin.Add(p.At.Sub(started))
		}
	}
	if w.more != nil {
		w.more(&o, elapsed)
	}
	return o, ctx.Err()
}

func (w *world) options() Options {
	w.begin = time.Now()
	if w.rate == nil {
		w.rate = step(0.2, 0.3)
	}
	return Options{Window: Window{Service: "shop"}, Read: w.read, Now: time.Now, Progress: func(r Report) { w.reports = append(w.reports, r) }}
}

func bubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

func wantElapsed(t *testing.T, begin time.Time, want time.Duration) {
	t.Helper()
	if got := time.Since(begin); got != want {
		t.Errorf("it watched for %s, want %s", got, want)
	}
}

func TestWatchToTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &world{}
		v := Watch(t.Context(), w.options())
		wantVerdict(t, v, Pass, true, "")
		wantElapsed(t, w.begin, 15*time.Minute)
		if w.reads != 31 || len(w.reports) != 31 || w.since != w.begin.Add(-time.Hour) {
			t.Errorf("%d reads, %d reports, since %s", w.reads, len(w.reports), w.begin.Sub(w.since))
		}
		for i, r := range w.reports {
			if r.Verdict.Final != (i == 30) || r.Reads != i+1 {
				t.Errorf("report %d is final %v after %d reads: %s", i, r.Verdict.Final, r.Reads, r.Line())
			}
		}
	})
}

func TestWatchFailsEarly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &world{rate: step(0.2, 9)}
		wantVerdict(t, Watch(t.Context(), w.options()), Fail, true, "error rate")
		wantElapsed(t, w.begin, 8*time.Minute)
	})
}

func TestWatchSeesAnIncident(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &world{more: func(o *Observation, elapsed time.Duration) {
			o.Incidents = []sources.Incident{{Ref: ref(sources.KindIncident, "old"), Service: "shop", Created: o.At.Add(-time.Hour)}}
			if elapsed >= 4*time.Minute {
				o.Incidents = append(o.Incidents, sources.Incident{Ref: ref(sources.KindIncident, "new"), Service: "shop", Created: o.At, Title: clean.Line("5xx")})
			}
		}}
		wantVerdict(t, Watch(t.Context(), w.options()), Fail, true, "was opened: 5xx")
		wantElapsed(t, w.begin, 4*time.Minute)
	})
}

func TestTheFirstAnswerIsWhatWasBefore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &world{more: func(o *Observation, elapsed time.Duration) {
			state := sources.MonitorOK
			if elapsed >= 3*time.Minute {
				state = sources.MonitorAlert // and nobody says since when
			}
			o.Monitors = []sources.Monitor{{Ref: ref(sources.KindMonitor, "1"), Name: clean.Line("5xx"), State: state}}
		}}
		wantVerdict(t, Watch(t.Context(), w.options()), Fail, true, "5xx: began to alert")
		wantElapsed(t, w.begin, 3*time.Minute)
	})
}

func TestALateFirstAnswerIsNot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &world{fail: failing(0, 5*time.Minute), more: func(o *Observation, _ time.Duration) {
			o.Monitors = []sources.Monitor{{Ref: ref(sources.KindMonitor, "1"), Name: clean.Line("5xx"), State: sources.MonitorWarn}}
		}}
		wantVerdict(t, Watch(t.Context(), w.options()), Inconclusive, true, "5xx: began to warn")
	})
}

var errDown = &sources.Error{Kind: sources.Transient, Op: "read metrics", Msg: "no answer"}

func failing(from, to time.Duration) func(time.Duration) error {
	return func(d time.Duration) error {
		if d >= from && d < to {
			return errDown
		}
		return nil
	}
}

func TestFailedReadsAreGaps(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &world{fail: failing(3*time.Minute, 10*time.Minute)}
		wantVerdict(t, Watch(t.Context(), w.options()), Pass, true, "")
		wantElapsed(t, w.begin, 15*time.Minute)
		r := w.reports[6+4]
		if r.Failed != 5 || !errors.Is(r.Err, errDown) || r.Line().String() != "guard 5m of 15m: no answer to the last 5 reads: read metrics: no answer" {
			t.Errorf("%d failed, %v: %s", r.Failed, r.Err, r.Line())
		}
	})
}

func TestTheLastReadIsTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &world{fail: failing(14*time.Minute, 16*time.Minute)}
		wantVerdict(t, Watch(t.Context(), w.options()), Pass, true, "")
		wantElapsed(t, w.begin, 16*time.Minute)
	})
}

func TestAFailureNeedsNoFurtherAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &world{rate: since(0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 9), fail: failing(14*time.Minute, time.Hour)}
		wantVerdict(t, Watch(t.Context(), w.options()), Fail, true, "error rate")
		wantElapsed(t, w.begin, 15*time.Minute)
	})
}

func TestNoAnswerAtTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &world{fail: failing(9*time.Minute, time.Hour)}
		wantVerdict(t, Watch(t.Context(), w.options()), Inconclusive, true, "missing")
		wantElapsed(t, w.begin, 17*time.Minute)
	})
}

func TestNoAnswerAtAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &world{fail: failing(0, time.Hour)}
		v := Watch(t.Context(), w.options())
		wantVerdict(t, v, Inconclusive, true, "nothing could be read since the action")
	})
}

func TestAReadThatHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &world{}
		o := w.options()
		o.Read = func(ctx context.Context, since time.Time) (Observation, error) {
			if d := time.Since(w.begin); d > 2*time.Minute && d < 5*time.Minute {
				<-ctx.Done()
				return Observation{}, ctx.Err()
			}
			return w.read(ctx, since)
		}
		wantVerdict(t, Watch(t.Context(), o), Pass, true, "")
		wantElapsed(t, w.begin, 15*time.Minute)
	})
}

func TestTheProgramEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Minute+time.Second)
		defer cancel()
		w := &world{}
		v := Watch(ctx, w.options())
		wantVerdict(t, v, Inconclusive, true, "the guard ended with the program")
		wantElapsed(t, w.begin, 7*time.Minute+time.Second)
		if len(v.Findings) == 0 || len(w.reports) == 0 || !w.reports[len(w.reports)-1].Verdict.Final {
			t.Errorf("nobody is told: %s", told(v))
		}
		if step, _ := Next(v, OnRollback, true, false, false); step != Hold {
			t.Errorf("what follows is %s", step)
		}
	})
}

func TestTheProgramEndsBeforeTheFirstRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w := &world{rate: step(0.2, 9)}
		wantVerdict(t, Watch(ctx, w.options()), Inconclusive, true, "ended with the program")
		if w.reads != 0 {
			t.Errorf("%d reads", w.reads)
		}
	})
}

func TestClockJumps(t *testing.T) {
	for name, c := range map[string]struct {
		by   time.Duration
		want Outcome
		says string
	}{
		"far ahead":     {3 * time.Hour, Inconclusive, "jumped 3h ahead"},
		"a bit ahead":   {20 * time.Second, Pass, ""},
		"far back":      {-3 * time.Hour, Inconclusive, "set back by 3h"},
		"a bit back":    {-20 * time.Second, Pass, ""},
		"past the end":  {12 * time.Minute, Inconclusive, "jumped 12m ahead"},
		"before it all": {-20 * 24 * time.Hour, Inconclusive, "set back by 20d"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := &world{}
				o := w.options()
				o.Now = func() time.Time {
					if time.Since(w.begin) >= 6*time.Minute {
						return time.Now().Add(c.by)
					}
					return time.Now()
				}
				wantVerdict(t, Watch(t.Context(), o), c.want, true, c.says)
			})
		})
	}
}

func TestSeasonsAreRememberedAsTheyCome(t *testing.T) {
	bubble(t, func(t *testing.T) {
		// Each night, from minute 3 to 8, errors are as frequent; what a read tells of other days is only that
		// of the minute at which it is made.
		at := func(minute int) float64 {
			if minute >= 3 && minute <= 8 {
				return 4
			}
			return 0.2
		}
		w := &world{rate: at, more: func(o *Observation, elapsed time.Duration) {
			v := sources.Number(at(int((elapsed - 150*time.Second) / time.Minute)))
			o.Series[0].Earlier = []sources.Earlier{{Ago: 24 * time.Hour, Value: v}, {Ago: 7 * 24 * time.Hour, Value: v}}
		}}
		wantVerdict(t, Watch(t.Context(), w.options()), Pass, true, "")
	})
}

func TestADeadProgressIsNotNeeded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &world{}
		o := w.options()
		o.Progress, o.Every = nil, 4*time.Minute
		wantVerdict(t, Watch(t.Context(), o), Pass, true, "")
		wantElapsed(t, w.begin, 15*time.Minute)
		if w.reads != 5 {
			t.Errorf("%d reads", w.reads)
		}
	})
}

// fast is a clock that goes sixty times as fast as the machine's.
type fast struct{ begin time.Time }

func (f fast) Elapsed() time.Duration { return 60 * time.Since(f.begin) }

func (f fast) now() time.Time { return f.begin.Add(f.Elapsed()) }

func (f fast) Wait(ctx context.Context, d time.Duration) { machine{}.Wait(ctx, d/60) }

func TestWatchByAnotherClock(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := &world{}
		o := w.options()
		clock := fast{w.begin}
		o.Clock, o.Now = clock, clock.now
		o.Read = func(context.Context, time.Time) (Observation, error) {
			minutes := int(clock.Elapsed() / time.Minute)
			seen := Observation{At: clock.now(), Series: []sources.Series{errorRate(minutes, w.rate), traffic(minutes, 20)}}
			for i := range seen.Series {
				for k := range seen.Series[i].Points {
					p := &seen.Series[i].Points[k]
					p.At = w.begin.Add(p.At.Sub(started))
				}
			}
			return seen, nil
		}
		if v := Watch(t.Context(), o); v.Outcome != Pass || v.Elapsed != 15*time.Minute {
			t.Errorf("after %s: %s, %s", v.Elapsed, v.Outcome, v.Why)
		}
		wantElapsed(t, w.begin, 15*time.Second)
		if n := len(w.reports); n != 31 {
			t.Errorf("it read %d times", n)
		}
	})
}
