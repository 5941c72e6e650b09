package mql

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fake is a world of two services in two regions. Its values are easy: hits 10 a second in eu and 30 in us,
// errors a tenth of that, cpu the minute of the hour. Search has no us. From 10:20 to 10:25 nothing is known.
type fake struct{}

func (fake) Metric(name string) (Metric, bool) {
	switch name {
	case "hits", "errors":
		return Metric{Unit: "request", Count: true}, true
	case "cpu":
		return Metric{Unit: "percent"}, true
	default:
		return Metric{}, false
	}
}

type fakeSource struct{ metric, service, region string }

func (fake) Sources(metric string) []Source {
	return []Source{
		fakeSource{metric, "checkout", "eu"}, fakeSource{metric, "checkout", "us"}, fakeSource{metric, "search", "eu"},
	}
}

func (fake) Settled() time.Time { return time.Time{} }
func (fake) Cache() *Cache      { return nil }

func (s fakeSource) ID() string { return s.metric + s.service + s.region }

func (s fakeSource) Tag(key string) (string, bool) {
	v, ok := map[string]string{"service": s.service, "region": s.region, "env": "prod", "url": "a/b"}[key]
	return v, ok
}

func (s fakeSource) At(t time.Time) (float64, bool) {
	if t.Hour() == 10 && t.Minute() >= 20 && t.Minute() < 25 {
		return 0, false
	}
	v := map[string]float64{"eu": 10, "us": 30}[s.region]
	switch s.metric {
	case "errors":
		return v / 10, true
	case "cpu":
		return float64(t.Minute()), true
	default:
		return v, true
	}
}

func window(from, to string, step time.Duration) Window {
	at := func(clock string) time.Time {
		t, err := time.Parse("2006-01-02 15:04:05", "2026-11-17 "+clock)
		if err != nil {
			panic(err)
		}
		return t
	}
	return Window{From: at(from), To: at(to), Step: step, Finest: 10 * time.Second}
}

// shortLine is a series in short: its group and its values.
func shortLine(s Series) string {
	var b strings.Builder
	b.WriteString(s.group() + ":")
	for _, v := range s.Values {
		b.WriteString(" " + short(v))
	}
	return b.String()
}

func short(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 3, 64), "0"), ".")
}

