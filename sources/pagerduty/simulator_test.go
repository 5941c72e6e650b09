package pagerduty_test

import (
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/pagerduty"
	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/fault"
	"example.com/signalbox/sources/sourcetest"
)

// all is what the driver offers.
type all interface {
	sources.Source
	sources.IncidentLister
	sources.PastIncidentLister
	sources.IncidentReader
	sources.ShiftLister
	sources.ChangeLister
	sources.Actor
	sources.Previewer
	sources.Verifier
	sources.Checker
	sources.ScopeChecker
	sources.Discoverer
}

// simulated starts a world and opens the driver on it.
func simulated(t *testing.T, o simulator.Options) (*simulator.Simulator, all) {
	t.Helper()
	sim, err := simulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(sim.Token()), 0o600); err != nil {
		t.Fatal(err)
	}
	var ref secret.Ref
	if err := ref.UnmarshalText([]byte("file:" + file)); err != nil {
		t.Fatal(err)
	}
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	src, err := pagerduty.Driver().Open(sources.Env{
		Source: "pagerduty", Transport: base, Budget: &sourcetest.Budget{}, Log: slog.New(slog.DiscardHandler), Now: sim.Now, UserAgent: "signalbox-test",
	}, &pagerduty.Config{BaseURL: sim.PagerDutyURL(), Token: ref})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	driver, ok := src.(all)
	if !ok {
		t.Fatalf("%T does not offer everything", src)
	}
	return sim, driver
}

const me = "sre1@example.com"

func simQuery(sim *simulator.Simulator) sources.Query {
	return sources.Query{Now: sim.Now(), Identity: me, Services: []sources.ServiceSpec{{Name: "checkout"}, {Name: "ledger"}, {Name: "web"}, {Name: "search"}, {Name: "accounts"}}}
}

func simIncidents(t *testing.T, sim *simulator.Simulator, src all) []sources.Incident {
	t.Helper()
	b, err := src.ListIncidents(t.Context(), simQuery(sim))
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Notices) != 0 {
		t.Errorf("notices %+v", b.Notices)
	}
	return b.Items
}

func of(t *testing.T, items []sources.Incident, service string) sources.Incident {
	t.Helper()
	i := slices.IndexFunc(items, func(i sources.Incident) bool { return i.Service == service })
	if i < 0 {
		t.Fatalf("no incident of %s in %+v", service, items)
	}
	return items[i]
}

func noComplaints(t *testing.T, sim *simulator.Simulator) {
	t.Helper()
	if u := sim.Usage(); len(u.Complaints) > 0 {
		t.Errorf("no well-behaved client does this: %+v", u.Complaints)
	}
}

// The story opens as the board's mock-up shows it: checkout burns and will escalate, ledger is held.
func TestStoryOpensAsTold(t *testing.T) {
	t.Parallel()
	sim, src := simulated(t, simulator.Options{Seed: 1})
	items := simIncidents(t, sim, src)
	hot := of(t, items, "checkout")
	if hot.State != sources.Triggered || hot.Severity != 1 || !hot.Mine || len(hot.Assignees) != 1 || hot.Assignees[0].Login.String() != me || hot.Holder != hot.Assignees[0].Name || hot.Level != 1 {
		t.Errorf("%+v", hot)
	}
	if wait := hot.EscalatesAt.Sub(sim.Now()); wait <= 0 || wait > 10*time.Minute {
		t.Errorf("escalates in %s", wait)
	}
	if len(hot.Next) != 1 || hot.Next[0].Login.String() != "sre2@example.com" || hot.Next[0].Zone == "" {
		t.Errorf("next are %+v", hot.Next)
	}
	if len(hot.Keys) == 0 || !strings.HasPrefix(hot.Keys[0], "monitor/") || hot.Runbook != "https://runbooks.example.com/checkout" || hot.Scope.String() != "prod eu us" {
		t.Errorf("keys %q, runbook %q, scope %q", hot.Keys, hot.Runbook, hot.Scope)
	}
	held := of(t, items, "ledger")
	if held.State != sources.Acknowledged || held.RepagesAt.IsZero() || held.Holder != hot.Holder {
		t.Errorf("%+v", held)
	}
	if _, err := src.ListIncidents(t.Context(), simQuery(sim)); !errors.Is(err, sources.ErrNotModified) {
		t.Errorf("again: %v", err)
	}
	noComplaints(t, sim)
}

