// Package seen is what the simulator's providers tell of the requests that reach them, so that what was
// asked can be counted and complained of in one place.
package seen

// The providers' names: what a Request, a fault and a count belong to.
const (
	GitHub    = "github"
	Datadog   = "datadog"
	PagerDuty = "pagerduty"
)

// Request is one request and what became of it.
type Request struct {
	Vendor      string
	Endpoint    string // method and pattern: "GET /repos/{owner}/{repo}/actions/runs"
	Method, URI string
	Identity    string
	Body        string
	Status      int
	Read        bool // it changes nothing, whatever its method
	Charged     bool
	Conditional bool
	Tagged      bool // the answer carried an ETag
	List        bool // the endpoint is a paged list
	PageSize    bool // it named one
	// Asked is the address of the page that was asked for, Next that of the one that was announced; both
	// in one form, however the client wrote it.
	Asked, Next string
	// Wrong is what no well-behaved client sends, in words that do not depend on the request's values.
	Wrong []string
}
