package uitest

import (
	"strconv"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/pane"
)

// LedgerJob is the failed job of LedgerRun.
func LedgerJob() sources.Ref { return Ref(sources.KindJob, "acme/money", "9104") }

// AnswerOf is what the story's sources say to a question.
func AnswerOf(a pane.Ask) pane.Answer {
	switch {
	case !a.Jobs.IsZero():
		return pane.Answer{Jobs: LedgerJobs()}
	case !a.Log.IsZero():
		return pane.Answer{Log: FailedLog()}
	default:
		return pane.Answer{Comparison: SearchAhead(a)}
	}
}

func jobOf(id, caller, name, matrix string, state sources.State, began, took time.Duration) sources.Job {
	j := sources.Job{Ref: Ref(sources.KindJob, "acme/money", id), Name: clean.Line(name), Matrix: clean.Line(matrix), State: state,
		Attempt: 1, Created: Ago(began), URL: "https://github.example.com/acme/money/job/" + id}
	if caller != "" {
		j.Caller = []clean.Text{clean.Line(caller)}
	}
	if state != sources.StateSkipped && state != sources.StateQueued {
		j.Started = Ago(began)
	}
	if state.Done() && state != sources.StateSkipped {
		j.Ended = Ago(began - took)
	}
	at := j.Started
	steps := []string{"Set up job", "Check out", "Start replicas", "TestReplicaCatchUp", "Upload report"}
	for i, s := range steps {
		st := sources.Step{Number: i + 1, Name: clean.Line(s), State: sources.StatePassed, Started: at}
		at = at.Add(took / 5)
		st.Ended = at
		switch {
		case state == sources.StateSkipped || state == sources.StateQueued:
			continue
		case state == sources.StateFailed && i == 3:
			st.State = sources.StateFailed
		case state == sources.StateFailed && i == 4:
			st.State, st.Started, st.Ended = sources.StateSkipped, time.Time{}, time.Time{}
		case state == sources.StateRunning && i == 2:
			st.State, st.Ended = sources.StateRunning, time.Time{}
		case state == sources.StateRunning && i > 2:
			st.State, st.Started, st.Ended = sources.StateQueued, time.Time{}, time.Time{}
		}
		j.Steps = append(j.Steps, st)
	}
	return j
}

// RunningJob is a job in its third step.
func RunningJob(id, name string) sources.Job {
	return jobOf(id, "", name, "", sources.StateRunning, 100*time.Second, 150*time.Second)
}

// QueuedJob is a job that waits for a runner with these labels.
func QueuedJob(id, name string, labels ...string) sources.Job {
	j := jobOf(id, "", name, "", sources.StateQueued, 20*time.Second, 0)
	j.Labels = labels
	return j
}

// LedgerJobs are the jobs of LedgerRun: a matrix of twelve behind a reusable workflow, three of which
// failed.
func LedgerJobs() []sources.Job {
	const ok = sources.StatePassed
	jobs := []sources.Job{
		jobOf("9101", "", "lint", "", ok, 210*time.Second, 34*time.Second),
		jobOf("9102", "", "unit tests", "", ok, 208*time.Second, 71*time.Second),
	}
	for i := range 12 {
		state, shard := ok, "replica "+strconv.Itoa(i+1)
		if i == 1 || i == 4 || i == 9 {
			state = sources.StateFailed
		}
		jobs = append(jobs, jobOf(strconv.Itoa(9103+i), "integration", "run tests", shard, state, 170*time.Second, time.Duration(90+5*i)*time.Second))
	}
	return append(jobs, jobOf("9120", "", "publish", "", sources.StateSkipped, 20*time.Second, 0))
}

// FailedLog is the log of LedgerJob.
func FailedLog() sources.Log {
	l := sources.Log{Size: 31_400, FirstError: 27}
	add := func(level sources.LogLevel, text string) {
		l.Lines = append(l.Lines, sources.LogLine{At: Ago(170*time.Second - time.Duration(len(l.Lines))*3*time.Second), Level: level, Text: clean.Line(text)})
	}
	add(sources.LogGroup, "Set up job")
	add(sources.LogPlain, "Current runner version: 2.321.0")
	add(sources.LogCommand, "git checkout --progress --force 77aa001")
	add(sources.LogGroup, "Start replicas")
	for i := range 20 {
		add(sources.LogPlain, "replica "+strconv.Itoa(i+1)+" listens on 127.0.0.1:"+strconv.Itoa(5430+i))
	}
	add(sources.LogWarning, "replica 7 is 12s behind")
	add(sources.LogCommand, "go test ./replica -run TestReplicaCatchUp")
	add(sources.LogPlain, "=== RUN   TestReplicaCatchUp")
	add(sources.LogError, "catchup_test.go:88: replica 2 is 41s behind after 30s, want at most 5s; the batch window was widened to 10000 rows and the apply queue never drained below its high-water mark")
	add(sources.LogPlain, "--- FAIL: TestReplicaCatchUp (30.02s)")
	add(sources.LogPlain, "FAIL\tacme/money/replica\t30.417s")
	add(sources.LogError, "Process completed with exit code 1.")
	return l
}

// SearchAhead is what staging of search has and production has not.
func SearchAhead(a pane.Ask) sources.Comparison {
	c := sources.Comparison{Base: sources.Version{SHA: a.Base}, Head: sources.Version{SHA: a.Head}, Status: "ahead", Ahead: 4}
	for i, title := range []string{"Rank by recency", "Cache the synonyms", "Drop the old index", "Bump the client library"} {
		c.Commits = append(c.Commits, sources.Commit{SHA: []string{"9e4410c", "8d3399b", "7c2288a", "6b11779"}[i] + "000000000000000000000000000000000",
			Title: clean.Line(title), Author: clean.Line([]string{"dev2", "dev2", "dev5", "bot"}[i]), At: Ago(time.Duration(i+1) * 50 * time.Minute), Pull: 400 - i})
	}
	return c
}
