package alertmanager

import (
	"fmt"
	"slices"
	"time"

	"example.com/signalbox/sources/httpx"
)

// stamp is a time; zero where there is none, or something that is no time.
type stamp struct{ time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (s *stamp) UnmarshalJSON(b []byte) error {
	s.Time = time.Time{}
	var t time.Time
	if len(b) > 0 && b[0] == '"' && t.UnmarshalJSON(b) == nil && t.Year() > 1970 {
		s.Time = t
	}
	return nil
}

// wireAlert is an alert as GET /api/v2/alerts has it.
type wireAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	Fingerprint  string            `json:"fingerprint"`
	StartsAt     stamp             `json:"startsAt"`
	EndsAt       stamp             `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Status       wireStatus        `json:"status"`
}

type wireStatus struct {
	State       string   `json:"state"` // unprocessed, active, suppressed
	SilencedBy  []string `json:"silencedBy"`
	InhibitedBy []string `json:"inhibitedBy"`
	MutedBy     []string `json:"mutedBy"` // time intervals; since version 0.28
}

// wireGroup is one of GET /api/v2/alerts/groups.
type wireGroup struct {
	Labels   map[string]string `json:"labels"`
	Receiver struct {
		Name string `json:"name"`
	} `json:"receiver"`
	Alerts []wireAlert `json:"alerts"`
}

// matcher is a condition on one label. A label that is absent has the value "".
type matcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual *bool  `json:"isEqual,omitempty"` // nil is true: version 0.21 knew no negation
}

// wireSilence is a silence of GET /api/v2/silences.
type wireSilence struct {
	ID        string    `json:"id"`
	Matchers  []matcher `json:"matchers"`
	StartsAt  stamp     `json:"startsAt"`
	EndsAt    stamp     `json:"endsAt"`
	UpdatedAt stamp     `json:"updatedAt"`
	CreatedBy string    `json:"createdBy"`
	Comment   string    `json:"comment"`
	Status    struct {
		State string `json:"state"` // expired, active, pending
	} `json:"status"`
}

const expired = "expired"

// postableSilence is what POST /api/v2/silences takes.
type postableSilence struct {
	Matchers  []matcher `json:"matchers"`
	StartsAt  time.Time `json:"startsAt"`
	EndsAt    time.Time `json:"endsAt"`
	CreatedBy string    `json:"createdBy"`
	Comment   string    `json:"comment"`
}

// wireServer is GET /api/v2/status.
type wireServer struct {
	Cluster struct {
		Name   string `json:"name"`
		Status string `json:"status"` // ready, settling, disabled
		Peers  []struct {
			Name    string `json:"name"`
			Address string `json:"address"`
		} `json:"peers"`
	} `json:"cluster"`
	VersionInfo struct {
		Version string `json:"version"`
	} `json:"versionInfo"`
	Uptime stamp `json:"uptime"` // when it was started
}

// decode reads a whole body. A body that is no array where one was promised, or an object without what
// makes it whole, is an error.
func decode[T any](body []byte, whole func(T) bool, what string) (T, error) {
	var v T
	if err := httpx.Tolerant(body, &v); err != nil {
		return v, fmt.Errorf("decode %s: %w", what, err)
	}
	if !whole(v) {
		return v, notOurs(what)
	}
	return v, nil
}

func decodeGroups(body []byte) ([]wireGroup, error) {
	return decode(body, func(v []wireGroup) bool {
		// There is no group without alerts: a list of nothing else is another program's.
		return v != nil && (len(v) == 0 || slices.ContainsFunc(v, func(g wireGroup) bool { return len(g.Alerts) > 0 }))
	}, "the groups of alerts")
}

func decodeAlerts(body []byte) ([]wireAlert, error) {
	return decode(body, func(v []wireAlert) bool { return v != nil }, "the alerts")
}

func decodeSilences(body []byte) ([]wireSilence, error) {
	return decode(body, func(v []wireSilence) bool { return v != nil }, "the silences")
}

func decodeSilence(body []byte) (wireSilence, error) {
	return decode(body, func(v wireSilence) bool { return v.ID != "" }, "the silence")
}

func decodeServer(body []byte) (wireServer, error) {
	return decode(body, func(v wireServer) bool { return v.VersionInfo.Version != "" || v.Cluster.Status != "" }, "the status")
}
