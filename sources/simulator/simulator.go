package simulator

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"example.com/signalbox/sources/simulator/datadog"
	"example.com/signalbox/sources/simulator/fault"
	"example.com/signalbox/sources/simulator/github"
	"example.com/signalbox/sources/simulator/pagerduty"
	"example.com/signalbox/sources/simulator/seen"
	"example.com/signalbox/sources/simulator/world"
)

// Where the links of the world's pages lead: to no real host.
const (
	pages          = "https://github.example.com"
	DatadogPages   = "https://app.datadoghq.example"
	PagerDutyPages = "https://acme.pagerduty.example"
)

// pagerDutyPrefix is where PagerDuty is mounted.
const pagerDutyPrefix = "/pagerduty"

// Simulator is a running world. Its methods are safe for use by several goroutines at once.
type Simulator struct {
	clock      *clock
	token      string
	enterprise bool
	log        *slog.Logger
	meter      *meter
	faults     fault.Set
	requests   requests
	github     *github.Server
	datadog    *datadog.Server
	pagerduty  *pagerduty.Server

	api, logs         net.Listener
	server, logServer *http.Server
	stop              context.CancelFunc
	wg                sync.WaitGroup
	closing           sync.Once

	mu    sync.Mutex // guards world
	world *world.World
}

// Start makes the world and serves it until Close is called or ctx ends.
func Start(ctx context.Context, o Options) (*Simulator, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	s := &Simulator{
		clock: newClock(o.Start, o.Speed), token: o.Token, enterprise: o.Enterprise, log: o.Log, meter: newMeter(o.Start),
	}
	for _, r := range o.Faults {
		if err := s.faults.Add(r); err != nil {
			return nil, fmt.Errorf("simulator: fault: %w", err)
		}
	}
	if o.Scale.Repositories > 0 {
		s.world = world.Scaled(o.Seed, o.Start, o.Scale)
	} else {
		s.world = world.Story(o.Seed, o.Start)
	}
	var err error
	if s.api, err = listenLoopback(ctx, o.Listen); err != nil {
		return nil, err
	}
	if s.logs, err = listenLoopback(ctx, net.JoinHostPort(s.api.Addr().(*net.TCPAddr).IP.String(), "0")); err != nil { //nolint:forcetypeassert // it listens on TCP
		_ = s.api.Close()
		return nil, err
	}
	s.github = github.New(github.Config{
		With: s.with, API: s.APIURL(), Logs: "http://" + s.logs.Addr().String(), HTML: pages,
		Identities: append([]github.Identity{{Token: o.Token, Login: "sre1"}}, o.Identities...),
		AppKey:     o.AppKey, Enterprise: o.Enterprise,
		Observe: s.observe,
	})
	s.datadog = datadog.New(datadog.Config{With: s.with, Token: o.Token, API: s.URL(), HTML: DatadogPages, Observe: s.observe})
	s.pagerduty = pagerduty.New(pagerduty.Config{
		With: s.with, API: s.PagerDutyURL(), HTML: PagerDutyPages, Monitors: DatadogPages, Observe: s.observe,
		Identities: append([]pagerduty.Identity{{Token: o.Token, Login: "sre1"}}, o.PagerDuty...),
	})
	ctx, s.stop = context.WithCancel(ctx) //nolint:gosec // Close calls it
	s.server = s.serve(ctx, s.api, s.routes())
	s.logServer = s.serve(ctx, s.logs, s.github.LogHost(s.meter.tokenAtLogHost))
	s.wg.Go(func() {
		<-ctx.Done()
		end(s.server)
		end(s.logServer)
	})
	return s, nil
}

func (o *Options) complete() error {
	if !(o.Speed >= 0 && o.Speed <= MaxSpeed) {
		return fmt.Errorf("simulator: speed %g is not between 0 and %d", o.Speed, MaxSpeed)
	}
	if o.Start.IsZero() {
		o.Start = Opening()
	}
	o.Start = o.Start.UTC().Truncate(time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Token == "" {
		o.Token = randomToken()
	}
	return nil
}

func (s *Simulator) serve(ctx context.Context, l net.Listener, h http.Handler) *http.Server {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.wg.Go(func() {
		if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("simulator stopped serving", "err", err)
		}
	})
	return srv
}

