package pagerduty

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

const (
	defaultChanges  = 24 * time.Hour
	mostChangePages = 10
)

// ListChanges lists change events within the window, newest first.
func (s *source) ListChanges(ctx context.Context, q sources.Query) (sources.Batch[sources.Change], error) {
	return deliver(ctx, s, "changes", q, func(ctx context.Context) (sources.Batch[sources.Change], error) {
		return s.readChanges(ctx, q)
	})
}

func (s *source) readChanges(ctx context.Context, q sources.Query) (sources.Batch[sources.Change], error) {
	var b sources.Batch[sources.Change]
	now := s.now(q)
	window := q.Window
	if window <= 0 {
		window = defaultChanges
	}
	from := now.Add(-window)
	query := url.Values{"since": {stampOf(from)}, "until": {stampOf(now.Add(time.Minute))}}
	s.narrow(query)
	all, cut, err := pages[wireChanges](ctx, s, "changes", "/change_events", query, q.Limit, mostChangePages, func(w wireChange) string { return known(w.ID) })
	if err != nil {
		return b, err
	}
	claimed := claimsOf(q.Services)
	for i := range all {
		if c := s.change(&all[i], claimed); !c.At.Before(from.Truncate(time.Second)) {
			b.Items = append(b.Items, c)
		}
	}
	slices.SortStableFunc(b.Items, func(x, y sources.Change) int { return cmp.Or(y.At.Compare(x.At), cmp.Compare(y.Ref.ID, x.Ref.ID)) })
	if q.Limit > 0 && len(b.Items) > q.Limit {
		b.Items = b.Items[:q.Limit]
	}
	for _, c := range b.Items {
		httpx.Note(ctx, c.Ref.ID)
	}
	if cut && (q.Limit <= 0 || len(all) < q.Limit) {
		b.Notices = append(b.Notices, sources.Notice{Kind: sources.Unsupported, Text: clean.Linef("only the newest %d changes are read", len(all)), Fix: clean.Const("set teams: to narrow them")})
	}
	return b, nil
}

func (s *source) change(w *wireChange, claimed claims) sources.Change {
	details := w.details()
	c := sources.Change{
		Ref:   sources.Ref{Source: s.env.Source, Kind: sources.KindChange, ID: w.ID},
		Title: clean.Line(w.Summary),
		At:    w.Timestamp.Time,
		By:    clean.Line(pick(details, "user", "author", "by", "actor", "triggered_by", "deployer", "who")),
		Env:   clean.Line(pick(details, "env", "environment", "stage", "deployment_environment")).String(),
		Kind:  changeKind(w, details),
	}
	for _, sv := range w.Services {
		if c.Service = claimed.of(sv); c.Service != "" {
			break
		}
	}
	if sha := strings.ToLower(pick(details, "sha", "commit", "commit_sha", "git_sha", "revision", "git.commit.sha")); commitSHA.MatchString(sha) {
		c.Version.SHA = sha
	}
	c.Version.Tag = clean.Line(pick(details, "version", "tag", "release", "build", "image_tag"))
	if tag := c.Version.Tag.String(); c.Version.SHA == "" && len(tag) == 40 && commitSHA.MatchString(tag) {
		c.Version = sources.Version{SHA: tag}
	}
	for _, l := range w.Links {
		if c.URL = linkOf(l.Href); c.URL != "" {
			break
		}
	}
	return c
}

var commitSHA = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// details are the texts and numbers of the first level, by lower-case name.
func (w *wireChange) details() map[string]string {
	d := json.NewDecoder(bytes.NewReader(w.Custom))
	d.UseNumber()
	var all map[string]any
	if len(w.Custom) == 0 || d.Decode(&all) != nil {
		return nil
	}
	out := make(map[string]string, len(all))
	for k, v := range all {
		switch v := v.(type) {
		case string:
			out[strings.ToLower(k)] = strings.TrimSpace(v)
		case json.Number:
			out[strings.ToLower(k)] = v.String()
		}
	}
	return out
}

func pick(m map[string]string, names ...string) string {
	for _, n := range names {
		if v := m[n]; v != "" {
			return v
		}
	}
	return ""
}

// changeKind guesses what was changed: PagerDuty does not know. What the sender calls it counts first, then its
// words.
func changeKind(w *wireChange, details map[string]string) sources.ChangeKind {
	sender := w.Source
	if w.Integration != nil {
		sender += " " + w.Integration.called()
	}
	for _, said := range []string{pick(details, "kind", "type", "change_type", "event_type"), w.Summary, sender} {
		low := strings.ToLower(said)
		switch {
		case flagWords.MatchString(low):
			return sources.FlagChange
		case deployWords.MatchString(low):
			return sources.DeploymentChange
		case configWords.MatchString(low):
			return sources.ConfigChange
		}
	}
	if details["flag"] != "" || details["flag_key"] != "" || details["feature_flag"] != "" {
		return sources.FlagChange
	}
	return sources.OtherChange
}

var (
	flagWords   = regexp.MustCompile(`\b(feature[ _-]?)?(flag|toggle)s?\b|launchdarkly|unleash|split\.io|flagsmith|configcat|\bfeature[ _-]?gate`)
	deployWords = regexp.MustCompile(`deploy|\brelease[ds]?\b|\broll(ed)?[ -]?(out|back)\b|\bship(ped|s)?\b|promot|argo ?cd|spinnaker|octopus|jenkins|circleci|github actions`)
	configWords = regexp.MustCompile(`config|terraform|\bsettings?\b|parameter|\bsecret|\bhelm\b|\bansible\b|\bchef\b|\bpuppet\b|\bdns\b|\bscal(ed|ing)\b`)
)
