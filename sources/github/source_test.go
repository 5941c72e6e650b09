package github_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/github"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/store"
)

const suiteToken = "ghp_suiteTokenThatOccursNowhereElse"

var suiteNow = time.Date(2026, 11, 22, 2, 14, 0, 0, time.UTC)

type obj = map[string]any

// world is a small GitHub: one repository with a failed, a waiting and a running pipeline, a lane of two
// stages, and releases on two pages.
type world struct {
	mu      sync.Mutex
	changed bool
}

func (w *world) change() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed = true
}

func stamp(age time.Duration) string { return suiteNow.Add(-age).Format(time.RFC3339) }

func suiteSHA(n int) string { return fmt.Sprintf("%040x", n+0xb00000) }

func suiteRun(id int, status, conclusion string) obj {
	r := obj{
		"id": id, "name": "release", "path": ".github/workflows/release.yml", "display_title": "Retry card tokens", "run_number": id, "run_attempt": 1,
		"event": "push", "status": status, "conclusion": nil, "head_branch": "main", "head_sha": suiteSHA(id), "workflow_id": 3,
		"html_url": fmt.Sprintf("https://github.com/acme/checkout/actions/runs/%d", id), "created_at": stamp(time.Duration(id) * time.Minute),
		"run_started_at": stamp(time.Duration(id) * time.Minute), "updated_at": stamp(time.Minute), "actor": obj{"login": "dev4"},
		"head_commit": obj{"message": "Retry card tokens", "timestamp": stamp(time.Hour), "author": obj{"name": "Dev Four"}},
		"repository":  obj{"full_name": "acme/checkout"}, "head_repository": obj{"full_name": "acme/checkout"},
	}
	if conclusion != "" {
		r["conclusion"] = conclusion
	}
	return r
}

func suiteJob(id int, status, conclusion string) obj {
	return obj{"id": id, "run_id": id / 10, "run_attempt": 1, "name": "build", "status": status, "conclusion": conclusion, "created_at": stamp(time.Minute),
		"started_at": stamp(time.Minute), "labels": []string{"ubuntu-latest"}, "steps": []obj{{"name": "run tests", "number": 1, "status": status, "conclusion": conclusion}}}
}

func suiteRelease(id int) obj {
	return obj{"id": id, "tag_name": fmt.Sprintf("v1.%d.0", id), "name": fmt.Sprintf("Release %d", id), "published_at": stamp(time.Duration(100-id) * time.Hour)}
}

func (w *world) answer(path string, page string) (any, string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	state, conclusion, status := "in_progress", "", "in_progress"
	if w.changed {
		state, conclusion, status = "completed", "success", "success"
	}
	switch strings.TrimPrefix(path, "/repos/acme/checkout") {
	case "":
		return obj{"id": 1, "full_name": "acme/checkout", "default_branch": "main", "html_url": "https://github.com/acme/checkout"}, ""
	case "/actions/runs":
		return obj{"total_count": 3, "workflow_runs": []obj{suiteRun(1, state, conclusion), suiteRun(2, "completed", "failure"), suiteRun(3, "waiting", "")}}, ""
	case "/actions/runs/1", "/actions/runs/2":
		return suiteRun(2, "completed", "failure"), ""
	case "/actions/runs/1/jobs":
		return obj{"total_count": 1, "jobs": []obj{suiteJob(10, state, conclusion)}}, ""
	case "/actions/runs/2/jobs":
		return obj{"total_count": 1, "jobs": []obj{suiteJob(20, "completed", "failure")}}, ""
	case "/actions/runs/3/jobs":
		return obj{"total_count": 1, "jobs": []obj{suiteJob(30, "waiting", "")}}, ""
	case "/actions/runs/3/pending_deployments":
		return []obj{{"environment": obj{"id": 9, "name": "prod"}, "current_user_can_approve": true, "reviewers": []obj{{"type": "User", "reviewer": obj{"login": "sre1"}}}}}, ""
	case "/actions/runs/3/concurrency_groups":
		return obj{"total_count": 0, "concurrency_groups": []obj{}}, ""
	case "/tags":
		return []obj{{"name": "v1.2.0", "commit": obj{"sha": suiteSHA(2)}}}, ""
	case "/releases":
		if page == "2" {
			return []obj{suiteRelease(1)}, ""
		}
		rs := []obj{}
		for id := 31; id > 1; id-- {
			r := suiteRelease(id)
			r["draft"] = w.changed
			rs = append(rs, r)
		}
		return rs, "2"
	case "/deployments":
		return []obj{
			{"id": 2, "sha": suiteSHA(2), "ref": "main", "task": "deploy", "environment": "staging", "created_at": stamp(time.Hour), "creator": obj{"login": "dev4"}},
			{"id": 1, "sha": suiteSHA(1), "ref": "main", "task": "deploy", "environment": "prod", "created_at": stamp(9 * time.Hour), "creator": obj{"login": "dev4"}},
		}, ""
	case "/deployments/1/statuses":
		return []obj{{"id": 11, "state": "success", "description": "Retry card tokens", "created_at": stamp(9 * time.Hour), "log_url": "https://github.com/acme/checkout/actions/runs/2/job/20"}}, ""
	case "/deployments/2/statuses":
		return []obj{{"id": 21, "state": status, "created_at": stamp(time.Hour), "log_url": "https://github.com/acme/checkout/actions/runs/2/job/20"}}, ""
	default:
		if strings.Contains(path, "/compare/") {
			return obj{"status": "ahead", "ahead_by": 1, "behind_by": 0, "total_commits": 1, "commits": []obj{{"sha": suiteSHA(2), "commit": obj{"message": "m"}}}}, ""
		}
		return nil, ""
	}
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	v, next := w.answer(r.URL.Path, r.URL.Query().Get("page"))
	rw.Header().Set("Content-Type", "application/json")
	if v == nil {
		rw.WriteHeader(http.StatusNotFound)
		_, _ = rw.Write([]byte(`{"message":"Not Found"}`))
		return
	}
	body, err := json.Marshal(v)
	if err != nil {
		rw.WriteHeader(http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(body)
	etag := `W/"` + hex.EncodeToString(sum[:]) + `"`
	if next != "" {
		rw.Header().Set("Link", fmt.Sprintf(`<https://api.github.com%s?page=%s>; rel="next"`, r.URL.Path, next))
	}
	rw.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		rw.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = rw.Write(body)
}

func TestSource(t *testing.T) {
	q := sources.Query{Scope: "acme/checkout", Now: suiteNow, Identity: "sre1", Services: []sources.ServiceSpec{
		{Name: "checkout", Environments: []sources.EnvironmentSpec{{Name: "staging"}, {Name: "prod", Prod: true}}},
	}}
	sourcetest.Run(t, sourcetest.Harness{
		Driver: github.Driver(),
		Config: func(tb testing.TB) any {
			var ref secret.Ref
			if err := ref.UnmarshalText([]byte("cmd:printf " + suiteToken)); err != nil {
				tb.Fatal(err)
			}
			return &github.Config{Token: ref}
		},
		Secret:          suiteToken,
		CredentialHosts: []string{"api.github.com"},
		Provider: func(testing.TB) sourcetest.Provider {
			w := &world{}
			return sourcetest.Provider{Handler: w, Change: w.change}
		},
		Reads: []sourcetest.Read{
			{Capability: store.Runs, Query: q}, {Capability: store.Environments, Query: q},
			{Capability: store.Releases, Query: sources.Query{Scope: q.Scope, Now: q.Now, Limit: 31}},
		},
		Now:      suiteNow,
		FreeText: []string{"Retry card tokens"},
	})
}
