package github

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

const jobPath = "/repos/" + scope + "/actions/jobs/5"

func jobRef() sources.Ref {
	return sources.Ref{Source: "github", Kind: sources.KindJob, Scope: scope, ID: "5"}
}

// store is where GitHub keeps logs: another host, which must never see the token.
type store struct {
	*httptest.Server
	mu     sync.Mutex
	body   []byte
	ranges bool
	seen   []*http.Request
}

func newStore(t *testing.T, body string, ranges bool) *store {
	s := &store{body: []byte(body), ranges: ranges}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r)
		s.mu.Unlock()
		if s.ranges {
			http.ServeContent(w, r, "log.txt", time.Time{}, bytes.NewReader(s.body))
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(s.body)
	}))
	t.Cleanup(s.Close)
	return s
}

func logRig(t *testing.T, body string, ranges bool) (rig, *store) {
	h, s := newHub(t), newStore(t, body, ranges)
	h.handle(jobPath+"/logs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", s.URL+"/signed?sig=s3cr3t")
		w.WriteHeader(http.StatusFound)
	})
	return openOn(t, h), s
}

const sampleLog = "\uFEFF2021-04-05T15:42:49.0017341Z ##[group]Run tests\r\n" +
	"2021-04-05T15:42:50.0017341Z ##[command]go test ./...\r\n" +
	"2021-04-05T15:42:51.0017341Z \x1b[31mred\x1b[0m \x1b]0;title\x07text\r\n" +
	"2021-04-05T15:42:52.0017341Z ##[endgroup]\r\n" +
	"2021-04-05T15:42:53.0017341Z 10%\r20%\r100% done\r\n" +
	"no time here\n" +
	"2021-04-05T15:42:54.0017341Z ##[warning]slow\n" +
	"2021-04-05T15:42:55.0017341Z ##[error]TestReplicaCatchUp failed\n" +
	"2021-04-05T15:42:56.0017341Z ##[error]Process completed with exit code 1.\n"

func TestReadLog(t *testing.T) {
	t.Parallel()
	s, _ := logRig(t, sampleLog, true)
	log, err := s.ReadLog(context.Background(), jobRef(), sources.LogQuery{})
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		level sources.LogLevel
		text  string
	}{
		{sources.LogGroup, "Run tests"}, {sources.LogCommand, "go test ./..."}, {sources.LogPlain, "red text"},
		{sources.LogPlain, "100% done"}, {sources.LogPlain, "no time here"}, {sources.LogWarning, "slow"},
		{sources.LogError, "TestReplicaCatchUp failed"}, {sources.LogError, "Process completed with exit code 1."},
	}
	if len(log.Lines) != len(want) {
		t.Fatalf("%d lines: %+v", len(log.Lines), log.Lines)
	}
	for i, w := range want {
		if l := log.Lines[i]; l.Level != w.level || l.Text.String() != w.text {
			t.Errorf("line %d: %d %q, want %d %q", i, l.Level, l.Text, w.level, w.text)
		}
	}
	if at := log.Lines[0].At; !at.Equal(time.Date(2021, 4, 5, 15, 42, 49, 1734100, time.UTC)) {
		t.Errorf("the first line's time, behind a byte order mark: %s", at)
	}
	if at := log.Lines[3].At; at.Second() != 53 {
		t.Errorf("a progress bar's time: %s", at)
	}
	if log.FirstError != 6 || log.Omitted != 0 || log.Size != int64(len(sampleLog)) || log.Live {
		t.Errorf("first error %d, omitted %d, size %d", log.FirstError, log.Omitted, log.Size)
	}
}

// The signed address is another host's: go-github's own client would send the token along.
func TestLogStoreNeverSeesTheToken(t *testing.T) {
	t.Parallel()
	s, st := logRig(t, sampleLog, true)
	if _, err := s.ReadLog(context.Background(), jobRef(), sources.LogQuery{}); err != nil {
		t.Fatal(err)
	}
	for _, r := range st.seen {
		if a := r.Header.Get("Authorization"); a != "" {
			t.Errorf("the log's store was sent %q", a)
		}
	}
}

func longLog(lines int) string {
	var b strings.Builder
	for i := range lines {
		fmt.Fprintf(&b, "2021-04-05T15:42:49.0000000Z line %06d\n", i)
	}
	return b.String()
}

