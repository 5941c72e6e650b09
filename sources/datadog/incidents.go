package datadog

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// wireIncident is a declared incident.
type wireIncident struct {
	ID         text           `json:"id"`
	Attributes incidentFields `json:"attributes"`
	Relations  struct {
		Commander   links `json:"commander_user"`
		Modifier    links `json:"last_modified_by_user"`
		Creator     links `json:"created_by_user"`
		Attachments links `json:"attachments"`
	} `json:"relationships"`
}

type incidentFields struct {
	PublicID whole             `json:"public_id"`
	Title    text              `json:"title"`
	State    text              `json:"state"`
	Severity text              `json:"severity"`
	Created  stamp             `json:"created"`
	Declared stamp             `json:"declared"`
	Detected stamp             `json:"detected"`
	Modified stamp             `json:"modified"`
	Resolved stamp             `json:"resolved"`
	Scope    text              `json:"customer_impact_scope"`
	Impact   stamp             `json:"customer_impact_start"`
	Relief   stamp             `json:"customer_impact_end"`
	Fields   table[fieldValue] `json:"fields"`
	// The search sends people whole, which its description does not know.
	Commander inlineUser                   `json:"commander"`
	Modifier  inlineUser                   `json:"last_modified_by"`
	Creator   inlineUser                   `json:"created_by"`
	Analytics table[table[fieldAnalytics]] `json:"field_analytics"`
}

type fieldValue struct {
	Value words `json:"value"`
}

// fieldAnalytics is when a field had a value.
type fieldAnalytics struct {
	Spans some[struct {
		Start stamp `json:"start"`
		End   stamp `json:"end"`
	}] `json:"spans"`
}

type inlineUser struct {
	Data struct {
		ID         text   `json:"id"`
		Attributes person `json:"attributes"`
	} `json:"data"`
}

func (u inlineUser) person() person {
	p := u.Data.Attributes
	p.ID = cmp.Or(u.Data.ID, p.UUID)
	return p
}

// paper is what is attached to an incident: a link, a postmortem.
type paper struct {
	Title text `json:"title"`
	URL   text `json:"documentUrl"`
}

type incidentPage struct {
	Data *struct {
		Attributes struct {
			Total     whole `json:"total"`
			Incidents some[struct {
				Data wireIncident `json:"data"`
			}] `json:"incidents"`
		} `json:"attributes"`
	} `json:"data"`
	Included some[included] `json:"included"`
}

func (p *incidentPage) valid() error {
	if p.Data == nil || !p.Data.Attributes.Incidents.Given {
		return unlike("list of incidents")
	}
	return nil
}

type oneIncident struct {
	Data     wireIncident   `json:"data"`
	Included some[included] `json:"included"`
}

func (o *oneIncident) valid() error {
	if o.Data.ID == "" {
		return unlike("incident")
	}
	return nil
}

const (
	incidentPageSize = 100
	openIncidents    = "state:(active OR stable)"
	pastIncidents    = "state:(resolved OR completed)"
	defaultPast      = 30 * 24 * time.Hour
	// longIncident is how much older than the window an incident may be that ended in it.
	longIncident = 7 * 24 * time.Hour
)

// ListIncidents lists the declared incidents that are active or stable, however old.
func (s *source) ListIncidents(ctx context.Context, q sources.Query) (sources.Batch[sources.Incident], error) {
	return list(ctx, s, "incidents", q, func(ctx context.Context) (sources.Batch[sources.Incident], error) {
		var notices noticeBox
		b := sources.Batch[sources.Incident]{Items: []sources.Incident{}}
		own := s.owners(q.Services)
		err := s.incidents(ctx, openIncidents, &notices, func(w *wireIncident, inc []included) bool {
			if in := s.incident(w, inc, own, q.Identity); in.State != sources.Resolved {
				b.Items = append(b.Items, in)
				b.Busy = sources.Live
			}
			return true
		})
		b.Notices = notices.list()
		return b, err
	})
}

