package sources

import (
	"fmt"
	"strings"
)

// Kind says what an object is.
type Kind string

// The kinds of objects a Ref may name.
const (
	KindRun         Kind = "run"
	KindJob         Kind = "job"
	KindDeployment  Kind = "deployment"
	KindEnvironment Kind = "environment"
	KindIncident    Kind = "incident"
	KindSeries      Kind = "series"
	KindMonitor     Kind = "monitor"
	KindSLO         Kind = "slo"
	KindShift       Kind = "shift"
	KindChange      Kind = "change"
	KindPage        Kind = "page"    // a call to a person that is known by its id alone: a Datadog On-Call page
	KindSilence     Kind = "silence" // what keeps alerts or a monitor quiet: an Alertmanager silence, a Datadog downtime
)

// Ref identifies one object for its whole life. Lookups, selection and actions use a full Ref, never a
// bare name and never a row index: two sources may hold objects of one name.
type Ref struct {
	Source string `json:"source"`          // the configured name of the source, as in "github"
	Kind   Kind   `json:"kind"`            //
	Scope  string `json:"scope,omitempty"` // where the ID is unique within the source: "acme/checkout"
	ID     string `json:"id"`              // the provider's own identity, never a title
}

// IsZero reports whether r names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// String is r in the form source:kind:scope:id, for logs and for people; ParseRef reads it back.
func (r Ref) String() string {
	return strings.Join([]string{r.Source, string(r.Kind), r.Scope, r.ID}, ":")
}

// ParseRef reads what Ref.String wrote. The ID may hold colons, the other parts may not.
func ParseRef(s string) (Ref, error) {
	p := strings.SplitN(s, ":", 4)
	if len(p) != 4 || p[0] == "" || p[1] == "" || p[3] == "" {
		return Ref{}, fmt.Errorf("%q is not source:kind:scope:id", s)
	}
	return Ref{Source: p[0], Kind: Kind(p[1]), Scope: p[2], ID: p[3]}, nil
}

// Revision is an opaque fingerprint of an object's state. Equal revisions mean that nothing an action
// depends on has changed.
type Revision string
