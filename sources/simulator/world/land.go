package world

import "fmt"

// Landing is a change that is to land on a service's default branch.
type Landing struct {
	Service *Service
	Title   string
	By      *User
	Tag     string // of the new commit; "" for none
	Bad     bool   // the version hurts wherever it runs
	Files   []File // none: some of the service's own
}

// Land merges a change and starts what pushes start: the pipelines of the branch, and where a tag comes with it
// the release of that tag.
func (w *World) Land(l Landing) *Commit {
	r := l.Service.Repo
	if len(l.Files) == 0 {
		l.Files = []File{{Path: l.Service.Prefix + "app/main.go", Status: "modified", Additions: 17, Removed: 5}}
	}
	r.Pulls++
	c := w.commit(r, r.Default, "", fmt.Sprintf("%s (#%d)", l.Title, r.Pulls), l.By, l.Files...)
	w.Judge(c.SHA, l.Bad)
	for _, wf := range r.Workflows {
		if wf.OnPush {
			w.startRun(start{workflow: wf, event: "push", branch: r.Default, sha: c.SHA, actor: l.By, inputs: wf.onPush()})
		}
	}
	if l.Tag == "" {
		return c
	}
	w.tag(r, l.Tag, c.SHA, l.By)
	if wf := r.Workflow("release.yml"); wf != nil && !wf.OnPush {
		w.startRun(start{workflow: wf, event: "push", branch: l.Tag, sha: c.SHA, actor: l.By})
	}
	return c
}

// onPush is what a push deploys where the workflow is otherwise told by its inputs: itself, everywhere in
// production.
func (wf *Workflow) onPush() map[string]string {
	if !wf.Dispatch {
		return nil
	}
	return map[string]string{"environment": "prod", "target": "all"}
}

// Judge says whether a version hurts where it runs from now on. What runs already goes on as it did.
func (w *World) Judge(sha string, bad bool) {
	w.bad[sha] = bad
	w.Gen++
}
