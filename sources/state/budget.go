package state

import (
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"example.com/signalbox/sources"
)

// Limit is what the boards of one user may spend of one credential's budget.
type Limit struct {
	Requests int           // of the credential, each Window, until the provider reports another number
	Window   time.Duration // of the provider's limit
	Fraction float64       // of Requests that all boards together plan to send in any Window
	// Burst is the fraction at which requests are refused; 0 means Fraction. What lies between is for what
	// no plan knows of: boards that are started again and again, and the questions of people.
	Burst float64
}

// DefaultLimit is a fifth of what GitHub grants a user, 1,000 requests in any hour, and never more than
// half of it.
func DefaultLimit() Limit {
	return Limit{Requests: 5000, Window: time.Hour, Fraction: 0.2, Burst: 0.5}
}

// Usage is how a credential's budget stands.
type Usage struct {
	Key     string        // of the credential, or of the part of its budget that is counted apart
	Limit   int           // requests that all boards together plan to send in any Window; 0: unknown
	Window  time.Duration //
	Used    int           // in the last Window, by all boards as far as this one has heard
	Spent   int64         // by this process since it started; an answer that was not counted is given back
	Boards  int           // active now, this one included
	Rate    sources.Rate  // as the provider last reported
	RetryAt time.Time     // nothing may be sent before; zero: nothing stands against it
}

// BudgetOptions configures a Budget. The zero value works.
type BudgetOptions struct {
	Limit func(key string) Limit // nil means DefaultLimit for every key
	Now   func() time.Time       // the wall clock; nil means time.Now
	Log   *slog.Logger
}

// Budget implements sources.Budget for all boards of one user on this machine: a file in the state
// directory for each credential holds what was spent in the last window, and which boards are active.
//
// A board takes requests from the file by small leases and puts down what it has used when a lease is used
// up, and once a minute; that the others have a board's lease for spent makes more unnecessary. Every few
// seconds it looks whether another board has written, so that a Take usually costs a few dozen nanoseconds
// and an idle board hardly touches the disk. What a board that crashed had leased counts as spent. Without a directory, or while it cannot be written, each board keeps its own account.
type Budget struct {
	dir   *Dir
	limit func(string) Limit
	now   func() time.Time
	log   *slog.Logger
	self  Owner

	mu       sync.Mutex
	accounts map[string]*account
	keys     map[string][]string // by source, in the order of first use
	retryDir time.Time           // when to try the directory again; zero: it works
	alone    string              // why the budget is not shared; "" when it is
}

const (
	lookEvery   = 5 * time.Second  // for what other boards wrote
	saveEvery   = time.Minute      // however little was spent; far below boardExpiry
	boardExpiry = 15 * time.Minute // without a request; an unattended board asks every few minutes
	retryAfter  = time.Minute
	awaitDisk   = 250 * time.Millisecond // for another request of this process at the file
)

// NewBudget returns the budget that is kept in dir; a nil dir makes one for this process alone.
func NewBudget(dir *Dir, o BudgetOptions) *Budget {
	b := &Budget{dir: dir, limit: o.Limit, now: o.Now, log: o.Log, accounts: make(map[string]*account), keys: make(map[string][]string)}
	if b.limit == nil {
		b.limit = func(string) Limit { return DefaultLimit() }
	}
	if b.now == nil {
		b.now = time.Now
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if dir == nil {
		b.alone = "there is no state directory"
		b.log.Warn("the rate budget is not shared with other boards", "why", b.alone)
	}
	b.self = Self(b.now())
	return b
}

// Alone is why the budget is not shared with the user's other boards; "" when it is.
func (b *Budget) Alone() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.alone
}

// For is the budget as source gets it: Usage then knows which credentials are the source's, and l is the
// limit of those that nobody has used before. The zero Limit is what the options say.
func (b *Budget) For(source string, l Limit) sources.Budget { return sourceBudget{b, source, l} }

type sourceBudget struct {
	*Budget
	source string
	limit  Limit
}

func (s sourceBudget) Take(key string) error {
	s.learn(s.source, key, s.limit)
	return s.Budget.Take(key)
}

