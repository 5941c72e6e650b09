package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Shared is a directory that several users of this machine may write, in which they lock what they act on.
// Nothing that stands in it is believed: its locks keep colleagues out of each other's way, and no more.
type Shared struct {
	path string
	mode fs.FileMode // of what is made in it: for those who may write the directory
}

// OpenShared returns the shared directory at path, which must exist.
func OpenShared(path string) (*Shared, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open the shared directory: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open the shared directory: %s is not a directory", path)
	}
	return &Shared{path: path, mode: fileMode | info.Mode().Perm()&0o066}, nil
}

// Path is where the directory is.
func (s *Shared) Path() string { return s.path }

// Lock is Dir.Lock, among all users of the directory.
func (s *Shared) Lock(name string, owner Owner) (*Lock, error) {
	path, err := lockPath(s.path, name)
	if err != nil {
		return nil, err
	}
	f, err := s.flock(path)
	return lock(f, err, path, name, owner)
}

// flock is flock on a file that another user may have made. It is opened before it is made, since Linux lets
// nobody make a file anew that is another's, in a directory like /tmp (fs.protected_regular).
func (s *Shared) flock(path string) (*os.File, error) {
	const flags = os.O_RDWR | unix.O_NOFOLLOW | unix.O_NONBLOCK
	for try := 0; ; try++ {
		f, err := os.OpenFile(path, flags, 0)
		if errors.Is(err, fs.ErrNotExist) {
			if f, err = os.OpenFile(path, flags|os.O_CREATE|os.O_EXCL, s.mode); err == nil {
				err = f.Chmod(s.mode) // whatever the umask says: the others need it
			}
		}
		switch {
		case errors.Is(err, fs.ErrExist) && try == 0:
			continue
		case err != nil && f != nil:
			return nil, errors.Join(fmt.Errorf("open the lock: %w", err), f.Close())
		case err != nil:
			return nil, fmt.Errorf("open the lock: %w", err)
		}
		if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
			return nil, errors.Join(fmt.Errorf("open the lock: %s is not a plain file", filepath.Base(path)), err, f.Close())
		}
		if err := take(f); err != nil {
			return nil, err
		}
		return f, nil
	}
}
