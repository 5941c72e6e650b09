package datadog

import (
	"crypto/subtle"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

// authenticate finds out who asks, and whether they may. The answer counts only when it reports false.
func (c *call) authenticate() (answer, bool) {
	api, app := c.r.Header.Get("DD-API-KEY"), c.r.Header.Get("DD-APPLICATION-KEY")
	if bearer, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer "); ok && api == "" {
		api, app = bearer, bearer
	}
	if api == "" && app == "" {
		return c.fail(http.StatusUnauthorized, "Unauthorized"), false
	}
	for i := range c.s.cfg.Keys {
		k := &c.s.cfg.Keys[i]
		if same(k.API, api) && (same(k.Application, app) || c.route.scope == "" && app == "") {
			c.keys = k
			break
		}
	}
	if c.keys == nil {
		return c.fail(http.StatusForbidden, "Forbidden"), false
	}
	if c.route.scope != "" && c.keys.Scopes != nil && !slices.Contains(c.keys.Scopes, c.route.scope) {
		return c.fail(http.StatusForbidden, "Forbidden", "Failed permission authorization checks: "+c.route.scope), false
	}
	return answer{}, true
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (c *call) login() string {
	if c.keys == nil {
		return ""
	}
	return c.keys.Login
}

// actor is who a write is done by.
func (c *call) actor() *world.User {
	if u := c.w.User(c.login()); u != nil {
		return u
	}
	return c.w.User("bot")
}

// Limit is how many requests a period takes.
type Limit struct {
	Requests int
	Period   time.Duration
}

// families are the rate limits of endpoints that are counted together.
func families() map[string]Limit {
	return map[string]Limit{
		"query_timeseries": {1600, time.Hour},
		"query_v2":         {600, time.Minute},
		"monitors":         {3000, time.Hour},
		"slo":              {1200, time.Hour},
		"slo_history":      {1200, time.Hour},
		"downtime":         {1200, time.Hour},
		"incidents":        {600, time.Minute},
		"events":           {1000, time.Hour},
		"events_search":    {400, time.Minute},
		"dora":             {600, time.Minute},
		"on_call":          {300, time.Minute},
		"teams":            {600, time.Minute},
		"services":         {600, time.Minute},
		"users":            {600, time.Minute},
		"validate":         {600, time.Minute},
		"none":             {600, time.Minute},
	}
}

// Families lists the families of endpoints that have a rate limit of their own, by name.
func Families() []string { return slices.Sorted(maps.Keys(families())) }

type window struct {
	used  int
	reset time.Time
}

func (c *call) limit() Limit {
	if l, ok := c.s.cfg.Limits[c.route.family]; ok {
		return l
	}
	return families()[c.route.family]
}

// window is the current period of a family of endpoints: all keys of an organisation share it.
func (c *call) window() *window {
	w := c.s.windows[c.route.family]
	if w == nil || !c.w.Now().Before(w.reset) {
		period := c.limit().Period
		w = &window{reset: c.w.Now().Truncate(period).Add(period)}
		c.s.windows[c.route.family] = w
	}
	return w
}

func (c *call) charge() bool {
	w := c.window()
	if w.used >= c.limit().Requests {
		return false
	}
	w.used++
	return true
}

func (c *call) exhausted() answer {
	return c.fail(http.StatusTooManyRequests, "Rate limit of "+strconv.Itoa(c.limit().Requests)+" requests in "+
		strconv.Itoa(int(c.limit().Period.Seconds()))+" seconds reached. Please try again later.")
}

func (c *call) limitHeaders(h map[string]string) {
	w, l := c.window(), c.limit()
	h["X-RateLimit-Limit"] = strconv.Itoa(l.Requests)
	h["X-RateLimit-Period"] = strconv.Itoa(int(l.Period.Seconds()))
	h["X-RateLimit-Remaining"] = strconv.Itoa(max(0, l.Requests-w.used))
	h["X-RateLimit-Reset"] = strconv.Itoa(int((w.reset.Sub(c.w.Now()) + time.Second - 1) / time.Second))
	h["X-RateLimit-Name"] = c.route.family
}
