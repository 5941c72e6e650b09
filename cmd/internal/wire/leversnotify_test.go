package wire

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
)

// Who cannot be told, or not in time, is known once the board is closed, and the outcome is what it was.
func TestWhoIsNotToldIsSaid(t *testing.T) {
	t.Parallel()
	const late = "late.example.com"
	sim, token := story(t)
	synctest.Test(t, func(t *testing.T) {
		s := onStage(t, sim, token, setting{more: fmt.Sprintf(`
notify:
  - {webhook: "https://%s/told", secret: "file:%s", on: [ack]}
  - {webhook: "https://%[1]s/unsigned", secret: "env:SIGNALBOX_TEST_IS_NEVER_SET", on: [ack]}
  - {webhook: "https://%[3]s/late", secret: "file:%[2]s", on: [ack]}
`, elsewhere, token, late)})
		s.mu.Lock()
		s.broken = func(r *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			if r.URL.Host == late {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return send()
		}
		s.mu.Unlock()
		p := s.propose(action.Request{Verb: sources.Acknowledge, Target: s.page("checkout").Ref})
		if out := s.board.Execute(context.Background(), p, agree(&p)); out.State != action.Done {
			t.Errorf("the outcome is %+v", out)
		}
		s.end()
		got := s.board.Untold(p.ID)
		if len(got) != 2 || len(s.hooks) != 1 {
			t.Fatalf("not told were %q; told %q", got, s.hooks)
		}
		for i, want := range []string{"could not tell the webhook https://" + elsewhere, "could not tell the webhook https://" + late} {
			if !strings.HasPrefix(got[i].String(), want) {
				t.Errorf("got %q, want %q…", got[i], want)
			}
		}
		if other := s.board.Untold("another plan"); len(other) > 0 {
			t.Errorf("of another plan: %q", other)
		}
	})
}
