package httpx

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
)

// SecondaryPause is how long to wait where a provider says "too fast" and not for how long: GitHub
// asks for at least a minute.
const SecondaryPause = time.Minute

// RetryAfter reads a Retry-After header, in seconds or as an HTTP date; zero when there is none that
// makes sense.
func RetryAfter(h http.Header, now time.Time) time.Time {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return time.Time{}
	}
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		if s < 0 || s > 30*24*3600 || s != s {
			return time.Time{}
		}
		return now.Add(time.Duration(s * float64(time.Second)))
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return time.Time{}
	}
	return at
}

// ParseRate reads the rate headers of GitHub, Datadog and PagerDuty: x-ratelimit-* and ratelimit-*,
// whose reset is a Unix time or, below a thousand million, seconds from now. It reports whether the
// reply said anything.
func ParseRate(h http.Header, now time.Time) (sources.Rate, bool) {
	remaining, ok := number(h, "Remaining")
	if !ok {
		return sources.Rate{}, false
	}
	r := sources.Rate{Remaining: int(remaining)}
	if limit, ok := number(h, "Limit"); ok {
		r.Limit = int(limit)
	}
	if period, ok := number(h, "Period"); ok {
		r.Window = time.Duration(period) * time.Second
	}
	if reset, ok := number(h, "Reset"); ok {
		if reset < 1e9 {
			r.Reset = now.Add(time.Duration(reset) * time.Second)
		} else {
			r.Reset = time.Unix(reset, 0).UTC()
		}
	}
	return r, true
}

func number(h http.Header, name string) (int64, bool) {
	v := h.Get("X-Ratelimit-" + name)
	if v == "" {
		v = h.Get("Ratelimit-" + name)
	}
	n, err := strconv.ParseInt(v, 10, 64)
	return n, err == nil && n >= 0 && n < 1<<40
}

// Throttle reports whether res refuses a request because of a rate limit, and when to come back. A
// 429 always does; a 403 does with a Retry-After or with nothing remaining. What else a 403 means only
// its body says: that is the driver's to read.
func Throttle(res *http.Response, now time.Time) (time.Time, bool) {
	if res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusForbidden {
		return time.Time{}, false
	}
	if at := RetryAfter(res.Header, now); !at.IsZero() {
		return at, true
	}
	rate, known := ParseRate(res.Header, now)
	if known && rate.Remaining == 0 && rate.Reset.After(now) {
		return rate.Reset, true
	}
	if res.StatusCode == http.StatusTooManyRequests || known && rate.Remaining == 0 {
		return now.Add(SecondaryPause), true
	}
	return time.Time{}, false
}

// Pause stops this credential's requests until at, for a limit that only a reply's body told of.
func (t *Transport) Pause(at time.Time) {
	t.mu.Lock()
	if at.After(t.paused) {
		t.paused = at
	}
	t.mu.Unlock()
	if t.o.Budget != nil {
		t.o.Budget.Report(t.o.BudgetKey, sources.Rate{Reset: at})
	}
}
