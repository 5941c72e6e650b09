package config

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Files reads what a config is made of.
type Files interface {
	// Read is the content of a regular file, or its first bytes if it is larger than what a config
	// may be.
	Read(path string) ([]byte, error)
	// Glob is as filepath.Glob.
	Glob(pattern string) ([]string, error)
}

var errIrregular = errors.New("it is not a regular file")

type disk struct{}

func (disk) Read(path string) ([]byte, error) {
	// Without O_NONBLOCK opening a named pipe would wait for its writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errIrregular
	}
	return io.ReadAll(io.LimitReader(f, maxBytes+1))
}

func (disk) Glob(pattern string) ([]string, error) { return filepath.Glob(pattern) }

// why is an error of a file for people.
func why(err error) string {
	var path *os.PathError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "it does not exist"
	case errors.Is(err, os.ErrPermission):
		return "you may not read it"
	case errors.As(err, &path):
		return plain(path.Err.Error())
	default:
		return plain(err.Error())
	}
}
