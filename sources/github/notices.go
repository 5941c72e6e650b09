package github

import (
	"slices"
	"strings"
	"sync"

	"example.com/signalbox/sources"
)

// noticeBox gathers notices from several goroutines, each once.
type noticeBox struct {
	mu  sync.Mutex
	all []sources.Notice
}

func (b *noticeBox) add(ns ...sources.Notice) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range ns {
		if !slices.Contains(b.all, n) {
			b.all = append(b.all, n)
		}
	}
}

// list is what was gathered, in an order that does not depend on who was first.
func (b *noticeBox) list() []sources.Notice {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := slices.Clone(b.all)
	slices.SortFunc(out, func(x, y sources.Notice) int {
		return strings.Compare(x.Scope+x.Text.String(), y.Scope+y.Text.String())
	})
	return out
}
