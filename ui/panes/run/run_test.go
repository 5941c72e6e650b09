package run

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
	"example.com/signalbox/ui/uitest"
)

var golden uitest.Goldens

func TestMain(m *testing.M) { os.Exit(golden.Main(m)) }

func isJobs(a pane.Ask) bool { return !a.Jobs.IsZero() }
func isLog(a pane.Ask) bool  { return !a.Log.IsZero() }

func mustAsk(t *testing.T, d *uitest.Driver, want func(pane.Ask) bool) pane.Load {
	t.Helper()
	l, ok := uitest.Asked(d, want)
	if !ok {
		t.Fatalf("it asked nothing of the kind: %+v", d.Intents)
	}
	return l
}

// opened is the story's failed run with its jobs and its log.
func opened(t *testing.T, s uitest.Size) *uitest.Driver {
	t.Helper()
	w, h := s.Whole()
	d := uitest.Drive(New(uitest.LedgerRun()), uitest.Env(uitest.Story()), w, h)
	jobs := mustAsk(t, d, isJobs)
	d.Answer(jobs, uitest.AnswerOf(jobs.Ask), nil)
	log := mustAsk(t, d, isLog)
	d.Answer(log, uitest.AnswerOf(log.Ask), nil)
	return d
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	fresh := func(t *testing.T, s uitest.Size, ref sources.Ref) *uitest.Driver {
		t.Helper()
		w, h := s.Whole()
		return uitest.Drive(New(ref), uitest.Env(uitest.Story()), w, h)
	}
	for _, s := range uitest.Sizes() {
		for name, make := range map[string]func(*testing.T) *uitest.Driver{
			"failed":  func(t *testing.T) *uitest.Driver { return opened(t, s) },
			"asking":  func(t *testing.T) *uitest.Driver { return fresh(t, s, uitest.LedgerRun()) },
			"waiting": func(t *testing.T) *uitest.Driver { return waiting(t, fresh(t, s, uitest.SearchRun())) },
			"running": func(t *testing.T) *uitest.Driver { return running(t, fresh(t, s, uitest.WebRun())) },
			"retried": func(t *testing.T) *uitest.Driver {
				return retried(t, fresh(t, s, uitest.Ref(sources.KindRun, "acme/accounts", "6070")))
			},
			"refused": func(t *testing.T) *uitest.Driver {
				d := fresh(t, s, uitest.LedgerRun())
				d.Answer(mustAsk(t, d, isJobs), pane.Answer{}, &sources.Error{Kind: sources.Permission, Msg: "the token may not read acme/money",
					Fix: "grant it actions: read"})
				return d
			},
			"no-jobs": func(t *testing.T) *uitest.Driver {
				d := fresh(t, s, uitest.LedgerRun())
				d.Answer(mustAsk(t, d, isJobs), pane.Answer{}, nil)
				return d
			},
			"plain": func(t *testing.T) *uitest.Driver {
				d := opened(t, s)
				d.Env = uitest.Plain(d.Env)
				return d
			},
		} {
			t.Run(name+"-"+s.String(), func(t *testing.T) {
				t.Parallel()
				d := make(t)
				golden.Check(t, name+"-"+s.String(), d.Framed(0), d.Env.Theme)
			})
		}
	}
}

func waiting(t *testing.T, d *uitest.Driver) *uitest.Driver {
	jobs := uitest.LedgerJobs()[:2]
	deploy := jobs[1]
	deploy.Ref.ID, deploy.Name, deploy.State, deploy.Steps = "9200", clean.Line("deploy to production"), sources.StateWaiting, nil
	deploy.Started, deploy.Ended = time.Time{}, time.Time{}
	d.Answer(mustAsk(t, d, isJobs), pane.Answer{Jobs: append(jobs, deploy)}, nil)
	return d
}

func running(t *testing.T, d *uitest.Driver) *uitest.Driver {
	jobs := uitest.LedgerJobs()[:1]
	jobs = append(jobs, uitest.RunningJob("9300", "build"), uitest.QueuedJob("9301", "deploy to staging", "self-hosted", "gpu"))
	d.Answer(mustAsk(t, d, isJobs), pane.Answer{Jobs: jobs}, nil)
	return d
}

// retried is a run that passed on its second attempt; the detail asks for both.
func retried(t *testing.T, d *uitest.Driver) *uitest.Driver {
	first, second := uitest.LedgerJobs()[5], uitest.LedgerJobs()[2]
	first.State, second.Ref.ID, second.Attempt = sources.StateFailed, "9400", 2
	load := mustAsk(t, d, isJobs)
	if !load.Ask.EveryTry {
		t.Error("it did not ask for every attempt")
	}
	d.Answer(load, pane.Answer{Jobs: []sources.Job{second, first}}, nil)
	return d
}

