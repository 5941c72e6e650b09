package datadog_test

import (
	"log/slog"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/datadog"
	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/seen"
	"example.com/signalbox/sources/sourcetest"
)

// simulated starts the story and opens the driver on it.
func simulated(t *testing.T, o simulator.Options) (*simulator.Simulator, capability.Set) {
	t.Helper()
	sim, err := simulator.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(sim.Token()), 0o600); err != nil {
		t.Fatal(err)
	}
	var ref secret.Ref
	if err := ref.UnmarshalText([]byte("file:" + file)); err != nil {
		t.Fatal(err)
	}
	d := datadog.Driver()
	cfg, _ := d.Config().(*datadog.Config)
	cfg.Host, cfg.APIKey, cfg.AppKey = sim.URL(), ref, ref
	src, err := d.Open(sources.Env{
		Source: "datadog", Transport: http.DefaultTransport, Budget: &sourcetest.Budget{}, Log: slog.New(slog.DiscardHandler), Now: sim.Now, UserAgent: "signalbox-test",
	}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	return sim, capability.Of(src)
}

func storySpec(name string) sources.ServiceSpec {
	in := "{service:" + name + ",env:prod}"
	return sources.ServiceSpec{Name: name, Metrics: []sources.MetricSpec{
		{Name: "error rate", Query: "100*sum:http.errors" + in + ".as_rate()/sum:http.hits" + in + ".as_rate()", Unit: "%", Limit: 2, Signal: sources.ErrorSignal},
		{Name: "p95", Query: "avg:http.latency.p95" + in, Unit: "ms", Limit: 600, Signal: sources.LatencySignal},
		{Name: "requests", Query: "sum:http.hits" + in + ".as_rate()", Unit: "/s", Limit: math.NaN(), Signal: sources.TrafficSignal},
		{Name: "cpu", Query: "avg:system.cpu.used" + in + " by {region}", Unit: "%", Limit: math.NaN(), Signal: sources.SaturationSignal},
	}}
}

func storyServices() []sources.ServiceSpec {
	var out []sources.ServiceSpec
	for _, name := range []string{"checkout", "search", "web", "accounts", "ledger"} {
		out = append(out, storySpec(name))
	}
	return out
}

func TestStoryMetrics(t *testing.T) {
	t.Parallel()
	sim, set := simulated(t, simulator.Options{})
	sim.ResetUsage()
	b, err := set.Metrics.QueryMetrics(t.Context(), sources.Query{Scope: "checkout", Services: []sources.ServiceSpec{storySpec("checkout")}, Now: sim.Now(), Step: 30 * time.Second})
	if err != nil || len(b.Notices) > 0 {
		t.Fatalf("%v, %v", err, b.Notices)
	}
	if n := sim.Usage().Of(seen.Datadog).Requests; n != 1 {
		t.Errorf("%d requests for the metrics of one service", n)
	}
	if len(b.Items) != 5 {
		t.Fatalf("%d series: %+v", len(b.Items), b.Items)
	}
	for _, s := range b.Items {
		known := 0
		for _, p := range s.Points {
			if !math.IsNaN(p.Value) {
				known++
			}
		}
		if known < 60 || s.Step != 30*time.Second || s.Service != "checkout" {
			t.Errorf("%s: %d values, step %s", s.Ref, known, s.Step)
		}
		if s.Name.String() == "cpu" && s.Labels.IsZero() {
			t.Error("the series of one query are not told apart")
		}
	}
	q := sources.Query{Scope: "checkout", Services: []sources.ServiceSpec{storySpec("checkout")}, Now: sim.Now(), Followed: true}
	sim.ResetUsage()
	b, err = set.Metrics.QueryMetrics(t.Context(), q)
	if err != nil || len(b.Notices) > 0 {
		t.Fatalf("%v, %v", err, b.Notices)
	}
	if n := sim.Usage().Of(seen.Datadog).Requests; n != 3 {
		t.Errorf("%d requests with the values of a day and of a week ago", n)
	}
	for _, s := range b.Items {
		if len(s.Earlier) != 2 || s.Earlier[0].Ago != 24*time.Hour || !s.Earlier[0].Value.Known() {
			t.Errorf("%s: earlier %v", s.Ref, s.Earlier)
		}
	}
}

