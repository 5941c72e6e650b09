package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"example.com/signalbox/sources/place"
)

// sharedMode is that of a lock in a shared directory: its group may take it, and see who holds it.
const sharedMode fs.FileMode = 0o660

// Shared is a directory that several users of this machine may write, in which they lock what they act on.
// Nothing that stands in it is believed: its locks keep colleagues out of each other's way, and no more.
type Shared struct{ path string }

// OpenShared returns the shared directory at path. Its error is a *place.Error where the directory is not as
// it must be; what is demanded of it is in sources/place.
func OpenShared(path string) (*Shared, error) {
	if err := place.Check(path); err != nil {
		return nil, err
	}
	return &Shared{path: filepath.Clean(path)}, nil
}

// Path is where the directory is.
func (s *Shared) Path() string { return s.path }

// Lock is Dir.Lock, among all users of the directory. A lock's file stays: whoever made it may remove it, which
// gives the lock away while another holds it, so nobody does.
func (s *Shared) Lock(name string, owner Owner) (*Lock, error) {
	path, err := lockPath(s.path, name)
	if err != nil {
		return nil, err
	}
	f, err := s.flock(path)
	return lock(f, err, path, name, owner)
}

// flock is flock on a file that another user may have made. It is opened before it is made, since Linux lets
// nobody make a file anew that is another's, in a directory like /tmp (fs.protected_regular). A file with a
// second name may be one of ours that somebody else has put here, for us to write to: it is left alone.
func (s *Shared) flock(path string) (*os.File, error) {
	const (
		flags = os.O_RDWR | unix.O_NOFOLLOW | unix.O_NONBLOCK
		tries = 8 // each failure is another user's doing in that very moment
	)
	for try := 1; ; try++ {
		f, err := os.OpenFile(path, flags, 0)
		if errors.Is(err, fs.ErrNotExist) {
			if f, err = os.OpenFile(path, flags|os.O_CREATE|os.O_EXCL, sharedMode); err == nil {
				err = f.Chmod(sharedMode) // whatever the umask says: the others need it
			}
		}
		switch {
		case errors.Is(err, fs.ErrExist) && try < tries:
			continue
		case err != nil && f != nil:
			return nil, errors.Join(fmt.Errorf("open the lock: %w", err), f.Close())
		case err != nil:
			return nil, fmt.Errorf("open the lock: %w", err)
		}
		if err := take(f); err != nil {
			return nil, err
		}
		switch same, err := itself(f, path); {
		case err != nil:
			return nil, errors.Join(fmt.Errorf("open the lock: %w", err), f.Close())
		case same:
			return f, nil
		case try == tries:
			return nil, errors.Join(errors.New("open the lock: its file is replaced again and again"), f.Close())
		}
		if err := f.Close(); err != nil {
			return nil, fmt.Errorf("open the lock: %w", err)
		}
	}
}

// itself reports whether f still is what stands at path, and fails where that is not a plain file of one name.
func itself(f *os.File, path string) (bool, error) {
	info, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("look at it: %w", err)
	}
	there, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look at it: %w", err)
	case !os.SameFile(info, there):
		return false, nil
	}
	if _, plain := place.Plain(info); !plain {
		return false, fmt.Errorf("%s is no plain file, or has several names", filepath.Base(path))
	}
	return true, nil
}
