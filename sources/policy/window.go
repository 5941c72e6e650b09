package policy

import (
	"errors"
	"fmt"
	"time"
)

// Moment is a time of the week, or of a date: it is a date when Year is not 0.
type Moment struct {
	Day          time.Weekday
	Year         int
	Month        time.Month
	Date         int
	Hour, Minute int
}

func (m Moment) dated() bool { return m.Year != 0 }

func (m Moment) String() string {
	if m.dated() {
		return fmt.Sprintf("%d-%02d-%02d %02d:%02d", m.Year, int(m.Month), m.Date, m.Hour, m.Minute)
	}
	return fmt.Sprintf("%s %02d:%02d", m.Day.String()[:3], m.Hour, m.Minute)
}

// Window is a span of time between two moments of a zone's clocks: every week, or once. From is within it,
// To is not. A moment that the clocks show twice, or skip, makes the window longer, never shorter: it begins
// with the earliest that From can mean and ends with the latest that To can.
type Window struct {
	From, To Moment
	Zone     string // an IANA name; "" is UTC
}

// span is a Window that is ready to be asked.
type span struct {
	Window
	zone *time.Location
}

func (w Window) resolve() (*span, error) {
	zone, err := time.LoadLocation(w.Zone)
	switch {
	case err != nil || w.Zone == "Local":
		return nil, fmt.Errorf("%q is no time zone that this machine knows", w.Zone)
	case w.From.dated() != w.To.dated():
		return nil, errors.New("one end is a date and the other a time of the week")
	case w.From == w.To:
		return nil, errors.New("it begins and ends at the same time")
	case w.From.dated() && !wall(w.From).Before(wall(w.To)):
		return nil, errors.New("it ends before it begins")
	}
	return &span{w, zone}, nil
}

// wall is what a clock shows at a dated moment, as if it were UTC.
func wall(m Moment) time.Time {
	return time.Date(m.Year, m.Month, m.Date, m.Hour, m.Minute, 0, 0, time.UTC)
}

// around is the begin and the end of the window that now is within; ok is false when it is in none.
func (s *span) around(now time.Time) (from, to time.Time, ok bool) {
	if s.From.dated() {
		from, _ = instants(wall(s.From), s.zone)
		_, to = instants(wall(s.To), s.zone)
		return from, to, !now.Before(from) && now.Before(to)
	}
	const week = 7
	local := now.In(s.zone)
	length := (int(s.To.Day) - int(s.From.Day) + week) % week
	if length == 0 && s.To.Hour*60+s.To.Minute <= s.From.Hour*60+s.From.Minute {
		length = week
	}
	// The window that has begun this week by the calendar, the one before it, and the next, which a shifted
	// clock may have let begin already.
	back := (int(local.Weekday()) - int(s.From.Day) + week) % week
	for _, shift := range []int{-back - week, -back, -back + week} {
		begin := time.Date(local.Year(), local.Month(), local.Day()+shift, s.From.Hour, s.From.Minute, 0, 0, time.UTC)
		end := time.Date(begin.Year(), begin.Month(), begin.Day()+length, s.To.Hour, s.To.Minute, 0, 0, time.UTC)
		from, _ = instants(begin, s.zone)
		_, to = instants(end, s.zone)
		if !now.Before(from) && now.Before(to) {
			return from, to, true
		}
	}
	return time.Time{}, time.Time{}, false
}

// instants are the earliest and the latest instant that a clock of zone shows wall at. Of a time that the
// clocks skip, they are what it would be by the clocks before the change and by those after it.
func instants(wall time.Time, zone *time.Location) (earliest, latest time.Time) {
	const around = 25 * time.Hour // no zone is further from UTC, and no two changes are that near
	var shown, all []time.Time
	for _, probe := range []time.Time{wall.Add(-around), wall.Add(around)} {
		_, offset := probe.In(zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second)
		all = append(all, at)
		if _, there := at.In(zone).Zone(); there == offset {
			shown = append(shown, at)
		}
	}
	if len(shown) == 0 {
		shown = all
	}
	earliest, latest = shown[0], shown[len(shown)-1]
	if latest.Before(earliest) {
		earliest, latest = latest, earliest
	}
	return earliest, latest
}
