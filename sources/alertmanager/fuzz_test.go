package alertmanager

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// offline is a source that converts and asks nobody.
func offline(tb testing.TB) *source {
	tb.Helper()
	cfg, ok := Driver().Config().(*Config)
	if !ok {
		tb.Fatal("another config")
	}
	address := &url.URL{Scheme: "https", Host: "am.example.com"}
	now := time.Date(2026, 11, 22, 2, 14, 0, 0, time.UTC)
	return &source{env: sources.Env{Source: "am", Now: func() time.Time { return now }}, cfg: *cfg, replicas: []*replica{{address: address}}}
}

// drawable fails when a text that is drawn could do anything but be read.
func drawable(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			t.Errorf("%q is drawn", s)
		}
	}
}

func drawableText(t *testing.T, texts ...clean.Text) {
	t.Helper()
	for _, text := range texts {
		if clean.Line(text.String()) != text {
			t.Errorf("%q is not clean", text.String())
		}
	}
}

const seedGroups = `[{"labels":{"alertname":"A"},"receiver":{"name":"team"},"alerts":[{"fingerprint":"1","labels":{"alertname":"A","service":"s","severity":"critical","env":"prod"},
"annotations":{"summary":"\u001b[2Jhigh","runbook_url":"https://x/y"},"startsAt":"2026-11-22T02:00:00Z","endsAt":"2026-11-22T02:20:00Z","generatorURL":"javascript:alert(1)",
"status":{"state":"suppressed","silencedBy":["s1"],"inhibitedBy":[],"mutedBy":["w"]}}]},{"labels":null,"receiver":{},"alerts":[{}]}]`

const seedSilences = `[{"id":"s1","matchers":[{"name":"alertname","value":"A|(","isRegex":true},{"name":"x","value":"","isEqual":false}],"startsAt":"2026-11-22T02:00:00Z",
"endsAt":"2026-11-22T03:00:00Z","createdBy":"\u202eme","comment":"c\nd","status":{"state":"active"}},{"id":"s2","status":{"state":"expired"},"matchers":null}]`

func FuzzIncidents(f *testing.F) {
	f.Add([]byte(seedGroups), []byte(seedSilences))
	f.Add([]byte(`[]`), []byte(`[]`))
	f.Add([]byte(`[{"alerts":[{"startsAt":"9999-12-31T23:59:59Z","labels":{"":"","a b":"\u0000","service":"s"},"status":{"silencedBy":["\u001b"]}},{"labels":{}}]}]`), []byte(`[{"id":"\u001b"}]`))
	f.Fuzz(func(t *testing.T, groups, silences []byte) {
		wire, err := decodeGroups(groups)
		if err != nil {
			return
		}
		known, err := decodeSilences(silences)
		if err != nil {
			known = nil
		}
		s := offline(t)
		q := sources.Query{Identity: "me", Services: []sources.ServiceSpec{{Name: "s"}}}
		b := s.batch(answer{groups: wire, silences: known}, q)
		again := s.batch(answer{groups: wire, silences: known}, q)
		seen := map[sources.Ref]bool{}
		for i, in := range b.Items {
			if in.Ref.ID == "" || seen[in.Ref] || in.Alerts < 1 || in.Revision == "" || len(in.Keys) > maxKeys || in.Revision != again.Items[i].Revision || in.Ref != again.Items[i].Ref {
				t.Errorf("incident %+v", in)
			}
			seen[in.Ref] = true
			if in.State == sources.Acknowledged && len(in.Silenced) == 0 || in.Severity < 0 || in.Severity > 5 {
				t.Errorf("incident %+v", in)
			}
			drawable(t, append([]string{in.Ref.ID, in.Service, in.Runbook, in.URL}, in.Keys...)...)
			drawableText(t, in.Title, in.Provider, in.Team, in.Holder, in.Scope)
			for _, sl := range in.Silenced {
				drawable(t, sl.Ref.ID)
				drawableText(t, sl.By, sl.Comment)
			}
		}
		c := s.converter(q, known)
		for _, g := range c.groupsOf(wire) {
			cur := &current{s: s, groups: wire}
			for _, e := range (&found{current: cur, group: g, conv: c}).log(known) {
				drawable(t, e.Kind)
				drawableText(t, e.Who, e.Text, e.Via)
			}
			for _, a := range g.alerts {
				al := c.alert(a, common(g.alerts))
				drawable(t, al.URL, al.Ref.ID)
				drawableText(t, append(al.Labels, al.Title)...)
			}
			drawableText(t, c.titles(g.alerts)...)
		}
	})
}

