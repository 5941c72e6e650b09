package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/store"
)

var now = time.Date(2026, 11, 21, 2, 14, 0, 0, time.UTC)

func openDir(t testing.TB) (*Dir, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	d, err := Open(filepath.Join(t.TempDir(), "state", "signalbox"), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return d, log
}

// fillValue sets every field that v reaches to something other than zero, each to something else. A struct's
// pointer to another of its type stays nil: no list answers one.
func fillValue(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fillValue(v.Index(i), n)
		}
	case reflect.Struct:
		switch v.Interface().(type) {
		case time.Time:
			v.Set(reflect.ValueOf(now.Add(-time.Duration(*n) * time.Second)))
			return
		case clean.Text:
			v.Set(reflect.ValueOf(clean.Line(fmt.Sprintf("text %d ✓", *n))))
			return
		}
		for i := range v.NumField() {
			if v.Field(i).Type() != reflect.PointerTo(v.Type()) {
				fillValue(v.Field(i), n)
			}
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("string %d", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(1 + *n%2))
	case reflect.Float64:
		v.SetFloat(float64(*n) / 3)
	default:
		panic("no value for a " + v.Type().String())
	}
}

func fullFeeds() []store.Feed {
	n := 0
	var feeds []store.Feed
	for _, c := range store.Capabilities() {
		f := store.Feed{Key: store.FeedKey{Source: "github", Capability: c, Scope: "acme/checkout"}}
		f.Health = store.Health{State: store.Healthy, LastGood: now.Add(-time.Minute), Interval: 13 * time.Second}
		fillValue(reflect.ValueOf(&f.Health.Notices).Elem(), &n)
		switch c {
		case store.Runs:
			fillValue(reflect.ValueOf(&f.Runs).Elem(), &n)
		case store.Environments:
			fillValue(reflect.ValueOf(&f.Environments).Elem(), &n)
		case store.Releases:
			fillValue(reflect.ValueOf(&f.Releases).Elem(), &n)
		case store.Incidents, store.Past:
			fillValue(reflect.ValueOf(&f.Incidents).Elem(), &n)
		case store.Monitors:
			fillValue(reflect.ValueOf(&f.Monitors).Elem(), &n)
		case store.SLOs:
			fillValue(reflect.ValueOf(&f.SLOs).Elem(), &n)
		case store.Shifts:
			fillValue(reflect.ValueOf(&f.Shifts).Elem(), &n)
		case store.Changes:
			fillValue(reflect.ValueOf(&f.Changes).Elem(), &n)
		case store.Metrics:
			fillValue(reflect.ValueOf(&f.Series).Elem(), &n)
		}
		feeds = append(feeds, f)
	}
	return feeds
}

func snapshotOf(feeds ...store.Feed) *store.Snapshot {
	st := store.New(nil, func() time.Time { return now })
	for _, f := range feeds {
		st.Apply(store.Replace{Feed: f})
	}
	return st.Snapshot()
}

func save(t testing.TB, d *Dir, identity string, feeds ...store.Feed) {
	t.Helper()
	if err := d.SaveSnapshot(identity, snapshotOf(feeds...)); err != nil {
		t.Fatal(err)
	}
}

func TestEveryFieldComesBack(t *testing.T) {
	t.Parallel()
	d, log := openDir(t)
	want := snapshotOf(fullFeeds()...)
	save(t, d, "payments", fullFeeds()...)
	got, saved := d.LoadSnapshot("payments", now)
	if log.Len() > 0 || !saved.Equal(now) || len(got) != len(want.Feeds) {
		t.Fatalf("%d feeds saved at %s; log %s", len(got), saved, log)
	}
	for i := range got {
		g, w := got[i], want.Feeds[i]
		if h := g.Health; h.State != store.Loading || !h.Cached || !h.LastGood.Equal(w.Health.LastGood) || h.Interval != w.Health.Interval {
			t.Errorf("%s: health %+v", g.Key, h)
		}
		if !reflect.DeepEqual(g.Health.Notices, w.Health.Notices) {
			t.Errorf("%s: notices\n%+v\nbecame\n%+v", g.Key, w.Health.Notices, g.Health.Notices)
		}
		g.Health, w.Health, g.Generation, w.Generation = store.Health{}, store.Health{}, 0, 0
		if !reflect.DeepEqual(g, w) {
			t.Errorf("%s:\n%+v\nbecame\n%+v", g.Key, w, g)
		}
	}
}

