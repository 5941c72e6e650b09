package github

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"example.com/signalbox/sources"
)

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status  int
		body    any
		headers []string
		kind    sources.ErrKind
		msg     string
		fix     string
	}{
		"401":                {401, obj{"message": "Bad credentials"}, nil, sources.Permission, "GitHub does not accept the credential", "make a new one"},
		"403":                {403, obj{"message": "Resource not accessible by personal access token"}, nil, sources.Permission, "Resource not accessible", ""},
		"missing scope":      {403, obj{"message": "no"}, []string{"X-OAuth-Scopes", "gist", "X-Accepted-OAuth-Scopes", "repo, public_repo"}, sources.Permission, "the token may not do this", "repo, public_repo"},
		"missing permission": {403, obj{"message": "no"}, []string{"X-Accepted-GitHub-Permissions", "actions=read"}, sources.Permission, "the token may not do this", "actions=read"},
		"SSO": {403, obj{"message": "Resource protected by organization SAML enforcement."}, []string{"X-GitHub-SSO", "required; url=https://github.com/orgs/acme/sso?authorization_request=A"},
			sources.Permission, "single sign-on", "https://github.com/orgs/acme/sso?authorization_request=A"},
		"IP allow list":  {403, obj{"message": "Although you appear to have the correct authorization credentials, the `acme` organization has an IP allow list enabled"}, nil, sources.Permission, "addresses that it lists", "ask an owner"},
		"deleted":        {404, obj{"message": "Not Found"}, nil, sources.NotExist, "does not exist, or is hidden", "check its name"},
		"blocked":        {451, obj{"message": "DMCA"}, nil, sources.NotExist, "legal reasons", ""},
		"422":            {422, obj{"message": "No commit found for SHA: x"}, nil, sources.Invalid, "No commit found", ""},
		"500":            {500, "<html>Unicorn!</html>", nil, sources.Transient, "the server failed", "tried again"},
		"502":            {502, "", nil, sources.Transient, "the server failed", "tried again"},
		"error in a 200": {200, obj{"message": "Something went wrong"}, nil, sources.Invalid, "not what GitHub promises", "try again"},
		"null":           {200, nil, nil, sources.Invalid, "not what GitHub promises", "try again"},
		"wrong type":     {200, obj{"total_count": 1, "workflow_runs": "many"}, nil, sources.Invalid, "JSON string", "what stands in between"},
		"no JSON":        {200, "oops", nil, sources.Invalid, "not JSON", "what stands in between"},
		"cut":            {200, `{"total_count": 1, "workflow_runs": [{"id": `, nil, sources.Transient, "broke before the answer was whole", ""},
		"empty":          {200, "", nil, sources.Transient, "broke before the answer was whole", ""},
		"web page":       {200, "<html>sign in</html>", []string{"Content-Type", "text/html"}, sources.Transient, "a web page", "proxy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.status(runsPath, c.status, c.body, c.headers...)
			_, err := openOn(t, h).ListRuns(context.Background(), ask())
			e := errorOf(t, err)
			if e.Kind != c.kind || !strings.Contains(e.Msg, c.msg) || !strings.Contains(e.Fix, c.fix) {
				t.Errorf("%s: %q, fix %q", e.Kind, e.Msg, e.Fix)
			}
			if e.Op != "list runs" || e.Scope != scope {
				t.Errorf("op %q scope %q", e.Op, e.Scope)
			}
			if strings.Contains(fmt.Sprintf("%v %+v %v", e, *e, e.Err), testToken) {
				t.Error("the error holds the token")
			}
		})
	}
}

