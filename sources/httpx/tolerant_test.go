package httpx

import "testing"

func TestTolerantReadsTheRest(t *testing.T) {
	t.Parallel()
	type part struct {
		Name string `json:"name"`
	}
	type reply struct {
		Items []struct {
			ID    string `json:"id"`
			Count int    `json:"count"`
			Part  *part  `json:"part"`
			Last  string `json:"last"`
		} `json:"items"`
		More bool `json:"more"`
	}
	var r reply
	err := Tolerant([]byte(`{"items":[{"id":"a","count":"many","part":7,"last":"z"},5,{"id":"b","part":{"name":[]},"last":"y"}],"more":true}`), &r)
	if err != nil || len(r.Items) != 3 || !r.More {
		t.Fatalf("%v, %+v", err, r)
	}
	if a, b := r.Items[0], r.Items[2]; a.ID != "a" || a.Count != 0 || a.Last != "z" || b.ID != "b" || b.Last != "y" {
		t.Errorf("%+v", r)
	}
	for _, bad := range []string{"", "{", `{"items":[{"id":"a"}`, "<html>"} {
		if Tolerant([]byte(bad), &reply{}) == nil {
			t.Errorf("%q is read", bad)
		}
	}
}
