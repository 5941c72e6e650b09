package state

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

// hand is a clock that tests move by hand.
type hand struct {
	mu sync.Mutex
	t  time.Time
}

func (h *hand) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.t
}

func (h *hand) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.t = h.t.Add(d)
}

// thousand is the default without its reserve.
func thousand(string) Limit {
	l := DefaultLimit()
	l.Burst = 0
	return l
}

// another returns a second board of the same directory: what a second process would have.
func another(d *Dir, clock *hand, since time.Duration) *Budget {
	b := NewBudget(d, BudgetOptions{Now: clock.now, Limit: thousand, Log: d.log})
	b.self.Since = b.self.Since.Add(since)
	return b
}

func takeAll(t *testing.T, b *Budget, limit int) (taken int, err error) {
	t.Helper()
	for taken < limit {
		if err = b.Take("token"); err != nil {
			return taken, err
		}
		taken++
	}
	return taken, nil
}

func TestTheShareIsNeverExceeded(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{true, false} {
		t.Run(fmt.Sprintf("shared=%t", shared), func(t *testing.T) {
			t.Parallel()
			var d *Dir
			if shared {
				d, _ = openDir(t)
			}
			clock := &hand{t: now}
			b := NewBudget(d, BudgetOptions{Now: clock.now, Limit: thousand})
			n, err := takeAll(t, b, 2000)
			if n != 1000 || sources.KindOf(err) != sources.Throttled {
				t.Fatalf("%d requests were allowed, then %v", n, err)
			}
			retry := retryAt(t, err)
			if wait := retry.Sub(now); wait < 59*time.Minute || wait > 62*time.Minute {
				t.Errorf("told to come back in %s", wait)
			}
			clock.move(retry.Sub(now))
			if n, _ := takeAll(t, b, 2000); n != 1000 {
				t.Errorf("%d requests were allowed after the wait", n)
			}
			if u := b.Usage("", "token"); u.Used != 1000 || u.Spent != 2000 || u.Limit != 1000 || u.Boards != 1 || u.Window != time.Hour {
				t.Errorf("usage %+v", u)
			}
		})
	}
}

func TestABurstBeyondThePlanIsServed(t *testing.T) {
	t.Parallel()
	clock := &hand{t: now}
	d, _ := openDir(t)
	b := NewBudget(d, BudgetOptions{Now: clock.now, Log: d.log})
	n, err := takeAll(t, b, 4000)
	if n != 2500 || sources.KindOf(err) != sources.Throttled {
		t.Errorf("%d requests were allowed, want half of 5,000, then %v", n, err)
	}
	if u := b.Usage("", "token"); u.Limit != 1000 || u.Used != 2500 {
		t.Errorf("usage %+v: the plan is a fifth", u)
	}
}

// What a person waits for goes beyond what polling may spend, and never beyond what the provider grants; all
// boards know of it.
func TestUrgentRequestsAreServedWhenTheShareIsUsedUp(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{true, false} {
		t.Run(fmt.Sprintf("shared=%t", shared), func(t *testing.T) {
			t.Parallel()
			var d *Dir
			if shared {
				d, _ = openDir(t)
			}
			clock := &hand{t: now}
			b := NewBudget(d, BudgetOptions{Now: clock.now, Limit: thousand})
			if n, err := takeAll(t, b, 2000); n != 1000 || err == nil {
				t.Fatalf("%d requests were allowed, then %v", n, err)
			}
			var err error
			urgent := 0
			for ; urgent < 6000 && err == nil; urgent++ {
				err = b.TakeUrgent("token")
			}
			if urgent-1 != 4000 || sources.KindOf(err) != sources.Throttled || !retryAt(t, err).After(now.Add(59*time.Minute)) {
				t.Errorf("%d urgent requests were allowed beside 1,000 others, then %v", urgent-1, err)
			}
			b.Refund("token")
			if err := b.TakeUrgent("token"); err != nil {
				t.Errorf("what was given back is not to be had: %v", err)
			}
			if err := b.Take("token"); err == nil {
				t.Error("polling goes on")
			}
			if shared {
				b.Close()
				other := NewBudget(d, BudgetOptions{Now: clock.now, Limit: thousand})
				if err := other.TakeUrgent("token"); err == nil || other.Usage("", "token").Used != 5000 {
					t.Errorf("another board knows of %d requests, and gets %v", other.Usage("", "token").Used, err)
				}
			}
			clock.move(62 * time.Minute)
			if n, _ := takeAll(t, b, 2000); n != 1000 {
				t.Errorf("an hour later polling gets %d requests", n)
			}
		})
	}
}