// GitHub limits with 403 and with 429, with and without headers; go-github knows the first alone.
func TestRateLimits(t *testing.T) {
	t.Parallel()
	reset := fmt.Sprint(now.Add(20 * time.Minute).Unix())
	for name, c := range map[string]struct {
		status  int
		message string
		docs    string
		headers []string
		at      time.Duration
	}{
		"primary 403":                {403, "API rate limit exceeded", "", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset}, 20 * time.Minute},
		"primary 429":                {429, "API rate limit exceeded", "", []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset}, 20 * time.Minute},
		"secondary 403":              {403, "You have exceeded a secondary rate limit", "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits", []string{"Retry-After", "60", "X-RateLimit-Remaining", "4000", "X-RateLimit-Reset", reset}, time.Minute},
		"secondary 429":              {429, "You have exceeded a secondary rate limit", "", []string{"Retry-After", "90"}, 90 * time.Second},
		"secondary by message alone": {403, "You have exceeded a secondary rate limit. Please wait", "https://docs.github.com/elsewhere", nil, time.Minute},
		"Retry-After as a date":      {429, "x", "", []string{"Retry-After", now.Add(2 * time.Minute).Format(http.TimeFormat)}, 2 * time.Minute},
		"429 that says nothing":      {429, "", "", nil, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			h.status(runsPath, c.status, obj{"message": c.message, "documentation_url": c.docs}, c.headers...)
			s := openOn(t, h)
			_, err := s.ListRuns(context.Background(), ask())
			e := errorOf(t, err)
			if e.Kind != sources.Throttled || !e.RetryAt.Equal(now.Add(c.at)) {
				t.Fatalf("%s %q until %s, want %s", e.Kind, e.Msg, e.RetryAt.Sub(now), c.at)
			}
			h.asked()
			_, err = s.ListRuns(context.Background(), ask())
			if e := errorOf(t, err); e.Kind != sources.Throttled {
				t.Errorf("then %+v", e)
			}
			if got := h.asked(); len(got) != 0 {
				t.Errorf("asked on: %v", got)
			}
		})
	}
}

// go-github answers for itself once nothing remains, by the machine's clock; the board's clock decides.
func TestNothingRemainsDoesNotLockTheClient(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	far := fmt.Sprint(time.Now().Add(time.Hour).Unix())
	h.json(runsPath, runs(wireOf(1, nil)), "X-RateLimit-Remaining", "0", "X-RateLimit-Limit", "5000", "X-RateLimit-Reset", far)
	s := openOn(t, h)
	s.runs(t, ask())
	h.asked()
	if _, err := s.ListRuns(context.Background(), ask()); !errors.Is(err, sources.ErrNotModified) {
		t.Errorf("the last request of the window succeeded, and then: %v", err)
	}
	if len(h.asked()) == 0 {
		t.Error("nothing was asked: the budget decides, not the client")
	}
	if n := len(s.purse.reports); n == 0 || s.purse.reports[n-1].Limit != 5000 {
		t.Errorf("reports %+v", s.purse.reports)
	}
}

func TestUnchangedAnswersCostNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(runsPath, runs(wireOf(1, nil)))
	s := openOn(t, h)
	s.runs(t, ask())
	before := s.purse.count()
	if before == 0 {
		t.Fatal("the first read was free")
	}
	h.asked()
	for range 3 {
		if _, err := s.ListRuns(context.Background(), ask()); !errors.Is(err, sources.ErrNotModified) {
			t.Fatal(err)
		}
	}
	if got := s.purse.count(); got != before {
		t.Errorf("unchanged answers cost %d", got-before)
	}
	if h.answered[200] != 0 {
		t.Errorf("%d answers were whole", h.answered[200])
	}
	for _, p := range h.asked() {
		if strings.Contains(p, "created=") {
			t.Errorf("%s holds a time and is new at each poll", p)
		}
	}
}

// What one list decoded, another must still deliver; and what a failed list decoded too.
func TestChangeThatWasDecodedElsewhereIsNotLost(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(runsPath, runs(wireOf(1, nil)))
	s := openOn(t, h)
	s.runs(t, ask())
	h.json(runsPath, runs(wireOf(2, obj{"status": "in_progress", "conclusion": nil})))
	if _, err := s.ListRuns(context.Background(), ask()); err == nil { // the jobs' request finds nothing
		t.Log("degraded to a notice")
	}
	h.status(runsPath+"/2/jobs", 500, obj{})
	if _, err := s.ListRuns(context.Background(), ask()); err == nil {
		t.Fatal("a broken part must fail the whole")
	}
	h.json(runsPath+"/2/jobs", jobs())
	if got := ids(s.runs(t, ask())); !slices.Equal(got, []string{"2"}) {
		t.Errorf("runs %v", got)
	}
}

