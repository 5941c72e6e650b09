package levertest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/store"
)

// verb is one way to change something at a provider.
type verb struct {
	name   string
	source string
	speed  float64       // of the world, in a bubble's time; 0: 1
	within time.Duration // for how long it is followed at most; 0: as its plan says
	blind  bool          // the provider cannot be asked what became of it
	worn   bool          // a world wears out with it: it is taken for a few cells only
	deed   func(testing.TB, *earth) deed
}

// deed is one action that can be done now.
type deed struct {
	services []sources.ServiceSpec // that the board knows
	service  action.Service        // of the config, for changes of version
	ask      func(testing.TB, *rig) action.Request
	shows    func(testing.TB, *action.Plan) bool // the world shows the effect
	judge    action.Judge                        // nil: the policy that ships
}

func specs(names ...string) []sources.ServiceSpec {
	var out []sources.ServiceSpec
	for _, n := range names {
		out = append(out, sources.ServiceSpec{Name: n})
	}
	return out
}

// acts counts what was done to an incident, by whomever: nobody else touches one in the moments of a cell.
func (e *earth) acts(t testing.TB, number int) int { return len(e.incident(t, number).Log) }

// paged opens an incident for one cell, and finds it again by its title.
func (e *earth) paged(t testing.TB, severity int) (number int, title string) {
	t.Helper()
	e.cells++
	title = fmt.Sprintf("cell %d of this world", e.cells)
	number, err := e.Page("web", title, severity)
	if err != nil {
		t.Fatal(err)
	}
	return number, title
}

func called(t testing.TB, s *store.Snapshot, title string) *sources.Incident {
	t.Helper()
	for i := range s.Incidents() {
		if strings.Contains(i.Title.String(), title) {
			return i
		}
	}
	t.Fatalf("no incident is called %q", title)
	return nil
}

// onPage is a verb on an incident of PagerDuty.
func onPage(v sources.Verb, fill func(testing.TB, *earth, *rig, *action.Request)) verb {
	return verb{name: "pagerduty " + string(v), source: "pagerduty", deed: func(t testing.TB, e *earth) deed {
		n, title := e.paged(t, 3)
		was := e.acts(t, n)
		return deed{
			services: specs("web", "checkout"),
			ask: func(t testing.TB, r *rig) action.Request {
				i := called(t, r.snap, title)
				q := action.Request{Verb: v, Target: i.Ref, Revision: i.Revision}
				if fill != nil {
					fill(t, e, r, &q)
				}
				return q
			},
			shows: func(t testing.TB, _ *action.Plan) bool { return e.acts(t, n) > was },
		}
	}}
}

func pagerDutyVerbs() []verb {
	says := func(_ testing.TB, _ *earth, _ *rig, q *action.Request) { q.Text = "somebody looks at it" }
	merge := onPage(sources.Merge, func(t testing.TB, e *earth, r *rig, q *action.Request) {
		_, title := e.paged(t, 3)
		r.observe(t, specs("web", "checkout")...)
		q.Others = []sources.Ref{called(t, r.snap, title).Ref}
	})
	return []verb{
		onPage(sources.Acknowledge, nil), onPage(sources.Resolve, nil), onPage(sources.AddNote, says), onPage(sources.PostStatus, says), merge,
		onPage(sources.Escalate, func(_ testing.TB, _ *earth, _ *rig, q *action.Request) { q.Level = 2 }),
		onPage(sources.Reassign, func(_ testing.TB, _ *earth, _ *rig, q *action.Request) { q.To = []string{"sre2@example.com"} }),
		onPage(sources.Snooze, func(_ testing.TB, _ *earth, _ *rig, q *action.Request) { q.For = time.Hour }),
	}
}

// downtimes are those that are in force on a monitor, and their ids.
func (e *earth) downtimes(t testing.TB, monitor string) []string {
	t.Helper()
	var all struct {
		Data []struct {
			ID         string
			Attributes struct {
				Status  string
				Monitor struct {
					ID int64 `json:"monitor_id"`
				} `json:"monitor_identifier"`
			}
		}
	}
	e.raw(t, http.MethodGet, "/api/v2/downtime?current_only=true&page[limit]=1000", "", &all)
	var out []string
	for _, d := range all.Data {
		if monitor == "" || fmt.Sprint(d.Attributes.Monitor.ID) == monitor {
			out = append(out, d.ID)
		}
	}
	return out
}

// unmuted ends every downtime, and returns the id of a monitor.
func (e *earth) unmuted(t testing.TB) string {
	t.Helper()
	for _, id := range e.downtimes(t, "") {
		e.raw(t, http.MethodDelete, "/api/v2/downtime/"+id, "", nil)
	}
	var all []struct {
		ID   int64
		Tags []string
	}
	e.raw(t, http.MethodGet, "/api/v1/monitor?page=0&page_size=100", "", &all)
	for _, m := range all {
		if slices.Contains(m.Tags, "service:web") {
			return fmt.Sprint(m.ID)
		}
	}
	t.Fatal("web has no monitor")
	return ""
}

