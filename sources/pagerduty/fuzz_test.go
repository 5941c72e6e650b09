package pagerduty

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// drawable fails when a text or an identifier among v could do anything but be read.
func drawable(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			drawable(t, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			drawable(t, v.Index(i))
		}
	case reflect.Struct:
		switch x := v.Interface().(type) {
		case clean.Text:
			if clean.Line(x.String()) != x {
				t.Errorf("%q is drawn", x.String())
			}
			return
		case time.Time:
			return
		}
		for i := range v.NumField() {
			drawable(t, v.Field(i))
		}
	case reflect.String:
		if s := v.String(); !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x202e }) {
			t.Errorf("%q is kept", s)
		}
	default:
	}
}

func fuzzSource(tb testing.TB) *source {
	tb.Helper()
	return &source{env: testEnv(nil), rosters: map[string]rostered{}}
}

func seed(f *testing.F, all ...any) {
	f.Helper()
	for _, v := range all {
		b, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

func FuzzIncident(f *testing.F) {
	world := newFake()
	full := map[string][]string{"include[]": included}
	for _, i := range world.all {
		seed(f, i.view(full))
	}
	seed(f, obj{"id": "P1", "status": "new", "title": "\u202e\x1b[2J", "assignments": nil, "pending_actions": []obj{{"type": "escalate", "at": "9999-99-99"}}, "first_trigger_log_entry": 17})
	f.Add([]byte(`{"id":"P1","service":{"id":"\u0000","summary":"a\nb"},"html_url":"https://x/\u202e","escalation_policy":{"id":"PPOL1"},"assignments":[{"at":"x","assignee":{"id":"PUSER1","time_zone":"\u001b"}}],"alert_counts":{"all":-4},"incident_number":-3}`))
	s := fuzzSource(f)
	who := roster{"PPOL1": {{who: sources.Person{ID: "PUSER1"}, level: 1}, {who: sources.Person{ID: "PUSER2"}, level: 2}}}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var w wireIncident
		if json.Unmarshal(raw, &w) != nil || known(w.ID) == "" {
			return
		}
		inc := s.converter(specs(), "sre1@example.com", who, testNow).incident(&w)
		drawable(t, reflect.ValueOf(inc))
		if inc.Revision == "" || inc.Alerts < 0 || inc.Severity < 0 || inc.Severity > 9 || inc.Level < 0 || inc.Level > 2 || inc.Ref.ID != w.ID {
			t.Errorf("%+v", inc)
		}
		if inc.State == sources.Resolved && (inc.Level != 0 || !inc.EscalatesAt.IsZero()) {
			t.Errorf("a resolved incident goes on: %+v", inc)
		}
		if again := s.converter(specs(), "sre1@example.com", who, testNow).incident(&w); !reflect.DeepEqual(inc, again) {
			t.Errorf("%+v, then %+v", inc, again)
		}
		_ = describe(&inc)
		_ = receiptOf(&w)
		_ = policiesOf([]wireIncident{w, w})
	})
}

func FuzzFacts(f *testing.F) {
	seed(f, datadogTrigger(), obj{"firing": promFiring}, obj{"firing": []obj{{"labels": obj{"alertname": "A"}}}}, obj{"tags": "env:prod,region:eu", "runbook": "https://x.example"})
	f.Add([]byte(`{"firing":"[{\"labels\":{\"alertname\":\"\u001b\"}}]","a":[[[[[[[[[[[[1]]]]]]]]]]]]}`))
	f.Add([]byte(`"Labels:\n - a = b\n - alertname = \u202e\nLabels:\nAnnotations:\n - runbook = https://a.example/\u202e\nSource: https://a.example/monitors/1"`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := factsOf(raw)
		drawable(t, reflect.ValueOf(got))
		if len(got.Keys) > mostFacts || len(got.Labels) > mostFacts {
			t.Errorf("%d keys, %d labels", len(got.Keys), len(got.Labels))
		}
		drawable(t, reflect.ValueOf(alertOf(&wireAlert{Body: raw})))
	})
}