func TestStoryIsRead(t *testing.T) {
	t.Parallel()
	sim, set := simulated(t, simulator.Options{})
	sim.Advance(9 * time.Minute)
	q := sources.Query{Services: storyServices(), Now: sim.Now(), Identity: "sre1@example.com"}
	monitors, err := set.Monitors.ListMonitors(t.Context(), q)
	if err != nil || len(monitors.Notices) > 0 || len(monitors.Items) < 5 {
		t.Fatalf("%v, %v, %d monitors", err, monitors.Notices, len(monitors.Items))
	}
	bad := 0
	for _, m := range monitors.Items {
		if m.Service == "" || m.Name.IsZero() || m.Query.IsZero() {
			t.Errorf("monitor %+v", m)
		}
		if m.State >= sources.MonitorWarn {
			bad++
			if m.Since.IsZero() || len(m.Groups) == 0 || m.Runbook == "" {
				t.Errorf("an alerting monitor: %+v", m)
			}
		}
	}
	if bad == 0 || !slices.ContainsFunc(monitors.Items, func(m sources.Monitor) bool { return m.Pages }) {
		t.Error("no monitor alerts in the story, or none pages")
	}
	slos, err := set.SLOs.ListSLOs(t.Context(), sources.Query{Services: storyServices(), Now: sim.Now(), Followed: true})
	if err != nil || len(slos.Notices) > 0 || len(slos.Items) == 0 {
		t.Fatalf("%v, %v, %d SLOs", err, slos.Notices, len(slos.Items))
	}
	for _, s := range slos.Items {
		if s.Target <= 0 || s.Window == 0 || !s.Value.Known() && s.Note.IsZero() || float64(s.Budget) > 1 || len(s.Burns) != 4 {
			t.Errorf("SLO %+v", s)
		}
	}
	shifts, err := set.Shifts.ListShifts(t.Context(), q)
	if err != nil || len(shifts.Notices) > 0 || len(shifts.Items) == 0 {
		t.Fatalf("%v, %v, %d shifts", err, shifts.Notices, len(shifts.Items))
	}
	for _, s := range shifts.Items {
		if s.Who.Name.IsZero() || s.Level == 0 {
			t.Errorf("shift %+v", s)
		}
	}
	changes, err := set.Changes.ListChanges(t.Context(), q)
	if err != nil || len(changes.Notices) > 0 || len(changes.Items) == 0 {
		t.Fatalf("%v, %v, %d changes", err, changes.Notices, len(changes.Items))
	}
	kinds := map[sources.ChangeKind]int{}
	for i, c := range changes.Items {
		kinds[c.Kind]++
		if c.Title.IsZero() || c.At.IsZero() || i > 0 && c.At.After(changes.Items[i-1].At) {
			t.Errorf("change %+v", c)
		}
	}
	if kinds[sources.DeploymentChange] == 0 || kinds[sources.FlagChange]+kinds[sources.ConfigChange] == 0 {
		t.Errorf("changes of kinds %v", kinds)
	}
	past, err := set.Past.ListPastIncidents(t.Context(), q)
	if err != nil || len(past.Notices) > 0 || len(past.Items) == 0 {
		t.Fatalf("%v, %v, %d past incidents", err, past.Notices, len(past.Items))
	}
	for _, in := range past.Items {
		if in.State != sources.Resolved || in.Ended.IsZero() || in.EndedBy.IsZero() {
			t.Errorf("past incident %+v", in)
		}
	}
	noComplaints(t, sim)
	nothingLeft(t, sim)
}

func noComplaints(t *testing.T, sim *simulator.Simulator) {
	t.Helper()
	u := sim.Usage().Of(seen.Datadog)
	for _, c := range u.Complaints {
		t.Errorf("%s: %s, %d times", c.Endpoint, c.Kind, c.Count)
	}
}

