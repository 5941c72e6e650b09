package levertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
)

type object = map[string]any

// alerts is an Alertmanager with one group of alerts that fires.
type alerts struct {
	mu       sync.Mutex
	silences []object
	applied  int
}

func (a *alerts) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.applied, a.silences = 0, []object{{
		"id": "s-old", "status": object{"state": "active"}, "createdBy": "sre2", "comment": "by hand", "startsAt": time.Now(), "endsAt": time.Now().Add(time.Hour),
		"updatedAt": time.Now(), "matchers": []object{{"name": "alertname", "value": "Other", "isRegex": false, "isEqual": true}},
	}}
}

// active are the ids of the silences that are in force, on an alert of that name.
func (a *alerts) active(name string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.locked(name)
}

func (a *alerts) locked(name string) []string {
	out := []string{}
	for _, s := range a.silences {
		text, _ := json.Marshal(s["matchers"])
		if fmt.Sprint(s["status"]) == "map[state:active]" && strings.Contains(string(text), `"`+name+`"`) {
			out = append(out, fmt.Sprint(s["id"]))
		}
	}
	return out
}

func (a *alerts) alert(region string) object {
	by := a.locked("HighErrors")
	state := "active"
	if len(by) > 0 {
		state = "suppressed"
	}
	return object{
		"fingerprint": "f-" + region, "labels": object{"alertname": "HighErrors", "service": "web", "severity": "critical", "region": region},
		"annotations": object{"summary": "errors are above the limit"}, "startsAt": time.Now().Add(-10 * time.Minute), "updatedAt": time.Now(), "endsAt": time.Now().Add(4 * time.Minute),
		"receivers": []object{{"name": "team"}}, "status": object{"state": state, "silencedBy": by, "inhibitedBy": []string{}, "mutedBy": []string{}},
	}
}

func (a *alerts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	both := []object{a.alert("eu"), a.alert("us")}
	var answer any
	switch what := r.Method + " " + r.URL.Path; {
	case what == "GET /api/v2/alerts/groups":
		answer = []object{{"labels": object{"alertname": "HighErrors", "service": "web"}, "receiver": object{"name": "team"}, "alerts": both}}
	case what == "GET /api/v2/alerts":
		answer = both
	case what == "GET /api/v2/silences":
		answer = a.silences
	case what == "GET /api/v2/status":
		answer = object{"cluster": object{"status": "ready", "name": "me", "peers": []object{}}, "versionInfo": object{"version": "0.28.1"}, "uptime": time.Now().Add(-24 * time.Hour)}
	case what == "POST /api/v2/silences":
		var s object
		if json.NewDecoder(r.Body).Decode(&s) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		a.applied++
		s["id"], s["status"], s["updatedAt"] = fmt.Sprintf("s-%d", a.applied), object{"state": "active"}, time.Now()
		a.silences = append(a.silences, s)
		answer = object{"silenceID": s["id"]}
	case strings.Contains(what, " /api/v2/silence/"):
		_, id, _ := strings.Cut(what, "/silence/")
		i := slices.IndexFunc(a.silences, func(s object) bool { return s["id"] == id })
		if i < 0 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if r.Method == http.MethodDelete {
			a.applied++
			a.silences[i]["status"] = object{"state": "expired"}
			return
		}
		answer = a.silences[i]
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func alertmanagerVerbs() []verb {
	onAlerts := func(v sources.Verb, length time.Duration) verb {
		return verb{name: "alertmanager " + string(v), source: "alertmanager", deed: func(_ testing.TB, e *earth) deed {
			return deed{
				services: specs("web"),
				ask: func(t testing.TB, r *rig) action.Request {
					for i := range r.snap.Incidents() {
						return action.Request{Verb: v, Target: i.Ref, Revision: i.Revision, For: length}
					}
					t.Fatal("nothing fires")
					return action.Request{}
				},
				shows: func(testing.TB, *action.Plan) bool { return len(e.alerts.active("HighErrors")) == 1 },
			}
		}}
	}
	expire := verb{name: "alertmanager expire", source: "alertmanager", deed: func(_ testing.TB, e *earth) deed {
		return deed{
			ask: func(testing.TB, *rig) action.Request {
				return action.Request{Verb: sources.Expire, Target: sources.Ref{Source: "alertmanager", Kind: sources.KindSilence, ID: "s-old"}}
			},
			shows: func(testing.TB, *action.Plan) bool { return len(e.alerts.active("Other")) == 0 },
		}
	}}
	return []verb{onAlerts(sources.Acknowledge, 0), onAlerts(sources.SilenceIt, 2*time.Hour), expire}
}