func TestStatesGapsAndEmptiness(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	f := store.Feed{Key: store.FeedKey{Source: "datadog", Capability: store.Metrics}}
	f.Health.LastGood = now
	f.Series = []sources.Series{{
		Limit: math.NaN(), Points: []sources.Point{{At: now, Value: math.NaN()}, {At: now, Value: math.Inf(1)}, {At: now, Value: 0.1}},
	}}
	runs := store.Feed{Key: store.FeedKey{Source: "github", Capability: store.Runs, Scope: "acme/a"}}
	runs.Health.LastGood = now
	for s := sources.StateUnknown; s <= sources.StateSuperseded; s++ {
		runs.Runs = append(runs.Runs, sources.Run{State: s})
	}
	never := store.Feed{Key: store.FeedKey{Source: "github", Capability: store.Runs, Scope: "acme/never"}}
	save(t, d, "b", f, runs, never)
	got, _ := d.LoadSnapshot("b", now)
	if len(got) != 2 {
		t.Fatalf("%d feeds, want the two that have answered", len(got))
	}
	s := got[0].Series[0]
	if !math.IsNaN(s.Limit) || !math.IsNaN(s.Points[0].Value) || !math.IsInf(s.Points[1].Value, 1) || s.Points[2].Value != 0.1 {
		t.Errorf("series came back as %+v", s)
	}
	for i, r := range got[1].Runs {
		if r.State != sources.State(i) {
			t.Errorf("state %s became %s", sources.State(i), r.State)
		}
	}
}

func TestTextFromTheDiskIsCleanedAgain(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	run := store.Feed{Key: store.FeedKey{Source: "github", Capability: store.Runs, Scope: "acme/a"}, Runs: []sources.Run{{Title: clean.Const("HARMLESS")}}}
	run.Health.LastGood = now
	save(t, d, "b", run)
	path := d.file(snapshotName("b"))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	evil := "a\x1b]0;owned\x07\x1b[2J\u202eb\n"
	quoted, err := json.Marshal(evil)
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.Replace(data, []byte(`"HARMLESS"`), quoted, 1)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	got, _ := d.LoadSnapshot("b", now)
	if len(got) != 1 {
		t.Fatal("nothing came back")
	}
	if title := got[0].Runs[0].Title; title != clean.Line(evil) || strings.ContainsAny(title.String(), "\x1b\n\u202e") {
		t.Errorf("title %q", title.String())
	}
}

func TestUnusableSnapshotsAreIgnored(t *testing.T) {
	t.Parallel()
	good, err := encodeSnapshot("b", snapshotOf(fullFeeds()...))
	if err != nil {
		t.Fatal(err)
	}
	other, err := encodeSnapshot("other", snapshotOf(fullFeeds()...))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		log  string
	}{
		"empty":           {nil, "unexpected end"},
		"truncated":       {good[:len(good)/2], "unexpected end"},
		"binary":          {[]byte("\x00\x01\x02"), "invalid character"},
		"not a snapshot":  {[]byte(`{}`), "does not say what it is"},
		"another version": {bytes.Replace(good, []byte(`"version":1`), []byte(`"version":9`), 1), "version 9"},
		"another format":  {bytes.Replace(good, []byte(snapshotFormat), []byte("somebody's notes"), 1), "somebody's notes"},
		"wrong types":     {bytes.Replace(good, []byte(`"feeds":[`), []byte(`"feeds":[7,`), 1), "cannot unmarshal"},
		"another board's": {other, "another config"},
		"too large":       {append(good, bytes.Repeat([]byte(" "), snapshotMax)...), "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, log := openDir(t)
			if err := os.WriteFile(d.file(snapshotName("b")), c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			feeds, saved := d.LoadSnapshot("b", now)
			if len(feeds) > 0 || !saved.IsZero() {
				t.Errorf("%d feeds saved at %s", len(feeds), saved)
			}
			if !strings.Contains(log.String(), c.log) || strings.Count(log.String(), "\n") != 1 {
				t.Errorf("the log does not say %q in one line: %s", c.log, log)
			}
		})
	}
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		d, log := openDir(t)
		if feeds, _ := d.LoadSnapshot("b", now); feeds != nil || log.Len() > 0 {
			t.Errorf("%d feeds; log %s", len(feeds), log)
		}
	})
	t.Run("a symbolic link", func(t *testing.T) {
		t.Parallel()
		d, log := openDir(t)
		target := filepath.Join(t.TempDir(), "elsewhere")
		if err := os.WriteFile(target, good, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, d.file(snapshotName("b"))); err != nil {
			t.Fatal(err)
		}
		if feeds, _ := d.LoadSnapshot("b", now); feeds != nil || log.Len() == 0 {
			t.Errorf("%d feeds; log %s", len(feeds), log)
		}
	})
	t.Run("from the future", func(t *testing.T) {
		t.Parallel()
		d, _ := openDir(t)
		if err := os.WriteFile(d.file(snapshotName("b")), good, 0o600); err != nil {
			t.Fatal(err)
		}
		if feeds, _ := d.LoadSnapshot("b", now.Add(-time.Hour)); len(feeds) > 0 {
			t.Errorf("%d feeds that will be read in an hour", len(feeds))
		}
	})
}

