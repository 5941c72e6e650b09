package insight

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// Duty is who is on call, until when, and who comes then.
type Duty struct {
	Shift *sources.Shift // the one that lasts
	Feed  int            // the index of its feed in the snapshot
	Who   sources.Person
	Mine  bool
	// Until is when the turn ends: turns of one person that follow each other are one. Zero: not known.
	Until time.Time
	// Then takes over, at From, which is after Until when nobody is on call between them. nil: not known.
	Then *sources.Person
	From time.Time
}

// OnCall lists who is on call at now: mine first, then the lower step of the escalation, then whoever is
// paged for the services that stand first in the config. Team leaves out who is paged for other teams'
// services alone, Mine whoever is not me; following a service leaves out who is not paged for it. A shift
// that names no service belongs to all of them. What two systems tell of one person is one Duty, unless
// they differ.
func OnCall(s *store.Snapshot, v View, now time.Time) []Duty {
	var out []Duty
	place := make(map[string]int, len(s.Catalog.Services))
	for i := range s.Catalog.Services {
		place[s.Catalog.Services[i].Name] = i - len(s.Catalog.Services)
	}
	for i := range s.Feeds {
		f := &s.Feeds[i]
		for k := range f.Shifts {
			if sh := &f.Shifts[k]; lasts(sh, now) && shiftAdmitted(s.Catalog, v, sh) {
				d := Duty{Shift: sh, Feed: i, Who: sh.Who, Mine: sh.Mine}
				d.look(f.Shifts)
				out = append(out, d)
			}
		}
	}
	first := func(sh *sources.Shift) int {
		best := 0
		for _, name := range sh.Services {
			best = min(best, place[name])
		}
		return best
	}
	slices.SortStableFunc(out, func(a, b Duty) int {
		x, y := a.Shift, b.Shift
		return cmp.Or(cmp.Compare(b2i(b.Mine), b2i(a.Mine)), cmp.Compare(x.Level, y.Level), cmp.Compare(first(x), first(y)),
			strings.Compare(x.Policy.String(), y.Policy.String()), compareRefs(x.Ref, y.Ref))
	})
	kept := out[:0]
	for i := range out {
		if !slices.ContainsFunc(kept, func(d Duty) bool { return d.says(&out[i]) }) {
			kept = append(kept, out[i])
		}
	}
	return kept
}

// says reports that o tells nothing that d does not: the same turn once more, or another system's view of
// the same person on the same step, which knows of no other end and no other services.
func (d *Duty) says(o *Duty) bool {
	if d.Feed == o.Feed {
		return d.Who.ID == o.Who.ID && sameTurn(d.Shift, o.Shift)
	}
	same := d.Mine && o.Mine || !d.Who.Login.IsZero() && d.Who.Login == o.Who.Login || d.Who.Name == o.Who.Name
	if !same || d.Shift.Level != o.Shift.Level || !o.Until.IsZero() && !o.Until.Equal(d.Until) {
		return false
	}
	return !slices.ContainsFunc(o.Shift.Services, func(name string) bool { return !slices.Contains(d.Shift.Services, name) })
}

// lasts reports that sh is on at now: from its start on, and no more at its end.
func lasts(sh *sources.Shift, now time.Time) bool {
	return !sh.Start.After(now) && (sh.End.IsZero() || sh.End.After(now))
}

func shiftAdmitted(c *store.Catalog, v View, sh *sources.Shift) bool {
	if v.Whose == Mine && !sh.Mine {
		return false
	}
	if len(sh.Services) == 0 || v.Follow == "" && (v.Whose == All || sh.Mine) {
		return true
	}
	return slices.ContainsFunc(sh.Services, func(name string) bool {
		svc := c.Service(name)
		return name == v.Follow || v.Follow == "" && (svc == nil || svc.Team == "")
	})
}

// sameTurn reports that a and b are turns at one place: one hands over to the other.
func sameTurn(a, b *sources.Shift) bool {
	return a.Level == b.Level && a.Policy == b.Policy && a.Schedule == b.Schedule
}

// look finds the end of the person's turn in the shifts of the feed, and who comes after it.
func (d *Duty) look(shifts []sources.Shift) {
	d.Until = d.Shift.End
	for range shifts { // each shift extends the turn at most once
		if d.Until.IsZero() {
			return
		}
		var next *sources.Shift
		for i := range shifts {
			sh := &shifts[i]
			later := sh.End.IsZero() || sh.End.After(d.Until)
			if sameTurn(sh, d.Shift) && later && !sh.Start.IsZero() && sh.Start.After(d.Shift.Start) && (next == nil || sh.Start.Before(next.Start)) {
				next = sh
			}
		}
		if next == nil {
			return
		}
		if next.Who.ID != d.Who.ID || next.Start.After(d.Until) {
			d.Then, d.From = &next.Who, latest(next.Start, d.Until)
			return
		}
		d.Until = next.End
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// PageKind says in which way a problem will page.
type PageKind uint8

// The kinds of page to come.
const (
	NoPage    PageKind = iota
	Escalates          // nobody takes it: the next step is paged
	Repages            // it is acknowledged, and will be triggered again
)

// NextPage is what pages next for a problem, unless somebody does something.
type NextPage struct {
	Kind  PageKind
	At    time.Time
	In    time.Duration // until At; 0 when that has passed and the provider has not said so yet
	Who   []sources.Person
	There time.Time // now, by the clock of the first of Who; zero when their time zone is unknown
	// Incident is the member that pages.
	Incident *sources.Incident
}

// PagesNext is who is paged next for p, and when: the soonest of what its open incidents announce, and
// those of the problems folded in it.
func PagesNext(p *Problem, now time.Time) NextPage {
	n := pagesNext(p)
	if n.Kind == NoPage {
		return n
	}
	n.In = max(0, n.At.Sub(now))
	if len(n.Who) == 0 {
		return n
	}
	z := p.zone
	if name := n.Who[0].Zone; z.name != name {
		z = zone{name, loadZone(name)}
	}
	if z.place != nil {
		n.There = now.In(z.place)
	}
	return n
}

// zone is a time zone that was looked up; place is nil when there is none of that name.
type zone struct {
	name  string
	place *time.Location
}

// pagesNext is PagesNext without what depends on the clock.
func pagesNext(p *Problem) NextPage {
	var n NextPage
	for i := range p.Inside {
		if o := pagesNext(&p.Inside[i]); o.Kind != NoPage && (n.Kind == NoPage || o.At.Before(n.At)) {
			n = o
		}
	}
	if p.Inside != nil {
		return n
	}
	for i := range p.Members {
		in := p.Members[i].Incident
		if in == nil {
			continue
		}
		kind, at := NoPage, time.Time{}
		switch in.State {
		case sources.Triggered:
			kind, at = Escalates, in.EscalatesAt
		case sources.Acknowledged:
			kind, at = Repages, in.RepagesAt
		case sources.Resolved:
		}
		if !at.IsZero() && (n.Kind == NoPage || at.Before(n.At)) {
			n = NextPage{Kind: kind, At: at, Incident: in}
		}
	}
	switch n.Kind {
	case Escalates:
		n.Who = n.Incident.Next
	case Repages: // whom it is assigned to
		n.Who = n.Incident.Assignees
	case NoPage:
	}
	return n
}

// loadZone is the place that an IANA name stands for, from the time zone database; nil when it has none.
// "Local" would be this machine's zone and "" is UTC to package time: neither is a person's.
func loadZone(name string) *time.Location {
	if name == "" || name == "Local" {
		return nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return loc
}