func TestPaginationToTheEnd(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(runsPath, runs(wireOf(1, obj{"status": "in_progress", "conclusion": nil})))
	path := runsPath + "/1/jobs"
	page := func(n, from int, last bool) {
		var js []obj
		for i := range 100 {
			js = append(js, wireJobOf(from+i, fmt.Sprintf("leg (%d)", from+i), "in_progress", "", nil))
		}
		at := path + "?filter=latest&per_page=100"
		if n > 1 {
			at += fmt.Sprintf("&page=%d", n)
		}
		if last {
			h.json(at, jobs(js[:30]...))
		} else {
			h.json(at, jobs(js...), "Link", fmt.Sprintf(`<%s%s?page=%d>; rel="next", <%s%s?page=3>; rel="last"`, h.srv.URL, path, n+1, h.srv.URL, path))
		}
	}
	page(1, 1000, false)
	page(2, 1100, false)
	page(3, 1200, true)
	if r := openOn(t, h).runs(t, ask())[0]; r.Jobs.Total != 230 {
		t.Errorf("%d jobs, want 230", r.Jobs.Total)
	}
}

// What is gone, or is not this token's to read, costs a request once in a while and not one at each poll: a
// refusal is counted like an answer.
func TestWhatIsGoneIsNotAskedForAtEachPoll(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	queued := wireOf(2, obj{"status": "queued", "conclusion": nil, "created_at": ago(time.Hour)})
	waiting := wireOf(3, obj{"status": "waiting", "conclusion": nil, "created_at": ago(time.Hour)})
	h.json(runsPath, runs(queued, waiting, wireOf(1, obj{"workflow_id": 70})), "Link", fmt.Sprintf(`<%s%s?page=2>; rel="next"`, h.srv.URL, runsPath))
	h.json(runsPath+"/2/jobs", jobs(wireJobOf(20, "build", "queued", "", obj{"created_at": ago(time.Hour), "labels": []string{"gpu"}})))
	h.json(runsPath+"/3/jobs", jobs())
	h.json(runsPath+"/3/pending_deployments", []obj{{"environment": obj{"id": 7, "name": "prod"}, "reviewers": []obj{}}})
	h.status("/repos/"+scope+"/actions/runners", 403, obj{"message": "Must have admin rights"})
	h.json(deploysPath, []obj{filed(2, "prod", time.Hour, nil), filed(1, "prod", 2*time.Hour, nil)})
	h.carry(2, 90, time.Hour, "success") // run 90 was deleted, and so was job 800
	h.json(deploysPath+"/1/statuses", []obj{{"id": 1, "state": "success", "target_url": "https://github.com/" + scope + "/runs/800", "created_at": ago(time.Hour)}})
	s := openOn(t, h)
	var mu sync.Mutex
	at := now
	s.env.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return at }
	q := ask(
		sources.ServiceSpec{Name: "ledger", Environments: stages("prod"), Paths: []string{"ledger/**"}},
		sources.ServiceSpec{Name: "reports", Environments: stages("prod"), Paths: []string{"reports/**"}},
	)
	refused := func() (out []string) {
		t.Helper()
		h.asked()
		for range 2 {
			if _, err := s.ListRuns(context.Background(), q); err != nil && !errors.Is(err, sources.ErrNotModified) {
				t.Fatal(err)
			}
			if _, err := s.ListEnvironments(context.Background(), q); err != nil && !errors.Is(err, sources.ErrNotModified) {
				t.Fatal(err)
			}
		}
		h.mu.Lock()
		n := h.answered[404] + h.answered[403]
		h.mu.Unlock()
		for _, p := range h.asked() {
			if strings.Contains(p, "/commits/") || strings.Contains(p, "runners") || strings.Contains(p, "/workflows/") || strings.Contains(p, "concurrency") ||
				strings.HasSuffix(p, "/runs/90") || strings.HasSuffix(p, "/jobs/900") || strings.HasSuffix(p, "/jobs/800") {
				out = append(out, p)
			}
		}
		if n != len(out) {
			t.Errorf("%d refusals, of which known: %v", n, out)
		}
		return out
	}
	first := refused()
	slices.Sort(first)
	if twice := len(first) - len(slices.Compact(slices.Clone(first))); len(first) == 0 || twice > 0 {
		t.Errorf("asked twice: %v", first)
	}
	if again := refused(); len(again) != 0 {
		t.Errorf("asked again: %v", again)
	}
	mu.Lock()
	at = at.Add(time.Hour)
	mu.Unlock()
	if later := refused(); len(later) == 0 {
		t.Error("an hour later nothing is asked: a token that may by now is not noticed")
	}
}