// ListPastIncidents lists the declared incidents that were resolved in the window. Datadog sorts them by
// when they were opened, so that one that was open for longer than a week before the window is missed.
func (s *source) ListPastIncidents(ctx context.Context, q sources.Query) (sources.Batch[sources.Incident], error) {
	return list(ctx, s, "past incidents", q, func(ctx context.Context) (sources.Batch[sources.Incident], error) {
		var notices noticeBox
		b := sources.Batch[sources.Incident]{Items: []sources.Incident{}}
		own := s.owners(q.Services)
		now := q.Now
		if now.IsZero() {
			now = s.env.Now()
		}
		since := now.Add(-cmp.Or(q.Window, defaultPast))
		err := s.incidents(ctx, pastIncidents, &notices, func(w *wireIncident, inc []included) bool {
			in := s.incident(w, inc, own, q.Identity)
			if in.State == sources.Resolved && !in.Ended.Before(since) {
				b.Items = append(b.Items, in)
			}
			return !in.Created.Before(since.Add(-longIncident))
		})
		slices.SortStableFunc(b.Items, func(x, y sources.Incident) int { return y.Ended.Compare(x.Ended) })
		if limit := cmp.Or(q.Limit, incidentPageSize); len(b.Items) > limit {
			b.Items = b.Items[:limit]
		}
		b.Notices = notices.list()
		return b, err
	})
}

// incidents reads pages, newest first, until take says that it has enough of them.
func (s *source) incidents(ctx context.Context, search string, notices *noticeBox, take func(*wireIncident, []included) bool) error {
	seen := map[text]bool{}
	for page := range mostPages {
		p, err := fetch[incidentPage](ctx, s, call{op: opIncidents, query: url.Values{
			"query": {search}, "sort": {"-created"}, "include": {"attachments"},
			"page[size]": {strconv.Itoa(incidentPageSize)}, "page[offset]": {strconv.Itoa(page * incidentPageSize)},
		}})
		if err != nil {
			return err
		}
		got := &p.Data.Attributes.Incidents
		notices.odd("incidents", got.Bad)
		more := true
		for i := range got.Items {
			w := &got.Items[i].Data
			if w.ID == "" {
				notices.odd("incidents", 1)
			} else if !seen[w.ID] {
				seen[w.ID] = true
				more = take(w, p.Included.Items) && more
			}
		}
		n := len(got.Items) + got.Bad
		if !more || n < incidentPageSize || p.Data.Attributes.Total > 0 && page*incidentPageSize+n >= int(p.Data.Attributes.Total) {
			return nil
		}
	}
	notices.add(sources.Notice{
		Kind: sources.Invalid, Text: clean.Linef("there are more than %d incidents: the oldest are left out", mostPages*incidentPageSize),
		Fix: clean.Const("resolve those that are over"),
	})
	return nil
}

// incidentState is how far an incident is dealt with: a stable one, and one that has a commander, is in
// somebody's hands. A state of an account's own is open.
func incidentState(a *incidentFields, commanded bool) sources.IncidentState {
	switch strings.ToLower(string(cmp.Or(a.State, text(a.field("state"))))) {
	case "resolved", "completed":
		return sources.Resolved
	case "stable":
		return sources.Acknowledged
	default:
		if commanded {
			return sources.Acknowledged
		}
		return sources.Triggered
	}
}

// severity reads "SEV-2": 1 is the worst, 0 is unknown. SEV-0, which some accounts have, is as bad as 1.
func severity(word string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(strings.ToUpper(word), "SEV-"))
	if err != nil || n < 0 || n > 9 {
		return 0
	}
	return max(1, n)
}

// field is the first value of one of the incident's fields; "" when it has none.
func (a *incidentFields) field(name string) string {
	if v := a.Fields[name].Value; len(v) > 0 {
		return v[0]
	}
	return ""
}

