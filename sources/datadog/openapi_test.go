package datadog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"example.com/signalbox/sources"
)

// description reads one of Datadog's descriptions, once.
var descriptionOf = map[string]func() (*openapi3.T, error){
	"v1": sync.OnceValues(func() (*openapi3.T, error) { return description("v1") }),
	"v2": sync.OnceValues(func() (*openapi3.T, error) { return description("v2") }),
}

func description(version string) (*openapi3.T, error) {
	file, err := sharedPath("specs/datadog-" + version + "-openapi.yaml.gz")
	if err != nil || file == "" {
		return nil, err
	}
	raw, err := unzipped(file)
	if err != nil {
		return nil, err
	}
	// The validator takes {} for what allows objects alone.
	return openapi3.NewLoader().LoadFromData(bytes.ReplaceAll(raw, []byte("additionalProperties: {}"), []byte("additionalProperties: true")))
}

// preparing keeps two tests from preparing one description at once.
var preparing sync.Mutex

// described are Datadog's descriptions of both versions of its API.
func described(t testing.TB) map[string]*openapi3.T {
	t.Helper()
	preparing.Lock()
	defer preparing.Unlock()
	out := map[string]*openapi3.T{}
	for v, read := range descriptionOf {
		doc, err := read()
		if err != nil {
			t.Fatal(err)
		}
		if doc == nil {
			t.Skip("unvalidated: 1 (no description of Datadog's API at ../shared/specs)")
		}
		if len(doc.Servers) == 1 && doc.Servers[0].URL == "https://datadog.test" {
			out[v] = doc
			continue
		}
		doc.Servers = openapi3.Servers{{URL: "https://datadog.test"}}
		for _, item := range doc.Paths.Map() {
			item.Servers = nil
			for _, op := range item.Operations() {
				op.Servers = nil
			}
		}
		out[v] = doc
	}
	return out
}

// younger are operations that came after the description of spring 2026.
func younger(op operation) bool { return op.name == opSchedules.name }

func TestOperationsAreDescribed(t *testing.T) {
	t.Parallel()
	docs := described(t)
	for _, op := range operations() {
		if younger(op) {
			continue
		}
		item := docs[op.name[:2]].Paths.Value(op.path)
		if item == nil || item.GetOperation(op.method) == nil {
			t.Errorf("%s %s is not described", op.method, op.path)
			continue
		}
		d := item.GetOperation(op.method)
		if _, name, _ := strings.Cut(op.name, "Api."); name != d.OperationID {
			t.Errorf("%s %s is %s, not %s", op.method, op.path, d.OperationID, name)
		}
		perm, _ := d.Extensions["x-permission"].(map[string]any)
		wanted, _ := perm["permissions"].([]any)
		if len(wanted) == 1 && wanted[0] != op.need {
			t.Errorf("%s needs %v, not %q", op.name, wanted[0], op.need)
		}
	}
}

// Every request that the driver sends is one that Datadog describes: paths, parameters, bodies.
func TestRequestsAreValid(t *testing.T) {
	t.Parallel()
	docs := described(t)
	route := map[string]routers.Router{}
	for v, doc := range docs {
		r, err := gorillamux.NewRouter(doc)
		if err != nil {
			t.Fatal(err)
		}
		route[v] = r
	}
	var mu sync.Mutex
	valid := map[string]int{}
	check := func(r *http.Request, body []byte) {
		version := strings.Split(r.URL.Path, "/")[2]
		in := r.Clone(context.Background())
		in.URL.Scheme, in.URL.Host, in.Host = "https", "datadog.test", "datadog.test"
		in.Body = io.NopCloser(bytes.NewReader(body))
		rt, params, err := route[version].FindRoute(in)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			if !strings.HasPrefix(r.URL.Path, "/api/v2/on-call/schedules") {
				t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
			}
			return
		}
		for name := range r.URL.Query() {
			if rt.Operation.Parameters.GetByInAndName("query", name) == nil {
				t.Errorf("%s %s: the parameter %s is not described", r.Method, r.URL.Path, name)
			}
		}
		err = openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
			Request: in, PathParams: params, Route: rt,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
		})
		if err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		valid[rt.Operation.OperationID]++
	}
	h := &hub{}
	h.override = func(r *http.Request, body []byte) (int, any, bool) {
		check(r, body)
		return 0, nil, false
	}
	s := opened(t, h, func(_ *sources.Env, c *Config) { c.Teams, c.Schedules = []string{"payments"}, []string{uuid(2)} })
	everything(t, s)
	mu.Lock()
	defer mu.Unlock()
	for _, op := range operations() {
		_, name, _ := strings.Cut(op.name, "Api.")
		if valid[name] == 0 && !younger(op) {
			t.Errorf("%s was not sent", op.name)
		}
	}
	t.Logf("valid requests: %v", valid)
}

