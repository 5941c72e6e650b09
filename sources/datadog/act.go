package datadog

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// Actions are the verbs that Datadog takes.
func (s *source) Actions() []sources.ActionSpec {
	return []sources.ActionSpec{
		{Verb: sources.Acknowledge, On: sources.KindPage, Doc: "acknowledges the On-Call page"},
		{Verb: sources.Escalate, On: sources.KindPage, Doc: "pages the next step of the page's escalation policy now"},
		{Verb: sources.Resolve, On: sources.KindPage, Doc: "resolves the On-Call page"},
		{Verb: sources.Resolve, On: sources.KindIncident, Doc: "sets the declared incident's state to resolved"},
		{Verb: sources.Mute, On: sources.KindMonitor, Doc: "schedules a downtime for the monitor that starts now and ends by itself", Undo: sources.Unmute, Need: []string{"for"}},
		{Verb: sources.Unmute, On: sources.KindMonitor, Doc: "cancels the one downtime that mutes the monitor alone"},
		{Verb: sources.Expire, On: sources.KindSilence, Doc: "cancels the downtime"},
		{Verb: sources.PostEvent, On: sources.KindChange, Doc: "posts an event that marks a deployment; with the field as=dora, a deployment for DORA metrics"},
	}
}

type incidentUpdate struct {
	Data incidentPatch `json:"data"`
}

type incidentPatch struct {
	ID         string              `json:"id"`
	Type       string              `json:"type"`
	Attributes incidentPatchFields `json:"attributes"`
}

type incidentPatchFields struct {
	Fields map[string]patchedField `json:"fields"`
}

type patchedField struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

type downtimeRequest struct {
	Data downtimeAsk `json:"data"`
}

type downtimeAsk struct {
	Type       string           `json:"type"`
	Attributes downtimeSchedule `json:"attributes"`
}

type downtimeSchedule struct {
	Message  string          `json:"message"`
	Monitor  downtimeMonitor `json:"monitor_identifier"`
	Scope    string          `json:"scope"`
	Schedule downtimeSpan    `json:"schedule"`
}

type downtimeMonitor struct {
	ID int64 `json:"monitor_id"`
}

type downtimeSpan struct {
	End time.Time `json:"end"`
}

// Perform sends the one request of a verb. What was asked for and makes no sense is refused before it.
func (s *source) Perform(ctx context.Context, c sources.Call) (sources.Receipt, error) {
	r, err := s.perform(ctx, c)
	if err != nil {
		return sources.Receipt{}, explained(string(c.Verb)+" "+string(c.Target.Kind), c.Target, err)
	}
	return r, nil
}

func (s *source) perform(ctx context.Context, c sources.Call) (sources.Receipt, error) {
	var none sources.Receipt
	if c.Target.Source != s.env.Source {
		return none, &sources.Error{Kind: sources.NotExist, Msg: "it is an object of " + c.Target.Source}
	}
	switch on := c.Target.Kind; {
	case on == sources.KindPage && c.Verb == sources.Acknowledge:
		return s.pageVerb(ctx, opAcknowledge, c)
	case on == sources.KindPage && c.Verb == sources.Escalate:
		return s.pageVerb(ctx, opEscalate, c)
	case on == sources.KindPage && c.Verb == sources.Resolve:
		return s.pageVerb(ctx, opResolve, c)
	case on == sources.KindIncident && c.Verb == sources.Resolve:
		return s.resolveIncident(ctx, c)
	case on == sources.KindMonitor && c.Verb == sources.Mute:
		return s.mute(ctx, c)
	case on == sources.KindMonitor && c.Verb == sources.Unmute:
		return s.unmute(ctx, c)
	case on == sources.KindSilence && (c.Verb == sources.Expire || c.Verb == sources.Unmute):
		return s.expire(ctx, c.Target.ID)
	case c.Verb == sources.PostEvent:
		return s.postEvent(ctx, c)
	default:
		return none, &sources.Error{Kind: sources.Unsupported, Msg: fmt.Sprintf("Datadog cannot %s a %s", c.Verb, on)}
	}
}

