package clean

import (
	"testing"
	"time"
)

func TestLasting(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                                 "0s",
		999 * time.Millisecond:            "0s",
		45 * time.Second:                  "45s",
		time.Minute:                       "1m",
		90 * time.Second:                  "1m30s",
		5*time.Minute + 7*time.Second:     "5m07s",
		12*time.Minute + 50*time.Second:   "12m",
		time.Hour:                         "1h",
		65 * time.Minute:                  "1h05m",
		48 * time.Hour:                    "2d",
		51*time.Hour + 59*time.Minute:     "2d03h",
		-90 * time.Minute:                 "-1h30m",
		24*time.Hour - 1*time.Millisecond: "23h59m",
	} {
		if got := Lasting(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Hour:                    "0s",
		59 * time.Second:              "59s",
		5*time.Minute + 7*time.Second: "5m",
		65*time.Minute + time.Second:  "1h05m",
	} {
		if got := Elapsed(d); got != want {
			t.Errorf("%v since is %q, want %q", d, got, want)
		}
	}
}
