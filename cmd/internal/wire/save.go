package wire

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxNumbered is how many files of one name are kept apart by a number.
const maxNumbered = 1000

// saver writes new files where a user looks for them.
type saver struct {
	home string // "" when it is not known
	cwd  string
}

func newSaver() *saver {
	home, _ := os.UserHomeDir() // without one the working directory serves
	return &saver{home: home, cwd: "."}
}

// save writes what from holds into a new file called name, or like it where that is taken, in the
// user's Downloads, else in the working directory. It never touches a file that is there.
func (s *saver) save(name string, from io.Reader) (string, error) {
	dir := s.cwd
	if s.home != "" {
		downloads := filepath.Join(s.home, "Downloads")
		if info, err := os.Stat(downloads); err == nil && info.IsDir() {
			dir = downloads
		}
	}
	f, err := create(dir, fileName(name))
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, from)
	if err = errors.Join(err, f.Close()); err != nil {
		// Half a file is worse than none: its reader would take it for the whole.
		return "", fmt.Errorf("write %s: %w", f.Name(), errors.Join(err, os.Remove(f.Name())))
	}
	path, err := filepath.Abs(f.Name())
	if err != nil {
		return f.Name(), nil
	}
	return path, nil
}

func create(dir, name string) (*os.File, error) {
	ext := filepath.Ext(name)
	base := strings.TrimSuffix(name, ext)
	for i := range maxNumbered {
		if i > 0 {
			name = fmt.Sprintf("%s-%d%s", base, i+1, ext)
		}
		// A log may hold what is nobody else's business.
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("save %s: %w", name, err)
		}
	}
	return nil, fmt.Errorf("save %s: there are %d files like it in %s already", name, maxNumbered, dir)
}

// fileName makes a plain file name of what came from a provider: no folder, no dot in front, nothing
// that a shell or another system's file names trip over.
func fileName(name string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune("-_.", r):
			return r
		default:
			return '-'
		}
	}, name)
	clean = strings.Trim(clean, "-.")
	for len(clean) > 120 {
		_, n := utf8.DecodeLastRuneInString(clean)
		clean = clean[:len(clean)-n]
	}
	if clean == "" {
		return "signalbox.txt"
	}
	return clean
}
