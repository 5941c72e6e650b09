package insight

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// next is s with new generations.
func next(s *store.Snapshot) *store.Snapshot {
	out := *s
	out.Feeds = append([]store.Feed(nil), s.Feeds...)
	for i := range out.Feeds {
		out.Feeds[i].Generation++
	}
	return &out
}

// one is the address of the first problem: the same while nothing is derived anew.
func one(ps []Problem) *Problem { return &ps[0] }

func TestAMemoAnswersAsTheFunctionsDo(t *testing.T) {
	t.Parallel()
	s := crowd(30, 60, 20)
	var none *Memo
	var m Memo
	day := now.Add(-time.Hour)
	for name, memo := range map[string]*Memo{"none": none, "fresh": &m, "again": &m} {
		for _, v := range []View{{}, {Whose: All}, {Whose: Mine}, {Follow: "service-3"}} {
			if got := memo.Problems(s, v, now); told(got) != told(Problems(s, v, now)) {
				t.Errorf("%s: %+v has other problems", name, v)
			}
			if got, want := memo.Tally(s, v, now), tally(Problems(s, v, now), now); got != want {
				t.Errorf("%s: %+v has the tally %+v, want %+v", name, v, got, want)
			}
		}
		if !reflect.DeepEqual(memo.Healths(s, now), Healths(s, now)) {
			t.Errorf("%s: other healths", name)
		}
		if !reflect.DeepEqual(memo.Behaviour(s, now).Charts("service-3"), Charts(s, "service-3", now)) {
			t.Errorf("%s: other charts", name)
		}
		if got := memo.Deployments(s, View{}, day, s.At); !reflect.DeepEqual(got, DeriveDeployments(s, View{}, day)) {
			t.Errorf("%s: other lanes", name)
		}
		for _, v := range []View{{}, {Whose: All}, {Follow: "service-3"}} {
			if got := memo.Pipelines(s, v, now); !reflect.DeepEqual(got, DerivePipelines(s, v, now)) {
				t.Errorf("%s: %+v has other pipelines", name, v)
			}
			for _, day := range []time.Time{day, day.Add(24 * time.Hour)} {
				if got := memo.Deployments(s, v, day, s.At); !reflect.DeepEqual(got, DeriveDeployments(s, v, day)) {
					t.Errorf("%s: %+v has other lanes", name, v)
				}
			}
		}
		for i, q := range Problems(s, View{Whose: All}, now) {
			if memo == nil && i > 2 {
				break // it derives each time
			}
			for _, m := range q.Members {
				if got := memo.Problem(s, m.Incident.Ref, now); got == nil || got.Incident.Ref != q.Incident.Ref {
					t.Fatalf("%s: %v is not found in its problem", name, m.Incident.Ref)
				}
			}
			if got, want := memo.Like(s, &q, now), Like(s, &q); len(got) != q.Seen || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %d like %v, want %d", name, len(got), q.Incident.Ref, len(want))
			}
		}
		if memo.Problem(s, sources.Ref{ID: "unknown"}, now) != nil {
			t.Errorf("%s: a problem that nothing tells of", name)
		}
		var p Pipelines
		var d Deployments
		if got, want := len(memo.Troubles(s, &p, &d, now)), len(Troubles(s, &p, &d)); got != want {
			t.Errorf("%s: %d troubles, want %d", name, got, want)
		}
	}
}

func TestAMemoDerivesOnceForAMinute(t *testing.T) {
	t.Parallel()
	s := crowd(30, 60, 20)
	var m Memo
	first := one(m.Problems(s, View{}, now))
	if one(m.Problems(s, View{}, now.Add(time.Second))) != first {
		t.Error("the same minute is derived again")
	}
	healthy := *s
	healthy.Feeds = append([]store.Feed(nil), s.Feeds...)
	healthy.Feeds[0].Health.State = store.Failing
	if one(m.Problems(&healthy, View{}, now)) != first {
		t.Error("a feed's health makes it derive again")
	}
	if one(m.Problems(s, View{}, now.Add(time.Minute))) == first {
		t.Error("another minute has the answer of the one before")
	}
	if one(m.Problems(next(s), View{}, now)) == first {
		t.Error("other data has the answer of the data before")
	}
}

func TestAMemoIsWarmForWhatIsAsked(t *testing.T) {
	t.Parallel()
	s := crowd(30, 60, 20)
	var m Memo
	m.Warm(nil, now) // knows nothing yet
	old := one(m.Problems(s, View{}, now))
	for range 2 * tooIdle { // asked each time: it stays warm
		s = next(s)
		m.Warm(s, now)
		made := one(m.asked[0].answers[0].problems)
		if got := one(m.Problems(s, View{}, now)); got == old || got != made {
			t.Fatal("what was asked for is not warm")
		}
	}
	for _, q := range m.asked { // what a key shows instead
		if q.about != askProblems || q.answers[0].problems == nil {
			t.Errorf("the view %+v is not warm", q.view)
		}
	}
	if len(m.asked) != 3 {
		t.Errorf("%d views are warm, want 3", len(m.asked))
	}
	m.Warm(nil, now.Add(time.Minute))
	if made := one(m.asked[0].answers[0].problems); one(m.Problems(s, View{}, now.Add(time.Minute))) != made {
		t.Error("a minute that begins is not warm")
	}
	m.Healths(s, now)
	for range tooIdle + 1 { // nobody asks any more
		s = next(s)
		m.Warm(s, now)
	}
	if n := len(m.asked); n != 0 {
		t.Errorf("%d questions are answered for nobody", n)
	}
	if got := m.Problems(s, View{}, now); len(got) == 0 {
		t.Error("what was forgotten is not derived when it is asked for")
	}
}

func TestAMemoIsForMany(t *testing.T) {
	t.Parallel()
	s := crowd(10, 10, 10)
	var m Memo
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			at := s
			for range 10 {
				at = next(at)
				if i%2 == 0 {
					m.Warm(at, now)
				}
				if len(m.Problems(at, View{}, now)) != len(m.Problems(s, View{}, now)) || len(m.Healths(at, now)) == 0 {
					t.Error("answers differ")
				}
				if p := m.Problems(at, View{Follow: "service-3"}, now); len(m.Like(at, &p[0], now)) != p[0].Seen {
					t.Error("others are like it")
				}
				if len(m.Behaviour(at, now).Charts("service-3").Charts) != len(Charts(s, "service-3", now).Charts) {
					t.Error("charts differ")
				}
			}
		})
	}
	all.Wait()
}