// everything makes the driver send each of its operations. What is answered is other tests' concern.
func everything(t *testing.T, s *source) {
	t.Helper()
	ctx := t.Context()
	q := sources.Query{Services: []sources.ServiceSpec{checkoutSpec()}, Now: testNow, Followed: true}
	for _, read := range []func() error{
		func() error { _, err := s.QueryMetrics(ctx, q); return err },
		func() error { _, err := s.ListMonitors(ctx, q); return err },
		func() error { _, err := s.ListSLOs(ctx, q); return err },
		func() error { _, err := s.ListIncidents(ctx, q); return err },
		func() error { _, err := s.ListPastIncidents(ctx, q); return err },
		func() error { _, err := s.ListShifts(ctx, q); return err },
		func() error { _, err := s.ListChanges(ctx, q); return err },
		func() error {
			_, err := s.ReadIncident(ctx, s.ref(sources.KindIncident, "", uuid(1)))
			return err
		},
		func() error { _, err := s.Discover(ctx); return err },
	} {
		if err := read(); err != nil {
			t.Error(err)
		}
	}
	s.Check(ctx)
	s.CheckScopes(ctx, []string{"checkout"})
	for _, ref := range []sources.Ref{
		s.ref(sources.KindMonitor, "", "3"), s.ref(sources.KindSLO, "", "slo1"), s.ref(sources.KindSilence, "", uuid(300)),
		s.ref(sources.KindChange, eventScope, "6327818704671039975"), s.ref(sources.KindChange, doraScope, "d9"),
	} {
		if _, err := s.Get(ctx, ref); err != nil {
			t.Error(err)
		}
	}
	page := s.ref(sources.KindPage, "", uuid(7))
	change := s.ref(sources.KindChange, "", "checkout")
	for _, c := range []sources.Call{
		{Verb: sources.Acknowledge, Target: page}, {Verb: sources.Escalate, Target: page}, {Verb: sources.Resolve, Target: page},
		{Verb: sources.Resolve, Target: s.ref(sources.KindIncident, "", uuid(1))},
		{Verb: sources.Mute, Target: s.ref(sources.KindMonitor, "", "3"), For: time.Hour, ID: "plan", Text: "night"},
		{Verb: sources.Unmute, Target: s.ref(sources.KindMonitor, "", "3")},
		{Verb: sources.Expire, Target: s.ref(sources.KindSilence, "", uuid(300))},
		{Verb: sources.PostEvent, Target: change, ID: "plan", Fields: map[string]string{"tags": "a:b, c", "version": "v1", "env": "prod", "sha": "66adc93"}},
		{Verb: sources.PostEvent, Target: change, ID: "plan", Fields: map[string]string{
			"as": "dora", "version": "v1", "env": "prod", "team": "payments", "sha": "66adc9350f2cc9b250b69abddab733dd55e1a588",
			"repository": "https://github.com/acme/checkout", "started": "2026-11-22T02:00:00Z", "tags": "a:b",
		}},
	} {
		r, err := s.Perform(ctx, c)
		if err != nil {
			t.Error(err)
		}
		if _, err := s.Preview(ctx, c); err != nil {
			t.Error(err)
		}
		for _, r := range []sources.Receipt{r, {}} {
			if _, err := s.Verify(ctx, c, r); err != nil && c.Target.Kind != sources.KindPage {
				t.Error(err)
			}
		}
	}
}

