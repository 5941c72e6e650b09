package sourcetest

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestAGoodDriverPasses(t *testing.T) {
	t.Parallel()
	Run(t, stubHarness(""))
}

// failures runs the named check on a mutant.
func failures(t *testing.T, name string, h Harness) (found []string) {
	t.Helper()
	var mu sync.Mutex
	for _, c := range checks() {
		if c.name != name {
			continue
		}
		c.run(&probe{h: h, tb: t, patience: 200 * time.Millisecond, errorf: func(format string, args ...any) {
			mu.Lock()
			defer mu.Unlock()
			found = append(found, fmt.Sprintf(format, args...))
		}})
		return found
	}
	t.Fatalf("there is no check named %q", name)
	return nil
}

// TestBrokenDriversFail proves the suite: each promise, broken on purpose, is noticed by its check.
func TestBrokenDriversFail(t *testing.T) {
	t.Parallel()
	broken := map[string][]mutant{
		"describes itself":                  {"upper case name", "no sample", "one config for all", "its own name"},
		"opens without the network":         {"network in Open"},
		"refuses foreign configs":           {"panics on a foreign config", "takes any config"},
		"identities are unique and stable":  {"refs with the driver's name", "ids of chance", "one id for all", "no kind"},
		"revisions follow the state":        {"one revision for ever", "a revision each time", "no revision", "never modified again"},
		"answers are never changed":         {"changes its answers"},
		"not modified only when it is so":   {"never modified again"},
		"all or nothing":                    {"half an answer", "items with an error", "plain errors", "errors without words", "errors in sentences", "half a body will do", "takes web pages"},
		"errors have kinds":                 {"one kind of error", "no time to come back", "plain errors"},
		"recovers after a failure":          {"forgets after a failure"},
		"gives up with its context":         {"ignores its context"},
		"asks the budget":                   {"asks no budget", "sends what was refused", "one kind of error"},
		"is safe for several goroutines":    {"one at a time"},
		"text is clean":                     {"raw text"},
		"leaves no goroutine behind":        {"leaves a goroutine"},
		"keeps its secret":                  {"secret in the error", "secret in the log", "config shows the secret", "secret in the address"},
		"sends its credential nowhere else": {"takes its secret along", "secret in the address"},
	}
	for _, c := range checks() {
		if len(broken[c.name]) == 0 {
			t.Errorf("no mutant proves the check %q", c.name)
		}
	}
	for name, mutants := range broken {
		for _, m := range mutants {
			t.Run(name+"/"+string(m), func(t *testing.T) {
				t.Parallel()
				found := failures(t, name, stubHarness(m))
				if len(found) == 0 {
					t.Error("the suite does not notice")
				}
				for _, f := range found[:min(3, len(found))] {
					t.Log(f)
				}
			})
		}
	}
}

func TestBudgetAndClock(t *testing.T) {
	t.Parallel()
	b := &Budget{}
	refusal := fmt.Errorf("no")
	b.RefuseAfter(2, refusal)
	for i, want := range []error{nil, nil, refusal, refusal} {
		if err := b.Take("k"); err != want { //nolint:errorlint // the very value
			t.Errorf("take %d: %v", i, err)
		}
	}
	b.Refund("k")
	if taken, refunds := b.Taken(); taken != 2 || refunds != 1 {
		t.Errorf("%d taken, %d given back", taken, refunds)
	}
	h := stubHarness("")
	c := NewClock(h.Now)
	c.Advance(90)
	if got := c.Now().Sub(h.Now); got != 90 {
		t.Errorf("advanced by %d", got)
	}
}
