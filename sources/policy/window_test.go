package policy

import (
	"testing"
	"time"
	_ "time/tzdata" // as the program has it
)

func TestWindows(t *testing.T) {
	t.Parallel()
	week := func(fromDay time.Weekday, fromHour, fromMinute int, toDay time.Weekday, toHour, toMinute int, zone string) Window {
		return Window{Moment{Day: fromDay, Hour: fromHour, Minute: fromMinute}, Moment{Day: toDay, Hour: toHour, Minute: toMinute}, zone}
	}
	dated := func(from, to Moment, zone string) Window { return Window{from, to, zone} }
	const berlin, york, howe = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
	for _, c := range []struct {
		name     string
		window   Window
		from, to string // the first instant within it, and the first after it, in UTC
	}{
		{"a weekend", week(time.Friday, 16, 0, time.Monday, 8, 0, berlin), "2026-06-12T14:00:00Z", "2026-06-15T06:00:00Z"},
		{"UTC", week(time.Friday, 16, 0, time.Monday, 8, 0, ""), "2026-06-12T16:00:00Z", "2026-06-15T08:00:00Z"},
		{"within one day", week(time.Tuesday, 9, 0, time.Tuesday, 17, 30, berlin), "2026-06-09T07:00:00Z", "2026-06-09T15:30:00Z"},
		{"all but an hour of the week", week(time.Tuesday, 10, 0, time.Tuesday, 9, 0, berlin), "2026-06-09T08:00:00Z", "2026-06-16T07:00:00Z"},
		{"over the turn of the year", week(time.Thursday, 20, 0, time.Friday, 6, 0, york), "2027-01-01T01:00:00Z", "2027-01-01T11:00:00Z"},

		{"Berlin skips an hour within it", week(time.Friday, 16, 0, time.Monday, 8, 0, berlin), "2026-03-27T15:00:00Z", "2026-03-30T06:00:00Z"},
		{"Berlin repeats an hour within it", week(time.Friday, 16, 0, time.Monday, 8, 0, berlin), "2026-10-23T14:00:00Z", "2026-10-26T07:00:00Z"},
		{"Berlin skips its begin", week(time.Sunday, 2, 30, time.Sunday, 12, 0, berlin), "2026-03-29T00:30:00Z", "2026-03-29T10:00:00Z"},
		{"Berlin skips its end", week(time.Saturday, 12, 0, time.Sunday, 2, 30, berlin), "2026-03-28T11:00:00Z", "2026-03-29T01:30:00Z"},
		{"Berlin shows its begin twice", week(time.Sunday, 2, 30, time.Sunday, 12, 0, berlin), "2026-10-25T00:30:00Z", "2026-10-25T11:00:00Z"},
		{"Berlin shows its end twice", week(time.Saturday, 12, 0, time.Sunday, 2, 30, berlin), "2026-10-24T10:00:00Z", "2026-10-25T01:30:00Z"},
		{"New York skips its begin", week(time.Sunday, 2, 30, time.Sunday, 12, 0, york), "2026-03-08T06:30:00Z", "2026-03-08T16:00:00Z"},
		{"New York skips its end", week(time.Saturday, 12, 0, time.Sunday, 2, 30, york), "2026-03-07T17:00:00Z", "2026-03-08T07:30:00Z"},
		{"New York shows its begin twice", week(time.Sunday, 1, 30, time.Sunday, 12, 0, york), "2026-11-01T05:30:00Z", "2026-11-01T17:00:00Z"},
		{"New York shows its end twice", week(time.Saturday, 12, 0, time.Sunday, 1, 30, york), "2026-10-31T16:00:00Z", "2026-11-01T06:30:00Z"},
		// Lord Howe changes by half an hour: 02:00 becomes 02:30 in October, 02:00 becomes 01:30 in April.
		{"Lord Howe skips its begin", week(time.Sunday, 2, 15, time.Sunday, 12, 0, howe), "2026-10-03T15:15:00Z", "2026-10-04T01:00:00Z"},
		{"Lord Howe skips its end", week(time.Saturday, 12, 0, time.Sunday, 2, 15, howe), "2026-10-03T01:30:00Z", "2026-10-03T15:45:00Z"},
		{"Lord Howe shows its begin twice", week(time.Sunday, 1, 45, time.Sunday, 12, 0, howe), "2026-04-04T14:45:00Z", "2026-04-05T01:30:00Z"},
		{"Lord Howe shows its end twice", week(time.Saturday, 12, 0, time.Sunday, 1, 45, howe), "2026-04-04T01:00:00Z", "2026-04-04T15:15:00Z"},

		{"Beirut skips the midnight of its begin", week(time.Sunday, 0, 30, time.Sunday, 12, 0, "Asia/Beirut"), "2026-03-28T21:30:00Z", "2026-03-29T09:00:00Z"},
		{"a date", dated(Moment{Year: 2026, Month: 12, Date: 20}, Moment{Year: 2027, Month: 1, Date: 2, Hour: 8}, berlin), "2026-12-19T23:00:00Z", "2027-01-02T07:00:00Z"},
		{"a date in New York", dated(Moment{Year: 2026, Month: 12, Date: 20}, Moment{Year: 2027, Month: 1, Date: 2, Hour: 8}, york), "2026-12-20T05:00:00Z", "2027-01-02T13:00:00Z"},
		{"a date that is skipped", dated(Moment{Year: 2026, Month: 3, Date: 29, Hour: 2, Minute: 30}, Moment{Year: 2026, Month: 3, Date: 30}, berlin), "2026-03-29T00:30:00Z", "2026-03-29T22:00:00Z"},
		{"a day that is skipped", dated(Moment{Year: 2011, Month: 12, Date: 30, Hour: 12}, Moment{Year: 2011, Month: 12, Date: 31, Hour: 12}, "Pacific/Apia"), "2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := c.window.resolve()
			if err != nil {
				t.Fatal(err)
			}
			from, to := at(t, c.from), at(t, c.to)
			for _, one := range []struct {
				now  time.Time
				want bool
			}{{from.Add(-time.Second), false}, {from, true}, {from.Add(to.Sub(from) / 2), true}, {to.Add(-time.Second), true}, {to, false}} {
				begin, end, in := s.around(one.now)
				if in != one.want {
					t.Errorf("%s: within is %t", one.now.UTC(), in)
				}
				if in && (!begin.Equal(from) || !end.Equal(to)) {
					t.Errorf("%s: from %s to %s", one.now.UTC(), begin.UTC(), end.UTC())
				}
			}
		})
	}
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestWeeklyWindowsAreSeamless: a window of nearly the whole week and the minute that it leaves out cover
// each moment of a year, in three zones.
func TestWeeklyWindowsAreSeamless(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"} {
		a, err := Window{Moment{Day: time.Sunday, Hour: 2, Minute: 15}, Moment{Day: time.Wednesday, Hour: 2, Minute: 15}, zone}.resolve()
		if err != nil {
			t.Fatal(err)
		}
		b, err := Window{Moment{Day: time.Wednesday, Hour: 2, Minute: 15}, Moment{Day: time.Sunday, Hour: 2, Minute: 15}, zone}.resolve()
		if err != nil {
			t.Fatal(err)
		}
		for now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); now.Year() == 2026; now = now.Add(11 * time.Minute) {
			_, _, inA := a.around(now)
			_, _, inB := b.around(now)
			if !inA && !inB {
				t.Fatalf("%s: %s is in neither", zone, now)
			}
		}
	}
}
