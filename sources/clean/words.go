package clean

import (
	"fmt"
	"time"
)

// Lasting writes a duration as people do, in its two largest units and without what is nothing: "0s", "45s", "1m30s",
// "12m", "1h05m", "2d03h". From ten minutes on nobody counts seconds: they are cut off.
func Lasting(d time.Duration) string {
	const day = 24 * time.Hour
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	switch {
	case d < time.Minute:
		return sign + fmt.Sprintf("%ds", d/time.Second)
	case d < 10*time.Minute:
		return sign + two(d, time.Minute, "m", time.Second, "s")
	case d < time.Hour:
		return sign + fmt.Sprintf("%dm", d/time.Minute)
	case d < day:
		return sign + two(d, time.Hour, "h", time.Minute, "m")
	default:
		return sign + two(d, day, "d", time.Hour, "h")
	}
}

// Elapsed writes for how long something has been, as ages are: Lasting without the seconds that follow minutes, "45s",
// "5m", "1h05m". What a clock that is behind puts into the future is "0s".
func Elapsed(d time.Duration) string {
	if d = max(0, d); d >= time.Minute {
		d = d.Truncate(time.Minute)
	}
	return Lasting(d)
}

func two(d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	s := fmt.Sprintf("%d%s", d/large, largeName)
	if n := d % large / small; n > 0 {
		s += fmt.Sprintf("%02d%s", n, smallName)
	}
	return s
}

// Counted writes a number of things: "1 check", "2 checks".
func Counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
