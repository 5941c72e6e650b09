package world

import (
	"slices"
	"sort"
	"strings"
	"time"
)

// User is somebody, or a bot.
type User struct {
	ID    int64
	Login string
	Name  string
	Bot   bool
	Zone  *time.Location // where a person on call lives
	Place string         // the zone's IANA name
	Code  string         // PagerDuty's identity
}

// Email is a person's address.
func (u *User) Email() string { return u.Login + "@example.com" }

// Org owns repositories.
type Org struct {
	ID    int64
	Login string
	SSO   bool // a token needs to be authorised for it by single sign-on
}

// Repo is one repository.
type Repo struct {
	ID       int64
	Owner    *Org
	Name     string
	Default  string   // the default branch
	Former   []string // "owner/name" that it had before
	Archived bool
	Deleted  bool
	Created  time.Time
	Pushed   time.Time

	Branches  map[string]string // name → SHA
	Protected []string          // branches that take changes through the merge queue alone
	Tags      []Tag             // oldest first
	Releases  []*Release        // oldest first
	Pulls     int               // the number of the last pull request

	Workflows    []*Workflow
	Runs         []*Run // in the order of their making
	Deployments  []*Deployment
	Environments []*Environment
	Runners      []*Runner

	// Fleet carries out the deployments of production that are filed here, outside of any pipeline: a tool of
	// somebody's own. Nil: there is none.
	Fleet *User

	Gen uint64

	commits map[string]*Commit
	runByID map[int64]*Run
	jobByID map[int64]*Job
}

// Full is "owner/name".
func (r *Repo) Full() string { return r.Owner.Login + "/" + r.Name }

// Commit is one revision.
type Commit struct {
	SHA     string
	Tree    string
	Parents []string
	Message string
	Author  *User
	At      time.Time
	Files   []File
}

// Title is the first line of the commit's message.
func (c *Commit) Title() string {
	t, _, _ := strings.Cut(c.Message, "\n")
	return t
}

// File is one changed path.
type File struct {
	Path               string
	Status             string // added, modified or removed
	Additions, Removed int
}

// Tag names a commit.
type Tag struct{ Name, SHA string }

// Release is a published tag.
type Release struct {
	ID        int64
	Tag, Name string
	SHA       string
	Author    *User
	At        time.Time
	Draft     bool
	Pre       bool
}

func (w *World) addOrg(login string, sso bool) *Org {
	o := &Org{ID: w.id(idOrg), Login: login, SSO: sso}
	w.Orgs = append(w.Orgs, o)
	return o
}

func (w *World) addUser(login, name string, bot bool) *User {
	u := &User{ID: w.id(idUser), Login: login, Name: name, Bot: bot, Zone: time.UTC, Place: "Etc/UTC", Code: w.code("P", 7, "user", login)}
	w.Users = append(w.Users, u)
	return u
}

// User is the user of that login, or nil.
func (w *World) User(login string) *User {
	for _, u := range w.Users {
		if u.Login == login {
			return u
		}
	}
	return nil
}

func (w *World) addRepo(o *Org, name string) *Repo {
	r := &Repo{
		ID: w.id(idRepo), Owner: o, Name: name, Default: "main", Created: w.now, Pushed: w.now,
		Branches: map[string]string{}, commits: map[string]*Commit{},
		runByID: map[int64]*Run{}, jobByID: map[int64]*Job{}, Pulls: 380,
	}
	w.Repos = append(w.Repos, r)
	return r
}

// Repo is the repository of that full name. moved reports that the name is a former one.
func (w *World) Repo(full string) (r *Repo, moved bool) {
	for _, r := range w.Repos {
		if strings.EqualFold(r.Full(), full) {
			return r, false
		}
		for _, f := range r.Former {
			if strings.EqualFold(f, full) {
				return r, true
			}
		}
	}
	return nil, false
}

