package state

import (
	"os"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

// writes counts how often the budget file of key was replaced while do ran, which tells of each step.
func writes(t *testing.T, d *Dir, key string, do func(step func())) int {
	t.Helper()
	name := d.file(newAccount(key, DefaultLimit()).file + ".json")
	var before os.FileInfo
	n := 0
	do(func() {
		t.Helper()
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if before != nil && !unchanged(before, info) {
			n++
		}
		before = info
	})
	return n
}

// A board whose feeds spend little hardly writes: what it spends is covered by its lease.
func TestAnIdleBoardHardlyWrites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		limit Limit
		free  bool // answers are not counted
		every time.Duration
		most  int // writes in ten minutes
	}{
		{"conditional requests", DefaultLimit(), true, time.Second, 10},
		{"pages of a generous provider", Limit{Requests: 960, Window: time.Minute, Fraction: 0.1, Burst: 0.3}, false, 5 * time.Second, 16},
		{"incidents of an organisation", Limit{Requests: 6000, Window: time.Hour, Fraction: 0.1, Burst: 0.3}, false, 10 * time.Second, 11},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, _ := openDir(t)
			clock := &hand{t: now}
			b := NewBudget(d, BudgetOptions{Now: clock.now, Limit: func(string) Limit { return c.limit }})
			n := writes(t, d, "token", func(step func()) {
				for range int(10 * time.Minute / c.every) {
					if err := b.Take("token"); err != nil {
						t.Fatal(err)
					}
					if c.free {
						b.Refund("token")
					}
					step()
					clock.move(c.every)
				}
			})
			if n > c.most {
				t.Errorf("%d writes in ten minutes, want at most %d", n, c.most)
			}
			if n == 0 {
				t.Error("nothing was written: another board would take this one for gone")
			}
			used := b.Usage("", "token").Used
			b.Close()
			after := NewBudget(d, BudgetOptions{Now: clock.now, Limit: func(string) Limit { return c.limit }})
			if err := after.Take("token"); err != nil {
				t.Fatal(err)
			}
			if u := after.Usage("", "token"); u.Used != used+1 {
				t.Errorf("the next board hears of %d requests, want %d", u.Used-1, used)
			}
		})
	}
}

// What one board learns reaches the others within a look, and makes none of them write.
func TestALookTellsWhatOthersWrote(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	clock := &hand{t: now}
	first, second := another(d, clock, 0), another(d, clock, 1)
	for _, b := range []*Budget{first, second} {
		if err := b.Take("token"); err != nil {
			t.Fatal(err)
		}
	}
	takeAll(t, second, 25)
	second.Report("token", sources.Rate{Limit: 5000, Remaining: 0, Reset: now.Add(time.Minute)})
	clock.move(lookEvery)
	n := writes(t, d, "token", func(step func()) {
		step()
		if err := first.Take("token"); sources.KindOf(err) != sources.Throttled {
			t.Errorf("the other board was told to wait, this one hears %v", err)
		}
		step()
	})
	if n != 0 {
		t.Error("a look has written")
	}
	if u := first.Usage("", "token"); u.Used != 27 || u.Boards != 2 || !u.RetryAt.Equal(now.Add(time.Minute)) || u.Rate.Limit != 5000 {
		t.Errorf("usage %+v: want the requests of both boards, the unsaved one too", u)
	}
}

// A file that is gone or damaged is mended at the next look.
func TestALookMendsTheFile(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(path string) error{
		"gone":    os.Remove,
		"damaged": func(path string) error { return os.WriteFile(path, []byte("{"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := openDir(t)
			clock := &hand{t: now}
			b := another(d, clock, 0)
			if err := b.Take("token"); err != nil {
				t.Fatal(err)
			}
			a := b.account("token")
			if err := harm(d.file(a.file + ".json")); err != nil {
				t.Fatal(err)
			}
			clock.move(lookEvery)
			if err := b.Take("token"); err != nil {
				t.Fatal(err)
			}
			if f, whole := b.load(a); !whole || len(f.Boards) != 1 {
				t.Errorf("the file is whole: %t, with the boards %+v", whole, f.Boards)
			}
		})
	}
}
