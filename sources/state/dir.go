// Package state keeps what outlives one run of signalbox, in a directory of the user's own: the last
// snapshot, and the rate budget that all boards of the user on this machine share.
//
// Nothing here is needed for the board to work. A directory that is missing, read-only, full or damaged
// costs the convenience that it holds, is said in the log, and never stops anything.
package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// DefaultPath is $XDG_STATE_HOME/signalbox, or what stands in for it: ~/.local/state/signalbox.
func DefaultPath() (string, error) {
	if base := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "signalbox"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find the state directory: %w", err)
	}
	return filepath.Join(home, ".local", "state", "signalbox"), nil
}

// Dir is the state directory. Its methods are safe for use by several goroutines and processes.
type Dir struct {
	path string
	log  *slog.Logger
}

// Open returns the state directory at path, which it makes when it is missing. A directory that others
// may write to or read is repaired when it belongs to this user, and refused when it does not.
func Open(path string, log *slog.Logger) (*Dir, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(path, dirMode); err != nil {
		return nil, fmt.Errorf("make the state directory: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open the state directory: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open the state directory: %s is not a directory", path)
	}
	if !ownedByUser(info) {
		return nil, fmt.Errorf("open the state directory: %s belongs to another user", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		if err := os.Chmod(path, mode&dirMode); err != nil {
			return nil, fmt.Errorf("close the state directory to others: %w", err)
		}
		log.Warn("the state directory was open to others and is not any more", "path", path, "mode", mode)
	}
	return &Dir{path: path, log: log}, nil
}

// Path is where the directory is.
func (d *Dir) Path() string { return d.path }

func (d *Dir) file(name string) string { return filepath.Join(d.path, name) }

// write replaces the file with the given name as a whole: a reader sees the old one or the new one, and
// so does the next start after a crash.
func (d *Dir) write(name string, data []byte, durable bool) error {
	tmp, err := os.CreateTemp(d.path, "."+name+".*") // with mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	err = fill(tmp, data, durable)
	if err == nil {
		err = os.Rename(tmp.Name(), d.file(name))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, errors.Join(err, os.Remove(tmp.Name())))
	}
	if durable {
		d.syncDir()
	}
	return nil
}

func fill(f *os.File, data []byte, durable bool) error {
	_, err := f.Write(data)
	if err == nil && durable {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes a rename durable. Not every file system can, and the file is whole either way.
func (d *Dir) syncDir() {
	f, err := os.Open(d.path)
	if err != nil {
		return
	}
	if err := f.Sync(); err != nil {
		d.log.Debug("sync the state directory", "err", err)
	}
	if err := f.Close(); err != nil {
		d.log.Debug("close the state directory", "err", err)
	}
}

// read returns the file with the given name, refusing one that is larger than limit, is no plain file,
// or belongs to another user.
func (d *Dir) read(name string, limit int64) (data []byte, err error) {
	f, err := openPlain(d.file(name))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("read %s: not a plain file", name)
	case !ownedByUser(info):
		return nil, fmt.Errorf("read %s: it belongs to another user", name)
	case info.Size() > limit:
		return nil, fmt.Errorf("read %s: %d bytes are more than the %d that it may have", name, info.Size(), limit)
	}
	data, err = io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}
