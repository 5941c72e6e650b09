package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/config"
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/policy"
	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/state"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
)

// stage is a board on the story's world, in a bubble's time.
type stage struct {
	t       *testing.T
	sim     *simulator.Simulator
	board   *Board
	records string
	stop    context.CancelFunc
	ended   chan error
	over    sync.Once

	mu     sync.Mutex
	sent   []string // the requests that may change something
	lists  [][]pane.Operation
	broken func(*http.Request, func() (*http.Response, error)) (*http.Response, error) // what becomes of a write
	hooks  []string                                                                    // what was told elsewhere: path, space, body
}

// scribe carries requests, and notes those that may change something.
type scribe struct {
	*stage
	to http.RoundTripper
}

// elsewhere is a host outside the world, which is told things.
const elsewhere = "hooks.example.com"

func (n scribe) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == elsewhere {
		body, err := io.ReadAll(r.Body)
		n.mu.Lock()
		defer n.mu.Unlock()
		n.hooks = append(n.hooks, r.URL.Path+" "+string(body))
		return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Body: http.NoBody, Request: r, Header: http.Header{}}, err
	}
	if !mayWrite(r) {
		return n.to.RoundTrip(r)
	}
	n.mu.Lock()
	n.sent = append(n.sent, r.Method+" "+r.URL.Path)
	broken := n.broken
	n.mu.Unlock()
	send := func() (*http.Response, error) { return n.to.RoundTrip(r) }
	if broken != nil {
		return broken(r, send)
	}
	return send()
}

func mayWrite(r *http.Request) bool {
	asks := strings.HasPrefix(r.URL.Path, "/api/v2/query/") || strings.HasSuffix(r.URL.Path, "/search") || strings.HasSuffix(r.URL.Path, "/dora/deployments")
	return r.Method != http.MethodGet && r.Method != http.MethodHead && !asks
}

// story is a world of its own, served outside of any bubble, and the file of its token.
func story(t *testing.T) (sim *simulator.Simulator, token string) {
	t.Helper()
	sim, err := simulator.Start(t.Context(), simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	token = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(sim.Token()), 0o600); err != nil {
		t.Fatal(err)
	}
	return sim, token
}

// setting is what a stage is set up with.
type setting struct {
	records  string // "": a directory of its own
	more     string // at the end of the config
	readOnly string
	still    bool // it is not run
}

// onStage sets a board up in the present bubble and lets it run until it has read everything once.
func onStage(t *testing.T, sim *simulator.Simulator, token string, o setting) *stage {
	t.Helper()
	s := &stage{t: t, sim: sim, records: o.records, ended: make(chan error, 1)}
	if s.records == "" {
		s.records = t.TempDir()
	}
	net := newInTime(sim, 20*time.Millisecond)
	b, err := New(Options{
		Config: s.config(token, o.more), Now: net.now, Lookup: os.LookupEnv, Private: true, Stateless: true, Records: s.records, ReadOnly: o.readOnly,
		Transport: scribe{s, net},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.board = b
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		for {
			select {
			case list := <-b.Operations():
				s.mu.Lock()
				s.lists = append(s.lists, list)
				s.mu.Unlock()
			case <-ctx.Done():
				return
			}
		}
	}()
	go func() {
		err := error(nil)
		if !o.still {
			err = b.Run(ctx)
		}
		<-watching
		s.ended <- err
	}()
	t.Cleanup(s.end)
	if !o.still {
		s.await("the first answers", func() bool { return settled(b.Snapshot()) })
	}
	return s
}

func (s *stage) config(token, more string) *config.Config {
	s.t.Helper()
	// What is acted on is read again at once: the rest need not be asked for often.
	text := string(s.sim.Config("file:"+token)) + "\nrefresh: {live: 2m, waiting: 5m, quiet: 10m}\n" + more
	cfg, err := config.Parse("board.yaml", []byte(text), LoadOptions())
	if err != nil {
		s.t.Fatal(err)
	}
	cfg.Files = nil
	return cfg
}

// end ends the board, and returns when all that it began is over. The test's end does it else.
func (s *stage) end() {
	s.over.Do(func() {
		s.stop()
		if err := <-s.ended; err != nil {
			s.t.Error(err)
		}
		if err := s.board.Close(); err != nil {
			s.t.Error(err)
		}
	})
}

// await waits for a state, in the bubble's time.
func (s *stage) await(what string, is func() bool) {
	s.t.Helper()
	for range 3600 {
		synctest.Wait()
		if is() {
			return
		}
		time.Sleep(time.Second)
	}
	s.t.Fatalf("never: %s", what)
}

// page is the open incident of a service that somebody is paged for.
func (s *stage) page(service string) *sources.Incident {
	s.t.Helper()
	for i := range s.board.Snapshot().Incidents() {
		if i.Service == service && i.Ref.Source == "pagerduty" && i.State != sources.Resolved {
			return i
		}
	}
	s.t.Fatalf("nobody is paged for %s", service)
	return nil
}

// propose makes a plan as the board does.
func (s *stage) propose(q action.Request) action.Plan {
	s.t.Helper()
	if q.Via == "" {
		q.Via = viaBoard
	}
	p, err := s.board.Propose(context.Background(), q)
	if err != nil {
		s.t.Fatalf("propose %s: %v", q.Verb, err)
	}
	return p
}

// agree is the approval that a plan demands.
func agree(p *action.Plan) action.Approval {
	a := action.Approval{Yes: true, Typed: p.Demand.Word}
	if p.Demand.Reason {
		a.Reason, a.BreakGlass = "it burns", true
	}
	return a
}

func (s *stage) writes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// steps are what was shown of a plan's operation, one after the other, each once.
func (s *stage) steps(plan string, isGuard bool) []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, list := range s.lists {
		for i := range list {
			o := &list[i]
			if o.Plan != plan || o.Guard != isGuard {
				continue
			}
			text := fmt.Sprint(o.Step)
			if o.Outcome != nil {
				text = o.Outcome.State.String()
			}
			if len(out) == 0 || out[len(out)-1] != text {
				out = append(out, text)
			}
		}
	}
	return out
}

