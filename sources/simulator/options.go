package simulator

import (
	"crypto/rsa"
	"log/slog"
	"time"

	"example.com/signalbox/sources/simulator/fault"
	"example.com/signalbox/sources/simulator/github"
	"example.com/signalbox/sources/simulator/pagerduty"
	"example.com/signalbox/sources/simulator/world"
)

// Options say which world to start and where to serve it. The zero value is the story at its opening,
// with the clock standing still, on a free loopback port.
type Options struct {
	Seed  int64
	Speed float64   // world seconds per real second, at most MaxSpeed; 0: the clock moves by Advance alone
	Start time.Time // the opening's date and time in the world; zero: Opening
	// Listen is a loopback address, "host:port"; "" means "127.0.0.1:0". Any other address is refused.
	Listen string
	// Token is what a client must send; "" draws a random one.
	Token string
	Log   *slog.Logger // nil: nothing is logged

	// Scale makes a world for measurements instead of the story, when it has repositories.
	Scale world.Scale
	// Identities are more credentials for GitHub: other people, fewer scopes. PagerDuty are more for
	// PagerDuty.
	Identities []github.Identity
	PagerDuty  []pagerduty.Identity
	// AppKey verifies the JWTs of a GitHub App; nil: any well-formed one will do.
	AppKey *rsa.PublicKey
	// Enterprise serves GitHub as an Enterprise server does: under /api/v3, an older version.
	Enterprise bool
	// Faults are in force from the start.
	Faults []fault.Rule
}

// MaxSpeed is an hour a second: the world can still be told that fast.
const MaxSpeed = 3600

// Opening is when the story opens unless Options.Start says otherwise: Tuesday, 2026-11-17 02:14 UTC.
func Opening() time.Time { return time.Date(2026, time.November, 17, 2, 14, 0, 0, time.UTC) }