func (s sourceBudget) TakeUrgent(key string) error {
	s.learn(s.source, key, s.limit)
	return s.Budget.TakeUrgent(key)
}

func (b *Budget) learn(source, key string, l Limit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.accounts[key] == nil && l != (Limit{}) {
		b.accounts[key] = newAccount(key, l)
	}
	for _, k := range b.keys[source] {
		if k == key {
			return
		}
	}
	b.keys[source] = append(b.keys[source], key)
}

// Take implements sources.Budget.
func (b *Budget) Take(key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, now, err := b.ready(key)
	switch {
	case err != nil:
		return err
	case a.lease <= 0:
		return throttled("signalbox's share of the rate limit is used up", a.retryAt(now, a.most()))
	}
	a.take(now)
	return nil
}

// TakeUrgent implements sources.Budget. What it spends counts for all boards like everything else, so that
// polling makes up for it.
func (b *Budget) TakeUrgent(key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, now, err := b.ready(key)
	switch {
	case err != nil:
		return err
	case a.lease <= 0 && a.used(now) >= a.all():
		return throttled("the provider's rate limit is used up", a.retryAt(now, a.all()))
	}
	a.take(now)
	return nil
}

// ready is the account of key as it is now; the error says that the provider takes nothing.
func (b *Budget) ready(key string) (*account, time.Time, error) {
	a, now := b.account(key), b.now()
	switch {
	case a.stale(now) || a.lease <= 0 && !a.empty(now):
		b.sync(a, now, a.lease <= 0)
	case a.glances(now):
		b.glance(a, now)
	}
	if a.hold.After(now) {
		return a, now, throttled("the provider's rate limit is used up", a.hold)
	}
	return a, now, nil
}

func throttled(msg string, at time.Time) error {
	return &sources.Error{Kind: sources.Throttled, Msg: msg, RetryAt: at}
}

// Refund implements sources.Budget.
func (b *Budget) Refund(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.account(key).refund()
}

// Report implements sources.Budget. A rate with nothing remaining stops the credential until its Reset,
// in every board; an answer that was on its way meanwhile does not lift that.
func (b *Budget) Report(key string, r sources.Rate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, now := b.account(key), b.now()
	if r.Limit > 0 {
		a.rate = r
	}
	if r.Remaining > 0 || !r.Reset.After(now) || !r.Reset.After(a.hold) {
		return
	}
	a.hold, a.unsaid = r.Reset, true
	b.sync(a, now, false)
}

// Usage is how the budget of a credential of source stands; an empty credential means the tightest of
// those that source has used. It reads no file.
func (b *Budget) Usage(source, credential string) Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if credential != "" {
		return b.account(credential).usage(credential, now)
	}
	var worst Usage
	var spent int64
	for i, key := range b.keys[source] {
		u := b.account(key).usage(key, now)
		spent += u.Spent
		if i == 0 || u.left() < worst.left() {
			worst = u
		}
	}
	worst.Spent = spent
	return worst
}

// Usages are how the budgets of a credential of source stand: the one that an empty credential stands for
// may have several, such as one for each kind of request. They are in the order of their first use. It reads
// no file.
func (b *Budget) Usages(source, credential string) []Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if credential != "" {
		return []Usage{b.account(credential).usage(credential, now)}
	}
	var out []Usage
	for _, key := range b.keys[source] {
		out = append(out, b.account(key).usage(key, now))
	}
	return out
}

func (u Usage) left() float64 {
	if u.Limit == 0 {
		return 1
	}
	return 1 - float64(u.Used)/float64(u.Limit)
}

// Close puts down what was used and what is left of the leases. The budget works on, for late requests.
func (b *Budget) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.accounts {
		a.leaving = true
		b.sync(a, b.now(), true)
		a.leaving = false
	}
}

func (b *Budget) account(key string) *account {
	a := b.accounts[key]
	if a == nil {
		a = newAccount(key, b.limit(key))
		b.accounts[key] = a
	}
	return a
}

// sync exchanges a with its file. It is called with the lock held and gives it up while it touches the
// disk: a file system that hangs holds up the one request that found out, and nobody else. While another
// board has the file, or another request is at it, the last view of it goes on to serve; patient means
// to try for a moment first, because nothing is left to serve with.
func (b *Budget) sync(a *account, now time.Time, patient bool) {
	for b.syncOnce(a, now, patient) && patient && !a.leaving && a.lease <= 0 && !a.empty(now) {
		// While this request wrote the file, others took what it had leased.
	}
}

