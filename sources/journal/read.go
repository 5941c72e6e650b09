package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"

	"golang.org/x/sys/unix"

	"example.com/signalbox/sources/clean"
)

func tornText(n int) clean.Text {
	return clean.Linef("a crash left %d bytes of a record that was never finished; nothing was done that it was to tell of", n)
}

// Records yields the records from the oldest on, also those of lines whose hash does not fit, as far as
// they can be read: Verify tells which those are. A line that is being written is left out. A journal that
// is not there has none.
func (j *Journal) Records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		_, err := j.since(0, func(l line) bool { return l.torn() || yield(l.record, nil) })
		if err != nil {
			yield(Record{}, err)
		}
	}
}

// Since yields nothing to f but the records that stand after offset bytes, and returns where the next one
// will: what a reader that follows the journal keeps. An offset of 0 is the beginning.
func (j *Journal) Since(offset int64, f func(Record) bool) (next int64, err error) {
	return j.since(offset, func(l line) bool { return l.torn() || f(l.record) })
}

// line is one line of the file.
type line struct {
	number int
	record Record
	bad    error // the hash does not fit, or it is no record at all
	broken bool  // it is no record at all
}

func (l *line) torn() bool { return l.broken }

func (j *Journal) since(offset int64, f func(line) bool) (next int64, err error) {
	next, _, err = j.scan(offset, f)
	return next, err
}

// scan is since, and says how many bytes of an unfinished line are at the end.
func (j *Journal) scan(offset int64, f func(line) bool) (next int64, rest int, err error) {
	file, err := os.OpenFile(j.Path(), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return offset, 0, fmt.Errorf("read the journal: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if info, err := file.Stat(); err == nil && info.Size() < offset {
		offset = 0 // it was begun anew
	}
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return offset, 0, fmt.Errorf("read the journal: %w", err)
	}
	r := bufio.NewReaderSize(file, 64<<10)
	for number := 1; ; number++ {
		text, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return offset, len(text), nil
		}
		if err != nil {
			return offset, 0, fmt.Errorf("read the journal: %w", err)
		}
		offset += int64(len(text))
		if !f(lineOf(number, bytes.TrimSuffix(text, []byte("\n")))) {
			return offset, 0, nil
		}
	}
}

func lineOf(number int, text []byte) line {
	l := line{number: number}
	l.record, l.bad = parse(text)
	if l.bad != nil && l.record.Seq == 0 {
		l.record, l.broken = loose(text)
	}
	return l
}

// Problem is one thing that is wrong with a journal.
type Problem struct {
	Line int    `json:"line"` // of the file; 0: of no single line
	Seq  uint64 `json:"seq"`  // the record's number, as far as it is known
	What string `json:"what"`
}

// Report is what Verify found.
type Report struct {
	Records  uint64    `json:"records"`
	Mended   int       `json:"mended"` // lines that a crash tore and a later record told of
	Problems []Problem `json:"problems"`
}

// Verify reads the whole journal and its head, and tells every record that was changed, every place where
// some are missing or stand in another order, and a tail that was cut off or torn.
func (j *Journal) Verify() (Report, error) {
	v := verifier{report: Report{Problems: []Problem{}}}
	size, rest, err := j.scan(0, v.line)
	if err != nil {
		return v.report, err
	}
	v.endTorn()
	if rest > 0 {
		v.problem(v.lines+1, v.seq+1, tornText(rest).String()+"; the next record will tell of it")
	}
	h, err := j.readHead()
	switch damage := (*DamagedError)(nil); {
	case errors.Is(err, fs.ErrNotExist) && v.report.Records <= 1:
		return v.report, nil
	case errors.Is(err, fs.ErrNotExist):
		v.problem(0, v.seq, "the head is missing: whether records are missing at the end cannot be told")
	case errors.As(err, &damage):
		v.problem(0, v.seq, damage.Error())
	case err != nil:
		return v.report, err
	case h.Count > v.seq:
		v.problem(0, v.seq, fmt.Sprintf("the head tells of %d records and the last is %d: the end was cut off", h.Count, v.seq))
	case v.seqs[h.Count%keep] != h.Hash && h.Count+keep > v.seq && h.Count > 0:
		v.problem(0, h.Count, "the head tells of another last record")
	case h.Size > size:
		v.problem(0, v.seq, "the head tells of a longer file: the end was cut off")
	}
	return v.report, nil
}

// keep is how many hashes of the end are kept to compare the head with: a crash leaves it behind by one.
const keep = 64

type verifier struct {
	report Report
	lines  int
	seq    uint64
	prev   string
	torn   *line // a line that is no record: the next one must tell of it
	seqs   [keep]string
}

func (v *verifier) problem(number int, seq uint64, what string) {
	v.report.Problems = append(v.report.Problems, Problem{number, seq, what})
}

func (v *verifier) endTorn() {
	if v.torn != nil {
		v.problem(v.torn.number, v.seq+1, "the line is no record, and none tells of a crash: it was changed, or torn")
		v.torn = nil
	}
}

func (v *verifier) line(l line) bool {
	v.lines = l.number
	if l.broken {
		v.endTorn()
		v.torn = &l
		return true
	}
	r := &l.record
	if v.torn != nil && l.bad == nil && r.Stage == Restarted && r.Seq == v.seq+1 {
		v.torn = nil
		v.report.Mended++
	}
	v.endTorn()
	v.report.Records++
	switch {
	case l.bad != nil:
		v.problem(l.number, r.Seq, fmt.Sprintf("record %d was changed: its hash does not fit", r.Seq))
	case r.Seq > v.seq+1:
		v.problem(l.number, r.Seq, fmt.Sprintf("before record %d, %d are missing", r.Seq, r.Seq-v.seq-1))
	case r.Seq < v.seq+1:
		v.problem(l.number, r.Seq, fmt.Sprintf("record %d stands after record %d", r.Seq, v.seq))
	case r.Prev != v.prev:
		v.problem(l.number, r.Seq, fmt.Sprintf("record %d continues another record %d than the one before it", r.Seq, v.seq))
	}
	v.seq, v.prev = r.Seq, r.Hash
	v.seqs[r.Seq%keep] = r.Hash
	return true
}

// Open lists the actions that were begun and never settled, oldest first: for each its records. A crash
// leaves them behind, and so does another program that is at it right now.
func (j *Journal) Open() ([][]Record, error) {
	var order []string
	plans := map[string][]Record{}
	for r, err := range j.Records() {
		switch {
		case err != nil:
			return nil, err
		case r.Plan == "":
		case r.Stage == Intended && plans[r.Plan] == nil:
			order = append(order, r.Plan)
			plans[r.Plan] = []Record{r}
		case plans[r.Plan] != nil && r.Stage.Final():
			delete(plans, r.Plan)
		case plans[r.Plan] != nil:
			plans[r.Plan] = append(plans[r.Plan], r)
		}
	}
	var out [][]Record
	for _, id := range order {
		if rs := plans[id]; rs != nil {
			out = append(out, rs)
			delete(plans, id)
		}
	}
	return out, nil
}
