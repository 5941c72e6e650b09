package pagerduty

import (
	"net/http"
	"slices"
	"strings"

	"example.com/signalbox/sources/simulator/world"
)

// route is one endpoint.
type route struct {
	method, path string
	do           func(*call) answer
	list         bool     // pages
	open         bool     // wants no credential
	params       []string // what its query may hold, besides the page
}

func (rt route) name() string { return rt.method + " /pagerduty" + rt.path }

func (rt route) takes(param string) bool {
	return slices.Contains(rt.params, param) || rt.list && (param == "limit" || param == "offset" || param == "total")
}

// routes registers every endpoint. What is not listed here is not found, as PagerDuty puts it.
func (s *Server) routes() {
	include := func(more ...string) []string { return append([]string{"include[]"}, more...) }
	list := []route{
		{"GET", "/incidents", (*call).incidents, true, false, include("since", "until", "date_range", "incident_key", "service_ids[]",
			"team_ids[]", "urgencies[]", "statuses[]", "user_ids[]", "time_zone", "sort_by")},
		{"POST", "/incidents", (*call).createIncident, false, false, nil},
		{"PUT", "/incidents", (*call).manage, false, false, nil},
		{"GET", "/incidents/{id}", withIncident((*call).incident), false, false, include()},
		{"PUT", "/incidents/{id}", withIncident((*call).update), false, false, nil},
		{"GET", "/incidents/{id}/alerts", withIncident((*call).alerts), true, false, include("statuses[]", "alert_key", "sort_by")},
		{"GET", "/incidents/{id}/log_entries", withIncident((*call).incidentLog), true, false, include("since", "until", "is_overview", "time_zone")},
		{"GET", "/incidents/{id}/notes", withIncident((*call).notes), false, false, nil},
		{"POST", "/incidents/{id}/notes", withIncident((*call).addNote), false, false, nil},
		{"POST", "/incidents/{id}/snooze", withIncident((*call).snooze), false, false, nil},
		{"PUT", "/incidents/{id}/merge", withIncident((*call).merge), false, false, nil},
		{"POST", "/incidents/{id}/status_updates", withIncident((*call).statusUpdate), false, false, nil},
		{"GET", "/incidents/{id}/related_change_events", withIncident((*call).relatedChanges), false, false, []string{"limit"}},
		{"GET", "/incidents/{id}/past_incidents", withIncident((*call).pastIncidents), false, false, []string{"limit", "total"}},
		{"GET", "/log_entries", (*call).logEntries, true, false, include("since", "until", "is_overview", "time_zone", "team_ids[]")},
		{"GET", "/log_entries/{id}", (*call).logEntry, false, false, include("time_zone")},
		{"GET", "/oncalls", (*call).onCalls, true, false, include("since", "until", "earliest", "user_ids[]", "escalation_policy_ids[]", "schedule_ids[]", "time_zone")},
		{"GET", "/services", (*call).services, true, false, include("query", "team_ids[]", "time_zone", "sort_by", "name")},
		{"GET", "/services/{id}", (*call).service, false, false, include()},
		{"GET", "/services/{id}/change_events", (*call).serviceChanges, true, false, include("since", "until", "team_ids[]", "integration_ids[]")},
		{"GET", "/change_events", (*call).changes, true, false, include("since", "until", "team_ids[]", "integration_ids[]")},
		{"GET", "/change_events/{id}", (*call).change, false, false, nil},
		{"GET", "/escalation_policies", (*call).policies, true, false, include("query", "user_ids[]", "team_ids[]", "sort_by")},
		{"GET", "/escalation_policies/{id}", (*call).policy, false, false, include()},
		{"GET", "/schedules", (*call).schedules, true, false, include("query", "time_zone", "since", "until")},
		{"GET", "/schedules/{id}", (*call).schedule, false, false, include("since", "until", "time_zone", "overflow")},
		{"GET", "/users", (*call).users, true, false, include("query", "team_ids[]")},
		{"GET", "/users/me", (*call).me, false, false, include()},
		{"GET", "/users/{id}", (*call).user, false, false, include()},
		{"GET", "/teams", (*call).teams, true, false, []string{"query"}},
		{"GET", "/teams/{id}", (*call).team, false, false, include()},
		{"GET", "/priorities", (*call).priorities, true, false, nil},
		{"GET", "/abilities", (*call).abilities, false, false, nil},
		{"POST", "/v2/change/enqueue", (*call).enqueue, false, true, nil},
	}
	for _, rt := range list {
		s.mux.HandleFunc(rt.method+" "+rt.path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, rt) })
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, route{method: r.Method, path: "/unknown", do: (*call).notFound})
	})
}

func withIncident(do func(*call, *world.Incident) answer) func(*call) answer {
	return func(c *call) answer {
		if i := c.w.IncidentByID(c.r.PathValue("id")); i != nil {
			return do(c, i)
		}
		return c.notFound()
	}
}

// among reports whether a list parameter names one of the values, or nothing at all.
func (c *call) among(param string, values ...string) bool {
	if !c.q.Has(param) {
		return true
	}
	return slices.ContainsFunc(c.q[param], func(x string) bool { return slices.Contains(values, x) })
}

// includes reports whether more than a reference is wanted of something.
func (c *call) includes(what string) bool { return slices.Contains(c.q["include[]"], what) }

// queried reports whether a name contains what is searched for.
func (c *call) queried(name string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(c.q.Get("query")))
}