// shown is what the newest list says of a plan.
func (s *stage) shown(plan string, isGuard bool) *pane.Operation {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lists) == 0 {
		return nil
	}
	list := s.lists[len(s.lists)-1]
	i := slices.IndexFunc(list, func(o pane.Operation) bool { return o.Plan == plan && o.Guard == isGuard })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// stages are those of a plan's records.
func (s *stage) stages(plan string) []journal.Stage {
	s.t.Helper()
	var out []journal.Stage
	for r, err := range s.board.Journal().Records() {
		if err != nil {
			s.t.Fatal(err)
		}
		if r.Plan == plan {
			out = append(out, r.Stage)
		}
	}
	return out
}

func TestAcknowledgeOwnPage(t *testing.T) {
	t.Parallel()
	sim, token := story(t)
	synctest.Test(t, func(t *testing.T) {
		s := onStage(t, sim, token, setting{})
		in := s.page("checkout")
		if specs := s.board.Offers(in.Ref); !slices.ContainsFunc(specs, func(a sources.ActionSpec) bool { return a.Verb == sources.Acknowledge }) {
			t.Errorf("of %s is offered %+v", in.Ref, specs)
		}
		p := s.propose(action.Request{Verb: sources.Acknowledge, Target: in.Ref, Revision: in.Revision})
		if p.Demand.Kind != action.NoDemand || p.Changed {
			t.Fatalf("one's own page demands %+v: %+v", p.Demand, p.Gates)
		}
		read := s.board.Snapshot().Feed(store.FeedKey{Source: "pagerduty", Capability: store.Incidents}).Health.LastGood
		out := s.board.Execute(context.Background(), p, action.Approval{})
		if out.State != action.Done || out.Unrecorded {
			t.Fatalf("the outcome is %+v", out)
		}
		if got, want := s.steps(p.ID, false), []string{"0", "1", "3", "done"}; !slices.Equal(got, want) && !slices.Equal(got, []string{"0", "1", "2", "3", "done"}) {
			t.Errorf("shown were %q, want %q", got, want)
		}
		if got, want := s.stages(p.ID), []journal.Stage{journal.Intended, journal.Answered, journal.Verified}; !slices.Equal(got, want) {
			t.Errorf("recorded were %q, want %q", got, want)
		}
		if got := s.writes(); len(got) != 1 {
			t.Errorf("sent were %q", got)
		}
		s.await("the board shows it", func() bool { return s.page("checkout").State == sources.Acknowledged })
		if again := s.board.Snapshot().Feed(store.FeedKey{Source: "pagerduty", Capability: store.Incidents}).Health.LastGood; again.Sub(read) > 5*time.Second {
			t.Errorf("the page was read again only after %s", again.Sub(read))
		}
		if again := s.board.Execute(context.Background(), p, action.Approval{}); again.State != action.Refused || len(s.writes()) != 1 {
			t.Errorf("the same plan once more is %+v; sent were %q", again, s.writes())
		}
		if o := s.shown(p.ID, false); o == nil || o.Outcome.State != action.Done {
			t.Errorf("what became of it is shown as %+v", o)
		}
		s.board.Dismiss(p.ID)
		if o := s.shown(p.ID, false); o != nil {
			t.Errorf("it is still shown: %+v", o)
		}
	})
}