// change sends one request that changes something, with the client that never repeats one. An error of
// kind Ambiguous means that it may have arrived.
func (s *source) change(ctx context.Context, c call) (answer, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return answer{}, err
	}
	if err := ctx.Err(); err != nil {
		return answer{}, httpx.Explain(c.op.doing, "", err)
	}
	ctx, flight := httpx.Watch(ctx)
	req, err := s.prepare(ctx, conn.write, c)
	if err != nil {
		return answer{}, err
	}
	a, err := send(conn.write, req)
	switch {
	case err != nil && a.status == 0 && (sources.KindOf(err) == sources.Throttled || !flight.MayHaveArrived(err)):
		return a, err
	case err != nil && a.status/100 == 4:
		return a, s.refusal(c.op, a) // its text was lost, and it refuses all the same
	case err != nil:
		return a, lost(c.op, err)
	case httpx.Undecided(&http.Response{StatusCode: a.status}):
		return a, lost(c.op, s.refusal(c.op, a))
	case a.status/100 != 2:
		return a, s.refusal(c.op, a)
	case c.op.bare() && a.status == http.StatusOK && strings.HasPrefix(a.header.Get("Content-Type"), "text/html"):
		return a, lost(c.op, errors.New("a web page came where Datadog answers nothing"))
	}
	return a, nil
}

func lost(op operation, err error) error {
	return httpx.Lost(op.doing, "", "look at it in Datadog before trying again", err)
}

// pageVerb acts on an On-Call page. Datadog answers 202 and nothing: what becomes of it cannot be read.
func (s *source) pageVerb(ctx context.Context, op operation, c sources.Call) (sources.Receipt, error) {
	if !uuidForm.MatchString(c.Target.ID) {
		return sources.Receipt{}, &sources.Error{
			Kind: sources.NotExist, Msg: clean.Line(c.Target.ID).String() + " is no page's id",
			Fix: "take it from the end of the page's address in Datadog",
		}
	}
	if _, err := s.change(ctx, call{op: op, args: []string{strings.ToLower(c.Target.ID)}}); err != nil {
		return sources.Receipt{}, err
	}
	return sources.Receipt{Text: clean.Const("accepted; On-Call pages cannot be read back"), URL: s.app + "/on-call/pages"}, nil
}

func (s *source) resolveIncident(ctx context.Context, c sources.Call) (sources.Receipt, error) {
	if !uuidForm.MatchString(c.Target.ID) {
		return sources.Receipt{}, &sources.Error{Kind: sources.NotExist, Msg: clean.Line(c.Target.ID).String() + " is no incident's id"}
	}
	a, err := s.change(ctx, call{op: opUpdate, args: []string{c.Target.ID}, body: &incidentUpdate{incidentPatch{
		ID: c.Target.ID, Type: "incidents", Attributes: incidentPatchFields{map[string]patchedField{"state": {"dropdown", "resolved"}}},
	}}})
	if err != nil {
		return sources.Receipt{}, err
	}
	r := sources.Receipt{ID: c.Target.ID, Text: clean.Const("accepted"), Made: c.Target}
	if one, err := decode[oneIncident](opUpdate, a.body); err == nil {
		r.URL = s.incident(&one.Data, nil, owners{}, "").URL
		r.Text = clean.Linef("state %s", one.Data.Attributes.State)
	}
	return r, nil
}

// longestMute is how long a monitor may be muted at once: a mute is for a night or a week, not for good.
const longestMute = 31 * 24 * time.Hour

// mute schedules a downtime for one monitor, from now until an end. The field "scope" narrows it to some
// of its groups: "env:prod AND region:eu".
func (s *source) mute(ctx context.Context, c sources.Call) (sources.Receipt, error) {
	var none sources.Receipt
	id, err := strconv.ParseInt(c.Target.ID, 10, 64)
	if err != nil {
		return none, &sources.Error{Kind: sources.NotExist, Msg: clean.Line(c.Target.ID).String() + " is no monitor's id"}
	}
	if c.For <= 0 || c.For > longestMute {
		return none, &sources.Error{Kind: sources.Invalid, Msg: "a mute needs an end", Fix: "say for how long, up to 31 days"}
	}
	a, err := s.change(ctx, call{op: opMute, body: &downtimeRequest{downtimeAsk{"downtime", downtimeSchedule{
		Message: marked(c), Monitor: downtimeMonitor{id}, Scope: scopeOf(c), Schedule: downtimeSpan{s.endOf(c)},
	}}}})
	if err != nil {
		return none, err
	}
	made, err := decode[oneDowntime](opMute, a.body)
	if err != nil {
		return none, lost(opMute, err)
	}
	ref := s.ref(sources.KindSilence, "", plain(made.Data.ID))
	return sources.Receipt{
		ID: ref.ID, Made: ref, URL: s.app + "/monitors/downtimes?id=" + ref.ID,
		Text: clean.Linef("downtime until %s", cmp.Or(made.Data.until(), s.endOf(c)).Format("2006-01-02 15:04 MST")),
		Undo: &sources.Call{Verb: sources.Unmute, Target: c.Target, Identity: c.Identity, Fields: map[string]string{"downtime": ref.ID}},
	}, nil
}