// No urgency goes beyond the moment that the provider has named.
func TestUrgentRequestsWaitForTheProvider(t *testing.T) {
	t.Parallel()
	clock := &hand{t: now}
	b := NewBudget(nil, BudgetOptions{Now: clock.now, Limit: thousand})
	b.Report("token", sources.Rate{Limit: 5000, Reset: now.Add(time.Minute)})
	if err := b.TakeUrgent("token"); err == nil || !retryAt(t, err).Equal(now.Add(time.Minute)) {
		t.Errorf("allowed: %v", err)
	}
}

func retryAt(t *testing.T, err error) time.Time {
	t.Helper()
	e, ok := err.(*sources.Error) //nolint:errorlint // the contract is the type itself
	if !ok {
		t.Fatalf("%T is no *sources.Error", err)
	}
	return e.RetryAt
}

func TestAnyHourHoldsNoMore(t *testing.T) {
	t.Parallel()
	clock := &hand{t: now}
	b := NewBudget(nil, BudgetOptions{Now: clock.now, Limit: thousand})
	var at []time.Time
	for range 6 * 3600 {
		if b.Take("token") == nil {
			at = append(at, clock.now())
		}
		clock.move(time.Second)
	}
	for i := 1000; i < len(at); i++ {
		if gap := at[i].Sub(at[i-1000]); gap < 59*time.Minute {
			t.Fatalf("1,001 requests within %s", gap)
		}
	}
	if len(at) < 5000 {
		t.Errorf("only %d requests in six hours", len(at))
	}
}

func TestRefundsAreFree(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	clock := &hand{t: now}
	a, b := another(d, clock, 0), another(d, clock, 1)
	for range 5000 {
		if err := a.Take("token"); err != nil {
			t.Fatal(err)
		}
		a.Refund("token")
		clock.move(time.Second)
	}
	a.Refund("token")
	if u := a.Usage("", "token"); u.Used != 0 || u.Spent != 0 {
		t.Errorf("usage %+v after nothing but refunds", u)
	}
	if err := b.Take("token"); err != nil {
		t.Fatal(err)
	}
	if u := b.Usage("", "token"); u.Used > 1 {
		t.Errorf("another board sees %d requests", u.Used)
	}
}

func TestBoardsShareOneBudget(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	clock := &hand{t: now}
	boards := []*Budget{another(d, clock, 0), another(d, clock, 1), another(d, clock, 2)}
	got := make([]int, 3)
	for round, refused := 0, 0; refused < 3 && round < 5000; round++ {
		refused = 0
		for i, b := range boards {
			if b.Take("token") == nil {
				got[i]++
			} else {
				refused++
			}
		}
	}
	if total := got[0] + got[1] + got[2]; total > 1000 || total < 970 {
		t.Errorf("%v requests were allowed in all", got)
	}
	for _, n := range got {
		if n < 250 {
			t.Errorf("%v: one board got too little", got)
		}
	}
	clock.move(lookEvery)
	if err := boards[0].Take("other"); err != nil {
		t.Errorf("another credential: %v", err)
	}
	if u := boards[0].Usage("", "token"); u.Boards != 3 {
		t.Errorf("%d boards", u.Boards)
	}
	boards[1].Close()
	boards[2].Close()
	clock.move(lookEvery)
	_ = boards[0].Take("token") // the look at the file matters, not the answer
	if u := boards[0].Usage("", "token"); u.Boards != 1 {
		t.Errorf("%d boards after two have closed", u.Boards)
	}
}

