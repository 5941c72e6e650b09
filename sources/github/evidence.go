package github

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

// versions resolves names: tags to SHAs, and back.
type versions struct {
	tags   map[string]string   // name → SHA
	named  map[string][]string // SHA → names
	prefix string              // of the service's tags
}

func newVersions(tags map[string]string) versions {
	v := versions{tags: tags, named: map[string][]string{}}
	for name, sha := range tags {
		v.named[sha] = append(v.named[sha], name)
	}
	for _, names := range v.named {
		slices.Sort(names)
	}
	return v
}

// complete adds the SHA of a tag, and the tag of a SHA. record is what a deployment's record says, and
// completes a short SHA or a tag that it names too.
func (v versions) complete(x, record sources.Version) sources.Version {
	if x.SHA == "" && !x.Tag.IsZero() {
		name := x.Tag.String()
		switch {
		case v.tags[name] != "":
			x.SHA = v.tags[name]
		case v.prefix != "" && v.tags[v.prefix+name] != "":
			x.SHA = v.tags[v.prefix+name]
		case record.Tag == x.Tag:
			x.SHA = record.SHA
		}
	}
	if x.SHA != "" && len(x.SHA) < 40 && strings.HasPrefix(record.SHA, x.SHA) {
		x.SHA = record.SHA
	}
	if x.SHA != "" && x.Tag.IsZero() {
		x.Tag = v.tagOf(x.SHA)
	}
	return x
}

// tagOf is the tag of a commit: one with the service's prefix, else one that looks like a version.
func (v versions) tagOf(sha string) clean.Text {
	best := ""
	for _, name := range v.named[sha] {
		rest, own := strings.CutPrefix(name, v.prefix)
		if own && versionTag.MatchString(rest) && (best == "" || len(name) > len(best)) {
			best = name
		}
	}
	return clean.Line(best)
}

// parseVersion reads what somebody wrote as a version: a SHA, a tag, or an image with one.
func parseVersion(s string) sources.Version {
	s = strings.TrimSpace(s)
	s, _, _ = strings.Cut(s, "@sha256:")
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.Contains(s[:i], "/") {
		s = s[i+1:]
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, "refs/tags/"), "refs/heads/")
	if s == "" || len(s) > 200 || strings.ContainsAny(s, " \t\r\n") {
		return sources.Version{}
	}
	if isSHA(s) {
		return sources.Version{SHA: s}
	}
	return sources.Version{Tag: clean.Line(s)}
}

// isSHA takes a word of hexadecimal letters alone for a word.
func isSHA(s string) bool {
	return shaLike.MatchString(s) && (len(s) == 40 || strings.ContainsAny(s, "0123456789"))
}

// judged is what the evidence says.
type judged struct {
	version  sources.Version
	evidence []sources.Evidence
	verified bool
	mismatch bool
}

// judge weighs all evidence for the version of one record. url is what the running service says, when
// somebody asked it.
//
// A record that a dispatched workflow made carries the SHA of the branch that the workflow's file came
// from: it verifies nothing, and disagreeing with it is no mismatch. So does one whose run is not known,
// when the service is deployed by a workflow that takes its version as an input.
func (v versions) judge(sp sources.ServiceSpec, r *record, url *sources.Evidence) judged {
	v.prefix = sp.TagPrefix
	rec := sources.Version{SHA: shaOf(r.SHA)}
	if r.Ref != r.SHA && (v.tags[r.Ref] != "" || looksLikeTag(r.Ref, []sources.ServiceSpec{sp})) {
		rec.Tag = clean.Line(r.Ref)
	}
	rec = v.complete(rec, sources.Version{})
	trusted := !v.dispatched(sp, r)
	var all []sources.Evidence
	if url != nil {
		all = append(all, *url)
	}
	all = append(all, spoken(sp, r)...)
	all = append(all, sources.Evidence{Kind: sources.FromRecord, Version: rec, At: r.CreatedAt.Time, Detail: recordDetail(r)})
	known := rec
	if !trusted {
		known = sources.Version{}
	}
	for i := range all[:len(all)-1] {
		all[i].Version = v.complete(all[i].Version, known)
	}
	j := judged{version: all[0].Version, evidence: all}
	if want := wanted(sp.VersionFrom); want != "" {
		j.verified = slices.ContainsFunc(all, func(e sources.Evidence) bool { return e.Kind == want })
		if i := slices.IndexFunc(all, func(e sources.Evidence) bool { return e.Kind == want }); i > 0 {
			j.version = all[i].Version
		}
	} else {
		j.verified = all[0].Kind != sources.FromRecord || trusted
	}
	if !trusted {
		all = all[:len(all)-1]
	}
	j.mismatch = disagree(all)
	return j
}

