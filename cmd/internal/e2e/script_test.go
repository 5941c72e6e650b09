package e2e

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs testdata/script/*.txt: every command, and every mistake that its caller can make.
// $BADAPI is a provider whose answers are wrong, each in the way that the path begins with; $SIMULATOR is
// the config of a board for a simulated world; $UNTRUSTED has a certificate that nobody trusts.
func TestScripts(t *testing.T) {
	t.Parallel()
	bad := httptest.NewServer(http.HandlerFunc(wrong))
	t.Cleanup(bad.CloseClientConnections)
	t.Cleanup(bad.Close)
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshakes that fail
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	home := t.TempDir()
	sim := simulate(t, environ(home), filepath.Join(home, "board.yaml"), "127.0.0.1:0")
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			for _, kv := range environ(e.WorkDir) {
				k, v, _ := strings.Cut(kv, "=")
				e.Setenv(k, v)
			}
			e.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+os.Getenv("PATH"))
			e.Setenv("BADAPI", bad.URL)
			e.Setenv("SIMULATOR", sim.config)
			e.Setenv("UNTRUSTED", untrusted.URL)
			e.Setenv("GH_TEST_TOKEN", "ghp_0123456789abcdefghijABCDEFGHIJ012345")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": code, "config": writeConfig},
	})
}

// code runs signalbox and demands an exit code: code 2 status --nonsense.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N args...")
	}
	err := ts.Exec("signalbox", args[1:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// writeConfig writes the config of a board for one service at an address: config FILE URL.
func writeConfig(ts *testscript.TestScript, _ bool, args []string) {
	text := "sources: {github: {type: github, token: env:GH_TEST_TOKEN, base_url: " + args[1] + "}}\n" +
		"services: {shop: {repo: github:acme/shop, environments: [staging, prod]}}\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// unwell answers as GitHub does that has one thing against its caller.
func unwell(w http.ResponseWriter, r *http.Request, how string) {
	rest := strings.TrimPrefix(r.URL.Path, "/"+how)
	repo := strings.Contains(rest, "/repos/")
	refuse := func(code int, body string) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
	h := w.Header()
	h.Set("X-RateLimit-Limit", "5000")
	h.Set("X-RateLimit-Remaining", "4000")
	h.Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(10*time.Minute).Unix(), 10))
	switch {
	case how == "permission" && repo:
		h.Set("X-Accepted-GitHub-Permissions", "actions=read")
		refuse(http.StatusForbidden, `{"message": "Resource not accessible by personal access token"}`)
		return
	case how == "sso" && repo:
		h.Set("X-GitHub-SSO", "required; url=https://github.com/orgs/acme/sso?authorization_request=AA")
		refuse(http.StatusForbidden, `{"message": "Resource protected by organization SAML enforcement."}`)
		return
	case how == "hidden" && repo:
		refuse(http.StatusNotFound, `{"message": "Not Found"}`)
		return
	case how == "limited":
		h.Set("X-RateLimit-Remaining", "0")
		refuse(http.StatusForbidden, `{"message": "API rate limit exceeded for user ID 1."}`)
		return
	case how == "scopes":
		h.Set("X-OAuth-Scopes", "gist")
	case how == "skew":
		h.Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
	case how == "low":
		h.Set("X-RateLimit-Remaining", "3")
	}
	switch body := rest; {
	case strings.Contains(body, "/actions/runs"):
		_, _ = w.Write([]byte(`{"total_count": 0, "workflow_runs": []}`))
	case strings.Contains(body, "/actions/workflows"):
		_, _ = w.Write([]byte(`{"total_count": 0, "workflows": []}`))
	case strings.HasSuffix(body, "/environments"):
		_, _ = w.Write([]byte(`{"total_count": 0, "environments": []}`))
	case strings.HasSuffix(body, "/user"):
		_, _ = w.Write([]byte(`{"login": "me", "id": 1}`))
	case strings.HasSuffix(body, "/repos/acme/shop"):
		_, _ = w.Write([]byte(`{"id": 1, "name": "shop", "full_name": "acme/shop", "default_branch": "main", "owner": {"login": "acme"}}`))
	default:
		_, _ = w.Write([]byte(`[]`))
	}
}

// wrong answers badly, as the first part of the path says.
func wrong(w http.ResponseWriter, r *http.Request) {
	how, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	switch how {
	case "truncated":
		_, _ = w.Write([]byte(`{"total_count": 1, "workflow_runs": [{"id": 1, "na`))
	case "types":
		_, _ = w.Write([]byte(`{"total_count": "many", "workflow_runs": {"id": []}, "id": "x", "name": 7}`))
	case "html":
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html><body>Please sign in to the proxy</body></html>"))
	case "inside":
		_, _ = w.Write([]byte(`{"message": "Something went wrong while executing your query", "errors": [{"type": "INTERNAL"}]}`))
	case "reset":
		if h, ok := w.(http.Hijacker); ok {
			if conn, _, err := h.Hijack(); err == nil {
				_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{\"total_count\": 1"))
				if tcp, ok := conn.(*net.TCPConn); ok {
					_ = tcp.SetLinger(0)
				}
				_ = conn.Close()
			}
		}
	case "hang":
		select {
		case <-r.Context().Done():
		case <-time.After(patience):
		}
	case "escape":
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"message": "no \u001b]0;owned\u0007\u001b[2Jaccess \u202Eereht"}`))
	case "unauthorised":
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"message": "Bad credentials"}`))
	case "fine", "permission", "scopes", "sso", "hidden", "skew", "low", "limited":
		unwell(w, r, how)
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"message": "Not Found"}`))
	}
}
