package fault

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestFits(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		rule         Rule
		method, path string
		want         bool
	}{
		{Rule{Path: "/meta"}, "GET", "/meta", true},
		{Rule{Path: "/meta", Method: "post"}, "POST", "/meta", true},
		{Rule{Path: "/meta", Method: "POST"}, "GET", "/meta", false},
		{Rule{Path: "/repos/*/web"}, "GET", "/repos/acme/web", true},
		{Rule{Path: "/repos/*/web"}, "GET", "/repos/acme/web/tags", false},
		{Rule{Path: "/repos/*/web/**"}, "GET", "/repos/acme/web/actions/runs", true},
		{Rule{Path: "/repos/*/web/**"}, "GET", "/repos/acme/search/tags", false},
		{Rule{Path: "/repos/*/web/**"}, "GET", "/repos/acme/web", false},
		{Rule{Path: "/meta", Vendor: "github"}, "GET", "/meta", true},
		{Rule{Path: "/meta", Vendor: "datadog"}, "GET", "/meta", false},
		{Rule{Path: "/**"}, "DELETE", "/anything/at/all", true},
		{Rule{Path: "/repos/acme/web/environments/prod%2Feu"}, "GET", "/repos/acme/web/environments/prod%2Feu", true},
	} {
		if got := x.rule.fits("github", x.method, x.path); got != x.want {
			t.Errorf("%+v fits %s %s: %t", x.rule, x.method, x.path, got)
		}
	}
}

// TestOrder holds that the first rule that fits counts, and how often it strikes.
func TestOrder(t *testing.T) {
	t.Parallel()
	var s Set
	for _, r := range []Rule{
		{Path: "/a", Kind: Status, Code: 500, Skip: 1, Times: 2}, {Path: "/*", Kind: Status, Code: 400, Times: 1}, {Path: "/a", Kind: Status, Code: 418},
	} {
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	v := Vendor{Refuse: func(int, string, bool, int) ([]byte, map[string]string) { return []byte("{}"), nil }}
	h := s.Wrap(v, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	ask := func(path string) int {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		return rec.Code
	}
	for i, want := range []int{400, 500, 500, 418, 418} {
		if got := ask("/a"); got != want {
			t.Errorf("request %d: %d, want %d", i, got, want)
		}
	}
	if got := ask("/b"); got != http.StatusNoContent {
		t.Errorf("another path: %d", got)
	}
	s.Clear()
	if got := ask("/a"); got != http.StatusNoContent {
		t.Errorf("without rules: %d", got)
	}
}

// TestMistype holds that no value keeps its type, at any depth.
func TestMistype(t *testing.T) {
	t.Parallel()
	var got map[string]any
	if err := json.Unmarshal(mistype([]byte(`{"n":1,"s":"x","b":true,"z":null,"l":[1],"o":{"n":2}}`)), &got); err != nil {
		t.Fatal(err)
	}
	inner, _ := got["o"].(map[string]any)
	for name, bad := range map[string]bool{
		"n": isA[float64](got["n"]), "s": isA[string](got["s"]), "b": isA[bool](got["b"]), "z": got["z"] == nil, "l": isA[[]any](got["l"]),
		"o.n": isA[float64](inner["n"]),
	} {
		if bad {
			t.Errorf("%s kept its type in %v", name, got)
		}
	}
}

func isA[T any](v any) bool { _, ok := v.(T); return ok }