func recordDetail(r *record) clean.Text {
	if r.Ref == "" || r.Ref == r.SHA {
		return clean.Const("sha")
	}
	return clean.Line("ref " + r.Ref)
}

// wanted is the kind of evidence that the config asks for; "" means the record.
func wanted(f sources.VersionFrom) sources.EvidenceKind {
	switch {
	case f.URL != "":
		return sources.FromURL
	case f.Payload != "":
		return sources.FromPayload
	case f.Input != "":
		return sources.FromInput
	case f.RunName != "":
		return sources.FromRunName
	default:
		return ""
	}
}

func (v versions) dispatched(sp sources.ServiceSpec, r *record) bool {
	if r.origin != nil {
		return isDispatch(r.origin.event)
	}
	return r.byActions() && sp.VersionInput != ""
}

func disagree(all []sources.Evidence) bool {
	for i, a := range all {
		for _, b := range all[i+1:] {
			x, y := a.Version, b.Version
			known := x.SHA != "" && y.SHA != "" || (x.SHA == "" || y.SHA == "") && !x.Tag.IsZero() && !y.Tag.IsZero()
			if known && !x.Same(y) {
				return true
			}
		}
	}
	return false
}

// spoken is what the record's payload and its run's name say, strongest first.
func spoken(sp sources.ServiceSpec, r *record) []sources.Evidence {
	var out []sources.Evidence
	add := func(kind sources.EvidenceKind, said, detail string) {
		if v := parseVersion(said); !v.IsZero() {
			out = append(out, sources.Evidence{Kind: kind, Version: v, At: r.CreatedAt.Time, Detail: clean.Line(detail)})
		}
	}
	payload := decodePayload(r.Payload)
	if p := sp.VersionFrom.Payload; p != "" {
		add(sources.FromPayload, lookup(payload, p), "payload."+p)
	} else if wanted(sp.VersionFrom) == "" {
		for _, p := range []string{"version", "image.tag", "tag"} {
			if said := lookup(payload, p); said != "" {
				add(sources.FromPayload, said, "payload."+p)
				break
			}
		}
	}
	title := ""
	if r.origin != nil {
		title = r.origin.title
	}
	if input := firstOf(sp.VersionFrom.Input, sp.VersionInput); input != "" {
		said := firstOf(lookup(payload, "inputs."+input), lookup(payload, input), assigned(title, input))
		if said == "" && r.origin != nil && isDispatch(r.origin.event) {
			said = onlyVersion(title)
		}
		add(sources.FromInput, said, "input "+input)
	}
	if pattern := sp.VersionFrom.RunName; pattern != "" {
		add(sources.FromRunName, firstGroup(pattern, title), "run name")
	}
	return out
}

func firstGroup(pattern, text string) string {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return ""
	}
	m := re.FindStringSubmatch(text)
	switch len(m) {
	case 0:
		return ""
	case 1:
		return m[0]
	default:
		return m[1]
	}
}