// end stops a server whose requests have been told to give up: it waits a moment for them, then breaks
// the connections that are left.
func end(srv *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), 250*time.Millisecond)
	defer cancel()
	if srv.Shutdown(ctx) != nil {
		_ = srv.Close()
	}
}

// with runs f on the world, as of now, while nobody else looks at it.
func (s *Simulator) with(f func(*world.World)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.RunUntil(s.clock.now())
	f(s.world)
}

// Handler is what is served at URL, for clients that run on a clock of their own and so cannot wait for a
// network.
func (s *Simulator) Handler() http.Handler { return s.routes() }

// URL is where the simulator is served, without a trailing slash.
func (s *Simulator) URL() string { return "http://" + s.api.Addr().String() }

// APIURL is the base of GitHub's API here, without a trailing slash.
func (s *Simulator) APIURL() string {
	if s.enterprise {
		return s.URL() + "/api/v3"
	}
	return s.URL()
}

// PagerDutyURL is the base of PagerDuty's API here, without a trailing slash.
func (s *Simulator) PagerDutyURL() string { return s.URL() + pagerDutyPrefix }

// Token is what requests must carry: the credential of sre1, who is on call.
func (s *Simulator) Token() string { return s.token }

// Now is the world's time.
func (s *Simulator) Now() time.Time { return s.clock.now() }

// Advance puts the world's clock forward by d and lets everything happen that is due by then, in order.
func (s *Simulator) Advance(d time.Duration) {
	s.clock.advance(d)
	s.with(func(*world.World) {})
}

// Run lets the world's clock go at another speed from now on: so many of its seconds in a real one, at most
// MaxSpeed; 0 stops it.
func (s *Simulator) Run(speed float64) error {
	if !(speed >= 0 && speed <= MaxSpeed) {
		return fmt.Errorf("simulator: speed %g is not between 0 and %d", speed, MaxSpeed)
	}
	s.clock.run(speed)
	return nil
}

// Page opens an incident for a service by hand, in the name of sre1, and pages whoever is on call. It
// returns the incident's number.
func (s *Simulator) Page(service, title string, severity int) (number int, err error) {
	s.with(func(w *world.World) {
		svc := w.Service(service)
		switch {
		case svc == nil:
			err = fmt.Errorf("simulator: no service %q", service)
		case title == "" || severity < 0 || severity > 5:
			err = errors.New("simulator: an incident has a title and a severity from 0 to 5")
		default:
			number = w.Declare(svc, title, severity, w.User("sre1")).Number
		}
	})
	return number, err
}

// Trouble makes a metric of a service worse from now on for a while, in production.
func (s *Simulator) Trouble(service, metric string, add float64, d time.Duration) (err error) {
	s.with(func(w *world.World) {
		if svc := w.Service(service); svc == nil || !svc.Has(world.MeasureOf(metric)) || d <= 0 {
			err = fmt.Errorf("simulator: no service %q with a metric %q, or no time", service, metric)
		} else {
			w.Worsen(svc, metric, add, d)
		}
	})
	return err
}

// Merge is a change that lands on a service's default branch.
type Merge struct {
	Service string `json:"service"`
	Title   string `json:"title"`
	By      string `json:"by,omitempty"`  // the login; "": dev1
	Tag     string `json:"tag,omitempty"` // of the new commit; "": none
	Bad     bool   `json:"bad,omitempty"` // it hurts wherever it runs: requests fail from its first minute on
	Path    string `json:"path,omitempty"`
}

// Merge lands a change and starts what that starts: pipelines, and with a tag its release. It returns the
// commit's SHA.
func (s *Simulator) Merge(m Merge) (sha string, err error) {
	s.with(func(w *world.World) {
		svc, by := w.Service(m.Service), w.User(m.By)
		if m.By == "" {
			by = w.User("dev1")
		}
		switch {
		case svc == nil || by == nil:
			err = fmt.Errorf("simulator: no service %q, or nobody called %q", m.Service, m.By)
		case m.Title == "":
			err = errors.New("simulator: a change has a title")
		default:
			l := world.Landing{Service: svc, Title: m.Title, By: by, Tag: m.Tag, Bad: m.Bad}
			if m.Path != "" {
				l.Files = []world.File{{Path: m.Path, Status: "modified", Additions: 17, Removed: 5}}
			}
			sha = w.Land(l).SHA
		}
	})
	return sha, err
}

