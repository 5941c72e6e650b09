package simulator_test

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/github"
)

func remaining(t *testing.T, a answer) int {
	t.Helper()
	n, err := strconv.Atoi(a.Header.Get("X-RateLimit-Remaining"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestConditional holds that what has not changed costs nothing, for its owner and as it was asked.
func TestConditional(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Identities: []github.Identity{{Token: "other", Login: "dev1"}}})
	const path = "/repos/acme/money/actions/runs?per_page=5"
	first := c.get(path)
	tag := first.Header.Get("ETag")
	if !strings.HasPrefix(tag, `W/"`) || first.Header.Get("Cache-Control") != "private, max-age=60, s-maxage=60" {
		t.Fatalf("headers are %v", first.Header)
	}
	second := c.do(http.StatusNotModified, http.MethodGet, path, "", "If-None-Match", tag)
	if remaining(t, second) != remaining(t, first) || len(second.body) != 0 || second.Header.Get("Link") != first.Header.Get("Link") {
		t.Errorf("304: remaining %d after %d, %d bytes", remaining(t, second), remaining(t, first), len(second.body))
	}
	if a := c.get(path, "If-None-Match", tag, "Accept", "application/json"); a.Header.Get("ETag") == tag {
		t.Error("the tag does not depend on what is accepted")
	}
	c.token = "other"
	if a := c.get(path, "If-None-Match", tag); a.Header.Get("ETag") == tag {
		t.Error("the tag does not depend on the credential")
	}
	c.token = ""
	free := c.get("/meta")
	c.do(http.StatusNotFound, http.MethodGet, path, "", "If-None-Match", tag)
	if again := c.get("/meta"); remaining(t, again) != remaining(t, free)-1 {
		t.Error("without a credential a conditional request was free")
	}
	seen := c.get("/users/acme/repos?per_page=5")
	if again := c.do(http.StatusNotModified, http.MethodGet, "/users/acme/repos?per_page=5", "", "If-None-Match", seen.Header.Get("ETag")); remaining(t, again) != remaining(t, seen)-1 {
		t.Errorf("without a credential a 304 left %d of %d", remaining(t, again), remaining(t, seen))
	}
	c.token = c.sim.Token()
	failed := c.find("acme/money", "branch=fix/lag")
	c.do(http.StatusCreated, http.MethodPost, "/repos/acme/money/actions/runs/"+itoa(failed.ID)+"/rerun", "")
	if a := c.get(path, "If-None-Match", tag); a.Header.Get("ETag") == tag {
		t.Error("a changed list kept its tag")
	}
	u := c.sim.Usage()
	if u.NotModified != 2 || u.Writes != 1 || u.Charged >= u.Requests {
		t.Errorf("usage is %+v", u)
	}
}

// TestRateLimit holds that the budget runs out, is one per user, and comes back with its hour.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Identities: []github.Identity{{Token: "small", Login: "dev2", Limit: 3}, {Token: "small too", Login: "dev2", Limit: 3}}})
	c.token = "small"
	for range 2 {
		c.get("/repos/acme/web")
	}
	c.token = "small too"
	a := c.get("/repos/acme/web/tags?per_page=1")
	if remaining(t, a) != 0 {
		t.Fatalf("%d remain", remaining(t, a))
	}
	a = c.do(http.StatusForbidden, http.MethodGet, "/repos/acme/web", "")
	if !strings.Contains(string(a.body), "API rate limit exceeded") {
		t.Errorf("refused with %s", a.body)
	}
	c.get("/rate_limit")
	reset, err := strconv.ParseInt(a.Header.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil || !time.Unix(reset, 0).Equal(c.sim.Now().Add(time.Hour)) {
		t.Errorf("resets at %d: %v", reset, err)
	}
	c.sim.Advance(time.Hour)
	if a = c.get("/repos/acme/web"); remaining(t, a) != 2 {
		t.Errorf("%d remain after the hour", remaining(t, a))
	}
}

var nextLink = regexp.MustCompile(`<([^>]+)>; rel="next"`)

// TestPages follows the links of a list to its end, and finds every entry once.
func TestPages(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{})
	seen, pages := map[int64]bool{}, 0
	total := 0
	for url := "/repos/acme/web/actions/runs?per_page=20"; url != ""; pages++ {
		var list runsBody
		a := c.get(url)
		a.into(t, &list)
		total = list.TotalCount
		for _, r := range list.Runs {
			if seen[r.ID] {
				t.Errorf("run %d stands on two pages", r.ID)
			}
			seen[r.ID] = true
		}
		url = ""
		if m := nextLink.FindStringSubmatch(a.Header.Get("Link")); m != nil {
			url = m[1]
		}
	}
	if len(seen) != total || pages != (total+19)/20 {
		t.Errorf("%d of %d runs on %d pages", len(seen), total, pages)
	}
	if n := len(c.runs("acme/web", "per_page=1000").Runs); n > 100 {
		t.Errorf("a page has %d runs", n)
	}
	for query, want := range map[string]int{
		"created=" + "2026-11-17T01:30:00Z..2026-11-17T02:00:00Z": 1, "created=%3E2027-01-01": 0, "event=schedule": 3, "head_sha=" + sha(c, "acme/web", "c0ffee1"): 1,
		"status=queued": 0, "branch=nowhere": 0,
	} {
		if got := c.runs("acme/web", query).TotalCount; got != want {
			t.Errorf("%s: %d runs, want %d", query, got, want)
		}
	}
	c.do(http.StatusUnprocessableEntity, http.MethodGet, "/repos/acme/web/actions/runs?created=soon", "")
}

