// Package world is what is true in the simulator: users, repositories, pipelines, deployments, what
// runs where, how it behaves, who is paged. It speaks no wire format and does no I/O.
//
// A World moves by events on a queue. RunUntil takes them in the order of their time, and of their
// making where times are equal, so that one seed and one order of calls give one course of things. A
// World is not safe for use by several goroutines: its owner holds a lock.
package world

import (
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"
)

// World is everything there is.
type World struct {
	Seed    int64
	Opening time.Time // the moment at which the story opens

	// Gen grows with every change of anything; Repo.Gen with every change of a repository.
	Gen uint64

	Users     []*User
	Repos     []*Repo
	Services  []*Service
	Monitors  []*Monitor
	Downtimes []*Downtime // oldest first
	SLOs      []*SLO
	Incidents []*Incident // oldest first
	Teams     []*Team
	Schedules []*Schedule
	Policies  []*Policy
	Flags     []Flag
	Changes   []*ChangeEvent // in the order of their filing
	Load      bool           // made for measurements, not the story
	Size      Scale          // of a load
	Orgs      []*Org
	Rest      bool // nobody begins anything by himself

	now    time.Time
	queue  queue
	seq    uint64
	rng    *rand.Rand
	bad    map[string]bool // SHAs that hurt where they run
	ids    map[idKind]int64
	alerts int               // so many were ever made
	groups map[string]*group // concurrency groups by "repository/name"
}

type idKind uint8

const (
	idUser idKind = iota
	idRepo
	idWorkflow
	idRun
	idJob
	idSuite
	idDeployment
	idStatus
	idEnvironment
	idRelease
	idRunner
	idOrg
	idMonitor
)

// firstIDs keeps the kinds apart, so that an identity of one kind never works as another's.
func firstIDs() map[idKind]int64 {
	return map[idKind]int64{
		idUser: 1_200_000, idRepo: 512_000_000, idWorkflow: 84_000_000, idRun: 19_400_000_000, idJob: 54_600_000_000,
		idSuite: 47_300_000_000, idDeployment: 3_310_000_000, idStatus: 6_420_000_000, idEnvironment: 9_870_000_000,
		idRelease: 261_000_000, idRunner: 20, idOrg: 7_300_000, idMonitor: 148_302_000,
	}
}

func empty(seed int64, opening, genesis time.Time) *World {
	return &World{
		Seed: seed, Opening: opening.UTC(), now: genesis.UTC(),
		rng: rand.New(rand.NewPCG(uint64(seed), 0x51671a1b0c5)), //nolint:gosec // a story, not a secret
		ids: firstIDs(), groups: map[string]*group{}, bad: map[string]bool{},
	}
}

// Now is the world's time.
func (w *World) Now() time.Time { return w.now }

// RunUntil lets everything happen that is due by t, in order. A t in the past does nothing.
func (w *World) RunUntil(t time.Time) {
	for len(w.queue) > 0 && !w.queue[0].at.After(t) {
		e, _ := heap.Pop(&w.queue).(event)
		w.now = e.at
		e.do()
	}
	if t.After(w.now) {
		w.now = t
	}
}

// at makes do happen at t; at once, in the order of the queue, when t has passed.
func (w *World) at(t time.Time, do func()) {
	if t.Before(w.now) {
		t = w.now
	}
	w.seq++
	heap.Push(&w.queue, event{at: t, seq: w.seq, do: do})
}

func (w *World) after(d time.Duration, do func()) { w.at(w.now.Add(d), do) }

func (w *World) id(k idKind) int64 {
	w.ids[k]++
	return w.ids[k]
}

func (w *World) touch(r *Repo) {
	w.Gen++
	if r != nil {
		r.Gen++
	}
}

// between draws a duration from [lo, hi), whole seconds.
func (w *World) between(lo, hi time.Duration) time.Duration {
	return lo + time.Duration(w.rng.Int64N(int64((hi-lo)/time.Second)))*time.Second
}

func (w *World) chance(p float64) bool { return w.rng.Float64() < p }

// digest is a fingerprint of parts under the world's seed: the source of everything that must look
// drawn, and yet depends on nothing but its name.
func (w *World) digest(parts ...any) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%d%q", w.Seed, fmt.Sprint(parts...)))
}

// unit is a number in [0, 1) that depends on the seed and parts alone.
func (w *World) unit(parts ...any) float64 {
	d := w.digest(parts...)
	return float64(binary.BigEndian.Uint64(d[:8])>>11) / (1 << 53)
}

// sha makes a commit's SHA of 40 digits that starts with prefix.
func (w *World) sha(prefix string, parts ...any) string {
	d := w.digest(parts...)
	return (prefix + hex.EncodeToString(d[:]))[:40]
}

type event struct {
	at  time.Time
	seq uint64
	do  func()
}

type queue []event

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].seq < q[j].seq
	}
	return q[i].at.Before(q[j].at)
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any) {
	if e, ok := x.(event); ok {
		*q = append(*q, e)
	}
}
func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*q = old[:len(old)-1]
	return e
}
