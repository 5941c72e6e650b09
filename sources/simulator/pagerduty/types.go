package pagerduty

// The bodies that PagerDuty answers, with the fields of its documentation. Links are absolute.
type (
	// ref is a reference to an object, and what every object begins with.
	ref struct {
		ID      string  `json:"id"`
		Type    string  `json:"type"`
		Summary string  `json:"summary"`
		Self    *string `json:"self"`
		HTMLURL *string `json:"html_url"`
	}

	incident struct {
		ref
		Number      int             `json:"incident_number"`
		Title       string          `json:"title"`
		Description string          `json:"description"`
		CreatedAt   string          `json:"created_at"`
		UpdatedAt   string          `json:"updated_at"`
		Status      string          `json:"status"`
		Key         string          `json:"incident_key"`
		Service     any             `json:"service"`
		Assignments []assignment    `json:"assignments"`
		AssignedVia string          `json:"assigned_via"`
		ChangedAt   string          `json:"last_status_change_at"`
		ResolvedAt  *string         `json:"resolved_at"`
		First       any             `json:"first_trigger_log_entry"`
		AlertCounts alertCounts     `json:"alert_counts"`
		Mergeable   bool            `json:"is_mergeable"`
		Kind        incidentKind    `json:"incident_type"`
		Policy      any             `json:"escalation_policy"`
		Teams       []any           `json:"teams"`
		Impacted    []any           `json:"impacted_services"`
		Pending     []pendingAction `json:"pending_actions"`
		Acks        []ack           `json:"acknowledgements"`
		Grouping    *struct{}       `json:"alert_grouping"`
		ChangedBy   ref             `json:"last_status_change_by"`
		Priority    *priority       `json:"priority"`
		Resolution  *resolution     `json:"resolve_reason"`
		Responders  []struct{}      `json:"incidents_responders"`
		Requests    []struct{}      `json:"responder_requests"`
		Subscribers []struct{}      `json:"subscriber_requests"`
		Urgency     string          `json:"urgency"`
	}

	incidentKind struct {
		Name string `json:"name"`
	}

	assignment struct {
		At       string `json:"at"`
		Assignee any    `json:"assignee"`
	}

	ack struct {
		At           string `json:"at"`
		Acknowledger any    `json:"acknowledger"`
	}

	alertCounts struct {
		All       int `json:"all"`
		Triggered int `json:"triggered"`
		Resolved  int `json:"resolved"`
	}

	pendingAction struct {
		Type string `json:"type"`
		At   string `json:"at"`
	}

	resolution struct {
		Type     string `json:"type"`
		Incident ref    `json:"incident"`
	}

	priority struct {
		ref
		AccountID     string `json:"account_id"`
		Color         string `json:"color"`
		CreatedAt     string `json:"created_at"`
		UpdatedAt     string `json:"updated_at"`
		Description   string `json:"description"`
		Name          string `json:"name"`
		Order         int    `json:"order"`
		SchemaVersion int    `json:"schema_version"`
	}

	user struct {
		ref
		Name        string     `json:"name"`
		Email       string     `json:"email"`
		TimeZone    string     `json:"time_zone"`
		Color       string     `json:"color"`
		AvatarURL   string     `json:"avatar_url"`
		Billed      bool       `json:"billed"`
		Role        string     `json:"role"`
		Description *string    `json:"description"`
		Invited     bool       `json:"invitation_sent"`
		JobTitle    *string    `json:"job_title"`
		Teams       []ref      `json:"teams"`
		Methods     []struct{} `json:"contact_methods"`
		Rules       []struct{} `json:"notification_rules"`
		Coordinated []struct{} `json:"coordinated_incidents"`
	}

	service struct {
		ref
		Name         string         `json:"name"`
		Description  *string        `json:"description"`
		CreatedAt    string         `json:"created_at"`
		UpdatedAt    string         `json:"updated_at"`
		Status       string         `json:"status"`
		Teams        []any          `json:"teams"`
		LastIncident *string        `json:"last_incident_timestamp"`
		AutoResolve  *int           `json:"auto_resolve_timeout"`
		AckTimeout   *int           `json:"acknowledgement_timeout"`
		AlertMaking  string         `json:"alert_creation"`
		Integrations []ref          `json:"integrations"`
		Policy       any            `json:"escalation_policy"`
		Urgency      map[string]any `json:"incident_urgency_rule"`
		SupportHours *struct{}      `json:"support_hours"`
		Scheduled    []struct{}     `json:"scheduled_actions"`
		Addons       []struct{}     `json:"addons"`
		Play         *struct{}      `json:"response_play"`
	}

	policy struct {
		ref
		Name        string    `json:"name"`
		Description *string   `json:"description"`
		Rules       []rule    `json:"escalation_rules"`
		Services    []ref     `json:"services"`
		Loops       int       `json:"num_loops"`
		Handoff     string    `json:"on_call_handoff_notifications"`
		Teams       []ref     `json:"teams"`
		Privilege   *struct{} `json:"privilege"`
	}

	rule struct {
		ID      string `json:"id"`
		Delay   int    `json:"escalation_delay_in_minutes"`
		Targets []ref  `json:"targets"`
	}

	schedule struct {
		ref
		Name        string    `json:"name"`
		TimeZone    string    `json:"time_zone"`
		Description *string   `json:"description"`
		Policies    []ref     `json:"escalation_policies"`
		Users       []ref     `json:"users"`
		Teams       []ref     `json:"teams"`
		Final       *rendered `json:"final_schedule,omitempty"`
	}

	rendered struct {
		Name       string  `json:"name"`
		Percentage float64 `json:"rendered_coverage_percentage"`
		Entries    []turn  `json:"rendered_schedule_entries"`
	}

	turn struct {
		Start string `json:"start"`
		End   string `json:"end"`
		User  any    `json:"user"`
	}

	onCall struct {
		Policy   any     `json:"escalation_policy"`
		Level    int     `json:"escalation_level"`
		Schedule any     `json:"schedule"`
		User     any     `json:"user"`
		Start    *string `json:"start"`
		End      *string `json:"end"`
	}

	logEntry struct {
		ref
		CreatedAt string         `json:"created_at"`
		Agent     ref            `json:"agent"`
		Channel   map[string]any `json:"channel"`
		Service   ref            `json:"service"`
		Incident  any            `json:"incident"`
		Teams     []ref          `json:"teams"`
		Contexts  []context      `json:"contexts"`
		Timeout   *int           `json:"acknowledgement_timeout,omitempty"`
		Details   map[string]any `json:"event_details,omitempty"`
		User      *ref           `json:"user,omitempty"`
		Assignees []ref          `json:"assignees,omitempty"`
		Note      *string        `json:"note,omitempty"`
		Message   *string        `json:"message,omitempty"`
	}

	context struct {
		Type string `json:"type"`
		Href string `json:"href,omitempty"`
		Text string `json:"text,omitempty"`
	}

	alert struct {
		ref
		CreatedAt   string    `json:"created_at"`
		UpdatedAt   string    `json:"updated_at"`
		ResolvedAt  *string   `json:"resolved_at"`
		Status      string    `json:"status"`
		Key         string    `json:"alert_key"`
		Service     ref       `json:"service"`
		First       ref       `json:"first_trigger_log_entry"`
		Incident    ref       `json:"incident"`
		Suppressed  bool      `json:"suppressed"`
		Severity    string    `json:"severity"`
		Integration *ref      `json:"integration"`
		Body        alertBody `json:"body"`
	}

	alertBody struct {
		Type     string         `json:"type"`
		Contexts []context      `json:"contexts"`
		Details  map[string]any `json:"details"`
		Common   map[string]any `json:"cef_details"`
	}

	note struct {
		ID        string            `json:"id"`
		User      ref               `json:"user"`
		Channel   map[string]string `json:"channel"`
		Content   string            `json:"content"`
		CreatedAt string            `json:"created_at"`
	}

	statusUpdate struct {
		ID        string `json:"id"`
		Message   string `json:"message"`
		CreatedAt string `json:"created_at"`
		Sender    ref    `json:"sender"`
	}

	changeEvent struct {
		ref
		Timestamp   string         `json:"timestamp"`
		RoutingKey  string         `json:"routing_key"`
		Source      string         `json:"source"`
		Integration ref            `json:"integration"`
		Services    []ref          `json:"services"`
		Images      []struct{}     `json:"images"`
		Links       []link         `json:"links"`
		Details     map[string]any `json:"custom_details"`
		Correlation *correlation   `json:"correlation_reason,omitempty"`
	}

	correlation struct {
		Reason string `json:"reason"`
	}

	link struct {
		Href string `json:"href"`
		Text string `json:"text"`
	}

	team struct {
		ref
		Name        string    `json:"name"`
		Description *string   `json:"description"`
		Parent      *struct{} `json:"parent"`
	}
)
