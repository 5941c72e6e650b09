package github

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// clientOf is a source without a network, to convert with.
func clientOf(tb testing.TB) *repoConn {
	tb.Helper()
	s := &source{env: testEnv(&purse{}), origins: map[sources.Ref]origin{}, entering: map[workflowKey]bool{}, memo: httpx.NewMemo[any](16)}
	return &repoConn{conn: &conn{}, s: s, scope: scope, path: "repos/" + scope}
}

// drawable fails when a text that is drawn could do anything but be read.
func drawable(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
			return r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x202e || r == 0x2066 || r == 0x2028 || r == 0xfeff
		}) {
			t.Errorf("%q is drawn", s)
		}
	}
}

func FuzzRun(f *testing.F) {
	for _, w := range []obj{wireOf(1, nil), wireOf(2, obj{"status": nil, "conclusion": 3}), {"id": 1, "head_commit": nil, "pull_requests": nil, "created_at": 17}, {}} {
		b, err := json.Marshal(w)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, "main")
	}
	f.Add([]byte(`{"id":9,"head_branch":"gh-readonly-queue/main/pr-99999999999999999999-x","event":"merge_group","display_title":"\u202e\u001b[2J","actor":{"login":"\u0007"},"created_at":"9999-99-99","updated_at":-1}`), "")
	f.Fuzz(func(t *testing.T, raw []byte, branch string) {
		var w wireRun
		if json.Unmarshal(raw, &w) != nil {
			return
		}
		c := clientOf(t)
		r := c.run(w, refs{branch: branch, guess: func(s string) bool { return looksLikeTag(s, nil) }}, "me")
		if r.Attempt < 1 || r.Revision == "" || r.Ref.Source != "github" || r.Pull < 0 {
			t.Errorf("run %+v", r)
		}
		if r.Default && (r.Fork || r.RefKind != sources.RefBranch) {
			t.Errorf("a run of %v is one of the default branch", r.RefKind)
		}
		drawable(t, r.Title.String(), r.Workflow.String(), r.Branch.String(), r.Actor.String(), r.Reason.String(), r.Commit.Title.String(), r.Commit.Author.String(), r.Path, r.Event, r.URL, r.Commit.SHA)
		_ = duration(w)
		_ = sumUp([]wireRun{w, w}, branch)
	})
}