// Nobody acknowledges: the page goes to the next level, and the board sees whom it wakes after that.
func TestStoryEscalates(t *testing.T) {
	t.Parallel()
	sim, src := simulated(t, simulator.Options{Seed: 1})
	hot := of(t, simIncidents(t, sim, src), "checkout")
	sim.Advance(hot.EscalatesAt.Sub(sim.Now()) + 2*time.Second)
	next := of(t, simIncidents(t, sim, src), "checkout")
	if next.Level != hot.Level+1 || next.Holder != hot.Next[0].Name || next.Revision == hot.Revision || !next.EscalatesAt.After(hot.EscalatesAt) {
		t.Errorf("from %+v to %+v", hot, next)
	}
}

func TestStoryInDetail(t *testing.T) {
	t.Parallel()
	sim, src := simulated(t, simulator.Options{Seed: 1})
	hot := of(t, simIncidents(t, sim, src), "checkout")
	d, err := src.ReadIncident(t.Context(), hot.Ref)
	if err != nil || len(d.Notices) != 0 || d.Incident.Revision != hot.Revision || len(d.Log) < 2 || d.Log[0].Kind != "triggered" || len(d.Alerts) != hot.Alerts || hot.Alerts == 0 {
		t.Errorf("%+v, %v", d, err)
	}
	for _, a := range d.Alerts {
		if a.Severity != 1 || a.State != sources.Triggered || len(a.Labels) == 0 {
			t.Errorf("%+v", a)
		}
	}
	if !slices.ContainsFunc(d.Log, func(e sources.LogEntry) bool { return e.Kind == "paged" && e.Who == hot.Holder }) {
		t.Errorf("nobody was paged: %+v", d.Log)
	}
	noComplaints(t, sim)
}

func TestStoryShiftsPastAndChanges(t *testing.T) {
	t.Parallel()
	sim, src := simulated(t, simulator.Options{Seed: 1})
	q := simQuery(sim)
	shifts, err := src.ListShifts(t.Context(), q)
	if err != nil || len(shifts.Items) < 2 || len(shifts.Notices) != 0 {
		t.Fatalf("%+v, %v", shifts, err)
	}
	first := shifts.Items[0]
	if !first.Mine || first.Level != 1 || first.End.IsZero() || !slices.Contains(first.Services, "checkout") {
		t.Errorf("%+v", first)
	}
	got, err := src.Get(t.Context(), first.Ref)
	if sh, ok := got.(sources.Shift); err != nil || !ok || sh.Ref != first.Ref {
		t.Errorf("%+v, %v", got, err)
	}
	past, err := src.ListPastIncidents(t.Context(), q)
	if err != nil || len(past.Items) == 0 || len(past.Notices) != 0 {
		t.Fatalf("%+v, %v", past, err)
	}
	if !slices.IsSortedFunc(past.Items, func(a, b sources.Incident) int { return b.Ended.Compare(a.Ended) }) {
		t.Error("past incidents are not newest first")
	}
	for _, p := range past.Items {
		if p.State != sources.Resolved || p.EndedBy.IsZero() || p.Ended.IsZero() {
			t.Errorf("%+v", p)
		}
	}
	changes, err := src.ListChanges(t.Context(), q)
	if err != nil || !slices.ContainsFunc(changes.Items, func(c sources.Change) bool { return c.Kind == sources.FlagChange && c.Service == "checkout" }) {
		t.Errorf("%+v, %v", changes, err)
	}
	noComplaints(t, sim)
}

func TestStoryIsCheckedAndDiscovered(t *testing.T) {
	t.Parallel()
	sim, src := simulated(t, simulator.Options{Seed: 1})
	for _, f := range src.Check(t.Context()) {
		if f.Level == sources.LevelFail {
			t.Errorf("%+v", f)
		}
	}
	found, err := src.Discover(t.Context())
	if err != nil || len(found) == 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	i := slices.IndexFunc(found, func(p sources.Proposal) bool { return p.Service == "checkout" })
	if i < 0 || found[i].Team == "" {
		t.Fatalf("%+v", found)
	}
	checked := src.CheckScopes(t.Context(), append(slices.Clone(found[i].Incidents), "PNOSUCH"))
	if len(checked) != 2 || checked[0].Level != sources.LevelOK || checked[1].Level != sources.LevelFail {
		t.Errorf("%+v", checked)
	}
	noComplaints(t, sim)
}

// verbs are each verb once, on the incident of checkout.
func verbs(items []sources.Incident, target sources.Incident) []sources.Call {
	var other sources.Ref
	for _, i := range items {
		if i.Ref != target.Ref {
			other = i.Ref
		}
	}
	calls := []sources.Call{
		{Verb: sources.Acknowledge}, {Verb: sources.Resolve}, {Verb: sources.Escalate, Level: 2}, {Verb: sources.Reassign, To: []string{"sre2@example.com"}},
		{Verb: sources.Snooze, For: 4 * time.Hour}, {Verb: sources.AddNote, Text: "it was the flag"},
		{Verb: sources.Merge, Others: []sources.Ref{other}}, {Verb: sources.PostStatus, Text: "we are on it"},
	}
	for i := range calls {
		calls[i].ID, calls[i].Target, calls[i].Revision, calls[i].Identity = "plan", target.Ref, target.Revision, me
	}
	return calls
}

