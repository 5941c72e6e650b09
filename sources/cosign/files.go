package cosign

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxFile is how large a file may be.
const maxFile = 1 << 20

func userName(uid int) string {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return "uid " + strconv.Itoa(uid)
	}
	return u.Username
}

// load reads a file that its owner alone can write, and tells whose it is. It follows no link, and waits for
// nothing.
func (p *Place) load(path string) (data []byte, uid int, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0) //nolint:gosec // its name is made of a checked ID
	if errors.Is(err, unix.ELOOP) {
		return nil, 0, errors.New("it is a symbolic link")
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("look at it: %w", err)
	}
	uid, ok := p.sys.owner(info)
	switch {
	case !ok:
		return nil, 0, errors.New("it is no plain file, or has several names")
	case info.Mode().Perm()&0o022 != 0:
		return nil, 0, errors.New("others than its owner can write it")
	case info.Size() > maxFile:
		return nil, 0, errors.New("it is too large")
	}
	data, err = io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, 0, fmt.Errorf("read: %w", err)
	}
	return data, uid, nil
}

// write replaces a file of one's own as a whole, durably.
func (p *Place) write(path string, data []byte) error {
	tmp, err := os.CreateTemp(p.dir, ".plan-*")
	if err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(fileMode) // whatever the umask says: the others read it
	}
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path) //nolint:gosec // as above
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name())) //nolint:gosec // as above
	}
	return nil
}

// sweep removes one's own files of yesterday. What cannot be removed stays: it counts no more.
func (p *Place) sweep() {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		ours := strings.HasPrefix(e.Name(), "plan-") && (strings.HasSuffix(e.Name(), ".json") || strings.Contains(e.Name(), ".agreed-"))
		if !ours && !strings.HasPrefix(e.Name(), ".plan-") {
			continue
		}
		info, err := e.Info()
		if err != nil || p.now().Sub(info.ModTime()) < keeps {
			continue
		}
		if uid, ok := p.sys.owner(info); ok && uid == p.sys.uid() {
			_ = os.Remove(filepath.Join(p.dir, e.Name())) //nolint:gosec // another process was faster, or it stays
		}
	}
}
