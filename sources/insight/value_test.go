package insight

import (
	"math"
	"strings"
	"testing"
)

func TestFormatValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v    float64
		unit string
		want string
	}{
		{4.1, "%", "4.1 %"}, {2, "%", "2 %"}, {61.4, "percent", "61 %"}, {0.234, "%", "0.23 %"}, {0, "%", "0 %"}, {100, "%", "100 %"},
		{99.95, "%", "99.95 %"}, {99.999, "%", "99.999 %"}, {99.99999, "%", "99.9999 %"}, {99.4, "%", "99.4 %"}, {98.7, "%", "99 %"}, {120.4, "%", "120 %"},
		{0.041, "ratio", "4.1 %"}, {1, "ratio", "100 %"},
		{912, "ms", "912 ms"}, {0.912, "s", "912 ms"}, {1240, "ms", "1.2 s"}, {999.6, "ms", "1 s"}, {45, "us", "45 µs"}, {3, "ns", "0.003 µs"},
		{59.4, "s", "59 s"}, {59.7, "s", "1m00s"}, {125, "s", "2m05s"}, {200, "min", "3h20m"}, {102, "h", "4d6h"}, {-125, "s", "-2m05s"}, {0, "ms", "0 s"},
		{2.1 * (1 << 30), "bytes", "2.1 GiB"}, {2150, "MiB", "2.1 GiB"}, {512, "B", "512 B"}, {1 << 20, "byte/s", "1 MiB/s"}, {1023.9, "B", "1 KiB"},
		{2.5e9, "bit/s", "2.5 Gbit/s"},
		{1200, "1/s", "1.2 k/s"}, {2100, "op", "2.1 k"}, {2100, "operations/s", "2.1 k/s"}, {49, "req/s", "49 req/s"}, {1200, "req/s", "1.2 k req/s"}, {49.2, "rps", "49 req/s"}, {49, "/s", "49/s"}, {3, "1/min", "3/min"},
		{2100, "", "2.1 k"}, {2100, "iops", "2.1 k iops"}, {7, "threads", "7 threads"}, {1e9, "1", "1 G"}, {999.6, "", "1 k"}, {999.4, "", "999"}, {9.97, "", "10"},
		{0.04, "", "0.04"}, {0.0996, "", "0.1"}, {0.00002, "", "2e-05"}, {-0.0000001, "", "-1e-07"}, {-12, "°C", "-12 °C"}, {1e22, "", "1e+07 P"},
		{math.NaN(), "ms", "no data"}, {math.Inf(1), "ms", "+Inf"}, {math.Inf(-1), "", "-Inf"}, {3, " \x1b[31mx ", "3 x"},
	} {
		if got := FormatValue(c.v, c.unit).String(); got != c.want {
			t.Errorf("%v %s is %q, want %q", c.v, c.unit, got, c.want)
		}
	}
	for r, want := range map[float64]string{18: "×18", 3: "×3.0", 17.6: "×18", 9.94: "×9.9", 9.96: "×10", 0.5: "×0.5", 82.4: "×82"} {
		if got := FormatRatio(r).String(); got != want {
			t.Errorf("ratio %v is %q, want %q", r, got, want)
		}
	}
	if got := FormatRatio(math.Inf(1)); !got.IsZero() {
		t.Errorf("no ratio is %q", got)
	}
}

func FuzzFormatValue(f *testing.F) {
	f.Add(4.1, "%")
	f.Add(-1e300, "GiB/s")
	f.Add(5e-324, "ns")
	f.Add(59.9999, "s")
	f.Add(3.0, "\x9b")
	f.Fuzz(func(t *testing.T, v float64, unit string) {
		got := FormatValue(v, unit).String()
		if got == "" || got != strings.TrimSpace(got) {
			t.Errorf("%v %q is %q", v, unit, got)
		}
		if len(unit) < 8 && len([]rune(got)) > 24 {
			t.Errorf("%v %q is long: %q", v, unit, got)
		}
	})
}