// nothingLeft reports lists of which not all pages were read.
func nothingLeft(t *testing.T, sim *simulator.Simulator) {
	t.Helper()
	if left := sim.Usage().Of(seen.Datadog).Unread; len(left) > 0 {
		t.Errorf("pages that nobody asked for: %v", left)
	}
}

// declared is an open incident, once somebody in the story has declared one.
func declared(t *testing.T, sim *simulator.Simulator, set capability.Set) sources.Incident {
	t.Helper()
	for range 60 {
		b, err := set.Incidents.ListIncidents(t.Context(), sources.Query{Services: storyServices(), Now: sim.Now()})
		if err == nil && len(b.Items) > 0 {
			return b.Items[0]
		}
		sim.Advance(time.Minute)
	}
	t.Fatal("nobody declares an incident in the first hour of the story")
	return sources.Incident{}
}

func TestStoryIncidentIsReadAndResolved(t *testing.T) {
	t.Parallel()
	sim, set := simulated(t, simulator.Options{})
	in := declared(t, sim, set)
	if in.State != sources.Acknowledged || in.Severity == 0 || in.Holder.IsZero() || in.Provider.IsZero() || len(in.Pages) != 1 {
		t.Errorf("incident %+v", in)
	}
	pager := slices.ContainsFunc(in.Keys, func(k string) bool { return strings.HasPrefix(k, "incident/pagerduty/") })
	monitor := slices.ContainsFunc(in.Keys, func(k string) bool { return strings.HasPrefix(k, "monitor/") })
	if !pager || !monitor {
		t.Errorf("keys %v", in.Keys)
	}
	d, err := set.Detail.ReadIncident(t.Context(), in.Ref)
	if err != nil || len(d.Notices) > 0 || len(d.Log) < 2 || len(d.Notes) == 0 || d.Incident.Ref != in.Ref {
		t.Fatalf("%v, %+v", err, d)
	}
	if _, err := set.Actor.Perform(t.Context(), sources.Call{ID: "c1", Verb: sources.Acknowledge, Target: in.Pages[0]}); err != nil {
		t.Fatal(err)
	}
	call := sources.Call{ID: "c2", Verb: sources.Resolve, Target: in.Ref}
	if p, err := set.Previewer.Preview(t.Context(), call); err != nil || p.Covers != 1 || !strings.Contains(p.How.String(), "resolved") {
		t.Errorf("%v, %+v", err, p)
	}
	r, err := set.Actor.Perform(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := set.Verifier.Verify(t.Context(), call, r); err != nil || p.State != sources.Done {
		t.Errorf("%v, %+v", err, p)
	}
	v, err := set.Getter.Get(t.Context(), in.Ref)
	if got, ok := v.(sources.Incident); err != nil || !ok || got.State != sources.Resolved || got.Revision == in.Revision {
		t.Errorf("%v, %+v", err, v)
	}
	noComplaints(t, sim)
}

func TestStoryMonitorIsMutedAndUnmuted(t *testing.T) {
	t.Parallel()
	sim, set := simulated(t, simulator.Options{})
	q := sources.Query{Services: storyServices(), Now: sim.Now()}
	read := func() map[sources.Ref]sources.Monitor {
		t.Helper()
		b, err := set.Monitors.ListMonitors(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		out := map[sources.Ref]sources.Monitor{}
		for _, m := range b.Items {
			out[m.Ref] = m
		}
		return out
	}
	var target sources.Monitor
	for _, m := range read() {
		if len(m.Silenced) == 0 && (target.Name.IsZero() || m.State > target.State) {
			target = m
		}
	}
	call := sources.Call{ID: "plan-1", Verb: sources.Mute, Target: target.Ref, For: time.Hour, Text: "deploying", Identity: "sre1"}
	p, err := set.Previewer.Preview(t.Context(), call)
	if err != nil || p.Covers == 0 || len(p.Lines) == 0 {
		t.Errorf("%v, %+v", err, p)
	}
	r, err := set.Actor.Perform(t.Context(), call)
	if err != nil || r.Made.Kind != sources.KindSilence || r.Undo == nil {
		t.Fatalf("%v, %+v", err, r)
	}
	if p, err := set.Verifier.Verify(t.Context(), call, r); err != nil || p.State != sources.Done {
		t.Errorf("%v, %+v", err, p)
	}
	if p, err := set.Verifier.Verify(t.Context(), call, sources.Receipt{}); err != nil || p.State != sources.Done {
		t.Errorf("after a lost answer: %v, %+v", err, p)
	}
	muted := read()[target.Ref]
	if len(muted.Silenced) != 1 || muted.Revision == target.Revision {
		t.Fatalf("muted: %+v", muted)
	}
	s := muted.Silenced[0]
	if s.Ref != r.Made || !strings.Contains(s.Comment.String(), "plan-1") || s.By.IsZero() || s.Until.Sub(sim.Now()) > time.Hour || s.Until.Sub(sim.Now()) < 50*time.Minute {
		t.Errorf("silence %+v", s)
	}
	ur, err := set.Actor.Perform(t.Context(), *r.Undo)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := set.Verifier.Verify(t.Context(), *r.Undo, ur); err != nil || p.State != sources.Done {
		t.Errorf("%v, %+v", err, p)
	}
	if m := read()[target.Ref]; len(m.Silenced) != 0 {
		t.Errorf("still muted: %+v", m.Silenced)
	}
	noComplaints(t, sim)
}

func TestStoryDeploymentIsMarked(t *testing.T) {
	t.Parallel()
	sim, set := simulated(t, simulator.Options{})
	for _, as := range []string{"", "dora"} {
		call := sources.Call{
			ID: "mark" + as, Verb: sources.PostEvent, Target: sources.Ref{Source: "datadog", Kind: sources.KindChange, ID: "checkout"},
			Fields: map[string]string{"as": as, "version": "v9.9" + as, "env": "prod", "title": "Deployed checkout v9.9"},
		}
		r, err := set.Actor.Perform(t.Context(), call)
		if err != nil || r.ID == "" {
			t.Fatalf("%q: %v, %+v", as, err, r)
		}
		if p, err := set.Verifier.Verify(t.Context(), call, r); err != nil || p.State != sources.Done {
			t.Errorf("%q: %v, %+v", as, err, p)
		}
		if p, err := set.Verifier.Verify(t.Context(), call, sources.Receipt{}); err != nil || p.State != sources.Done {
			t.Errorf("%q, after a lost answer: %v, %+v", as, err, p)
		}
	}
	sim.Advance(time.Minute)
	b, err := set.Changes.ListChanges(t.Context(), sources.Query{Services: storyServices(), Now: sim.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"v9.9", "v9.9dora"} {
		if !slices.ContainsFunc(b.Items, func(c sources.Change) bool {
			return c.Version.Tag.String() == version && c.Service == "checkout" && c.Env == "prod" && c.Kind == sources.DeploymentChange
		}) {
			t.Errorf("%s is not among the changes", version)
		}
	}
	noComplaints(t, sim)
}

func TestStoryIsCheckedAndDiscovered(t *testing.T) {
	t.Parallel()
	sim, set := simulated(t, simulator.Options{})
	for _, f := range set.Checker.Check(t.Context()) {
		if f.Level != sources.LevelOK {
			t.Errorf("%s: %s: %s", f.What, f.Detail, f.Fix)
		}
	}
	f := set.ScopeChecker.CheckScopes(t.Context(), []string{"checkout", "nowhere"})
	if len(f) != 2 || f[0].Level != sources.LevelOK || f[1].Level != sources.LevelWarn {
		t.Errorf("%+v", f)
	}
	found, err := set.Discoverer.Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(found, func(p sources.Proposal) bool { return p.Service == "checkout" })
	if i < 0 || len(found[i].SLOs) == 0 || found[i].Team == "" || found[i].Confidence < 0.8 || len(found[i].Why) == 0 {
		t.Errorf("%+v", found)
	}
	noComplaints(t, sim)
}
