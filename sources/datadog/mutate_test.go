package datadog

import (
	"errors"
	"math"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/sourcetest"
)

var idsInKeys = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}|\d+`)

func readFields() sourcetest.Fields {
	return sourcetest.FieldsOf([]any{
		wireMonitor{}, downtimePage{}, oneDowntime{}, sloPage{}, oneSLO{}, historyReply{}, incidentPage{}, oneIncident{}, integrationList{},
		impactList{}, taskList{}, teamPage{}, teamOnCall{}, oneSchedule{}, schedulePage{}, scheduledUser{}, eventPage{}, eventReply{},
		deploymentList{}, oneDeployment{}, definitionPage{}, timeseriesReply{}, queryReply{}, validation{}, link{},
	}, "data", "groups")
}

func mutated(t *testing.T, now time.Time, q sources.Query, change func(*Config)) *sourcetest.Mutate {
	return &sourcetest.Mutate{
		Mutation: sourcetest.Mutation{Fields: readFields(), Seen: map[string]bool{}, Address: func(key string) string { return idsInKeys.ReplaceAllString(key, "N") }},
		Open: func(tb testing.TB, rt http.RoundTripper) sources.Source {
			cfg := testConfig(tb)
			change(cfg)
			env := testEnv()
			env.Transport, env.Now = rt, func() time.Time { return now }
			src, err := Driver().Open(env, cfg)
			if err != nil {
				tb.Fatal(err)
			}
			if s, ok := src.(*source); ok {
				s.patience = time.Millisecond
			}
			return src
		},
		Query:    q,
		Needed:   regexp.MustCompile(`^(\.id|\.data|\.data\.attributes|\.data\.attributes\.(incidents|slos|values|times|series|series\[\])|\.series|\.status|\.data\.overall|\.data\.id|\.data\.attributes\.incidents\[\]\.data)$`),
		Identity: regexp.MustCompile(`(\.id|\.uuid|\.tags|\.all_tags|\.service_tags|\.query|\.state|\.value|\.group_tags|\.query_index|\.series|\.fields|\.services|\.resolved|\.modified|\.attributes|\.evt|\.data|\.name|\.status|\.numerator|\.denominator|\.created|\.relationships|\.responders|\.escalations|\.finished_at|\.started_at|\.timestamp|\.start|\.end|\.user|\.env|\.service|\.included|\.git|\.commit_sha|\.version)$`),
		Most:     500,
	}
}

// Other accounts' answers lack other fields than those at hand: none of it takes the board down.
func TestSimulatedAnswersWithAnyFieldMissing(t *testing.T) {
	t.Parallel()
	sim, err := simulator.Start(t.Context(), simulator.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	sim.Advance(9 * time.Minute)
	now := sim.Now()
	spec := func(name string) sources.ServiceSpec {
		in := "{service:" + name + ",env:prod}"
		return sources.ServiceSpec{Name: name, Metrics: []sources.MetricSpec{
			{Name: "errors", Query: "100*sum:http.errors" + in + ".as_rate()/sum:http.hits" + in + ".as_rate()", Unit: "%", Limit: 2},
			{Name: "cpu", Query: "avg:system.cpu.used" + in + " by {region}", Unit: "%", Limit: math.NaN()},
		}}
	}
	q := sources.Query{Now: now, Identity: "sre1@example.com", Followed: true, Services: []sources.ServiceSpec{spec("checkout"), spec("search"), spec("web")}}
	key := fileRef(t, sim.Token())
	m := mutated(t, now, q, func(c *Config) {
		c.Host, c.APIKey, c.AppKey = sim.URL(), key, key
	})
	tp := sourcetest.NewTape(http.DefaultTransport)
	src := m.Open(t, tp)
	m.Read(t.Context(), t, src)
	_ = src.Close()
	tp.Next = nil
	m.Run(t, tp)
}

// Other recordings of the same operations will lack other fields, and have others of other types.
func TestRecordedAnswersWithAnyFieldMissing(t *testing.T) {
	t.Parallel()
	dir := shared(t, "datadog")
	if dir == "" {
		t.Skip("unvalidated: 1 (no recorded traffic of Datadog's at ../shared/fixtures/datadog)")
	}
	how, seen, used := digests(), map[string]bool{}, map[string]int{}
	needed := mutated(t, testNow, sources.Query{}, nil).Needed
	read, total := 0, 0
	for _, c := range cassettes(t, dir) {
		for i := range c.Calls {
			x := &c.Calls[i]
			op, ok := operationOf(x.Request.Method, x.url.Path)
			reads := op.method == http.MethodGet || op == opTimeseries || op == opDeployments
			if !ok || !reads || x.Response.Code != http.StatusOK || complains(x) || used[op.name] >= 6 {
				continue
			}
			used[op.name]++
			tp := sourcetest.NewTape(nil)
			tp.Replies[x.url.EscapedPath()] = sourcetest.Reply{Status: http.StatusOK, Body: []byte(x.Response.Body)}
			all := tp.Mutants(t, sourcetest.Mutation{Fields: readFields(), Seen: seen, Wide: true, Address: func(string) string { return op.name }})
			total += len(all)
			for j, m := range all {
				if sourcetest.Slowed && j%8 != 0 {
					continue
				}
				read++
				checkMutant(t, how[op.name], op, x, tp, m, needed)
			}
		}
	}
	t.Logf("%d of %d mutants of %d operations", read, total, len(used))
	if total < 400 {
		t.Errorf("%d mutants: hardly anything was changed", total)
	}
}

func checkMutant(t *testing.T, how digest, op operation, x *exchange, tp *sourcetest.Tape, m sourcetest.Mutant, needed *regexp.Regexp) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s: panic: %v", m, r)
		}
	}()
	cfg, env := testConfig(t), testEnv()
	env.Transport = tp.With(m.Key, m.Body)
	src, err := Driver().Open(env, cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := src.(*source)
	s.patience = time.Millisecond
	n, err := how(t.Context(), s, x)
	if e, ok := errors.AsType[*sources.Error](err); err != nil && ok && (e.Msg == "" || e.Op == "" || strings.HasSuffix(e.Msg, ".")) {
		t.Errorf("%s: %q does not say what failed", m, err)
	}
	_, ours := errors.AsType[*sources.Error](err)
	switch {
	case m.Where == sourcetest.Whole:
		if err == nil && m.How != "a list" && op != opTeams {
			t.Errorf("%s: is taken for an answer", m)
		}
	case needed.MatchString(m.Where):
	case ours:
		t.Errorf("%s: %v", m, err)
	case err == nil && n >= 0 && n < held(op, x.body())-1 && held(op, x.body()) > 0 && op != opQuery && op != opTimeseries:
		t.Errorf("%s: %d of %d are left", m, n, held(op, x.body()))
	}
}
