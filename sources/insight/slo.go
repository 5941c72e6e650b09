package insight

import (
	"math"
	"slices"
	"time"

	"example.com/signalbox/sources"
)

// When a burn rate is worth a word, by the multiwindow alerts of the SRE Workbook ("Alerting on SLOs"): both
// the long window and the short one must burn, so that a burn which is over falls silent.
const (
	pageBurn   = 14.4 // over 1 h and 5 m: 2 % of 30 days' budget within the hour
	ticketBurn = 6.0  // over 6 h and 30 m: 5 % within six hours
)

// quietTraffic is the requests a second below which no burn rate is judged: fewer than 300 requests in five
// minutes, of which one that fails burns a budget of 99.95 % almost seven times too fast.
const quietTraffic = 1.0

// Budget is an objective and how its error budget does.
type Budget struct {
	SLO  *sources.SLO
	Feed int            // the index of its feed in the snapshot
	Left sources.Number // what is left of the budget: 1 is all, negative is overdrawn
	// Burn is the burn over the shortest window that is known: the rate of now. Its Rate is unknown when
	// there is none.
	Burn sources.Burn
	// Gone is when at that rate nothing is left: what is left times the window, divided by the rate. Exhausts
	// reports that it will be gone so; at a rate of 1 or less the budget outlasts its window.
	Gone     time.Duration
	Exhausts bool
	Spent    bool  // nothing is left
	Sense    Sense // Crit and Warn by the burn rates; where these are unknown, as the provider judges
	Quiet    bool  // there is too little traffic for a verdict on the burn rate
}

func (f *facts) budgets(sf *serviceFacts) []Budget {
	var out []Budget
	for _, o := range sf.slos {
		out = append(out, budgetOf(o, sf.traffic(f.now)))
	}
	return out
}

// budgetOf judges an objective. traffic is its service's requests a second, for sources that do not tell
// the objective's.
func budgetOf(at sloAt, traffic sources.Number) Budget {
	o := at.slo
	b := Budget{SLO: o, Feed: at.feed, Left: o.Budget, Burn: sources.Burn{Rate: sources.Number(math.NaN())}}
	for _, burn := range o.Burns {
		if burn.Rate.Known() && (!b.Burn.Rate.Known() || burn.Over < b.Burn.Over) {
			b.Burn = burn
		}
	}
	b.Spent = o.Budget.Known() && o.Budget <= 0
	if rate := float64(b.Burn.Rate); o.Budget > 0 && rate > 1 {
		b.Gone = time.Duration(float64(o.Budget) / rate * float64(o.Window))
		b.Exhausts = true
	}
	if o.Traffic.Known() {
		traffic = o.Traffic
	}
	b.Quiet = traffic.Known() && traffic < quietTraffic
	b.Sense = burnSense(o, b.Quiet)
	return b
}

func burnSense(o *sources.SLO, quiet bool) Sense {
	// One window that is known not to burn settles the pair.
	both := func(long, short time.Duration, limit float64) (burns, known bool) {
		a, b := float64(burnOver(o, long)), float64(burnOver(o, short))
		burns = a >= limit && b >= limit
		return burns, burns || a < limit || b < limit
	}
	page, pageKnown := both(time.Hour, 5*time.Minute, pageBurn)
	ticket, ticketKnown := both(6*time.Hour, 30*time.Minute, ticketBurn)
	switch {
	case page && !quiet:
		return Crit
	case ticket && !quiet:
		return Warn
	case pageKnown || ticketKnown || quiet:
		return Quiet
	case o.State == sources.MonitorAlert:
		return Crit
	case o.State == sources.MonitorWarn:
		return Warn
	default:
		return Quiet
	}
}

// burnOver is the burn rate over one window; unknown when it is not told.
func burnOver(o *sources.SLO, over time.Duration) sources.Number {
	i := slices.IndexFunc(o.Burns, func(b sources.Burn) bool { return b.Over == over })
	if i < 0 {
		return sources.Number(math.NaN())
	}
	return o.Burns[i].Rate
}

// traffic is the requests a second of the service; unknown when no metric in requests a second tells.
func (sf *serviceFacts) traffic(now time.Time) sources.Number {
	all := sf.current(now, func(m *sources.Series) bool { return m.Signal == sources.TrafficSignal && perSecond(m.Unit) })
	if len(all) == 0 {
		return sources.Number(math.NaN())
	}
	sum := 0.0
	for _, c := range all {
		sum += c.Value
	}
	return sources.Number(sum)
}
