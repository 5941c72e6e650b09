package sourcetest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// Harness is a driver and the fake of its provider. All fields but Kinds and FreeText must be set.
type Harness struct {
	Driver sources.Driver
	// Config returns a new, valid config whose credential is Secret.
	Config func(testing.TB) any
	// Secret is the credential: a string that occurs nowhere else.
	Secret string
	// CredentialHosts are the hosts, as in "api.github.com", that the credential is for.
	CredentialHosts []string
	// Provider returns a new fake of the provider. It always starts with the same world, in which each of
	// Reads finds something.
	Provider func(testing.TB) Provider
	// Reads are the lists that the driver offers: each at least once, one of more than a page if the
	// provider has pages.
	Reads []Read
	// Now is the moment at which the world is looked at.
	Now time.Time

	// Kinds overrides which kind of error an HTTP status must become; the defaults are 401 and 403
	// Permission, 404 NotExist, 429 Throttled, 500 and 503 Transient.
	Kinds map[int]sources.ErrKind
	// FreeText are texts that people wrote (a commit's title), as they stand in the provider's answers.
	// The suite puts escape sequences behind them.
	FreeText []string
}

// Provider is a fake of a provider.
type Provider struct {
	// Handler answers the requests to every host; it is called by several goroutines at once.
	Handler http.Handler
	// Change changes the state of at least one object of every read.
	Change func()
}

// Read is one list that a driver is asked for. The suite sets the Query's Now.
type Read struct {
	Capability store.Capability
	Query      sources.Query
}

func (r Read) String() string { return fmt.Sprintf("%s of %s", r.Capability, r.Query.Scope) }

// Run checks a driver, one subtest a promise. It needs no network and waits for nothing but the driver.
func Run(t *testing.T, h Harness) {
	t.Helper()
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			p := &probe{h: h, tb: t, errorf: t.Errorf, patience: 10 * time.Second}
			c.run(p)
		})
	}
}

type check struct {
	name string
	run  func(*probe)
}

func checks() []check {
	return []check{
		{"describes itself", describesItself},
		{"opens without the network", opensOffline},
		{"refuses foreign configs", refusesForeignConfigs},
		{"identities are unique and stable", identities},
		{"revisions follow the state", revisions},
		{"answers are never changed", immutable},
		{"not modified only when it is so", notModified},
		{"all or nothing", allOrNothing},
		{"errors have kinds", errorKinds},
		{"recovers after a failure", recovers},
		{"gives up with its context", cancellation},
		{"asks the budget", asksBudget},
		{"is safe for several goroutines", concurrency},
		{"text is clean", cleanText},
		{"leaves no goroutine behind", goroutines},
		{"keeps its secret", keepsSecret},
		{"sends its credential nowhere else", credentialHosts},
	}
}

// probe is one check under way. Failures are reported and never end it.
type probe struct {
	h      Harness
	tb     testing.TB
	errorf func(format string, args ...any)
	// patience is how long a driver may take to notice the end of its context, or of its life. Only a
	// broken one needs it.
	patience time.Duration
}