// assigned is the value in "input=value" or "input: value".
func assigned(text, input string) string {
	re, err := regexp.Compile(`(?i)(?:^|[^\w-])` + regexp.QuoteMeta(input) + `\s*[=:]\s*([^\s,;)\]]+)`)
	if err != nil {
		return ""
	}
	if m := re.FindStringSubmatch(text); m != nil {
		return strings.Trim(m[1], `"'`)
	}
	return ""
}

// onlyVersion is the one word of a title that is a SHA or a version; two of them prove nothing.
func onlyVersion(title string) string {
	found := ""
	for _, word := range strings.FieldsFunc(title, func(r rune) bool { return strings.ContainsRune(" \t,;()[]{}\"'=→@", r) }) {
		word = strings.Trim(word, ".:")
		if !isSHA(word) && !versionTag.MatchString(word[strings.LastIndexByte(word, '/')+1:]) {
			continue
		}
		if found != "" && found != word {
			return ""
		}
		found = word
	}
	return found
}

// decodePayload reads a payload: an object, or a string that may hold one.
func decodePayload(raw json.RawMessage) any {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	if s, ok := v.(string); ok {
		var inner any
		if json.Unmarshal([]byte(s), &inner) == nil {
			if _, object := inner.(map[string]any); object {
				return inner
			}
		}
	}
	return v
}

// lookup follows a dotted path. The text of a whole string is at "".
func lookup(v any, path string) string {
	if path != "" {
		if m, ok := v.(map[string]any); ok {
			if direct, ok := m[path]; ok { // a key may hold dots itself
				return lookup(direct, "")
			}
			head, rest, _ := strings.Cut(path, ".")
			return lookup(m[head], rest)
		}
		return ""
	}
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return ""
	}
}

const (
	askFor     = 5 * time.Second
	answerSize = 64 << 10
)

// askVersion asks a running service for its version, without any credential of GitHub's.
func (s *source) askVersion(ctx context.Context, f sources.VersionFrom, service, env, target string) (*sources.Evidence, error) {
	address := strings.NewReplacer("{{service}}", url.PathEscape(service), "{{env}}", url.PathEscape(env), "{{target}}", url.PathEscape(target)).Replace(f.URL)
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil || req.URL.Host == "" {
		return nil, &sources.Error{Kind: sources.Invalid, Msg: "version_from.url is no address for " + env, Fix: "write https://…/version"}
	}
	req.Header.Set("Accept", "application/json, text/plain")
	if s.env.UserAgent != "" {
		req.Header.Set("User-Agent", s.env.UserAgent)
	}
	res, err := s.bare.Do(req)
	if err != nil {
		return nil, httpx.Explain("ask for the version", env, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, httpx.Status("ask for the version", env, res)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, answerSize+1))
	if err != nil {
		return nil, httpx.Explain("ask for the version", env, err)
	}
	v, err := versionAnswer(body, f.Field)
	if err != nil {
		return nil, &sources.Error{Kind: sources.Invalid, Op: "ask for the version", Scope: env, Msg: err.Error(), Fix: "check version_from.url and its field"}
	}
	return &sources.Evidence{Kind: sources.FromURL, Version: v, At: s.env.Now(), Detail: clean.Line(req.URL.Host + req.URL.Path)}, nil
}

// versionAnswer reads a version from text or JSON.
func versionAnswer(body []byte, field string) (sources.Version, error) {
	if len(body) > answerSize {
		return sources.Version{}, errors.New("the answer is too long to be a version")
	}
	var v any
	said := strings.TrimSpace(string(body))
	if json.Unmarshal(body, &v) == nil {
		if _, object := v.(map[string]any); object {
			said = lookup(v, firstOf(field, "version"))
		} else if text, ok := v.(string); ok && field == "" {
			said = text
		}
	} else if field != "" {
		said = ""
	}
	got := parseVersion(said)
	if got.IsZero() {
		return got, errors.New("the answer holds no version")
	}
	return got, nil
}
