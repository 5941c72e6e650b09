// Package pagerduty reads PagerDuty: open and past incidents, who is on call, change events; and acts on
// incidents.
//
// It speaks REST v2 with a small client of its own rather than through go-pagerduty. That library's last
// release sends no From with a snooze, which the API demands; it decodes the details of an event as text, so
// that one number in them fails a whole page; it hides the causes of failed requests from errors.Is, and drops the
// headers that carry the rate limit; its OAuth constructor forgets the options it is given; and it cannot
// read change events at all. What this package needs are four verbs of HTTP and a dozen structs.
//
// PagerDuty knows no conditional requests: an answer of the same bytes counts as unchanged (httpx.Same).
// An incident does not say which step of its escalation it has reached. That is found from who is on call
// at which step of its policy, which is read at most once a minute for all incidents together.
//
// A source has one scope, the whole account, or those of its teams that the config names.
package pagerduty
