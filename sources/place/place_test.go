package place

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// file is what a made-up machine says of a path.
type file struct {
	mode     fs.FileMode
	uid, gid int
}

func (f file) Name() string       { return "" }
func (f file) Size() int64        { return 0 }
func (f file) Mode() fs.FileMode  { return f.mode }
func (f file) ModTime() time.Time { return time.Time{} }
func (f file) IsDir() bool        { return f.mode.IsDir() }
func (f file) Sys() any           { return nil }

const good = fs.ModeDir | fs.ModeSetgid | fs.ModeSticky | 0o770

// made is a machine whose user is 1001, of the group ops (50), as is 1002.
func made(files map[string]file) system {
	return system{
		lstat: func(path string) (fs.FileInfo, error) {
			f, ok := files[path]
			if !ok {
				return nil, &fs.PathError{Op: "lstat", Path: path, Err: fs.ErrNotExist}
			}
			if f.mode == 0 {
				return nil, &fs.PathError{Op: "lstat", Path: path, Err: fs.ErrPermission}
			}
			return f, nil
		},
		resolve: func(path string) (string, error) {
			if path == "/link" {
				return "/open", nil
			}
			if path == "/loop" {
				return "", syscall.ELOOP
			}
			return path, nil
		},
		owner: func(info fs.FileInfo) (int, int) { return info.(file).uid, info.(file).gid }, //nolint:forcetypeassert // it is
		uid:   1001,
		group: func(gid int) string { return map[int]string{50: "ops", 0: "root"}[gid] },
		member: func(uid, gid int) bool {
			return gid == 50 && (uid == 1001 || uid == 1002)
		},
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const dir = "/var/lib/signalbox"
	const setup = "sudo install -d -m 3770 -g ops /var/lib/signalbox"
	for _, c := range []struct {
		name string
		dir  file
		want string // "" is well
	}{
		{"root's", file{good, 0, 50}, ""},
		{"one's own", file{good, 1001, 50}, ""},
		{"a colleague's", file{good, 1002, 50}, ""},
		{"for others to read", file{good | 0o5, 0, 50}, ""},
		{"a stranger's", file{good, 1003, 50}, "belongs to somebody who is none of its group: sudo chown root /var/lib/signalbox"},
		{"not there", file{}, "cannot be read: check the permissions of what is above it"},
		{"a link", file{fs.ModeSymlink | 0o777, 0, 50}, "is a symbolic link: name the directory itself in shared_dir:"},
		{"a file", file{0o660, 0, 50}, "is no directory: name another in shared_dir:"},
		{"for all", file{good | 0o7, 0, 50}, "can be written by everybody (mode 3777): " + setup},
		{"as /tmp", file{fs.ModeDir | fs.ModeSticky | 0o777, 0, 0}, "can be written by everybody (mode 1777): " + setup + " (ops: the group of all who may)"},
		{"for nobody else", file{fs.ModeDir | 0o700, 1001, 50}, "is not for its group to write (mode 0700): " + setup},
		{"for a group to read", file{good &^ 0o20, 0, 50}, "is not for its group to write (mode 3750): " + setup},
		{"not sticky", file{good &^ fs.ModeSticky, 0, 50}, "lets others replace what stands in it, or keep it from the group (mode 2770): " + setup},
		{"no group's", file{good &^ fs.ModeSetgid, 0, 50}, "lets others replace what stands in it, or keep it from the group (mode 1770): " + setup},
	} {
		files := map[string]file{dir: c.dir, "/var/lib": {fs.ModeDir | 0o755, 0, 0}, "/var": {fs.ModeDir | 0o755, 0, 0}, "/": {fs.ModeDir | 0o755, 0, 0}}
		err := check(dir, made(files))
		got := ""
		if e, ok := errors.AsType[*Error](err); ok {
			got = strings.TrimPrefix(e.Error(), "the shared directory /var/lib/signalbox ")
		}
		if got != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestCheckAbove(t *testing.T) {
	t.Parallel()
	files := map[string]file{
		"/": {fs.ModeDir | 0o755, 0, 0}, "/open": {fs.ModeDir | 0o777, 0, 0}, "/open/a": {good, 0, 50}, "/tmp": {fs.ModeDir | fs.ModeSticky | 0o777, 0, 0}, "/tmp/a": {good, 0, 50},
		"/team": {fs.ModeDir | 0o775, 0, 50}, "/team/a b'c": {good &^ fs.ModeSticky, 0, 50}, "/team/d": {good, 0, 50}, "/link/a": {good, 0, 50}, "/hidden": {}, "/hidden/a": {good, 0, 50}, "/loop/a": {good, 0, 50},
	}
	for path, want := range map[string]string{
		"/tmp/a": "", "/team/d": "", "/team//d/": "",
		"/open/a":     "can be replaced by everybody, who can write /open: sudo chmod o-w /open",
		"/link/a":     "can be replaced by everybody, who can write /open: sudo chmod o-w /open",
		"/hidden/a":   "is below /hidden, which cannot be read: check its permissions",
		"/loop/a":     "is below a directory that cannot be read: check the permissions of what is above it",
		"/team/a b'c": "lets others replace what stands in it, or keep it from the group (mode 2770): sudo install -d -m 3770 -g ops '/team/a b'\\''c'",
		"/none/a":     "does not exist: sudo install -d -m 3770 -g ops /none/a (ops: the group of all who may)",
		"relative/a":  "is no whole path: write it from / on",
	} {
		err := check(path, made(files))
		if want == "" && err == nil {
			continue
		}
		if err == nil || !strings.HasSuffix(err.Error(), " "+want) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

// On this machine.
func TestCheckForReal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := Check(dir); err == nil || !strings.Contains(err.Error(), "install -d -m 3770 -g ") {
		t.Errorf("got %v", err)
	}
	if err := os.Chmod(dir, 0o770|fs.ModeSetgid|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if err := Check(dir); err != nil {
		t.Error(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if err := Check(link); err == nil {
		t.Error("a link will do")
	}
	if err := Check(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if !isMember(0, 0) || isMember(0, 987654) || isMember(987654, 0) || groupName(987654) != "" || groupName(0) == "" {
		t.Error("who is in which group is not as the machine says")
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(os.WriteFile(at("file"), nil, 0o600), os.WriteFile(at("two"), nil, 0o600), os.Link(at("two"), at("names")), os.Symlink("file", at("link")), os.Mkdir(at("dir"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"file": true, "two": false, "names": false, "link": false, "dir": false} {
		info, err := os.Lstat(at(name))
		if err != nil {
			t.Fatal(err)
		}
		if uid, ok := Plain(info); ok != want || uid != os.Geteuid() {
			t.Errorf("%s: %d, %t", name, uid, ok)
		}
	}
	if uid, ok := Plain(file{mode: 0o600}); ok || uid != -1 {
		t.Errorf("of nothing known: %d, %t", uid, ok)
	}
}
