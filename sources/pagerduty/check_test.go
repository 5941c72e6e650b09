package pagerduty

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
	"example.com/signalbox/sources"
)

func found(fs []sources.Finding) string {
	var out []string
	for _, f := range fs {
		out = append(out, strings.TrimSpace([]string{"ok", "warn", "FAIL"}[f.Level]+" "+f.What.String()+": "+f.Detail.String()))
	}
	return strings.Join(out, "\n")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		fake func(*fake)
		cfg  func(*Config)
		want []string
	}{
		{"a user's token", nil, nil, []string{"ok clock: agrees with PagerDuty's", "ok token: signed in as sre1 <sre1@example.com>", "ok role: user", "ok acting user: sre1@example.com", "ok rate limit: 955 of 960 requests left this minute"}},
		{"the account's", func(f *fake) { f.own = "" }, nil, []string{"ok token: a key of the whole account", "warn acting user: the token belongs to nobody"}},
		{"what is read", nil, nil, []string{"ok incidents: can be read", "ok services: can be read", "ok on-call shifts: can be read", "ok users: can be read", "ok change events: can be read"}},
		{"a key that may read little", func(f *fake) { f.denied = []string{"users", "oncalls"} }, nil,
			[]string{"ok token: a key of the whole account", "ok incidents: can be read", "warn on-call shifts: PagerDuty denies access", "warn users: PagerDuty denies access"}},
		{"a key that may read nothing", func(f *fake) { f.denied = []string{"users", "incidents", "services", "oncalls", "change_events"} }, nil,
			[]string{"ok token", "FAIL incidents: PagerDuty denies access: Access Denied", "FAIL services: "}},
		{"a token without a scope", func(f *fake) { f.denied = []string{"incidents", "change_events"} },
			func(c *Config) { c.OAuthToken, c.Token = c.Token, secret.Ref{} },
			[]string{"ok token: signed in as sre1", "FAIL incidents: the token lacks the scope incidents.read", "ok services", "warn change events: the token lacks the scope change_events.read"}},
		{"an app's token", func(f *fake) { f.denied = []string{"users"} },
			func(c *Config) { c.OAuthToken, c.Token = c.Token, secret.Ref{} },
			[]string{"ok token: is accepted; it does not tell whose it is", "warn users: the token lacks the scope users.read"}},
		{"the account's, with from:", func(f *fake) { f.own = "" }, func(c *Config) { c.From = "sre2@example.com" }, []string{"ok acting user: sre2@example.com", "ok role of sre2@example.com: user"}},
		{"from: nobody", func(f *fake) { f.own = "" }, func(c *Config) { c.From = "x@example.com" }, []string{"FAIL acting user: no user signs in as x@example.com"}},
		{"from: another than the token's", nil, func(c *Config) { c.From = "sre2@example.com" }, []string{"warn acting user: from: is sre2@example.com, and the token is sre1@example.com's"}},
		{"the account's, with me:", func(f *fake) { f.own, f.me = "", "sre2@example.com" }, nil, []string{"ok acting user: sre2@example.com, as pagerduty: below me: says", "ok role of sre2@example.com: user"}},
		{"me: a name", func(f *fake) { f.own, f.me = "", "sre2" }, nil, []string{"warn acting user: the token belongs to nobody"}},
		{"me: nobody", func(f *fake) { f.own, f.me = "", "x@example.com" }, nil, []string{"FAIL acting user: no user signs in as x@example.com"}},
		{"me: another than the token's", func(f *fake) { f.me = "sre2@example.com" }, nil, []string{"warn acting user: pagerduty: below me: is sre2@example.com, and the token is sre1@example.com's"}},
		{"a stakeholder", func(f *fake) { f.users[0]["role"] = "read_only_user" }, nil, []string{"FAIL role: a stakeholder's"}},
		{"an observer", func(f *fake) { f.users[0]["role"] = "observer" }, nil, []string{"warn role: restricted"}},
		{"another token", func(f *fake) { f.token = "x" }, nil, []string{"FAIL token: PagerDuty does not accept the token"}},
		{"a team", nil, func(c *Config) { c.Teams = []string{"PTEAM1", "PTEAM9"} }, []string{"ok team PTEAM1: payments", "FAIL team PTEAM9: does not exist"}},
	} {
		f := newFake()
		if c.fake != nil {
			c.fake(f)
		}
		if c.cfg == nil {
			c.cfg = func(*Config) {}
		}
		s := opened(t, tripper{f}, c.cfg)
		s.env.Identity = f.me
		got := s.Check(t.Context())
		for _, want := range c.want {
			if !strings.Contains(found(got), want) {
				t.Errorf("%s: want %q in\n%s", c.name, want, found(got))
			}
		}
		for _, g := range got {
			if (g.Level == sources.LevelOK) != g.Fix.IsZero() {
				t.Errorf("%s: %+v: what is wrong has a cure, and nothing else", c.name, g)
			}
		}
	}
}