// A server that ignores ?page= must not be asked for ever, nor counted twice.
func TestServerThatRepeatsItsPage(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(runsPath, runs(wireOf(1, nil), wireOf(2, nil)), "Link", fmt.Sprintf(`<%s%s?page=2>; rel="next"`, h.srv.URL, runsPath))
	if got := ids(openOn(t, h).runs(t, ask())); len(got) != 2 {
		t.Errorf("runs %v", got)
	}
	if n := len(h.asked()); n > 10 {
		t.Errorf("%d requests", n)
	}
}

func TestRenamedRepositoryIsFollowedAndSaid(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for _, p := range []string{"", "/actions/runs"} {
		h.handle("/repos/acme/old"+p, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/repos/"+scope+p+"?"+r.URL.RawQuery, http.StatusMovedPermanently)
		})
	}
	h.json(runsPath, runs(wireOf(1, nil)))
	s := openOn(t, h)
	q := ask()
	q.Scope = "acme/old"
	b, err := s.ListRuns(context.Background(), q)
	if err != nil || len(b.Items) != 1 {
		t.Fatal(b, err)
	}
	if len(b.Notices) != 1 || b.Notices[0].Text.String() != "was renamed to acme/checkout" || b.Notices[0].Fix.String() != "write repo: github:acme/checkout" {
		t.Errorf("notices %+v", b.Notices)
	}
	for _, r := range h.requests() {
		if r.Header.Get("Authorization") != "Bearer "+testToken {
			t.Errorf("%s carries %q", r.URL.Path, r.Header.Get("Authorization"))
		}
	}
	if _, err := s.ListRuns(context.Background(), q); !errors.Is(err, sources.ErrNotModified) {
		t.Errorf("a condition must survive the redirect: %v", err)
	}
}

func TestRedirectToAnotherHostIsNotFollowed(t *testing.T) {
	t.Parallel()
	var got []string
	evil := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.Header.Get("Authorization")) }))
	defer evil.Close()
	h := newHub(t)
	h.handle(runsPath, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, evil.URL, http.StatusFound) })
	_, err := openOn(t, h).ListRuns(context.Background(), ask())
	if e := errorOf(t, err); e.Kind != sources.Invalid || len(got) != 0 {
		t.Errorf("%+v; the other host was asked %d times", e, len(got))
	}
}

func TestArchivedRepositoryStillShowsItsPast(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json("/repos/"+scope, obj{"full_name": scope, "default_branch": "main", "archived": true})
	h.json(runsPath, runs(wireOf(1, nil)))
	b, err := openOn(t, h).ListRuns(context.Background(), ask())
	if err != nil || len(b.Items) != 1 || len(b.Notices) != 1 || !strings.Contains(b.Notices[0].Text.String(), "archived") || b.Notices[0].Fix.IsZero() {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestPartThatIsForbiddenDegradesItself(t *testing.T) {
	t.Parallel()
	h := waitingHub(t)
	h.status(runsPath+"/1/pending_deployments", 403, obj{"message": "no"}, "X-Accepted-GitHub-Permissions", "deployments=read")
	b, err := openOn(t, h).ListRuns(context.Background(), ask())
	if err != nil || len(b.Items) != 1 || len(b.Notices) != 1 || !strings.Contains(b.Notices[0].Fix.String(), "deployments=read") {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestHungConnectionEndsWithItsContext(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	asked := make(chan struct{})
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	var once sync.Once
	h.handle(runsPath, func(_ http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(asked) })
		select {
		case <-r.Context().Done():
		case <-release:
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-asked; cancel() }()
	_, err := openOn(t, h).ListRuns(ctx, ask())
	if e := errorOf(t, err); e.Kind != sources.Transient || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v", e)
	}
}

func TestConnectionThatBreaksMidBody(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.handle(runsPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "5000")
		_, _ = w.Write([]byte(`{"total_count": 1, "workflow_runs": [`))
		panic(http.ErrAbortHandler)
	})
	_, err := openOn(t, h).ListRuns(context.Background(), ask())
	if e := errorOf(t, err); e.Kind != sources.Transient || !strings.Contains(e.Msg, "broke before") {
		t.Errorf("%+v", e)
	}
}

func TestBudgetThatIsEmptySendsNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := openOn(t, h)
	s.purse.refuse = &sources.Error{Kind: sources.Throttled, Msg: "budget", RetryAt: now.Add(time.Minute)}
	_, err := s.ListRuns(context.Background(), ask())
	if e := errorOf(t, err); e.Kind != sources.Throttled || e.Op != "list runs" || len(h.asked()) != 0 {
		t.Errorf("%+v", e)
	}
}