func TestEval(t *testing.T) {
	t.Parallel()
	minutes := window("10:00:00", "10:02:00", time.Minute)
	for query, want := range map[string]string{
		"sum:hits{*}.as_rate()":                                                  ": 50 50",
		"sum:hits{*}.as_count()":                                                 ": 3000 3000",
		"sum:hits{*}":                                                            ": 3000 3000",
		"avg:hits{*}.as_rate()":                                                  ": 16.667 16.667",
		"hits{*}.as_rate()":                                                      ": 16.667 16.667",
		"max:hits{service:checkout}.as_rate()":                                   ": 30 30",
		"min:hits{service:checkout}.as_rate()":                                   ": 10 10",
		"count:hits{*}":                                                          ": 3 3",
		"p95:hits{service:checkout}.as_rate()":                                   ": 30 30",
		"p50:hits{service:checkout}.as_rate()":                                   ": 10 10",
		"avg:cpu{*}":                                                             ": 0 1",
		"avg:cpu{*}.rollup(max)":                                                 ": 0 1",
		"sum:hits{service:checkout} by {region}.as_rate()":                       "region:eu: 10 10|region:us: 30 30",
		"sum:hits{*} by {service,region}.as_rate()":                              "region:eu,service:checkout: 10 10|region:eu,service:search: 10 10|region:us,service:checkout: 30 30",
		"sum:hits{*} by {host}":                                                  "",
		"sum:nothing{*}":                                                         "",
		"sum:hits{service:checkout,region:us}.as_rate()":                         ": 30 30",
		"sum:hits{service:checkout AND NOT region:us}.as_rate()":                 ": 10 10",
		"sum:hits{service:checkout,!region:us}.as_rate()":                        ": 10 10",
		"sum:hits{service:search OR region:us}.as_rate()":                        ": 40 40",
		"sum:hits{(service:search OR region:us) AND region:eu}.as_rate()":        ": 10 10",
		"sum:hits{service IN (search, nobody)}.as_rate()":                        ": 10 10",
		"sum:hits{service NOT IN (search)}.as_rate()":                            ": 40 40",
		"sum:hits{service:ch*}.as_rate()":                                        ": 40 40",
		"sum:hits{url:a*}.as_rate()":                                             ": 50 50",
		"sum:hits{$env,service:search}.as_rate()":                                ": 10 10",
		"sum:hits{}.as_rate()":                                                   ": 50 50",
		"100 * sum:errors{*}.as_count() / sum:hits{*}.as_count()":                ": 10 10",
		"100*sum:errors{*} by {region}.as_count()/sum:hits{*} by {region}":       "region:eu: 10 10|region:us: 10 10",
		"sum:errors{*} by {region}.as_rate() + 1":                                "region:eu: 3 3|region:us: 4 4",
		"1 - sum:errors{*} by {region}.as_rate()":                                "region:eu: -1 -1|region:us: -2 -2",
		"sum:hits{*} by {region}.as_rate() / sum:hits{*}.as_rate()":              "region:eu: 0.4 0.4|region:us: 0.6 0.6",
		"sum:hits{*} by {region} / sum:hits{*} by {service}":                     "",
		"(1 + 2) * -3":                                                           ": -9 -9",
		"1 - 2 - 3":                                                              ": -4 -4",
		"8 / 2 / 2":                                                              ": 2 2",
		"1 / 0":                                                                  ": - -",
		"2e1 + 0.5":                                                              ": 20.5 20.5",
		"abs(-3) + clamp_max(sum:hits{*}.as_rate(), 40) + clamp_min(1, 2)":       ": 45 45",
		"log10(100) + log2(8) + ceil(0.2) + floor(0.8) + round(0.6)":             ": 7 7",
		"per_second(sum:hits{*}) - per_minute(sum:hits{*}) / 60":                 ": 0 0",
		"per_hour(sum:hits{*})":                                                  ": 180000 180000",
		"hour_before(avg:cpu{*})":                                                ": 0 1",
		"timeshift(avg:cpu{*}, -600)":                                            ": 50 51",
		"timeshift(avg:cpu{*}, -90)":                                             ": 58 59",
		"day_before(sum:hits{*}.as_rate()) + week_before(sum:hits{*}.as_rate())": ": 100 100",
		"diff(avg:cpu{*})":                                                       ": - 1",
		"derivative(avg:cpu{*})":                                                 ": - 0.017",
		"cumsum(sum:hits{*}.as_rate())":                                          ": 50 100",
		"avg:cpu{*}, avg:hits{service:search}.as_rate()":                         ": 0 1|: 10 10",
	} {
		exprs, err := Parse(query)
		var parts []string
		for _, x := range exprs {
			list, e := Eval(x, minutes, fake{}, nil)
			if e != nil {
				t.Fatalf("%s: %v", query, e)
			}
			for _, s := range list {
				parts = append(parts, shortLine(s))
			}
		}
		got := strings.Join(parts, "|")
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s\n got %s (%v)\nwant %s", query, got, err, want)
		}
	}
}