// muted mutes a monitor by hand.
func (e *earth) muted(t testing.TB) (monitor, downtime string) {
	t.Helper()
	monitor = e.unmuted(t)
	var made struct{ Data struct{ ID string } }
	e.raw(t, http.MethodPost, "/api/v2/downtime", fmt.Sprintf(`{"data":{"type":"downtime","attributes":{"message":"by hand","monitor_identifier":{"monitor_id":%s},"scope":"*","schedule":{"end":%q}}}}`,
		monitor, e.Now().Add(6*time.Hour).Format(time.RFC3339)), &made)
	return monitor, made.Data.ID
}

func monitorIn(t testing.TB, r *rig, id string) *sources.Monitor {
	t.Helper()
	for m := range r.snap.Monitors() {
		if m.Ref.ID == id {
			return m
		}
	}
	t.Fatalf("no monitor %s", id)
	return nil
}

// onOnCall is a verb on an On-Call page of Datadog's, which nobody can read.
func onOnCall(v sources.Verb) verb {
	return verb{name: "datadog page " + string(v), source: "datadog", blind: true, deed: func(t testing.TB, e *earth) deed {
		var made struct{ Data struct{ ID string } }
		e.cells++
		title := fmt.Sprintf("page %d", e.cells)
		e.raw(t, http.MethodPost, "/api/v2/on-call/pages", `{"data":{"type":"pages","attributes":{"title":"`+title+`","urgency":"high","target":{"identifier":"payments","type":"team_handle"}}}}`, &made)
		all := e.Truth().Incidents
		n := all[len(all)-1].Number
		was := e.acts(t, n)
		return deed{
			ask: func(testing.TB, *rig) action.Request {
				return action.Request{Verb: v, Target: sources.Ref{Source: "datadog", Kind: sources.KindPage, ID: made.Data.ID}}
			},
			shows: func(t testing.TB, _ *action.Plan) bool { return e.acts(t, n) > was },
		}
	}}
}

// marker posts a marker on the charts.
func marker(name string, fields map[string]string, find string) verb {
	return verb{name: "datadog " + name, source: "datadog", deed: func(t testing.TB, e *earth) deed {
		e.cells++
		title := fmt.Sprintf("marker-%d", e.cells)
		return deed{
			ask: func(testing.TB, *rig) action.Request {
				q := action.Request{Verb: sources.PostEvent, Target: sources.Ref{Source: "datadog", Kind: sources.KindChange, ID: "web"}, Fields: map[string]string{"title": title, "version": title, "env": "prod"}}
				for k, v := range fields {
					q.Fields[k] = v
				}
				return q
			},
			shows: func(t testing.TB, p *action.Plan) bool {
				var out any
				if find == "dora" {
					e.raw(t, http.MethodPost, "/api/v2/dora/deployments", fmt.Sprintf(`{"data":{"type":"dora_deployments_list_request","attributes":{"from":%q,"to":%q,"limit":1000}}}`,
						e.Now().Add(-24*time.Hour).Format(time.RFC3339), e.Now().Add(time.Hour).Format(time.RFC3339)), &out)
				} else {
					e.raw(t, http.MethodGet, "/api/v2/events?page[limit]=1000&filter[query]=signalbox_call:%22"+p.ID+"%22", "", &out)
				}
				return strings.Contains(fmt.Sprint(out), title)
			},
		}
	}}
}

func datadogVerbs() []verb {
	mute := verb{name: "datadog mute", source: "datadog", deed: func(t testing.TB, e *earth) deed {
		id := e.unmuted(t)
		return deed{
			services: specs("web"),
			ask: func(t testing.TB, r *rig) action.Request {
				m := monitorIn(t, r, id)
				return action.Request{Verb: sources.Mute, Target: m.Ref, Revision: m.Revision, For: time.Hour}
			},
			shows: func(t testing.TB, _ *action.Plan) bool { return len(e.downtimes(t, id)) > 0 },
		}
	}}
	unmute := verb{name: "datadog unmute", source: "datadog", deed: func(t testing.TB, e *earth) deed {
		id, _ := e.muted(t)
		return deed{
			services: specs("web"),
			ask: func(t testing.TB, r *rig) action.Request {
				m := monitorIn(t, r, id)
				return action.Request{Verb: sources.Unmute, Target: m.Ref, Revision: m.Revision}
			},
			shows: func(t testing.TB, _ *action.Plan) bool { return len(e.downtimes(t, id)) == 0 },
		}
	}}
	expire := verb{name: "datadog expire", source: "datadog", deed: func(t testing.TB, e *earth) deed {
		id, downtime := e.muted(t)
		return deed{
			ask: func(testing.TB, *rig) action.Request {
				return action.Request{Verb: sources.Expire, Target: sources.Ref{Source: "datadog", Kind: sources.KindSilence, ID: downtime}}
			},
			shows: func(t testing.TB, _ *action.Plan) bool { return len(e.downtimes(t, id)) == 0 },
		}
	}}
	resolve := verb{name: "datadog resolve", source: "datadog", deed: func(t testing.TB, e *earth) deed {
		n, title := e.paged(t, 1)
		e.raw(t, http.MethodPost, fmt.Sprintf("/-/incidents/%d/acknowledge", n), "", nil)
		return deed{
			services: specs("web"),
			ask: func(t testing.TB, r *rig) action.Request {
				i := called(t, r.snap, title)
				return action.Request{Verb: sources.Resolve, Target: i.Ref, Revision: i.Revision}
			},
			shows: func(t testing.TB, _ *action.Plan) bool { return e.incident(t, n).State == "resolved" },
		}
	}}
	return []verb{
		mute, unmute, expire, resolve, onOnCall(sources.Acknowledge), onOnCall(sources.Escalate), onOnCall(sources.Resolve),
		marker("event", nil, "event"), marker("event dora", map[string]string{"as": "dora"}, "dora"),
	}
}

