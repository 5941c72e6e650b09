package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	fileMode fs.FileMode = 0o600
	patience             = 2 * time.Second // for another process's append
	retry                = 10 * time.Millisecond
	maxLine              = 1 << 20
)

// Journal appends records to the files of one directory. It holds no file open between appends, so a
// directory that comes back (or is moved) is found again. It is safe for several goroutines.
type Journal struct {
	dir string
	now func() time.Time
}

// New returns the journal of a directory, which must exist. Nothing is read or written yet.
func New(dir string, now func() time.Time) *Journal {
	if now == nil {
		now = time.Now
	}
	return &Journal{dir: dir, now: now}
}

// Path is the journal's file.
func (j *Journal) Path() string { return filepath.Join(j.dir, FileName) }

// head is what the file of that name holds.
type head struct {
	Count uint64 `json:"count"`
	Hash  string `json:"hash"`
	Size  int64  `json:"size"` // of the journal, in bytes
}

// Append writes r and returns it as it was written: once Append has returned without an error, the record
// is on the disk. On an error nothing may be done that r was to tell of.
func (j *Journal) Append(ctx context.Context, r Record) (_ Record, err error) {
	f, err := j.open(ctx)
	if err != nil {
		return Record{}, fmt.Errorf("write the journal: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h, err := j.settle(f)
	if err != nil {
		return Record{}, fmt.Errorf("write the journal: %w", err)
	}
	r, err = j.add(f, &h, "", r)
	if err != nil {
		return Record{}, fmt.Errorf("write the journal: %w", err)
	}
	return r, nil
}

// Ready reports why no record could be written now; nil when one could. It writes nothing.
func (j *Journal) Ready(ctx context.Context) error {
	f, err := j.open(ctx)
	if err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	_, err = j.look(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	var free unix.Statfs_t
	if err := unix.Statfs(j.dir, &free); err == nil && free.Bavail*uint64(max(free.Bsize, 0)) < maxLine {
		return fmt.Errorf("open the journal: %w", unix.ENOSPC)
	}
	return nil
}

// open opens the journal for appending and locks it. Closing the file gives the lock back.
func (j *Journal) open(ctx context.Context) (*os.File, error) {
	f, err := os.OpenFile(j.Path(), os.O_RDWR|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, fileMode)
	if err != nil {
		return nil, err //nolint:wrapcheck // its caller says what it was for; the error names the path
	}
	if err := j.lock(ctx, f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fmt.Errorf("%s is not a plain file", j.Path())
	case info.Mode().Perm()&0o077 != 0:
		err = f.Chmod(fileMode)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (j *Journal) lock(ctx context.Context, f *os.File) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("lock %s: %w", j.Path(), err)
		}
		again := time.NewTimer(retry)
		select {
		case <-again.C:
		case <-deadline.C:
			again.Stop()
			return ErrBusy
		case <-ctx.Done():
			again.Stop()
			return context.Cause(ctx) //nolint:wrapcheck // its caller says what it was for
		}
	}
}

// look compares the journal with its head. What a crash between the two left behind is no damage: tail
// holds it, the lines that the head does not know of.
func (j *Journal) look(f *os.File) (found state, err error) {
	info, err := f.Stat()
	if err != nil {
		return found, err //nolint:wrapcheck // the error names the path
	}
	found.head, err = j.readHead()
	if errors.Is(err, fs.ErrNotExist) {
		if info.Size() == 0 {
			return found, nil
		}
		// The very first append may have ended before its head was written: a whole first record stands alone.
		if found.tail, err = readAt(f, 0, info.Size()); err == nil && bytes.Count(found.tail, []byte("\n")) > 1 {
			err = j.damaged("its head is missing")
		}
		return found, err
	}
	if err != nil {
		return found, err
	}
	if info.Size() < found.head.Size {
		return found, j.damaged(fmt.Sprintf("it has %d bytes and had %d: its end was cut off", info.Size(), found.head.Size))
	}
	if last, err := lastLine(f, found.head.Size); err != nil || found.head.Count > 0 && hashOf(last) != found.head.Hash {
		return found, errors.Join(err, j.damaged("its last record is not the one that the head tells of"))
	}
	found.tail, err = readAt(f, found.head.Size, info.Size()-found.head.Size)
	return found, err
}

// state is what look found.
type state struct {
	head head
	tail []byte // after what the head knows of
}

// settle makes the journal whole: lines after the head are taken over when they continue the chain, and a
// line that a crash has torn is closed and told of.
func (j *Journal) settle(f *os.File) (head, error) {
	s, err := j.look(f)
	if err != nil {
		return head{}, err
	}
	h, rest := s.head, s.tail
	for len(rest) > 0 {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		r, err := parse(line)
		if !whole {
			return j.mend(f, h, len(rest))
		}
		if err != nil || r.Prev != h.Hash || r.Seq != h.Count+1 {
			return head{}, j.damaged(fmt.Sprintf("after record %d stands a line that does not continue the chain", h.Count))
		}
		h = head{Count: r.Seq, Hash: r.Hash, Size: h.Size + int64(len(line)) + 1}
		rest = after
	}
	return h, nil
}

// mend ends a torn line and says in a record of its own that it is there: both at once, since an ended line
// that nothing tells of is damage.
func (j *Journal) mend(f *os.File, h head, torn int) (head, error) {
	h.Size += int64(torn)
	_, err := j.add(f, &h, "\n", Record{Stage: Restarted, Outcome: tornText(torn)})
	return h, err
}

// add appends r, behind what stands before it, to f, which ends with h, and moves h on.
func (j *Journal) add(f *os.File, h *head, before string, r Record) (Record, error) {
	r.Seq, r.Prev, r.Hash, r.At = h.Count+1, h.Hash, "", j.now().UTC()
	line, err := r.line()
	if err != nil {
		return r, err
	}
	if len(line) > maxLine {
		return r, fmt.Errorf("the record has %d bytes, and %d are the most", len(line), maxLine)
	}
	next := head{Count: r.Seq, Hash: hashOf(bytes.TrimSuffix(line, []byte("\n"))), Size: h.Size + int64(len(before)+len(line))}
	_, err = f.Write(append([]byte(before), line...))
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = j.writeHead(next)
	}
	if err != nil {
		// Nothing will be done that the record tells of, so it must not stand there.
		return r, errors.Join(err, f.Truncate(h.Size))
	}
	*h, r.Hash = next, next.Hash
	return r, nil
}

// line is r as it stands in the file, its hash and the line's end included.
func (r *Record) line() ([]byte, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode the record: %w", err)
	}
	return seal(body), nil
}

