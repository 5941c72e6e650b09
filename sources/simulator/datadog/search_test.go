package datadog

import "testing"

type searched struct {
	tags []string
	name string
}

func (s searched) values(key string) []string { return valuesOf(s.tags, key) }
func (s searched) text() string               { return s.name }

func TestSearch(t *testing.T) {
	t.Parallel()
	x := searched{[]string{"service:checkout", "env:prod", "status:No Data", "url:a/b[1]"}, "5xx above 2 %"}
	for query, want := range map[string]bool{
		"": true, "*": true, "service:checkout": true, "service:check*": true, "service:*": true, "service:search": false, "host:*": false,
		"service:checkout env:prod": true, "service:checkout AND env:dev": false, "service:search OR env:prod": true,
		"-env:prod": false, "NOT env:dev": true, "service:(search OR checkout)": true, "service:(search OR web)": false,
		"(service:search OR service:checkout) env:prod": true, `status:"no data"`: true, "ABOVE": true, `"above 2"`: true, "below": false,
		"tag:service:checkout": true, `tag:"env:prod"`: true, "tags:env:dev": false, "@env:prod": true, "url:a*": true, "-(-env:prod)": true,
		"env:(prod AND NOT dev)": true,
	} {
		s, err := parseSearch(query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if got := s(x); got != want {
			t.Errorf("%s is %t", query, got)
		}
	}
	for _, query := range []string{"(", ")", "OR", "a OR", "NOT", "AND", "env:(", "-", "a )", "((((((((((((((((((((((((((((((((((((((a"} {
		if _, err := parseSearch(query); err == nil {
			t.Errorf("%q is well-formed", query)
		}
	}
}

func FuzzSearch(f *testing.F) {
	for _, q := range []string{`state:(active OR stable) -"x y" NOT (a AND b:c*)`, "-(-(", `"`, "a:b:c", "---"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		s, err := parseSearch(query)
		if (s == nil) == (err == nil) {
			t.Errorf("%q: %v", query, err)
		}
		if err == nil {
			s(searched{[]string{"a:b", query}, query})
			n, err := parseSearch("NOT (" + query + ")")
			if err == nil && n(searched{name: "x"}) == s(searched{name: "x"}) {
				t.Errorf("%q and its contrary agree", query)
			}
		}
	})
}