func TestLargeSnapshotsLoseTheirOldest(t *testing.T) {
	t.Parallel()
	var feeds []store.Feed
	title := clean.Line(strings.Repeat("x", 3000))
	for i := range 100 {
		f := store.Feed{Key: store.FeedKey{Source: "github", Capability: store.Runs, Scope: fmt.Sprintf("acme/%03d", i)}}
		f.Health.LastGood = now
		for n := range 100 {
			f.Runs = append(f.Runs, sources.Run{Number: n, Title: title})
		}
		feeds = append(feeds, f)
	}
	d, log := openDir(t)
	save(t, d, "b", feeds...)
	info, err := os.Stat(d.file(snapshotName("b")))
	if err != nil || info.Size() > snapshotMax {
		t.Fatalf("%d bytes, %v", info.Size(), err)
	}
	got, _ := d.LoadSnapshot("b", now)
	if len(got) != 100 || len(got[0].Runs) == 0 || got[0].Runs[0].Number != 0 || len(got[99].Runs) != len(got[0].Runs) {
		t.Errorf("%d feeds; log %s", len(got), log)
	}
}

func TestOldSnapshotsAreRemoved(t *testing.T) {
	t.Parallel()
	d, _ := openDir(t)
	for i := range 2 * snapshotFiles {
		name := fmt.Sprintf("team %d", i)
		save(t, d, name, fullFeeds()...)
		at := time.Now().Add(time.Duration(i-100) * time.Hour)
		if err := os.Chtimes(d.file(snapshotName(name)), at, at); err != nil {
			t.Fatal(err)
		}
	}
	partial := d.file(".snapshot-x.json.123")
	if err := os.WriteFile(partial, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(partial, long, long); err != nil {
		t.Fatal(err)
	}
	save(t, d, "team 0", fullFeeds()...)
	found, err := filepath.Glob(d.file("snapshot-*"))
	if err != nil || len(found) != snapshotFiles {
		t.Errorf("%d snapshots are kept, want %d (%v)", len(found), snapshotFiles, err)
	}
	for _, name := range []string{"team 0", "team 15", "team 14"} {
		if _, err := os.Stat(d.file(snapshotName(name))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(partial); err == nil {
		t.Error("what a crash left is still there")
	}
}

func TestKeepSnapshotSavesSeldomAndAtTheEnd(t *testing.T) {
	d, log := openDir(t)
	synctest.Test(t, func(t *testing.T) {
		st := store.New(nil, time.Now)
		run := store.Feed{Key: store.FeedKey{Source: "github", Capability: store.Runs, Scope: "acme/a"}}
		change := func(number int) {
			run.Health.LastGood = time.Now()
			run.Runs = []sources.Run{{Number: number}}
			st.Apply(store.Replace{Feed: run})
		}
		saved := func() int {
			feeds, _ := d.LoadSnapshot("b", time.Now())
			if len(feeds) == 0 {
				return -1
			}
			return feeds[0].Runs[0].Number
		}
		ctx, cancel := contextOf(t)
		done := make(chan struct{})
		go func() {
			defer close(done)
			d.KeepSnapshot(ctx, "b", st, time.Minute)
		}()
		for i := range 50 {
			change(i)
			time.Sleep(time.Second)
		}
		if got := saved(); got != -1 {
			t.Errorf("saved run %d within the first minute", got)
		}
		time.Sleep(12 * time.Second)
		if got := saved(); got != 49 {
			t.Errorf("after a minute run %d is saved, want 49", got)
		}
		before := modified(t, d)
		st.Apply(store.SetHealth{Key: run.Key, Health: store.Health{LastGood: time.Now()}})
		time.Sleep(10 * time.Minute)
		if got := modified(t, d); !got.Equal(before) {
			t.Error("saved again, though no data has changed")
		}
		change(99)
		cancel()
		<-done
		if got := saved(); got != 99 {
			t.Errorf("at the end run %d is saved, want 99", got)
		}
		if log.Len() > 0 {
			t.Errorf("log: %s", log)
		}
	})
}

func TestKeepSnapshotDoesNotForgetWhatItNeverKnew(t *testing.T) {
	d, _ := openDir(t)
	save(t, d, "b", fullFeeds()...)
	ctx, cancel := contextOf(t)
	cancel()
	st := store.New(nil, time.Now)
	st.Apply(store.SetHealth{Key: store.FeedKey{Source: "github"}, Health: store.Health{State: store.Failing}})
	d.KeepSnapshot(ctx, "b", st, time.Minute)
	if got, _ := d.LoadSnapshot("b", now); len(got) != len(fullFeeds()) {
		t.Errorf("%d feeds are left of the last snapshot", len(got))
	}
}

func TestSavingThatFailsIsSaidOnce(t *testing.T) {
	d, log := openDir(t)
	if err := os.RemoveAll(d.path); err != nil {
		t.Fatal(err)
	}
	k := keeper{dir: d, identity: "b"}
	for range 3 {
		k.save(snapshotOf(fullFeeds()...))
	}
	if n := strings.Count(log.String(), "the snapshot is not saved"); n != 1 {
		t.Errorf("said %d times: %s", n, log)
	}
}

func modified(t *testing.T, d *Dir) time.Time {
	t.Helper()
	info, err := os.Stat(d.file(snapshotName("b")))
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

func FuzzDecodeSnapshot(f *testing.F) {
	good, err := encodeSnapshot("b", snapshotOf(fullFeeds()...))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/3])
	f.Add([]byte(`{"format":"signalbox snapshot","version":1,"identity":"` + hashed("b") + `","feeds":[{"source":"s","capability":"runs","last_good":"2026-01-01T00:00:00Z","runs":[{"state":"new","title":"\u001b[2J"}]}]}`))
	f.Add([]byte(`{"format":"signalbox snapshot","version":1,"identity":"` + hashed("b") + `","feeds":[{"source":"s","capability":"metrics","last_good":"2026-01-01T00:00:00Z","series":[{"limit":"NaN","points":[{"value":"+Inf"}]}]}]}`))
	f.Add([]byte(`{"format":"signalbox snapshot","version":1,"identity":"` + hashed("b") + `","feeds":[{"source":"s","capability":"environments","last_good":"2026-01-01T00:00:00Z","environments":[{"targets":[{"current":{"state":"passed"}}],"history":[{}]}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		feeds, saved, err := decodeSnapshot(data, "b", now)
		if err != nil {
			if feeds != nil {
				t.Fatalf("feeds with %v", err)
			}
			return
		}
		st := store.New(nil, func() time.Time { return saved })
		for _, feed := range feeds {
			if !feed.Health.Cached || feed.Key.Source == "" {
				t.Fatalf("%+v", feed)
			}
			st.Apply(store.Replace{Feed: feed})
		}
		for run := range st.Snapshot().Runs() {
			if clean.Line(run.Title.String()) != run.Title || clean.Line(run.Commit.Title.String()) != run.Commit.Title {
				t.Fatalf("%q is not clean", run.Title)
			}
		}
		if _, err := encodeSnapshot("b", st.Snapshot()); err != nil {
			t.Skipf("times beyond the year 9999 and the like: %v", err)
		}
	})
}

func BenchmarkSnapshot(b *testing.B) {
	var feeds []store.Feed
	for i := range 20 {
		f := fullFeeds()[slices.Index(store.Capabilities(), store.Runs)]
		f.Key.Scope = fmt.Sprintf("acme/%02d", i)
		run := f.Runs[0]
		f.Runs = nil
		for range 100 {
			f.Runs = append(f.Runs, run)
		}
		feeds = append(feeds, f)
	}
	snap := snapshotOf(feeds...)
	data, err := encodeSnapshot("b", snap)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("save", func(b *testing.B) {
		for b.Loop() {
			if _, err := encodeSnapshot("b", snap); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(data)), "bytes")
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := decodeSnapshot(data, "b", now); err != nil {
				b.Fatal(err)
			}
		}
	})
}
