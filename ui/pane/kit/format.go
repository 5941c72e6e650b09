// Package kit is what panes share: how states, ages and durations look, columns that adapt to a width,
// what a pane says when it has nothing to show, the filter of a list.
//
// It knows the domain and the theme, and no pane.
package kit

import (
	"fmt"
	"strconv"
	"time"

	"example.com/signalbox/sources/clean"
)

// Age is how long d is, in the coarsest unit that says something, in at most three columns: "now",
// "5m", "23h", "9d", "14w", "2y".
func Age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d < 2*day:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	case d < 100*day:
		return strconv.Itoa(int(d/day)) + "d"
	case d < 700*day:
		return strconv.Itoa(int(d/(7*day))) + "w"
	default:
		return strconv.Itoa(min(99, int(d/(365*day)))) + "y"
	}
}

// AgeSince is the Age of t at now; "" when t is unknown.
func AgeSince(now, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return Age(now.Sub(t))
}

// Ago is AgeSince in words: "5m ago", "just now"; "" when t is unknown.
func Ago(now, t time.Time) string {
	switch a := AgeSince(now, t); a {
	case "":
		return ""
	case "now":
		return "just now"
	default:
		return a + " ago"
	}
}

// Span is Age with the seconds of the first minute: "45s", "3m", "5h", "12d".
func Span(d time.Duration) string {
	if d = max(0, d); d < time.Minute {
		return Took(d.Truncate(time.Second))
	}
	return Age(d)
}

// Took is a duration in its two largest units: "48s", "3m12s", "1h05m", "2d03h".
func Took(d time.Duration) string {
	d = max(0, d).Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	}
}

// Minutes is how long d is without seconds, for what moves while nobody counts: "<1m", "2m", "1h05m", "3h".
func Minutes(d time.Duration) string {
	if d < time.Minute {
		return "<1m"
	}
	return clean.Elapsed(d)
}

// Clock is when something was, as short as it stays clear: the time today, else the day too.
func Clock(now, t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	now, t = now.In(zone), t.In(zone)
	switch {
	case now.YearDay() == t.YearDay() && now.Year() == t.Year():
		return t.Format("15:04")
	case now.Sub(t) < 300*24*time.Hour:
		return t.Format("2 Jan 15:04")
	default:
		return t.Format("2 Jan 2006")
	}
}

// Bytes is a size: "812 B", "3.1 MB".
func Bytes(n int64) string {
	const k = 1000
	if n < k {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n), ""
	for _, u := range []string{"kB", "MB", "GB", "TB"} {
		v, unit = v/k, u
		if v < k-0.05 {
			break
		}
	}
	if v >= 99.95 {
		return fmt.Sprintf("%.0f %s", v, unit)
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}

// Text makes one line of a string that the program itself composed.
func Text(s string) clean.Text { return clean.Line(s) }
