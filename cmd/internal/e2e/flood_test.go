package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/ui/uitest/vt"
)

// flooded is the program with a feed that changes a thousand times a second, built beside the tree.
func flooded(b *testing.B) string {
	b.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(root, "cmd/internal/wire/keep.go")
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	const anchor = "func (b *Board) keep(ctx context.Context) {\n"
	if !strings.Contains(string(text), anchor) {
		b.Fatalf("%s has no keep", path)
	}
	cut := strings.Replace(string(text), anchor, "func (b *Board) keep(ctx context.Context) {\n\tgo flood(ctx, b)\n", 1)
	cut = strings.Replace(cut, "import (", "import (\n\t\"slices\"\n\t\"time\"\n\t\"example.com/signalbox/sources/store\"", 1) + `
func flood(ctx context.Context, b *Board) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		feeds := b.store.Snapshot().Feeds
		f := feeds[i%len(feeds)]
		if f.Key.Capability != store.Runs || len(f.Runs) == 0 {
			b.store.Apply(store.Replace{Feed: f})
			continue
		}
		f.Runs = slices.Clone(f.Runs)
		f.Runs[0].Number++
		b.store.Apply(store.Replace{Feed: f})
	}
}
`
	file, list, out := filepath.Join(b.TempDir(), "keep.go"), filepath.Join(b.TempDir(), "overlay.json"), filepath.Join(b.TempDir(), "flooded")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: file}})
	if err != nil {
		b.Fatal(err)
	}
	for name, data := range map[string][]byte{file: []byte(cut), list: overlay} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-overlay", list, "-o", out, "example.com/signalbox/cmd/signalbox")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		b.Fatal(err)
	}
	return out
}

// BenchmarkFlood prints what a thousand changes a second cost the processor, and how long a key takes meanwhile,
// beside the same board without them.
func BenchmarkFlood(b *testing.B) {
	for name, program := range map[string]string{"calm": binary, "flood": flooded(b)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				measureFlood(b, program)
			}
		})
	}
}

func measureFlood(b *testing.B, program string) {
	b.Helper()
	home := b.TempDir()
	sim := simulate(b, environ(home), filepath.Join(home, "board.yaml"), "127.0.0.1:0")
	cmd := exec.Command(program, "--config", sim.config)
	cmd.Env = environ(home)
	s := startCommand(b, 200, 50, cmd)
	s.ready()
	began := time.Now()
	s.keys("3")
	var took []time.Duration
	for i := range 100 {
		key, marked := "j", "▌"
		if i%2 == 1 {
			key = "k"
		}
		var before string
		s.mu.Lock()
		before = cursorRow(s.term, marked)
		s.mu.Unlock()
		at := time.Now()
		s.keys(key)
		s.until("the cursor elsewhere", func(t *vt.Terminal) bool { return cursorRow(t, marked) != before })
		took = append(took, time.Since(at))
		<-time.After(50 * time.Millisecond) // a person's pace: the processor's share is of real time
	}
	wall := time.Since(began)
	s.quits()
	slices.Sort(took)
	cpu := s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()
	b.ReportMetric(100*cpu.Seconds()/wall.Seconds(), "%cpu")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/key-median")
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "ms/key-p95")
}

// cursorRow is the service on the cursor's row of the pipelines.
func cursorRow(t *vt.Terminal, mark string) string {
	for row := range strings.Lines(t.String()) {
		if strings.HasPrefix(row, "┃"+mark) {
			return string([]rune(row)[:60])
		}
	}
	return ""
}
