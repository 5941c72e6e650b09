package cli

import (
	"sync"
	"time"

	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/pane"
)

// lasts is for how long something goes on before it is told while it does: what ends sooner is told by its
// outcome alone.
const lasts = time.Second

// narrator tells what is under way, on the error stream: each word on it once.
type narrator struct {
	p     *performer
	tales map[tale]*news
}

// tale is an action, or the guard after it.
type tale struct {
	plan  string
	guard bool
}

// news is the newest word on one, and the last that was told.
type news struct {
	text, told clean.Text
	url        string
	since      time.Time
	at         time.Time
}

// narrate tells what is under way as it goes on. stop ends that, and returns when nothing is said any more.
func (p *performer) narrate() (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		n := narrator{p, map[tale]*news{}}
		tick := time.NewTicker(lasts / 4)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case list := <-p.board.Operations():
				for i := range list {
					n.hear(&list[i])
				}
			case <-tick.C:
				n.tell(time.Now())
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}

// hear takes what became of an operation. What the plan has said already, and what the outcome will say, is
// no news.
func (n *narrator) hear(o *pane.Operation) {
	key := tale{o.Plan, o.Guard}
	if o.Ended() {
		delete(n.tales, key)
		return
	}
	x := n.tales[key]
	if x == nil {
		x = &news{since: time.Now()}
		n.tales[key] = x
	}
	if o.Step == action.Sending || o.Text.IsZero() || o.Text == x.text {
		return
	}
	x.text, x.url, x.at = o.Text, o.URL, o.At
}

func (n *narrator) tell(now time.Time) {
	for _, x := range n.tales {
		if x.text == x.told || now.Sub(x.since) < lasts {
			continue
		}
		url := ""
		if x.told.IsZero() && x.url != "" {
			url = "  " + clean.Line(x.url).String()
		}
		x.told = x.text
		n.p.say("%s %s%s\n", x.at.Local().Format(time.TimeOnly), x.text, url)
	}
}