// undescribed are fields that Datadog sends and does not describe, or describes elsewhere.
func undescribed() []string {
	return []string{
		"ListMonitors overall_state_modified", "GetMonitor overall_state_modified", // recorded
		"SearchIncidents commander", "SearchIncidents last_modified_by", "SearchIncidents created_by", "SearchIncidents field_analytics", // recorded
		"GetIncident commander", "GetIncident last_modified_by", "GetIncident created_by", "GetIncident field_analytics",
		"UpdateIncident commander", "UpdateIncident last_modified_by", "UpdateIncident created_by", "UpdateIncident field_analytics",
		"ListIncidentIntegrations metadata.redirect_url",                                    // of integrations that are not described
		"GetSLOHistory state",                                                               // recorded
		"ListEvents author", "ListEvents changed_resource", "ListEvents impacted_resources", // described of GetEvent
		"ListServiceDefinitions repos.type", // one type for all lists of links
	}
}

// Every field that the driver reads is one that Datadog describes, and of a type that it can read.
func TestDecodedFieldsAreDescribed(t *testing.T) {
	t.Parallel()
	docs := described(t)
	replies := map[operation]any{
		opQuery: queryReply{}, opTimeseries: timeseriesReply{}, opMonitors: []wireMonitor{}, opMonitor: wireMonitor{},
		opDowntimes: downtimePage{}, opDowntime: oneDowntime{}, opMute: oneDowntime{}, opSLOs: sloPage{}, opSLO: oneSLO{}, opSLOHistory: historyReply{},
		opIncidents: incidentPage{}, opIncident: oneIncident{}, opUpdate: oneIncident{}, opIntegrations: integrationList{}, opImpacts: impactList{},
		opTasks: taskList{}, opTeams: teamPage{}, opTeamOnCall: teamOnCall{}, opSchedule: oneSchedule{}, opScheduledUser: scheduledUser{},
		opEvents: eventPage{}, opPostEvent: eventReply{}, opDeployments: deploymentList{}, opDeployment: oneDeployment{}, opPostDeployment: made{},
		opDefinitions: definitionPage{}, opValidate: validation{},
	}
	w := &walker{t: t, unknown: map[string]bool{}, included: map[string]bool{}}
	for op, v := range replies {
		d := docs[op.name[:2]].Paths.Value(op.path).GetOperation(op.method)
		schema := success(d)
		if schema == nil {
			t.Errorf("%s answers nothing", op.name)
			continue
		}
		w.op = d.OperationID
		w.walk("", reflect.TypeOf(v), []*openapi3.Schema{schema})
	}
	for _, f := range slices.Sorted(maps.Keys(w.unknown)) {
		if _, field, _ := strings.Cut(f, " "); w.included[field] {
			continue // one type for what any operation brings along
		}
		if !slices.ContainsFunc(undescribed(), func(known string) bool {
			op, name, _ := strings.Cut(known, " ")
			at, field, _ := strings.Cut(f, " ")
			return op == at && name != "" && (strings.HasSuffix(field, "."+name) || field == name || strings.Contains(field, "."+name+"."))
		}) {
			t.Errorf("not described: %s", f)
		}
	}
	t.Logf("fields checked: %d", w.checked)
}

func success(d *openapi3.Operation) *openapi3.Schema {
	for _, code := range []string{"200", "201", "202"} {
		if r := d.Responses.Value(code); r != nil && r.Value.Content.Get("application/json") != nil {
			return r.Value.Content.Get("application/json").Schema.Value
		}
	}
	return nil
}

