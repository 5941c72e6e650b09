package github

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// stateOf turns the status and conclusion of a run, a job or a step into a state, and the word that
// says more than the state does.
func stateOf(status, conclusion string) (sources.State, string) {
	switch status {
	case "queued", "requested":
		return sources.StateQueued, ""
	case "pending":
		return sources.StateQueued, "waits for its concurrency group"
	case "waiting":
		return sources.StateWaiting, ""
	case "in_progress":
		return sources.StateRunning, ""
	case "completed":
		return concluded(conclusion)
	case "":
		if conclusion != "" {
			return concluded(conclusion)
		}
		return sources.StateUnknown, ""
	default:
		// The runs' filter takes conclusions for statuses, and some replies mix them too.
		if s, why := concluded(status); s != sources.StateUnknown {
			return s, why
		}
		return sources.StateUnknown, strings.ReplaceAll(status, "_", " ")
	}
}

func concluded(conclusion string) (sources.State, string) {
	switch conclusion {
	case "success":
		return sources.StatePassed, ""
	case "neutral":
		return sources.StatePassed, "neutral"
	case "failure":
		return sources.StateFailed, ""
	case "timed_out":
		return sources.StateFailed, "timed out"
	case "startup_failure":
		return sources.StateFailed, "could not start"
	case "cancelled":
		return sources.StateCancelled, ""
	case "skipped":
		return sources.StateSkipped, ""
	case "stale":
		return sources.StateSuperseded, "stale"
	case "action_required":
		return sources.StateWaiting, "a maintainer must allow it"
	case "":
		return sources.StateUnknown, ""
	default:
		return sources.StateUnknown, strings.ReplaceAll(conclusion, "_", " ")
	}
}

// deploymentState turns the state of a deployment's newest status into ours.
func deploymentState(state string) sources.State {
	switch state {
	case "queued", "pending":
		return sources.StateQueued
	case "waiting":
		return sources.StateWaiting
	case "in_progress":
		return sources.StateRunning
	case "success":
		return sources.StatePassed
	case "failure", "error":
		return sources.StateFailed
	case "inactive":
		return sources.StateSuperseded
	default:
		return sources.StateUnknown
	}
}

func (c *repoConn) ref(kind sources.Kind, id int64) sources.Ref {
	return sources.Ref{Source: c.s.env.Source, Kind: kind, Scope: c.scope, ID: strconv.FormatInt(id, 10)}
}

// refs is what is known of a repository's names: a run tells a branch from a tag in no other way.
type refs struct {
	branch string            // the default one
	tags   map[string]string // name → SHA
	guess  func(string) bool // for tags that were not listed, or were moved since
}

func (k refs) isTag(name, sha string) bool {
	if name == "" || name == k.branch {
		return false
	}
	at, listed := k.tags[name]
	return listed && at == sha || k.guess != nil && k.guess(name)
}

// run converts one run; what depends on its jobs and on the services comes later.
func (c *repoConn) run(w wireRun, known refs, identity string) sources.Run {
	r := sources.Run{
		Ref:      c.ref(sources.KindRun, w.ID),
		Workflow: clean.Line(firstOf(w.Name, path.Base(workflowFile(w.Path)), "workflow "+strconv.FormatInt(w.WorkflowID, 10))),
		Path:     workflowFile(w.Path),
		Number:   w.RunNumber,
		Attempt:  max(1, w.RunAttempt),
		Event:    clean.Line(w.Event).String(),
		Commit:   headCommit(w),
		Actor:    clean.Line(firstOf(w.Triggering.name(), w.Actor.name())),
		Created:  w.CreatedAt.Time,
		Started:  w.StartedAt.Time,
		URL:      webAddress(w.HTMLURL),
	}
	r.Title = clean.Line(firstOf(w.DisplayTitle, r.Commit.Title.String(), w.Name))
	r.Branch = clean.Line(strings.TrimPrefix(strings.TrimPrefix(w.HeadBranch, "refs/heads/"), "refs/tags/"))
	r.Mine = identity != "" && (strings.EqualFold(w.Actor.name(), identity) || strings.EqualFold(w.Triggering.name(), identity))
	r.Fork = w.fromFork()
	r.RefKind, r.Pull = refKind(w, known)
	r.Default = r.RefKind == sources.RefBranch && !r.Fork && known.branch != "" && w.HeadBranch == known.branch
	state, reason := stateOf(w.Status, w.Conclusion)
	r.State, r.Reason = state, clean.Line(reason)
	if r.Started.IsZero() && state != sources.StateQueued && r.Attempt == 1 {
		r.Started = r.Created
	}
	if state.Done() {
		r.Ended = w.UpdatedAt.Time
	}
	r.Revision = runRevision(&r)
	return r
}

