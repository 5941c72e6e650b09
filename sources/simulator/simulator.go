package simulator

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options say which world to start and where to serve it. The zero value is the story at its opening,
// with the clock standing still, on a free loopback port.
type Options struct {
	Seed  int64
	Speed float64   // world seconds per real second; 0: the clock moves by Advance alone
	Start time.Time // the opening's date and time in the world; zero: Opening
	// Listen is a loopback address, "host:port"; "" means "127.0.0.1:0". Any other address is refused.
	Listen string
	// Token is what a client must send; "" draws a random one.
	Token string
	Log   *slog.Logger // nil: nothing is logged
}

// Opening is when the story opens unless Options.Start says otherwise.
var Opening = time.Date(2026, time.November, 17, 2, 14, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant in all but the language

// Simulator is a running world. Its methods are safe for use by several goroutines at once.
type Simulator struct {
	clock *clock
	token string
	log   *slog.Logger

	listener net.Listener
	server   *http.Server
	stop     context.CancelFunc
	wg       sync.WaitGroup
	closing  sync.Once

	mu    sync.Mutex // guards the world and usage
	usage Usage
}

// Start makes the world and serves it until Close is called or ctx ends.
func Start(ctx context.Context, o Options) (*Simulator, error) {
	if o.Speed < 0 {
		return nil, fmt.Errorf("simulator: speed %g is below zero", o.Speed)
	}
	if o.Start.IsZero() {
		o.Start = Opening
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Token == "" {
		o.Token = randomToken()
	}
	s := &Simulator{clock: newClock(o.Start, o.Speed), token: o.Token, log: o.Log, usage: Usage{Since: o.Start}}
	l, err := listenLoopback(ctx, o.Listen)
	if err != nil {
		return nil, err
	}
	s.listener = l
	ctx, s.stop = context.WithCancel(ctx)
	s.server = &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	s.wg.Go(func() { s.serve(s.server, l) })
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

func (s *Simulator) serve(srv *http.Server, l net.Listener) {
	if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
		s.log.Error("simulator stopped serving", "err", err)
	}
}

// URL is where the simulator is served, without a trailing slash.
func (s *Simulator) URL() string { return "http://" + s.listener.Addr().String() }

// Token is what requests must carry: the credential of sre1, who is on call.
func (s *Simulator) Token() string { return s.token }

// Now is the world's time.
func (s *Simulator) Now() time.Time { return s.clock.now() }

// Advance puts the world's clock forward by d and lets everything happen that is due by then, in order.
func (s *Simulator) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.advance(d)
}

// Close stops serving and waits until nothing of the simulator runs any more.
func (s *Simulator) Close() error {
	var err error
	s.closing.Do(func() {
		s.stop()
		err = s.server.Close()
	})
	s.wg.Wait()
	return err
}

func (s *Simulator) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/world", s.control)
	return mux
}

func (s *Simulator) control(w http.ResponseWriter, r *http.Request) {
	got := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if subtle.ConstantTimeCompare([]byte(got), []byte(s.token)) != 1 {
		http.Error(w, "the control tree wants the simulator's token", http.StatusUnauthorized)
		return
	}
	fmt.Fprintf(w, "{\"now\":%q}\n", s.Now().Format(time.RFC3339))
}

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