func TestGaps(t *testing.T) {
	t.Parallel()
	w := window("10:18:00", "10:28:00", time.Minute)
	for query, want := range map[string]string{
		"avg:cpu{service:search}":                     ": 18 19 - - - - - 25 26 27",
		"avg:cpu{service:search}.fill(null)":          ": 18 19 - - - - - 25 26 27",
		"avg:cpu{service:search}.fill(zero)":          ": 18 19 0 0 0 0 0 25 26 27",
		"avg:cpu{service:search}.fill(last)":          ": 18 19 19 19 19 19 19 25 26 27",
		"avg:cpu{service:search}.fill(linear, 10)":    ": 18 19 20 21 22 23 24 25 26 27",
		"default_zero(avg:cpu{service:search})":       ": 18 19 0 0 0 0 0 25 26 27",
		"avg:cpu{service:search} * 2":                 ": 36 38 - - - - - 50 52 54",
		"cumsum(avg:cpu{service:search}.rollup(avg))": ": 18 37 - - - - - 62 88 115",
		"sum:hits{service:search}.as_count()":         ": 600 600 - - - - - 600 600 600",
	} {
		exprs, err := Parse(query)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		list, err := Eval(exprs[0], w, fake{}, nil)
		if err != nil || len(list) != 1 || shortLine(list[0]) != want {
			t.Errorf("%s\n got %v (%v)\nwant %s", query, list, err, want)
		}
	}
	// A step that is half in the gap counts what is known of it.
	exprs, _ := Parse("sum:hits{service:search}.as_count()")
	list, _ := Eval(exprs[0], window("10:20:00", "10:30:00", 10*time.Minute), fake{}, nil)
	if got := shortLine(list[0]); got != ": 4000" {
		t.Errorf("a step with two of three values known is %s", got)
	}
}

func TestFormula(t *testing.T) {
	t.Parallel()
	w := window("10:00:00", "10:02:00", time.Minute)
	names := func(name string, w Window) ([]Series, bool) {
		queries := map[string]string{"a": "sum:hits{*} by {region}.as_rate()", "b": "avg:cpu{*}"}
		exprs, err := Parse(queries[name])
		if err != nil {
			return nil, false
		}
		list, err := Eval(exprs[0], w, fake{}, nil)
		return list, err == nil
	}
	for formula, want := range map[string]string{
		"a": "region:eu: 20 20|region:us: 30 30", "a + b": "region:eu: 20 21|region:us: 30 31", "b - hour_before(b)": ": 0 0",
		"timeshift(b, -60)": ": 59 0", "c": "error", "a b": "error", "avg:cpu{*}": "error", "a, b": "error", "": "error",
	} {
		got := "error"
		if x, err := ParseFormula(formula); err == nil {
			if list, err := Eval(x, w, fake{}, names); err == nil {
				var parts []string
				for _, s := range list {
					parts = append(parts, shortLine(s))
				}
				got = strings.Join(parts, "|")
			}
		}
		if got != want {
			t.Errorf("%q is %s, want %s", formula, got, want)
		}
	}
	x, err := ParseFormula("a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Eval(x, w, fake{}, nil); err == nil {
		t.Error("a formula without names works")
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"":                               "unexpected the end",
		"avg:cpu":                        "expected '{' at position 7",
		"avg:cpu{":                       "a brace does not close",
		"avg:cpu{service}":               "expected a tag as 'key:value'",
		"avg:cpu{service:}":              "expected a tag",
		"avg:cpu{service:a":              "a brace does not close",
		"avg:cpu{(service:a}":            "expected ')'",
		"avg:cpu{service:a service:b}":   "expected ',' or '}'",
		"avg:cpu{service IN a}":          "expected '('",
		"avg:cpu{service IN (a b)}":      "expected ',' or ')'",
		"avg:cpu{service IN (,)}":        "expected a value",
		"avg:cpu{*} by service":          "expected '{'",
		"avg:cpu{*} by {}":               "expected a tag",
		"avg:cpu{*} by {a b}":            "expected ',' or '}'",
		"med:cpu{*}":                     "unknown aggregator 'med'",
		"avg:cpu{*}.frobnicate()":        "unknown function or arguments '.frobnicate'",
		"avg:cpu{*}.as_count(1)":         "unknown function or arguments",
		"avg:cpu{*}.rollup(median)":      "unknown rollup 'median'",
		"avg:cpu{*}.rollup(avg, 0)":      "a rollup takes a method and seconds",
		"avg:cpu{*}.rollup(avg, 60, 60)": "a rollup takes a method and seconds",
		"avg:cpu{*}.fill(magic)":         "unknown function or arguments",
		"avg:cpu{*}.":                    "expected a function",
		"avg:cpu{*}.rollup(avg":          "expected ','",
		"frobnicate(avg:cpu{*})":         "unknown function 'frobnicate'",
		"abs(avg:cpu{*}, 1)":             "'abs' takes 0 numbers",
		"timeshift(avg:cpu{*})":          "'timeshift' takes 1 numbers",
		"timeshift(avg:cpu{*}, x)":       "expected a number",
		"1 +":                            "unexpected the end",
		"(1":                             "expected ')'",
		"1 1":                            "expected an operator or the end",
		"avg:cpu{*} ? 1":                 "unexpected character '?'",
		"cpu":                            "expected ':' or '{'",
		"avg:1{*}":                       "expected a metric",
		"'a":                             "a quotation does not end",
		strings.Repeat("(", 80) + "1":    "nested too deeply",
		strings.Repeat("-", 80) + "1":    "nested too deeply",
		strings.Repeat("1+", 80) + "1":   "too many operators",
		"avg:cpu{" + strings.Repeat("!", 80) + "a:b}": "nested too deeply",
		strings.Repeat(" ", maxQuery+1):               "the query is too long",
	} {
		_, err := Parse(query)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "Error parsing query: ") {
			t.Errorf("%.60q is %v, want %s", query, err, want)
		}
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		length, step time.Duration
		points       int
		query        string
		want         time.Duration
	}{
		{time.Hour, 0, 300, "avg:cpu{*}", 20 * time.Second},
		{4 * time.Hour, 0, 300, "avg:cpu{*}", time.Minute},
		{24 * time.Hour, 0, 300, "avg:cpu{*}", 5 * time.Minute},
		{10 * time.Minute, 0, 300, "avg:cpu{*}", 10 * time.Second},
		{time.Hour, time.Second, 1500, "avg:cpu{*}", 10 * time.Second},
		{24 * time.Hour, time.Minute, 1500, "avg:cpu{*}", time.Minute},
		{24 * time.Hour, time.Second, 1500, "avg:cpu{*}", time.Minute},
		{time.Hour, time.Minute, 1500, "abs(avg:cpu{*}.rollup(max, 600)) + avg:cpu{*}", 10 * time.Minute},
		{90 * 24 * time.Hour, 0, 300, "avg:cpu{*}", 8 * time.Hour},
	} {
		exprs, err := Parse(x.query)
		if err != nil {
			t.Fatal(err)
		}
		w := window("00:00:00", "00:00:00", x.step)
		w.To = w.From.Add(x.length)
		if got := w.Fit(x.points, exprs...).Step; got != x.want {
			t.Errorf("%v in steps of %v: %v, want %v", x.length, x.step, got, x.want)
		}
	}
	w := window("10:00:30", "10:03:30", time.Minute)
	if got := w.Times(); len(got) != 3 || got[0].Second() != 0 || got[0].Minute() != 1 {
		t.Errorf("steps begin at %v", got)
	}
}