// fromFork tells a fork's run by its repository: a fork's branch is often named like ours.
func (r wireRun) fromFork() bool {
	if r.HeadRepo == nil || r.Repo == nil || r.HeadRepo.FullName == "" || r.Repo.FullName == "" {
		// A fork that was deleted leaves null.
		return r.HeadRepo == nil && r.Repo != nil && strings.HasPrefix(r.Event, "pull_request") && len(r.Pulls) == 0
	}
	return !strings.EqualFold(r.HeadRepo.FullName, r.Repo.FullName)
}

var (
	queueBranch = regexp.MustCompile(`^(?:refs/heads/)?gh-readonly-queue/.+/pr-(\d+)-`)
	pullSuffix  = regexp.MustCompile(`\(#(\d+)\)$`)
	pullMerge   = regexp.MustCompile(`^Merge pull request #(\d+) `)
)

func refKind(w wireRun, known refs) (sources.RefKind, int) {
	if m := queueBranch.FindStringSubmatch(w.HeadBranch); m != nil {
		return sources.RefQueue, atoi(m[1])
	}
	pull := 0
	if len(w.Pulls) > 0 {
		pull = w.Pulls[0].Number
	}
	switch {
	case w.Event == "merge_group":
		return sources.RefQueue, pull
	case strings.HasPrefix(w.Event, "pull_request"):
		return sources.RefPull, pull
	case strings.HasPrefix(w.HeadBranch, "refs/tags/"):
		return sources.RefTag, 0
	case w.Event == "release", known.isTag(w.HeadBranch, w.HeadSHA):
		return sources.RefTag, 0
	default:
		return sources.RefBranch, 0
	}
}

func headCommit(w wireRun) sources.Commit {
	c := sources.Commit{SHA: shaOf(w.HeadSHA)}
	if w.Head == nil {
		return c
	}
	c.Title, c.At = title(w.Head.Message), w.Head.Timestamp.Time
	if w.Head.Author != nil {
		c.Author = clean.Line(w.Head.Author.Name)
	}
	c.Pull = pullOf(c.Title.String())
	return c
}

func pullOf(title string) int {
	for _, re := range []*regexp.Regexp{pullSuffix, pullMerge} {
		if m := re.FindStringSubmatch(title); m != nil {
			return atoi(m[1])
		}
	}
	return 0
}

// title is the first line of a message.
func title(message string) clean.Text {
	first, _, _ := strings.Cut(strings.TrimLeft(message, "\r\n"), "\n")
	return clean.Line(strings.TrimRight(first, "\r"))
}

func (c wireCommit) commit() sources.Commit {
	out := sources.Commit{SHA: shaOf(c.SHA), Title: title(c.Commit.Message)}
	if a := c.Commit.Author; a != nil {
		out.Author, out.At = clean.Line(a.Name), a.Date.Time
	}
	if by := c.Commit.Committer; by != nil && !by.Date.IsZero() {
		out.At = by.Date.Time
	}
	if c.Author.name() != "" {
		out.Author = clean.Line(c.Author.name())
	}
	out.Pull = pullOf(out.Title.String())
	return out
}

