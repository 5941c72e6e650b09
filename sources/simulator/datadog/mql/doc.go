// Package mql reads and evaluates the part of Datadog's metric query language that dashboards use:
//
//	100 * sum:trace.http.request.errors{service:checkout}.as_count() / sum:trace.http.request.hits{service:checkout}.as_count()
//	p95:trace.http.request{env:prod AND NOT region:us} by {service,region}
//	week_before(avg:system.cpu.user{*}.rollup(max, 300))
//
// It knows no provider's wire format and does no I/O: where values come from is a Data.
package mql
