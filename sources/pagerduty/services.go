package pagerduty

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

const (
	servicesFor      = 10 * time.Minute // how long the list of services is believed
	mostServicePages = mostItems / pageSize
	mostSingles      = 30 // services that are read one by one: those of other teams
)

// claims tells which configured service a service of PagerDuty's is.
type claims struct {
	byID   map[string]string
	byName map[string]string
}

func claimsOf(specs []sources.ServiceSpec) claims {
	c := claims{byID: map[string]string{}, byName: map[string]string{}}
	for _, sp := range specs {
		for _, id := range sp.Incidents {
			if _, taken := c.byID[id]; !taken {
				c.byID[id] = sp.Name
			}
		}
		name := strings.ToLower(sp.Name)
		if _, taken := c.byName[name]; !taken && len(sp.Incidents) == 0 {
			c.byName[name] = sp.Name
		}
	}
	return c
}

// of is the configured service for r; "" when none claims it.
func (c claims) of(r wireRef) string {
	if name, ok := c.byID[r.ID]; ok {
		return name
	}
	return c.byName[strings.ToLower(strings.TrimSpace(r.called()))]
}

// catalog is PagerDuty's services, as far as the config's teams and services want them.
type catalog struct {
	services []wireService
	notices  []sources.Notice
	at       time.Time
	asked    string
}

// services lists PagerDuty's services, and those that specs name by id wherever they are. It is asked every
// few minutes: services change seldom.
func (s *source) services(ctx context.Context, specs []sources.ServiceSpec) (*catalog, error) {
	var ids []string
	for _, sp := range specs {
		ids = append(ids, sp.Incidents...)
	}
	asked := strings.Join(ids, " ")
	s.mu.Lock()
	have := s.catalog
	s.mu.Unlock()
	if have != nil && have.asked == asked && s.env.Now().Sub(have.at).Abs() < servicesFor && !isFresh(ctx) {
		return have, nil
	}
	all, cut, err := s.listServices(ctx)
	if err != nil {
		return nil, err
	}
	c := &catalog{services: all, at: s.env.Now(), asked: asked}
	if cut {
		c.notices = append(c.notices, sources.Notice{Kind: sources.Unsupported, Text: clean.Linef("there are more than %d services: the rest is not looked at", len(all)), Fix: clean.Const("set teams: to narrow them")})
	}
	read := 0
	for _, id := range ids {
		if slices.ContainsFunc(c.services, func(w wireService) bool { return w.ID == id }) || read >= mostSingles {
			continue
		}
		read++
		w, err := s.service(ctx, id)
		if err != nil {
			if fatal(ctx, err) || !lasts(sources.KindOf(err)) {
				return nil, err
			}
			c.notices = append(c.notices, sources.Notice{Scope: id, Kind: sources.KindOf(err), Text: clean.Linef("the service %s cannot be read: %s", id, sentence(err)), Fix: clean.Const("check incidents: in the config: the id stands at the end of the address of the service's page")})
			continue
		}
		c.services = append(c.services, *w)
	}
	s.mu.Lock()
	s.catalog = c
	s.mu.Unlock()
	return c, nil
}

func (s *source) listServices(ctx context.Context) ([]wireService, bool, error) {
	q := url.Values{"include[]": {"teams"}, "sort_by": {"name"}}
	if len(s.cfg.Teams) > 0 {
		q["team_ids[]"] = s.cfg.Teams
	}
	return pages[wireServices](ctx, s, "services", "/services", q, 0, mostServicePages, func(w wireService) string { return known(w.ID) })
}

func (s *source) service(ctx context.Context, id string) (*wireService, error) {
	if known(id) == "" {
		return nil, &sources.Error{Kind: sources.Invalid, Msg: oneLine(id) + " is no id of PagerDuty's", Fix: "write the id at the end of the address of the service's page: PABC123"}
	}
	w, err := one[wireOneService](ctx, s, "/services/"+id, nil)
	return w.Service, err
}

// lasts reports that only a person can mend an error of kind k.
func lasts(k sources.ErrKind) bool {
	return k == sources.Permission || k == sources.NotExist || k == sources.Unsupported || k == sources.Invalid
}
