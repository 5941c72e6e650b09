// Package notify tells others of what was done: after an action has ended and is in the journal, and after a
// guard's final verdict. Nothing that happens here changes what the action's outcome is.
//
// Each message is sent once to each target that wants its event. It is sent a second time only where the
// connection was refused, so that nothing can have arrived: a message that may have arrived is never repeated.
// No redirection is followed. An answer is read up to a bound and never shown, but for the one word with which
// Slack says why.
//
// # Slack
//
// An incoming webhook gets {"text", "mrkdwn": false, "link_names": false, "blocks"}: a header with the title, a
// section with what came of it, and a line of context. All but the link is plain text. &, < and > are escaped,
// and the names that call a whole channel are broken, so that no title can.
//
// # Webhook
//
// Any other webhook gets a JSON object; what is not known is left out:
//
//	{
//	  "format": 1,
//	  "event": "rollback",             what was done, or "guard"
//	  "outcome": "done",               refused, stale, failed, unknown, unverified, done; of a guard its verdict
//	  "plan": "20261122-021405-0a1b2c3d4e5f",
//	  "title": "Roll back checkout/prod to v1.9.1",
//	  "text": "v1.9.1 runs in eu and us",
//	  "service": "checkout",
//	  "environment": "prod",
//	  "version": "v1.9.1",
//	  "who": "sre1",
//	  "url": "https://…",
//	  "incident": {"source": "pagerduty", "kind": "incident", "id": "Q1"},
//	  "began": "2026-11-22T02:14:05Z",
//	  "at": "2026-11-22T02:16:40Z"
//	}
//
// with these headers:
//
//	X-Signalbox-Timestamp: 1795313800        when it was sent, in seconds since 1970
//	X-Signalbox-Signature: v1=6b1f…          HMAC-SHA256, in hexadecimal, under the secret, of the timestamp,
//	                                         a dot, and the body as it is
//	Idempotency-Key: 20261122-021405-0a1b2c3d4e5f:rollback
//
// A receiver computes the signature itself, compares in constant time, and refuses a timestamp that is more
// than five minutes off. The key is the same for one event of one plan, however often it is sent.
//
// # Annotations
//
// {"time", "timeEnd", "tags", "text"}, as Grafana's POST /api/annotations takes it: times in milliseconds, tags
// signalbox, the event, and outcome:, service:, environment: and version: with their values. The text is
// escaped for HTML, since Grafana draws it as such.
//
// # Notes and events
//
// A note on an incident, and an event that marks a deployment, are changes at a provider like all others: they
// are handed to Options.Send, which carries them out through the Runner.
package notify