// What has ended goes by itself, after a while.
func TestOperationsGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOperations(time.Now, nil)
		defer o.close()
		for i := range mostEnded + 2 {
			p := action.Plan{ID: fmt.Sprint(i)}
			o.begin(&p)
			o.end(p.ID, action.Outcome{Plan: p.ID, State: action.Done})
		}
		open := action.Plan{ID: "open"}
		o.begin(&open)
		if list := <-o.out; len(list) != mostEnded+1 || list[0].Plan != "2" || list[mostEnded].Plan != "open" {
			t.Errorf("the list is %+v", list)
		}
		time.Sleep(keepEnded)
		synctest.Wait()
		if list := <-o.out; len(list) != 1 || list[0].Plan != "open" {
			t.Errorf("after %s the list is %+v", keepEnded, list)
		}
	})
}

// Read-only means that no request leaves that might change anything, whoever says so.
func TestReadOnlySendsNothing(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]setting{
		"the command line": {readOnly: "--read-only"},
		"the config":       {more: "read_only: true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, token := story(t)
			synctest.Test(t, func(t *testing.T) {
				s := onStage(t, sim, token, o)
				if s.board.Status().ReadOnly.IsZero() {
					t.Error("the status does not say so")
				}
				for _, verb := range []sources.Verb{sources.Acknowledge, sources.Resolve, sources.Escalate} {
					p := s.propose(action.Request{Verb: verb, Target: s.page("checkout").Ref, Level: 2})
					out := s.board.Execute(context.Background(), p, agree(&p))
					if out.State != action.Refused || p.Demand.Kind != action.Refusal {
						t.Errorf("%s: demands %+v and is %+v", verb, p.Demand, out)
					}
				}
				p := s.propose(action.Request{Verb: sources.Resolve, Target: s.page("checkout").Ref, Via: "board"})
				if _, err := s.board.Renew(context.Background(), p); err != nil {
					t.Error(err)
				}
				refused := 0
				for r, err := range s.board.Journal().Records() {
					if err != nil || r.Plan == p.ID && r.Stage != journal.Refused {
						t.Errorf("%+v, %v", r, err)
					} else if r.Plan == p.ID {
						refused++
					}
				}
				if refused != 1 {
					t.Errorf("what the board refuses is recorded %d times", refused)
				}
				if got := s.writes(); len(got) != 0 {
					t.Errorf("sent were %q", got)
				}
			})
		})
	}
}

// Without a journal nothing is sent but the answer to a page, which says that it is not recorded.
func TestNoRecordNoAction(t *testing.T) {
	t.Parallel()
	for name, ruin := range map[string]func(t *testing.T) string{
		"no directory": func(t *testing.T) string {
			file := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return filepath.Join(file, "records")
		},
		"no file can be written": func(t *testing.T) string {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, journal.FileName), 0o700); err != nil {
				t.Fatal(err)
			}
			return dir
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, token := story(t)
			records := ruin(t)
			synctest.Test(t, func(t *testing.T) {
				s := onStage(t, sim, token, setting{records: records})
				s.await("the status says so", func() bool { return !s.board.Status().Journal.IsZero() })
				p := s.propose(action.Request{Verb: sources.Resolve, Target: s.page("checkout").Ref})
				out := s.board.Execute(context.Background(), p, agree(&p))
				if out.State != action.Refused || len(s.writes()) != 0 {
					t.Errorf("resolving is %+v; sent were %q", out, s.writes())
				}
				in := s.page("checkout")
				p = s.propose(action.Request{Verb: sources.Acknowledge, Target: in.Ref})
				out = s.board.Execute(context.Background(), p, agree(&p))
				if out.State != action.Done || !out.Unrecorded || len(s.writes()) != 1 {
					t.Errorf("acknowledging is %+v; sent were %q", out, s.writes())
				}
				if _, err := s.board.Journal().Append(context.Background(), journal.Record{Stage: journal.Guarded}); err == nil {
					t.Error("the journal takes a record")
				}
			})
		})
	}
}

