package action

import (
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/policy"
)

// Request is what somebody asks for. Target is the object's whole identity, and Revision what they were
// looking at: "" means that what is read first counts, as it does for commands.
type Request struct {
	Verb     sources.Verb
	Target   sources.Ref
	Revision sources.Revision
	Text     string // a note, a reason, a comment
	For      time.Duration
	To       []string
	Level    int
	Others   []sources.Ref
	Fields   map[string]string
	Bulk     int    // how many objects were marked with this one; 0 and 1 are one
	Via      string // "board", "command", "guard"

	// Of Promote and Rollback, whose Target is an environment.
	Version string      // the commit, or a tag of it, that is to run; "" leaves the choice to the plan
	Targets []string    // of the environment; none means all
	Means   Means       // "" leaves the choice to the config, and to what fits
	About   sources.Ref // the incident that it is for; zero for none
}

// DemandKind is what a plan wants before it may be executed.
type DemandKind uint8

// The kinds of demand, from nothing on.
const (
	NoDemand     DemandKind = iota
	YesDemand               // a y
	TypeDemand              // Word, typed exactly
	SecondDemand            // Word, typed exactly, and another person's agreement
	Refusal                 // nothing makes it go ahead
)

// Demand is how hard a plan is to confirm.
type Demand struct {
	Kind   DemandKind
	Word   string // for TypeDemand and SecondDemand
	Reason bool   // a reason must be typed, too: glass is broken, or it repeats what was just done
}

// Plan is what a Request would do, found out by reading alone. It is a value: a Runner keeps nothing of
// it, and a plan that nobody executes costs nothing.
type Plan struct {
	ID      string
	At      time.Time
	Request Request
	Title   clean.Text // "Acknowledge checkout 5xx above 2 %"
	Acting  clean.Text // as whom, at the provider
	Name    clean.Text // how people name the target
	Service string
	Now     clean.Text // what is so
	Then    clean.Text // what will be
	How     clean.Text // in the provider's own terms
	Lines   []clean.Text
	Wakes   []sources.Person
	Gates   []policy.Finding
	Demand  Demand
	// Changed reports that the target is not what the request was looking at: the plan is for what is so now.
	Changed bool
	Change  *Change // of Promote and Rollback; nil of everything else
	Offers  []Offer // what can be done first, or instead

	Call     sources.Call // what will be sent; its Revision is what was read
	Rests    []Rest       // what it rests on besides: re-read before anything is sent
	Deadline time.Duration
}

// Rest is something that a plan rests on, as it was read.
type Rest struct {
	Ref      sources.Ref
	Revision sources.Revision
}

// Verdict is the strictest of the plan's gates.
func (p *Plan) Verdict() policy.Verdict { return policy.Strictest(p.Gates) }

// Approval is somebody's answer to a plan's demand.
type Approval struct {
	Yes        bool
	Typed      string
	Reason     string
	BreakGlass bool   // the reason is meant to lift gates
	Cosigner   string // who else agreed, as the shared directory proves
}

// State is how an action ended.
type State uint8

// The states.
const (
	Refused    State = iota // nothing was sent
	Stale                   // nothing was sent: the target had changed
	Failed                  // the provider refused it, or it did not come to pass
	Unknown                 // it may or may not have happened
	Unverified              // the provider took it, and cannot be asked what became of it
	Done                    // the authority shows the new state
)

var stateNames = [...]string{"refused", "stale", "failed", "unknown", "unverified", "done"}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// MarshalText makes a state its name in JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Outcome is what became of a plan. Text says what happened, Fix what to do next.
type Outcome struct {
	Plan       string          `json:"plan"`
	State      State           `json:"state"`
	Text       clean.Text      `json:"text"`
	Fix        clean.Text      `json:"fix,omitzero"`
	URL        string          `json:"url,omitempty"`
	Receipt    sources.Receipt `json:"receipt,omitzero"`
	Unrecorded bool            `json:"unrecorded,omitempty"` // the journal could not be written any more
}

// Event is one step of an action under way.
type Event struct {
	Plan  string
	Title clean.Text
	Step  Step
	Text  clean.Text // in the provider's own words, where it has any
	URL   string
	At    time.Time
}

// Step is how far an action is.
type Step uint8

// The steps.
const (
	Sending Step = iota
	Sent
	Following // the authority is asked what became of it
	Ended
)
