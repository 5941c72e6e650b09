package alertmanager_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/alertmanager"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/httpx"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/sourcetest/realserver"
)

func basic(user string) *httpx.Basic { return &httpx.Basic{User: user} }

// servers are shared by the tests of this package: each uses services of its own.
var servers = realserver.Shared{Options: realserver.Options{Alertmanagers: 2}}

func TestMain(m *testing.M) {
	code := m.Run()
	servers.Close()
	os.Exit(code)
}

func openReal(t *testing.T, change func(*alertmanager.Config), urls ...string) capability.Set {
	t.Helper()
	base, err := httpx.Base(httpx.Network{Proxy: "none"})
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(t)
	cfg.URLs = urls
	if change != nil {
		change(cfg)
	}
	src, err := alertmanager.Driver().Open(sources.Env{
		Source: "am", Transport: base, Budget: &sourcetest.Budget{}, Log: slog.New(slog.DiscardHandler), Now: time.Now, UserAgent: "signalbox-test",
	}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = src.Close()
		(&http.Client{Transport: base}).CloseIdleConnections()
	})
	return capability.Of(src)
}

func urlsOf(w *realserver.World) []string {
	var urls []string
	for _, a := range w.Alertmanagers {
		urls = append(urls, a.URL)
	}
	return urls
}