func TestACrashedBoardIsForgottenAndItsLeaseSpent(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	clock := &hand{t: now}
	crashed := another(d, clock, 0)
	if err := crashed.Take("token"); err != nil {
		t.Fatal(err)
	}
	var file budgetFile
	name := newAccount("token", DefaultLimit()).file + ".json"
	rewrite(t, d, name, func(f *budgetFile) { f.Boards[0].PID = 1 << 30 })
	b := another(d, clock, 1)
	if err := b.Take("token"); err != nil {
		t.Fatal(err)
	}
	u := b.Usage("", "token")
	if u.Boards != 1 || u.Used != 1+10 {
		t.Errorf("usage %+v: want one board, and the other's lease of ten spent", u)
	}
	// A board of another machine, whose processes cannot be seen, leaves when it is not heard of.
	rewrite(t, d, name, func(f *budgetFile) {
		f.Boards = append(f.Boards, boardEntry{PID: 1, Host: "bastion", Seen: clock.now(), Lease: 5})
		file = *f
	})
	if len(file.Boards) != 2 {
		t.Fatalf("%d boards in the file", len(file.Boards))
	}
	for range 3 {
		clock.move(5 * time.Minute)
		if err := b.Take("token"); err != nil {
			t.Fatal(err)
		}
	}
	if u := b.Usage("", "token"); u.Boards != 2 {
		t.Errorf("%d boards after 15 min", u.Boards)
	}
	clock.move(time.Minute)
	if err := b.Take("token"); err != nil {
		t.Fatal(err)
	}
	if u := b.Usage("", "token"); u.Boards != 1 {
		t.Errorf("%d boards after 16 min", u.Boards)
	}
}

