package state

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"example.com/signalbox/sources"
)

// account is what one process knows of one credential's budget. Requests are counted in slots of a
// sixtieth of the window, so that what was spent leaves the count about when it leaves the provider's.
type account struct {
	file  string // these three never change
	limit Limit
	slot  time.Duration

	hold time.Time // nothing may be sent before
	rate sources.Rate

	spent   map[int64]int // by slot: all boards, this one's unsaved included
	unsaved map[int64]int // by slot: this board's since the last sync; below zero after refunds
	mine    map[int64]int // by slot: what this board may still refund
	total   int64         // spent by this process
	boards  int
	lease   int           // requests that may be sent before the next sync; below zero: so many were sent without one
	synced  time.Time     // the last exchange with the file
	looked  time.Time     // the last look at whether another board has changed it
	seen    fs.FileInfo   // the file as this board has last read or written it; nil: it has not
	unsaid  bool          // the file does not know of hold yet
	locked  time.Time     // since when another process has had the file at every look; zero: it is free
	debt    int           // requests of this board that no lease covered since then
	dry     time.Time     // when the file had nothing to lease; zero: it had
	syncing chan struct{} // a request is at the file; closed when it has been. nil: none is
	leaving bool
}

// budgetFile is what the boards share of one account.
type budgetFile struct {
	Format  string        `json:"format"`
	Version int           `json:"version"`
	Slot    time.Duration `json:"slot"`
	Spent   map[int64]int `json:"spent"`
	Hold    time.Time     `json:"hold,omitzero"`
	Rate    sources.Rate  `json:"rate,omitzero"`
	Boards  []boardEntry  `json:"boards"`
}

// boardEntry is one active board and what it may spend without saying so.
type boardEntry struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
	Seen  time.Time `json:"seen"`
	Lease int       `json:"lease"`
}

const (
	budgetFormat  = "signalbox budget"
	budgetVersion = 1
	budgetMax     = 64 << 10
	slots         = 60
)

func newAccount(key string, l Limit) *account {
	if l.Window <= 0 {
		l.Window = time.Hour
	}
	sum := sha256.Sum256([]byte(key))
	return &account{
		file: "budget-" + hex.EncodeToString(sum[:8]), limit: l, slot: max(time.Second, l.Window/slots), boards: 1,
		spent: make(map[int64]int), unsaved: make(map[int64]int), mine: make(map[int64]int),
	}
}

func (a *account) slotOf(t time.Time) int64 { return t.UnixNano() / int64(a.slot) }

// glances reports whether it is time to look what other boards did; a clock that went back makes it so.
func (a *account) glances(now time.Time) bool { return past(a.looked, now, lookEvery) }

// stale reports whether the file should be written again: it does not know yet what others should, or an
// entry in it that nobody renews would be taken for a board that is gone.
func (a *account) stale(now time.Time) bool {
	return past(a.synced, now, saveEvery) || (a.unsaid || !a.locked.IsZero()) && a.glances(now)
}

func past(t, now time.Time, d time.Duration) bool {
	age := now.Sub(t)
	return age >= d || age < 0
}

// plan is how many requests all boards plan to send in one window.
func (a *account) plan() int { return a.part(a.limit.Fraction) }

// most is how many requests all boards may send in one window.
func (a *account) most() int { return a.part(max(a.limit.Fraction, a.limit.Burst)) }

// all is how many requests the provider takes in one window.
func (a *account) all() int { return a.part(1) }

func (a *account) part(fraction float64) int {
	n := a.limit.Requests
	if a.rate.Limit > 0 {
		n = a.rate.Limit
		if w := a.rate.Window; w > 0 {
			n = int(float64(n) * float64(a.limit.Window) / float64(w))
		}
	}
	return int(float64(n) * fraction)
}

// batch is how much one board leases at once: little enough that several boards share well, and enough that
// not every request of a small budget is one for the disk.
func (a *account) batch() int { return max(1, a.plan()/100, min(8, a.plan()/12)) }

