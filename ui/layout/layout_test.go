package layout

import "testing"

// Every arrangement stays on the screen, overlaps nowhere and leaves no hole in the modes that tile.
func TestBoardTilesEveryScreen(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 3, 4, 5, 9} {
		for _, o := range []Options{
			{}, {Focus: 2}, {Zoom: true, Focus: 1}, {Idle: []bool{true, true}}, {Idle: []bool{true, true, true, true}},
			{Strips: []int{7, 4}}, {Strips: []int{100, 100}, Focus: 3}, {Zoom: true, Focus: 99}, {Notice: true},
			{Notice: true, Strips: []int{7, 4}},
		} {
			for w := -1; w <= 210; w += 3 {
				for h := -1; h <= 60; h++ {
					checkPlan(t, w, h, Board(w, h, n, o), o)
				}
			}
		}
	}
}

func checkPlan(t *testing.T, w, h int, p Plan, o Options) {
	t.Helper()
	cells := 0
	all := append(append([]Rect{p.Header, p.Notice, p.Tabs, p.Footer}, p.Panes...), p.Strips...)
	for i, r := range all {
		if r.Empty() {
			continue
		}
		if r.X < 0 || r.Y < 0 || r.X+r.W > w || r.Y+r.H > h {
			t.Fatalf("%dx%d %+v: %+v is off the screen", w, h, o, r)
		}
		cells += r.W * r.H
		for _, q := range all[:i] {
			if !q.Empty() && r.X < q.X+q.W && q.X < r.X+r.W && r.Y < q.Y+q.H && q.Y < r.Y+r.H {
				t.Fatalf("%dx%d %+v: %+v overlaps %+v", w, h, o, r, q)
			}
		}
	}
	shown := 0
	for i, r := range p.Panes {
		if r.Empty() {
			continue
		}
		shown++
		if p.Mode != Tiny && r.H < 3 {
			t.Fatalf("%dx%d %+v: pane %d has %d lines", w, h, o, i, r.H)
		}
	}
	if p.Mode != Tiny && shown > 0 && cells != w*h {
		t.Fatalf("%dx%d %+v: %d of %d cells are used", w, h, o, cells, w*h)
	}
	if (p.Mode == Wide || p.Mode == Medium) && !o.Zoom && shown != len(p.Panes) {
		t.Fatalf("%dx%d: %d of %d panes are shown", w, h, shown, len(p.Panes))
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	tests := map[[2]int]Mode{
		{200, 50}: Wide, {160, 20}: Wide, {140, 14}: Wide, {139, 40}: Medium, {120, 40}: Medium, {81, 24}: Medium,
		{80, 24}: Narrow, {80, 12}: Narrow, {60, 12}: Narrow, {200, 13}: Narrow, {59, 12}: Tiny, {60, 11}: Tiny,
		{59, 11}: Tiny, {1, 1}: Tiny, {0, 0}: Tiny,
	}
	for size, want := range tests {
		if got := ModeFor(size[0], size[1]); got != want {
			t.Errorf("%v is mode %d, want %d", size, got, want)
		}
	}
}

func TestIdlePanesGiveTheirRoom(t *testing.T) {
	t.Parallel()
	p := Board(200, 50, 4, Options{Idle: []bool{true, true}})
	if p.Panes[0].H != idleHeight || p.Panes[2].H != 48-idleHeight {
		t.Errorf("rows are %d and %d high", p.Panes[0].H, p.Panes[2].H)
	}
	if p = Board(200, 50, 4, Options{Idle: []bool{true, false}}); p.Panes[0].H != 24 {
		t.Errorf("a row with one living pane shrank to %d", p.Panes[0].H)
	}
}

// The strip that is most important last to go is the last one, and the pane keeps its room first.
func TestNarrowGivesUpTheFirstStripFirst(t *testing.T) {
	t.Parallel()
	o := Options{Strips: []int{7, 4}}
	p := Board(80, 24, 4, o)
	if p.Strips[0].H != 7 || p.Strips[1].H != 4 || p.Panes[0].H != 10 {
		t.Errorf("at 80x24: %+v", p)
	}
	p = Board(80, 17, 4, o)
	if !p.Strips[0].Empty() || p.Strips[1].H != 4 {
		t.Errorf("at 80x17: %+v", p.Strips)
	}
	if p = Board(80, 12, 4, o); p.Panes[0].H != 9 {
		t.Errorf("at 80x12 the pane has %d lines", p.Panes[0].H)
	}
}

func TestCenterStaysInside(t *testing.T) {
	t.Parallel()
	for w := range 30 {
		for h := range 20 {
			outer := Rect{3, 2, w, h}
			r := Center(outer, 20, 10)
			if r.W > w || r.H > h || r.X < 3 || r.Y < 2 || r.X+r.W > 3+w || r.Y+r.H > 2+h {
				t.Fatalf("%+v leaves %+v", r, outer)
			}
		}
	}
}