func rewrite(t *testing.T, d *Dir, name string, change func(*budgetFile)) {
	t.Helper()
	data, err := os.ReadFile(d.file(name))
	if err != nil {
		t.Fatal(err)
	}
	var f budgetFile
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	change(&f)
	if data, err = json.Marshal(f); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.file(name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReports(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	clock := &hand{t: now}
	a, b := another(d, clock, 0), another(d, clock, 1)
	rate := sources.Rate{Limit: 15000, Remaining: 14000, Reset: now.Add(30 * time.Minute)}
	if err := a.Take("token"); err != nil {
		t.Fatal(err)
	}
	a.Report("token", rate)
	if u := a.Usage("", "token"); u.Limit != 3000 || u.Rate != rate {
		t.Errorf("usage %+v", u)
	}
	stop := now.Add(10 * time.Minute)
	a.Report("token", sources.Rate{Reset: stop})
	a.Report("token", rate) // was on its way
	for name, board := range map[string]*Budget{"the board itself": a, "another board": b} {
		err := board.Take("token")
		if sources.KindOf(err) != sources.Throttled || err == nil || !retryAt(t, err).Equal(stop) {
			t.Errorf("%s, after the provider said stop: %v", name, err)
		}
		if u := board.Usage("", "token"); !u.RetryAt.Equal(stop) {
			t.Errorf("%s: usage %+v", name, u)
		}
	}
	clock.move(10*time.Minute + time.Second)
	if err := b.Take("token"); err != nil {
		t.Errorf("after the stop: %v", err)
	}
	if u := b.Usage("", "token"); u.Rate.Limit != 15000 || !u.RetryAt.IsZero() {
		t.Errorf("usage %+v", u)
	}
}

func TestAClockThatJumps(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	clock := &hand{t: now}
	b := another(d, clock, 0)
	if n, _ := takeAll(t, b, 600); n != 600 {
		t.Fatalf("%d requests", n)
	}
	clock.move(-3 * time.Hour)
	if n, _ := takeAll(t, b, 600); n != 400 {
		t.Errorf("with the clock put back %d more requests were allowed, want 400", n)
	}
	clock.move(61 * time.Minute)
	if n, err := takeAll(t, b, 600); n != 600 {
		t.Errorf("an hour later %d requests were allowed: %v", n, err)
	}
	clock.move(100 * 24 * time.Hour)
	if n, _ := takeAll(t, b, 600); n != 600 {
		t.Errorf("with the clock put forward %d requests were allowed", n)
	}
	// A file from the future may not stop anybody for long.
	rewrite(t, d, newAccount("token", DefaultLimit()).file+".json", func(f *budgetFile) { f.Hold = clock.now().Add(1000 * time.Hour) })
	c := another(d, clock, 2)
	if err := c.Take("token"); err != nil {
		t.Errorf("stopped by a file until %s", retryAt(t, err))
	}
}

func TestDamagedBudgetFilesStartAnew(t *testing.T) {
	t.Parallel()
	name := newAccount("token", DefaultLimit()).file + ".json"
	for what, data := range map[string]string{
		"empty": "", "truncated": `{"format":"signalbox budget","ver`, "foreign": `{"format":"other","version":1}`,
		"newer": `{"format":"signalbox budget","version":2}`, "large": strings.Repeat(" ", budgetMax+1),
		"negative": `{"format":"signalbox budget","version":1,"slot":60000000000,"spent":{"29390054":-5000},"boards":[{"lease":-5,"pid":-1}]}`,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			d, _ := openDir(t)
			if err := os.WriteFile(d.file(name), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			clock := &hand{t: now}
			b := another(d, clock, 0)
			if n, err := takeAll(t, b, 1500); n > 1000 || n < 990 {
				t.Errorf("%d requests were allowed: %v", n, err)
			}
			if why := b.Alone(); why != "" {
				t.Errorf("not shared: %s", why)
			}
		})
	}
}

func TestWithoutAUsableDirectory(t *testing.T) {
	t.Parallel()
	d, log := openDir(t)
	clock := &hand{t: now}
	b := another(d, clock, 0)
	if err := os.RemoveAll(d.path); err != nil {
		t.Fatal(err)
	}
	if n, _ := takeAll(t, b, 300); n != 300 || b.Alone() == "" {
		t.Errorf("%d requests were allowed, alone because of %q", n, b.Alone())
	}
	clock.move(10 * time.Second)
	if n, _ := takeAll(t, b, 1500); n != 700 {
		t.Errorf("%d more requests were allowed, want 700", n)
	}
	if n := strings.Count(log.String(), "not shared"); n != 1 {
		t.Errorf("said %d times: %s", n, log)
	}
	if err := os.Mkdir(d.path, 0o700); err != nil {
		t.Fatal(err)
	}
	clock.move(2 * time.Hour)
	if err := b.Take("token"); err != nil || b.Alone() != "" {
		t.Errorf("after it came back: %v, alone because of %q", err, b.Alone())
	}
	none := NewBudget(nil, BudgetOptions{Log: slog.New(slog.NewTextHandler(log, nil))})
	if none.Alone() == "" || none.Take("token") != nil {
		t.Error("without any directory")
	}
	none.Close()
}

func TestALockedFileStopsNobody(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	clock := &hand{t: now}
	b := another(d, clock, 0)
	lock, err := flock(d.file(newAccount("token", DefaultLimit()).file + ".lock"))
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := takeAll(t, b, 30); n != 10 {
		t.Errorf("%d requests while another process is at the file, want a lease of 10", n)
	}
	if err := b.Take("token"); err == nil || retryAt(t, err).Sub(now) > lookEvery {
		t.Errorf("then told %v", err)
	}
	clock.move(1100 * time.Millisecond)
	if n, err := takeAll(t, b, 20); n != 20 {
		t.Errorf("%d requests while another process sits on the file: %v", n, err)
	}
	if err := unflock(lock); err != nil {
		t.Fatal(err)
	}
	clock.move(lookEvery)
	if err := b.Take("token"); err != nil {
		t.Fatal(err)
	}
	if u := another(d, clock, 1); u.Take("token") != nil || u.Usage("", "token").Used < 31 {
		t.Errorf("usage %+v: the requests from before were lost", u.Usage("", "token"))
	}
}

func TestADiskThatHangsHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	clock := &hand{t: now}
	b := another(d, clock, 0)
	a := b.account("token")
	a.syncing = make(chan struct{}) // one request waits for the disk, for ever
	if n, _ := takeAll(t, b, 100); n != 10 {
		t.Errorf("%d requests at once, want a lease of 10", n)
	}
	clock.move(2 * time.Second)
	if n, err := takeAll(t, b, 1500); n != 990 {
		t.Errorf("%d requests after that, want the rest of the 1,000: %v", n, err)
	}
	b.Report("token", sources.Rate{Limit: 5000, Remaining: 0, Reset: clock.now().Add(time.Minute)})
	if u := b.Usage("", "token"); u.Used != 1000 || u.RetryAt.IsZero() {
		t.Errorf("usage %+v", u)
	}
	b.Close()
}