// used counts what was spent in the window before now. Slots in the future, from before a clock was put
// back, count too: they were spent.
func (a *account) used(now time.Time) int {
	first := a.slotOf(now) - int64(a.limit.Window/a.slot)
	n := 0
	for slot, c := range a.spent {
		if slot > first {
			n += c
		}
	}
	return max(0, n)
}

func (a *account) free(now time.Time) int { return max(0, a.most()-a.used(now)) }

func (a *account) take(now time.Time) {
	slot := a.slotOf(now)
	a.lease--
	a.total++
	a.spent[slot]++
	a.unsaved[slot]++
	a.mine[slot]++
}

// refund takes the latest request back.
func (a *account) refund() {
	latest, found := int64(0), false
	for slot, c := range a.mine {
		if c > 0 && (!found || slot > latest) {
			latest, found = slot, true
		}
	}
	if !found {
		return
	}
	a.lease++
	a.total--
	a.spent[latest]--
	a.unsaved[latest]--
	a.mine[latest]--
}

// retryAt is when the next of so many requests a window may go: when the oldest ones of the window leave it.
func (a *account) retryAt(now time.Time, most int) time.Time {
	first := a.slotOf(now) - int64(a.limit.Window/a.slot)
	over := a.used(now) - most + 1
	if over <= 0 {
		return now.Add(lookEvery) // what is missing is leased to other boards
	}
	for _, slot := range slices.Sorted(maps.Keys(a.spent)) {
		if slot <= first {
			continue
		}
		if over -= a.spent[slot]; over <= 0 {
			at := time.Unix(0, (slot+1)*int64(a.slot)).Add(a.limit.Window)
			return clampTime(at, now.Add(lookEvery), now.Add(a.limit.Window+a.slot))
		}
	}
	return now.Add(lookEvery)
}

func clampTime(t, lo, hi time.Time) time.Time {
	if t.Before(lo) {
		return lo
	}
	if t.After(hi) {
		return hi
	}
	return t
}

func (a *account) usage(key string, now time.Time) Usage {
	u := Usage{
		Key: key, Limit: a.plan(), Window: a.limit.Window, Used: a.used(now), Spent: a.total,
		Boards: a.boards, Rate: a.rate,
	}
	if a.hold.After(now) {
		u.RetryAt = a.hold
	}
	return u
}

// stuck reports whether another process sits on the file: a stopped one, say.
func (a *account) stuck(now time.Time) bool {
	return !a.locked.IsZero() && now.Sub(a.locked) > time.Second
}

// overdraw goes on by the last view of the file, because another board is at it: request by request and
// for no more than a lease in all, or freely when that board is stuck.
func (a *account) overdraw(now time.Time) {
	if a.locked.IsZero() {
		a.locked, a.debt = now, 0
	}
	switch {
	case a.lease > 0:
	case a.stuck(now):
		a.lease, a.synced, a.looked = min(a.batch(), a.free(now)), now, now
	case a.debt < a.batch():
		a.debt++
		a.lease = min(1, a.free(now))
	}
}

// empty reports whether the file had nothing to lease a moment ago: it is not asked again at every try.
func (a *account) empty(now time.Time) bool {
	age := now.Sub(a.dry)
	return !a.dry.IsZero() && age >= 0 && age < time.Second
}

// alone is sync without a file.
func (a *account) alone(now time.Time) {
	clear(a.unsaved)
	a.expire(now)
	a.boards, a.synced, a.looked, a.seen = 1, now, now, nil
	a.lease = min(a.batch(), a.free(now))
}

// expire forgets what has left the window, and moves what lies in the future, from before a clock was
// put back, to now.
func (a *account) expire(now time.Time) {
	present := a.slotOf(now)
	first := present - int64(a.limit.Window/a.slot)
	for _, m := range []map[int64]int{a.spent, a.mine} {
		for slot, c := range m {
			if slot > present {
				m[present] += c
			}
			if slot > present || slot <= first || c == 0 && slot != present {
				delete(m, slot)
			}
		}
	}
}

