package simulator

import "time"

// Usage is what the simulator was asked for since it started or since ResetUsage.
type Usage struct {
	Since time.Time `json:"since"` // in the world's time
	Until time.Time `json:"until"`

	Requests    int `json:"requests"`     // all that reached the provider's API
	Charged     int `json:"charged"`      // those that counted against the primary rate limit
	NotModified int `json:"not_modified"` // authorised 304s: free
	Writes      int `json:"writes"`       // POST, PUT, PATCH and DELETE that were received

	Endpoints []Endpoint `json:"endpoints,omitempty"` // sorted by name
}

// Endpoint is the usage of one endpoint, such as "GET /repos/{owner}/{repo}/actions/runs".
type Endpoint struct {
	Name        string `json:"name"`
	Requests    int    `json:"requests"`
	Charged     int    `json:"charged"`
	NotModified int    `json:"not_modified"`
}

// PerHour is how many charged requests the same use would make in an hour; 0 when no time has passed.
func (u Usage) PerHour() float64 {
	d := u.Until.Sub(u.Since)
	if d <= 0 {
		return 0
	}
	return float64(u.Charged) * float64(time.Hour) / float64(d)
}

// Usage tells what was asked so far.
func (s *Simulator) Usage() Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.usage
	u.Until = s.clock.now()
	return u
}

// ResetUsage starts counting anew.
func (s *Simulator) ResetUsage() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.usage = Usage{Since: s.clock.now()}
}
