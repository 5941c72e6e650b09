package levertest

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
)

// TestOldWordsAreNoProof holds that what says the same as an action that was lost, and was there before it, does
// not make the action done.
func TestOldWordsAreNoProof(t *testing.T) {
	t.Parallel()
	e := newEarth(t)
	for _, v := range pagerDutyVerbs() {
		path, body := "notes", `{"note":{"content":"somebody looks at it"}}`
		switch v.name {
		case "pagerduty note":
		case "pagerduty status":
			path, body = "status_updates", `{"message":"somebody looks at it"}`
		default:
			continue
		}
		for _, c := range []struct {
			ill  string
			want action.State
		}{{"request lost", action.Unknown}, {"answer lost", action.Done}} {
			t.Run(v.name+"/"+c.ill, func(t *testing.T) {
				d := v.deed(t, e)
				dir, broken := t.TempDir(), theIll(t, c.ill)
				var target sources.Ref
				synctest.Test(t, func(t *testing.T) { target = d.ask(t, rigOn(t, &v, e, &d, t.TempDir())).Target })
				e.raw(t, http.MethodPost, "/pagerduty/incidents/"+target.ID+"/"+path, body, nil)
				e.Advance(3 * time.Minute)
				synctest.Test(t, func(t *testing.T) {
					e.ResetRequests()
					x := carryOut(t, &v, e, &d, dir, func(at phase, _ int, _ *http.Request) *ill {
						if at == writing {
							return &broken
						}
						return nil
					})
					if x.out.State != c.want || e.applied() > 1 {
						t.Errorf("it is %s: %s", x.out.State, x.out.Text)
					}
				})
			})
		}
	}
}