// alertsOf reads alerts from text: one a line, "name=value name=value".
func alertsOf(text string) []*wireAlert {
	var all []*wireAlert
	seen := map[string]bool{}
	for line := range strings.SplitSeq(text, "\n") {
		labels := map[string]string{}
		for _, word := range strings.Fields(line) {
			if name, value, ok := strings.Cut(word, "="); ok && name != "" && utf8.ValidString(word) && value != "" {
				labels[name] = value
			}
		}
		if key := sources.PrintLabels(labels); len(labels) > 0 && !seen[key] {
			seen[key] = true
			all = append(all, &wireAlert{Labels: labels, Fingerprint: key})
		}
	}
	return all
}

// A silence matches every alert that it is for, and of the others none that any conjunction of conditions on
// single labels could leave out.
func FuzzCover(f *testing.F) {
	f.Add("alertname=A service=s\nalertname=A service=t", "alertname=A service=u")
	f.Add("alertname=A", "alertname=A instance=1\nalertname=B")
	f.Add("a=1\nb=2", "a=1 b=2\na=2")
	f.Add("a=x|y", "a=x\na=y")
	f.Fuzz(func(t *testing.T, ours, theirs string) {
		mine, others := alertsOf(ours), alertsOf(theirs)
		if len(mine) == 0 || len(mine) > maxListed {
			return
		}
		own := map[string]bool{}
		for _, a := range mine {
			own[a.Fingerprint] = true
		}
		ms := cover(mine, others)
		c, err := compile(ms)
		if err != nil {
			t.Fatalf("%v: %v", ms, err)
		}
		values := valuesOf(mine)
		for _, a := range mine {
			if len(ms) > 0 && !c.match(a.Labels) {
				t.Errorf("%v does not match %v", ms, a.Labels)
			}
		}
		for _, o := range others {
			if own[o.Fingerprint] || !c.match(o.Labels) {
				continue
			}
			for name, value := range o.Labels {
				if !values[name][value] {
					t.Errorf("%v matches %v, whose %s none of ours has", ms, o.Labels, name)
				}
			}
		}
	})
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"cluster":{"status":"ready","peers":[{"name":"a"}]},"versionInfo":{"version":"1"},"uptime":"2026-11-22T02:00:00Z"}`))
	f.Add([]byte(`"said"`))
	f.Add([]byte(`{"code":1,"message":"\u001b[2J"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		drawable(t, saidBy(body))
		if v, err := decodeServer(body); err == nil {
			_ = sameCluster(&v, &v)
		}
		if v, err := decodeSilence(body); err == nil && v.ID == "" {
			t.Error("a silence without an id")
		}
		if n := severityOf(string(body), nil); n < 0 || n > 5 {
			t.Errorf("severity %d", n)
		}
	})
}

// storm is an answer of so many alerts in groups of a hundred.
func storm(tb testing.TB, n int) []byte {
	tb.Helper()
	var groups []wireGroup
	for g := range n / 100 {
		w := wireGroup{Labels: map[string]string{"alertname": "PodDown", "service": fmt.Sprintf("svc-%03d", g)}}
		w.Receiver.Name = "team"
		for i := range 100 {
			w.Alerts = append(w.Alerts, wireAlert{
				Fingerprint: fmt.Sprintf("%08x", g*100+i), StartsAt: stamp{time.Unix(1.8e9, 0)}, EndsAt: stamp{time.Unix(1.9e9, 0)},
				Labels: map[string]string{
					"alertname": "PodDown", "service": w.Labels["service"], "pod": fmt.Sprintf("pod-%d", i), "namespace": "prod", "cluster": "eu-1", "env": "prod",
					"severity": "critical", "team": "payments", "instance": fmt.Sprintf("10.0.0.%d:8080", i), "job": "kube-state-metrics",
				},
				Annotations: map[string]string{"summary": fmt.Sprintf("pod-%d does not become ready", i), "runbook_url": "https://runbooks.example/pods"},
				Status:      wireStatus{State: "active"},
			})
		}
		groups = append(groups, w)
	}
	data, err := json.Marshal(groups)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func BenchmarkDecode5000Alerts(b *testing.B) {
	data := storm(b, 5000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeGroups(data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkConvert5000Alerts(b *testing.B) {
	wire, err := decodeGroups(storm(b, 5000))
	if err != nil {
		b.Fatal(err)
	}
	s := offline(b)
	b.ReportAllocs()
	for b.Loop() {
		if got := s.batch(answer{groups: wire}, sources.Query{}); len(got.Items) != 50 {
			b.Fatal(len(got.Items))
		}
	}
}

func BenchmarkCoverAmong5000Alerts(b *testing.B) {
	wire, err := decodeGroups(storm(b, 5000))
	if err != nil {
		b.Fatal(err)
	}
	var ours, others []*wireAlert
	for g := range wire {
		for i := range wire[g].Alerts {
			if g == 0 {
				ours = append(ours, &wire[g].Alerts[i])
			} else {
				others = append(others, &wire[g].Alerts[i])
			}
		}
	}
	for b.Loop() {
		cover(ours, others)
	}
}
