package world

import "time"

// behaviour gives every service its usual numbers, its monitors, its objective and the people whom they
// wake.
func (s *script) behaviour() {
	for n, svc := range s.Services {
		k := 1 + 0.17*float64(n)
		svc.ID, svc.Policy = s.code("P", 7, "service", svc.Name), s.policyOf(svc.Team)
		svc.base = map[string]float64{
			ErrorRate: 0.04 / k, P95: 304 / k, Requests: 1420 / k, CPU: 58.9 / k, Memory: 72 / k, Disk: 64 / k, IOPS: 2375 / k,
		}
		// The rate has to be high for five minutes; the metrics come late.
		s.addMonitor(svc, Monitor{Name: "5xx above 2 % for 5m", Metric: ErrorRate, Limit: 2, For: 5*time.Minute + MetricDelay, Severity: 1})
		s.addMonitor(svc, Monitor{Name: "p95 above 1 s for 10m", Metric: P95, Limit: 1000, Warn: 600, For: 10*time.Minute + MetricDelay, Severity: 3, Silent: true})
		s.addMonitor(svc, Monitor{Name: "cpu above 80 % for 15m", Metric: CPU, Limit: 80, Warn: 70, For: 15 * time.Minute, Severity: 4, Silent: true})
		s.addMonitor(svc, Monitor{Name: "disk above 90 %", Metric: Disk, Limit: 90, Warn: 80, Severity: 3, Silent: true})
	}
}

// specials are what single services have beyond that.
func (s *script) specials() {
	checkout, ledger, billing := s.Service("checkout"), s.Service("ledger"), s.Service("billing-core")
	// v1.9.1 fails more often than what ran before it: too little to page anybody, and enough to eat a budget.
	checkout.base[ErrorRate] = 0.23
	checkout.moved = []usual{{ErrorRate, s.Opening.Add(-3 * day), 0.0058}}
	// The platform team ships by means that nobody else sees.
	first := billing.Repo.Branches[billing.Repo.Default]
	for _, target := range billing.Targets("prod") {
		billing.Live = append(billing.Live, Change{At: s.Now(), Stage: "prod", Target: target, SHA: first})
	}
	ledger.base[ReplicaLag] = 1.8
	billing.base[QueryTime] = 85
	s.addMonitor(ledger, Monitor{Name: "replica lag above 30s", Metric: ReplicaLag, Limit: 30, Warn: 15, For: 5*time.Minute - time.Second, Severity: 3})
	s.addMonitor(billing, Monitor{Name: "slow queries", Metric: QueryTime, Limit: 400, Warn: 250, For: 5*time.Minute - time.Second, Severity: 2})
	for _, x := range []struct {
		service string
		target  float64
	}{{"checkout", 99.95}, {"search", 99.9}, {"web", 99.9}, {"accounts", 99.9}, {"ledger", 99.95}, {"reports", 99.5}, {"billing-core", 99.9}} {
		s.addSLO(s.Service(x.service), x.service+" requests succeed", x.target, 30)
	}
}

// monitor is the monitor of a service on a metric.
func (s *Service) monitor(metric string) *Monitor {
	for _, m := range s.Monitors {
		if m.Metric == metric {
			return m
		}
	}
	return nil
}

// trouble makes a metric worse from then until then, counted back from the opening.
func (s *script) trouble(service, metric string, from, to time.Duration, add float64) {
	svc := s.Service(service)
	svc.Troubles = append(svc.Troubles, Trouble{Metric: metric, From: s.Opening.Add(-from), To: s.Opening.Add(-to), Add: add})
}

// fires are the incidents that no version of the story causes: those that are over, and two that last.
func (s *script) fires() {
	past := func(service, metric string, ago, length time.Duration, add float64, end func(*Incident)) {
		m := s.Service(service).monitor(metric)
		s.trouble(service, metric, ago+m.For, ago-length+time.Minute, add)
		s.ago(ago, func() {
			i := s.page(m, s.Now().Add(-m.For))
			s.after(3*time.Minute, func() { s.Acknowledge(i, i.Holder, "web") })
			s.after(length, func() { end(i) })
		})
	}
	recovered := func(i *Incident) { s.Resolve(i, nil, "monitor") }
	noted := func(by, text string) func(*Incident) {
		return func(i *Incident) {
			s.Write(i, text, s.by(by), "web")
			s.Resolve(i, s.by(by), "web")
		}
	}
	past("checkout", ErrorRate, 19*day, 24*time.Minute, 2.9, noted("sre3", "Rolled v1.8.4 back; the card form sent no token."))
	past("checkout", ErrorRate, 12*day+7*time.Hour, 31*time.Minute, 2.6, func(i *Incident) {
		s.flip("card_form_v2", i.Service, false, s.by("dev1"))
		s.Write(i, "Switched card_form_v2 off.", s.by("dev1"), "web")
		s.after(2*time.Minute, func() { recovered(i) })
	})
	past("checkout", ErrorRate, 4*day+3*time.Hour, 24*time.Minute, 3.1, recovered)
	past("ledger", ReplicaLag, 15*day, 50*time.Minute, 52, recovered)
	past("ledger", ReplicaLag, 6*day+5*time.Hour, 70*time.Minute, 44, noted("sre2", "Restarted the replica; it caught up."))
	past("search", ErrorRate, 9*day, 18*time.Minute, 2.4, recovered)
	past("billing-core", QueryTime, 8*day, 40*time.Minute, 510, noted("dev5", "Dropped the unused index build."))

	s.settings()
	s.trouble("ledger", ReplicaLag, 50*time.Minute, -95*time.Minute, 41)
	s.ago(41*time.Minute, func() { s.Acknowledge(s.newest("ledger"), s.by("sre1"), "web") })
	s.trouble("billing-core", QueryTime, 21*time.Minute, -40*time.Minute, 560)
	s.ago(12*time.Minute, func() { s.Acknowledge(s.newest("billing-core"), s.by("dev5"), "web") })
	// search reindexes: its cpu is high, and somebody has said so.
	s.trouble("search", CPU, 100*time.Minute, -80*time.Minute, 38)
	s.ago(105*time.Minute, func() {
		s.Mute(s.Service("search").monitor(CPU), "env:prod", "reindexing after the synonyms change", s.Opening.Add(90*time.Minute), s.by("dev2"))
	})
}

// settings are the changes of configuration and flags, besides the one that the story is about.
func (s *script) settings() {
	s.ago(9*day, func() { s.flip("new_basket", s.Service("checkout"), true, s.by("dev1")) })
	s.ago(26*time.Hour, func() { s.configure("checkout", "card token timeout 2s → 3s", "tokens.timeout", "2s", "3s", "dev4") })
	s.ago(7*time.Hour, func() { s.configure("search", "result cache 10m → 15m", "cache.ttl", "10m", "15m", "dev2") })
	s.ago(72*time.Minute, func() { s.configure("ledger", "replica batch window 200 → 500", "replica.batch", 200, 500, "dev2") })
	s.ago(80*time.Minute, func() {
		s.configure("billing-core", "statement pool 40 → 60", "db.pool", 40, 60, "dev5")
	})
	s.ago(3*time.Hour, func() {
		s.Tell(ChangeEvent{Kind: OtherEvent, Summary: "CDN: new certificate", Source: "cdn.example.com", Link: "https://cdn.example.com/certificates"})
	})
}

// newest is the newest incident of a service.
func (s *script) newest(service string) *Incident {
	for n := len(s.Incidents) - 1; n >= 0; n-- {
		if s.Incidents[n].Service.Name == service {
			return s.Incidents[n]
		}
	}
	return nil
}
