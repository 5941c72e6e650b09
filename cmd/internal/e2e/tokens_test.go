package e2e

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	publicToken     = "ghp_forGitHubComAlone0123456789abcdefghij"
	enterpriseToken = "ghp_forTheEnterpriseAlone0123456789abcdef"
)

// ears are a host of its own, with a certificate that the program is told to trust, and the proxy to all
// others. They keep what reaches them.
type ears struct {
	host  string // of the server
	proxy string // its address
	cert  string // file

	mu      sync.Mutex
	tokens  []string // what the host was sent
	tunnels []string // what the proxy was to connect to
}

// listen answers at the host with h; nil is "not found".
func listen(t *testing.T, h http.Handler) *ears {
	t.Helper()
	e := &ears{cert: filepath.Join(t.TempDir(), "ca.pem")}
	if h == nil {
		h = http.NotFoundHandler()
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		e.tokens = append(e.tokens, r.Header.Get("Authorization"))
		e.mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		e.tunnels = append(e.tunnels, r.Host)
		e.mu.Unlock()
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(proxy.Close)
	e.host, e.proxy = strings.TrimPrefix(server.URL, "https://"), proxy.URL
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(e.cert, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	return e
}

// heard is what has reached the host and the proxy since the last call, each once.
func (e *ears) heard() (tokens, tunnels []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	slices.Sort(e.tokens)
	slices.Sort(e.tunnels)
	tokens, tunnels = slices.Compact(e.tokens), slices.Compact(e.tunnels)
	e.tokens, e.tunnels = nil, nil
	return tokens, tunnels
}

// run runs signalbox in dir and returns what it says and its exit code.
func (e *ears) run(t *testing.T, dir string, env []string, args ...string) (out, errs string, code int) {
	t.Helper()
	cmd := exec.Command(binary, args...)
	var stdout, stderr strings.Builder
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	cmd.Env = append(environ(t.TempDir(), "SSL_CERT_FILE="+e.cert, "HTTPS_PROXY="+e.proxy, "HTTP_PROXY="+e.proxy), env...)
	_ = cmd.Run() // the exit code tells it
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// clone makes the files of a clone whose remote origin is at an address, as a plain repository, a worktree
// of one or a submodule of one, and returns the directory to be in.
func clone(t *testing.T, kind, remote string) string {
	t.Helper()
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = " + remote + "\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
	dir := "main"
	switch kind {
	case "worktree":
		dir = "tree"
		write("main/.git/config", config)
		write("main/.git/worktrees/tree/commondir", "../..\n")
		write("tree/.git", "gitdir: "+filepath.Join(root, "main/.git/worktrees/tree")+"\n")
	case "submodule":
		dir = "main/sub"
		write("main/.git/config", "[remote \"origin\"]\n\turl = https://elsewhere.example.com/acme/whole.git\n")
		write("main/.git/modules/sub/config", config)
		write("main/sub/.git", "gitdir: ../.git/modules/sub\n")
	case "below":
		dir = "main/a/b"
		write("main/.git/config", config)
	default:
		write("main/.git/config", config)
	}
	write(dir+"/file", "")
	return filepath.Join(root, dir)
}

// A remote never decides where a token goes.
func TestTokensGoWhereTheyBelong(t *testing.T) {
	t.Parallel()
	const public, both = "GITHUB_TOKEN=" + publicToken, "GH_ENTERPRISE_TOKEN=" + enterpriseToken
	for _, tt := range []struct {
		name, kind, remote string // @HOST@ is the listening host
		env                []string
		token              string   // what the host may hear; "" nothing
		tunnels            []string // what the proxy may hear
		code               int
		says               string
	}{
		{name: "a host that nobody named", remote: "https://@HOST@/acme/shop.git", env: []string{public, "GH_TOKEN=" + publicToken}, code: 2, says: "export GH_HOST=@HOST@"},
		{name: "a token for it, and no name", remote: "https://@HOST@/acme/shop.git", env: []string{public, both}, code: 2, says: "export GH_HOST=@HOST@"},
		{name: "another name", remote: "https://@HOST@/acme/shop.git", env: []string{public, both, "GH_HOST=ghe.example.com"}, code: 2, says: "export GH_HOST=@HOST@"},
		{name: "a name, and no token for it", remote: "https://@HOST@/acme/shop.git", env: []string{public, "GH_HOST=@HOST@"}, code: 2, says: "export GH_ENTERPRISE_TOKEN="},
		{name: "name and token", remote: "https://@HOST@/acme/shop.git", env: []string{public, both, "GH_HOST=@HOST@"}, token: "Bearer " + enterpriseToken, code: 6},
		{name: "a worktree", kind: "worktree", remote: "https://@HOST@/acme/shop.git", env: []string{public, both, "GH_HOST=@HOST@"}, token: "Bearer " + enterpriseToken, code: 6},
		{name: "a submodule", kind: "submodule", remote: "https://@HOST@/acme/shop.git", env: []string{public, both, "GH_HOST=@HOST@"}, token: "Bearer " + enterpriseToken, code: 6},
		{name: "a folder below", kind: "below", remote: "https://@HOST@/acme/shop.git", env: []string{public, both, "GH_HOST=@HOST@"}, token: "Bearer " + enterpriseToken, code: 6},
		{name: "github.com over https", remote: "https://github.com/acme/shop.git", env: []string{public, both, "GH_HOST=@HOST@"}, tunnels: []string{"api.github.com:443"}, code: 6},
		{name: "github.com over ssh", remote: "git@github.com:acme/shop.git", env: []string{public}, tunnels: []string{"api.github.com:443"}, code: 6},
		{name: "github.com over ssh's other port", remote: "ssh://git@ssh.github.com:443/acme/shop.git", env: []string{public}, tunnels: []string{"api.github.com:443"}, code: 6},
		{name: "github.com, and no token", remote: "https://github.com/acme/shop.git", env: []string{both}, code: 2, says: "export GITHUB_TOKEN="},
		{name: "github.com as a user", remote: "https://github.com@@HOST@/acme/shop.git", env: []string{public}, code: 2, says: "export GH_HOST=@HOST@"},
		{name: "github.com as the beginning", remote: "https://github.com.example.com/acme/shop.git", env: []string{public}, code: 2, says: "export GH_HOST=github.com.example.com"},
		{name: "a folder", remote: "/srv/git/shop.git", env: []string{public}, code: 2, says: "has no remote on a host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := listen(t, nil)
			here := func(s string) string { return strings.ReplaceAll(s, "@HOST@", e.host) }
			dir := clone(t, tt.kind, here(tt.remote))
			env := make([]string, len(tt.env))
			for i, kv := range tt.env {
				env[i] = here(kv)
			}
			for _, command := range []string{"status", "doctor"} {
				out, errs, code := e.run(t, dir, env, command, "--wait", "10s")
				if code != tt.code {
					t.Errorf("%s: exit code %d, want %d\n%s%s", command, code, tt.code, out, errs)
				}
				if command == "status" && !strings.Contains(errs, here(tt.says)) {
					t.Errorf("%s says %q", command, errs)
				}
				if strings.Contains(out+errs, publicToken) || strings.Contains(out+errs, enterpriseToken) {
					t.Errorf("%s shows a token:\n%s%s", command, out, errs)
				}
				tokens, tunnels := e.heard()
				var want []string
				if tt.token != "" {
					want = []string{tt.token}
				}
				if !slices.Equal(tokens, want) {
					t.Errorf("%s: the host heard %q, want %q", command, tokens, want)
				}
				if !slices.Equal(tunnels, tt.tunnels) {
					t.Errorf("%s: the proxy heard %q, want %q", command, tunnels, tt.tunnels)
				}
			}
		})
	}
}

// init writes a config from what a token may read, that check takes and the board can show; it asks the
// host that GH_HOST names, and writes the name of the token's variable and never the token.
func TestInit(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	sim := simulate(t, environ(home), filepath.Join(home, "board.yaml"), "127.0.0.1:0")
	token, err := os.ReadFile(sim.config + ".token")
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.TrimSpace(string(token))
	behind := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: sim.listen}) }}
	e := listen(t, behind)
	env := []string{"GH_HOST=" + e.host, "GH_ENTERPRISE_TOKEN=" + secret, "GITHUB_TOKEN=" + publicToken}
	dir := t.TempDir()
	file := filepath.Join(dir, "new", "config.yaml")

	out, errs, code := e.run(t, dir, env, "--config", file, "init")
	if code != 0 || errs != "" || !strings.Contains(out, "wrote "+file+" with ") {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info, err)
	}
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(first)
	for _, want := range []string{
		"token: env:GH_ENTERPRISE_TOKEN", "base_url: https://" + e.host,
		"  accounts:\n    repo: github:acme/accounts\n    environments: [dev, staging, {name: prod, provider_name: \"production-{{target}}\", targets: [eu, us]}]\n",
		"% sure: it has 4 environments, the last is production-us",
		"# deploy: {via: workflow, workflow: deploy.yml,",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the config does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text+out, secret) || strings.Contains(text+out, publicToken) {
		t.Errorf("a token is shown:\n%s%s", text, out)
	}
	if tokens, tunnels := e.heard(); !slices.Equal(tokens, []string{"Bearer " + secret}) || tunnels != nil {
		t.Errorf("the host heard %q, the proxy %q", tokens, tunnels)
	}

	if out, errs, code := e.run(t, dir, env, "--config", file, "config", "check"); code != 0 || !strings.Contains(out, "is right: 7 services, 1 source") {
		t.Errorf("check: exit code %d\n%s%s", code, out, errs)
	}
	if out, errs, code := e.run(t, dir, env, "--config", file, "frame", "--size", "160x48", "--format", "text"); code != 0 || !strings.Contains(out, "checkout") {
		t.Errorf("frame: exit code %d\n%s%s", code, out, errs)
	}
	if out, errs, code := e.run(t, dir, env, "--config", file, "init", "--update"); code != 0 || !strings.Contains(out, "lacks nothing") {
		t.Errorf("update: exit code %d\n%s%s", code, out, errs)
	}
	if _, errs, code := e.run(t, dir, env, "--config", file, "init"); code != 2 || !strings.Contains(errs, "is there already, and is not written over: type signalbox init --update") {
		t.Errorf("again: exit code %d\n%s", code, errs)
	}
	updates(t, e, dir, env, file, text)
}

// updates takes a service and a stage out of a config and demands them back as a diff, which changes
// nothing.
func updates(t *testing.T, e *ears, dir string, env []string, file, text string) {
	t.Helper()
	head, rest, _ := strings.Cut(text, "  checkout:\n")
	_, rest, _ = strings.Cut(rest, "\n  # ")
	less := strings.Replace(head+"  # "+rest, "[dev, staging, {name: prod, provider_name: \"production-{{target}}\", targets: [eu, us]}]", "[dev, {name: prod, provider_name: \"production-{{target}}\", targets: [eu, us]}]", 1)
	if err := os.WriteFile(file, []byte(less), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, code := e.run(t, dir, env, "--config", file, "init", "--update")
	if code != 0 || errs != "" {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	for _, want := range []string{
		"--- " + file + "\n+++ " + file, "+  checkout:\n+    repo: github:acme/checkout\n",
		"+    # the repository also has: staging (", " % sure",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the diff does not say %q:\n%s", want, out)
		}
	}
	if now, err := os.ReadFile(file); err != nil || string(now) != less {
		t.Errorf("the file was changed: %v\n%s", err, now)
	}
}