func TestEndOfALogWithoutFetchingTheWhole(t *testing.T) {
	t.Parallel()
	for _, ranges := range []bool{true, false} {
		body := longLog(200_000)
		s, st := logRig(t, body, ranges)
		log, err := s.ReadLog(context.Background(), jobRef(), sources.LogQuery{Tail: 50, Bytes: 8 << 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(log.Lines) != 50 || log.Lines[49].Text.String() != "line 199999" || log.Lines[0].Text.String() != "line 199950" {
			t.Errorf("ranges %v: %d lines, the last %q", ranges, len(log.Lines), log.Lines[len(log.Lines)-1].Text)
		}
		if want := int64(len(body) - 50*len("2021-04-05T15:42:49.0000000Z line 000000\n")); log.Omitted != want || log.Size != int64(len(body)) {
			t.Errorf("ranges %v: omitted %d, want %d; size %d", ranges, log.Omitted, want, log.Size)
		}
		if ranges && (len(st.seen) != 2 || st.seen[1].Header.Get("Range") != fmt.Sprintf("bytes=%d-", len(body)-8<<10)) {
			t.Errorf("asked %d times, with range %q (a suffix range is not understood everywhere)", len(st.seen), st.seen[len(st.seen)-1].Header.Get("Range"))
		}
	}
}

func TestLogOfARunningJobIsNotServed(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(jobPath, wireJobOf(5, "build", "in_progress", "", nil))
	log, err := openOn(t, h).ReadLog(context.Background(), jobRef(), sources.LogQuery{})
	if err != nil || !log.Live || log.FirstError != -1 || len(log.Lines) != 1 || !strings.Contains(log.Lines[0].Text.String(), "when the job has ended") {
		t.Errorf("%+v, %v", log, err)
	}
}

// go-github answers these with a bare "unexpected status code".
func TestLogThatIsGone(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{410: "the log has expired", 404: "there is no log of this job"} {
		h := newHub(t)
		h.json(jobPath, wireJobOf(5, "build", "completed", "success", nil))
		h.status(jobPath+"/logs", status, obj{"message": "x"})
		_, err := openOn(t, h).ReadLog(context.Background(), jobRef(), sources.LogQuery{})
		if e := errorOf(t, err); e.Kind != sources.NotExist || e.Msg != want || e.Fix == "" {
			t.Errorf("%d: %+v", status, e)
		}
	}
}

func TestLogRefusedByARateLimit(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.status(jobPath+"/logs", 429, obj{"message": "slow"}, "Retry-After", "30")
	_, err := openOn(t, h).ReadLog(context.Background(), jobRef(), sources.LogQuery{})
	if e := errorOf(t, err); e.Kind != sources.Throttled || !e.RetryAt.Equal(now.Add(30*time.Second)) {
		t.Errorf("%+v", e)
	}
}

func TestLogAddressOnAnUnsafeHost(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.handle(jobPath+"/logs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "file:///etc/passwd")
		w.WriteHeader(http.StatusFound)
	})
	_, err := openOn(t, h).ReadLog(context.Background(), jobRef(), sources.LogQuery{})
	if e := errorOf(t, err); e.Kind != sources.Invalid {
		t.Errorf("%+v", e)
	}
}

func TestLogLineOfAnyLength(t *testing.T) {
	t.Parallel()
	s, _ := logRig(t, strings.Repeat("é", 300_000)+"\nend\n", true)
	log, err := s.ReadLog(context.Background(), jobRef(), sources.LogQuery{Bytes: 1 << 20})
	if err != nil || len(log.Lines) != 2 || len(log.Lines[0].Text.String()) > maxLine+8 {
		t.Errorf("%d lines, %v", len(log.Lines), err)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	path := "/repos/" + scope + "/compare/v1.0.0...feature%2Fx"
	page := func(from, to int) (cs []obj) {
		for i := from; i < to; i++ {
			cs = append(cs, obj{"sha": sha(i), "commit": obj{"message": fmt.Sprintf("change %d\n\nmore", i), "author": obj{"name": "A", "date": ago(time.Hour)}}, "author": obj{"login": "dev4"}})
		}
		return cs
	}
	h.json(path, obj{"status": "ahead", "ahead_by": 300, "behind_by": 0, "total_commits": 300, "html_url": "https://github.com/x", "commits": page(0, 100), "files": []obj{{"filename": "a.go"}, {"filename": "new.go", "previous_filename": "old.go"}}},
		"Link", fmt.Sprintf(`<%s%s?per_page=100&page=2>; rel="next"`, h.srv.URL, path))
	h.json(path+"?per_page=100&page=2", obj{"status": "ahead", "total_commits": 300, "commits": page(100, 200)},
		"Link", fmt.Sprintf(`<%s%s?per_page=100&page=3>; rel="next"`, h.srv.URL, path))
	h.json(path+"?per_page=100&page=3", obj{"status": "ahead", "total_commits": 300, "commits": page(200, 300)})
	c, err := openOn(t, h).Compare(context.Background(), scope, "v1.0.0", "feature/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Commits) != 300 || c.Commits[0].SHA != sha(299) || c.Commits[0].Title.String() != "change 299" || c.Commits[0].Author.String() != "dev4" {
		t.Errorf("%d commits, the first %+v: all of them, newest first", len(c.Commits), c.Commits[0])
	}
	if c.Ahead != 300 || c.Status != "ahead" || len(c.Files) != 3 || c.Partial {
		t.Errorf("ahead %d %s, files %v", c.Ahead, c.Status, c.Files)
	}
}

func TestCompareThatGitHubCutProvesNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var files []obj
	for i := range 300 {
		files = append(files, obj{"filename": fmt.Sprintf("docs/%d.md", i)})
	}
	h.json("/repos/"+scope+"/compare/a1...b1", obj{"status": "ahead", "ahead_by": 1, "total_commits": 1, "commits": []obj{{"sha": sha(1), "commit": obj{"message": "m"}}}, "files": files})
	h.json("/repos/"+scope+"/commits/"+sha(1), obj{"sha": sha(1), "files": []obj{{"filename": "db/1.sql"}}})
	c, err := openOn(t, h).Compare(context.Background(), scope, "a1", "b1", []string{"db/**"})
	if err != nil || !c.Partial || c.Ahead != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestReleases(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json("/repos/"+scope+"/releases", []obj{
		{"id": 2, "tag_name": "lib/v2.0.0", "name": "Two", "published_at": ago(time.Hour), "html_url": "https://github.com/r/2", "prerelease": true},
		{"id": 1, "tag_name": "lib/v1.0.0", "name": nil, "published_at": ago(99 * time.Hour)},
		{"id": 3, "tag_name": "v9", "draft": true, "created_at": ago(200 * time.Hour), "published_at": nil},
	})
	h.json("/repos/"+scope+"/tags", []obj{
		{"name": "lib/v2.0.0", "commit": obj{"sha": sha(2)}}, {"name": "lib/v1.5.0", "commit": obj{"sha": sha(15)}}, {"name": "lib/v1.0.0", "commit": obj{"sha": sha(1)}},
	})
	h.json("/repos/"+scope+"/commits/"+sha(15), obj{"sha": sha(15), "commit": obj{"message": "m", "committer": obj{"date": ago(50 * time.Hour)}}})
	b, err := openOn(t, h).ListReleases(context.Background(), ask(sources.ServiceSpec{Name: "lib", TagPrefix: "lib/"}, sources.ServiceSpec{Name: "app"}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range b.Items {
		got = append(got, fmt.Sprintf("%s %s %q", r.Service, r.Version.Tag, r.Title))
	}
	want := []string{`lib lib/v2.0.0 "Two"`, `lib lib/v1.5.0 "lib/v1.5.0"`, `lib lib/v1.0.0 "lib/v1.0.0"`, ` v9 "v9"`}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("releases %q, want %q", got, want)
	}
	if r := b.Items[0]; r.Version.SHA != sha(2) || !r.Pre || r.Ref.ID != "2" {
		t.Errorf("%+v", r)
	}
}

func TestFirstErrorIsNotTheExitCode(t *testing.T) {
	t.Parallel()
	const end = "Process completed with exit code 1."
	for name, c := range map[string]struct {
		lines []string
		want  int
	}{
		"go":                    {[]string{"##[group]Run go test", "ok  acme/a", "--- FAIL: TestA (0.1s)", "    a_test.go:3: no", "FAIL", "##[error]" + end}, 2},
		"rust":                  {[]string{"##[group]Run cargo", "   Compiling a", "error[E0308]: mismatched types", "error: could not compile", "##[error]" + end}, 2},
		"c":                     {[]string{"##[group]Run make", "cc a.c", "a.c:3:5: error: expected ;", "make: *** [a.o] Error 1", "##[error]" + end}, 2},
		"python":                {[]string{"##[group]Run pytest", "collected 3 items", "Traceback (most recent call last):", "ValueError: no", "##[error]" + end}, 2},
		"node":                  {[]string{"##[group]Run npm", "npm warn old", "npm ERR! code 1", "##[error]" + end}, 2},
		"a marked one wins":     {[]string{"##[group]Run x", "error: first", "##[error]lint failed", "##[error]" + end}, 2},
		"another step's":        {[]string{"##[group]Run a", "error: tolerated", "##[group]Run b", "all well", "##[error]" + end}, 4},
		"words in passing":      {[]string{"##[group]Run a", "0 errors, no failure", "TestError passed", "##[error]" + end}, 3},
		"nothing failed":        {[]string{"##[group]Run a", "error: tolerated"}, -1},
		"the group is cut away": {[]string{"FAIL: test_x", "##[error]" + end}, 0},
	} {
		log := parseLog(ending{data: []byte(strings.Join(c.lines, "\n") + "\n"), size: -1}, 100)
		if log.FirstError != c.want {
			t.Errorf("%s: first error in line %d, want %d", name, log.FirstError, c.want)
		}
	}
}
