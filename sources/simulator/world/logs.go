package world

import (
	"fmt"
	"strings"
	"time"
)

// stamp is how a runner writes the time before each line.
const stamp = "2006-01-02T15:04:05.0000000Z"

// Log is the log of a job that has ended, as its runner wrote it: a byte order mark, a time before each
// line, groups, colours and error marks.
func (w *World) Log(j *Job) []byte {
	var b strings.Builder
	b.WriteString("\ufeff")
	for _, s := range j.Steps {
		if s.Started.IsZero() || s.Conclusion == Skipped {
			continue
		}
		w.stepLog(&b, j, s)
	}
	return []byte(b.String())
}

func (w *World) stepLog(b *strings.Builder, j *Job, s *Step) {
	span := s.Completed.Sub(s.Started)
	n := 6 + int(w.unit("log", j.ID, s.Number)*40)
	if strings.HasPrefix(s.Name, "Build") || strings.HasPrefix(s.Name, "Run") {
		n *= 12
	}
	line := func(i int, text string) {
		at := s.Started.Add(span * time.Duration(i) / time.Duration(n+8))
		fmt.Fprintf(b, "%s %s\n", at.Format(stamp), text)
	}
	line(0, "##[group]Run "+s.Name)
	line(0, "\x1b[36;1m./ci/"+strings.ToLower(strings.ReplaceAll(s.Name, " ", "-"))+".sh\x1b[0m")
	line(0, "shell: /usr/bin/bash -e {0}")
	line(0, "##[endgroup]")
	for i := range n {
		switch k := w.unit("line", j.ID, s.Number, i); {
		case k < 0.03:
			line(i+1, "\x1b[33mwarning:\x1b[0m cache miss for layer "+w.sha("", j.ID, s.Number, i)[:12])
		case k < 0.5:
			line(i+1, fmt.Sprintf("ok  \tacme/%s/part%d\t%.3fs", j.Run.Repo.Name, i, k*9))
		default:
			line(i+1, fmt.Sprintf("=> step %d of %d: %s", i+1, n, w.sha("", "work", j.ID, i)[:16]))
		}
	}
	if s.Conclusion != Failure {
		return
	}
	for i, text := range failure(s.Name) {
		line(n+1+i, text)
	}
}

// failure is how a step's log ends when it fails.
func failure(step string) []string {
	last := "##[error]Process completed with exit code 1."
	switch {
	case strings.HasPrefix(step, "Test"):
		return []string{
			"--- FAIL: " + step + " (31.02s)",
			"    replica_test.go:88: replica is 41s behind after 30s, want at most 5s",
			"FAIL", last,
		}
	case step == "Check out":
		return []string{"##[error]A branch or tag with the name could not be found", last}
	case step == "Apply" || step == "Wait for rollout":
		return []string{"error: deployment exceeded its progress deadline", last}
	default:
		return []string{"\x1b[31merror:\x1b[0m " + step + " failed: exit status 2", last}
	}
}