// What was sent when the program ended is found at the next start, and settled by looking.
func TestCrashIsSettled(t *testing.T) {
	t.Parallel()
	sim, token := story(t)
	synctest.Test(t, func(t *testing.T) {
		s := onStage(t, sim, token, setting{})
		in := s.page("checkout")
		p := s.propose(action.Request{Verb: sources.Acknowledge, Target: in.Ref})
		// The crash comes between the request and its answer: the record of the intent is the last one.
		call := p.Call
		rec := journal.Record{Plan: p.ID, Stage: journal.Intended, Verb: p.Call.Verb, Target: in.Ref, Name: p.Name, Service: p.Service, Call: &call}
		if _, err := s.board.Journal().Append(context.Background(), rec); err != nil {
			t.Fatal(err)
		}
		if _, err := s.board.standing.Load().open[2].set.Actor.Perform(context.Background(), call); err != nil {
			t.Fatal(err)
		}
		s.end()

		again := onStage(t, sim, token, setting{records: s.records})
		again.await("it is settled", func() bool { return slices.Contains(again.stages(p.ID), journal.Verified) })
		if o := again.shown(p.ID, false); o == nil || o.Outcome == nil || o.Outcome.State != action.Done {
			t.Errorf("it is shown as %+v", o)
		}
		if got := again.writes(); len(got) != 0 {
			t.Errorf("settling has sent %q", got)
		}
		if settled, err := again.board.Recover(context.Background()); err != nil || len(settled) != 0 {
			t.Errorf("there is still %+v, %v", settled, err)
		}
	})
}

// An answer that was lost is looked for, and nothing is sent twice.
func TestLostAnswerIsNotRepeated(t *testing.T) {
	t.Parallel()
	sim, token := story(t)
	synctest.Test(t, func(t *testing.T) {
		s := onStage(t, sim, token, setting{})
		s.mu.Lock()
		s.broken = func(_ *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
			if res, err := send(); err == nil {
				_ = res.Body.Close()
			}
			return nil, errors.New("connection reset by peer")
		}
		s.mu.Unlock()
		in := s.page("checkout")
		p := s.propose(action.Request{Verb: sources.Acknowledge, Target: in.Ref})
		out := s.board.Execute(context.Background(), p, agree(&p))
		if out.State != action.Done || len(s.writes()) != 1 {
			t.Errorf("the outcome is %+v; sent were %q", out, s.writes())
		}
		if got, want := s.stages(p.ID), []journal.Stage{journal.Intended, journal.Unknown, journal.Verified}; !slices.Equal(got, want) {
			t.Errorf("recorded were %q, want %q", got, want)
		}
	})
}

