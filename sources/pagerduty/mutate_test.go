package pagerduty

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/sourcetest"
)

var ids = regexp.MustCompile(`\bP[A-Z0-9]{4,}\b|\d+`)

// Accounts differ in what their answers lack: none of it takes the board down.
func TestSimulatedAnswersWithAnyFieldMissing(t *testing.T) {
	t.Parallel()
	sim, err := simulator.Start(t.Context(), simulator.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	sim.Advance(9 * time.Minute)
	now := sim.Now()
	m := &sourcetest.Mutate{
		Mutation: sourcetest.Mutation{
			Fields: sourcetest.FieldsOf([]any{
				wireMe{}, wireUsers{}, wireOneIncident{}, wireIncidents{}, wireOnCalls{}, wireServices{}, wireOneService{}, wireOneTeam{},
				wireOnePolicy{}, wireChanges{}, wireOneChange{}, wireEntries{}, wireAlerts{}, wireNotes{},
			}, "limit", "more", "channel", "contexts", "event_details", "details", "first_trigger_log_entry"),
			Address: func(key string) string { return ids.ReplaceAllString(key, "N") },
			Seen:    map[string]bool{},
		},
		Open: func(tb testing.TB, rt http.RoundTripper) sources.Source {
			cfg := defaults()
			cfg.BaseURL, cfg.Token = sim.PagerDutyURL(), tokenRef(tb, sim.Token())
			env := testEnv(rt)
			env.Now = func() time.Time { return now }
			src, err := open(env, cfg)
			if err != nil {
				tb.Fatal(err)
			}
			return src
		},
		Query:    sources.Query{Now: now, Identity: "sre1@example.com", Services: []sources.ServiceSpec{{Name: "checkout"}, {Name: "ledger"}, {Name: "web"}, {Name: "search"}, {Name: "accounts"}}},
		Needed:   regexp.MustCompile(`^\.(incidents|oncalls|services|change_events|log_entries|alerts|notes|incident|change_event|oncalls\[\].escalation_level)$`),
		Most:     600,
		Identity: regexp.MustCompile(`(\.id|\.start|\.escalation_level|\.status|\.user|\.escalation_policy|\.resolved_at|\.name|\.summary|\.last_status_change_at|\.end|\.schedule)$`),
	}
	tp := sourcetest.NewTape(http.DefaultTransport)
	m.Read(t.Context(), t, m.Open(t, tp))
	tp.Next = nil
	tp.Trim(t, m.Fields, "event_details", "details", "contexts", "custom_details", "body", "channel")
	m.Run(t, tp)
}
