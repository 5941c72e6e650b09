package insight

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

func person(id string) sources.Person {
	return sources.Person{ID: id, Name: clean.Line(id), Zone: "Europe/Berlin"}
}

// shift is who's turn from so many hours ago until in so many hours; 0 hours from now is open.
func turn(who string, level int, from, until int, edits ...func(*sources.Shift)) sources.Shift {
	sh := sources.Shift{Ref: sources.Ref{Source: "pd", Kind: sources.KindShift, ID: fmt.Sprint(who, level, from)}, Who: person(who), Level: level,
		Policy: clean.Line("payments"), Start: now.Add(time.Duration(from) * time.Hour)}
	if until != 0 {
		sh.End = now.Add(time.Duration(until) * time.Hour)
	}
	for _, e := range edits {
		e(&sh)
	}
	return sh
}

func TestOnCall(t *testing.T) {
	t.Parallel()
	serves := func(names ...string) func(*sources.Shift) { return func(s *sources.Shift) { s.Services = names } }
	policy := func(name string) func(*sources.Shift) { return func(s *sources.Shift) { s.Policy = clean.Line(name) } }
	me := func(s *sources.Shift) { s.Mine = true }
	always := func(s *sources.Shift) { s.Start = time.Time{} }
	for _, c := range []struct {
		name   string
		view   View
		shifts []sources.Shift
		want   string
	}{
		{"nobody", View{}, nil, ""},
		{"now, and who is next", View{}, []sources.Shift{turn("sre2", 1, 4, 12), turn("sre1", 1, -4, 4), turn("sre3", 1, 12, 20)}, "sre1 +4h then sre2"},
		{"over and to come", View{}, []sources.Shift{turn("sre1", 1, -9, -1), turn("sre2", 1, 1, 3)}, ""},
		{"at the second of handing over", View{}, []sources.Shift{turn("sre1", 1, -4, 0, func(s *sources.Shift) { s.End = now }), {Who: person("sre2"), Level: 1,
			Policy: clean.Line("payments"), Start: now, End: now.Add(time.Hour)}}, "sre2 +1h"},
		{"turns of one person are one", View{}, []sources.Shift{turn("sre1", 1, -4, 4), turn("sre1", 1, 4, 8), turn("sre2", 1, 8, 9)}, "sre1 +8h then sre2"},
		{"a gap", View{}, []sources.Shift{turn("sre1", 1, -4, 4), turn("sre2", 1, 6, 9)}, "sre1 +4h then sre2 from +6h"},
		{"a gap before the same person", View{}, []sources.Shift{turn("sre1", 1, -4, 4), turn("sre1", 1, 6, 9)}, "sre1 +4h then sre1 from +6h"},
		{"somebody overrides a part", View{}, []sources.Shift{turn("sre1", 1, -4, 4), turn("sre2", 1, 2, 9)}, "sre1 +4h then sre2"},
		{"always", View{}, []sources.Shift{turn("boss", 2, -1, 0, always), turn("sre1", 1, -4, 4)}, "sre1 +4h; boss"},
		{"mine first", View{}, []sources.Shift{turn("sre1", 1, -4, 4), turn("me", 2, -4, 4, me)}, "me +4h; sre1 +4h"},
		{"by the order of the config", View{}, []sources.Shift{turn("b", 1, -4, 4, serves("cart"), policy("a")), turn("a", 1, -4, 4, serves("shop"), policy("b"))}, "a +4h; b +4h"},
		{"another policy's next is not mine", View{}, []sources.Shift{turn("a", 1, -4, 4), turn("b", 1, 4, 8, policy("other"))}, "a +4h"},
		{"another team's", View{}, []sources.Shift{turn("a", 1, -4, 4, serves("bank"))}, ""},
		{"another team's, for all", View{Whose: All}, []sources.Shift{turn("a", 1, -4, 4, serves("bank"))}, "a +4h"},
		{"another team's, but me", View{}, []sources.Shift{turn("a", 1, -4, 4, serves("bank"), me)}, "a +4h"},
		{"only mine", View{Whose: Mine}, []sources.Shift{turn("a", 1, -4, 4), turn("b", 1, -4, 4, me)}, "b +4h"},
		{"of the followed service", View{Follow: "cart"}, []sources.Shift{turn("a", 1, -4, 4, serves("shop")), turn("b", 1, -4, 4, serves("cart")), turn("c", 1, -4, 4)}, "b +4h; c +4h"},
		{"two systems tell of one person", View{}, []sources.Shift{turn("a", 1, -4, 4, serves("shop")), turn("a", 1, -9, 0, policy("dd"))}, "a +4h"},
		{"two systems tell of me", View{}, []sources.Shift{turn("a", 1, -4, 4, serves("shop"), me), turn("me", 1, -9, 4, policy("dd"), me)}, "a +4h"},
		{"two systems differ on the end", View{}, []sources.Shift{turn("a", 1, -4, 4, serves("shop")), turn("a", 1, -9, 5, policy("dd"))}, "a +4h; a +5h"},
		{"two systems, two services", View{}, []sources.Shift{turn("a", 1, -4, 4, serves("shop")), turn("a", 1, -9, 0, serves("cart"))}, "a +4h; a"},
		{"two systems, two steps", View{}, []sources.Shift{turn("a", 1, -4, 4, serves("shop")), turn("a", 2, -9, 0)}, "a +4h; a"},
		{"one told twice", View{}, []sources.Shift{turn("a", 1, -4, 4), turn("a", 1, -4, 4)}, "a +4h"},
	} {
		s := world(feed("pd", store.Shifts, func(f *store.Feed) { f.Shifts = c.shifts }))
		var got []string
		if s.Feeds = append(s.Feeds, store.Feed{Key: store.FeedKey{Source: "dd", Capability: store.Shifts}}); strings.HasPrefix(c.name, "two systems") {
			last := len(c.shifts) - 1
			s.Feeds[0].Shifts, s.Feeds[1].Shifts = c.shifts[:last], c.shifts[last:]
		}
		for _, d := range OnCall(s, c.view, now) {
			line := d.Who.ID
			if !d.Until.IsZero() {
				line += " +" + strings.TrimSuffix(d.Until.Sub(now).String(), "0m0s")
			}
			if d.Then != nil {
				line += " then " + d.Then.ID
				if !d.From.Equal(d.Until) {
					line += " from +" + strings.TrimSuffix(d.From.Sub(now).String(), "0m0s")
				}
			}
			got = append(got, line)
		}
		if got := strings.Join(got, "; "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPagesNext(t *testing.T) {
	t.Parallel()
	in := func(d time.Duration) time.Time { return now.Add(d) }
	escalates := func(d time.Duration, who ...sources.Person) incidentEdit {
		return func(i *sources.Incident) { i.EscalatesAt, i.Next = in(d), who }
	}
	again := func(i *sources.Incident) {
		i.State, i.RepagesAt, i.Assignees = sources.Acknowledged, in(19*time.Minute), []sources.Person{person("sre1")}
	}
	zone := func(z string) sources.Person { return sources.Person{ID: "x", Zone: z} }
	for _, c := range []struct {
		name  string
		ins   []sources.Incident
		kind  PageKind
		in    time.Duration
		who   string
		there string
	}{
		{"nothing announced", []sources.Incident{page("pd", "1")}, NoPage, 0, "", ""},
		{"escalates", []sources.Incident{page("pd", "1", escalates(134*time.Second, person("sre2")))}, Escalates, 134 * time.Second, "sre2", "03:14"},
		{"the provider has not said yet", []sources.Incident{page("pd", "1", escalates(-time.Second, person("sre2")))}, Escalates, 0, "sre2", "03:14"},
		{"acknowledged: pages again", []sources.Incident{page("pd", "1", again)}, Repages, 19 * time.Minute, "sre1", "03:14"},
		{"acknowledged: escalates no more", []sources.Incident{page("pd", "1", acked, escalates(time.Minute))}, NoPage, 0, "", ""},
		{"resolved", []sources.Incident{page("pd", "1", keys("k")), page("pd", "2", keys("k"), escalates(time.Minute), ended5)}, NoPage, 0, "", ""},
		{"the sooner of two", []sources.Incident{page("pd", "1", keys("k"), again), page("pd", "2", keys("k"), escalates(time.Minute, person("sre2")))}, Escalates, time.Minute, "sre2", "03:14"},
		{"nobody known", []sources.Incident{page("pd", "1", escalates(time.Minute))}, Escalates, time.Minute, "", ""},
		{"no zone", []sources.Incident{page("pd", "1", escalates(time.Minute, zone("")))}, Escalates, time.Minute, "x", ""},
		{"a zone that is none", []sources.Incident{page("pd", "1", escalates(time.Minute, zone("Mars/Olympus")))}, Escalates, time.Minute, "x", ""},
		{"a path", []sources.Incident{page("pd", "1", escalates(time.Minute, zone("../../etc/passwd")))}, Escalates, time.Minute, "x", ""},
		{"this machine's", []sources.Incident{page("pd", "1", escalates(time.Minute, zone("Local")))}, Escalates, time.Minute, "x", ""},
		{"half an hour off", []sources.Incident{page("pd", "1", escalates(time.Minute, zone("Asia/Kolkata")))}, Escalates, time.Minute, "x", "07:44"},
		{"another day", []sources.Incident{page("pd", "1", escalates(time.Minute, zone("America/Los_Angeles")))}, Escalates, time.Minute, "x", "18:14"},
	} {
		p := Problems(world(incidents("pd", c.ins...)), View{}, now)[0]
		n := PagesNext(&p, now)
		who, there := "", ""
		if len(n.Who) > 0 {
			who = n.Who[0].ID
		}
		if !n.There.IsZero() {
			there = n.There.Format("15:04")
		}
		if n.Kind != c.kind || n.In != c.in || who != c.who || there != c.there {
			t.Errorf("%s: kind %d in %s to %q at %q, want %d in %s to %q at %q", c.name, n.Kind, n.In, who, there, c.kind, c.in, c.who, c.there)
		}
		bare := Problem{Incident: p.Incident, Members: p.Members}
		if again := PagesNext(&bare, now); !again.There.Equal(n.There) {
			t.Errorf("%s: without the zone that was looked up it is %s there", c.name, again.There)
		}
	}
}

func TestAStormPagesWhenTheFirstOfItDoes(t *testing.T) {
	t.Parallel()
	var ins []sources.Incident
	for i := range 9 {
		ins = append(ins, page("pd", fmt.Sprint(i), opened(time.Hour-time.Duration(i)*time.Second), func(in *sources.Incident) {
			in.EscalatesAt, in.Next = now.Add(time.Duration(9-i)*time.Minute), []sources.Person{person(fmt.Sprint("sre", i))}
		}))
	}
	p := Problems(world(incidents("pd", ins...)), View{}, now)[0]
	if n := PagesNext(&p, now); len(p.Inside) != 9 || n.In != time.Minute || n.Who[0].ID != "sre8" || n.There.Hour() != 3 || n.Incident.Ref.ID != "8" {
		t.Errorf("the storm of %d pages in %s: %+v", len(p.Inside), n.In, n)
	}
}
