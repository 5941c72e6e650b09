package pagerduty

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

func who(ps []sources.Person) string {
	s := ""
	for _, p := range ps {
		s += p.Name.String() + "@" + p.Zone + " "
	}
	return s
}

func TestIncidentSaysEverything(t *testing.T) {
	t.Parallel()
	s := opened(t, tripper{newFake()})
	b := incidents(t, s, query())
	if b.Busy != sources.Live || len(b.Items) != 2 || len(b.Notices) != 0 {
		t.Fatalf("%d incidents, busy %v, notices %v", len(b.Items), b.Busy, b.Notices)
	}
	hot := byNumber(t, b.Items, "#4101")
	alert := sources.AlertKey(`{alertname="HighErrors", env="prod", region="us", service="checkout"}`)
	for what, ok := range map[string]bool{
		"ref":       hot.Ref == sources.Ref{Source: "pd", Kind: sources.KindIncident, ID: "PINC2"},
		"kind":      hot.Kind == sources.PageIncident,
		"service":   hot.Service == "checkout" && hot.Provider.String() == "Checkout (prod)",
		"team":      hot.Team.String() == "payments",
		"title":     hot.Title.String() == "5xx above 2 % for 5m",
		"severity":  hot.Severity == 1 && !hot.Low,
		"state":     hot.State == sources.Triggered,
		"holder":    hot.Holder.String() == "sre1" && hot.Mine,
		"assignees": who(hot.Assignees) == "sre1@Europe/Berlin " && hot.Assignees[0].Login.String() == "sre1@example.com",
		"times":     hot.Created.Equal(testNow.Add(-3*time.Minute)) && hot.Changed.Equal(hot.Created) && hot.Paged.Equal(hot.Created),
		"escalation": hot.Level == 1 && hot.EscalatesAt.Equal(testNow.Add(134*time.Second)) && who(hot.Next) == "sre2@America/New_York " &&
			hot.RepagesAt.IsZero(),
		"alerts":   hot.Alerts == 1,
		"keys":     slices.Equal(sorted(hot.Keys), sorted([]string{"monitor/1234567", "incident/datadog/77", alert})),
		"scope":    hot.Scope.String() == "prod eu us",
		"runbook":  hot.Runbook == "https://runbooks.example.com/checkout",
		"url":      hot.URL == "https://acme.pagerduty.com/incidents/PINC2",
		"revision": hot.Revision != "",
	} {
		if !ok {
			t.Errorf("%s: %+v", what, hot)
		}
	}
	ack := byNumber(t, b.Items, "#4100")
	for what, ok := range map[string]bool{
		"service":  ack.Service == "ledger",
		"severity": ack.Severity == 3,
		"state":    ack.State == sources.Acknowledged && ack.Changed.Equal(testNow.Add(-40*time.Minute)),
		"holder":   ack.Holder.String() == "sre1" && ack.Paged.Equal(testNow.Add(-41*time.Minute)),
		"repages":  ack.RepagesAt.Equal(testNow.Add(19*time.Minute)) && ack.EscalatesAt.IsZero() && len(ack.Next) == 0,
		"level":    ack.Level == 1,
	} {
		if !ok {
			t.Errorf("acknowledged: %s: %+v", what, ack)
		}
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

func TestBusyFollowsTheWorstState(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := opened(t, tripper{f})
	if b := incidents(t, s, query()); b.Busy != sources.Live {
		t.Errorf("triggered: %v", b.Busy)
	}
	f.change()
	if b := incidents(t, s, query()); b.Busy != sources.WaitingForPerson {
		t.Errorf("acknowledged: %v", b.Busy)
	}
	f.mu.Lock()
	f.all = nil
	f.mu.Unlock()
	if b := incidents(t, s, query()); b.Busy != sources.Quiet || len(b.Items) != 0 {
		t.Errorf("none: %v", b)
	}
}

func TestSeverityOfPriorities(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{
		"P1": 1, "p5": 5, "P1 - Critical": 1, "SEV-1": 1, "sev2": 2, "SEV 3": 3, "Severity 4": 4, "SEV-0": 1, " P2": 2,
		"": 0, "Critical": 0, "P": 0, "P12": 0, "Priority one": 0, "1": 0,
	} {
		if got := severityOf(name); got != want {
			t.Errorf("%q is %d, want %d", name, got, want)
		}
	}
}

// rosterFrom writes a roster as level:person pairs that last.
func rosterFrom(pairs ...string) roster {
	r := roster{}
	for _, p := range pairs {
		var level int
		var id string
		if _, err := fmt.Sscanf(p, "%d:%s", &level, &id); err != nil {
			panic(err)
		}
		r["P"] = append(r["P"], duty{who: sources.Person{ID: id}, level: level})
	}
	return r
}

func TestLevelIsThatOfWhoIsOnCall(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		roster   roster
		assigned []string
		via      string
		late     time.Duration // after it was opened
		level    int
		next     int
	}{
		{"first", rosterFrom("1:A", "2:B", "3:C"), []string{"A"}, "escalation_policy", 0, 1, 2},
		{"second", rosterFrom("1:A", "2:B", "3:C"), []string{"B"}, "escalation_policy", 5 * time.Minute, 2, 3},
		{"after the last it begins anew", rosterFrom("1:A", "2:B"), []string{"B"}, "escalation_policy", 5 * time.Minute, 2, 1},
		{"one level alone", rosterFrom("1:A"), []string{"A"}, "escalation_policy", 0, 1, 1},
		{"several at a level", rosterFrom("1:A", "1:B", "2:C"), []string{"B"}, "escalation_policy", 0, 1, 2},
		{"on call at both, paged at once", rosterFrom("1:A", "2:A"), []string{"A"}, "escalation_policy", 0, 1, 2},
		{"on call at both, paged later", rosterFrom("1:A", "2:A"), []string{"A"}, "escalation_policy", 10 * time.Minute, 2, 1},
		{"nobody's turn any more", rosterFrom("1:A", "2:B"), []string{"Z"}, "escalation_policy", 0, 0, 1},
		{"by hand", rosterFrom("1:A", "2:B"), []string{"A"}, "direct_assignment", 0, 0, 1},
		{"to nobody", rosterFrom("1:A"), nil, "escalation_policy", 0, 0, 1},
	} {
		w := &wireIncident{AssignedVia: c.via, Policy: &wireRef{ID: "P"}, CreatedAt: stamp{testNow.Add(-time.Hour)}}
		for _, id := range c.assigned {
			w.Assignments = append(w.Assignments, struct {
				At       stamp    `json:"at"`
				Assignee wireUser `json:"assignee"`
			}{stamp{w.CreatedAt.Add(c.late)}, wireUser{wireRef: wireRef{ID: id}}})
		}
		if got := c.roster.levelOf(w, testNow); got != c.level {
			t.Errorf("%s: level %d, want %d", c.name, got, c.level)
		}
		if got := c.roster.next("P", c.level); got != c.next {
			t.Errorf("%s: then %d, want %d", c.name, got, c.next)
		}
	}
}

// Who is next is who will be on call at that moment: a shift may end before.
func TestNextIsWhoIsOnCallThen(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.oncalls[2] = f.turn(0, "PUSER2", 2, -2*time.Hour, time.Minute)
	f.oncalls[3] = f.turn(0, "PUSER3", 2, time.Minute, 12*time.Hour)
	s := opened(t, tripper{f})
	if hot := byNumber(t, incidents(t, s, query()).Items, "#4101"); who(hot.Next) != "sre3@ " {
		t.Errorf("next are %q", who(hot.Next))
	}
}

// Without the on-calls the incidents are still told of.
func TestIncidentsWithoutOnCalls(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.oncalls[0]["escalation_level"] = "one"
	s := opened(t, tripper{f})
	b := incidents(t, s, query())
	hot := byNumber(t, b.Items, "#4101")
	if len(b.Notices) != 1 || hot.Level != 0 || len(hot.Next) != 0 || hot.EscalatesAt.IsZero() {
		t.Errorf("%+v with %+v", hot, b.Notices)
	}
}

func TestPastIncidents(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := opened(t, tripper{f})
	b, err := s.ListPastIncidents(t.Context(), query())
	if err != nil || len(b.Items) != 1 {
		t.Fatalf("%+v, %v", b, err)
	}
	p := b.Items[0]
	if p.State != sources.Resolved || !p.Ended.Equal(testNow.Add(-71*time.Hour)) || p.EndedBy.String() != "sre2" || p.Service != "checkout" || len(b.Notices) != 0 {
		t.Errorf("%+v", p)
	}
	if _, err := s.ListPastIncidents(t.Context(), query()); !errors.Is(err, sources.ErrNotModified) {
		t.Errorf("again: %v", err)
	}
	short := query()
	short.Window = 70 * time.Hour
	if b, err := s.ListPastIncidents(t.Context(), short); err != nil || len(b.Items) != 0 {
		t.Errorf("within 70 hours: %+v, %v", b, err)
	}
	year := query()
	year.Window = 365 * 24 * time.Hour
	if b, err := s.ListPastIncidents(t.Context(), year); err != nil || len(b.Items) != 1 || len(b.Notices) != 1 {
		t.Errorf("within a year: %+v, %v", b, err)
	}
	for range 1200 {
		i := f.open("PCHECK", "x", time.Hour)
		i.obj["status"], i.obj["resolved_at"] = "resolved", ago(time.Minute)
	}
	if b, err := s.ListPastIncidents(t.Context(), query()); err != nil || len(b.Items) != 1000 || len(b.Notices) != 1 {
		t.Errorf("%d of many, %+v, %v", len(b.Items), b.Notices, err)
	}
	few := query()
	few.Limit = 5
	if b, err := s.ListPastIncidents(t.Context(), few); err != nil || len(b.Items) != 5 || len(b.Notices) != 0 {
		t.Errorf("the newest five: %d, %+v, %v", len(b.Items), b.Notices, err)
	}
}

func TestIncidentInDetail(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := opened(t, tripper{f})
	incidents(t, s, query()) // teaches it the services
	ref := sources.Ref{Source: "pd", Kind: sources.KindIncident, ID: "PINC2"}
	d, err := s.ReadIncident(t.Context(), ref)
	if err != nil || len(d.Notices) != 0 || d.Incident.Service != "checkout" || d.Incident.Level != 1 || !d.Incident.Mine {
		t.Fatalf("%+v, %v", d, err)
	}
	var log string
	for _, e := range d.Log {
		log += fmt.Sprintf("%s %s %s; ", e.Kind, e.Who, e.Via)
	}
	if log != "triggered Checkout (prod) api; assigned sre1 auto; paged sre1 push_notification; " {
		t.Errorf("log %q", log)
	}
	if len(d.Notes) != 1 || d.Notes[0].Who.String() != "sre2" || d.Notes[0].Text.String() != "looking at it" {
		t.Errorf("notes %+v", d.Notes)
	}
	if len(d.Alerts) != 1 || d.Alerts[0].Severity != 1 || d.Alerts[0].State != sources.Triggered || d.Alerts[0].Labels[0].String() != "alertname=HighErrors" {
		t.Errorf("alerts %+v", d.Alerts)
	}
	if n := len(f.lines()); n != 2+5 {
		t.Errorf("%d requests", n)
	}
	f.hot().notes = []obj{{"id": 17}}
	f.hot().alerts[0]["body"] = 17
	d, err = s.ReadIncident(t.Context(), ref)
	if err != nil || len(d.Notices) != 1 || d.Notices[0].Fix.IsZero() || len(d.Log) != 3 || len(d.Alerts) != 1 {
		t.Errorf("with broken notes: %+v, %v", d, err)
	}
	for id, kind := range map[string]sources.ErrKind{"PNONE": sources.NotExist, "../../users": sources.NotExist, "": sources.NotExist} {
		ref.ID = id
		if _, err := s.ReadIncident(t.Context(), ref); sources.KindOf(err) != kind || err == nil {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestShiftsNowAndNext(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := opened(t, tripper{f})
	show := func(b sources.Batch[sources.Shift]) string {
		out := ""
		for _, sh := range b.Items {
			out += fmt.Sprintf("%s %d %s %v %v; ", sh.Policy, sh.Level, sh.Who.Name, sh.Services, sh.Mine)
		}
		return out
	}
	b, err := s.ListShifts(t.Context(), query())
	want := "Payments 1 sre1 [checkout ledger] true; Payments 1 sre2 [checkout ledger] false; Payments 2 sre2 [checkout ledger] false; Payments 2 sre1 [checkout ledger] true; "
	if err != nil || show(b) != want || len(b.Notices) != 0 {
		t.Errorf("%q, %v, %v", show(b), b.Notices, err)
	}
	if sh := b.Items[0]; !sh.Start.Equal(testNow.Add(-2*time.Hour)) || !sh.End.Equal(testNow.Add(4*time.Hour)) || sh.Schedule.String() != "Primary" || sh.URL == "" {
		t.Errorf("%+v", sh)
	}
	// An incident's escalation needs no further request now.
	before := f.requests("GET /oncalls?")
	if hot := byNumber(t, incidents(t, s, query()).Items, "#4101"); hot.Level != 1 || f.requests("GET /oncalls?") != before {
		t.Errorf("level %d after %d requests", hot.Level, f.requests("GET /oncalls?")-before)
	}
	later := query()
	later.Now = testNow.Add(5 * time.Hour)
	b, err = s.ListShifts(t.Context(), later)
	if want := "Payments 1 sre2 [checkout ledger] false; Payments 2 sre1 [checkout ledger] true; "; err != nil || show(b) != want {
		t.Errorf("five hours later: %q, %v", show(b), err)
	}
	all, err := s.ListShifts(t.Context(), sources.Query{Now: testNow})
	if err != nil || len(all.Items) != 5 {
		t.Fatalf("without services: %q, %v", show(all), err)
	}
	if always := all.Items[4]; !always.Start.IsZero() || !always.End.IsZero() || always.Who.Name.String() != "sre3" || !always.Schedule.IsZero() || always.URL == "" {
		t.Errorf("always on call: %+v", always)
	}
	none, err := s.ListShifts(t.Context(), sources.Query{Now: testNow, Services: []sources.ServiceSpec{{Name: "web"}, {Name: "x", Incidents: []string{"PNONE"}}}})
	if err != nil || len(none.Items) != 0 || len(none.Notices) != 2 {
		t.Errorf("no service of PagerDuty's: %+v, %v", none, err)
	}
}

func TestChangesAreKnownByTheirWords(t *testing.T) {
	t.Parallel()
	s := opened(t, tripper{newFake()})
	b, err := s.ListChanges(t.Context(), query())
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, c := range b.Items {
		got += fmt.Sprintf("%s %s %s %s by %s %s %s %s; ", c.Ref.ID, c.Service, c.Kind, c.Title, c.By, c.Version.Short(), c.Env, c.URL)
	}
	want := "PCHG2 checkout deployment Deployed v1.9.2 by  v1.9.2 prod ; PCHG1 checkout flag pay_retry on by dev4   https://flags.example.com/pay_retry; PCHG3 ledger config Raise pool size in settings by    ; "
	if got != want {
		t.Errorf("%q", got)
	}
	for text, want := range map[string]sources.ChangeKind{
		"Feature flag new_nav enabled": sources.FlagChange, "Released 2.0": sources.DeploymentChange, "rolled back to v1": sources.DeploymentChange,
		"promote search to prod": sources.DeploymentChange, "Terraform apply": sources.ConfigChange, "scaled web to 12": sources.ConfigChange,
		"Certificate renewed": sources.OtherChange, "": sources.OtherChange, "flagship store opened": sources.OtherChange,
	} {
		if got := changeKind(&wireChange{Summary: text}, nil); got != want {
			t.Errorf("%q is a %s, want %s", text, got, want)
		}
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := opened(t, tripper{f})
	list := incidents(t, s, query())
	shifts, err := s.ListShifts(t.Context(), query())
	if err != nil {
		t.Fatal(err)
	}
	changes, err := s.ListChanges(t.Context(), query())
	if err != nil {
		t.Fatal(err)
	}
	inc, err := s.Get(t.Context(), list.Items[0].Ref)
	if got, ok := inc.(sources.Incident); err != nil || !ok || got.Revision != list.Items[0].Revision || got.Service != "checkout" {
		t.Errorf("%+v, %v", inc, err)
	}
	sh, err := s.Get(t.Context(), shifts.Items[1].Ref)
	if got, ok := sh.(sources.Shift); err != nil || !ok || got.Ref != shifts.Items[1].Ref {
		t.Errorf("%+v, %v", sh, err)
	}
	c, err := s.Get(t.Context(), changes.Items[0].Ref)
	if got, ok := c.(sources.Change); err != nil || !ok || got.Title != changes.Items[0].Title || got.Service != "checkout" {
		t.Errorf("%+v, %v", c, err)
	}
	f.change()
	inc, err = s.Get(t.Context(), list.Items[0].Ref)
	if got, ok := inc.(sources.Incident); err != nil || !ok || got.State != sources.Acknowledged || got.Revision == list.Items[0].Revision {
		t.Errorf("%+v, %v", inc, err)
	}
	for ref, kind := range map[sources.Ref]sources.ErrKind{
		{Source: "pd", Kind: sources.KindIncident, ID: "PNONE"}:    sources.NotExist,
		{Source: "pd", Kind: sources.KindIncident, ID: "a/../b"}:   sources.NotExist,
		{Source: "other", Kind: sources.KindIncident, ID: "PINC2"}: sources.NotExist,
		{Source: "pd", Kind: sources.KindShift, ID: "PPOL1.9.X"}:   sources.NotExist,
		{Source: "pd", Kind: sources.KindChange, ID: "?"}:          sources.NotExist,
		{Source: "pd", Kind: sources.KindRun, ID: "1"}:             sources.Unsupported,
	} {
		if _, err := s.Get(t.Context(), ref); err == nil || sources.KindOf(err) != kind {
			t.Errorf("%v: %v", ref, err)
		}
	}
}

func TestZones(t *testing.T) {
	t.Parallel()
	var z zoneNames
	for name, want := range map[string]string{
		"Europe/Berlin": "Europe/Berlin", "Eastern Time (US & Canada)": "America/New_York", "UTC": "Etc/UTC", "Etc/UTC": "Etc/UTC", " Asia/Kolkata ": "Asia/Kolkata",
		"": "", "Local": "", "Mars/Phobos": "", "../../etc/passwd": "", "/etc/localtime": "", "a\x1b[2J": "",
	} {
		for range 2 {
			if got := z.iana(name); got != want {
				t.Errorf("%q is %q, want %q", name, got, want)
			}
		}
	}
	for name := range railsZones {
		if z.iana(name) == "" {
			t.Errorf("%s: %s is no zone here", name, railsZones[name])
		}
	}
}

// Somebody takes over a shift: who is paged next changes within a minute, though no incident has.
func TestNextFollowsTheShifts(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := opened(t, tripper{f})
	now := testNow
	s.env.Now = func() time.Time { return now }
	incidents(t, s, query())
	f.mu.Lock()
	f.oncalls[2] = f.turn(0, "PUSER3", 2, -time.Minute, 4*time.Hour)
	f.mu.Unlock()
	if _, err := s.ListIncidents(t.Context(), query()); !errors.Is(err, sources.ErrNotModified) {
		t.Errorf("within a minute: %v", err)
	}
	now = now.Add(61 * time.Second)
	if hot := byNumber(t, incidents(t, s, query()).Items, "#4101"); who(hot.Next) != "sre3@ " {
		t.Errorf("next are %q", who(hot.Next))
	}
	// What was known a while ago is better than nothing.
	now = now.Add(61 * time.Second)
	f.mu.Lock()
	f.oncalls[0]["escalation_level"] = "one"
	f.mu.Unlock()
	b := incidents(t, s, query())
	if hot := byNumber(t, b.Items, "#4101"); who(hot.Next) != "sre3@ " || len(b.Notices) != 1 {
		t.Errorf("next are %q with %+v", who(hot.Next), b.Notices)
	}
}

// A name stands for a service that names no ids, whatever its case; an id wins over a name.
func TestServicesAreClaimedByIDOrName(t *testing.T) {
	t.Parallel()
	c := claimsOf([]sources.ServiceSpec{{Name: "Ledger"}, {Name: "checkout", Incidents: []string{"P1", "P2"}}, {Name: "pay", Incidents: []string{"P2", "P3"}}})
	for _, w := range []struct {
		id, name, want string
	}{
		{"P1", "anything", "checkout"}, {"P2", "x", "checkout"}, {"P3", "ledger", "pay"}, {"P9", " LEDGER ", "Ledger"}, {"P9", "checkout", ""}, {"P9", "", ""}, {"", "", ""},
	} {
		if got := c.of(wireRef{ID: w.id, Summary: w.name}); got != w.want {
			t.Errorf("%s %q is %q, want %q", w.id, w.name, got, w.want)
		}
	}
}
