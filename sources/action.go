package sources

import (
	"context"
	"time"

	"example.com/signalbox/sources/clean"
)

// Verb names what can be done to an object. Commands, keys and the journal use the same names.
type Verb string

// The verbs on incidents, alerts, monitors and pages.
const (
	Acknowledge Verb = "ack"
	Resolve     Verb = "resolve"
	Escalate    Verb = "escalate"
	Reassign    Verb = "reassign"
	Snooze      Verb = "snooze"
	AddNote     Verb = "note"
	Merge       Verb = "merge"
	PostStatus  Verb = "status"
	SilenceIt   Verb = "silence"
	Expire      Verb = "expire" // ends a silence: the undo of SilenceIt
	Mute        Verb = "mute"
	Unmute      Verb = "unmute"
	PostEvent   Verb = "event" // writes a deployment marker
)

// The verbs on runs, and on the gates that they wait for.
const (
	Approve     Verb = "approve"
	Reject      Verb = "reject"
	RerunFailed Verb = "rerun"
	RerunAll    Verb = "rerun-all"
	Cancel      Verb = "cancel"
)

// The verbs on environments that a source offers: what promoting and rolling back are made of.
const (
	Dispatch Verb = "dispatch" // starts a deploy workflow with inputs
	Deploy   Verb = "deploy"   // files a deployment, for whoever listens
)

// The names in Call.Fields of the verbs on environments and gates.
const (
	FieldVersion      = "version"      // the commit that is to run: what Verify waits for
	FieldTargets      = "targets"      // of the environment, with commas between them; "" means all
	FieldPlace        = "place"        // of a verb on a run: the ID of the environment in its scope in which FieldVersion is to run then
	FieldEnvironments = "environments" // of a gate: the provider's names, with commas between them; "" means all that wait for this identity
	FieldWorkflow     = "workflow"     // the file of the deploy workflow
	FieldRef          = "ref"          // the branch or tag that the workflow's file is taken from
	FieldMarker       = "marker"       // the input that gets the Call's ID, for a workflow that shows it in its runs' names; "" for none
	FieldInput        = "input."       // before the name of each of the workflow's inputs
)

// Promote and Rollback are what people ask for; a plan says by which of a source's verbs they are done.
const (
	Promote  Verb = "promote"
	Rollback Verb = "rollback"
)

// ActionSpec is one verb that a source offers on objects of one kind.
type ActionSpec struct {
	Verb Verb
	On   Kind
	Doc  string   // one line: what it does in the provider's terms
	Undo Verb     // the verb that takes it back; "" when nothing does
	Need []string // the fields of Call that must be set: "text", "for", "to", "level", "others"
}

// Call is one action on one object. Its ID is the plan's: unique, and what ties the provider's records of
// it to the journal's.
type Call struct {
	ID       string            `json:"id"`
	Verb     Verb              `json:"verb"`
	Target   Ref               `json:"target"`
	Revision Revision          `json:"revision,omitempty"` // what Target was read as; the caller has re-read it just before
	Identity string            `json:"identity,omitempty"` // who acts, in this source: `me:`
	Text     string            `json:"text,omitempty"`     // a note, a reason, a comment
	For      time.Duration     `json:"for,omitempty"`      // how long: a snooze, a silence, a mute
	To       []string          `json:"to,omitempty"`       // the persons or policies to hand it to, by the provider's ids or logins
	Level    int               `json:"level,omitempty"`    // the step of the escalation to go to
	Others   []Ref             `json:"others,omitempty"`   // what is merged into Target
	Fields   map[string]string `json:"fields,omitempty"`   // what else the verb takes, by name
}

// CallTime is the form of the moment with which the ID of a Call begins, in UTC.
const CallTime = "20060102-150405"

// Planned is when the call was planned: its ID begins with that moment, to the second, in UTC. ok is false where
// it does not.
func (c *Call) Planned() (at time.Time, ok bool) {
	at, err := time.Parse(CallTime, c.ID[:min(len(CallTime), len(c.ID))])
	return at, err == nil
}

// Receipt is what the provider answered to a Call that it took.
type Receipt struct {
	ID   string     `json:"id,omitempty"`  // of what came into being: a silence, a downtime, a note
	Text clean.Text `json:"text,omitzero"` // the provider's own words
	URL  string     `json:"url,omitempty"`
	Undo *Call      `json:"-"`             // what takes it back; nil when nothing does
	Made Ref        `json:"made,omitzero"` // the object that came into being, when it can be read
}

// Preview is what a Call would do, found out by reading alone.
type Preview struct {
	How    clean.Text   // in the provider's terms: "POST a silence on 4 matchers until 03:14"
	Covers int          // how many alerts or groups it touches; 0 when that is not a question
	Lines  []clean.Text // each of them, or what else is worth knowing before
	Wakes  []Person     // whom it pages
}

// Actor carries out actions. Perform sends at most one request that changes something, never repeats it,
// and returns an *Error whose Kind tells what is known: Ambiguous when the request may have arrived and
// its answer was lost; any other kind when nothing was changed. It does not wait for the effect.
type Actor interface {
	Getter
	Actions() []ActionSpec
	Perform(context.Context, Call) (Receipt, error)
}

// Previewer tells what a Call would do. It changes nothing.
type Previewer interface {
	Preview(context.Context, Call) (Preview, error)
}

// ProgressState is how far the effect of an action is.
type ProgressState uint8

// The states of progress.
const (
	Pending ProgressState = iota // not visible yet, or on its way
	Done                         // the authority shows the new state
	Undone                       // it will not come: it failed, or something else took its place
)

// Progress is what the authority shows of an action.
type Progress struct {
	State ProgressState
	Text  clean.Text // in the provider's own words
	URL   string
	// Superseded reports, with Undone, that something else took its place. Begun reports, with Pending, that
	// the provider shows that it was taken.
	Superseded, Begun bool
}

// Verifier looks whether an action has taken effect, by reading alone. The Receipt is zero when the
// answer was lost.
type Verifier interface {
	Verify(context.Context, Call, Receipt) (Progress, error)
}