func TestSeveralRequestsAtOnce(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	clock := &hand{t: now}
	b := another(d, clock, 0)
	source := b.For("github", Limit{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for range 8 {
		wg.Go(func() {
			for range 3000 {
				if source.Take("token") == nil {
					mu.Lock()
					taken++
					mu.Unlock()
				}
				source.Report("token", sources.Rate{Limit: 5000, Remaining: 4000, Reset: clock.now().Add(time.Hour)})
				_ = b.Usage("github", "")
				clock.move(100 * time.Microsecond)
			}
		})
	}
	wg.Wait()
	b.Close()
	u := b.Usage("github", "")
	if taken != 1000 || u.Used != taken || u.Spent != int64(taken) {
		t.Errorf("%d requests were allowed; usage %+v", taken, u)
	}
	if other := another(d, clock, 1); other.Take("token") == nil && other.Usage("", "token").Used < taken {
		t.Errorf("another board sees %+v", other.Usage("", "token"))
	}
}

func TestUsageOfASourceIsItsTightest(t *testing.T) {
	t.Parallel()
	clock := &hand{t: now}
	b := NewBudget(nil, BudgetOptions{Now: clock.now, Limit: thousand})
	github := b.For("github", Limit{})
	for range 10 {
		if err := github.Take("a"); err != nil {
			t.Fatal(err)
		}
	}
	for range 50 {
		if err := github.Take("b"); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.For("other", Limit{}).Take("c"); err != nil {
		t.Fatal(err)
	}
	if u := b.Usage("github", ""); u.Used != 50 || u.Spent != 60 {
		t.Errorf("usage %+v", u)
	}
	if u := b.Usage("github", "a"); u.Used != 10 {
		t.Errorf("usage %+v", u)
	}
	if u := b.Usage("unknown", ""); u != (Usage{}) {
		t.Errorf("usage %+v", u)
	}
}

func FuzzBudgetFile(f *testing.F) {
	d, _ := openDir(f)
	d.log = slog.New(slog.DiscardHandler)
	name := newAccount("token", DefaultLimit()).file + ".json"
	clock := &hand{t: now}
	if err := another(d, clock, 0).Take("token"); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(d.file(name))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.Replace(good, []byte(`"lease":10`), []byte(`"lease":-9223372036854775808`), 1))
	f.Add(bytes.Replace(good, []byte(`"spent":{`), []byte(`"hold":"9999-12-31T23:59:59Z","spent":{"9223372036854775807":9223372036854775807,`), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(d.file(name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		clock.move(time.Hour + time.Minute)
		b := another(d, clock, 1)
		if err := b.Take("token"); err != nil {
			if wait := retryAt(t, err).Sub(clock.now()); wait <= 0 || wait > maxHold {
				t.Fatalf("told to come back in %s", wait)
			}
		}
		if u := b.Usage("", "token"); u.Used < 0 || u.Boards < 1 {
			t.Fatalf("usage %+v", u)
		}
		if why := b.Alone(); why != "" {
			t.Fatalf("not shared: %s", why)
		}
		b.Close()
	})
}

const helper = "SIGNALBOX_TEST_BOARD"

// TestMain lets the test binary stand in for a second board: it takes until it is refused and says how
// often it was not; with a request for a crash it then ends without a word to its budget.
func TestMain(m *testing.M) {
	if os.Getenv(helper) == "" {
		os.Exit(m.Run())
	}
	in := bufio.NewReader(os.Stdin)
	dir, err := in.ReadString('\n')
	if err != nil {
		panic(err)
	}
	d, err := Open(strings.TrimSpace(dir), slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		panic(err)
	}
	b := NewBudget(d, BudgetOptions{Limit: func(string) Limit {
		return Limit{Requests: 5000, Window: 24 * time.Hour, Fraction: 0.2}
	}})
	if _, err := in.ReadString('\n'); err != nil { // all start together
		panic(err)
	}
	taken, refused := 0, 0
	for refused < 200 && taken < 3000 {
		if b.Take("token") == nil {
			taken, refused = taken+1, 0
		} else {
			refused++
		}
	}
	fmt.Println(taken)
	if line, err := in.ReadString('\n'); err != nil || line != "crash\n" {
		b.Close()
	}
	os.Exit(0)
}

// TestProcessesShareOneBudget does not run beside others: between its fork and its exec a child shares
// the files that they have locked.
func TestProcessesShareOneBudget(t *testing.T) { //nolint:paralleltest // see above
	d, _ := openDir(t)
	const boards = 4
	type board struct {
		cmd *exec.Cmd
		in  io.WriteCloser
		out *bufio.Reader
		err *bytes.Buffer
	}
	var all []board
	for range boards {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), helper+"=1")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		b := board{cmd, in, bufio.NewReader(out), &bytes.Buffer{}}
		cmd.Stderr = b.err
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintln(b.in, d.path); err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	for _, b := range all {
		if _, err := io.WriteString(b.in, "go\n"); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for i, b := range all {
		line, err := b.out.ReadString('\n')
		if err != nil {
			t.Fatalf("board %d: %v\n%s", i, err, b.err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("board %d: %d requests", i, n)
		total += n
	}
	// A board that finds the file locked too long goes on by what it last saw: at most a lease each.
	if total > 1000+boards*10 || total < 950 {
		t.Errorf("%d processes were allowed %d requests, want 1,000", boards, total)
	}
	for i, b := range all {
		word := "end\n"
		if i == 0 {
			word = "crash\n"
		}
		if _, err := io.WriteString(b.in, word); err != nil {
			t.Fatal(err)
		}
		if err := b.cmd.Wait(); err != nil {
			t.Errorf("board %d: %v\n%s", i, err, b.err)
		}
	}
	b := NewBudget(d, BudgetOptions{Limit: func(string) Limit { return Limit{Requests: 5000, Window: 24 * time.Hour, Fraction: 0.2} }})
	if err := b.Take("token"); err == nil && total >= 1000 {
		t.Error("a new board may send, though the budget is used up")
	}
	if u := b.Usage("", "token"); u.Boards != 1 || u.Used < 950 {
		t.Errorf("usage %+v after the others have ended", u)
	}
}

func BenchmarkTake(b *testing.B) {
	for _, shared := range []bool{false, true} {
		b.Run(fmt.Sprintf("shared=%t", shared), func(b *testing.B) {
			var d *Dir
			if shared {
				d, _ = openDir(b)
			}
			// Free requests, as most of a board's are.
			budget := NewBudget(d, BudgetOptions{}).For("github", Limit{})
			b.ReportAllocs()
			for b.Loop() {
				if err := budget.Take("token"); err != nil {
					b.Fatal(err)
				}
				budget.Refund("token")
			}
		})
	}
	b.Run("counted", func(b *testing.B) {
		d, _ := openDir(b)
		budget := NewBudget(d, BudgetOptions{Limit: func(string) Limit {
			return Limit{Requests: 10_000, Window: time.Hour, Fraction: 1000}
		}})
		for b.Loop() {
			if err := budget.Take("token"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A request that writes the file gets its turn, although others take what it leased while it writes.
func TestNobodyIsRefusedWhatIsLeft(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	b := another(d, &hand{t: now}, 0)
	defer b.Close()
	var wg sync.WaitGroup
	var refused atomic.Int64
	for range 60 {
		wg.Go(func() {
			for range 10 {
				if b.Take("token") != nil {
					refused.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := refused.Load(); n > 0 {
		t.Errorf("%d of 600 requests were refused, and 1,000 are free", n)
	}
}