// runTruth is a run as GitHub tells it.
type runTruth struct {
	ID         int64
	Status     string
	Conclusion string
	Attempt    int    `json:"run_attempt"`
	SHA        string `json:"head_sha"`
	Event      string
	Title      string `json:"display_title"`
}

func (e *earth) run(t testing.TB, repo string, id int64) (out runTruth) {
	t.Helper()
	e.raw(t, http.MethodGet, fmt.Sprintf("/repos/acme/%s/actions/runs/%d", repo, id), "", &out)
	return out
}

func (e *earth) runs(t testing.TB, repo, query string) []runTruth {
	t.Helper()
	var out struct {
		Runs []runTruth `json:"workflow_runs"`
	}
	e.raw(t, http.MethodGet, "/repos/acme/"+repo+"/actions/runs?per_page=100&"+query, "", &out)
	return out.Runs
}

// waiting is a run of search's that waits for sre1 before it goes to production.
func (e *earth) waiting(t testing.TB) runTruth {
	t.Helper()
	e.Advance(10 * time.Second) // what was approved a moment ago goes on
	for tries := range 40 {
		for _, r := range e.runs(t, "search", "status=waiting") {
			return r
		}
		if tries%20 == 0 {
			e.cells++
			if _, err := e.Merge(mergeOf("search", e.cells)); err != nil {
				t.Fatal(err)
			}
		}
		e.Advance(time.Minute)
	}
	t.Fatal("nothing waits in search")
	return runTruth{}
}

func onRun(e *earth, repo string, id int64, v sources.Verb, shows func(runTruth) bool) deed {
	return deed{
		services: specs(repo),
		ask: func(t testing.TB, r *rig) action.Request {
			ref := sources.Ref{Source: "github", Kind: sources.KindRun, Scope: "acme/" + repo, ID: fmt.Sprint(id)}
			q := action.Request{Verb: v, Target: ref}
			if run, _ := r.snap.Run(ref); run != nil {
				q.Revision = run.Revision
			}
			return q
		},
		shows: func(t testing.TB, _ *action.Plan) bool { return shows(e.run(t, repo, id)) },
		judge: always(policy.Confirm),
	}
}

// always judges everything alike.
type always policy.Verdict

func (a always) Judge(policy.Facts) []policy.Finding {
	return []policy.Finding{{Gate: "always", Verdict: policy.Verdict(a)}}
}

func runVerbs() []verb {
	review := func(v sources.Verb) verb {
		return verb{name: "github " + string(v), source: "github", speed: 4, deed: func(t testing.TB, e *earth) deed {
			r := e.waiting(t)
			return onRun(e, "search", r.ID, v, func(runTruth) bool {
				var all []struct{ State string }
				e.raw(t, http.MethodGet, fmt.Sprintf("/repos/acme/search/actions/runs/%d/approvals", r.ID), "", &all)
				return len(all) == 1 && all[0].State == map[sources.Verb]string{sources.Approve: "approved", sources.Reject: "rejected"}[v]
			})
		}}
	}
	again := func(v sources.Verb) verb {
		return verb{name: "github " + string(v), source: "github", speed: 4, deed: func(t testing.TB, e *earth) deed {
			r := e.waiting(t)
			if _, err := e.Decide("search", false); err != nil {
				t.Fatal(err)
			}
			e.Advance(time.Minute)
			return onRun(e, "search", r.ID, v, func(now runTruth) bool { return now.Attempt > r.Attempt })
		}}
	}
	cancel := verb{name: "github cancel", source: "github", speed: 4, deed: func(t testing.TB, e *earth) deed {
		var made struct {
			ID int64 `json:"workflow_run_id"`
		}
		e.Advance(10 * time.Minute) // what ran in the group has ended
		e.raw(t, http.MethodPost, "/repos/acme/web/actions/workflows/deploy.yml/dispatches", `{"ref":"main","return_run_details":true,"inputs":{"environment":"dev","ref":"main"}}`, &made)
		e.Advance(5 * time.Second)
		return onRun(e, "web", made.ID, sources.Cancel, func(now runTruth) bool { return now.Conclusion == "cancelled" })
	}}
	return []verb{review(sources.Approve), review(sources.Reject), again(sources.RerunFailed), again(sources.RerunAll), cancel}
}