// TestLogs holds that logs live elsewhere, for a minute, and not for a token.
func TestLogs(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{})
	running := c.find("acme/web", "status=in_progress")
	for _, j := range c.jobs("acme/web", running.ID, "") {
		if j.Status != "completed" {
			c.do(http.StatusNotFound, http.MethodGet, "/repos/acme/web/actions/jobs/"+itoa(j.ID)+"/logs", "")
		}
	}
	run := c.find("acme/money", "branch=fix/lag")
	var failed jobBody
	for _, j := range c.jobs("acme/money", run.ID, "") {
		if j.Conclusion == "failure" {
			failed = j
		}
	}
	path := "/repos/acme/money/actions/jobs/" + itoa(failed.ID) + "/logs"
	where := c.do(http.StatusFound, http.MethodGet, path, "").Header.Get("Location")
	if strings.HasPrefix(where, c.sim.URL()) {
		t.Fatalf("the log is on the API's own host: %s", where)
	}
	c.do(http.StatusBadRequest, http.MethodGet, where, "")
	if !c.sim.Usage().Complained(simulator.TokenToLogHost) {
		t.Error("nobody complains of a token sent to the log host")
	}
	c.token = ""
	log := c.get(where)
	if !bytes.HasPrefix(log.body, []byte("\ufeff2026-11-17T02:0")) || !bytes.Contains(log.body, []byte("--- FAIL: TestReplicaCatchUp")) || !bytes.Contains(log.body, []byte("##[error]")) {
		t.Errorf("the log is %.300s", log.body)
	}
	tail := c.do(http.StatusPartialContent, http.MethodGet, where, "", "Range", fmt.Sprintf("bytes=%d-", len(log.body)-40))
	if !bytes.HasSuffix(log.body, tail.body) || len(tail.body) != 40 {
		t.Errorf("the last 40 bytes are %q", tail.body)
	}
	if a := c.get(where, "Range", "bytes=-40"); len(a.body) != len(log.body) {
		t.Error("the store understood a suffix range")
	}
	c.sim.Advance(2 * time.Minute)
	c.do(http.StatusForbidden, http.MethodGet, where, "")
	c.token = c.sim.Token()
	old := c.runs("acme/web", "").Runs
	j := c.jobs("acme/web", old[len(old)-1].ID, "")[0]
	c.do(http.StatusGone, http.MethodGet, "/repos/acme/web/actions/jobs/"+itoa(j.ID)+"/logs", "")
	where = c.do(http.StatusFound, http.MethodGet, "/repos/acme/money/actions/runs/"+itoa(run.ID)+"/logs", "").Header.Get("Location")
	c.token = ""
	a := c.get(where)
	z, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
	if err != nil || len(z.File) != 13 {
		t.Errorf("the archive holds %v, %v", z, err)
	}
}

