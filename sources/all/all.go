// Package all lists the kinds of source that signalbox knows.
package all

import (
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/alertmanager"
	"example.com/signalbox/sources/datadog"
	"example.com/signalbox/sources/github"
	"example.com/signalbox/sources/pagerduty"
	"example.com/signalbox/sources/prometheus"
)

// Drivers are all kinds of source, by name. The slice is the caller's.
func Drivers() []sources.Driver {
	return []sources.Driver{
		alertmanager.Driver(),
		datadog.Driver(),
		github.Driver(),
		pagerduty.Driver(),
		prometheus.Driver(),
	}
}
