package datadog

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"example.com/signalbox/sources"
)

// sharedPath is where something is that tests read and the project does not hold: recordings and
// descriptions. "" where it is absent.
func sharedPath(name string) (string, error) {
	var roots []string
	if env := os.Getenv("SIGNALBOX_FIXTURES"); env != "" {
		roots = append(roots, env, filepath.Dir(env))
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			at := filepath.Join(dir, "..", "shared")
			roots = append(roots, filepath.Join(at, "fixtures"), at)
			break
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the test")
		}
	}
	for _, root := range roots {
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			return filepath.Join(root, name), nil
		}
	}
	return "", nil
}

func shared(t testing.TB, name string) string {
	t.Helper()
	path, err := sharedPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// exchange is one recorded request and its answer.
type exchange struct {
	Request struct {
		Body   string `yaml:"body"`
		Method string `yaml:"method"`
		URL    string `yaml:"url"`
	} `yaml:"request"`
	Response struct {
		Body    string              `yaml:"body"`
		Code    int                 `yaml:"code"`
		Status  string              `yaml:"status"`
		Headers map[string][]string `yaml:"headers"`
	} `yaml:"response"`

	url *url.URL
}

func (x *exchange) body() any {
	var v any
	_ = json.Unmarshal([]byte(x.Response.Body), &v)
	return v
}

// id is the part of the recorded path that stands at a parameter of the operation's.
func (x *exchange) id(op operation) string {
	want, have := strings.Split(op.path, "/"), strings.Split(x.url.Path, "/")
	for i := range want {
		if strings.HasPrefix(want[i], "{") {
			return have[i]
		}
	}
	return ""
}

type cassette struct {
	name  string
	at    time.Time
	Calls []exchange `yaml:"interactions"`
}

func cassettes(t testing.TB, dir string) []cassette {
	t.Helper()
	var out []cassette
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		c := cassette{name: strings.TrimSuffix(filepath.Base(path), ".yaml"), at: testNow}
		if err := yaml.Unmarshal(raw, &c); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if frozen, err := os.ReadFile(strings.TrimSuffix(path, ".yaml") + ".freeze"); err == nil {
			if at, err := time.Parse(time.RFC3339, strings.TrimSpace(string(frozen))); err == nil {
				c.at = at
			}
		}
		for i := range c.Calls {
			x := &c.Calls[i]
			if x.url, err = url.Parse(x.Request.URL); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if x.Response.Code == 0 {
				_, _ = fmt.Sscan(x.Response.Status, &x.Response.Code)
			}
		}
		out = append(out, c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// operationOf is what a recorded request is an example of. A path without parameters is preferred.
func operationOf(method, path string) (operation, bool) {
	var found operation
	ok := false
	for _, op := range operations() {
		if op.method != method {
			continue
		}
		if op.path == path {
			return op, true
		}
		pattern := regexp.MustCompile(`^` + regexp.MustCompile(`\{[a-z_]+\}`).ReplaceAllString(op.path, `[^/]+`) + `$`)
		if pattern.MatchString(path) && path != "/api/v1/monitor/search" && path != "/api/v1/monitor/can_delete" {
			found, ok = op, true
		}
	}
	return found, ok
}

// digest is what the driver made of an answer: how many objects of the domain, or -1 where that is no
// question.
type digest func(context.Context, *source, *exchange) (int, error)

func sized(n int, err error) (int, error) { return n, err }

// digests are how each operation is asked for: through the driver's own methods as far as one recorded
// answer goes.
func digests() map[string]digest {
	target := func(s *source, kind sources.Kind, id string) sources.Ref { return s.ref(kind, "", id) }
	get := func(kind sources.Kind, op operation) digest {
		return func(ctx context.Context, s *source, x *exchange) (int, error) {
			_, err := s.Get(ctx, target(s, kind, x.id(op)))
			return 1, err
		}
	}
	act := func(verb sources.Verb, kind sources.Kind, op operation) digest {
		return func(ctx context.Context, s *source, x *exchange) (int, error) {
			_, err := s.Perform(ctx, sources.Call{Verb: verb, Target: target(s, kind, x.id(op)), For: time.Hour})
			return -1, err
		}
	}
	return map[string]digest{
		opValidate.name: func(ctx context.Context, s *source, _ *exchange) (int, error) {
			_, err := fetch[validation](ctx, s, call{op: opValidate})
			return -1, err
		},
		opQuery.name:      digestQuery,
		opTimeseries.name: digestTimeseries,
		opMonitors.name: func(ctx context.Context, s *source, _ *exchange) (int, error) {
			var n noticeBox
			all, err := s.monitors(ctx, &n, "")
			for _, w := range all {
				s.monitor(w, owners{}, nil)
			}
			return sized(len(all), err)
		},
		opMonitor.name: get(sources.KindMonitor, opMonitor),
		opDowntimes.name: func(ctx context.Context, s *source, _ *exchange) (int, error) {
			p, err := fetch[downtimePage](ctx, s, call{op: opDowntimes})
			if err != nil {
				return 0, err
			}
			who := people(p.Included.Items)
			for i := range p.Data.Items {
				s.silence(quiet{&p.Data.Items[i], who[p.Data.Items[i].Relations.By.first()]})
			}
			return len(p.Data.Items), nil
		},
		opDowntime.name: get(sources.KindSilence, opDowntime),
		opMute.name: func(ctx context.Context, s *source, _ *exchange) (int, error) {
			r, err := s.Perform(ctx, sources.Call{Verb: sources.Mute, Target: target(s, sources.KindMonitor, "1"), For: time.Hour})
			if err == nil && (r.Undo == nil || r.Made.Kind != sources.KindSilence) {
				err = errors.New("a mute without what takes it back")
			}
			return -1, err
		},
		opUnmute.name: act(sources.Expire, sources.KindSilence, opUnmute),
		opSLOs.name: func(ctx context.Context, s *source, _ *exchange) (int, error) {
			p, err := fetch[sloPage](ctx, s, call{op: opSLOs})
			if err != nil {
				return 0, err
			}
			all := p.Data.Attributes.SLOs.Items
			for i := range all {
				s.slo(&all[i], sources.SLOSpec{}, owners{})
			}
			return len(all), nil
		},
		opSLO.name: func(ctx context.Context, s *source, x *exchange) (int, error) {
			o, err := fetch[oneSLO](ctx, s, call{op: opSLO, args: []string{x.id(opSLO)}})
			if err == nil && len(o.Data.Thresholds.Items) == 0 {
				err = errors.New("an objective without a target")
			}
			return 1, err
		},
		opSLOHistory.name: func(ctx context.Context, s *source, x *exchange) (int, error) {
			p, err := s.history(ctx, x.id(opSLOHistory), testNow, time.Hour)
			if err == nil && p.sli != p.sli && p.silence == "" {
				err = errors.New("no value, and nothing that says why")
			}
			return -1, err
		},
		opIncidents.name: func(ctx context.Context, s *source, _ *exchange) (int, error) {
			p, err := fetch[incidentPage](ctx, s, call{op: opIncidents, query: url.Values{"query": {openIncidents}}})
			if err != nil {
				return 0, err
			}
			all := p.Data.Attributes.Incidents.Items
			for i := range all {
				if in := s.incident(&all[i].Data, p.Included.Items, owners{}, ""); in.Title.IsZero() || in.Created.IsZero() || in.Ref.ID == "" {
					return 0, fmt.Errorf("an incident without title, beginning or id: %+v", in)
				}
			}
			return len(all), nil
		},
		opIncident.name: get(sources.KindIncident, opIncident),
		opUpdate.name:   act(sources.Resolve, sources.KindIncident, opUpdate),
		opIntegrations.name: func(ctx context.Context, s *source, x *exchange) (int, error) {
			l, err := fetch[integrationList](ctx, s, call{op: opIntegrations, args: []string{x.id(opIntegrations)}})
			if err != nil {
				return 0, err
			}
			connected(l)
			return len(l.Data.Items), nil
		},
		opImpacts.name: func(ctx context.Context, s *source, x *exchange) (int, error) {
			l, err := fetch[impactList](ctx, s, call{op: opImpacts, args: []string{x.id(opImpacts)}})
			if err != nil {
				return 0, err
			}
			impacts(l)
			return len(l.Data.Items), nil
		},
		opTasks.name: func(ctx context.Context, s *source, x *exchange) (int, error) {
			l, err := fetch[taskList](ctx, s, call{op: opTasks, args: []string{x.id(opTasks)}})
			if err != nil {
				return 0, err
			}
			return len(tasks(l)), nil
		},
		opTeams.name: func(ctx context.Context, s *source, _ *exchange) (int, error) {
			p, err := fetch[teamPage](ctx, s, call{op: opTeams})
			if err != nil {
				return 0, err
			}
			return len(p.Data.Items), nil
		},
		opTeamOnCall.name: func(ctx context.Context, s *source, x *exchange) (int, error) {
			_, err := s.teamShifts(ctx, team{id: x.id(opTeamOnCall)}, "")
			return -1, err
		},
		opSchedules.name: func(ctx context.Context, s *source, _ *exchange) (int, error) {
			p, err := fetch[schedulePage](ctx, s, call{op: opSchedules})
			if err != nil {
				return 0, err
			}
			return len(p.Data.Items), nil
		},
		opSchedule.name: func(ctx context.Context, s *source, x *exchange) (int, error) {
			o, err := fetch[oneSchedule](ctx, s, call{op: opSchedule, args: []string{x.id(opSchedule)}})
			if err == nil && o.Data.Attributes.Name == "" {
				err = errors.New("a schedule without a name")
			}
			return 1, err
		},
		opScheduledUser.name: func(ctx context.Context, s *source, x *exchange) (int, error) {
			turn, err := s.turnAt(ctx, x.id(opScheduledUser), time.Time{})
			if err == nil && !turn.who.isZero() && turn.end.IsZero() {
				err = errors.New("a turn without an end")
			}
			return -1, err
		},
		opAcknowledge.name: act(sources.Acknowledge, sources.KindPage, opAcknowledge),
		opEscalate.name:    act(sources.Escalate, sources.KindPage, opEscalate),
		opResolve.name:     act(sources.Resolve, sources.KindPage, opResolve),
		opEvents.name: func(ctx context.Context, s *source, _ *exchange) (int, error) {
			p, err := fetch[eventPage](ctx, s, call{op: opEvents})
			if err != nil {
				return 0, err
			}
			for i := range p.Data.Items {
				if c := s.marker(&p.Data.Items[i], owners{}); c.Title.IsZero() || c.At.IsZero() {
					return 0, fmt.Errorf("an event without title or moment: %+v", c)
				}
			}
			return len(p.Data.Items), nil
		},
		opEvent.name: func(ctx context.Context, s *source, x *exchange) (int, error) {
			_, err := s.Get(ctx, s.ref(sources.KindChange, eventScope, x.id(opEvent)))
			return 1, err
		},
		opPostEvent.name: func(ctx context.Context, s *source, _ *exchange) (int, error) {
			r, err := s.Perform(ctx, sources.Call{Verb: sources.PostEvent, Target: target(s, sources.KindChange, "checkout")})
			if err == nil && r.ID == "" {
				err = errors.New("an event without an id")
			}
			return -1, err
		},
		opDeployments.name: func(ctx context.Context, s *source, _ *exchange) (int, error) {
			var n noticeBox
			all, err := s.deployments(ctx, testNow.Add(-time.Hour), testNow, &n)
			for _, w := range all {
				if c := s.deployment(w, owners{}); c.At.IsZero() || c.Title.IsZero() {
					return 0, fmt.Errorf("a deployment without moment: %+v", c)
				}
			}
			return len(all), err
		},
		opDeployment.name: func(ctx context.Context, s *source, x *exchange) (int, error) {
			_, err := s.Get(ctx, s.ref(sources.KindChange, doraScope, x.id(opDeployment)))
			return 1, err
		},
		opPostDeployment.name: func(ctx context.Context, s *source, _ *exchange) (int, error) {
			r, err := s.Perform(ctx, sources.Call{
				Verb: sources.PostEvent, Target: target(s, sources.KindChange, "checkout"), Fields: map[string]string{"as": "dora"},
			})
			if err == nil && r.ID == "" {
				err = errors.New("a deployment without an id")
			}
			return -1, err
		},
		opDefinitions.name: func(ctx context.Context, s *source, _ *exchange) (int, error) {
			p, err := fetch[definitionPage](ctx, s, call{op: opDefinitions})
			if err != nil {
				return 0, err
			}
			return len(p.Data.Items), nil
		},
	}
}

func digestQuery(ctx context.Context, s *source, x *exchange) (int, error) {
	a := &asked{spec: sources.MetricSpec{Service: "checkout", Name: "m", Query: x.url.Query().Get("query")}}
	if err := s.older(ctx, a, span{from: testNow.Add(-time.Hour), to: testNow, step: time.Minute}); err != nil {
		return 0, err
	}
	if a.failed != nil {
		return 0, a.failed
	}
	n := 0
	var notices noticeBox
	for _, series := range s.series(a, nil, &notices) {
		n += len(series.Points)
	}
	return n, nil
}

func digestTimeseries(ctx context.Context, s *source, x *exchange) (int, error) {
	var asked timeseriesRequest
	if err := json.Unmarshal([]byte(x.Request.Body), &asked); err != nil {
		return 0, err
	}
	r, err := fetch[timeseriesReply](ctx, s, call{op: opTimeseries, body: &asked})
	if err != nil {
		return 0, err
	}
	n := 0
	for i := range max(len(asked.Data.Attributes.Formulas), len(asked.Data.Attributes.Queries)) {
		for _, f := range foundIn(r, i, time.Minute) {
			n += len(f.points)
		}
	}
	return n, nil
}

// held is how many objects an answer holds, by the place where the operation has its list.
func held(op operation, body any) int {
	at := func(path ...string) []any {
		v := body
		for _, p := range path {
			m, _ := v.(map[string]any)
			v = m[p]
		}
		a, _ := v.([]any)
		return a
	}
	switch op.name {
	case opMonitors.name:
		a, _ := body.([]any)
		return len(a)
	case opSLOs.name:
		return len(at("data", "attributes", "slos"))
	case opIncidents.name:
		return len(at("data", "attributes", "incidents"))
	case opQuery.name:
		n := 0
		for _, series := range at("series") {
			m, _ := series.(map[string]any)
			points, _ := m["pointlist"].([]any)
			n += len(points)
		}
		return n
	case opTimeseries.name:
		n := 0
		for _, values := range at("data", "attributes", "values") {
			row, _ := values.([]any)
			n += len(row)
		}
		return n
	case opMonitor.name, opDowntime.name, opSLO.name, opIncident.name, opSchedule.name, opEvent.name, opDeployment.name:
		return 1
	default:
		return len(at("data"))
	}
}

// on serves one recorded answer to whoever asks for its method and path.
func on(t testing.TB, x *exchange) (*source, *int) {
	t.Helper()
	hits := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != x.Request.Method || r.URL.Path != x.url.Path {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		hits++
		for k, vs := range x.Response.Headers {
			if !slices.Contains([]string{"Content-Length", "Content-Encoding", "Transfer-Encoding"}, http.CanonicalHeaderKey(k)) && len(vs) > 0 {
				w.Header().Set(k, vs[0])
			}
		}
		w.WriteHeader(x.Response.Code)
		_, _ = io.WriteString(w, x.Response.Body)
	}))
	t.Cleanup(srv.Close)
	cfg := testConfig(t)
	cfg.Host = srv.URL
	src, err := Driver().Open(testEnv(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := src.(*source)
	s.patience = time.Millisecond
	return s, &hits
}

// Every recorded answer to an operation of the driver's decodes into the domain, whole, or into an error
// that says what Datadog said.
func TestRecordedAnswersDecode(t *testing.T) {
	dir := shared(t, "datadog")
	if dir == "" {
		t.Skip("unvalidated: 1 (no recorded traffic of Datadog's at ../shared/fixtures/datadog)")
	}
	how := digests()
	replayed, refused := 0, 0
	for _, c := range cassettes(t, dir) {
		for i := range c.Calls {
			x := &c.Calls[i]
			op, ok := operationOf(x.Request.Method, x.url.Path)
			if !ok {
				continue
			}
			name := fmt.Sprintf("%s, request %d (%s %s)", c.name, i, x.Request.Method, x.url.Path)
			if how[op.name] == nil {
				t.Fatalf("%s: the test knows no way to ask for %s", name, op.name)
			}
			s, hits := on(t, x)
			n, err := how[op.name](t.Context(), s, x)
			replayed++
			if *hits == 0 {
				// Only what cannot be an id of Datadog's is refused without asking.
				if kind := sources.KindOf(err); err == nil || kind != sources.NotExist && kind != sources.Unsupported {
					t.Errorf("%s: was not asked for: %v", name, err)
				}
				continue
			}
			if x.Response.Code/100 == 2 && !complains(x) {
				if err != nil {
					t.Errorf("%s: %v", name, err)
				} else if want := held(op, x.body()); n >= 0 && n != want {
					t.Errorf("%s: %d of %d objects were decoded", name, n, want)
				}
				continue
			}
			refused++
			checkRefusal(t, name, op, x, err)
		}
	}
	t.Logf("replayed: %d (%d of them errors)", replayed, refused)
	if replayed < 20 {
		t.Errorf("only %d recorded answers are of the driver's operations", replayed)
	}
}

// complains reports whether a success is none.
func complains(x *exchange) bool {
	m, _ := x.body().(map[string]any)
	return m["status"] == "error"
}

func checkRefusal(t *testing.T, name string, op operation, x *exchange, err error) {
	t.Helper()
	e, ok := errors.AsType[*sources.Error](err)
	if !ok {
		t.Errorf("%s: answered %d, it is no *sources.Error: %v", name, x.Response.Code, err)
		return
	}
	kinds := map[int]sources.ErrKind{
		200: sources.Invalid, 400: sources.Invalid, 401: sources.Permission, 403: sources.Permission, 404: sources.NotExist,
		409: sources.Conflict, 422: sources.Invalid, 429: sources.Throttled, 500: sources.Transient, 503: sources.Transient,
	}
	want, known := kinds[x.Response.Code]
	if x.Response.Code >= 500 && slices.Contains([]operation{opMute, opUnmute, opUpdate, opAcknowledge, opEscalate, opResolve, opPostEvent, opPostDeployment}, op) {
		want = sources.Ambiguous
	}
	if known && e.Kind != want {
		t.Errorf("%s: answered %d, it is %s: %v", name, x.Response.Code, e.Kind, e)
	}
	if e.Op == "" || e.Msg == "" || strings.HasSuffix(e.Msg, ".") || strings.ContainsAny(e.Msg, "\n\x1b") || strings.Contains(e.Msg, `{"`) {
		t.Errorf("%s: %q is no sentence for people", name, e.Error())
	}
	if x.Response.Code == http.StatusTooManyRequests {
		return // the limit's name and end say more than its text
	}
	if said := complaint([]byte(x.Response.Body)); said == "" && json.Valid([]byte(x.Response.Body)) && strings.Contains(x.Response.Body, `"error`) {
		t.Errorf("%s: what Datadog says is not understood: %s", name, x.Response.Body)
	} else if !strings.Contains(e.Msg, said) {
		t.Errorf("%s: %q does not say what Datadog says: %s", name, e.Msg, said)
	}
}

// What other operations answer of the same kind of object decodes too: the scenarios make monitors,
// objectives and incidents before they read them.
func TestRecordedObjectsDecode(t *testing.T) {
	t.Parallel()
	dir := shared(t, "datadog")
	if dir == "" {
		t.Skip("unvalidated: 1 (no recorded traffic of Datadog's at ../shared/fixtures/datadog)")
	}
	cfg := testConfig(t)
	src, err := Driver().Open(testEnv(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := src.(*source)
	seen := map[string]int{}
	for _, c := range cassettes(t, dir) {
		for i := range c.Calls {
			x := &c.Calls[i]
			if x.Response.Code/100 != 2 || x.Request.Method == http.MethodDelete {
				continue
			}
			body := []byte(x.Response.Body)
			switch p := x.url.Path; {
			case regexp.MustCompile(`^/api/v1/monitor(/\d+)?$`).MatchString(p) && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")):
				w, err := decode[wireMonitor](opMonitor, body)
				if err != nil {
					t.Errorf("%s: %v", c.name, err)
				} else if m := s.monitor(w, owners{tag: "service"}, nil); m.Name.IsZero() || m.URL == "" {
					t.Errorf("%s: %+v", c.name, m)
				}
				seen["monitors"]++
			case p == "/api/v1/slo":
				var all struct {
					Data some[definedSLO] `json:"data"`
				}
				if err := json.Unmarshal(body, &all); err != nil || all.Data.Bad > 0 || len(all.Data.Items) == 0 || all.Data.Items[0].ID == "" {
					t.Errorf("%s: %v, %+v", c.name, err, all)
				}
				seen["SLOs"]++
			case p == "/api/v2/incidents":
				if x.Request.Method == http.MethodPost {
					o, err := decode[oneIncident](opIncident, body)
					if err != nil || s.incident(&o.Data, o.Included.Items, owners{}, "").Title.IsZero() {
						t.Errorf("%s: %v", c.name, err)
					}
				} else {
					var all struct {
						Data some[wireIncident] `json:"data"`
					}
					if err := json.Unmarshal(body, &all); err != nil || all.Data.Bad > 0 || len(all.Data.Items) == 0 {
						t.Errorf("%s: %v", c.name, err)
					}
				}
				seen["incidents"]++
			case p == "/api/v2/events/search":
				if _, err := decode[eventPage](opEvents, body); err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
				seen["events"]++
			case p == "/api/v2/on-call/schedules":
				if o, err := decode[oneSchedule](opSchedule, body); err != nil || o.Data.Attributes.Zone == "" {
					t.Errorf("%s: %v", c.name, err)
				}
				seen["schedules"]++
			}
		}
	}
	t.Logf("decoded: %v", seen)
	for _, kind := range []string{"monitors", "SLOs", "incidents", "events", "schedules"} {
		if seen[kind] == 0 {
			t.Errorf("no recorded %s", kind)
		}
	}
}

// unzipped reads a compressed file.
func unzipped(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}