func TestScalar(t *testing.T) {
	t.Parallel()
	values := []float64{math.NaN(), 1, 2, 6, math.NaN()}
	for how, want := range map[string]float64{"avg": 3, "": 3, "sum": 9, "min": 1, "max": 6, "last": 6} {
		if got := Scalar(values, how); got != want {
			t.Errorf("%s is %g, want %g", how, got, want)
		}
	}
	if got := Scalar(values[:1], "last"); !math.IsNaN(got) {
		t.Errorf("nothing is %g", got)
	}
}

// remembering is a fake that counts how often it is asked, and remembers until half past ten.
type remembering struct {
	fake
	cache *Cache
	asked *int
}

type countedSource struct {
	fakeSource
	asked *int
}

func (r remembering) Settled() time.Time { return window("10:30:00", "10:30:00", 0).From }
func (r remembering) Cache() *Cache      { return r.cache }

func (r remembering) Sources(metric string) []Source {
	var out []Source
	for _, s := range r.fake.Sources(metric) {
		f, _ := s.(fakeSource)
		out = append(out, countedSource{f, r.asked})
	}
	return out
}

func (s countedSource) At(t time.Time) (float64, bool) {
	*s.asked++
	return s.fakeSource.At(t)
}

// TestCache asks for overlapping hours, and is told the same as without a memory.
func TestCache(t *testing.T) {
	t.Parallel()
	asked := 0
	d := remembering{cache: &Cache{}, asked: &asked}
	for _, x := range []struct {
		from, to string
		step     time.Duration
		query    string
		want     int // questions to the sources: three for each point and source
	}{
		{"10:00:00", "10:10:00", time.Minute, "sum:hits{*}", 90},
		{"10:00:00", "10:10:00", time.Minute, "avg:hits{*} by {service}", 0},
		{"10:00:00", "10:10:00", time.Minute, "sum:hits{*}.as_rate()", 90},
		{"10:00:00", "10:10:00", time.Minute, "sum:hits{*}.rollup(avg)", 90},
		{"10:05:00", "10:12:00", time.Minute, "sum:hits{*}", 18},
		{"09:58:00", "10:02:00", time.Minute, "sum:hits{*}", 18},
		{"10:18:00", "10:26:00", time.Minute, "sum:hits{*}", 72},
		{"09:58:00", "10:26:00", time.Minute, "sum:hits{*}", 54},
		{"10:28:00", "10:32:00", time.Minute, "sum:hits{*}", 36},
		{"10:28:00", "10:32:00", time.Minute, "sum:hits{*}", 18}, // what is not settled yet is asked for again
		{"10:00:00", "10:10:00", 2 * time.Minute, "sum:hits{*}", 45},
		{"10:00:00", "10:10:30", time.Minute, "sum:hits{*}", 3}, // half a step
		{"10:00:00", "10:11:00", time.Minute, "sum:hits{*}", 0},
	} {
		exprs, err := Parse(x.query)
		if err != nil {
			t.Fatal(err)
		}
		w := window(x.from, x.to, x.step)
		asked = 0
		got, err := Eval(exprs[0], w, d, nil)
		want, err2 := Eval(exprs[0], w, fake{}, nil)
		if err != nil || err2 != nil || len(got) != len(want) {
			t.Fatal(err, err2, got, want)
		}
		for i := range got {
			if line1, line2 := shortLine(got[i]), shortLine(want[i]); line1 != line2 {
				t.Errorf("%s from %s: remembered %s, true %s", x.query, x.from, line1, line2)
			}
		}
		if asked > x.want {
			t.Errorf("%s from %s to %s asked %d times, want %d", x.query, x.from, x.to, asked, x.want)
		}
	}
}

