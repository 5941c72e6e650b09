package simulator

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"example.com/signalbox/sources/simulator/seen"
)

// Usage is what the simulator was asked for since it started or since ResetUsage.
type Usage struct {
	Since time.Time `json:"since"` // in the world's time
	Until time.Time `json:"until"`

	Requests    int `json:"requests"`     // all that reached the providers' APIs
	Charged     int `json:"charged"`      // those that counted against the primary rate limit
	NotModified int `json:"not_modified"` // answered 304; free where they were authorised
	Writes      int `json:"writes"`       // requests that were received and may change something

	Endpoints []Endpoint `json:"endpoints,omitempty"` // sorted by name
	// Complaints are what no well-behaved client does, sorted by kind and endpoint.
	Complaints []Complaint `json:"complaints,omitempty"`
	// Unread are lists of which a page was announced that nobody asked for. A client that wants only the
	// newest entries leaves some; one that wants all of them leaves none.
	Unread []string `json:"unread,omitempty"`
}

// Endpoint is the usage of one endpoint, such as "GET /repos/{owner}/{repo}/actions/runs".
type Endpoint struct {
	Vendor      string `json:"vendor"` // github, datadog or pagerduty
	Name        string `json:"name"`
	Requests    int    `json:"requests"`
	Charged     int    `json:"charged"`
	NotModified int    `json:"not_modified"`
	Writes      int    `json:"writes"`
}

// Of is the part of the usage that one provider saw: its totals, its endpoints, and what it complains of.
func (u Usage) Of(vendor string) Usage {
	out := Usage{Since: u.Since, Until: u.Until}
	mine := map[string]bool{}
	for _, e := range u.Endpoints {
		if e.Vendor != vendor {
			continue
		}
		mine[e.Name] = true
		out.Requests += e.Requests
		out.Charged += e.Charged
		out.NotModified += e.NotModified
		out.Writes += e.Writes
		out.Endpoints = append(out.Endpoints, e)
	}
	for _, c := range u.Complaints {
		if mine[c.Endpoint] || vendor == seen.GitHub && c.Kind == TokenToLogHost {
			out.Complaints = append(out.Complaints, c)
		}
	}
	for _, name := range u.Unread {
		if mine[name] {
			out.Unread = append(out.Unread, name)
		}
	}
	return out
}

// ComplaintKind says what a client did wrong: one of the constants, or what the provider itself found
// wrong with a request, as in "unknown query parameter".
type ComplaintKind string

// The kinds of complaints.
const (
	TokenToLogHost ComplaintKind = "token sent to the log host"    //nolint:gosec // no credential
	RepeatedWrite  ComplaintKind = "same write sent twice"         // within ten minutes
	Unconditional  ComplaintKind = "asked again without condition" // although the last answer had an ETag
	NoPageSize     ComplaintKind = "list without per_page"
)

// Complaint counts one misbehaviour at one endpoint.
type Complaint struct {
	Kind     ComplaintKind `json:"kind"`
	Endpoint string        `json:"endpoint"`
	Count    int           `json:"count"`
}

// Complained reports whether there is a complaint of that kind.
func (u Usage) Complained(k ComplaintKind) bool {
	return slices.ContainsFunc(u.Complaints, func(c Complaint) bool { return c.Kind == k })
}

// PerHour is how many charged requests the same use would make in an hour; 0 when no time has passed.
func (u Usage) PerHour() float64 {
	d := u.Until.Sub(u.Since)
	if d <= 0 {
		return 0
	}
	return float64(u.Charged) * float64(time.Hour) / float64(d)
}

// meterKept bounds what the meter remembers of single requests.
const meterKept = 1 << 14

// meter adds up what is observed.
type meter struct {
	mu         sync.Mutex
	since      time.Time
	total      Usage
	endpoints  map[string]*Endpoint
	complaints map[Complaint]int
	tagged     map[string]bool      // what was answered with an ETag, by credential and address
	writes     map[string]time.Time // when a write was last received
	fetched    map[string]bool      // pages that were asked for, by credential
	unread     map[string]string    // announced pages that were not → their endpoint
}

func newMeter(since time.Time) *meter {
	m := &meter{}
	m.reset(since)
	return m
}

func (m *meter) reset(since time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.since, m.total = since, Usage{}
	m.endpoints, m.complaints = map[string]*Endpoint{}, map[Complaint]int{}
	m.tagged, m.writes = map[string]bool{}, map[string]time.Time{}
	m.fetched, m.unread = map[string]bool{}, map[string]string{}
}

func (m *meter) see(s seen.Request, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.endpoints[s.Endpoint]
	if e == nil {
		e = &Endpoint{Vendor: s.Vendor, Name: s.Endpoint}
		m.endpoints[s.Endpoint] = e
	}
	e.Requests++
	m.total.Requests++
	if s.Charged {
		e.Charged++
		m.total.Charged++
	}
	if s.Status == 304 {
		e.NotModified++
		m.total.NotModified++
	}
	for _, what := range s.Wrong {
		m.complain(ComplaintKind(what), s.Endpoint)
	}
	if s.Read {
		m.seeRead(s)
		return
	}
	m.total.Writes++
	e.Writes++
	key := s.Method + s.URI + s.Body
	if last, ok := m.writes[key]; ok && now.Sub(last) < 10*time.Minute {
		m.complain(RepeatedWrite, s.Endpoint)
	}
	m.writes[key] = now
}

func (m *meter) seeRead(s seen.Request) {
	if len(m.tagged)+len(m.fetched)+len(m.unread) > meterKept {
		clear(m.tagged)
		clear(m.fetched)
		clear(m.unread)
	}
	key := s.Identity + s.URI + s.Body
	if m.tagged[key] && !s.Conditional {
		m.complain(Unconditional, s.Endpoint)
	}
	m.tagged[key] = m.tagged[key] || s.Tagged
	delete(m.unread, s.Asked)
	m.fetched[s.Identity+s.Asked] = true
	if s.Next != "" && !m.fetched[s.Identity+s.Next] {
		m.unread[s.Next] = s.Endpoint
	}
	if s.List && s.Status == 200 && !s.PageSize {
		m.complain(NoPageSize, s.Endpoint)
	}
}

func (m *meter) complain(k ComplaintKind, endpoint string) {
	m.complaints[Complaint{Kind: k, Endpoint: endpoint}]++
}

func (m *meter) tokenAtLogHost() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.complain(TokenToLogHost, "log host")
}

func (m *meter) usage(now time.Time) Usage {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.total
	u.Since, u.Until = m.since, now
	for _, e := range m.endpoints {
		u.Endpoints = append(u.Endpoints, *e)
	}
	slices.SortFunc(u.Endpoints, func(a, b Endpoint) int { return cmp.Compare(a.Name, b.Name) })
	for c, n := range m.complaints {
		c.Count = n
		u.Complaints = append(u.Complaints, c)
	}
	slices.SortFunc(u.Complaints, func(a, b Complaint) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	for _, endpoint := range m.unread {
		u.Unread = append(u.Unread, endpoint)
	}
	slices.Sort(u.Unread)
	u.Unread = slices.Compact(u.Unread)
	return u
}

// Usage tells what was asked so far.
func (s *Simulator) Usage() Usage { return s.meter.usage(s.clock.now()) }

// ResetUsage starts counting anew.
func (s *Simulator) ResetUsage() { s.meter.reset(s.clock.now()) }
