// Package crash keeps the panic of one goroutine from ending the process on the spot, which would leave the
// terminal as the board had it. Whoever owns the terminal hands in a Handler; every goroutine that the
// product starts runs under it.
package crash

import (
	"fmt"
	"runtime/debug"
)

// Panic is a panic and where it came from. Both may hold credentials: redact them before they are shown.
type Panic struct {
	Value any
	Stack []byte
}

func (p *Panic) Error() string { return fmt.Sprintf("signalbox crashed: %v", p.Value) }

// Handler is told of a panic, on the goroutine that panicked. It must not block. Under a nil Handler panics
// are the process's end, as ever.
type Handler func(*Panic)

// Run calls f, and the handler when f panics.
func (h Handler) Run(f func()) {
	if h != nil {
		defer func() {
			if v := recover(); v != nil {
				h(Caught(v))
			}
		}()
	}
	f()
}

// Go runs f on a goroutine of its own.
func (h Handler) Go(f func()) { go h.Run(f) }

// Caught makes a Panic of what recover returned, which may be one already. Call it in the deferred function
// that recovered.
func Caught(v any) *Panic {
	if p, ok := v.(*Panic); ok {
		return p
	}
	return &Panic{v, debug.Stack()}
}
