package datadog

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// wireSLO is an objective as the search finds it: with how it stands.
type wireSLO struct {
	Data struct {
		ID         text `json:"id"`
		Attributes struct {
			Name        text             `json:"name"`
			Tags        words            `json:"all_tags"`
			ServiceTags words            `json:"service_tags"`
			TeamTags    words            `json:"team_tags"`
			Overall     some[wireStatus] `json:"overall_status"`
			Status      wireOneStatus    `json:"status"` // over the first window
			Query       wireSLOQuery     `json:"query"`
			Thresholds  some[wireLimit]  `json:"thresholds"`
		} `json:"attributes"`
	} `json:"data"`
}

type wireSLOQuery struct {
	Numerator   text `json:"numerator"`
	Denominator text `json:"denominator"`
}

// wireStatus is how an objective stands over one of its windows.
type wireStatus struct {
	Error  text    `json:"error"`
	Budget *number `json:"error_budget_remaining"` // percent
	Status *number `json:"status"`                 // percent
	State  text    `json:"state"`
	Target number  `json:"target"`
	Window text    `json:"timeframe"`
}

type wireOneStatus struct {
	Error  text    `json:"calculation_error"`
	Budget *number `json:"error_budget_remaining"` // percent
	SLI    *number `json:"sli"`                    // percent
	State  text    `json:"state"`
}

type wireLimit struct {
	Target number `json:"target"`
	Window text   `json:"timeframe"`
}

type sloPage struct {
	Data *struct {
		Attributes struct {
			SLOs some[wireSLO] `json:"slos"`
		} `json:"attributes"`
	} `json:"data"`
	Meta struct {
		Pagination struct {
			Total whole `json:"total"`
		} `json:"pagination"`
	} `json:"meta"`
}

func (p *sloPage) valid() error {
	if p.Data == nil || !p.Data.Attributes.SLOs.Given {
		return unlike("list of SLOs")
	}
	return nil
}

// definedSLO is an objective as it was defined: without how it stands.
type definedSLO struct {
	ID         text            `json:"id"`
	Name       text            `json:"name"`
	Tags       words           `json:"tags"`
	Thresholds some[wireLimit] `json:"thresholds"`
	Query      wireSLOQuery    `json:"query"`
}

type oneSLO struct {
	Data   definedSLO `json:"data"`
	Errors words      `json:"errors"`
}

func (o *oneSLO) valid() error {
	if o.Data.ID == "" {
		return unlike("SLO")
	}
	return nil
}

// historyReply is how an objective stood over any stretch of time.
type historyReply struct {
	Data *struct {
		Overall *struct {
			SLI    *number              `json:"sli_value"`
			Budget table[number]        `json:"error_budget_remaining"`
			Errors some[wireSLOTrouble] `json:"errors"`
			State  text                 `json:"state"`
		} `json:"overall"`
	} `json:"data"`
	Errors some[struct {
		Error text `json:"error"`
	}] `json:"errors"`
}

type wireSLOTrouble struct {
	Message text `json:"error_message"`
	Type    text `json:"error_type"`
}

func (h *historyReply) valid() error {
	if h.Data != nil && h.Data.Overall != nil {
		return nil
	}
	for _, e := range h.Errors.Items {
		if e.Error != "" {
			return &sources.Error{Kind: sources.Invalid, Msg: "Datadog cannot tell the SLO's history: " + clean.Line(string(e.Error)).String()}
		}
	}
	return unlike("history")
}

// past is what a history says.
type past struct {
	sli     float64 // percent; NaN when it is not known
	budget  map[string]float64
	silence string // why it is not known: "no traffic"
}

func (h *historyReply) past() past {
	p := past{sli: math.NaN(), budget: map[string]float64{}}
	if v, ok := h.Data.Overall.SLI.known(); ok {
		p.sli = v
	}
	for window, left := range h.Data.Overall.Budget {
		if v, ok := left.known(); ok {
			p.budget[window] = v
		}
	}
	for _, e := range h.Data.Overall.Errors.Items {
		if e.Type == "ZERO_VALUED_DENOMINATOR" {
			p.silence = noTraffic
		} else if p.silence == "" {
			p.silence = clean.Line(string(cmp.Or(e.Message, e.Type))).String()
		}
	}
	if math.IsNaN(p.sli) && p.silence == "" {
		p.silence = noData
	}
	return p
}

