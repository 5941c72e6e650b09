package poll

import (
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/state"
	"example.com/signalbox/sources/store"
)

// What the engine holds itself to.
const (
	// Unattended is how long nobody must have been at the keyboard before feeds are read Slowdown times
	// slower.
	Unattended = 15 * time.Minute
	Slowdown   = 4
	// SleepThreshold is how far the two clocks of the machine must part to mean that it slept.
	SleepThreshold = 10 * time.Second

	spread       = 0.05                   // of an interval, to either side, so that boards do not march in step
	minGap       = time.Second            // between the starts of two reads of a feed, however it is nudged
	grace        = 2 * time.Second        // for a source to return once its context has ended
	maxStretch   = 10.0                   // of quiet feeds, when the budget is tight
	maxLive      = 6.0                    // of the others, when that does not suffice
	share        = 0.85                   // of the budget is for polling; the rest is for people's own requests
	horizon      = 4                      // what is left of the budget must last a window's fourth
	freeRead     = 0.05                   // requests: a read that costs less is free, and slowing it down saves nothing
	habit        = 1.0 / 3                // of a feed's reads must spend a budget for it to be the feed's
	learning     = 0.1                    // how much one read changes what a feed is known to cost
	maxRetryWait = 24 * time.Hour         // a provider that asks for more has a broken clock
	settleDelay  = 200 * time.Millisecond // after the moment that a provider named
)

// Pace is how often a feed is read, by what its last answer said of its scope.
type Pace struct {
	Live    time.Duration // something moves
	Waiting time.Duration // something waits for a person
	Quiet   time.Duration
	// Steady feeds are read at the same pace when nobody is at the keyboard: pages.
	Steady bool
}

// DefaultPace is the pace of product.md's defaults. With its jitter and a second or two for the answer,
// what moves is at most 15 s old, and what starts in a quiet scope is seen within a minute.
func DefaultPace(c store.Capability) Pace {
	switch c {
	case store.Runs, store.Environments:
		return Pace{Live: 13 * time.Second, Waiting: 30 * time.Second, Quiet: 55 * time.Second}
	case store.Incidents:
		return Pace{Live: 5 * time.Second, Waiting: 10 * time.Second, Quiet: 10 * time.Second, Steady: true}
	case store.Metrics:
		return Pace{Live: 30 * time.Second, Waiting: time.Minute, Quiet: 2 * time.Minute}
	case store.Monitors:
		return Pace{Live: 30 * time.Second, Waiting: time.Minute, Quiet: time.Minute, Steady: true}
	case store.Changes:
		return Pace{Live: time.Minute, Waiting: time.Minute, Quiet: 2 * time.Minute}
	case store.SLOs:
		return Pace{Live: 2 * time.Minute, Waiting: 5 * time.Minute, Quiet: 5 * time.Minute}
	case store.Past:
		return Pace{Live: 10 * time.Minute, Waiting: 10 * time.Minute, Quiet: 10 * time.Minute}
	case store.Releases, store.Shifts:
		return Pace{Live: 5 * time.Minute, Waiting: 5 * time.Minute, Quiet: 5 * time.Minute}
	default:
		return Pace{Live: time.Minute, Waiting: time.Minute, Quiet: time.Minute}
	}
}

func (p Pace) at(b sources.Busy) time.Duration {
	switch b {
	case sources.Live:
		return p.Live
	case sources.WaitingForPerson:
		return p.Waiting
	case sources.Quiet:
		return p.Quiet
	default:
		return p.Quiet
	}
}

// busy is how busy l's scope is: as its last answer said, and not quiet while the scope's other feed of
// pipelines and deployments sees something move, for what builds may be about to deploy.
func (e *Engine) busy(l *loop) sources.Busy {
	if l.busy != sources.Quiet {
		return l.busy
	}
	other := l.feed.Key
	switch l.feed.Key.Capability {
	case store.Runs:
		other.Capability = store.Environments
	case store.Environments:
		other.Capability = store.Runs
	case store.Releases, store.Incidents, store.Metrics, store.Monitors, store.SLOs, store.Shifts, store.Changes, store.Past:
		return l.busy
	}
	if o := e.byKey[other]; o != nil && o.busy == sources.Live {
		return sources.WaitingForPerson
	}
	return l.busy
}

// pace is the time between two reads of l before the budget has its say.
func (e *Engine) pace(l *loop) time.Duration {
	p := e.o.Pace(l.feed.Key.Capability)
	d := p.at(e.busy(l))
	if !p.Steady && e.slow(e.o.Elapsed()) {
		d *= Slowdown
	}
	return d
}