// TestCacheBounds holds that the memory stays small whatever is asked.
func TestCacheBounds(t *testing.T) {
	t.Parallel()
	c := &Cache{}
	for i := range int64(40) {
		p := c.of(line{source: strconv.Itoa(int(i)), step: time.Minute})
		for _, n := range []int64{0, spanMost - 1, 40 * spanMost, -40 * spanMost, -41*spanMost + 1} {
			c.set(p, n, 1)
			if v, ok := p.at(n); !ok || v != 1 {
				t.Fatalf("point %d is forgotten at once", n)
			}
		}
	}
	if c.kept > keptMost+2*spanMost {
		t.Errorf("%d points are kept", c.kept)
	}
}

func FuzzParse(f *testing.F) {
	for _, q := range []string{
		"100 * sum:errors{service:checkout,!region:us}.as_count() / sum:hits{*} by {service,region}.rollup(sum, 60)",
		"week_before(avg:cpu{a:b OR (c:d AND NOT e:f)}.fill(linear, 5))", "avg:cpu{service IN (a, b)}", "timeshift(a, -3600)", "'", "{", "1e", "-(2)",
	} {
		f.Add(q)
	}
	w := window("10:00:00", "10:10:00", time.Minute)
	f.Fuzz(func(t *testing.T, query string) {
		exprs, err := Parse(query)
		for _, x := range exprs {
			list, err := Eval(x, w.Fit(100, x), fake{}, nil)
			for _, s := range list {
				if err == nil && len(s.Values) != len(w.Fit(100, x).Times()) {
					t.Errorf("%q has %d values", query, len(s.Values))
				}
			}
		}
		if err != nil && !strings.HasPrefix(err.Error(), "Error parsing query") {
			t.Errorf("%q: %v", query, err)
		}
		_, _ = ParseFormula(query) // whatever it is, it must not panic
	})
}
