package insight

import (
	"slices"
	"sync"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// Memo remembers what was derived from the newest snapshots, so that all who ask for the same share one
// derivation, and so that it can be made beside the program's loop, before anybody asks: see Warm. An answer
// holds until the Key of its feeds or the minute changes.
//
// It is safe for concurrent use, and nobody waits for another's derivation: at worst a thing is derived
// twice. The nil Memo derives each time. Answers are shared and read only.
type Memo struct {
	mu     sync.Mutex
	last   *store.Snapshot
	asked  []*question
	scenes [2]sceneAt // the newest first
}

// sceneAt is a scene and what it is of.
type sceneAt struct {
	key    Key
	minute time.Time
	scene  *scene
}

// subject is what a question asks for.
type subject uint8

const (
	askProblems subject = iota
	askHealths
	askBehaviour
	askPipelines
	askDeployments
	askWhere
)

// question is something that was asked for, with its newest answers.
type question struct {
	about   subject
	view    View      // of askProblems, askPipelines and askDeployments
	day     time.Time // of askDeployments
	answers [2]answer // the newest first
	// idle counts the answers that were made by Warm since anybody asked.
	idle int
}

type answer struct {
	key         Key
	minute      time.Time
	problems    []Problem
	tally       Tally
	healths     map[string]Health
	behaves     Behaviour
	pipelines   Pipelines
	deployments Deployments
	where       map[sources.Ref]*Problem
}

// tooIdle is how many answers are made for nobody before a question is forgotten.
const tooIdle = 3

// Problems is the function Problems, as of the minute of now.
func (m *Memo) Problems(s *store.Snapshot, v View, now time.Time) []Problem {
	if m == nil {
		return Problems(s, v, now)
	}
	return m.ask(question{about: askProblems, view: View{Whose: v.Whose, Follow: v.Follow}}, s, now).problems
}

// Tally counts what Problems lists.
func (m *Memo) Tally(s *store.Snapshot, v View, now time.Time) Tally {
	if m == nil {
		return tally(Problems(s, v, now), now)
	}
	return m.ask(question{about: askProblems, view: View{Whose: v.Whose, Follow: v.Follow}}, s, now).tally
}

// Problem is the one that an incident, or a monitor that nobody is paged for, tells of, whatever the view; nil
// when there is none. It is no storm: of those it is the one in it.
func (m *Memo) Problem(s *store.Snapshot, ref sources.Ref, now time.Time) *Problem {
	if m == nil {
		return sceneOf(s, now).where()[ref]
	}
	return m.ask(question{about: askWhere}, s, now).where[ref]
}

// Like is the function Like.
func (m *Memo) Like(s *store.Snapshot, p *Problem, now time.Time) []*sources.Incident {
	if m == nil {
		return Like(s, p)
	}
	return m.scene(s, now).facts.about(p.Service).like(p)
}

// Healths is the function Healths, as of the minute of now.
func (m *Memo) Healths(s *store.Snapshot, now time.Time) map[string]Health {
	if m == nil {
		return Healths(s, now)
	}
	return m.ask(question{about: askHealths}, s, now).healths
}

// Behaviour is the function BehaviourOf, as of the minute of now.
func (m *Memo) Behaviour(s *store.Snapshot, now time.Time) Behaviour {
	if m == nil {
		return BehaviourOf(s, now)
	}
	return m.ask(question{about: askBehaviour}, s, now).behaves
}

// Pipelines is the function DerivePipelines, as of the minute of now.
func (m *Memo) Pipelines(s *store.Snapshot, v View, now time.Time) Pipelines {
	if m == nil {
		return DerivePipelines(s, v, now)
	}
	return m.ask(question{about: askPipelines, view: v}, s, now).pipelines
}

// Deployments is the function DeriveDeployments, with the health of the minute of now.
func (m *Memo) Deployments(s *store.Snapshot, v View, day, now time.Time) Deployments {
	if m == nil {
		return deployments(s, v, day, Healths(s, now))
	}
	return m.ask(question{about: askDeployments, view: v, day: day}, s, now).deployments
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
			m.keep(q, m.answer(q, s, now), false)
		}
	}
}

func (m *Memo) ask(about question, s *store.Snapshot, now time.Time) answer {
	q := m.question(about)
	a, ok := m.known(q, s, now)
	if !ok {
		a = m.answer(q, s, now)
		m.keep(q, a, true)
	}
	return a
}

// question is the one that is kept, made when it is new; it is being used. Who asks for the problems of one view
// has the others a key away: they are kept with it, so that Warm makes them too.
func (m *Memo) question(about question) *question {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := m.use(about)
	if about.about == askProblems {
		for _, whose := range [...]Whose{Team, Mine, All} {
			about.view.Whose = whose
			m.use(about)
		}
	}
	return kept
}

// use is the question that is kept, made when it is new. The caller holds mu.
func (m *Memo) use(about question) *question {
	for _, q := range m.asked {
		if q.about == about.about && q.view == about.view && q.day.Equal(about.day) {
			q.idle = 0
			return q
		}
	}
	m.asked = append(m.asked, &about)
	return &about
}

// scene is that of s, made when it is not known.
func (m *Memo) scene(s *store.Snapshot, now time.Time) *scene {
	minute := now.Truncate(time.Minute)
	m.mu.Lock()
	for i := range m.scenes {
		if at := &m.scenes[i]; at.minute.Equal(minute) && at.key.Holds(s, sceneFeeds()...) {
			defer m.mu.Unlock()
			return at.scene
		}
	}
	m.mu.Unlock()
	made := sceneAt{KeyOf(s, sceneFeeds()...), minute, sceneOf(s, now)}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.scenes = [2]sceneAt{made, m.scenes[0]}
	return made.scene
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
	case askPipelines:
		return []store.Capability{store.Runs}
	case askDeployments:
		return LaneFeeds()
	case askProblems, askWhere:
	}
	return ProblemFeeds()
}

// answer derives; it only reads what never changes of q.
func (m *Memo) answer(q *question, s *store.Snapshot, now time.Time) answer {
	a := answer{key: KeyOf(s, q.feeds()...), minute: now.Truncate(time.Minute)}
	switch q.about {
	case askHealths:
		a.healths = m.scene(s, now).healths()
	case askBehaviour:
		a.behaves = behaviourOf(m.scene(s, now).facts)
	case askProblems:
		a.problems = m.scene(s, now).problems(q.view)
		a.tally = tally(a.problems, now)
	case askWhere:
		a.where = m.scene(s, now).where()
	case askPipelines:
		a.pipelines = DerivePipelines(s, q.view, now)
	case askDeployments:
		a.deployments = deployments(s, q.view, q.day, m.Healths(s, now))
	}
	return a
}
