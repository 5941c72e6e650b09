// Package prometheus reads Prometheus and the stores that speak its API: Mimir, Thanos, VictoriaMetrics,
// Grafana Cloud. What such a store does not have is a quiet notice, not a failure.
//
// Requests are built and answers decoded by client_golang's own API client; this package carries them over
// its own transport and remembers answers by their bytes.
package prometheus
