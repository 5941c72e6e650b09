package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Follower is the clock of a world that another process serves. Its Now is safe for use by several
// goroutines at once.
type Follower struct {
	url, token string
	client     *http.Client
	stop       context.CancelFunc
	wg         sync.WaitGroup

	first time.Time

	mu      sync.Mutex
	last    reading
	read    time.Time     // when it was
	told    time.Time     // the latest that Now has told: it never goes back
	changed chan struct{} // closed, and replaced, with each reading
}

// followWait is how long the world may take to answer that its clock was set: then it is asked anew.
const followWait = 20 * time.Second

// Follow reads the clock of the world at a loopback address, and stays with it until Close is called or ctx
// ends. When the world has gone, its clock goes on as it last did.
func Follow(ctx context.Context, address, token string) (*Follower, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("simulator: address %q: %w", address, err)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme != "http" || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("simulator: address %q is not one of this machine's own", address)
	}
	f := &Follower{url: "http://" + u.Host, token: token, client: &http.Client{Transport: &http.Transport{}}, changed: make(chan struct{})}
	ctx, f.stop = context.WithCancel(ctx)
	if err := f.ask(ctx, -1); err != nil {
		f.stop()
		return nil, err
	}
	f.first = f.Now()
	f.wg.Go(func() { f.follow(ctx) })
	return f, nil
}

// Now is the world's time.
func (f *Follower) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.last.Now.Add(time.Duration(float64(time.Since(f.read)) * f.last.Speed))
	if now.After(f.told) {
		f.told = now
	}
	return f.told
}

// Elapsed is how much of the world's time has gone by since Follow.
func (f *Follower) Elapsed() time.Duration { return f.Now().Sub(f.first) }

// Wait returns when d of the world's time has gone by, or when ctx ends.
func (f *Follower) Wait(ctx context.Context, d time.Duration) {
	for until := f.Now().Add(d); ; {
		f.mu.Lock()
		changed, speed := f.changed, f.last.Speed
		f.mu.Unlock()
		left := until.Sub(f.Now())
		if left <= 0 {
			return
		}
		var due <-chan time.Time // never, while the clock stands
		if speed > 0 {
			t := time.NewTimer(time.Duration(float64(left)/speed) + time.Millisecond)
			defer t.Stop()
			due = t.C
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-due:
		}
	}
}

// Close ends it, and waits until nothing of it runs any more.
func (f *Follower) Close() error {
	f.stop()
	f.wg.Wait()
	f.client.CloseIdleConnections()
	return nil
}

func (f *Follower) follow(ctx context.Context) {
	for ctx.Err() == nil {
		f.mu.Lock()
		set := f.last.Set
		f.mu.Unlock()
		if f.ask(ctx, set) == nil {
			continue
		}
		t := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}

// ask reads the clock once it was set more often than so many times, or after a while.
func (f *Follower) ask(ctx context.Context, set int) error {
	ctx, cancel := context.WithTimeout(ctx, followWait+10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url+"/-/clock?after="+strconv.Itoa(set), nil)
	if err != nil {
		return fmt.Errorf("simulator: ask for the clock: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+f.token)
	res, err := f.client.Do(r)
	if err != nil {
		return fmt.Errorf("simulator: ask for the clock: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	var got reading
	if res.StatusCode != http.StatusOK {
		return errors.New("simulator: ask for the clock: " + res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		return fmt.Errorf("simulator: read the clock: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last, f.read = got, time.Now()
	close(f.changed)
	f.changed = make(chan struct{})
	return nil
}
