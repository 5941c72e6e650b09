package prometheus_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
	"example.com/signalbox/sources/prometheus"
	"example.com/signalbox/sources/sourcetest/realserver"
)

// kept writes a secret to a file and refers to it.
func kept(t *testing.T, value string) (secret.Ref, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(value), 0o600); err != nil {
		t.Fatal(err)
	}
	return at(t, file), file
}

func at(t *testing.T, file string) secret.Ref {
	t.Helper()
	var r secret.Ref
	if err := r.UnmarshalText([]byte("file:" + file)); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRealSignIns(t *testing.T) {
	t.Parallel()
	w := servers.Get(t)
	good, _ := kept(t, "s3cret-value")
	wrong, _ := kept(t, "another")
	bearer := func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer s3cret-value" }
	basic := func(r *http.Request) bool {
		user, password, ok := r.BasicAuth()
		return ok && user == "12345" && password == "s3cret-value"
	}
	tenant := func(r *http.Request) bool {
		return r.Header.Get("X-Scope-OrgID") == "team-a" && r.Header.Get("X-Api-Key") == "s3cret-value"
	}
	for name, tt := range map[string]struct {
		allow       func(*http.Request) bool
		right, left httpx.Access
	}{
		"bearer":  {bearer, httpx.Access{Token: good}, httpx.Access{Token: wrong}},
		"basic":   {basic, httpx.Access{Basic: &httpx.Basic{User: "12345", Password: good}}, httpx.Access{Basic: &httpx.Basic{User: "12345", Password: wrong}}},
		"headers": {tenant, httpx.Access{Headers: map[string]string{"X-Scope-OrgID": "team-a"}, SecretHeaders: map[string]secret.Ref{"X-Api-Key": good}}, httpx.Access{}},
	} {
		gate := realserver.Gate(t, w.Prometheus.URL, nil, tt.allow)
		for _, access := range []httpx.Access{tt.right, tt.left} {
			_, set := openReal(t, gate.URL, func(c *prometheus.Config) { c.Access = access })
			_, err := set.Monitors.ListMonitors(t.Context(), sources.Query{Now: time.Now()})
			_, queryErr := set.Metrics.QueryMetrics(t.Context(), recent(spec("x", gauge("x", "one", "vector(1)"))))
			if ok := access.Name() == tt.right.Name(); ok && (err != nil || queryErr != nil) {
				t.Errorf("%s: %v, %v", name, err, queryErr)
			} else if !ok && (sources.KindOf(err) != sources.Permission || sources.KindOf(queryErr) != sources.Permission) {
				t.Errorf("%s, with another credential: %v, %v", name, err, queryErr)
			}
		}
	}
}

func TestRealMutualTLS(t *testing.T) {
	t.Parallel()
	w := servers.Get(t)
	a, b := realserver.NewAuthority(t), realserver.NewAuthority(t)
	gate := realserver.Gate(t, w.Prometheus.URL, a, func(r *http.Request) bool { return len(r.TLS.PeerCertificates) == 1 })
	cert, key := a.Client(t)
	otherCert, otherKey := b.Client(t)
	for name, tt := range map[string]struct {
		access httpx.Access
		want   string
	}{
		"of the right authority":  {httpx.Access{CAFile: a.CAFile, CertFile: cert, CertKey: at(t, key), Proxy: "none"}, ""},
		"no authority":            {httpx.Access{CertFile: cert, CertKey: at(t, key), Proxy: "none"}, "signed by an authority that is not trusted here"},
		"no certificate":          {httpx.Access{CAFile: a.CAFile, Proxy: "none"}, "wants a certificate"},
		"of another authority":    {httpx.Access{CAFile: a.CAFile, CertFile: otherCert, CertKey: at(t, otherKey), Proxy: "none"}, "does not take the certificate"},
		"a key of another":        {httpx.Access{CAFile: a.CAFile, CertFile: cert, CertKey: at(t, otherKey), Proxy: "none"}, "do not fit together"},
		"a certificate that went": {httpx.Access{CAFile: a.CAFile, CertFile: cert + ".gone", CertKey: at(t, key), Proxy: "none"}, "the certificate cannot be read"},
	} {
		_, set := openReal(t, gate.URL, func(c *prometheus.Config) { c.Access = tt.access })
		_, err := set.Monitors.ListMonitors(t.Context(), sources.Query{Now: time.Now()})
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v does not say %q", name, err, tt.want)
		case tt.want != "" && fixOf(err) == "":
			t.Errorf("%s: %v names no cure", name, err)
		}
	}
}

func fixOf(err error) string { return httpx.Explain("", "", err).Fix }

// A secret that was renewed is used at the next read: nobody restarts a board for it.
func TestRealRotatedToken(t *testing.T) {
	t.Parallel()
	w := servers.Get(t)
	token, file := kept(t, "old")
	current := "old"
	gate := realserver.Gate(t, w.Prometheus.URL, nil, func(r *http.Request) bool { return r.Header.Get("Authorization") == fmt.Sprintf("Bearer %s", current) })
	_, set := openReal(t, gate.URL, func(c *prometheus.Config) { c.Access.Token = token })
	read := func() error {
		_, err := set.Metrics.QueryMetrics(t.Context(), recent(spec("x", gauge("x", "one", "vector(1)"))))
		return err
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	current = "new"
	if err := read(); sources.KindOf(err) != sources.Permission {
		t.Errorf("with the old token: %v", err)
	}
	if err := os.WriteFile(file, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := read(); err != nil {
		t.Errorf("with the new token: %v", err)
	}
}