// A client keeps the first token that it was given: a rotated one gets a client of its own.
func TestRotatedTokenIsUsed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("token-number-one-long")
	h := newHub(t)
	s := openOn(t, h, func(c *Config) { c.Token = parseRef(t, "file:"+file) })
	s.runs(t, ask())
	write("token-number-two-long")
	_, _ = s.ListRuns(context.Background(), ask())
	rs := h.requests()
	if a, b := rs[0].Header.Get("Authorization"), rs[len(rs)-1].Header.Get("Authorization"); a != "Bearer token-number-one-long" || b != "Bearer token-number-two-long" {
		t.Errorf("%q then %q", a, b)
	}
}

func TestCredentialPerOwner(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json("/repos/Labs/toy", obj{"full_name": "Labs/toy", "default_branch": "main"})
	h.json("/repos/Labs/toy/actions/runs", runs())
	s := openOn(t, h, func(c *Config) {
		c.Credentials = map[string]Credential{"labs": {Token: parseRef(t, "cmd:printf token-of-the-labs-owner")}}
	})
	q := ask()
	s.runs(t, q)
	q.Scope = "Labs/toy"
	s.runs(t, q)
	for _, r := range h.requests() {
		want := "Bearer " + testToken
		if strings.HasPrefix(r.URL.Path, "/repos/Labs/") {
			want = "Bearer token-of-the-labs-owner"
		}
		if got := r.Header.Get("Authorization"); got != want {
			t.Errorf("%s carries %q", r.URL.Path, got)
		}
	}
}

func appKey(t *testing.T) (*rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "app.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return key, file
}

// Repositories of one credential wait for its limit together, those of another do not.
func TestCredentialIsNamedWithoutItsToken(t *testing.T) {
	t.Parallel()
	s := openOn(t, newHub(t), func(c *Config) {
		c.Credentials = map[string]Credential{"Labs": {Token: parseRef(t, "cmd:false")}}
	})
	if a, b := s.Credential("acme/one"), s.Credential("other/two"); a != b {
		t.Errorf("one token is %q and %q", a, b)
	}
	if a, b := s.Credential("labs/one"), s.Credential("LABS/two"); a != b || a == s.Credential("acme/one") {
		t.Errorf("labs' is %q and %q", a, b)
	}
	if all := s.Credential("acme/one") + s.Credential("labs/one"); strings.Contains(all, testToken) {
		t.Errorf("the token is in %q", all)
	}
}