func FuzzJobs(f *testing.F) {
	seed, err := json.Marshal(jobs(wireJobOf(1, "a / b (c, d)", "completed", "failure", obj{"steps": []obj{{"name": "x", "status": "completed", "conclusion": "failure"}}}), wireJobOf(2, "((", "queued", "", nil)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"jobs":[{"id":1,"name":" / / (","labels":null,"steps":[{}]},{"id":-1,"name":"()) / ((x) (y)"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var w wireJobs
		if json.Unmarshal(raw, &w) != nil {
			return
		}
		c := clientOf(t)
		js := c.jobs(w.Jobs)
		n := countJobs(js)
		if n.Total != len(w.Jobs) || n.Done > n.Total || n.Failed > n.Done {
			t.Errorf("counts %+v", n)
		}
		if top := worst(js); (top != nil) != (n.Failed > 0) || top != nil && (top.Failed < 1 || top.Legs < top.Failed) {
			t.Errorf("worst %+v of %+v", top, n)
		}
		for _, j := range js {
			drawable(t, j.Name.String(), j.Matrix.String(), j.Runner.String(), j.Reason.String(), j.URL)
			for _, s := range j.Steps {
				drawable(t, s.Name.String())
			}
		}
	})
}

func FuzzDeployment(f *testing.F) {
	rec, err := json.Marshal(filed(1, "prod", time.Hour, obj{"payload": obj{"image": obj{"tag": "v1"}}}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(rec, []byte(`[{"id":1,"state":"success","log_url":"https://github.com/a/b/actions/runs/5/job/6","created_at":"2026-11-22T00:00:00Z"}]`), "Deploy v1.9.2 to prod ref=9f8e7d6", "image.tag", `(\S+)`)
	f.Add([]byte(`{"id":2,"payload":"{\"version\":7}","ref":"refs/tags/v1","sha":"zz"}`), []byte(`[{"state":"melted","log_url":"https://x/a/b/runs/99999999999999999999"},{}]`), "", "version", `(`)
	f.Fuzz(func(t *testing.T, raw, statuses []byte, title, path, pattern string) {
		var r record
		if json.Unmarshal(raw, &r.wireDeployment) != nil || json.Unmarshal(statuses, &r.statuses) != nil {
			return
		}
		r.origin = &origin{id: 5, event: "workflow_dispatch", title: title}
		c := clientOf(t)
		state, _ := standing(&r, nil, false, now)
		d := c.deployment(context.Background(), &r, state, now)
		sp := sources.ServiceSpec{Name: "x", VersionInput: "ref", VersionFrom: sources.VersionFrom{RunName: pattern}}
		if len(path)%2 == 0 {
			sp.VersionFrom = sources.VersionFrom{Payload: path}
		}
		j := newVersions(map[string]string{"v1": sha(1)}).judge(sp, &r, nil)
		if len(j.evidence) == 0 || j.evidence[len(j.evidence)-1].Kind != sources.FromRecord {
			t.Errorf("evidence %+v", j.evidence)
		}
		if j.verified && j.evidence[0].Kind == sources.FromRecord {
			t.Errorf("a dispatched record verifies itself: %+v", j)
		}
		drawable(t, d.Reason.String(), d.Actor.String(), d.URL, j.version.Tag.String(), j.version.SHA)
		for _, e := range j.evidence {
			drawable(t, e.Version.Tag.String(), e.Version.SHA, e.Detail.String())
		}
		if run, job := r.link(); run < 0 || job < 0 {
			t.Errorf("link %d %d", run, job)
		}
	})
}

func FuzzOthers(f *testing.F) {
	f.Add([]byte(`{"environment":{"id":1,"name":"prod"},"wait_timer":99999999,"wait_timer_started_at":"2026-01-01T00:00:00Z","reviewers":[{"type":null,"reviewer":null}]}`))
	f.Add([]byte(`{"sha":"abc","commit":{"message":"\n\nx\r\ny","author":null},"author":null,"files":[{"filename":"a","previous_filename":"b"}]}`))
	f.Add([]byte(`{"id":1,"tag_name":"v1","name":"\u001b]52;c;x\u0007","draft":true}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := clientOf(t)
		var p wirePending
		if json.Unmarshal(raw, &p) == nil {
			g := gate(p)
			if g.Until.IsZero() && len(g.Reviewers) == 0 && g.Blocked.IsZero() {
				t.Errorf("gate %+v says nothing", g)
			}
			drawable(t, g.Environment, g.Blocked.String())
			for _, r := range g.Reviewers {
				drawable(t, r.String())
			}
		}
		var w wireCommit
		if json.Unmarshal(raw, &w) == nil {
			cm := w.commit()
			drawable(t, cm.SHA, cm.Title.String(), cm.Author.String())
			_ = touches([]string{"ledger/**", "*.go", "**/x"}, paths(w.Files))
		}
		var rel wireRelease
		if json.Unmarshal(raw, &rel) == nil {
			r := c.release(rel, "", []sources.ServiceSpec{{Name: "lib", TagPrefix: "lib/"}})
			drawable(t, r.Title.String(), r.Version.Tag.String(), r.URL)
		}
		var v, err = versionAnswer(raw, "version")
		if err == nil && v.IsZero() {
			t.Error("an answer without a version")
		}
		drawable(t, v.Tag.String(), v.SHA)
	})
}

func FuzzLog(f *testing.F) {
	f.Add([]byte(sampleLog), int64(64), 3)
	f.Add([]byte("\xff\xfe\r\r\n##[error]\n\x1b[2J"), int64(5), 1)
	f.Add([]byte("2021-04-05T15:42:49Z"), int64(1000), 100)
	f.Fuzz(func(t *testing.T, raw []byte, limit int64, lines int) {
		if limit < 1 || limit > 1<<20 || lines < 1 {
			return
		}
		end, err := ring(bytes.NewReader(raw), limit)
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(end.data)) > limit || end.omitted+int64(len(end.data)) != int64(len(raw)) || end.size != int64(len(raw)) {
			t.Fatalf("%d of %d bytes kept, %d omitted, limit %d", len(end.data), len(raw), end.omitted, limit)
		}
		log := parseLog(end, lines)
		if len(log.Lines) > lines || log.Omitted < end.omitted || log.Omitted > int64(len(raw)) || log.FirstError >= len(log.Lines) || log.FirstError < -1 {
			t.Fatalf("%d lines, omitted %d, first error %d", len(log.Lines), log.Omitted, log.FirstError)
		}
		for _, l := range log.Lines {
			drawable(t, l.Text.String())
		}
	})
}

func FuzzNames(f *testing.F) {
	f.Add("deploy / ship (eu, 1)", "ledger/**", "ledger/a/b.go")
	f.Add("a (b", "**/**/[", "x/y")
	f.Fuzz(func(t *testing.T, name, pattern, file string) {
		caller, job, leg := jobName(name)
		if len(strings.Join(caller, "")+job+leg) > len(name)+2*len(name) {
			t.Errorf("%q became %q %q %q", name, caller, job, leg)
		}
		if strings.Count(pattern, "**") < 6 {
			_ = touches([]string{pattern}, []string{file})
		}
		_ = named([]string{pattern}, file)
		if hasWord(file, pattern) && !strings.Contains(strings.ToLower(file), strings.ToLower(pattern)) {
			t.Errorf("%q has no %q", file, pattern)
		}
		_ = onlyVersion(name)
		_ = assigned(name, pattern)
	})
}

// page20 is a page of twenty runs as big as GitHub's.
func page20(tb testing.TB) []byte {
	var rs []obj
	user := obj{"login": "dev4", "id": 1, "avatar_url": strings.Repeat("u", 1200)}
	repo := obj{"id": 1, "full_name": scope, "owner": user, "urls": strings.Repeat("x", 3500)}
	for i := range 20 {
		rs = append(rs, wireOf(i+1, obj{"actor": user, "triggering_actor": user, "repository": repo, "head_repository": repo}))
	}
	b, err := json.Marshal(runs(rs...))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func BenchmarkDecodePageOf20Runs(b *testing.B) {
	raw := page20(b)
	c := clientOf(b)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		var w wireRuns
		if err := json.Unmarshal(raw, &w); err != nil {
			b.Fatal(err)
		}
		for _, r := range w.Runs {
			_ = c.run(r, refs{branch: "main"}, "me")
		}
	}
}

// BenchmarkUnchangedPageOf20Runs reads a page that GitHub answers with 304, over HTTP on loopback.
func BenchmarkUnchangedPageOf20Runs(b *testing.B) {
	h := newHub(b)
	h.status(runsPath, 200, string(page20(b)))
	s := openOn(b, h)
	s.runs(b, ask())
	c, err := s.repo(context.Background(), scope)
	if err != nil {
		b.Fatal(err)
	}
	h.asked()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.runPage(context.Background(), "", defaultRuns); err != nil {
			b.Fatal(err)
		}
	}
	if n := h.answered[200]; n > 0 {
		b.Errorf("%d pages were decoded", n)
	}
}
