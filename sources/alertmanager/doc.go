// Package alertmanager reads a cluster of Prometheus Alertmanagers: its groups of alerts are incidents, and
// a silence is how one is acknowledged. It speaks version 2 of the API, which knows neither pages nor
// conditional requests: a list is one request, and its answer is remembered by its bytes.
package alertmanager
