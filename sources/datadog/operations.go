package datadog

// family is a group of endpoints that share a rate limit, as far as Datadog tells.
type family string

const (
	metricsFamily   family = "metrics"
	monitorsFamily  family = "monitors"
	downtimesFamily family = "downtimes"
	slosFamily      family = "slos"
	historyFamily   family = "slo history"
	incidentsFamily family = "incidents"
	onCallFamily    family = "on-call"
	pagingFamily    family = "on-call paging"
	teamsFamily     family = "teams"
	eventsFamily    family = "events"
	doraFamily      family = "DORA"
	catalogFamily   family = "service catalogue"
	accountFamily   family = "account"
)

// operation is one thing that Datadog's API does.
type operation struct {
	name   string // as Datadog's client calls it: it decides the host
	doing  string // for people: "list monitors"
	method string
	path   string // with {names} in the place of its parameters
	family family
	need   string // the permission that the application key's owner needs; "" when none is documented
}

// bare reports whether a success has no body. Datadog sends such a one as a web page of no length.
func (o operation) bare() bool { return o.method == "DELETE" || o.family == pagingFamily }

// The operations that this driver uses.
var (
	opValidate = operation{"v1.AuthenticationApi.Validate", "validate the API key", "GET", "/api/v1/validate", accountFamily, ""}

	opQuery      = operation{"v1.MetricsApi.QueryMetrics", "query a metric", "GET", "/api/v1/query", metricsFamily, "timeseries_query"}
	opTimeseries = operation{"v2.MetricsApi.QueryTimeseriesData", "query metrics", "POST", "/api/v2/query/timeseries", metricsFamily, "timeseries_query"}

	opMonitors = operation{"v1.MonitorsApi.ListMonitors", "list monitors", "GET", "/api/v1/monitor", monitorsFamily, "monitors_read"}
	opMonitor  = operation{"v1.MonitorsApi.GetMonitor", "read a monitor", "GET", "/api/v1/monitor/{monitor_id}", monitorsFamily, "monitors_read"}

	opDowntimes = operation{"v2.DowntimesApi.ListDowntimes", "list downtimes", "GET", "/api/v2/downtime", downtimesFamily, "monitors_downtime"}
	opDowntime  = operation{"v2.DowntimesApi.GetDowntime", "read a downtime", "GET", "/api/v2/downtime/{downtime_id}", downtimesFamily, "monitors_downtime"}
	opMute      = operation{"v2.DowntimesApi.CreateDowntime", "mute a monitor", "POST", "/api/v2/downtime", downtimesFamily, "monitors_downtime"}
	opUnmute    = operation{"v2.DowntimesApi.CancelDowntime", "end a downtime", "DELETE", "/api/v2/downtime/{downtime_id}", downtimesFamily, "monitors_downtime"}

	opSLOs       = operation{"v1.ServiceLevelObjectivesApi.SearchSLO", "list SLOs", "GET", "/api/v1/slo/search", slosFamily, "slos_read"}
	opSLO        = operation{"v1.ServiceLevelObjectivesApi.GetSLO", "read an SLO", "GET", "/api/v1/slo/{slo_id}", slosFamily, "slos_read"}
	opSLOHistory = operation{"v1.ServiceLevelObjectivesApi.GetSLOHistory", "read an SLO's history", "GET", "/api/v1/slo/{slo_id}/history", historyFamily, "slos_read"}

	opIncidents    = operation{"v2.IncidentsApi.SearchIncidents", "list incidents", "GET", "/api/v2/incidents/search", incidentsFamily, "incident_read"}
	opIncident     = operation{"v2.IncidentsApi.GetIncident", "read an incident", "GET", "/api/v2/incidents/{incident_id}", incidentsFamily, "incident_read"}
	opIntegrations = operation{"v2.IncidentsApi.ListIncidentIntegrations", "read an incident's links", "GET", "/api/v2/incidents/{incident_id}/relationships/integrations", incidentsFamily, "incident_read"}
	opImpacts      = operation{"v2.IncidentsApi.ListIncidentImpacts", "read an incident's impacts", "GET", "/api/v2/incidents/{incident_id}/impacts", incidentsFamily, "incident_read"}
	opTasks        = operation{"v2.IncidentsApi.ListIncidentTodos", "read an incident's tasks", "GET", "/api/v2/incidents/{incident_id}/relationships/todos", incidentsFamily, "incident_read"}
	opUpdate       = operation{"v2.IncidentsApi.UpdateIncident", "change an incident", "PATCH", "/api/v2/incidents/{incident_id}", incidentsFamily, "incident_write"}

	opTeams         = operation{"v2.TeamsApi.ListTeams", "list teams", "GET", "/api/v2/team", teamsFamily, "teams_read"}
	opTeamOnCall    = operation{"v2.OnCallApi.GetTeamOnCallUsers", "read who is on call", "GET", "/api/v2/on-call/teams/{team_id}/on-call", onCallFamily, "on_call_read"}
	opSchedules     = operation{"v2.OnCallApi.ListOnCallSchedules", "list schedules", "GET", "/api/v2/on-call/schedules", onCallFamily, "on_call_read"}
	opSchedule      = operation{"v2.OnCallApi.GetOnCallSchedule", "read a schedule", "GET", "/api/v2/on-call/schedules/{schedule_id}", onCallFamily, "on_call_read"}
	opScheduledUser = operation{"v2.OnCallApi.GetScheduleOnCallUser", "read a schedule's shift", "GET", "/api/v2/on-call/schedules/{schedule_id}/on-call", onCallFamily, "on_call_read"}

	opAcknowledge = operation{"v2.OnCallPagingApi.AcknowledgeOnCallPage", "acknowledge a page", "POST", "/api/v2/on-call/pages/{page_id}/acknowledge", pagingFamily, "on_call_page"}
	opEscalate    = operation{"v2.OnCallPagingApi.EscalateOnCallPage", "escalate a page", "POST", "/api/v2/on-call/pages/{page_id}/escalate", pagingFamily, "on_call_page"}
	opResolve     = operation{"v2.OnCallPagingApi.ResolveOnCallPage", "resolve a page", "POST", "/api/v2/on-call/pages/{page_id}/resolve", pagingFamily, "on_call_page"}

	opEvents    = operation{"v2.EventsApi.ListEvents", "list events", "GET", "/api/v2/events", eventsFamily, "events_read"}
	opEvent     = operation{"v1.EventsApi.GetEvent", "read an event", "GET", "/api/v1/events/{event_id}", eventsFamily, "events_read"}
	opPostEvent = operation{"v1.EventsApi.CreateEvent", "post an event", "POST", "/api/v1/events", eventsFamily, ""}

	opDeployments    = operation{"v2.DORAMetricsApi.ListDORADeployments", "list deployments", "POST", "/api/v2/dora/deployments", doraFamily, "dora_metrics_read"}
	opDeployment     = operation{"v2.DORAMetricsApi.GetDORADeployment", "read a deployment", "GET", "/api/v2/dora/deployments/{deployment_id}", doraFamily, "dora_metrics_read"}
	opPostDeployment = operation{"v2.DORAMetricsApi.CreateDORADeployment", "post a deployment", "POST", "/api/v2/dora/deployment", doraFamily, ""}

	opDefinitions = operation{"v2.ServiceDefinitionApi.ListServiceDefinitions", "list service definitions", "GET", "/api/v2/services/definitions", catalogFamily, "apm_service_catalog_read"}
)

// operations are all of them.
func operations() []operation {
	return []operation{
		opValidate, opQuery, opTimeseries, opMonitors, opMonitor, opDowntimes, opDowntime, opMute, opUnmute,
		opSLOs, opSLO, opSLOHistory, opIncidents, opIncident, opIntegrations, opImpacts, opTasks, opUpdate,
		opTeams, opTeamOnCall, opSchedules, opSchedule, opScheduledUser, opAcknowledge, opEscalate, opResolve,
		opEvents, opEvent, opPostEvent, opDeployments, opDeployment, opPostDeployment, opDefinitions,
	}
}