// befall is something that happens to a write.
type befall struct {
	name  string
	rule  *fault.Rule
	kind  sources.ErrKind // of the error; meaningless without a rule
	done  bool            // it took effect all the same
	verbs []int           // of verbs; nil: each
}

func befalls() []befall {
	ways := []int{0, 4, 5} // one verb for each form of answer
	return []befall{
		{"", nil, 0, true, nil},
		{"lost answer", &fault.Rule{Kind: fault.LostAnswer}, sources.Ambiguous, true, nil},
		{"half answer", &fault.Rule{Kind: fault.Reset}, sources.Ambiguous, true, ways},
		{"odd answer", &fault.Rule{Kind: fault.ErrorIn200}, sources.Ambiguous, true, ways},
		{"lost request", &fault.Rule{Kind: fault.LostRequest}, sources.Ambiguous, false, nil},
		{"failure", &fault.Rule{Kind: fault.Status, Code: 502}, sources.Ambiguous, false, nil},
		{"refusal", &fault.Rule{Kind: fault.Status, Code: 403}, sources.Permission, false, nil},
		{"limit", &fault.Rule{Kind: fault.Secondary, Code: 429, RetryAfter: 30}, sources.Throttled, false, []int{0}},
	}
}

// Every verb, with each fault that may befall it: one write, an honest error, and the truth found by reading.
func TestStoryTakesEveryVerb(t *testing.T) {
	t.Parallel()
	for _, f := range befalls() {
		sim, src := simulated(t, simulator.Options{Seed: 1})
		which := f.verbs
		if which == nil {
			which = []int{0, 1, 2, 3, 4, 5, 6, 7}
		}
		for i, n := range which {
			if f.done && i > 0 { // what took effect changed the world
				_ = sim.Close()
				sim, src = simulated(t, simulator.Options{Seed: 1})
			}
			takeVerb(t, sim, src, f, n)
		}
		noComplaints(t, sim)
	}
}

func takeVerb(t *testing.T, sim *simulator.Simulator, src all, f befall, n int) {
	t.Helper()
	q := simQuery(sim)
	q.Limit = 50 + n // another list than the last
	items, err := src.ListIncidents(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	call := verbs(items.Items, of(t, items.Items, "checkout"))[n]
	what := string(call.Verb) + " " + f.name
	if _, err := src.Preview(t.Context(), call); err != nil {
		t.Errorf("%s: preview: %v", what, err)
	}
	if f.rule != nil {
		for _, method := range []string{"PUT", "POST"} {
			rule := *f.rule
			rule.Method, rule.Path = method, "/pagerduty/**"
			if err := sim.Inject(rule); err != nil {
				t.Fatal(err)
			}
		}
	}
	receipt, err := src.Perform(t.Context(), call)
	if f.rule == nil && err != nil || f.rule != nil && (err == nil || sources.KindOf(err) != f.kind) {
		t.Errorf("%s: %v, want %s", what, err, f.kind)
	}
	sim.ClearFaults()
	want := sources.Pending
	if f.done {
		want = sources.Done
	}
	if p, err := src.Verify(t.Context(), call, receipt); err != nil || p.State != want {
		t.Errorf("%s: %+v, %v, want %v", what, p, err, want)
	}
}

// A refused change says what stands against it.
func TestStoryRefusesWhatCannotBe(t *testing.T) {
	t.Parallel()
	sim, src := simulated(t, simulator.Options{Seed: 1})
	items := simIncidents(t, sim, src)
	calls := verbs(items, of(t, items, "checkout"))
	if _, err := src.Perform(t.Context(), calls[1]); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 2, 3, 4} {
		if _, err := src.Perform(t.Context(), calls[n]); sources.KindOf(err) != sources.Conflict || err == nil {
			t.Errorf("%s of a resolved incident: %v", calls[n].Verb, err)
		}
	}
	for _, call := range []sources.Call{
		{Verb: sources.Escalate, Level: 99, Target: calls[0].Target, Identity: me},
		{Verb: sources.Acknowledge, Target: calls[0].Target, Identity: "nobody@example.com"},
	} {
		if _, err := src.Perform(t.Context(), call); err == nil || sources.KindOf(err) == sources.Ambiguous {
			t.Errorf("%+v: %v", call, err)
		}
	}
}