func TestCheckClockAndNetwork(t *testing.T) {
	t.Parallel()
	for off, want := range map[time.Duration]string{time.Minute: "warn clock: is 1m0s off", -10 * time.Minute: "FAIL clock: is 10m0s off"} {
		s := opened(t, tripper{newFake()})
		s.env.Now = func() time.Time { return testNow.Add(off) }
		if got := found(s.Check(t.Context())); !strings.Contains(got, want) {
			t.Errorf("%s off: %s", off, got)
		}
	}
	s := opened(t, roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("proxyconnect tcp: no route") }))
	if got := found(s.Check(t.Context())); !strings.HasPrefix(got, "FAIL token: ") {
		t.Error(got)
	}
}

func TestCheckScopes(t *testing.T) {
	t.Parallel()
	s := opened(t, tripper{newFake()})
	got := found(s.CheckScopes(t.Context(), []string{"PCHECK", "PNONE", "POLD", "PBILL", "not an id"}))
	want := "ok service PCHECK: Checkout (prod)\nFAIL service PNONE: does not exist, or is hidden from this token\nwarn service POLD: Fax is disabled: it pages nobody\n" +
		"warn service PBILL: billing-core is in maintenance: it pages nobody until that ends\nFAIL service not an id: not an id is no id of PagerDuty's"
	if got != want {
		t.Errorf("%s", got)
	}
	if got := s.CheckScopes(t.Context(), nil); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestDiscover(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := opened(t, tripper{f}, func(c *Config) { c.Teams = []string{"PTEAM1"} })
	got, err := s.Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range got {
		names = append(names, p.Service+" "+strings.Join(p.Incidents, " ")+" "+p.Team)
		if p.Confidence <= 0 || p.Confidence > 1 || len(p.Why) == 0 {
			t.Errorf("%+v", p)
		}
	}
	if !slices.Equal(names, []string{"checkout-prod PCHECK payments", "ledger PLEDGER payments", "billing-core PBILL "}) {
		t.Errorf("%q", names)
	}
	if l := f.lines()[0]; !strings.Contains(l, "team_ids%5B%5D=PTEAM1") {
		t.Errorf("asked for %s", l)
	}
}

func TestConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	token := tokenRef(t, "x")
	for _, c := range []struct {
		name string
		cfg  Config
		want []string
	}{
		{"fine", Config{Token: token, Region: "eu"}, nil},
		{"fine, with an address", Config{OAuthToken: token, BaseURL: "http://127.0.0.1:1/pagerduty", Teams: []string{"PTEAM1"}, From: "a@b.c"}, nil},
		{"nothing", Config{}, []string{"token"}},
		{"two tokens", Config{Token: token, OAuthToken: token}, []string{"oauth_token"}},
		{"all else", Config{Token: token, Region: "mars", BaseURL: "http://example.com", From: "sre1", Teams: []string{"ok", "not ok"}, Proxy: "ftp://x", ProxyAuth: token},
			[]string{"region", "base_url", "from", "teams[1]", "proxy"}},
		{"a sign-in for no proxy", Config{Token: token, ProxyAuth: token}, []string{"proxy_auth"}},
		{"an address with a password", Config{Token: token, BaseURL: "https://me:secret@example.com"}, []string{"base_url"}},
	} {
		var got []string
		var walk func(error)
		walk = func(err error) {
			if f, ok := err.(*sources.FieldError); ok { //nolint:errorlint // the tree is walked here
				got = append(got, f.Path)
				if f.Msg == "" || f.Fix == "" || strings.Contains(f.Error(), "secret") {
					t.Errorf("%s: %+v", c.name, f)
				}
			}
			if many, ok := err.(interface{ Unwrap() []error }); ok {
				for _, e := range many.Unwrap() {
					walk(e)
				}
			}
		}
		walk(c.cfg.Validate())
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