func FuzzLogEntry(f *testing.F) {
	for _, e := range newFake().hot().log {
		seed(f, e)
	}
	seed(f, obj{"type": "\x1b_log_entry", "summary": "\u202e", "channel": obj{"type": "\x07", "notification": obj{"type": "\u200b"}}, "event_details": []int{1}})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var w wireEntry
		if json.Unmarshal(raw, &w) != nil {
			return
		}
		e := entryOf(&w)
		drawable(t, reflect.ValueOf(e))
		if e.Kind == "" {
			t.Errorf("%+v has no kind", e)
		}
		_ = w.detail("message")
	})
}

func FuzzOnCall(f *testing.F) {
	for _, o := range newFake().oncalls {
		seed(f, o)
	}
	s := fuzzSource(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		var w wireOnCall
		if json.Unmarshal(raw, &w) != nil || onCallID(w) == "" {
			return
		}
		d := s.duty(w)
		sh := s.shift(d, nil, "sre1@example.com")
		drawable(t, reflect.ValueOf(sh))
		if sh.Ref.ID != onCallID(w) {
			t.Errorf("%s and %s", sh.Ref.ID, onCallID(w))
		}
		if back, err := sources.ParseRef(sh.Ref.String()); err != nil || back != sh.Ref {
			t.Errorf("%v: %v, %v", sh.Ref, back, err)
		}
		_ = current([]duty{d, d}, testNow)
	})
}

func FuzzChange(f *testing.F) {
	for _, c := range newFake().changes {
		seed(f, c)
	}
	seed(f, obj{"id": "P", "summary": "\x1b]0;x\x07", "custom_details": obj{"env": "\u202e", "sha": "zz", "version": "\x00"}, "links": []obj{{"href": "javascript:1"}}})
	s := fuzzSource(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		var w wireChange
		if json.Unmarshal(raw, &w) != nil || known(w.ID) == "" {
			return
		}
		c := s.change(&w, claimsOf(specs()))
		drawable(t, reflect.ValueOf(c))
		if c.Kind == "" {
			t.Errorf("%+v has no kind", c)
		}
	})
}

func FuzzProblem(f *testing.F) {
	f.Add([]byte(`{"error":{"message":"a","errors":["b"]}}`))
	f.Add([]byte(`{"error":"x"}`))
	f.Add([]byte(`{"error":{"errors":17}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s := oneLine(problem(raw)); strings.ContainsAny(s, "\n\r\x1b") || strings.HasSuffix(s, ".") {
			t.Errorf("%q", s)
		}
	})
}

func FuzzService(f *testing.F) {
	f.Add("Checkout (prod)")
	f.Add("../\x1b")
	f.Add("Ünï—cödé 2")
	f.Fuzz(func(t *testing.T, name string) {
		s := slug(name)
		if strings.ContainsFunc(s, func(r rune) bool { return r > 'z' || r < '-' }) || len(s) > 63 || strings.HasPrefix(s, "-") {
			t.Errorf("%q is %q", name, s)
		}
	})
}

// manyIncidents is an answer of n incidents with everything that a page has.
func manyIncidents(tb testing.TB, n int) []byte {
	tb.Helper()
	f := newFake()
	var all []obj
	for i := range n {
		inc := f.open([]string{"PCHECK", "PLEDGER", "PBILL"}[i%3], fmt.Sprintf("5xx above %d %%", i), time.Duration(i)*time.Minute)
		inc.trigger = datadogTrigger()
		all = append(all, inc.view(map[string][]string{"include[]": included}))
	}
	b, err := json.Marshal(obj{"incidents": all, "more": false, "limit": 100})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func BenchmarkDecode800Incidents(b *testing.B) {
	body := manyIncidents(b, 800)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode[wireIncidents](body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkConvert800Incidents(b *testing.B) {
	w, err := decode[wireIncidents](manyIncidents(b, 800))
	if err != nil {
		b.Fatal(err)
	}
	s := fuzzSource(b)
	who := roster{"PPOL1": {{who: sources.Person{ID: "PUSER1"}, level: 1}, {who: sources.Person{ID: "PUSER2"}, level: 2}}}
	b.ReportAllocs()
	for b.Loop() {
		c := s.converter(specs(), "sre1@example.com", who, testNow)
		for i := range w.Incidents {
			_ = c.incident(&w.Incidents[i])
		}
	}
}
