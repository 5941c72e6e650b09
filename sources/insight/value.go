package insight

import (
	"math"
	"strconv"
	"strings"

	"example.com/signalbox/sources/clean"
)

// FormatValue writes a number as people do, scaled and with its unit: 912 ms, 1.2 k/s, 4.1 %, 2.1 GiB,
// 49 req/s. Two digits tell; from 10 on there are no decimals, except that a percentage never reads 100 %
// below that. NaN is "no data".
//
// Units: % and percent; ratio (of 1, shown as percent); ns, us, ms, s, min, h and their long names, scaled
// from µs to hours; B, KB … TB, KiB … TiB and their long names, scaled by 1024; bit and bits by 1000; any
// of these per second ("B/s", "bytes/s"); rates (1/s, req/s, rps, /min, …) and every other unit, scaled by
// 1000. A unit that is not known is written as it is.
func FormatValue(v float64, unit string) clean.Text {
	if math.IsNaN(v) {
		return clean.Const("no data")
	}
	if math.IsInf(v, 0) {
		return clean.Line(strconv.FormatFloat(v, 'g', -1, 64))
	}
	base, per, _ := strings.Cut(strings.TrimSpace(clean.Line(unit).String()), "/")
	base, per = strings.TrimSpace(base), strings.TrimSpace(per)
	switch name := strings.ToLower(base); name {
	case "%", "percent":
		return withUnit(percentDigits(v), "%", per)
	case "ratio", "fraction", "percentunit":
		return withUnit(percentDigits(100*v), "%", per)
	case "rps", "qps":
		return scaled(v, 1000, decimal(), "req", "s")
	case "1", "", "op", "ops", "operation", "operations": // the name says of what: "iops 2.1 k"
		return scaled(v, 1000, decimal(), "", per)
	default:
		if s, ok := seconds(base); ok && per == "" {
			return clean.Line(duration(v * s))
		}
		if n, ok := bytesOf(base); ok {
			return scaled(v*n, 1024, []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}, "", per)
		}
		if name == "bit" || name == "bits" {
			return scaled(v, 1000, []string{"bit", "kbit", "Mbit", "Gbit", "Tbit"}, "", per)
		}
		return scaled(v, 1000, decimal(), base, per)
	}
}

func decimal() []string { return []string{"", "k", "M", "G", "T", "P"} }

// FormatRatio writes how many times as much something is: ×18, ×3.0.
func FormatRatio(r float64) clean.Text {
	if math.IsNaN(r) || math.IsInf(r, 0) {
		return clean.Text{}
	}
	if math.Abs(r) < 9.95 {
		return clean.Line("×" + strconv.FormatFloat(r, 'f', 1, 64))
	}
	return clean.Line("×" + digits(r))
}

// scaled divides v until it is below base, as far as there are prefixes.
func scaled(v, base float64, prefixes []string, unit, per string) clean.Text {
	n := 0
	for n+1 < len(prefixes) && math.Abs(roundTwo(v)) >= base {
		v /= base
		n++
	}
	return withUnit(digits(v), strings.TrimSpace(prefixes[n]+" "+unit), per)
}

func withUnit(number, unit, per string) clean.Text {
	switch {
	case per == "" && unit == "":
		return clean.Line(number)
	case per == "":
		return clean.Line(number + " " + unit)
	case unit == "":
		return clean.Line(number + "/" + per)
	default:
		return clean.Line(number + " " + unit + "/" + per)
	}
}

// roundTwo is v as digits would write it.
func roundTwo(v float64) float64 {
	if math.Abs(v) >= 9.95 {
		return math.Round(v)
	}
	return v
}

// digits writes two telling digits of a small number, and no decimals of one from 10 on.
func digits(v float64) string {
	a := math.Abs(v)
	switch {
	case a == 0:
		return "0"
	case a >= 1e6 || a < 1e-4:
		return strconv.FormatFloat(v, 'g', 2, 64)
	case a >= 9.95:
		return trimSign(strconv.FormatFloat(v, 'f', 0, 64))
	case a >= 0.995:
		return trimZeros(strconv.FormatFloat(v, 'f', 1, 64))
	default:
		return trimZeros(strconv.FormatFloat(v, 'f', 1-int(math.Floor(math.Log10(a))), 64))
	}
}

func percentDigits(v float64) string {
	if v > 99 && v < 100 {
		for n := 1; n <= 4; n++ {
			if s := strconv.FormatFloat(v, 'f', n, 64); n > 1 && !strings.HasPrefix(s, "100") {
				return trimZeros(s)
			}
		}
		return "99.9999"
	}
	return digits(v)
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return trimSign(s)
}

func trimSign(s string) string {
	if s == "-0" {
		return "0"
	}
	return s
}

// seconds is how many seconds a unit of time has.
func seconds(unit string) (float64, bool) {
	switch strings.ToLower(unit) {
	case "ns", "nanosecond", "nanoseconds":
		return 1e-9, true
	case "us", "µs", "μs", "microsecond", "microseconds":
		return 1e-6, true
	case "ms", "millisecond", "milliseconds":
		return 1e-3, true
	case "s", "sec", "second", "seconds":
		return 1, true
	case "m", "min", "minute", "minutes":
		return 60, true
	case "h", "hour", "hours":
		return 3600, true
	case "d", "day", "days":
		return 86400, true
	default:
		return 0, false
	}
}

// duration writes seconds: 450 µs, 912 ms, 1.2 s, 2m05s, 3h20m, 4d6h.
func duration(s float64) string {
	switch a := math.Abs(s); {
	case a == 0:
		return "0 s"
	case roundTwo(a*1e6) < 1000 && a < 1e-3:
		return digits(s*1e6) + " µs"
	case roundTwo(a*1e3) < 1000:
		return digits(s*1e3) + " ms"
	case roundTwo(a) < 60:
		return digits(s) + " s"
	case a >= 1e9:
		return digits(s/86400) + " d"
	}
	sign := ""
	if s < 0 {
		sign, s = "-", -s
	}
	n := int64(math.Round(s))
	two := func(n int64) string {
		if n < 10 {
			return "0" + strconv.FormatInt(n, 10)
		}
		return strconv.FormatInt(n, 10)
	}
	switch {
	case n < 3600:
		return sign + strconv.FormatInt(n/60, 10) + "m" + two(n%60) + "s"
	case n < 86400:
		return sign + strconv.FormatInt(n/3600, 10) + "h" + two(n/60%60) + "m"
	default:
		return sign + strconv.FormatInt(n/86400, 10) + "d" + strconv.FormatInt(n/3600%24, 10) + "h"
	}
}

// bytesOf is how many bytes a unit of data has. What people call KB is 1024 bytes more often than not, and
// nobody can tell: it is read as 1024.
func bytesOf(unit string) (float64, bool) {
	switch strings.ToLower(unit) {
	case "b", "byte", "bytes":
		return 1, true
	case "kb", "kib", "kibibyte", "kibibytes", "kilobyte", "kilobytes":
		return 1 << 10, true
	case "mb", "mib", "mebibyte", "mebibytes", "megabyte", "megabytes":
		return 1 << 20, true
	case "gb", "gib", "gibibyte", "gibibytes", "gigabyte", "gigabytes":
		return 1 << 30, true
	case "tb", "tib", "tebibyte", "tebibytes", "terabyte", "terabytes":
		return 1 << 40, true
	default:
		return 0, false
	}
}
