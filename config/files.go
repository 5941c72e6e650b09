package config

import (
	"errors"
	"fmt"
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
		return nil, fmt.Errorf("open a config: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at a config: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, errIrregular
	}
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read a config: %w", err)
	}
	return data, nil
}

func (disk) Glob(pattern string) ([]string, error) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("look for configs: %w", err)
	}
	return paths, nil
}

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