func TestAppTokenIsExchangedOnceAndRenewed(t *testing.T) {
	t.Parallel()
	key, file := appKey(t)
	h := newHub(t)
	var mu sync.Mutex
	exchanges, clock := 0, now
	h.handle("/app/installations/67/access_tokens", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		exchanges++
		claim := jwt.RegisteredClaims{}
		_, err := jwt.ParseWithClaims(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), &claim,
			func(*jwt.Token) (any, error) { return &key.PublicKey, nil }, jwt.WithTimeFunc(func() time.Time { return clock }))
		if err != nil || claim.Issuer != "12" || claim.ExpiresAt.Sub(claim.IssuedAt.Time) > 10*time.Minute {
			t.Errorf("claim %+v: %v", claim, err)
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"token": "ghs_%d", "expires_at": %q}`, exchanges, clock.Add(time.Hour).Format(time.RFC3339))
	})
	h.json(runsPath, runs(wireOf(1, nil)))
	p := &purse{}
	env := testEnv(p)
	env.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }
	src, err := open(env, &Config{BaseURL: h.srv.URL, App: &App{ID: 12, Installation: 67, Key: parseRef(t, "file:"+file)}})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := src.(*source)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.ListRuns(context.Background(), ask()); err != nil && !errors.Is(err, sources.ErrNotModified) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if exchanges != 1 {
		t.Errorf("%d exchanges for one token", exchanges)
	}
	h.asked()
	mu.Lock()
	clock = clock.Add(56 * time.Minute)
	mu.Unlock()
	if _, err := s.ListRuns(context.Background(), ask()); err != nil && !errors.Is(err, sources.ErrNotModified) {
		t.Error(err)
	}
	if exchanges != 2 {
		t.Errorf("%d exchanges: a token is renewed five minutes before its end", exchanges)
	}
	if s.memo.Len() > 4 {
		t.Errorf("%d answers remembered: a renewed token must not fill the memory anew", s.memo.Len())
	}
}

func TestAppThatGitHubDoesNotKnow(t *testing.T) {
	t.Parallel()
	_, file := appKey(t)
	h := newHub(t)
	h.status("/app/installations/67/access_tokens", 401, obj{"message": "A JSON web token could not be decoded"})
	s := openOn(t, h, func(c *Config) {
		c.Token = parseRef(t, "env:UNUSED_TOKEN")
		c.Credentials = map[string]Credential{"acme": {App: &App{ID: 12, Installation: 67, Key: parseRef(t, "file:"+file)}}}
	})
	_, err := s.ListRuns(context.Background(), ask())
	if e := errorOf(t, err); e.Kind != sources.Permission || !strings.Contains(e.Fix, "app.installation") {
		t.Errorf("%+v", e)
	}
}

func TestTokenThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := openOn(t, h, func(c *Config) { c.Token = parseRef(t, "env:SIGNALBOX_TEST_SURELY_UNSET") })
	_, err := s.ListRuns(context.Background(), ask())
	if e := errorOf(t, err); e.Kind != sources.Permission || e.Fix == "" || len(h.asked()) != 0 {
		t.Errorf("%+v", e)
	}
}

func TestConfigNamesEveryWrongKey(t *testing.T) {
	t.Parallel()
	tok := parseRef(t, "env:X")
	for name, c := range map[string]struct {
		cfg  Config
		want []string
	}{
		"nothing":     {Config{}, []string{"token"}},
		"both":        {Config{Token: tok, App: &App{ID: 1, Installation: 1, Key: tok}}, []string{"app"}},
		"empty app":   {Config{App: &App{}}, []string{"app.id", "app.installation", "app.key"}},
		"owner":       {Config{Token: tok, Credentials: map[string]Credential{"a/b": {Token: tok}, "c": {}}}, []string{"credentials.a/b", "credentials.c.token"}},
		"http":        {Config{Token: tok, BaseURL: "http://github.example.com"}, []string{"base_url"}},
		"no address":  {Config{Token: tok, BaseURL: "github"}, []string{"base_url"}},
		"proxy":       {Config{Token: tok, Proxy: "ftp://x"}, []string{"proxy"}},
		"password":    {Config{Token: tok, Proxy: "http://sre1:s3cret@proxy:3128"}, []string{"proxy"}},
		"password 2":  {Config{Token: tok, Proxy: "sre1:s3cret@proxy:3128"}, []string{"proxy"}},
		"no proxy":    {Config{Token: tok, ProxyAuth: tok}, []string{"proxy_auth"}},
		"sign-in":     {Config{Token: tok, Proxy: "http://proxy:3128", ProxyAuth: tok}, nil},
		"good":        {Config{Token: tok}, nil},
		"only owners": {Config{Credentials: map[string]Credential{"c": {Token: tok}}}, nil},
	} {
		var got []string
		var walk func(error)
		walk = func(err error) {
			switch e := err.(type) { //nolint:errorlint // the tree is walked by hand
			case nil:
			case *sources.FieldError:
				if e.Msg == "" || e.Fix == "" {
					t.Errorf("%s: %+v", name, e)
				}
				got = append(got, e.Path)
			case interface{ Unwrap() []error }:
				for _, x := range e.Unwrap() {
					walk(x)
				}
			}
		}
		walk(c.cfg.Validate())
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: wrong keys %q, want %q", name, got, c.want)
		}
	}
}

// The proxy's password is a secret like any other: it comes by reference and shows nowhere.
func TestProxyThatWantsASignIn(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.json(runsPath, runs(wireOf(1, nil)))
	target, err := url.Parse(h.srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	var mu sync.Mutex
	takes, heard := "Basic "+base64.StdEncoding.EncodeToString([]byte("sre1:s3cret")), ""
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		heard = r.Header.Get("Proxy-Authorization")
		taken := heard == takes
		mu.Unlock()
		if !taken {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	var log strings.Builder
	for name, c := range map[string]struct {
		auth, want string
	}{
		"taken":    {"cmd:printf sre1:s3cret", ""},
		"refused":  {"cmd:printf sre1:s3cret-but-old", "the proxy wants a sign-in, or does not take the one that it got"},
		"no colon": {"cmd:printf s3cret", "cmd:printf … holds no sign-in for the proxy"},
		"unset":    {"env:SIGNALBOX_TEST_SURELY_UNSET", "the proxy's sign-in cannot be read: is not set"},
	} {
		cfg := &Config{BaseURL: h.srv.URL, Token: tokenRef(t), Proxy: proxy.URL, ProxyAuth: parseRef(t, c.auth)}
		env := testEnv(&purse{})
		env.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		src, err := open(env, cfg)
		if err != nil {
			t.Fatal(err)
		}
		// This machine's own addresses are never proxied by Go's rules for the environment; a proxy that is
		// configured is used for all.
		s, _ := src.(*source)
		_, err = s.ListRuns(context.Background(), ask())
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if e := errorOf(t, err); e.Kind != sources.Permission || e.Msg != c.want || e.Fix == "" {
			t.Errorf("%s: %+v", name, e)
		}
		if said := fmt.Sprintf("%v %+v %#v %s %+v", err, err, err, log.String(), cfg); strings.Contains(said, "s3cret") {
			t.Errorf("%s: the password shows in %s", name, said)
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
	bad := (&Config{Token: tokenRef(t), Proxy: "http://sre1:s3cret@proxy:3128"}).Validate()
	if bad == nil || strings.Contains(fmt.Sprintf("%+v", bad), "s3cret") {
		t.Errorf("%v", bad)
	}
}

func TestBaseURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                  "https://api.github.com/",
		"https://github.com":                "https://api.github.com/",
		"https://api.github.com":            "https://api.github.com/",
		"https://github.example.com":        "https://github.example.com/api/v3/",
		"https://github.example.com/":       "https://github.example.com/api/v3/",
		"https://github.example.com/api/v3": "https://github.example.com/api/v3/",
		"https://acme.ghe.com":              "https://api.acme.ghe.com/",
		"https://api.acme.ghe.com":          "https://api.acme.ghe.com/",
		"http://127.0.0.1:8080":             "http://127.0.0.1:8080/",
		"http://[::1]:8080/api/v3":          "http://[::1]:8080/api/v3/",
	} {
		u, err := apiURL(in)
		if err != nil || u.String() != want {
			t.Errorf("%q: %v, %v; want %s", in, u, err, want)
		}
	}
	for _, in := range []string{"http://github.com", "ftp://x", "//x", "https://user:pw@host", "https://x?y", "http://localhost.example.com"} {
		if u, err := apiURL(in); err == nil {
			t.Errorf("%q passes as %s", in, u)
		}
	}
}

func TestScopeThatIsNoRepository(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := openOn(t, h)
	for _, bad := range []string{"", "acme", "acme/x/y", "../x", "acme/che ckout", "acme/a?b"} {
		q := ask()
		q.Scope = bad
		_, err := s.ListRuns(context.Background(), q)
		if e := errorOf(t, err); e.Kind != sources.Invalid {
			t.Errorf("%q: %+v", bad, e)
		}
	}
	if len(h.asked()) != 0 {
		t.Error("asked for it")
	}
}

func TestGetReadsFromTheAuthority(t *testing.T) {
	t.Parallel()
	h := waitingHub(t)
	pending := []obj{{"environment": obj{"id": 7, "name": "prod"}, "current_user_can_approve": true, "reviewers": []obj{{"type": "User", "reviewer": obj{"login": "sre1"}}}}}
	h.json(runsPath+"/1/pending_deployments", pending)
	h.json(runsPath+"/1", wireOf(1, obj{"status": "waiting", "conclusion": nil, "name": "deploy", "path": ".github/workflows/deploy.yml"}))
	h.json(deploysPath, []obj{filed(5, "prod", time.Hour, nil)})
	h.json(deploysPath+"/5", filed(5, "prod", time.Hour, nil))
	h.carry(5, 0, time.Hour, "success")
	s := openOn(t, h)
	q := ask(sources.ServiceSpec{Name: "checkout", Environments: stages("prod")})
	listed := s.runs(t, q)[0]
	lane := s.lanes(t, q)[0]
	h.asked()
	for _, c := range []struct {
		ref  sources.Ref
		want sources.Revision
	}{{listed.Ref, listed.Revision}, {lane.Ref, lane.Revision}, {lane.Targets[0].Current.Ref, lane.Targets[0].Current.Revision}} {
		got, err := s.Get(context.Background(), c.ref)
		if err != nil {
			t.Fatal(err)
		}
		var rev sources.Revision
		switch o := got.(type) {
		case sources.Run:
			rev = o.Revision
		case sources.Environment:
			rev = o.Revision
		case sources.Deployment:
			rev = o.Revision
		}
		if rev != c.want {
			t.Errorf("%s: revision %q, listed with %q", c.ref, rev, c.want)
		}
	}
	for _, r := range h.requests() {
		if r.Header.Get("If-None-Match") != "" {
			t.Errorf("%s was conditional", r.URL.Path)
		}
	}
	pending[0]["current_user_can_approve"] = false
	h.json(runsPath+"/1/pending_deployments", pending)
	again, err := s.Get(context.Background(), listed.Ref)
	if run, _ := again.(sources.Run); err != nil || run.Revision == listed.Revision {
		t.Error("who may approve has changed, and the revision has not")
	}
	_, err = s.Get(context.Background(), sources.Ref{Source: "github", Kind: sources.KindIncident, Scope: scope, ID: "1"})
	if e := errorOf(t, err); e.Kind != sources.Unsupported {
		t.Errorf("%+v", e)
	}
	_, err = s.Get(context.Background(), sources.Ref{Source: "github", Kind: sources.KindRun, Scope: scope, ID: "404"})
	if e := errorOf(t, err); e.Kind != sources.NotExist {
		t.Errorf("%+v", e)
	}
}

// GitHub says "max-age=60" with everything: a cache that believed it would hide a failed run for a minute.
func TestCacheControlHidesNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	private := []string{"Cache-Control", "private, max-age=60, s-maxage=60"}
	h.json(runsPath, runs(wireOf(1, obj{"status": "in_progress", "conclusion": nil})), private...)
	h.json(runsPath+"/1/jobs", jobs(), private...)
	s := openOn(t, h)
	s.runs(t, ask())
	h.json(runsPath, runs(wireOf(1, obj{"conclusion": "failure"})), private...)
	if got := s.runs(t, ask()); got[0].State != sources.StateFailed {
		t.Errorf("still %s", got[0].State)
	}
}

// A 304 without an ETag keeps the old one, and the pages that followed are still followed.
func TestPagingSurvivesAnUnchangedPage(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	path := "/repos/" + scope + "/releases"
	rel := func(from, to int) (rs []obj) {
		for i := from; i < to; i++ {
			rs = append(rs, obj{"id": i, "tag_name": fmt.Sprint("v", i), "published_at": ago(time.Duration(i) * time.Hour)})
		}
		return rs
	}
	h.json(path, rel(1, 21), "Link", fmt.Sprintf(`<%s%s?per_page=30&page=2>; rel="next"`, h.srv.URL, path))
	h.json(path+"?per_page=30&page=2", rel(21, 26))
	s := openOn(t, h)
	if b, err := s.ListReleases(context.Background(), ask()); err != nil || len(b.Items) != 25 {
		t.Fatal(len(b.Items), err)
	}
	h.json(path+"?per_page=30&page=2", rel(21, 30))
	b, err := s.ListReleases(context.Background(), ask())
	if err != nil || len(b.Items) != 29 {
		t.Errorf("%d releases, %v: the first page was unchanged, the second was not", len(b.Items), err)
	}
}

func TestAuthoritiesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	cfg := &Config{Token: parseRef(t, "env:X"), CAFile: "/surely/absent.pem"}
	_, err := open(testEnv(&purse{}), cfg)
	var f *sources.FieldError
	if !errors.As(err, &f) || f.Path != "ca_file" || f.Fix == "" {
		t.Errorf("%v", err)
	}
}