func TestAnswersToOldQuestionsAreDropped(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(uitest.LedgerRun()), uitest.Env(uitest.Story()), 100, 30)
	old := mustAsk(t, d, isJobs)
	d.Press(keymap.Refresh)
	d.Answer(old, uitest.AnswerOf(old.Ask), nil)
	if d.Says("lint") {
		t.Error("an answer to an old question is shown")
	}
	now := mustAsk(t, d, isJobs)
	d.Answer(now, uitest.AnswerOf(now.Ask), nil)
	if !d.Says("lint") {
		t.Error("the answer to the newest question is not shown")
	}
}

func TestALiveRunIsAskedForAgainWhenItChanged(t *testing.T) {
	t.Parallel()
	d := uitest.Drive(New(uitest.WebRun()), uitest.Env(uitest.Story()), 100, 30)
	running(t, d)
	asked := len(d.Intents)
	d.Show(uitest.Story())
	if len(d.Intents) != asked {
		t.Error("it asked again although nothing had changed")
	}
	next := uitest.Story()
	for i := range next.Feeds {
		for j := range next.Feeds[i].Runs {
			if r := &next.Feeds[i].Runs[j]; r.Ref == uitest.WebRun() {
				r.Revision = "newer"
			}
		}
	}
	d.Show(next)
	if l := mustAsk(t, d, isJobs); len(d.Intents) == asked || l.Gen < 2 {
		t.Errorf("it did not ask again: %+v", l)
	}
	if !d.Says("build") {
		t.Error("the jobs are gone while newer ones are asked for")
	}
}

func TestAFailedRefreshKeepsTheJobs(t *testing.T) {
	t.Parallel()
	d := opened(t, uitest.Size{W: 120, H: 40})
	d.Press(keymap.Refresh)
	d.Answer(mustAsk(t, d, isJobs), pane.Answer{}, errors.New("connection reset"))
	if !d.Says("integration") || !d.Says("not read again: connection reset") {
		t.Errorf("got\n%s", d.Text())
	}
}

func TestTheFailureIsOpenAndSelected(t *testing.T) {
	t.Parallel()
	d := opened(t, uitest.Size{W: 120, H: 40})
	if !d.Says("catchup_test.go:88") || !d.Says("9 more passed") {
		t.Errorf("got\n%s", d.Text())
	}
	sel, _ := d.Pane.Selected(d.Env)
	if sel.Ref != uitest.LedgerJob() {
		t.Errorf("selected %v, want the failed job", sel.Ref)
	}
	d.Press(keymap.Logs)
	if o, ok := uitest.Last[pane.Open](d); !ok || o.Ref != uitest.LedgerJob() {
		t.Errorf("the log of %v opens", o.Ref)
	}
	d.Press(keymap.OpenDetail)
	if o, _ := uitest.Last[pane.Open](d); o.Ref != uitest.LedgerJob() {
		t.Errorf("Enter on the failed step opens %v", o.Ref)
	}
}

func TestTheMatrixUnfolds(t *testing.T) {
	t.Parallel()
	d := opened(t, uitest.Size{W: 120, H: 60})
	d.Press(keymap.Bottom, keymap.Up)
	if !strings.Contains(d.Text(), "more passed") {
		t.Fatalf("got\n%s", d.Text())
	}
	d.Press(keymap.OpenDetail)
	for _, leg := range []string{"replica 1 ", "replica 12"} {
		if !d.Says(leg) {
			t.Errorf("%s does not show:\n%s", leg, d.Text())
		}
	}
	d.Press(keymap.OpenDetail)
	if d.Says("replica 12") {
		t.Error("it does not fold again")
	}
}

func TestARunThatIsGoneSaysSo(t *testing.T) {
	t.Parallel()
	d := opened(t, uitest.Size{W: 120, H: 40})
	gone := uitest.Story()
	gone.Feeds = []store.Feed{}
	d.Show(gone)
	if !d.Says("no longer listed by github") || !d.Says("Widen batch window") {
		t.Errorf("got\n%s", d.Text())
	}
}

func TestTinyRegions(t *testing.T) {
	t.Parallel()
	d := opened(t, uitest.Size{W: 120, H: 40})
	for w := range 30 {
		for h := range 12 {
			d.Resize(w, h)
			d.Grid()
		}
	}
}
