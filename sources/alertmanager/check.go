package alertmanager

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/httpx"
)

// checked is what one replica said of itself.
type checked struct {
	server wireServer
	header http.Header
	alerts []wireAlert
	err    error
}

// Check looks at each replica: whether it answers, its version, its clock, its cluster; whether the replicas
// are of one cluster; and whether alerts have the labels that the config names.
func (s *source) Check(ctx context.Context) []sources.Finding {
	all := make([]checked, len(s.replicas))
	var wg sync.WaitGroup
	for i, r := range s.replicas {
		wg.Go(func() { all[i] = s.checkReplica(ctx, r) })
	}
	wg.Wait()
	var f httpx.Findings
	for i, r := range s.replicas {
		s.report(&f, r, &all[i])
	}
	s.checkCluster(&f, all)
	for i := range all {
		if all[i].err == nil {
			s.checkLabels(&f, all[i].alerts)
			break
		}
	}
	return f
}

func (s *source) checkReplica(ctx context.Context, r *replica) (c checked) {
	var body []byte
	if body, c.header, c.err = r.send(ctx, http.MethodGet, "/api/v2/status", nil, nil); c.err != nil {
		return c
	}
	if c.server, c.err = decodeServer(body); c.err != nil {
		return c
	}
	if body, _, c.err = r.send(ctx, http.MethodGet, "/api/v2/alerts", s.groupQuery(), nil); c.err != nil {
		return c
	}
	c.alerts, c.err = decodeAlerts(body)
	return c
}

func (s *source) report(f *httpx.Findings, r *replica, c *checked) {
	what := "Alertmanager " + r.name()
	if c.header != nil {
		checkClock(f, r.name(), c.header, s.env.Now())
	}
	if c.err != nil {
		f.Fail(what, c.err)
		return
	}
	detail := fmt.Sprintf("version %s, %d alerts", cmp.Or(c.server.VersionInfo.Version, "unknown"), len(c.alerts))
	switch c.server.Cluster.Status {
	case "ready":
		detail += fmt.Sprintf(", in a cluster of %d", len(c.server.Cluster.Peers))
	case "settling":
		f.Add(sources.LevelWarn, what, "is still joining its cluster", "wait, and check again")
	}
	f.Add(sources.LevelOK, what, detail, "")
}

// checkCluster compares what the replicas see of each other. Two that do not belong together would show
// other alerts each time the one that is read changes.
func (s *source) checkCluster(f *httpx.Findings, all []checked) {
	most := 0
	for i := range all {
		if all[i].err == nil {
			most = max(most, len(all[i].server.Cluster.Peers))
		}
	}
	if most > len(s.replicas) {
		f.Add(sources.LevelWarn, "replicas", fmt.Sprintf("the cluster has %d, and %d are configured", most, len(s.replicas)),
			"name all of them as urls: alerts stay visible while one is down")
	}
	for i := range all {
		for j := range all[:i] {
			if all[i].err == nil && all[j].err == nil && !sameCluster(&all[i].server, &all[j].server) {
				f.Add(sources.LevelFail, "replicas", s.replicas[j].name()+" and "+s.replicas[i].name()+" are not of one cluster",
					"make each a source of its own")
				return
			}
		}
	}
}

// sameCluster reports whether two servers know each other. One that clustering is off for says nothing.
func sameCluster(a, b *wireServer) bool {
	if a.Cluster.Status != b.Cluster.Status && (a.Cluster.Status == "disabled" || b.Cluster.Status == "disabled") {
		return false
	}
	if a.Cluster.Status == "disabled" || len(a.Cluster.Peers) == 0 || len(b.Cluster.Peers) == 0 {
		return a.Cluster.Status != "disabled"
	}
	for _, p := range a.Cluster.Peers {
		for _, q := range b.Cluster.Peers {
			if p.Name == q.Name {
				return true
			}
		}
	}
	return false
}

// checkLabels tells how many of the current alerts have the labels that services and severities are read
// from.
func (s *source) checkLabels(f *httpx.Findings, alerts []wireAlert) {
	if len(alerts) == 0 {
		return
	}
	for _, l := range []struct{ key, label string }{{"service_label", s.cfg.ServiceLabel}, {"severity_label", s.cfg.SeverityLabel}} {
		without := 0
		for i := range alerts {
			if alerts[i].Labels[l.label] == "" {
				without++
			}
		}
		if without > 0 {
			f.Add(sources.LevelWarn, "label "+l.label, fmt.Sprintf("%d of %d alerts do not have it", without, len(alerts)),
				"add it to the alerting rules, or set "+l.key+" to the label that they have")
		}
	}
}

func checkClock(f *httpx.Findings, who string, h http.Header, now time.Time) {
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	skew := now.Sub(at).Abs()
	fix := "set both clocks, for example with NTP"
	switch {
	case skew > 5*time.Minute:
		f.Add(sources.LevelFail, "clock", fmt.Sprintf("is %s off that of %s", skew.Round(time.Second), who), fix)
	case skew > 30*time.Second:
		f.Add(sources.LevelWarn, "clock", fmt.Sprintf("is %s off that of %s: ages will be wrong", skew.Round(time.Second), who), fix)
	}
}

// Discover proposes a service for each value of the service label that fires now. What is quiet is not
// known here: Prometheus knows it.
func (s *source) Discover(ctx context.Context) ([]sources.Proposal, error) {
	cur, err := s.current(ctx)
	if err != nil {
		return nil, httpx.Explain("discover services", "", err)
	}
	type seen struct {
		alerts int
		teams  map[string]bool
	}
	services := map[string]*seen{}
	var names []string
	for _, g := range cur.groups {
		for i := range g.Alerts {
			labels := g.Alerts[i].Labels
			name := plain(labels[s.cfg.ServiceLabel])
			if name == "" {
				continue
			}
			if services[name] == nil {
				services[name] = &seen{teams: map[string]bool{}}
				names = append(names, name)
			}
			services[name].alerts++
			if team := plain(labels[s.cfg.TeamLabel]); team != "" {
				services[name].teams[team] = true
			}
		}
	}
	slices.Sort(names)
	var out []sources.Proposal
	for _, name := range names {
		p := sources.Proposal{
			Service: name, Incidents: []string{name}, Confidence: 0.5,
			Why: []string{
				fmt.Sprintf("%d alerts fire with %s=%s", services[name].alerts, s.cfg.ServiceLabel, name),
				"only what fires now is known here",
			},
		}
		teams := slices.Sorted(maps.Keys(services[name].teams))
		switch len(teams) {
		case 0:
		case 1:
			p.Team = teams[0]
		default:
			p.Why = append(p.Why, "unsure whose it is: "+strings.Join(teams, ", "))
		}
		out = append(out, p)
	}
	return out, nil
}