const (
	noTraffic   = "no traffic"
	noData      = "no data"
	sloPageSize = 100
)

// windowOf is how long one of Datadog's timeframes is; 0 for one that has no length of its own.
func windowOf(frame text) time.Duration {
	days, ok := strings.CutSuffix(string(frame), "d")
	n, err := strconv.Atoi(days)
	if !ok || err != nil || n <= 0 || n > 3660 {
		return 0
	}
	return time.Duration(n) * 24 * time.Hour
}

func sloState(word text) sources.MonitorState {
	switch word {
	case "ok":
		return sources.MonitorOK
	case "warning":
		return sources.MonitorWarn
	case "breached":
		return sources.MonitorAlert
	case "no_data":
		return sources.MonitorNoData
	default:
		return sources.MonitorUnknown
	}
}

// ListSLOs lists the objectives that the config names, and those that carry a configured service's tag.
// The list and how each stands come in one request a page. Burn rates need a history each: they are read
// for those that the config names and for services that somebody looks at, the short windows only where
// the long ones burn or somebody looks, and each is kept for a tenth of the time that it is about.
func (s *source) ListSLOs(ctx context.Context, q sources.Query) (sources.Batch[sources.SLO], error) {
	return list(ctx, s, "SLOs", q, func(ctx context.Context) (sources.Batch[sources.SLO], error) {
		var notices noticeBox
		all, err := s.slos(ctx, &notices)
		if err != nil {
			return sources.Batch[sources.SLO]{}, err
		}
		specs := map[string]sources.SLOSpec{}
		for i := range q.Services {
			for _, spec := range q.Services[i].SLOs {
				spec.Service = cmp.Or(spec.Service, q.Services[i].Name)
				specs[spec.ID] = spec
			}
		}
		own := s.owners(q.Services)
		var items, judged []*sources.SLO
		for _, w := range all {
			spec, configured := specs[string(w.Data.ID)]
			slo := s.slo(w, spec, own)
			if slo.Service == "" && len(q.Services) > 0 {
				continue
			}
			items = append(items, slo)
			if configured || q.Followed {
				judged = append(judged, slo)
			}
			delete(specs, string(w.Data.ID))
		}
		missing(specs, &notices)
		now := q.Now
		if now.IsZero() {
			now = s.env.Now()
		}
		if err := each(ctx, judged, func(ctx context.Context, slo *sources.SLO) error { return s.burn(ctx, &notices, slo, now, q.Followed) }); err != nil {
			return sources.Batch[sources.SLO]{}, err
		}
		b := sources.Batch[sources.SLO]{Items: []sources.SLO{}, Notices: notices.list()}
		for _, slo := range items {
			if slices.ContainsFunc(slo.Burns, burns) {
				b.Busy = sources.Live
			}
			b.Items = append(b.Items, *slo)
		}
		return b, nil
	})
}

// burns reports that the budget is used up faster than it lasts.
func burns(b sources.Burn) bool { return b.Rate.Known() && b.Rate > 1 }

// missing notes which objectives of the config Datadog does not have.
func missing(specs map[string]sources.SLOSpec, notices *noticeBox) {
	for id, spec := range specs {
		if id != "" {
			notices.add(sources.Notice{
				Scope: spec.Service, Kind: sources.NotExist, Text: clean.Linef("Datadog has no SLO %s", id),
				Fix: clean.Linef("take it out of slos: of %s, or check that the key may see it", spec.Service),
			})
		}
	}
}

func (s *source) slos(ctx context.Context, notices *noticeBox) ([]*wireSLO, error) {
	var out []*wireSLO
	seen := map[text]bool{}
	for page := range mostPages {
		p, err := fetch[sloPage](ctx, s, call{op: opSLOs, query: url.Values{
			"page[size]": {strconv.Itoa(sloPageSize)}, "page[number]": {strconv.Itoa(page)},
		}})
		if err != nil {
			return nil, err
		}
		got := &p.Data.Attributes.SLOs
		for i := range got.Items {
			w := &got.Items[i]
			if w.Data.ID == "" {
				notices.odd("SLOs", 1)
			} else if !seen[w.Data.ID] {
				seen[w.Data.ID] = true
				out = append(out, w)
			}
		}
		notices.odd("SLOs", got.Bad)
		n := len(got.Items) + got.Bad
		if n < sloPageSize || int(p.Meta.Pagination.Total) > 0 && page*sloPageSize+n >= int(p.Meta.Pagination.Total) {
			break
		}
	}
	return out, nil
}