type walker struct {
	t       *testing.T
	op      string
	unknown map[string]bool
	// included are the fields of what is brought along that some operation describes.
	included map[string]bool
	checked  int
}

// flat are the schemas that a value may have: of alternatives, each.
func flat(schemas []*openapi3.Schema) []*openapi3.Schema {
	var out []*openapi3.Schema
	for _, s := range schemas {
		if s == nil {
			continue
		}
		var more []*openapi3.Schema
		for _, refs := range []openapi3.SchemaRefs{s.OneOf, s.AnyOf, s.AllOf} {
			for _, r := range refs {
				more = append(more, r.Value)
			}
		}
		out = append(out, s)
		out = append(out, flat(more)...)
	}
	return out
}

func (w *walker) walk(path string, typ reflect.Type, schemas []*openapi3.Schema) {
	schemas = flat(schemas)
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	has := func(names ...string) bool {
		for _, s := range schemas {
			for _, n := range names {
				if s.Type.Is(n) {
					return true
				}
			}
		}
		return false
	}
	bad := func() { w.unknown[fmt.Sprintf("%s %s is no %s", w.op, strings.TrimPrefix(path, "."), typ)] = true }
	w.checked++
	switch typ {
	case reflect.TypeOf(text("")):
		if !has("string", "integer", "number") {
			bad()
		}
	case reflect.TypeOf(number(0)), reflect.TypeOf(whole(0)):
		if !has("integer", "number") {
			bad()
		}
	case reflect.TypeOf(stamp{}):
		if !has("string", "integer", "number") {
			bad()
		}
	case reflect.TypeOf(words{}):
		if !has("array", "string") {
			bad()
		}
	case reflect.TypeOf(row{}), reflect.TypeOf(pairs{}):
		if !has("array") {
			bad()
		}
	case reflect.TypeOf(links{}), reflect.TypeOf(false), reflect.TypeOf(""):
		if !has("object", "boolean", "string") {
			bad()
		}
	default:
		w.inside(path, typ, schemas)
	}
}

func (w *walker) inside(path string, typ reflect.Type, schemas []*openapi3.Schema) {
	elements := func() []*openapi3.Schema {
		var out []*openapi3.Schema
		for _, s := range schemas {
			if s.Items != nil {
				out = append(out, s.Items.Value)
			}
		}
		return out
	}
	switch {
	case strings.HasPrefix(typ.Name(), "some["):
		w.list(path, typ.Field(0).Type.Elem(), elements())
	case typ.Kind() == reflect.Slice:
		w.list(path, typ.Elem(), elements())
	case typ.Kind() == reflect.Map:
		var values []*openapi3.Schema
		for _, s := range schemas {
			if s.AdditionalProperties.Schema != nil {
				values = append(values, s.AdditionalProperties.Schema.Value)
			}
		}
		w.list(path, typ.Elem(), values)
	case typ.Kind() == reflect.Struct:
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				continue
			}
			var found []*openapi3.Schema
			open := false
			for _, s := range schemas {
				if p := s.Properties[name]; p != nil {
					found = append(found, p.Value)
				}
				open = open || s.Type.Is("object") && len(s.Properties) == 0
			}
			if len(found) == 0 {
				if !open {
					w.unknown[w.op+" "+strings.TrimPrefix(path+"."+name, ".")] = true
				}
				continue
			}
			if at := strings.TrimPrefix(path+"."+name, "."); strings.HasPrefix(at, "included.") {
				w.included[at] = true
			}
			w.walk(path+"."+name, f.Type, found)
		}
	}
}

func (w *walker) list(path string, elem reflect.Type, schemas []*openapi3.Schema) {
	if len(schemas) == 0 {
		w.unknown[w.op+" "+strings.TrimPrefix(path, ".")+" is no list"] = true
		return
	}
	w.walk(path, elem, schemas)
}
