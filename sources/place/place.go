// Package place judges a directory that several users of one machine share (`shared_dir`): in it they lock what
// they act on, and a second person agrees to a plan.
//
// What is demanded of it, and why:
//
//   - It is a directory and no symbolic link, and nothing above it can be replaced by everybody: else it is
//     another directory tomorrow.
//   - It belongs to root, to this user, or to a member of its group. Its owner can remove what others left in it,
//     and so take a lock or an agreement away. Nobody but root can forge one.
//   - Its group may write it, since nobody could agree otherwise; others may not, since they are none of the team.
//   - It is sticky: only the owner of a file may remove or rename it. Without that any member could replace a
//     lock that somebody holds by a new one, so that two hold it.
//   - It has the set-group-ID bit: what is made in it belongs to the group, so that all can open each other's
//     locks. BSD and macOS do that by themselves, and take the bit without harm.
//
// One command sets it up: `sudo install -d -m 3770 -g GROUP DIR`.
package place

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Error is what is wrong with a shared directory. Fix is the command that mends it.
type Error struct {
	Dir, Msg, Fix string
	Err           error
}

func (e *Error) Error() string { return "the shared directory " + e.Dir + " " + e.Msg + ": " + e.Fix }

func (e *Error) Unwrap() error { return e.Err }

const shareMode = fs.ModeDir | fs.ModeSetgid | fs.ModeSticky

// Check says what is wrong with the directory at path for this user; nil: nothing. It reads alone. Its error is
// an *Error.
func Check(path string) error { return check(path, here()) }

// system is what Check asks of the machine.
type system struct {
	lstat   func(string) (fs.FileInfo, error)
	resolve func(string) (string, error) // a path without symbolic links
	// owner is whom a file belongs to.
	owner func(fs.FileInfo) (uid, gid int)
	uid   int
	// group is a group's name; "" when it has none.
	group func(gid int) string
	// member reports whether a user is in a group.
	member func(uid, gid int) bool
}

func check(path string, s system) error {
	group := ""
	bad := func(err error, format string, args ...any) error {
		fix := "sudo install -d -m 3770 -g " + cmp.Or(group, "ops") + " " + quoted(path)
		if group == "" {
			fix += " (ops: the group of all who may)"
		}
		return &Error{Dir: path, Msg: fmt.Sprintf(format, args...), Fix: fix, Err: err}
	}
	if !filepath.IsAbs(path) {
		return &Error{Dir: path, Msg: "is no whole path", Fix: "write it from / on"}
	}
	path = filepath.Clean(path)
	info, err := s.lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return bad(err, "does not exist")
	case err != nil:
		return &Error{Dir: path, Msg: "cannot be read", Fix: "check the permissions of what is above it", Err: err}
	case info.Mode()&fs.ModeSymlink != 0:
		return &Error{Dir: path, Msg: "is a symbolic link", Fix: "name the directory itself in shared_dir:"}
	case !info.IsDir():
		return &Error{Dir: path, Msg: "is no directory", Fix: "name another in shared_dir:"}
	}
	uid, gid := s.owner(info)
	if gid != 0 {
		group = s.group(gid)
	}
	mode := info.Mode()
	switch {
	case uid != 0 && uid != s.uid && !s.member(uid, gid):
		return &Error{Dir: path, Msg: "belongs to somebody who is none of its group", Fix: "sudo chown root " + quoted(path)}
	case mode.Perm()&0o002 != 0:
		return bad(nil, "can be written by everybody (mode %s)", octal(mode))
	case mode.Perm()&0o070 != 0o070:
		return bad(nil, "is not for its group to write (mode %s)", octal(mode))
	case mode&shareMode != shareMode:
		return bad(nil, "lets others replace what stands in it, or keep it from the group (mode %s)", octal(mode))
	}
	return above(path, s)
}

// above checks the directories that path is in.
func above(path string, s system) error {
	up, err := s.resolve(filepath.Dir(path))
	if err != nil {
		return &Error{Dir: path, Msg: "is below a directory that cannot be read", Fix: "check the permissions of what is above it", Err: err}
	}
	for ; ; up = filepath.Dir(up) {
		info, err := s.lstat(up)
		if err != nil {
			return &Error{Dir: path, Msg: "is below " + up + ", which cannot be read", Fix: "check its permissions", Err: err}
		}
		if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return &Error{Dir: path, Msg: "can be replaced by everybody, who can write " + up, Fix: "sudo chmod o-w " + quoted(up)}
		}
		if up == filepath.Dir(up) {
			return nil
		}
	}
}

// octal is a mode as chmod takes it.
func octal(m fs.FileMode) string {
	n := uint32(m.Perm())
	for _, one := range []struct {
		bit fs.FileMode
		n   uint32
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if m&one.bit != 0 {
			n |= one.n
		}
	}
	return fmt.Sprintf("%04o", n)
}

// Plain reports whether info is a plain file that has one name, and its owner's uid. What has several names may
// be somebody's own file, put here to be written to.
func Plain(info fs.FileInfo) (uid int, ok bool) {
	uid, _ = ownerOf(info)
	return uid, info.Mode().IsRegular() && links(info) == 1
}

// here is this machine.
func here() system {
	return system{lstat: os.Lstat, resolve: filepath.EvalSymlinks, owner: ownerOf, uid: os.Geteuid(), group: groupName, member: isMember}
}