// job converts one job. Its name comes as "caller / job (matrix leg)".
func (c *repoConn) job(w wireJob) sources.Job {
	state, reason := stateOf(w.Status, w.Conclusion)
	j := sources.Job{
		Ref: c.ref(sources.KindJob, w.ID), State: state, Reason: clean.Line(reason),
		Attempt: max(1, w.RunAttempt), Created: w.CreatedAt.Time, Started: w.StartedAt.Time,
		Runner: clean.Line(w.RunnerName), URL: webAddress(w.HTMLURL),
	}
	var caller []string
	var name, matrix string
	caller, name, matrix = jobName(w.Name)
	for _, p := range caller {
		j.Caller = append(j.Caller, clean.Line(p))
	}
	j.Name, j.Matrix = clean.Line(firstOf(name, "job "+strconv.FormatInt(w.ID, 10))), clean.Line(matrix)
	for _, l := range w.Labels {
		j.Labels = append(j.Labels, clean.Line(l).String())
	}
	if state == sources.StateQueued || state == sources.StateWaiting {
		j.Started = time.Time{} // GitHub gives a job that has not started its creation
	}
	if state.Done() {
		j.Ended = w.CompletedAt.Time
	}
	for _, st := range w.Steps {
		j.Steps = append(j.Steps, step(st))
	}
	return j
}

func step(w wireStep) sources.Step {
	state, _ := stateOf(w.Status, w.Conclusion)
	s := sources.Step{Number: w.Number, Name: clean.Line(w.Name), State: state, Started: w.StartedAt.Time}
	if state.Done() {
		s.Ended = w.CompletedAt.Time
	}
	return s
}

// jobName takes a job's name apart. Reusable workflows put their callers in front, with " / ". A matrix
// leg ends in its values in parentheses, and a caller's own leg does too: "build (eu) / test (1.26)".
func jobName(full string) (caller []string, name, matrix string) {
	parts := splitOutside(full, " / ")
	for i, p := range parts {
		parts[i] = strings.TrimSpace(p)
	}
	name = parts[len(parts)-1]
	caller = parts[:len(parts)-1]
	var legs []string
	for i, p := range caller {
		if base, leg := matrixLeg(p); leg != "" {
			caller[i], legs = base, append(legs, leg)
		}
	}
	if base, leg := matrixLeg(name); leg != "" {
		name, legs = base, append(legs, leg)
	}
	if len(caller) == 0 {
		caller = nil
	}
	return caller, name, strings.Join(legs, " / ")
}

// splitOutside splits s at sep where no parenthesis is open.
func splitOutside(s, sep string) []string {
	var out []string
	depth, from := 0, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '(':
			depth++
		case s[i] == ')':
			depth = max(0, depth-1)
		case depth == 0 && strings.HasPrefix(s[i:], sep):
			out = append(out, s[from:i])
			i += len(sep) - 1
			from = i + 1
		}
	}
	return append(out, s[from:])
}

func matrixLeg(name string) (base, leg string) {
	if !strings.HasSuffix(name, ")") {
		return name, ""
	}
	depth := 0
	for i := len(name) - 1; i >= 0; i-- {
		switch name[i] {
		case ')':
			depth++
		case '(':
			depth--
		}
		if depth == 0 {
			if i < 2 || name[i-1] != ' ' {
				return name, ""
			}
			return strings.TrimSpace(name[:i]), name[i+1 : len(name)-1]
		}
	}
	return name, ""
}

// workflowFile is a run's path without the ref that required workflows carry.
func workflowFile(p string) string {
	file, _, _ := strings.Cut(p, "@")
	return clean.Line(file).String()
}

// runRevision changes with what an action on a run depends on: how it stands, which attempt it is, and
// what it waits for. A step that ends changes nothing.
func runRevision(r *sources.Run) sources.Revision {
	var b strings.Builder
	fmt.Fprintf(&b, "%d/%s/%s", r.Attempt, r.State, r.Commit.SHA)
	for _, g := range r.Gates {
		fmt.Fprintf(&b, "/%d:%t", g.EnvironmentID, g.CanApprove)
	}
	return sources.Revision(b.String())
}

// shaOf drops what is no SHA: it goes into addresses and onto the screen.
func shaOf(s string) string {
	for i := range len(s) {
		if !strings.ContainsRune("0123456789abcdef", rune(s[i])) {
			return ""
		}
	}
	if len(s) > 64 {
		return ""
	}
	return s
}

// webAddress drops what a browser should not be handed.
func webAddress(s string) string {
	if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
		return ""
	}
	if clean.Line(s).String() != s {
		return ""
	}
	return s
}

func firstOf(all ...string) string {
	for _, s := range all {
		if s != "" && s != "." {
			return s
		}
	}
	return ""
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