// incident is w for the domain.
func (s *source) incident(w *wireIncident, inc []included, own owners, identity string) sources.Incident {
	a := &w.Attributes
	who := people(inc)
	commander := known(a.Commander, w.Relations.Commander, who)
	services := slices.Concat(a.Fields["services"].Value, a.Fields["service"].Value, a.Fields[own.tag].Value)
	number := strconv.FormatInt(int64(a.PublicID), 10)
	in := sources.Incident{
		Ref:      s.ref(sources.KindIncident, "", plain(w.ID)),
		Kind:     sources.DeclaredIncident,
		Number:   clean.Line(cmp.Or(a.field("slug"), "#"+number)),
		Service:  own.of(services...),
		Provider: clean.Line(strings.Join(slices.Compact(services), ", ")),
		Team:     clean.Line(strings.Join(a.Fields["teams"].Value, ", ")),
		Title:    clean.Line(string(a.Title)),
		Severity: severity(string(cmp.Or(a.Severity, text(a.field("severity"))))),
		State:    incidentState(a, !commander.isZero()),
		Created:  cmp.Or(a.Declared, a.Created).Time,
		Scope:    clean.Line(strings.Join(slices.Concat(a.Fields[s.cfg.EnvTag].Value, a.Fields["datacenters"].Value, a.Fields["regions"].Value), " ")),
		URL:      s.app + "/incidents/" + number,
	}
	if !commander.isZero() {
		p := commander.person()
		in.Assignees, in.Holder, in.Mine = []sources.Person{p}, p.Name, commander.is(identity)
	}
	if in.State == sources.Resolved {
		in.Ended = cmp.Or(a.Resolved, a.Modified).Time
		in.EndedBy = known(a.Modifier, w.Relations.Modifier, who).person().Name
	}
	in.Changed = entry(a, in)
	s.connectKeys(&in, w, inc)
	in.Revision = fingerprint(in.State, in.Severity, in.Title, in.Service, in.Assignees, in.Ended.UnixMilli(), in.Changed.UnixMilli(), in.Keys, in.Pages, in.Provider, in.Team)
	return in
}

// known is somebody as the answer tells of them: whole, by an id that something brought along explains, or
// by the id alone.
func known(inline inlineUser, rel links, who map[string]person) person {
	p := inline.person()
	id := cmp.Or(string(p.ID), rel.first())
	if id == "" {
		return p
	}
	if full, ok := who[id]; ok && p.Name == "" && p.Email == "" && p.Handle == "" {
		return full
	}
	p.ID = text(id)
	return p
}

// entry is when the incident entered its state, as far as it is told.
func entry(a *incidentFields, in sources.Incident) time.Time {
	if in.State == sources.Resolved {
		return in.Ended
	}
	var last time.Time
	for _, span := range a.Analytics["state"][string(a.State)].Spans.Items {
		if span.Start.After(last) {
			last = span.Start.Time
		}
	}
	switch {
	case !last.IsZero():
		return last
	case in.State == sources.Acknowledged && !a.Modified.IsZero():
		return a.Modified.Time
	default:
		return in.Created
	}
}

// connectKeys fills in what ties the incident to monitors, to PagerDuty and to On-Call pages: by the links
// that are attached to it, and by those in its texts.
func (s *source) connectKeys(in *sources.Incident, w *wireIncident, inc []included) {
	attached := map[string]bool{}
	for _, l := range w.Relations.Attachments {
		attached[string(l.ID)] = true
	}
	var texts []string
	for _, i := range inc {
		if i.Type == "incident_attachments" && i.Attributes.Attachment != nil && attached[string(i.ID)] {
			texts = append(texts, string(i.Attributes.Attachment.URL))
		}
	}
	a := &w.Attributes
	texts = append(texts, string(a.Title), string(a.Scope))
	for _, f := range a.Fields {
		texts = append(texts, f.Value...)
	}
	in.Keys = append([]string{sources.IncidentKey("datadog", in.Ref.ID)}, ownKey(a)...)
	s.addKeys(in, texts)
}

func ownKey(a *incidentFields) []string {
	if a.PublicID == 0 {
		return nil
	}
	return []string{sources.IncidentKey("datadog", strconv.FormatInt(int64(a.PublicID), 10))}
}

// addKeys looks for links in texts. The result does not depend on their order.
func (s *source) addKeys(in *sources.Incident, texts []string) {
	keys, pages := map[string]bool{}, map[string]bool{}
	for _, t := range texts {
		for _, m := range monitorLink.FindAllStringSubmatch(t, -1) {
			if id, err := strconv.ParseInt(m[1], 10, 64); err == nil {
				keys[sources.MonitorKey(id)] = true
			}
		}
		for _, m := range pagerDutyLink.FindAllStringSubmatch(t, -1) {
			keys[sources.IncidentKey("pagerduty", m[1])] = true
		}
		for _, m := range pageLink.FindAllStringSubmatch(t, -1) {
			pages[strings.ToLower(m[1])] = true
		}
	}
	for _, k := range in.Keys {
		delete(keys, k)
	}
	in.Keys = append(in.Keys, sorted(keys)...)
	for _, id := range sorted(pages) {
		if ref := s.ref(sources.KindPage, "", id); !slices.Contains(in.Pages, ref) {
			in.Pages = append(in.Pages, ref)
		}
	}
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for k := range set {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
