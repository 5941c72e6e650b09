// Package datadog tells the simulated world as Datadog's API would: metrics by the query language of
// package mql, monitors, downtimes, objectives, incidents, events, deployments, teams, shifts and pages;
// with its headers, paging, rate limits and refusals. Its types are its own.
//
// The metrics are world.Measures; every series has the tags service, team, env and region. What people look
// at is
//
//	100 * sum:http.errors{service:checkout,env:prod}.as_count() / sum:http.hits{service:checkout,env:prod}.as_count()
//	sum:http.hits{service:checkout,env:prod}.as_rate()
//	avg:http.latency.p95{service:checkout,env:prod}
//	avg:system.cpu.used{service:checkout,env:prod}
//
// and so on: counts are summed over regions, gauges averaged. The newest world.MetricDelay is not known yet.
//
// Incidents of severity 1 and 2 are declared in Datadog too, by whoever acknowledges them first; their
// summary and their attachments link to the monitor, the pager's incident and the On-Call page. That page's
// identity works for its verbs, and cannot be had anywhere else.
//
// Everything about one request happens under the world's lock but the writing of the answer.
package datadog
