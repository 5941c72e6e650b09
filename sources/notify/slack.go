package notify

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// What Slack takes, in characters.
const (
	slackHeader  = 150
	slackSection = 3000
	slackContext = 2000
)

type slackMessage struct {
	Text      string       `json:"text"` // of the notification, and where blocks cannot be shown
	Mrkdwn    bool         `json:"mrkdwn"`
	LinkNames bool         `json:"link_names"`
	Blocks    []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

type slackText struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Verbatim bool   `json:"verbatim,omitempty"` // of mrkdwn: names and addresses in it are not looked for
}

func (n *Notifier) slack(ctx context.Context, t *Target, m *Message) error {
	data, err := encode(slackOf(m))
	if err != nil {
		return err
	}
	return n.post(ctx, request{to: t.Slack, body: data, reason: slackReason})
}

func slackOf(m *Message) slackMessage {
	s := slackMessage{Text: slackPlain(m.sentence(), slackSection)}
	title := m.Title.String()
	if title == "" {
		title = m.Event
	}
	s.Blocks = append(s.Blocks, slackBlock{Type: "header", Text: &slackText{Type: "plain_text", Text: slackPlain(title, slackHeader)}})
	text := m.Outcome
	if more := m.Text.String(); more != "" {
		text = strings.TrimPrefix(text+". "+more, ". ")
	}
	if text != "" {
		s.Blocks = append(s.Blocks, slackBlock{Type: "section", Text: &slackText{Type: "plain_text", Text: slackPlain(text, slackSection)}})
	}
	var facts []string
	for _, one := range []struct{ label, value string }{
		{"", strings.Trim(m.Service+"/"+m.Environment, "/")}, {"", m.Version}, {"by ", m.Who}, {"plan ", m.Plan}, {"", m.At.UTC().Format(time.RFC3339)},
	} {
		if one.value != "" {
			facts = append(facts, one.label+one.value)
		}
	}
	context := slackBlock{Type: "context", Elements: []slackText{{Type: "plain_text", Text: slackPlain(strings.Join(facts, " · "), slackContext)}}}
	if link := slackLink(m.URL); link != "" {
		context.Elements = append(context.Elements, slackText{Type: "mrkdwn", Text: link, Verbatim: true})
	}
	s.Blocks = append(s.Blocks, context)
	return s
}

// calls are the names by which a message calls everybody in a channel.
var calls = regexp.MustCompile(`(?i)@(here|channel|everyone|group)`)

// slackPlain is text as Slack takes it, in at most limit characters: &, < and > escaped, which no mention and no
// link can do without, and nobody called.
func slackPlain(text string, limit int) string {
	runes := []rune(calls.ReplaceAllString(text, "@\u200b$1"))
	var b strings.Builder
	size := 0
	for i, r := range runes {
		one := string(r)
		switch r {
		case '&':
			one = "&amp;"
		case '<':
			one = "&lt;"
		case '>':
			one = "&gt;"
		}
		size += utf8.RuneCountInString(one)
		if size > limit || size == limit && i < len(runes)-1 {
			b.WriteString("…")
			break
		}
		b.WriteString(one)
	}
	return b.String()
}

// slackLink is a link to a web address; "" where it is none.
func slackLink(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	safe := strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C", " ", "%20").Replace(u.String())
	if len(safe) > slackContext-len("<|open>") {
		return ""
	}
	return "<" + safe + "|open>"
}

var slackWord = regexp.MustCompile(`^[a-z_]{2,40}$`)

// slackReason is the word with which Slack says why: "no_service", "invalid_payload".
func slackReason(text []byte) string {
	word := strings.TrimSpace(string(text))
	if !slackWord.MatchString(word) {
		return ""
	}
	return word
}
