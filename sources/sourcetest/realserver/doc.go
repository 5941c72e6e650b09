// Package realserver runs real monitoring servers for tests: Prometheus, Alertmanagers, a pushgateway and a
// node exporter, on free ports of this machine's loopback, in a temporary folder. They are stopped by
// process, and end with the test's process at the latest. Only tests import it.
//
// Starting takes seconds, most of them Prometheus' discovery of its Alertmanagers; so a package starts them
// once (Shared), and a test flips a metric.
package realserver
