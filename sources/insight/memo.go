package insight

import (
	"slices"
	"sync"
	"time"

	"example.com/signalbox/sources/store"
)

// Memo remembers what was derived from the newest snapshots, so that all who ask for the same share one
// derivation, and so that it can be made beside the program's loop, before anybody asks: see Warm. An answer
// holds until the Key of its feeds or the minute changes.
//
// It is safe for concurrent use, and nobody waits for another's derivation: at worst a thing is derived
// twice. The nil Memo derives each time. Answers are shared and read only.
type Memo struct {
	mu    sync.Mutex
	last  *store.Snapshot
	asked []*question
}

// subject is what a question asks for.
type subject uint8

const (
	askProblems subject = iota
	askHealths
	askBehaviour
)

// question is something that was asked for, with its newest answers.
type question struct {
	about   subject
	view    View      // of askProblems
	answers [2]answer // the newest first
	// idle counts the answers that were made by Warm since anybody asked.
	idle int
}

type answer struct {
	key      Key
	minute   time.Time
	problems []Problem
	tally    Tally
	healths  map[string]Health
	behaves  Behaviour
}

// tooIdle is how many answers are made for nobody before a question is forgotten.
const tooIdle = 3

// Problems is the function Problems, as of the minute of now.
func (m *Memo) Problems(s *store.Snapshot, v View, now time.Time) []Problem {
	if m == nil {
		return Problems(s, v, now)
	}
	return m.ask(askProblems, View{Whose: v.Whose, Follow: v.Follow}, s, now).problems
}

// Tally counts what Problems lists.
func (m *Memo) Tally(s *store.Snapshot, v View, now time.Time) Tally {
	if m == nil {
		return tally(Problems(s, v, now), now)
	}
	return m.ask(askProblems, View{Whose: v.Whose, Follow: v.Follow}, s, now).tally
}

// Healths is the function Healths, as of the minute of now.
func (m *Memo) Healths(s *store.Snapshot, now time.Time) map[string]Health {
	if m == nil {
		return Healths(s, now)
	}
	return m.ask(askHealths, View{}, s, now).healths
}

// Behaviour is the function BehaviourOf, as of the minute of now. It is for the program's loop alone: Warm
// makes it and does not touch it again.
func (m *Memo) Behaviour(s *store.Snapshot, now time.Time) Behaviour {
	if m == nil {
		return BehaviourOf(s, now)
	}
	return m.ask(askBehaviour, View{}, s, now).behaves
}

// Deployments is the function DeriveDeployments, with the health of the minute of now.
func (m *Memo) Deployments(s *store.Snapshot, v View, day, now time.Time) Deployments {
	return deployments(s, v, day, m.Healths(s, now))
}

// Troubles is the function Troubles, as of the minute of now.
func (m *Memo) Troubles(s *store.Snapshot, p *Pipelines, d *Deployments, now time.Time) []Trouble {
	if m == nil {
		return Troubles(s, p, d)
	}
	return troubles(s, m.Problems(s, View{}, now), p, d)
}

// Warm derives from s, for the minute of now, what has been asked for lately. With a nil s it does so from
// the snapshot that it was called with last: a minute began.
func (m *Memo) Warm(s *store.Snapshot, now time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	if s != nil {
		m.last = s
	}
	s = m.last
	m.asked = slices.DeleteFunc(m.asked, func(q *question) bool { return q.idle >= tooIdle })
	all := slices.Clone(m.asked)
	m.mu.Unlock()
	if s == nil {
		return
	}
	for _, q := range all {
		if _, ok := m.known(q, s, now); !ok {
			m.keep(q, q.answer(s, now), false)
		}
	}
}

func (m *Memo) ask(about subject, v View, s *store.Snapshot, now time.Time) answer {
	q := m.question(about, v)
	a, ok := m.known(q, s, now)
	if !ok {
		a = q.answer(s, now)
		m.keep(q, a, true)
	}
	return a
}

// question is the one that is kept, made when it is new; it is being used.
func (m *Memo) question(about subject, v View) *question {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, q := range m.asked {
		if q.about == about && q.view == v {
			q.idle = 0
			return q
		}
	}
	q := &question{about: about, view: v}
	m.asked = append(m.asked, q)
	return q
}

func (m *Memo) known(q *question, s *store.Snapshot, now time.Time) (answer, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	minute := now.Truncate(time.Minute)
	for _, a := range q.answers {
		if a.minute.Equal(minute) && a.key.Holds(s, q.feeds()...) {
			return a, true
		}
	}
	return answer{}, false
}

func (m *Memo) keep(q *question, a answer, used bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	q.answers = [2]answer{a, q.answers[0]}
	if q.idle++; used {
		q.idle = 0
	}
}

func (q *question) feeds() []store.Capability {
	switch q.about {
	case askHealths:
		return HealthFeeds()
	case askBehaviour:
		return ChartFeeds()
	case askProblems:
	}
	return ProblemFeeds()
}

// answer derives; it only reads what never changes of q.
func (q *question) answer(s *store.Snapshot, now time.Time) answer {
	a := answer{key: KeyOf(s, q.feeds()...), minute: now.Truncate(time.Minute)}
	switch q.about {
	case askHealths:
		a.healths = Healths(s, now)
	case askBehaviour:
		a.behaves = BehaviourOf(s, now)
	case askProblems:
		a.problems = Problems(s, q.view, now)
		a.tally = tally(a.problems, now)
	}
	return a
}