func scopeOf(c sources.Call) string { return cmp.Or(strings.TrimSpace(c.Fields["scope"]), "*") }

// endOf is when a mute ends: Datadog takes whole seconds.
func (s *source) endOf(c sources.Call) time.Time {
	return s.env.Now().Add(c.For).UTC().Truncate(time.Second)
}

// marked is what a call says, and which call it was: that ties Datadog's record to the journal's.
func marked(c sources.Call) string {
	mark := ""
	if c.ID != "" {
		mark = "signalbox " + c.ID
	}
	switch {
	case c.Text == "":
		return cmp.Or(mark, "muted by signalbox")
	case mark == "":
		return c.Text
	default:
		return c.Text + " (" + mark + ")"
	}
}

// unmute cancels the downtime that the field "downtime" names, else the only one that is about this
// monitor and no other.
func (s *source) unmute(ctx context.Context, c sources.Call) (sources.Receipt, error) {
	if id := c.Fields["downtime"]; id != "" {
		return s.expire(ctx, id)
	}
	ctx = fresh(ctx)
	w, err := s.oneMonitor(ctx, c.Target.ID)
	if err != nil {
		return sources.Receipt{}, err
	}
	var notices noticeBox
	all, err := s.downtimes(ctx, &notices)
	if err != nil {
		return sources.Receipt{}, err
	}
	var own []quiet
	shared := 0
	for _, d := range all {
		switch {
		case !d.concerns(w):
		case d.Attributes.Monitor.ID == w.ID:
			own = append(own, d)
		default:
			shared++
		}
	}
	conflict := func(msg, fix string) (sources.Receipt, error) {
		return sources.Receipt{}, &sources.Error{Kind: sources.Conflict, Msg: msg, Fix: fix}
	}
	switch {
	case len(own) == 1:
		return s.expire(ctx, string(own[0].ID))
	case len(own) > 1:
		return conflict(fmt.Sprintf("%d downtimes mute this monitor", len(own)), "end the one that you mean")
	case shared > 0:
		return conflict("what mutes this monitor mutes others too", "end that downtime itself, or change it in Datadog under Monitors, Downtimes")
	default:
		return conflict("the monitor is not muted", "")
	}
}

// expire cancels one downtime.
func (s *source) expire(ctx context.Context, id string) (sources.Receipt, error) {
	if !uuidForm.MatchString(id) {
		return sources.Receipt{}, &sources.Error{
			Kind: sources.Unsupported, Msg: "this mute is none that Datadog's API can end", Fix: "end it in Datadog, on the monitor's page",
		}
	}
	if _, err := s.change(ctx, call{op: opUnmute, args: []string{id}}); err != nil {
		return sources.Receipt{}, err
	}
	return sources.Receipt{ID: id, Text: clean.Const("the downtime is cancelled"), Made: s.ref(sources.KindSilence, "", id)}, nil
}

type eventRequest struct {
	Title       string   `json:"title"`
	Text        string   `json:"text"`
	Tags        []string `json:"tags"`
	AlertType   string   `json:"alert_type"`
	Aggregation string   `json:"aggregation_key,omitempty"`
	Happened    int64    `json:"date_happened"` // seconds
}

type deploymentRequest struct {
	Data deploymentPost `json:"data"`
}

type deploymentPost struct {
	Attributes deploymentFields `json:"attributes"`
}

type deploymentFields struct {
	ID       string         `json:"id,omitempty"`
	Service  string         `json:"service"`
	Started  int64          `json:"started_at"` // nanoseconds, as the next
	Finished int64          `json:"finished_at"`
	Env      string         `json:"env,omitempty"`
	Team     string         `json:"team,omitempty"`
	Version  string         `json:"version,omitempty"`
	Git      *deploymentGit `json:"git,omitempty"`
	Tags     []string       `json:"custom_tags,omitempty"`
}

type deploymentGit struct {
	SHA  string `json:"commit_sha"`
	Repo string `json:"repository_url"`
}

// made is the id of what was posted.
type made struct {
	Data link `json:"data"`
}

func (m *made) valid() error {
	if m.Data.ID == "" {
		return unlike("id")
	}
	return nil
}

