package pagerduty

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// facts is what the details of a trigger say in terms that other systems share. Their shape is up to whoever
// sent them: monitoring systems send text, objects, numbers, and JSON inside of text.
type facts struct {
	Keys    []string
	Runbook string
	Scope   clean.Text
	Labels  []clean.Text // "name=value"
}

// The bounds of what is looked at: details may be of any size.
const (
	deepest    = 10
	mostNodes  = 4000
	mostFacts  = 64 // keys, labels
	mostScopes = 6
)

// factsOf looks through JSON values for links, alerts, runbooks and places.
func factsOf(parts ...json.RawMessage) facts {
	w := &walker{scopes: map[string]int{}, labels: map[string]string{}, left: mostNodes}
	for _, p := range parts {
		if v, ok := decodeAny(p); ok {
			w.value("", v, 0)
		}
	}
	return w.facts()
}

func decodeAny(raw []byte) (any, bool) {
	if len(raw) == 0 {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	return v, d.Decode(&v) == nil
}

type walker struct {
	keys    []string
	runbook string
	hinted  string         // a link whose text or path says that it is a runbook
	scopes  map[string]int // rank by value
	labels  map[string]string
	left    int
}

func (w *walker) facts() facts {
	f := facts{Keys: w.keys, Runbook: cmp.Or(w.runbook, w.hinted)}
	places := slices.SortedFunc(maps.Keys(w.scopes), func(a, b string) int {
		return cmp.Or(cmp.Compare(w.scopes[a], w.scopes[b]), strings.Compare(a, b))
	})
	f.Scope = clean.Line(strings.Join(places[:min(len(places), mostScopes)], " "))
	names := slices.SortedFunc(maps.Keys(w.labels), func(a, b string) int {
		return cmp.Or(cmp.Compare(telling(a), telling(b)), strings.Compare(a, b))
	})
	for _, n := range names[:min(len(names), mostFacts)] {
		f.Labels = append(f.Labels, clean.Line(n+"="+w.labels[n]))
	}
	return f
}

// telling ranks the names of labels: what a person looks for comes first.
func telling(name string) int {
	switch strings.ToLower(name) {
	case "alertname", "monitor", "monitor_name":
		return 0
	case "service", "severity", "priority":
		return 1
	}
	if _, ok := placeRank(name); ok {
		return 2
	}
	return 3
}

// placeRank tells which names say where something is, the widest first.
func placeRank(name string) (int, bool) {
	switch strings.ToLower(name) {
	case "env", "environment", "stage", "deployment_environment", "deployment.environment":
		return 0, true
	case "region", "cloud_region", "aws_region", "datacenter", "dc", "site", "location", "source_location":
		return 1, true
	case "cluster", "kube_cluster_name", "cluster_name":
		return 2, true
	default:
		return 0, false
	}
}

func isRunbook(name string) bool {
	if len(name) > len("playbook - url") {
		return false
	}
	bare := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(name))
	switch bare {
	case "runbook", "runbookurl", "runbooklink", "playbook", "playbookurl":
		return true
	default:
		return false
	}
}

// value looks at v, which stands under name.
func (w *walker) value(name string, v any, depth int) {
	if w.left--; w.left < 0 || depth > deepest {
		return
	}
	switch v := v.(type) {
	case string:
		w.text(name, v, depth)
	case json.Number:
		w.label(name, v.String())
	case bool:
		w.label(name, strconv.FormatBool(v))
	case []any:
		for _, e := range v {
			w.value(name, e, depth+1)
		}
	case map[string]any:
		w.object(v, depth)
	}
}

func (w *walker) object(m map[string]any, depth int) {
	if labels, ok := m["labels"].(map[string]any); ok {
		if m["status"] == "resolved" {
			return
		}
		w.alert(texts(labels))
	}
	if href, ok := m["href"].(string); ok {
		text, _ := m["text"].(string)
		w.link(text, href)
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		switch {
		case k == "resolved": // Alertmanager's: alerts that fire no more
		case k == "href", k == "text" && m["href"] != nil:
		default:
			w.value(k, m[k], depth+1)
		}
	}
}

func texts(m map[string]any) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

// place notes where something is.
func (w *walker) place(name, value string) {
	rank, ok := placeRank(name)
	if !ok || value == "" || len(value) > 60 || strings.ContainsAny(value, " \t\r\n") {
		return
	}
	if old, known := w.scopes[value]; !known || rank < old {
		w.scopes[value] = rank
	}
}

// label notes a name and what it is.
func (w *walker) label(name, value string) {
	w.place(name, value)
	if name == "" || value == "" || len(name) > 100 || len(value) > 500 || len(w.labels) >= 4*mostFacts {
		return
	}
	if _, known := w.labels[name]; !known {
		w.labels[name] = value
	}
}

func (w *walker) key(k string) {
	if len(w.keys) < mostFacts && !slices.Contains(w.keys, k) {
		w.keys = append(w.keys, k)
	}
}

