package crash_test

import (
	"strings"
	"testing"

	"example.com/signalbox/sources/crash"
)

func explode() { panic("boom") }

func TestHandler(t *testing.T) {
	t.Parallel()
	caught := make(chan *crash.Panic, 1)
	h := crash.Handler(func(p *crash.Panic) { caught <- p })
	h.Go(explode)
	p := <-caught
	if p.Value != "boom" || !strings.Contains(string(p.Stack), "explode") || p.Error() != "signalbox crashed: boom" {
		t.Errorf("caught %v at\n%s", p, p.Stack)
	}
	h.Run(func() { panic(p) })
	if again := <-caught; again != p {
		t.Errorf("a panic that was passed on came as %v", again)
	}
	h.Run(func() {})
	if len(caught) > 0 {
		t.Error("the handler was told of nothing")
	}
}

func TestNilHandlerLetsPass(t *testing.T) {
	t.Parallel()
	defer func() {
		if v := recover(); v != "boom" {
			t.Errorf("recovered %v", v)
		}
	}()
	crash.Handler(nil).Run(explode)
}
