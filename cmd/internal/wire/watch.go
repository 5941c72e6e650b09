package wire

import (
	"context"
	"time"

	"example.com/signalbox/ui/pane"
)

// watchRest is for how long a cursor must rest before its service's metrics are read: whoever runs down a
// list does not ask for each.
const watchRest = 300 * time.Millisecond

// watch hands w to attendTo; an older one that was not taken is gone.
func (b *Board) watch(w pane.Watch) {
	for {
		select {
		case b.watches <- w:
			return
		default:
		}
		select {
		case <-b.watches:
		default:
		}
	}
}

// attendTo reads the metrics of what the board looks at more often, and as fine as its charts, until ctx
// ends.
func (b *Board) attendTo(ctx context.Context) {
	rest := time.NewTimer(watchRest)
	rest.Stop()
	defer rest.Stop()
	var latest pane.Watch
	for {
		select {
		case <-ctx.Done():
			return
		case latest = <-b.watches:
			rest.Reset(watchRest)
		case <-rest.C:
			b.mu.Lock()
			b.watched = latest
			feeds := feedsOf(b.config, b.open, latest)
			b.mu.Unlock()
			b.engine.Adjust(feeds)
		}
	}
}