// settle brings a and the file together: what this board has spent goes in, what the others have spent
// comes out, boards that are gone leave with their leases counted as spent, and a new lease is taken.
func (a *account) settle(f *budgetFile, self Owner, now time.Time) {
	present := a.slotOf(now)
	for slot, c := range a.unsaved {
		f.Spent[slot] = max(0, f.Spent[slot]+c)
	}
	clear(a.unsaved)
	others := f.Boards[:0:0]
	reserved := 0
	for _, o := range f.Boards {
		switch {
		case o.is(self):
		case o.gone(self.Host, now):
			f.Spent[present] += a.leased(o)
		default:
			others = append(others, o)
			reserved += a.leased(o)
		}
	}
	a.spent = maps.Clone(f.Spent)
	a.expire(now)
	f.Spent = maps.Clone(a.spent)

	f.Hold = a.mergeHold(f.Hold, now)
	a.mergeRate(f.Rate)
	f.Rate = a.rate
	a.unsaid = false

	a.lease = min(a.batch(), max(0, a.free(now)-reserved))
	a.dry = time.Time{}
	if a.lease == 0 {
		a.dry = now
	}
	a.boards = len(others) + 1
	a.synced, a.looked = now, now
	if a.leaving {
		a.lease = 0
	} else {
		others = append(others, boardEntry{PID: self.PID, Host: self.Host, Since: self.Since, Seen: now.UTC(), Lease: a.lease})
	}
	f.Boards = others
}

// hear takes over what other boards have put into the file since this one wrote it. What this board has
// spent since is covered by the lease that the file knows of, and needs no word.
func (a *account) hear(f *budgetFile, self Owner, now time.Time) {
	a.spent = maps.Clone(f.Spent)
	for slot, c := range a.unsaved {
		a.spent[slot] = max(0, a.spent[slot]+c)
	}
	a.expire(now)
	a.mergeHold(f.Hold, now)
	a.mergeRate(f.Rate)
	a.boards = 1
	for _, o := range f.Boards {
		if !o.is(self) && !o.gone(self.Host, now) {
			a.boards++
		}
	}
	a.looked = now
}

func (a *account) mergeRate(other sources.Rate) {
	if a.rate.Reset.Before(other.Reset) || a.rate.Limit == 0 {
		a.rate = other
	}
}

// leased is what o may spend unheard, however wrong the file is.
func (a *account) leased(o boardEntry) int { return min(max(0, o.Lease), a.batch()) }

// mergeHold takes the later of the two, but none that a broken clock made.
func (a *account) mergeHold(other, now time.Time) time.Time {
	if other.After(a.hold) && other.Before(now.Add(maxHold)) {
		a.hold = other
	}
	if !a.hold.After(now) {
		a.hold = time.Time{}
	}
	return a.hold
}

// maxHold bounds what a file may make a board wait.
const maxHold = 24 * time.Hour

func (o boardEntry) is(self Owner) bool {
	return o.PID == self.PID && o.Host == self.Host && o.Since.Equal(self.Since)
}

func (o boardEntry) gone(host string, now time.Time) bool {
	age := now.Sub(o.Seen)
	return age > boardExpiry || age < -boardExpiry || o.Host == host && !alive(o.PID)
}

// load reads the account's file. One that is missing, damaged or of another version counts as empty, and is
// not whole.
func (b *Budget) load(a *account) (f *budgetFile, whole bool) {
	f = &budgetFile{}
	data, err := b.dir.read(a.file+".json", budgetMax)
	if err == nil {
		err = json.Unmarshal(data, f)
	}
	if err == nil && (f.Format != budgetFormat || f.Version != budgetVersion || f.Slot != a.slot) {
		err = errForeign
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			b.log.Warn("the budget's file is not usable and starts anew", "file", a.file, "err", err)
		}
		f = &budgetFile{}
	}
	f.Format, f.Version, f.Slot = budgetFormat, budgetVersion, a.slot
	if f.Spent == nil {
		f.Spent = make(map[int64]int)
	}
	for slot, c := range f.Spent {
		f.Spent[slot] = min(max(0, c), 1<<30)
	}
	return f, err == nil
}

var errForeign = errors.New("its format or version is another one")

func (b *Budget) save(a *account, f *budgetFile) error {
	data, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("save the budget: %w", err)
	}
	return b.dir.write(a.file+".json", data, false)
}
