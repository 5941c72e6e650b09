package wire

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/ui/screen"
)

type noScreen struct{}

func (noScreen) Flush(*screen.Grid, screen.Cause)  {}
func (noScreen) WriteString(s string) (int, error) { return len(s), nil }

func TestWorkWaitsForTheFirstFrame(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(f *firstFrame, cancel func())
		want time.Duration
	}{
		{"no frame", func(*firstFrame, func()) {}, framePatience},
		{"a frame", func(f *firstFrame, _ func()) {
			time.Sleep(20 * time.Millisecond)
			to := f.on(noScreen{})
			to.Flush(nil, screen.Key)
			to.Flush(nil, screen.Key)
		}, 20*time.Millisecond + frameLead},
		{"the end", func(_ *firstFrame, cancel func()) {
			time.Sleep(time.Millisecond)
			cancel()
		}, time.Millisecond},
		{"closed", func(f *firstFrame, _ func()) { f.shown() }, frameLead},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				f, began := newFirstFrame(), time.Now()
				go c.do(f, cancel)
				f.wait(ctx)
				if got := time.Since(began); got != c.want {
					t.Errorf("waited %s, want %s", got, c.want)
				}
				f.wait(t.Context())
			})
		})
	}
}

// hanging counts requests and answers none.
type hanging struct{ n atomic.Int64 }

func (a *hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	a.n.Add(1)
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestNothingIsAskedBeforeTheFirstFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := &hanging{}
		b, err := New(Options{
			Config: parse(t, twoOfOneRepository), Private: true, Stateless: true, Transport: requests,
			Lookup: func(string) (string, bool) { return "token", true },
		})
		if err != nil {
			t.Fatal(err)
		}
		to := b.first.on(noScreen{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			b.poll(ctx)
		}()
		time.Sleep(framePatience / 2)
		synctest.Wait()
		if n := requests.n.Load(); n != 0 {
			t.Errorf("%d requests before the first frame", n)
		}
		to.Flush(nil, screen.Data)
		time.Sleep(frameLead)
		synctest.Wait()
		if b.engine == nil || len(b.store.Snapshot().Feeds) == 0 {
			t.Fatal("the board has no feeds")
		}
		busy := requests.n.Load()
		for _, f := range b.store.Snapshot().Feeds {
			busy += int64(f.Health.Failures)
		}
		if busy == 0 {
			t.Error("no feed was read after the first frame")
		}
		cancel()
		<-ended
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}
