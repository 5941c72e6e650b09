package pagerduty

import (
	"encoding/json"
	"testing"
	"time"

	"example.com/signalbox/sources"
)

// Real accounts have incidents that nobody planned for.
func TestShapesOfIncidents(t *testing.T) {
	t.Parallel()
	s := opened(t, tripper{newFake()})
	c := s.converter(nil, "", roster{"PPOL1": {{who: sources.Person{ID: "PUSER1"}, level: 1, policy: wireRef{ID: "PPOL1"}}}}, testNow)
	for name, x := range map[string]struct {
		body  string
		check func(sources.Incident) bool
	}{
		"no policy, no priority, no assignee": {
			`{"escalation_policy":null,"priority":null,"assignments":[],"pending_actions":[{"type":"escalate","at":"` + in(time.Minute) + `"}]}`,
			func(i sources.Incident) bool {
				return i.Level == 0 && len(i.Next) == 0 && !i.EscalatesAt.IsZero() && i.Severity == 0
			},
		},
		"a policy that was deleted": {
			`{"escalation_policy":{"id":"PGONE","summary":null},"assignments":[{"at":"` + ago(time.Minute) + `","assignee":{"id":"PUSER9","summary":"Former"}}]}`,
			func(i sources.Incident) bool {
				return i.Level == 0 && i.Holder.String() == "Former" && len(i.Assignees) == 1
			},
		},
		"actions without a time, and of other kinds": {
			`{"pending_actions":[{"type":"escalate","at":"` + in(time.Minute) + `"},{"type":"escalate","at":null},{"type":"urgency_change","at":"` + in(time.Hour) + `"},{"type":"resolve"}]}`,
			func(i sources.Incident) bool { return i.EscalatesAt.Equal(testNow.Add(time.Minute)) },
		},
		"acknowledged by a service": {
			`{"status":"acknowledged","acknowledgements":[{"at":"` + ago(time.Minute) + `","acknowledger":{"id":"PSVC1","type":"service_reference"}}],
			  "assignments":[{"at":"` + ago(time.Hour) + `","assignee":{"id":"PUSER1","summary":"sre1"}}],"pending_actions":[]}`,
			func(i sources.Incident) bool {
				return i.State == sources.Acknowledged && i.Holder.String() == "sre1" && i.RepagesAt.IsZero()
			},
		},
		"a state and an urgency of tomorrow": {
			`{"status":"suspended","urgency":"severity_based","alert_counts":{"all":"3"}}`,
			func(i sources.Incident) bool { return i.State == sources.Triggered && !i.Low && i.Alerts == 0 },
		},
		"one that wakes nobody": {
			`{"urgency":"low"}`,
			func(i sources.Incident) bool { return i.State == sources.Triggered && i.Low },
		},
		"names that a terminal would obey": {
			`{"title":"\u001b]0;x\u0007\u202eevil\nsecond","service":{"id":"PSVC1","summary":"\u001b[2Jcheckout"},"teams":[{"id":"PT1","name":"\u202epay"}]}`,
			func(i sources.Incident) bool {
				return harmless(i.Title.String()) && harmless(i.Provider.String()) && harmless(i.Team.String())
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := wireIncident{}
			base := `{"id":"PINC9","type":"incident","title":"x","status":"triggered","created_at":"` + ago(time.Hour) + `"}`
			for _, part := range []string{base, x.body} {
				if err := json.Unmarshal([]byte(part), &w); err != nil && part == base {
					t.Fatal(err)
				}
			}
			if got := c.incident(&w); !x.check(got) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func harmless(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e {
			return false
		}
	}
	return s != ""
}
