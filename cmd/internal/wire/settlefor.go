package wire

import (
	"context"
	"slices"

	"example.com/signalbox/sources/httpx"
	"example.com/signalbox/sources/poll"
	"example.com/signalbox/sources/store"
)

// SettleFor is Settle of those feeds alone that wants wants: a command about one service spends no other's
// requests. urgent lets it spend what is kept from polling: a person is about to act. It is called before
// anything else has asked the sources.
func (b *Board) SettleFor(ctx context.Context, urgent bool, wants func(store.FeedKey) bool) *store.Snapshot {
	b.mu.Lock()
	feeds := slices.DeleteFunc(feedsOf(b.config, b.open, b.watched), func(f poll.Feed) bool { return !wants(f.Key) })
	b.mu.Unlock()
	b.engine.Set(feeds)
	if urgent {
		ctx = httpx.Urgent(ctx)
	}
	return b.Settle(ctx)
}