// interval is the time between two reads of l: what the tightest of the budgets that it spends allows.
func (e *Engine) interval(l *loop) time.Duration {
	factor := 1.0
	if e.o.Budget != nil {
		all := e.o.Budget.Usages(l.group.key.source, l.group.key.credential)
		for _, u := range all {
			only := len(all) == 1
			if l.costs(u.Key, only) < freeRead {
				continue
			}
			quiet, rest := e.stretch(l.group, u, only)
			if e.busy(l) == sources.Quiet {
				factor = max(factor, quiet)
			} else {
				factor = max(factor, rest)
			}
		}
	}
	return time.Duration(float64(e.pace(l)) * factor)
}

// stretch is by how much the intervals of a group's feeds must grow for their requests to fit into this
// board's share of one of their budgets: those of quiet feeds first, the others' when that does not
// suffice. What a read costs is learnt from the reads so far, and an answer that the provider did not
// count costs nothing.
func (e *Engine) stretch(g *group, u state.Usage, only bool) (quiet, rest float64) {
	allowed, known := e.allowance(u)
	if !known {
		return 1, 1
	}
	var calm, moving float64 // requests a second
	for _, l := range e.loops {
		if l.group != g {
			continue
		}
		demand := l.costs(u.Key, only) / e.pace(l).Seconds()
		if e.busy(l) == sources.Quiet {
			calm += demand
		} else {
			moving += demand
		}
	}
	if calm+moving <= allowed {
		return 1, 1
	}
	if spare := allowed - moving; spare*maxStretch > calm {
		return max(1, calm/spare), 1
	}
	if spare := allowed - calm/maxStretch; spare*maxLive > moving {
		return maxStretch, max(1, moving/spare)
	}
	return maxStretch, maxLive
}

// allowance is how many requests a second this board may send of a budget; known is false when nobody
// limits them.
func (e *Engine) allowance(u state.Usage) (perSecond float64, known bool) {
	if u.Limit <= 0 || u.Window <= 0 {
		return 0, false
	}
	boards := float64(max(1, u.Boards))
	limit, used, window := float64(u.Limit), float64(u.Used), u.Window.Seconds()
	steady := share * limit / window
	// A window with room may be used up faster than it is refilled for a while, and one that is nearly
	// full must last.
	perSecond = min(1.5*steady, max(steady, horizon*(share*limit-used)/window))
	perSecond = min(perSecond, horizon*max(0, limit-used)/window)
	if until := u.Rate.Reset.Sub(e.o.Now()).Seconds(); u.Rate.Limit > 0 && until > 0 {
		perSecond = min(perSecond, share*float64(u.Rate.Remaining)/until)
	}
	return perSecond / boards, true
}

// jitter moves d by up to spread of it, to either side.
func (e *Engine) jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 + spread*(2*e.o.Rand()-1)))
}

// The moments at which reads fall, counted from the board's own: each fifth second for feeds whose interval is a
// number of these, and each second for the others.
const (
	fine   = time.Second
	coarse = 5 * time.Second
	seldom = 45 * time.Second // from this interval on a feed is early rather than late: a promise of a minute is a minute
)

// beat moves a read of a feed to one of the moments at which the board wakes anyway: what is due about one moment
// is sent in one wake-up. Chance still spreads a board's feeds over the moments, and each board has moments of its
// own.
func (e *Engine) beat(due, interval time.Duration) time.Duration {
	since := e.o.Now().Add(due - e.o.Elapsed()).Sub(e.second)
	switch {
	case interval >= seldom:
		// What began a few milliseconds after its moment is not late by these.
		return due + (since + fine/2).Truncate(coarse) - since
	case (interval - interval.Round(coarse)).Abs() < fine/2:
		return due + since.Round(coarse) - since
	}
	return due + since.Round(fine) - since
}

// backoff is how long to wait after the n-th failure in a row. It doubles up to a limit, with a fifth of
// jitter to either side. It is written out here because the number of failures is the loop's only
// state, and because the jitter must come from the engine's own source of chance.
func (e *Engine) backoff(kind sources.ErrKind, n int) time.Duration {
	first, limit := 2*time.Second, 5*time.Minute
	switch kind {
	case sources.Permission, sources.NotExist, sources.Unsupported:
		first, limit = time.Minute, 10*time.Minute
	case sources.Throttled:
		first, limit = 30*time.Second, 10*time.Minute
	case sources.Transient, sources.Invalid, sources.Conflict, sources.Ambiguous:
	}
	d := limit
	if n < 10 {
		d = min(limit, first<<max(0, n-1))
	}
	return time.Duration(float64(d) * (0.8 + 0.4*e.o.Rand()))
}