func (w *walker) text(name, s string, depth int) {
	switch {
	case len(s) > 0 && (s[0] == '{' || s[0] == '['):
		if v, ok := decodeAny([]byte(s)); ok {
			w.value(name, v, depth+1)
			return
		}
	case name == "tags":
		w.tags(s)
		return
	case strings.Contains(s, "Labels:"):
		w.alerts(s)
		return
	}
	if isRunbook(name) {
		w.setRunbook(s)
	}
	if strings.Contains(s, "://") {
		for _, l := range address.FindAllString(s, mostFacts) {
			w.link(name, l)
		}
	}
	switch name {
	case "", "type", "summary", "self", "subject", "description", "client", "client_url", "body", "body_content_type", "firing", "num_firing", "num_resolved":
	default:
		if k, v, ok := strings.Cut(s, ":"); ok && name == "tag" {
			w.label(k, v)
			return
		}
		w.label(name, strings.TrimSpace(s))
	}
}

var address = regexp.MustCompile("https?://[^\\s\"'<>`|\\\\{}^\\[\\]]+")

// tags are Datadog's: "env:prod, service:checkout".
func (w *walker) tags(s string) {
	for _, t := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' }) {
		if k, v, ok := strings.Cut(t, ":"); ok && !strings.HasPrefix(v, "//") {
			w.label(k, v)
			if isRunbook(k) {
				w.setRunbook(v)
			}
		}
	}
}

func (w *walker) setRunbook(s string) {
	if l := linkOf(strings.TrimSpace(s)); l != "" && w.runbook == "" {
		w.runbook = l
	}
}

var (
	monitorPath  = regexp.MustCompile(`/monitors/(\d{1,18})(?:/|$)`)
	incidentPath = regexp.MustCompile(`/incidents/(\d{1,18})(?:/|$)`)
)

// link reads what an address names. text is what is written on it.
func (w *walker) link(text, href string) {
	href = strings.TrimRight(href, ".,;:!?)")
	u, err := url.Parse(href)
	if err != nil || linkOf(href) == "" {
		return
	}
	if m := monitorPath.FindStringSubmatch(u.Path); m != nil {
		if id, err := strconv.ParseInt(m[1], 10, 64); err == nil {
			w.key(sources.MonitorKey(id))
		}
	}
	host := strings.ToLower(u.Hostname())
	if m := incidentPath.FindStringSubmatch(u.Path); m != nil && (strings.Contains(host, "datadog") || strings.Contains(host, "ddog")) {
		w.key(sources.IncidentKey("datadog", m[1]))
	}
	low := strings.ToLower(text)
	if w.hinted == "" && (strings.Contains(low, "runbook") || strings.Contains(low, "playbook")) {
		w.hinted = linkOf(href)
	}
}

// alerts reads the text of Alertmanager's default template for PagerDuty: for each alert its labels, its
// annotations and where it comes from.
func (w *walker) alerts(s string) {
	var labels map[string]string
	var into map[string]string
	last := ""
	flush := func() {
		if labels != nil {
			w.alert(labels)
		}
		labels = nil
	}
	for line := range strings.SplitSeq(s, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "Labels:":
			flush()
			labels, last = map[string]string{}, ""
			into = labels
		case trimmed == "Annotations:":
			into, last = map[string]string{}, ""
		case strings.HasPrefix(trimmed, "Source:"):
			w.text("source_url", strings.TrimSpace(strings.TrimPrefix(trimmed, "Source:")), deepest)
			flush()
			into = nil
		case into != nil && strings.HasPrefix(trimmed, "- ") && strings.Contains(trimmed, " ="):
			name, value, _ := strings.Cut(strings.TrimPrefix(trimmed, "- "), " =")
			last = strings.TrimSpace(name)
			into[last] = strings.TrimPrefix(value, " ")
			w.annotation(last, into[last])
		case into != nil && last != "":
			into[last] += "\n" + line
		}
	}
	flush()
}

// annotation looks at what an alert's text says under a name.
func (w *walker) annotation(name, value string) {
	if isRunbook(name) {
		w.setRunbook(value)
	}
	for _, l := range address.FindAllString(value, mostFacts) {
		w.link(name, l)
	}
}

// alert notes an alert by its labels.
func (w *walker) alert(labels map[string]string) {
	if labels["alertname"] == "" {
		return
	}
	w.key(sources.AlertKey(printed(labels)))
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		w.label(name, labels[name])
	}
}

var legacyName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// printed is a set of labels as Prometheus prints it.
func printed(labels map[string]string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(labels)) {
		if i > 0 {
			b.WriteString(", ")
		}
		if legacyName.MatchString(name) {
			b.WriteString(name)
		} else {
			b.WriteString(strconv.Quote(name))
		}
		b.WriteByte('=')
		b.WriteString(strconv.Quote(labels[name]))
	}
	b.WriteByte('}')
	return b.String()
}

// linkOf is s where it is an address that a browser may be sent to, and else "".
func linkOf(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" || len(s) > 2000 {
		return ""
	}
	var b strings.Builder
	for _, c := range []byte(s) {
		if c > ' ' && c < 0x7f {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