// slo is w for the domain, without its burn rates.
func (s *source) slo(w *wireSLO, spec sources.SLOSpec, own owners) *sources.SLO {
	at := &w.Data.Attributes
	status := chosen(at.Overall.Items, spec.Window)
	if len(at.Overall.Items) == 0 {
		status.Error, status.Budget, status.Status, status.State = at.Status.Error, at.Status.Budget, at.Status.SLI, at.Status.State
	}
	if math.IsNaN(float64(status.Target)) || status.Target == 0 {
		limit := chosenLimit(at.Thresholds.Items, cmp.Or(status.Window, text("")))
		status.Target, status.Window = limit.Target, cmp.Or(status.Window, limit.Window)
	}
	slo := s.newSLO(string(w.Data.ID), at.Name, status.Target, status.Window, spec)
	tags := slices.Concat(at.Tags, at.ServiceTags)
	slo.Service = cmp.Or(spec.Service, own.of(append(tagged(tags, own.tag), at.ServiceTags...)...),
		own.of(within(string(at.Query.Numerator+" "+at.Query.Denominator), own.tag)...))
	slo.State = sloState(status.State)
	if v, ok := status.Status.known(); ok {
		slo.Value = sources.Number(v)
	}
	if v, ok := status.Budget.known(); ok {
		slo.Budget = sources.Number(v / 100)
	}
	if !slo.Value.Known() {
		slo.Note = why(status, at.Query.Denominator != "")
	}
	slo.Revision = revisionOf(slo)
	return slo
}

// why is what keeps an objective from having a value. One that counts events has none without any.
func why(status wireStatus, counts bool) clean.Text {
	switch {
	case status.Error != "":
		return clean.Line(string(status.Error))
	case status.State == "no_data" && counts:
		return clean.Const(noTraffic)
	case status.State == "no_data":
		return clean.Const(noData)
	default:
		return clean.Const("Datadog has not computed it yet")
	}
}

func (s *source) newSLO(id string, name text, target number, window text, spec sources.SLOSpec) *sources.SLO {
	unknown := sources.Number(math.NaN())
	slo := &sources.SLO{
		Ref: s.ref(sources.KindSLO, "", plain(id)), Name: clean.Line(cmp.Or(spec.Name, string(name))),
		Window: cmp.Or(windowOf(window), spec.Window), Value: unknown, Budget: unknown, Traffic: unknown, Service: spec.Service,
		State: sources.MonitorUnknown, URL: s.app + "/slo/manage?slo_id=" + url.QueryEscape(id),
	}
	if v, ok := target.known(); ok && v > 0 && v <= 100 {
		slo.Target = v
	} else {
		slo.Target = spec.Target
	}
	return slo
}

func revisionOf(slo *sources.SLO) sources.Revision {
	return fingerprint(slo.State, slo.Name, slo.Target, slo.Value, slo.Budget, slo.Window)
}