// RepoByID is the repository of that identity, or nil.
func (w *World) RepoByID(id int64) *Repo {
	for _, r := range w.Repos {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// commit adds a revision on top of branch, which it creates from the default branch where it is new.
func (w *World) commit(r *Repo, branch, prefix, message string, by *User, files ...File) *Commit {
	parent, ok := r.Branches[branch]
	if !ok {
		parent = r.Branches[r.Default]
	}
	if len(files) == 0 {
		files = []File{{Path: "README.md", Status: "modified", Additions: 3, Removed: 1}}
	}
	c := &Commit{
		SHA: w.sha(prefix, r.Full(), branch, message, w.now.Unix(), len(r.commits)), Message: message, Author: by,
		At: w.now, Files: files,
	}
	c.Tree = w.sha("", "tree", c.SHA)
	if parent != "" {
		c.Parents = []string{parent}
	}
	r.commits[c.SHA] = c
	r.Branches[branch] = c.SHA
	r.Pushed = w.now
	w.touch(r)
	return c
}

func (w *World) tag(r *Repo, name, sha string, by *User) {
	r.Tags = append(r.Tags, Tag{Name: name, SHA: sha})
	r.Releases = append(r.Releases, &Release{ID: w.id(idRelease), Tag: name, Name: name, SHA: sha, Author: by, At: w.now})
	w.touch(r)
}

// Commit is the revision of that full SHA, or nil.
func (r *Repo) Commit(sha string) *Commit { return r.commits[sha] }

// Resolve finds the SHA that a branch, a tag, a full or a short SHA (from 7 digits on) names.
func (r *Repo) Resolve(ref string) (string, bool) {
	if kind, sha := r.Ref(ref); kind != "" {
		return sha, true
	}
	if _, ok := r.commits[ref]; ok {
		return ref, true
	}
	if len(ref) < 7 || len(ref) >= 40 {
		return "", false
	}
	found := ""
	for sha := range r.commits {
		if strings.HasPrefix(sha, ref) {
			if found != "" {
				return "", false
			}
			found = sha
		}
	}
	return found, found != ""
}

// Ref finds a branch ("heads") or a tag ("tags") by its name, with or without refs/heads/ or
// refs/tags/. kind is "" when there is none.
func (r *Repo) Ref(name string) (kind, sha string) {
	name = strings.TrimPrefix(name, "refs/")
	if b, ok := r.Branches[strings.TrimPrefix(name, "heads/")]; ok && !strings.HasPrefix(name, "tags/") {
		return "heads", b
	}
	for _, t := range r.Tags {
		if t.Name == strings.TrimPrefix(name, "tags/") {
			return "tags", t.SHA
		}
	}
	return "", ""
}

// BranchNames lists the branches by name.
func (r *Repo) BranchNames() []string {
	names := make([]string, 0, len(r.Branches))
	for n := range r.Branches {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// History lists sha and its ancestors, newest first.
func (r *Repo) History(sha string) []*Commit {
	seen := map[string]bool{}
	var out []*Commit
	for ahead := []string{sha}; len(ahead) > 0; {
		next := ahead[len(ahead)-1]
		ahead = ahead[:len(ahead)-1]
		c := r.commits[next]
		if c == nil || seen[next] {
			continue
		}
		seen[next] = true
		out = append(out, c)
		ahead = append(ahead, c.Parents...)
	}
	slices.SortStableFunc(out, func(a, b *Commit) int {
		if d := b.At.Compare(a.At); d != 0 {
			return d
		}
		return strings.Compare(a.SHA, b.SHA)
	})
	return out
}

// Comparison is what lies between two revisions.
type Comparison struct {
	Base, Head, MergeBase *Commit
	Ahead                 []*Commit // in head and not in base, oldest first
	Behind                int       // in base and not in head
	Files                 []File    // changed between merge base and head, by path
}

// Compare tells what lies between two full SHAs; false when they share no history.
func (r *Repo) Compare(base, head string) (Comparison, bool) {
	c := Comparison{Base: r.commits[base], Head: r.commits[head]}
	inBase, inHead := map[string]bool{}, map[string]bool{}
	for _, x := range r.History(base) {
		inBase[x.SHA] = true
	}
	for _, x := range r.History(head) {
		inHead[x.SHA] = true
		if !inBase[x.SHA] {
			c.Ahead = append(c.Ahead, x)
		} else if c.MergeBase == nil {
			c.MergeBase = x
		}
	}
	for sha := range inBase {
		if !inHead[sha] {
			c.Behind++
		}
	}
	slices.Reverse(c.Ahead)
	files := map[string]File{}
	for _, x := range c.Ahead {
		for _, f := range x.Files {
			old, ok := files[f.Path]
			if ok {
				f = File{Path: f.Path, Status: old.Status, Additions: old.Additions + f.Additions, Removed: old.Removed + f.Removed}
			}
			files[f.Path] = f
		}
	}
	for _, f := range files {
		c.Files = append(c.Files, f)
	}
	slices.SortFunc(c.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return c, c.MergeBase != nil
}

// Merge merges the default branch into another one.
func (w *World) Merge(r *Repo, branch string, by *User) *Commit {
	c := w.commit(r, branch, "", "Merge "+r.Default+" into "+branch, by)
	c.Parents = append(c.Parents, r.Branches[r.Default])
	return c
}