// Others are told once the outcome is in the journal; a note and a marker are actions of their own.
func TestOthersAreTold(t *testing.T) {
	t.Parallel()
	sim, token := story(t)
	synctest.Test(t, func(t *testing.T) {
		s := onStage(t, sim, token, setting{more: fmt.Sprintf(`
notify:
  - {webhook: "https://%s/told", secret: "file:%s", on: [ack, resolve]}
  - {webhook: "https://%[1]s/other", secret: "file:%[2]s", on: [rollback]}
  - {note: true, on: [ack]}
  - {event: datadog, on: [ack]}
`, elsewhere, token)})
		in := s.page("checkout")
		p := s.propose(action.Request{Verb: sources.Acknowledge, Target: in.Ref})
		if out := s.board.Execute(context.Background(), p, agree(&p)); out.State != action.Done {
			t.Fatalf("the outcome is %+v", out)
		}
		refused := s.propose(action.Request{Verb: sources.Resolve, Target: in.Ref})
		if out := s.board.Execute(context.Background(), refused, action.Approval{}); out.State != action.Refused {
			t.Fatalf("what nobody agreed to is %+v", out)
		}
		s.end() // it waits for what is being told
		if len(s.hooks) != 1 || !strings.HasPrefix(s.hooks[0], "/told ") || !strings.Contains(s.hooks[0], p.ID) || !strings.Contains(s.hooks[0], `"outcome":"done"`) {
			t.Errorf("told were %q", s.hooks)
		}
		if got := s.writes(); len(got) != 3 {
			t.Errorf("sent were %q: want the answer to the page, the note and the marker", got)
		}
		told := map[sources.Verb][]journal.Stage{}
		for r, err := range s.board.Journal().Records() {
			if err != nil {
				t.Fatal(err)
			}
			if r.Who.Via == viaNotify {
				told[r.Verb] = append(told[r.Verb], r.Stage)
			}
		}
		for _, verb := range []sources.Verb{sources.AddNote, sources.PostEvent} {
			if got := told[verb]; len(got) < 2 || got[0] != journal.Intended {
				t.Errorf("of %s is recorded %q", verb, got)
			}
		}
	})
}

// Polling may have used up its share of what the provider grants: an action goes on.
func TestActionsNeedNoShare(t *testing.T) {
	t.Parallel()
	sim, token := story(t)
	synctest.Test(t, func(t *testing.T) {
		s := onStage(t, sim, token, setting{})
		budget := s.board.budget.For("pagerduty", state.Limit{})
		for _, u := range s.board.budget.Usages("pagerduty", "") {
			for budget.Take(u.Key) == nil {
			}
		}
		p := s.propose(action.Request{Verb: sources.Acknowledge, Target: s.page("checkout").Ref})
		if out := s.board.Execute(context.Background(), p, agree(&p)); out.State != action.Done {
			t.Errorf("the outcome is %+v", out)
		}
	})
}

// The policies of the running config are those that judge.
func TestPoliciesAreReadAgain(t *testing.T) {
	t.Parallel()
	sim, token := story(t)
	synctest.Test(t, func(t *testing.T) {
		s := onStage(t, sim, token, setting{})
		resolve := func() action.Plan {
			return s.propose(action.Request{Verb: sources.Resolve, Target: s.page("checkout").Ref})
		}
		before := resolve()
		if before.Verdict() == policy.Deny {
			t.Fatalf("resolving is refused: %+v", before.Gates)
		}
		const rule = "policies:\n  - {name: hands-off, on: resolve, require: 'service != \"checkout\"', else: deny, because: not this one}\n"
		if err := s.board.apply(s.config(token, rule)); err != nil {
			t.Fatal(err)
		}
		p := resolve()
		if p.Verdict() != policy.Deny || !slices.ContainsFunc(p.Gates, func(g policy.Finding) bool { return g.Gate == "hands-off" }) {
			t.Errorf("the new rule does not count: %+v", p.Gates)
		}
		// A plan that is open goes by the rules of the moment in which it is carried out.
		out := s.board.Execute(context.Background(), before, agree(&before))
		if out.State != action.Refused || len(s.writes()) != 0 {
			t.Errorf("a plan of the older rules is %+v; sent were %q", out, s.writes())
		}
		f, err := s.board.Facts(context.Background(), action.Request{Verb: sources.Resolve, Target: s.page("checkout").Ref})
		if err != nil || f.Service != "checkout" || f.Action != sources.Resolve {
			t.Errorf("the facts are %+v, %v", f, err)
		}
		if err := s.board.apply(s.config(token, "read_only: true")); err != nil {
			t.Fatal(err)
		}
		if got := s.board.Status().ReadOnly.String(); got == "" {
			t.Error("read_only came with the config and is not shown")
		}
	})
}

// Whom something can be handed to is known, those on call first.
func TestPeople(t *testing.T) {
	t.Parallel()
	sim, token := story(t)
	synctest.Test(t, func(t *testing.T) {
		s := onStage(t, sim, token, setting{})
		people := s.board.People(s.page("checkout").Ref)
		var names []string
		for _, p := range people {
			names = append(names, p.Name.String())
			if p.ID == "" {
				t.Errorf("nothing can be handed to %+v", p)
			}
		}
		if len(names) < 2 || len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Errorf("the people are %q", names)
		}
	})
}