// chosen is the status over the window that the config asks for, else the first one.
func chosen(all []wireStatus, window time.Duration) wireStatus {
	for _, st := range all {
		if window > 0 && windowOf(st.Window) == window {
			return st
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return wireStatus{Target: number(math.NaN())}
}

func chosenLimit(all []wireLimit, window text) wireLimit {
	for _, l := range all {
		if l.Window == window {
			return l
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return wireLimit{Target: number(math.NaN())}
}

// burnWindows are pairs of a long window and the short one that tells whether it still burns.
func burnWindows() [][2]time.Duration {
	return [][2]time.Duration{{time.Hour, 5 * time.Minute}, {6 * time.Hour, 30 * time.Minute}}
}

// burn fills in how fast slo's budget burns: the rate of bad events over a window, as a multiple of the
// rate that would use the budget up exactly. The short window of a pair is read where every one is wanted,
// where the long one burns, and where Datadog judges the objective bad: then it tells whether that is over.
func (s *source) burn(ctx context.Context, notices *noticeBox, slo *sources.SLO, now time.Time, every bool) error {
	every = every || slo.State == sources.MonitorAlert || slo.State == sources.MonitorWarn
	for _, pair := range burnWindows() {
		for i, over := range pair {
			if i > 0 && !every && !burns(slo.Burns[len(slo.Burns)-1]) {
				continue
			}
			p, err := s.history(ctx, slo.Ref.ID, now, over)
			if err != nil {
				slo.Burns = nil
				return notices.bearable(ctx, slo.Service, fmt.Sprintf("how fast the budget of %s burns", slo.Name), err)
			}
			b := sources.Burn{Over: over, Rate: sources.Number(math.NaN())}
			if allowed := 100 - slo.Target; allowed > 0 && !math.IsNaN(p.sli) {
				b.Rate = sources.Number(max(0, 100-p.sli) / allowed)
			}
			slo.Burns = append(slo.Burns, b)
			if over == 6*time.Hour && p.silence == noTraffic && slo.Note.IsZero() && !slo.Value.Known() {
				slo.Note = clean.Const(noTraffic)
			}
		}
	}
	slices.SortFunc(slo.Burns, func(a, b sources.Burn) int { return cmp.Compare(a.Over, b.Over) })
	return nil
}

// history reads how an objective stood over the time before now, and keeps it for a tenth of that time;
// for half of it where Datadog does not answer, or asks to slow down.
func (s *source) history(ctx context.Context, id string, now time.Time, over time.Duration) (past, error) {
	return keepFor(ctx, s, fmt.Sprintf("history %s %s", id, over), max(time.Minute, over/10), over/2, func(ctx context.Context) (past, error) {
		to := now.Truncate(time.Minute)
		h, err := fetch[historyReply](ctx, s, call{op: opSLOHistory, args: []string{id}, query: url.Values{
			"from_ts": {strconv.FormatInt(to.Add(-over).Unix(), 10)}, "to_ts": {strconv.FormatInt(to.Unix(), 10)},
		}, as: id + " " + over.String()})
		if err != nil {
			return past{}, err
		}
		return h.past(), nil
	})
}

// getSLO reads one objective anew: what it is, and how it stands over its own window.
func (s *source) getSLO(ctx context.Context, id string) (sources.SLO, error) {
	var none sources.SLO
	o, err := fetch[oneSLO](ctx, s, call{op: opSLO, args: []string{id}})
	if err != nil {
		return none, err
	}
	spec := s.specOf(id)
	limit := chosenLimit(o.Data.Thresholds.Items, text(fmt.Sprintf("%dd", int(spec.Window.Hours()/24))))
	slo := s.newSLO(id, o.Data.Name, limit.Target, limit.Window, spec)
	own := s.owners(s.services("SLOs"))
	slo.Service = cmp.Or(spec.Service, own.of(tagged(o.Data.Tags, own.tag)...))
	if slo.Window > 0 {
		p, err := s.history(ctx, id, s.env.Now(), slo.Window)
		if err != nil {
			return none, err
		}
		slo.Value, slo.State = sources.Number(p.sli), stateOf(p, slo.Target)
		if allowed := 100 - slo.Target; slo.Value.Known() && allowed > 0 {
			slo.Budget = sources.Number((p.sli - slo.Target) / allowed)
		}
		if left, ok := p.budget[string(limit.Window)]; ok {
			slo.Budget = sources.Number(left / 100)
		}
		slo.Note = clean.Line(p.silence)
	}
	slo.Burns = nil
	slo.Revision = revisionOf(slo)
	return *slo, nil
}

func stateOf(p past, target float64) sources.MonitorState {
	switch {
	case math.IsNaN(p.sli):
		return sources.MonitorNoData
	case p.sli < target:
		return sources.MonitorAlert
	default:
		return sources.MonitorOK
	}
}

// specOf is what the config said of an objective when it was last listed.
func (s *source) specOf(id string) sources.SLOSpec {
	for _, service := range s.services("SLOs") {
		for _, spec := range service.SLOs {
			if spec.ID == id {
				spec.Service = cmp.Or(spec.Service, service.Name)
				return spec
			}
		}
	}
	return sources.SLOSpec{}
}

// services are those that a list was last asked for.
func (s *source) services(name string) []sources.ServiceSpec {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[name]
}