// incidents lists what is about one service. Each call asks for another limit, far above what there is: an
// answer "not modified" would have to be remembered here.
func incidents(ctx context.Context, set capability.Set, service string) ([]sources.Incident, []sources.Notice, error) {
	q := sources.Query{Now: time.Now(), Limit: 1_000_000 + int(calls.Add(1)), Services: []sources.ServiceSpec{{Name: service}}}
	b, err := set.Incidents.ListIncidents(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	var mine []sources.Incident
	for _, in := range b.Items {
		if in.Service == service {
			mine = append(mine, in)
		}
	}
	return mine, b.Notices, nil
}

var calls atomic.Int64

func await(t *testing.T, look func(context.Context) error) {
	t.Helper()
	if err := realserver.Await(t.Context(), look); err != nil {
		t.Fatal(err)
	}
}

func named(all []sources.Incident, name string) sources.Incident {
	for _, in := range all {
		if strings.HasPrefix(in.Title.String(), name) {
			return in
		}
	}
	return sources.Incident{}
}

func TestRealAlertShowsWithinOneRefreshAndIsSilencedExactly(t *testing.T) {
	t.Parallel()
	w := servers.Get(t)
	ctx := t.Context()
	set := openReal(t, nil, urlsOf(w)...)
	for _, service := range []string{"shop", "shop-eu"} {
		if err := w.Push(ctx, service, `test_gauge{env="prod"} 3`); err != nil {
			t.Fatal(err)
		}
		if err := w.AwaitAlert(ctx, map[string]string{"alertname": "GaugeHigh", "service": service}, true); err != nil {
			t.Fatal(err)
		}
	}
	// One refresh after Alertmanager shows it.
	got, notices, err := incidents(ctx, set, "shop")
	if err != nil || len(notices) > 0 {
		t.Fatalf("%v, notices %v", err, notices)
	}
	in := named(got, "GaugeHigh")
	if in.State != sources.Triggered || in.Severity != 1 || in.Alerts != 1 || in.Runbook != "https://runbooks.example/gauge" || !strings.Contains(in.Title.String(), "the gauge of shop is at 3") {
		t.Fatalf("%+v", in)
	}
	call := sources.Call{ID: "plan-real-1", Verb: sources.Acknowledge, Target: in.Ref, Identity: "sre1", Text: "looking", For: time.Hour}
	p, err := set.Previewer.Preview(ctx, call)
	if err != nil || p.Covers != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	r, err := set.Actor.Perform(ctx, call)
	if err != nil {
		t.Fatal(err)
	}
	await(t, func(ctx context.Context) error {
		pr, err := set.Verifier.Verify(ctx, call, r)
		if err == nil && pr.State != sources.Done {
			err = fmt.Errorf("%v: %s", pr.State, pr.Text)
		}
		return err
	})
	await(t, func(ctx context.Context) error {
		got, _, err := incidents(ctx, set, "shop")
		if err != nil {
			return err
		}
		if now := named(got, "GaugeHigh"); now.State != sources.Acknowledged || now.Holder.String() != "sre1" || now.RepagesAt.Before(time.Now().Add(50*time.Minute)) {
			return fmt.Errorf("%s, held by %s until %s", now.State, now.Holder, now.RepagesAt)
		}
		return nil
	})
	other, _, err := incidents(ctx, set, "shop-eu")
	if err != nil || named(other, "GaugeHigh").State != sources.Triggered {
		t.Errorf("its neighbour is %v, %v", other, err)
	}
	if _, err := set.Actor.Perform(ctx, *r.Undo); err != nil {
		t.Fatal(err)
	}
	await(t, func(ctx context.Context) error {
		got, _, err := incidents(ctx, set, "shop")
		if err == nil && named(got, "GaugeHigh").State != sources.Triggered {
			err = errors.New("it is quiet still")
		}
		return err
	})
	if d, err := set.Detail.ReadIncident(ctx, in.Ref); err != nil || len(d.Alerts) != 1 || len(d.Log) < 3 {
		t.Errorf("%+v, %v", d, err)
	}
	if err := w.Push(ctx, "shop", `test_gauge{env="prod"} 0`); err != nil {
		t.Fatal(err)
	}
	if err := w.AwaitAlert(ctx, map[string]string{"alertname": "GaugeHigh", "service": "shop"}, false); err != nil {
		t.Fatal(err)
	}
	if got, _, err := incidents(ctx, set, "shop"); err != nil || len(got) != 0 {
		t.Errorf("what has ended is listed: %v, %v", got, err)
	}
}

// Alerts that differ from the silenced one by a label more, a label less or one value are not touched.
func TestRealSilenceTouchesNoOther(t *testing.T) {
	t.Parallel()
	w := servers.Get(t)
	ctx := t.Context()
	am := w.Alertmanagers[1]
	set := openReal(t, nil, am.URL)
	now := time.Now().UTC()
	labels := map[string]map[string]string{
		"exact": {"alertname": "Exact", "service": "exact", "env": "prod"},
		"more":  {"alertname": "Exact", "service": "exact", "env": "prod", "instance": "1"},
		"less":  {"alertname": "Exact", "service": "exact"},
		"value": {"alertname": "Exact", "service": "exact", "env": "staging"},
	}
	var alerts []map[string]any
	for _, l := range labels {
		alerts = append(alerts, map[string]any{"labels": l, "startsAt": now, "endsAt": now.Add(time.Hour)})
	}
	if err := realserver.Post(ctx, am, alerts); err != nil {
		t.Fatal(err)
	}
	var in sources.Incident
	await(t, func(ctx context.Context) error {
		got, _, err := incidents(ctx, set, "exact")
		if err != nil {
			return err
		}
		if len(got) != 1 || got[0].Alerts != 4 {
			return fmt.Errorf("incidents %v", got)
		}
		in = got[0]
		return nil
	})
	d, err := set.Detail.ReadIncident(ctx, in.Ref)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range d.Alerts {
		key := a.Ref
		v, err := set.Getter.Get(ctx, key)
		one, ok := v.(sources.Incident)
		if err != nil || !ok {
			t.Fatal(err)
		}
		call := sources.Call{ID: "plan-" + key.ID, Verb: sources.SilenceIt, Target: key, For: time.Hour}
		p, err := set.Previewer.Preview(ctx, call)
		if err != nil || p.Covers != 1 {
			t.Errorf("%s would cover %d: %v %v", one.Keys[0], p.Covers, p.Lines, err)
		}
		r, err := set.Actor.Perform(ctx, call)
		if err != nil {
			t.Fatal(err)
		}
		all, err := realserver.Alerts(ctx, am, map[string]string{"alertname": "Exact"})
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range all {
			silenced := sources.AlertKey(sources.PrintLabels(got.Labels)) == one.Keys[0]
			if (got.Status.State == "suppressed") != silenced {
				t.Errorf("silencing %s: %v is %s", one.Keys[0], got.Labels, got.Status.State)
			}
		}
		if _, err := set.Actor.Perform(ctx, *r.Undo); err != nil {
			t.Fatal(err)
		}
	}
	// The whole group at once.
	p, err := set.Previewer.Preview(ctx, sources.Call{Verb: sources.Acknowledge, Target: in.Ref})
	if err != nil || p.Covers != 4 {
		t.Errorf("the group would cover %d: %v", p.Covers, err)
	}
}

func TestRealReplicaDiesAndHeals(t *testing.T) {
	t.Parallel()
	realserver.Need(t)
	ctx := t.Context()
	w, err := realserver.Start(ctx, realserver.Options{Alertmanagers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	set := openReal(t, nil, urlsOf(w)...)
	if err := w.Push(ctx, "dies", `test_gauge 3`); err != nil {
		t.Fatal(err)
	}
	if err := w.AwaitAlert(ctx, map[string]string{"alertname": "GaugeHigh", "service": "dies"}, true); err != nil {
		t.Fatal(err)
	}
	// One that is to last for an hour, and that nobody repeats.
	now := time.Now().UTC()
	for _, a := range w.Alertmanagers {
		posted := []map[string]any{{"labels": map[string]string{"alertname": "Posted", "service": "dies"}, "startsAt": now, "endsAt": now.Add(time.Hour)}}
		if err := realserver.Post(ctx, a, posted); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.AwaitAlert(ctx, map[string]string{"alertname": "Posted"}, true); err != nil {
		t.Fatal(err)
	}
	before, _, err := incidents(ctx, set, "dies")
	if err != nil || named(before, "Posted").Ref.IsZero() || named(before, "GaugeHigh").Ref.IsZero() {
		t.Fatalf("%v, %v", before, err)
	}
	w.Alertmanagers[0].Kill()
	got, notices, err := incidents(ctx, set, "dies")
	if err != nil || named(got, "Posted").Ref != named(before, "Posted").Ref || len(notices) != 1 || !strings.Contains(notices[0].Text.String(), "does not answer") {
		t.Fatalf("%v, notices %v, %v", got, notices, err)
	}
	if err := w.Alertmanagers[0].Start(ctx); err != nil {
		t.Fatal(err)
	}
	await(t, func(ctx context.Context) error {
		got, notices, err := incidents(ctx, set, "dies")
		if err == nil && (len(got) != 2 || len(notices) != 0) {
			err = fmt.Errorf("%d incidents, notices %v", len(got), notices)
		}
		return err
	})
	// Both restart: what was to last is not gone from the list at any moment.
	for _, a := range w.Alertmanagers {
		a.Kill()
	}
	if _, _, err := incidents(ctx, set, "dies"); sources.KindOf(err) != sources.Transient {
		t.Errorf("all dead: %v", err)
	}
	for _, a := range w.Alertmanagers {
		if err := a.Start(ctx); err != nil {
			t.Fatal(err)
		}
	}
	got, notices, err = incidents(ctx, set, "dies")
	if err != nil || named(got, "Posted").Ref != named(before, "Posted").Ref || !strings.Contains(fmt.Sprint(notices), "started again") {
		t.Errorf("just after the restart: %v, notices %v, %v", got, notices, err)
	}
	for _, f := range set.Checker.Check(ctx) {
		if f.Level == sources.LevelFail {
			t.Errorf("%v", f)
		}
	}
}

func TestRealCheckNamesVersionAndCluster(t *testing.T) {
	t.Parallel()
	w := servers.Get(t)
	set := openReal(t, nil, w.Alertmanagers[0].URL)
	text := ""
	for _, f := range set.Checker.Check(t.Context()) {
		text += fmt.Sprintf("%d %s: %s\n", f.Level, f.What, f.Detail)
	}
	for _, want := range []string{"version 0.", "the cluster has 2, and 1 are configured"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks in\n%s", want, text)
		}
	}
}