// TestApp holds the exchange of an App's JWT for a token that lives an hour.
func TestApp(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, simulator.Options{AppKey: &key.PublicKey})
	sign := func(claims string) string {
		text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
		sum := sha256.Sum256([]byte(text))
		sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + base64.RawURLEncoding.EncodeToString(sig)
	}
	now := c.sim.Now().Unix()
	good := sign(fmt.Sprintf(`{"iss":"12345","iat":%d,"exp":%d}`, now-30, now+500))
	const path = "/app/installations/67890/access_tokens"
	for name, token := range map[string]string{
		"forged": good[:len(good)-8] + "AAAAAAAA", "long": sign(fmt.Sprintf(`{"iss":"12345","iat":%d,"exp":%d}`, now, now+3600)),
		"old": sign(`{"iss":"12345","iat":1000,"exp":1500}`), "text": "x",
	} {
		c.token = token
		if a := c.do(http.StatusUnauthorized, http.MethodPost, path, ""); !bytes.Contains(a.body, []byte("JSON web token")) {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	c.token = good
	var out struct {
		Token   string
		Expires time.Time `json:"expires_at"`
	}
	c.do(http.StatusCreated, http.MethodPost, path, "").into(t, &out)
	c.token = out.Token
	c.get("/repos/acme/web")
	c.get("/installation/repositories?per_page=100")
	c.do(http.StatusForbidden, http.MethodGet, "/user", "")
	c.sim.Advance(time.Hour)
	c.do(http.StatusUnauthorized, http.MethodGet, "/repos/acme/web", "")
}

// TestRefusals holds what a token may not see or do, and what stands in its place.
func TestRefusals(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Identities: []github.Identity{
		{Token: "reader", Login: "dev1", Scopes: []string{"read:org"}}, {Token: "no dispatch", Login: "dev1", Scopes: []string{"repo"}},
		{Token: "blind", Login: "dev3", Hidden: []string{"acme/web"}}, {Token: "signed on", Login: "dev1", SSO: []string{"secure-corp"}},
		{Token: "dev4", Login: "dev4"},
	}})
	const dispatch = "/repos/acme/web/actions/workflows/deploy.yml/dispatches"
	search := "/repos/acme/search/actions/runs/" + itoa(c.find("acme/search", "status=waiting").ID) + "/pending_deployments"
	var gates []struct{ Environment struct{ ID int64 } }
	c.get(search).into(t, &gates)
	approve := fmt.Sprintf(`{"environment_ids":[%d],"state":"approved","comment":""}`, gates[0].Environment.ID)
	for _, x := range []struct {
		token, method, path, body string
		status                    int
		says                      string
	}{
		{"wrong", "GET", "/repos/acme/web", "", 401, "Bad credentials"},
		{"reader", "GET", "/repos/acme/web", "", 404, "Not Found"},
		{"blind", "GET", "/repos/acme/web", "", 404, "Not Found"},
		{c.sim.Token(), "GET", "/repos/acme/gone", "", 404, "Not Found"},
		{c.sim.Token(), "GET", "/orgs/secure-corp/repos", "", 403, "SAML enforcement"},
		{"signed on", "GET", "/repos/secure-corp/vault", "", 200, "vault"},
		{c.sim.Token(), "POST", "/repos/acme/legacy/deployments", `{"ref":"main"}`, 403, "archived"},
		{c.sim.Token(), "GET", "/orgs/acme/actions/runners", "", 403, "admin rights"},
		{"no dispatch", "POST", dispatch, `{"ref":"main"}`, 403, "Resource not accessible"},
		{c.sim.Token(), "POST", dispatch, `{`, 400, "Problems parsing JSON"},
		{c.sim.Token(), "POST", dispatch, `{"ref":7}`, 422, "Invalid request"},
		{c.sim.Token(), "POST", dispatch, `{}`, 422, "wasn't supplied"},
		{c.sim.Token(), "POST", dispatch, `{"ref":"main"}`, 422, "Required input 'ref' not provided"},
		{c.sim.Token(), "POST", dispatch, `{"ref":"` + strings.Repeat("a", 40) + `"}`, 422, "No ref found for"},
		{c.sim.Token(), "POST", dispatch, `{"ref":"main","inputs":{"ref":"main","environment":"moon"}}`, 422, "not in the list of allowed values"},
		{c.sim.Token(), "POST", dispatch, `{"ref":"main","inputs":{"ref":"main","environment":"dev","force":true}}`, 422, "Unexpected inputs"},
		{c.sim.Token(), "POST", "/repos/acme/web/actions/workflows/ci.yml/dispatches", `{"ref":"main"}`, 422, "workflow_dispatch"},
		{"dev4", "POST", search, approve, 422, "not authorized"},
		{c.sim.Token(), "POST", search, `{"environment_ids":[1],"state":"approved","comment":""}`, 422, "no pending deployment"},
		{c.sim.Token(), "POST", search, `{"environment_ids":[1],"state":"maybe","comment":""}`, 422, "state"},
		{c.sim.Token(), "POST", "/repos/acme/web/deployments/" + itoa(deploymentsOf(c, "acme/web", "dev")[0].ID) + "/statuses", `{"state":"great"}`, 422, "Validation Failed"},
		{c.sim.Token(), "GET", "/repos/acme/web/environments/prod%2Feu", "", 404, "Not Found"},
	} {
		c.token = x.token
		if a := c.do(x.status, x.method, x.path, x.body); !strings.Contains(string(a.body), x.says) {
			t.Errorf("%s %s: %s, want %q", x.method, x.path, a.body, x.says)
		}
	}
	c.token = c.sim.Token()
	a := c.do(http.StatusForbidden, http.MethodGet, "/repos/secure-corp/vault", "")
	if !strings.HasPrefix(a.Header.Get("X-GitHub-SSO"), "required; url=https://") {
		t.Errorf("X-GitHub-SSO is %q", a.Header.Get("X-GitHub-SSO"))
	}
	where := c.do(http.StatusMovedPermanently, http.MethodGet, "/repos/acme/old-web/tags?per_page=1", "").Header.Get("Location")
	c.get(where)
	if a := c.do(http.StatusRequestEntityTooLarge, http.MethodPost, dispatch, strings.Repeat(" ", 2<<20)); len(a.body) == 0 {
		t.Error("a body that is too large gets no answer")
	}
}

// TestEnterprise holds what an older server of one's own does otherwise.
func TestEnterprise(t *testing.T) {
	t.Parallel()
	c := start(t, simulator.Options{Enterprise: true})
	c.do(http.StatusNotFound, http.MethodGet, "/meta", "")
	if a := c.get("/api/v3/meta"); a.Header.Get("X-GitHub-Enterprise-Version") == "" {
		t.Error("says no version")
	}
	const path = "/api/v3/repos/acme/web/actions/workflows/deploy.yml/dispatches"
	c.do(http.StatusUnprocessableEntity, http.MethodPost, path, `{"ref":"main","return_run_details":true,"inputs":{"ref":"main","environment":"dev"}}`)
	c.do(http.StatusNoContent, http.MethodPost, path, `{"ref":"main","inputs":{"ref":"main","environment":"dev"}}`)
	if a := c.get("/api/v3/repos/acme/web/actions/runs?per_page=1"); !strings.Contains(a.Header.Get("Link"), "/api/v3/repositories/") {
		t.Errorf("links to %s", a.Header.Get("Link"))
	}
}
