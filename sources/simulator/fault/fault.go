// Package fault lets an HTTP server fail on purpose: in its status, its body, its connection or its
// time. It knows no provider.
package fault

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind says what goes wrong.
type Kind string

// The kinds of fault.
const (
	Status      Kind = "status"       // refused with Rule.Code, not processed
	HTML        Kind = "html"         // a page of a proxy, with Rule.Code (0: 502), not processed
	Secondary   Kind = "secondary"    // a secondary rate limit: Rule.Code (0: 403) with Retry-After, not processed
	Hang        Kind = "hang"         // no answer until the client gives up, not processed
	LostRequest Kind = "lost_request" // the connection breaks before the request is processed
	LostAnswer  Kind = "lost_answer"  // the request is processed, and the connection breaks before the answer
	Stall       Kind = "stall"        // the request is processed, and no answer comes until the client gives up
	Reset       Kind = "reset"        // the connection is reset in the middle of the body
	Truncate    Kind = "truncate"     // a well-formed answer whose JSON ends in the middle
	WrongTypes  Kind = "wrong_types"  // numbers become text, text numbers and lists objects
	ErrorIn200  Kind = "error_in_200" // status 200 with an error in the body
	Latency     Kind = "latency"      // the right answer, Rule.Delay later
)

func kinds() []Kind {
	return []Kind{Status, HTML, Secondary, Hang, LostRequest, LostAnswer, Stall, Reset, Truncate, WrongTypes, ErrorIn200, Latency}
}

// Rule says what goes wrong for which requests. The first rule of a Set that fits a request counts.
type Rule struct {
	Vendor     string        `json:"vendor,omitempty"` // whose API: github, datadog or pagerduty; "": any
	Method     string        `json:"method,omitempty"` // "": any
	Path       string        `json:"path"`             // a pattern of path.Match; a last element "**" stands for any rest
	Kind       Kind          `json:"kind"`
	Code       int           `json:"code,omitempty"`
	Message    string        `json:"message,omitempty"`
	RetryAfter int           `json:"retry_after,omitempty"` // seconds; 0: no such header
	Delay      time.Duration `json:"delay,omitempty"`       // nanoseconds, of real time
	Skip       int           `json:"skip,omitempty"`        // so many fitting requests go through first
	Times      int           `json:"times,omitempty"`       // it strikes so often; 0: always
}

func (rule Rule) validate() error {
	if !slices.Contains(kinds(), rule.Kind) {
		return fmt.Errorf("unknown kind of fault %q", rule.Kind)
	}
	if _, err := path.Match(strings.TrimSuffix(rule.Path, "**"), ""); err != nil || rule.Path == "" {
		return fmt.Errorf("pattern %q: %w", rule.Path, errors.Join(err, path.ErrBadPattern))
	}
	if rule.Code != 0 && (rule.Code < 200 || rule.Code > 599) {
		return fmt.Errorf("status %d is not between 200 and 599", rule.Code)
	}
	return nil
}

func (rule Rule) fits(vendor, method, p string) bool {
	if rule.Vendor != "" && rule.Vendor != vendor || rule.Method != "" && !strings.EqualFold(rule.Method, method) {
		return false
	}
	if head, ok := strings.CutSuffix(rule.Path, "**"); ok {
		n := strings.Count(head, "/")
		parts := strings.SplitAfterN(p, "/", n+1)
		if len(parts) <= n {
			return false
		}
		ok, err := path.Match(head, strings.Join(parts[:n], ""))
		return ok && err == nil
	}
	ok, err := path.Match(rule.Path, p)
	return ok && err == nil
}

// Set is the rules in force. The zero Set has none. It is safe for use by several goroutines at once.
type Set struct {
	mu    sync.Mutex
	rules []*Rule
}

// Add puts a rule behind those that are there.
func (s *Set) Add(r Rule) error {
	if err := r.validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, &r)
	return nil
}

// Clear takes all rules away.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = nil
}

// pick is the rule that strikes a request, if any. It counts the strike.
func (s *Set) pick(vendor string, r *http.Request) (Rule, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, rule := range s.rules {
		if !rule.fits(vendor, r.Method, r.URL.EscapedPath()) {
			continue
		}
		if rule.Skip > 0 {
			rule.Skip--
			continue
		}
		if rule.Times == 1 {
			s.rules = slices.Delete(slices.Clone(s.rules), i, i+1)
		} else if rule.Times > 1 {
			rule.Times--
		}
		return *rule, true
	}
	return Rule{}, false
}