// postEvent marks a deployment. The target's ID names the service, unless the field "service" does; the
// fields title, text, tags (with commas), env, version, sha, and for DORA metrics started, finished
// (RFC 3339), repository and team say the rest.
func (s *source) postEvent(ctx context.Context, c sources.Call) (sources.Receipt, error) {
	service := cmp.Or(c.Fields["service"], c.Target.ID)
	if service == "" {
		return sources.Receipt{}, &sources.Error{Kind: sources.Invalid, Msg: "there is no service to mark", Fix: "name one"}
	}
	service = s.tagOf(service)
	if c.Fields["as"] == doraScope {
		return s.postDeployment(ctx, c, service)
	}
	tags := []string{s.cfg.ServiceTag + ":" + service, "event_type:deployment", "deployment", "source:signalbox"}
	for _, t := range []struct{ key, value string }{
		{s.cfg.EnvTag, c.Fields["env"]}, {"version", c.Fields["version"]}, {"git.commit.sha", c.Fields["sha"]}, {"user", c.Identity}, {"signalbox_call", c.ID},
	} {
		if t.value != "" {
			tags = append(tags, t.key+":"+t.value)
		}
	}
	for t := range strings.SplitSeq(c.Fields["tags"], ",") {
		if t = strings.TrimSpace(t); t != "" {
			tags = append(tags, t)
		}
	}
	title := cmp.Or(c.Fields["title"], strings.TrimSpace("deployed "+service+" "+c.Fields["version"]))
	a, err := s.change(ctx, call{op: opPostEvent, body: &eventRequest{
		Title: title, Text: cmp.Or(c.Fields["text"], c.Text, title), Tags: tags, AlertType: "info", Aggregation: c.ID, Happened: s.env.Now().Unix(),
	}})
	if err != nil {
		return sources.Receipt{}, err
	}
	r, err := decode[eventReply](opPostEvent, a.body)
	if err != nil {
		// It was taken, and what Datadog says of it makes no sense.
		return sources.Receipt{Text: clean.Const("accepted")}, nil //nolint:nilerr // the event was posted
	}
	id := plain(cmp.Or(r.Event.ID, r.Event.Num))
	return sources.Receipt{ID: id, Text: clean.Const("posted"), URL: plain(r.Event.URL), Made: s.ref(sources.KindChange, eventScope, id)}, nil
}

// tagOf is the value under which Datadog knows a configured service.
func (s *source) tagOf(service string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.asked {
		for i := range list {
			if list[i].Name == service && len(list[i].Incidents) > 0 {
				return list[i].Incidents[0]
			}
		}
	}
	return service
}

func (s *source) postDeployment(ctx context.Context, c sources.Call, service string) (sources.Receipt, error) {
	var none sources.Receipt
	now := s.env.Now()
	finished, err := momentIn(c.Fields, "finished", now)
	if err != nil {
		return none, err
	}
	started, err := momentIn(c.Fields, "started", finished)
	if err != nil {
		return none, err
	}
	if finished.Before(started) {
		return none, &sources.Error{Kind: sources.Invalid, Msg: "the deployment ends before it starts", Fix: "check started and finished"}
	}
	at := deploymentFields{
		ID: c.ID, Service: service, Started: started.UnixNano(), Finished: finished.UnixNano(),
		Env: c.Fields["env"], Team: c.Fields["team"], Version: c.Fields["version"],
	}
	if sha, repo := c.Fields["sha"], c.Fields["repository"]; sha != "" && repo != "" {
		at.Git = &deploymentGit{sha, repo}
	}
	for t := range strings.SplitSeq(c.Fields["tags"], ",") {
		if t = strings.TrimSpace(t); t != "" {
			at.Tags = append(at.Tags, t)
		}
	}
	a, err := s.change(ctx, call{op: opPostDeployment, body: &deploymentRequest{deploymentPost{at}}})
	if err != nil {
		return none, err
	}
	m := new(made)
	if err := json.Unmarshal(a.body, m); err != nil || m.valid() != nil {
		return sources.Receipt{Text: clean.Const("accepted")}, nil //nolint:nilerr // the deployment was posted
	}
	id := plain(m.Data.ID)
	return sources.Receipt{ID: id, Text: clean.Const("posted"), URL: s.app + "/dora", Made: s.ref(sources.KindChange, doraScope, id)}, nil
}

func momentIn(fields map[string]string, name string, otherwise time.Time) (time.Time, error) {
	v := fields[name]
	if v == "" {
		return otherwise, nil
	}
	t, err := time.Parse(time.RFC3339, v)
	if err != nil {
		return t, &sources.Error{Kind: sources.Invalid, Msg: name + " is no moment", Fix: "write it as " + otherwise.UTC().Format(time.RFC3339), Err: err}
	}
	return t, nil
}
