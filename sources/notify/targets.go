package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
)

// body is what a webhook is sent. Its form is in the package's documentation: fields are added, never changed.
type body struct {
	Format      int         `json:"format"`
	Event       string      `json:"event"`
	Outcome     string      `json:"outcome,omitempty"`
	Plan        string      `json:"plan"`
	Title       string      `json:"title"`
	Text        string      `json:"text,omitempty"`
	Service     string      `json:"service,omitempty"`
	Environment string      `json:"environment,omitempty"`
	Version     string      `json:"version,omitempty"`
	Who         string      `json:"who,omitempty"`
	URL         string      `json:"url,omitempty"`
	Incident    sources.Ref `json:"incident,omitzero"`
	Began       time.Time   `json:"began,omitzero"`
	At          time.Time   `json:"at"`
}

func (n *Notifier) webhook(ctx context.Context, t *Target, m *Message) error {
	key, err := t.Secret.Resolve(ctx)
	if err != nil {
		return unresolved(err)
	}
	b := body{
		Format: 1, Event: m.Event, Outcome: m.Outcome, Plan: m.Plan, Title: m.Title.String(), Text: m.Text.String(), Service: m.Service,
		Environment: m.Environment, Version: m.Version, Who: m.Who, URL: m.URL, Incident: m.Incident, At: m.At.UTC(),
	}
	if !m.Began.IsZero() {
		b.Began = m.Began.UTC()
	}
	data, err := encode(b)
	if err != nil {
		return err
	}
	at := strconv.FormatInt(n.o.Now().Unix(), 10)
	return n.post(ctx, request{to: t.Webhook, body: data, header: http.Header{
		"X-Signalbox-Timestamp": {at},
		"X-Signalbox-Signature": {"v1=" + Sign(key.Reveal(), at, data)},
		"Idempotency-Key":       {m.Plan + ":" + m.Event},
	}})
}

// Sign is the signature of a body that was sent at a time, in seconds since 1970: HMAC-SHA256 of the time, a
// dot and the body, in hexadecimal.
func Sign(key, at string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// annotation is what Grafana takes, with times in milliseconds.
type annotation struct {
	Time    int64    `json:"time"`
	TimeEnd int64    `json:"timeEnd"`
	Tags    []string `json:"tags"`
	Text    string   `json:"text"`
}

func (n *Notifier) annotate(ctx context.Context, t *Target, m *Message) error {
	a := annotation{Time: m.began().UnixMilli(), TimeEnd: m.At.UnixMilli(), Tags: []string{"signalbox", m.Event}}
	for _, one := range []struct{ key, value string }{{"outcome", m.Outcome}, {"service", m.Service}, {"environment", m.Environment}, {"version", m.Version}} {
		if one.value != "" {
			a.Tags = append(a.Tags, one.key+":"+one.value)
		}
	}
	a.Text = m.sentence()
	if m.Who != "" {
		a.Text += " (" + m.Who + ")"
	}
	a.Text = html.EscapeString(a.Text)
	data, err := encode(a)
	if err != nil {
		return err
	}
	r := request{to: t.Annotations, body: data, header: http.Header{}}
	if !t.Secret.IsZero() {
		token, err := t.Secret.Resolve(ctx)
		if err != nil {
			return unresolved(err)
		}
		r.header.Set("Authorization", "Bearer "+token.Reveal())
	}
	return n.post(ctx, r)
}

// note writes on the incident that it was done for; there may be none.
func (n *Notifier) note(ctx context.Context, m *Message) error {
	if m.Incident.IsZero() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, providerLimit)
	defer cancel()
	text := m.sentence()
	for _, more := range []struct{ label, value string }{{"by ", m.Who}, {"plan ", m.Plan}, {"", m.URL}} {
		if more.value != "" {
			text += " · " + more.label + more.value
		}
	}
	return n.o.Send(ctx, sources.Call{Verb: sources.AddNote, Target: m.Incident, Text: text})
}

// event marks the charts of a service; what is of no service has none.
func (n *Notifier) event(ctx context.Context, t *Target, m *Message) error {
	if m.Service == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, providerLimit)
	defer cancel()
	fields := map[string]string{"service": m.Service, "title": m.Title.String(), "tags": "action:" + m.Event}
	for _, one := range []struct{ key, value string }{{"env", m.Environment}, {"version", m.Version}} {
		if one.value != "" {
			fields[one.key] = one.value
		}
	}
	if m.Outcome != "" {
		fields["tags"] += ",outcome:" + strings.ReplaceAll(m.Outcome, " ", "-")
	}
	return n.o.Send(ctx, sources.Call{
		Verb: sources.PostEvent, Target: sources.Ref{Source: t.Event, Kind: sources.KindChange, ID: m.Service}, Text: m.sentence(), Fields: fields,
	})
}