const sealStart = `,"hash":"`

// seal appends the hash of body, a JSON object, as its last field, and a line's end.
func seal(body []byte) []byte {
	sum := sha256.Sum256(body)
	line := append(bytes.TrimSuffix(bytes.Clone(body), []byte("}")), sealStart...)
	line = hex.AppendEncode(line, sum[:])
	return append(line, "\"}\n"...)
}

// sealed takes a line apart; ok is false for one that its hash does not fit.
func sealed(line []byte) (body []byte, hash string, ok bool) {
	const size = len(sealStart) + 2*sha256.Size + len(`"}`)
	at := len(line) - size
	if at < 1 || !bytes.HasPrefix(line[at:], []byte(sealStart)) || !bytes.HasSuffix(line, []byte(`"}`)) {
		return nil, "", false
	}
	hash = string(line[at+len(sealStart) : len(line)-len(`"}`)])
	body = append(bytes.Clone(line[:at]), '}')
	sum := sha256.Sum256(body)
	return body, hash, hex.EncodeToString(sum[:]) == hash
}

func hashOf(line []byte) string {
	_, hash, ok := sealed(line)
	if !ok {
		return ""
	}
	return hash
}

// parse reads one line, whose hash must fit.
func parse(line []byte) (r Record, err error) {
	_, hash, ok := sealed(line)
	if !ok {
		return r, errors.New("its hash does not fit")
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, fmt.Errorf("read a record: %w", err)
	}
	r.Hash = hash
	return r, nil
}

func (j *Journal) damaged(what string) error { return &DamagedError{Path: j.Path(), What: what} }

func (j *Journal) readHead() (h head, err error) {
	path := filepath.Join(j.dir, headName)
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return h, err //nolint:wrapcheck // the error names the path
	}
	data, err := io.ReadAll(io.LimitReader(f, 4096))
	if err = errors.Join(err, f.Close()); err != nil {
		return h, err
	}
	begun := h
	if json.Unmarshal(data, &h) != nil || h.Size < 0 || h.Count == 0 && h != begun || h.Count > 0 && (h.Size == 0 || len(h.Hash) != 2*sha256.Size) {
		return h, &DamagedError{Path: path, What: "it is not a journal's head"}
	}
	return h, nil
}

func (j *Journal) writeHead(h head) error {
	data, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("encode the head: %w", err)
	}
	tmp, err := os.CreateTemp(j.dir, "."+headName+".*") // with mode 0600
	if err != nil {
		return err //nolint:wrapcheck // the error names the path
	}
	_, err = tmp.Write(append(data, '\n'))
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(j.dir, headName))
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return j.syncDir()
}

func (j *Journal) syncDir() error {
	d, err := os.Open(j.dir)
	if err != nil {
		return err //nolint:wrapcheck // the error names the path
	}
	return errors.Join(d.Sync(), d.Close())
}

func readAt(f *os.File, at, n int64) ([]byte, error) {
	b := make([]byte, n)
	if _, err := f.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
		return nil, err //nolint:wrapcheck // the error names the path
	}
	return b, nil
}

// lastLine is the line that ends at size, without its end.
func lastLine(f *os.File, size int64) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	n := min(size, maxLine+1)
	b, err := readAt(f, size-n, n)
	if err != nil {
		return nil, err
	}
	b = bytes.TrimSuffix(b, []byte("\n"))
	return b[bytes.LastIndexByte(b, '\n')+1:], nil
}

// loose reads a line whose hash does not fit, as far as it is JSON.
func loose(text []byte) (r Record, broken bool) {
	if json.Unmarshal(text, &r) != nil || r.Seq == 0 {
		return Record{}, true
	}
	return r, false
}