// Judge says whether a version of a service, named by a branch, a tag or a commit, hurts where it runs from now
// on. What runs already goes on as it did. It returns the commit's SHA.
func (s *Simulator) Judge(service, ref string, bad bool) (sha string, err error) {
	s.with(func(w *world.World) {
		ok := false
		if svc := w.Service(service); svc != nil {
			sha, ok = svc.Repo.Resolve(ref)
		}
		if !ok {
			err = fmt.Errorf("simulator: no service %q with a version %q", service, ref)
			return
		}
		w.Judge(sha, bad)
	})
	return sha, err
}

// Decide approves or rejects, in the name of sre1, all that waits for it in the repository of a service. It
// returns how many runs that was.
func (s *Simulator) Decide(service string, approve bool) (runs int, err error) {
	s.with(func(w *world.World) {
		svc := w.Service(service)
		if svc == nil {
			err = fmt.Errorf("simulator: no service %q", service)
			return
		}
		me := w.User("sre1")
		for _, run := range svc.Repo.Runs {
			var ids []int64
			for _, j := range run.PendingJobs() {
				if e := svc.Repo.Environment(j.Environment); e.MayReview(me) && !slices.Contains(ids, e.ID) {
					ids = append(ids, e.ID)
				}
			}
			if len(ids) == 0 {
				continue
			}
			runs++
			if _, failed := w.Review(run, ids, approve, "", me); failed != nil {
				err = fmt.Errorf("simulator: decide: %w", failed)
			}
		}
	})
	return runs, err
}

// Rest lets everybody rest from everyday work from now on, or go on with it: what is not asked for then stays
// as it is.
func (s *Simulator) Rest(rest bool) {
	s.with(func(w *world.World) { w.Rest = rest })
}

// Inject puts a fault in force, behind those that are.
func (s *Simulator) Inject(r fault.Rule) error {
	if err := s.faults.Add(r); err != nil {
		return fmt.Errorf("simulator: fault: %w", err)
	}
	return nil
}

// ClearFaults takes all faults away.
func (s *Simulator) ClearFaults() { s.faults.Clear() }

// Close stops serving and waits until nothing of the simulator runs any more. Closing again does
// nothing.
func (s *Simulator) Close() error {
	s.closing.Do(s.stop)
	s.wg.Wait()
	return nil
}

func (s *Simulator) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/-/", s.control())
	mux.Handle("/", s.provider(fault.Vendor{Name: seen.GitHub, Refuse: github.Refusal}, s.github))
	dd := s.provider(fault.Vendor{Name: seen.Datadog, Refuse: datadog.Refusal}, s.datadog)
	mux.Handle("/api/v1/", dd)
	mux.Handle("/api/v2/", dd)
	pd := http.StripPrefix(pagerDutyPrefix, s.pagerduty)
	mux.Handle(pagerDutyPrefix+"/", s.provider(fault.Vendor{Name: seen.PagerDuty, Refuse: pagerduty.Refusal}, pd))
	return mux
}

// provider serves one provider behind the log of requests and the faults.
func (s *Simulator) provider(v fault.Vendor, h http.Handler) http.Handler {
	return s.arriving(v.Name, s.faults.Wrap(v, s.processed(h)))
}

func (s *Simulator) observe(r seen.Request) { s.meter.see(r, s.clock.now()) }

func listenLoopback(ctx context.Context, addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("simulator: listen address %q: %w", addr, err)
	}
	ip := net.ParseIP(host)
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("simulator: listen address %q is not a loopback address", addr)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("simulator: listen: %w", err)
	}
	return l, nil
}

func randomToken() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails
	return "sim_" + hex.EncodeToString(b[:])
}