// syncOnce is one try of sync. It reports whether it was this request that exchanged a with its file.
func (b *Budget) syncOnce(a *account, now time.Time, patient bool) bool {
	if b.dir == nil || now.Before(b.retryDir) && b.retryDir.Sub(now) <= retryAfter {
		a.alone(now)
		return false
	}
	// Each wait ends with a lease for somebody, so that with many waiting everybody's turn comes.
	for a.syncing != nil {
		if !patient || a.stuck(now) || !b.await(a.syncing) {
			a.overdraw(now)
			return false
		}
		if a.lease > 0 || a.empty(now) {
			return false
		}
	}
	a.syncing = make(chan struct{})
	err := b.exchange(a, now, patient && !a.stuck(now))
	close(a.syncing)
	a.syncing = nil
	switch {
	case errors.Is(err, errLocked):
		a.overdraw(now)
	case err != nil:
		b.retryDir = now.Add(retryAfter)
		if b.alone == "" {
			b.log.Warn("the rate budget is not shared with other boards", "why", err)
		}
		b.alone = err.Error()
		a.alone(now)
	default:
		a.locked = time.Time{}
		if b.alone != "" {
			b.log.Info("the rate budget is shared with other boards again")
		}
		b.alone, b.retryDir = "", time.Time{}
	}
	return err == nil
}

// glance takes over what other boards wrote since the last look, if anything. It writes nothing, and costs one
// question to the file system when nobody did. It is called like sync.
func (b *Budget) glance(a *account, now time.Time) {
	a.looked = now
	if a.syncing != nil || a.seen == nil {
		return // another request is at the file, or there is none
	}
	a.syncing = make(chan struct{})
	whole := b.hear(a, now)
	close(a.syncing)
	a.syncing = nil
	if !whole {
		b.sync(a, now, false)
	}
}

// hear reads the file if it is another than the one that a has seen, and reports whether it is usable.
func (b *Budget) hear(a *account, now time.Time) (whole bool) {
	seen := a.seen
	b.mu.Unlock()
	defer b.mu.Lock()
	info, err := os.Stat(b.dir.file(a.file + ".json"))
	if err != nil || unchanged(seen, info) {
		return err == nil
	}
	f, whole := b.load(a)
	if whole {
		b.mu.Lock()
		a.seen = info
		a.hear(f, b.self, now)
		b.mu.Unlock()
	}
	return whole
}

// unchanged reports whether two looks found the same file: boards replace it, so that another one has another
// number.
func unchanged(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// await waits, without the lock, for another request to be done with the file. It reports whether that
// was so within awaitDisk: a disk that hangs must not hold up everybody.
func (b *Budget) await(done <-chan struct{}) bool {
	b.mu.Unlock()
	defer b.mu.Lock()
	late := time.NewTimer(awaitDisk)
	defer late.Stop()
	select {
	case <-done:
		return true
	case <-late.C:
		return false
	}
}

// exchange reads the file, settles with it and writes it.
func (b *Budget) exchange(a *account, now time.Time, patient bool) error {
	b.mu.Unlock()
	defer b.mu.Lock()
	lock, err := b.lockFile(a, patient)
	if err != nil {
		return err
	}
	f, _ := b.load(a)
	b.mu.Lock()
	a.settle(f, b.self, now)
	b.mu.Unlock()
	err = b.save(a, f)
	if info, e := os.Stat(b.dir.file(a.file + ".json")); e == nil {
		b.mu.Lock()
		a.seen = info
		b.mu.Unlock()
	}
	return errors.Join(err, unflock(lock))
}

func (b *Budget) lockFile(a *account, patient bool) (*os.File, error) {
	tries := 1
	if patient {
		tries = 50
	}
	for {
		f, err := flock(b.dir.file(a.file + ".lock"))
		tries--
		if !errors.Is(err, errLocked) || tries == 0 {
			return f, err
		}
		time.Sleep(time.Millisecond)
	}
}
