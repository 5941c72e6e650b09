package datadog

// routes lists every endpoint. What is not listed here is not found.
func routes() []route {
	const (
		v1  = "/api/v1"
		v2  = "/api/v2"
		inc = "/api/v2/incidents"
		oc  = "/api/v2/on-call"
	)
	numbered, offset := []string{"page[size]", "page[number]"}, []string{"page[size]", "page[offset]"}
	with := func(page []string, more ...string) []string { return append(more, page...) }
	state := []string{"group_states", "with_downtimes"}
	return []route{
		{pattern: "GET " + v1 + "/validate", do: (*call).validate, family: "validate"},
		{pattern: "GET " + v2 + "/current_user", do: (*call).currentUser, family: "users", scope: "user_access_read"},
		{pattern: "GET " + v2 + "/users/{id}", do: (*call).getUser, family: "users", scope: "user_access_read"},

		{pattern: "GET " + v1 + "/query", do: (*call).query, family: "query_timeseries", scope: "timeseries_query", params: []string{"from", "to", "query"}},
		{pattern: "POST " + v2 + "/query/timeseries", do: (*call).timeseries, family: "query_v2", scope: "timeseries_query"},
		{pattern: "POST " + v2 + "/query/scalar", do: (*call).scalar, family: "query_v2", scope: "timeseries_query"},

		{pattern: "GET " + v1 + "/monitor", do: (*call).monitors, family: "monitors", scope: "monitors_read", size: "page_size",
			params: with(state, "name", "tags", "monitor_tags", "id_offset", "page", "page_size")},
		{pattern: "GET " + v1 + "/monitor/search", do: (*call).searchMonitors, family: "monitors", scope: "monitors_read", size: "per_page",
			params: []string{"query", "page", "per_page", "sort"}},
		{pattern: "GET " + v1 + "/monitor/{id}", do: (*call).getMonitor, family: "monitors", scope: "monitors_read", params: state},
		{pattern: "GET " + v2 + "/downtime", do: (*call).downtimes, family: "downtime", scope: "monitors_downtime", size: "page[limit]",
			params: []string{"current_only", "include", "page[offset]", "page[limit]"}},
		{pattern: "GET " + v2 + "/downtime/{id}", do: (*call).getDowntime, family: "downtime", scope: "monitors_downtime", params: []string{"include"}},
		{pattern: "POST " + v2 + "/downtime", do: (*call).createDowntime, family: "downtime", scope: "monitors_downtime", write: true},
		{pattern: "DELETE " + v2 + "/downtime/{id}", do: (*call).cancelDowntime, family: "downtime", scope: "monitors_downtime", write: true},

		{pattern: "GET " + v1 + "/slo", do: (*call).slos, family: "slo", scope: "slos_read", size: "limit",
			params: []string{"ids", "query", "tags_query", "metrics_query", "limit", "offset", "is_deleted"}},
		{pattern: "GET " + v1 + "/slo/search", do: (*call).searchSLOs, family: "slo", scope: "slos_read", size: "page[size]",
			params: with(numbered, "query", "include_facets")},
		{pattern: "GET " + v1 + "/slo/{id}", do: (*call).getSLO, family: "slo", scope: "slos_read", params: []string{"with_configured_alert_ids"}},
		{pattern: "GET " + v1 + "/slo/{id}/history", do: (*call).history, family: "slo_history", scope: "slos_read",
			params: []string{"from_ts", "to_ts", "target", "apply_correction"}},

		{pattern: "GET " + inc, do: (*call).incidents, family: "incidents", scope: "incident_read", size: "page[size]", params: with(offset, "include")},
		{pattern: "GET " + inc + "/search", do: (*call).searchIncidents, family: "incidents", scope: "incident_read", size: "page[size]",
			params: with(offset, "include", "query", "sort")},
		{pattern: "GET " + inc + "/{id}", do: (*call).getIncident, family: "incidents", scope: "incident_read", params: []string{"include"}},
		{pattern: "PATCH " + inc + "/{id}", do: (*call).updateIncident, family: "incidents", scope: "incident_write", write: true, params: []string{"include"}},
		{pattern: "GET " + inc + "/{id}/attachments", do: (*call).attachments, family: "incidents", scope: "incident_read",
			params: []string{"filter[attachment_type]", "include"}},
		{pattern: "GET " + inc + "/{id}/impacts", do: (*call).impacts, family: "incidents", scope: "incident_read", params: []string{"include"}},
		{pattern: "GET " + inc + "/{id}/relationships/integrations", do: (*call).integrations, family: "incidents", scope: "incident_read"},
		{pattern: "GET " + inc + "/{id}/relationships/todos", do: (*call).tasks, family: "incidents", scope: "incident_read"},

		{pattern: "POST " + v1 + "/events", do: (*call).postEvent, family: "events", write: true},
		{pattern: "GET " + v1 + "/events/{id}", do: (*call).getEvent, family: "events", scope: "events_read"},
		{pattern: "GET " + v2 + "/events", do: (*call).listEvents, family: "events_search", scope: "events_read", size: "page[limit]",
			params: []string{"filter[query]", "filter[from]", "filter[to]", "sort", "page[cursor]", "page[limit]"}},
		{pattern: "POST " + v2 + "/events/search", do: (*call).searchEvents, family: "events_search", scope: "events_read"},
		{pattern: "POST " + v2 + "/dora/deployment", do: (*call).fileDeployment, family: "dora", write: true},
		{pattern: "POST " + v2 + "/dora/deployments", do: (*call).listDeployments, family: "dora", scope: "dora_metrics_read"},
		{pattern: "GET " + v2 + "/dora/deployments/{id}", do: (*call).getDeployment, family: "dora", scope: "dora_metrics_read"},

		{pattern: "GET " + v2 + "/team", do: (*call).teams, family: "teams", scope: "teams_read", size: "page[size]",
			params: with(numbered, "sort", "include", "filter[keyword]", "filter[me]", "fields[team]")},
		{pattern: "GET " + v2 + "/team/{id}", do: (*call).getTeam, family: "teams", scope: "teams_read"},
		{pattern: "GET " + oc + "/teams/{id}/on-call", do: (*call).teamOnCall, family: "on_call", scope: "on_call_read", params: []string{"include"}},
		{pattern: "GET " + oc + "/schedules", do: (*call).schedules, family: "on_call", scope: "on_call_read", size: "page[size]",
			params: with(numbered, "filter[query]", "include")},
		{pattern: "GET " + oc + "/schedules/{id}", do: (*call).getSchedule, family: "on_call", scope: "on_call_read", params: []string{"include"}},
		{pattern: "GET " + oc + "/schedules/{id}/on-call", do: (*call).onCall, family: "on_call", scope: "on_call_read",
			params: []string{"include", "filter[at_ts]"}},
		{pattern: "GET " + oc + "/schedules/{id}/responders", do: (*call).responders, family: "on_call", scope: "on_call_read",
			params: []string{"include", "filter[at_ts]", "filter[position]"}},
		{pattern: "POST " + oc + "/pages", do: (*call).createPage, family: "on_call", scope: "on_call_page", write: true},
		{pattern: "POST " + oc + "/pages/{id}/acknowledge", do: onPage(acknowledge), family: "on_call", scope: "on_call_page", write: true},
		{pattern: "POST " + oc + "/pages/{id}/escalate", do: onPage(escalate), family: "on_call", scope: "on_call_page", write: true},
		{pattern: "POST " + oc + "/pages/{id}/resolve", do: onPage(resolve), family: "on_call", scope: "on_call_page", write: true},

		{pattern: "GET " + v2 + "/services/definitions", do: (*call).definitions, family: "services", scope: "apm_service_catalog_read", size: "page[size]",
			params: with(numbered, "schema_version")},
		{pattern: "GET " + v2 + "/services/definitions/{name}", do: (*call).getDefinition, family: "services", scope: "apm_service_catalog_read",
			params: []string{"schema_version"}},
	}
}

// validate answers GET /api/v1/validate.
func (c *call) validate() answer { return c.ok(map[string]bool{"valid": true}) }
