package e2e

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs testdata/script/*.txt: every command, and every mistake that its caller can make.
// $BADAPI is a provider whose answers are wrong, each in the way that the path begins with; $SIMULATOR is
// the config of a board for a simulated world.
func TestScripts(t *testing.T) {
	t.Parallel()
	bad := httptest.NewServer(http.HandlerFunc(wrong))
	t.Cleanup(bad.CloseClientConnections)
	t.Cleanup(bad.Close)
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
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"message": "Not Found"}`))
	}
}
