package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/httpx"
)

const (
	tailLines = 200
	tailBytes = 256 << 10
	maxStream = 512 << 20 // of a log whose end can only be reached by reading it
	maxLine   = 16 << 10  // bytes of one line that are kept
)

// ReadLog reads the end of a job's log. GitHub answers with a signed address at another host, which is
// asked without the credential, for the last bytes alone where the size is known.
func (s *source) ReadLog(ctx context.Context, job sources.Ref, q sources.LogQuery) (sources.Log, error) {
	c, id, err := s.object(ctx, job, sources.KindJob)
	if err != nil {
		return sources.Log{}, err
	}
	log, err := c.readLog(ctx, id, q)
	return log, c.fail("read log", err)
}

func (c *repoConn) readLog(ctx context.Context, id int64, q sources.LogQuery) (sources.Log, error) {
	owner, name, _ := strings.Cut(c.scope, "/")
	at, res, err := c.client.Actions.GetWorkflowJobLogs(ctx, owner, name, id, 2)
	if err != nil {
		if res == nil || res.Response == nil {
			return sources.Log{}, fmt.Errorf("ask for the log's address: %w", err)
		}
		defer func() { _ = res.Body.Close() }()
		return c.noLog(ctx, id, res.Response, err)
	}
	if err := c.checkLogURL(at); err != nil {
		return sources.Log{}, err
	}
	limit, lines := q.Bytes, q.Tail
	if limit <= 0 {
		limit = tailBytes
	}
	if lines <= 0 {
		lines = tailLines
	}
	end, err := c.s.tail(ctx, at, limit)
	if err != nil {
		return sources.Log{}, err
	}
	return parseLog(end, lines), nil
}

// noLog says why there is no log: the job still runs, or its log is gone.
func (c *repoConn) noLog(ctx context.Context, id int64, res *http.Response, err error) (sources.Log, error) {
	switch res.StatusCode {
	case http.StatusGone:
		return sources.Log{}, &sources.Error{Kind: sources.NotExist, Msg: "the log has expired", Fix: "GitHub keeps logs for as long as the repository's settings say: run the job again", Err: err}
	case http.StatusNotFound:
		job, jobErr := get[wireJob](ctx, c.conn, fmt.Sprintf("%s/actions/jobs/%d", c.path, id))
		if jobErr != nil {
			return sources.Log{}, jobErr
		}
		if state, _ := stateOf(job.Value.Status, job.Value.Conclusion); !state.Done() {
			note := sources.LogLine{Level: sources.LogNotice, Text: clean.Const("GitHub serves a job's log when the job has ended")}
			return sources.Log{Lines: []sources.LogLine{note}, Size: -1, FirstError: -1, Live: true}, nil
		}
		return sources.Log{}, &sources.Error{Kind: sources.NotExist, Msg: "there is no log of this job", Fix: "it may take a moment after the job's end; else it was deleted", Err: err}
	case http.StatusOK:
		return sources.Log{}, &sources.Error{Kind: sources.Invalid, Msg: "GitHub answered without the log's address", Err: err}
	default:
		body, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
		e := httpx.Status("", "", res)
		if limited := c.explainLimit(res, string(body), "", err); limited != nil {
			e = limited
		} else if res.StatusCode == http.StatusForbidden {
			explainAccess(e, res, "")
		}
		return sources.Log{}, e
	}
}

// checkLogURL refuses an address that no GitHub would answer with.
func (c *repoConn) checkLogURL(u *url.URL) error {
	local := isLocal(c.s.api.Hostname())
	if u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !local) || !local && isLocal(u.Hostname()) {
		return &sources.Error{Kind: sources.Invalid, Msg: "GitHub answered with an address for the log that is not safe to ask: " + u.Scheme + "://" + u.Host}
	}
	return nil
}

// isLocal reports that a host is this machine or its neighbour by its spelling.
func isLocal(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && (a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified())
}

// ending is the last part of a log.
type ending struct {
	data    []byte
	omitted int64 // bytes before data
	size    int64 // of the whole; -1: not known
}

// tail reads the last limit bytes of what is at u.
func (s *source) tail(ctx context.Context, u *url.URL, limit int64) (ending, error) {
	res, err := s.ask(ctx, u, "")
	if err != nil {
		return ending{}, err
	}
	defer func() { _ = res.Body.Close() }()
	size := res.ContentLength
	if size > limit {
		ranged, err := s.ask(ctx, u, fmt.Sprintf("bytes=%d-", size-limit))
		if err == nil {
			defer func() { _ = ranged.Body.Close() }()
			if start, ok := rangeStart(ranged); ok {
				_ = res.Body.Close()
				end, err := ring(ranged.Body, limit)
				end.omitted += start
				if end.size = start + end.size; end.size < size {
					end.size = size
				}
				return end, err
			}
		}
	}
	return ring(res.Body, limit)
}

// rangeStart is where a partial answer begins.
func rangeStart(res *http.Response) (int64, bool) {
	if res.StatusCode != http.StatusPartialContent {
		return 0, false
	}
	spec, ok := strings.CutPrefix(res.Header.Get("Content-Range"), "bytes ")
	from, _, cut := strings.Cut(spec, "-")
	start, err := strconv.ParseInt(from, 10, 64)
	return start, ok && cut && err == nil && start >= 0
}

// ask sends one GET without any credential.
func (s *source) ask(ctx context.Context, u *url.URL, span string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("the log's address makes no sense")
	}
	req.Header.Set("Accept-Encoding", "identity") // so that its length is the log's
	if s.env.UserAgent != "" {
		req.Header.Set("User-Agent", s.env.UserAgent)
	}
	if span != "" {
		req.Header.Set("Range", span)
	}
	res, err := s.bare.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the log's store: %w", err)
	}
	if res.StatusCode/100 != 2 {
		_ = res.Body.Close()
		e := httpx.Status("", "", res)
		if res.StatusCode == http.StatusForbidden || res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone {
			e.Kind, e.Msg, e.Fix = sources.NotExist, "the log's store does not have it: it has expired", "run the job again"
		}
		return nil, e
	}
	return res, nil
}

// ring reads all of r and keeps its last limit bytes.
func ring(r io.Reader, limit int64) (ending, error) {
	buf := make([]byte, 0, min(limit*2, 1<<20))
	var total int64
	chunk := make([]byte, 32<<10)
	for {
		n, err := r.Read(chunk)
		total += int64(n)
		buf = append(buf, chunk[:n]...)
		if int64(len(buf)) > 2*limit {
			buf = append(buf[:0], buf[int64(len(buf))-limit:]...)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return ending{}, fmt.Errorf("read the log: %w", err)
		}
		if total > maxStream {
			return ending{}, &sources.Error{Kind: sources.Invalid, Msg: fmt.Sprintf("the log is larger than %d MiB and its store cannot send the end alone", maxStream>>20), Fix: "open it in the browser"}
		}
	}
	if over := int64(len(buf)) - limit; over > 0 {
		buf = buf[over:]
	}
	return ending{data: buf, omitted: total - int64(len(buf)), size: total}, nil
}

var (
	bom     = []byte("\uFEFF")
	newline = []byte{'\n'}
)

// parseLog reads the last lines of a log's end. A first line that was cut is dropped.
func parseLog(end ending, lines int) sources.Log {
	log := sources.Log{Omitted: end.omitted, Size: end.size, FirstError: -1}
	data := end.data
	if end.omitted > 0 {
		i := bytes.IndexByte(data, '\n')
		log.Omitted += int64(i + 1)
		data = data[i+1:]
	}
	var starts []int // of each kept line, in what is left of the end
	for at := 0; at < len(data); {
		raw, _, _ := bytes.Cut(data[at:], newline)
		if line, keep := logLine(raw); keep {
			log.Lines, starts = append(log.Lines, line), append(starts, at)
		}
		at += len(raw) + 1
	}
	if drop := len(log.Lines) - lines; drop > 0 {
		log.Omitted += int64(starts[drop])
		log.Lines = log.Lines[drop:]
	}
	log.FirstError = firstError(log.Lines)
	return log
}

// firstError is the index of the first line that reports the failure; -1 when none does. The runner marks
// errors, but of a command that failed it often marks no more than its exit code: then the first line of
// the same step that reads like a failure counts.
func firstError(lines []sources.LogLine) int {
	marked := slices.IndexFunc(lines, func(l sources.LogLine) bool { return l.Level == sources.LogError })
	if marked < 0 || !strings.HasPrefix(lines[marked].Text.String(), "Process completed with exit code") {
		return marked
	}
	first := marked
	for i := marked - 1; i >= 0 && lines[i].Level != sources.LogGroup; i-- {
		if failure.MatchString(lines[i].Text.String()) {
			first = i
		}
	}
	return first
}

// failure matches how compilers, test runners, package managers and runtimes begin to say what failed.
var failure = regexp.MustCompile(`^\s*(--- FAIL|FAIL(ED|:|\s)|not ok \d|[✗✖×●]\s|panic:|fatal( error)?:|(\S+: )?(\S*[eE]rror|ERROR)(\[\w+\])?:|\S+:\d+(:\d+)?: (fatal )?error\b|npm (ERR!|error)|Traceback \(|E  )|\b(AssertionError|assertion failed|segmentation fault)\b`)

// logLine reads one line: its time, its marker, its text.
func logLine(raw []byte) (line sources.LogLine, keep bool) {
	raw = bytes.TrimPrefix(raw, bom)
	raw = bytes.TrimRight(raw, "\r")
	if i := bytes.LastIndexByte(raw, '\r'); i >= 0 {
		stamp, _ := logTime(raw)
		raw = raw[i+1:] // a progress bar: only what it ended with was ever seen
		line.At = stamp
	}
	if at, n := logTime(raw); n > 0 {
		line.At, raw = at, raw[n:]
	}
	raw = bytes.TrimPrefix(raw, bom)
	if len(raw) > maxLine {
		cut := maxLine
		for cut > maxLine-utf8.UTFMax && !utf8.RuneStart(raw[cut]) {
			cut--
		}
		raw = append(bytes.Clone(raw[:cut]), " …"...)
	}
	text := string(raw)
	line.Level, text = logLevel(text)
	line.Text = clean.Line(text)
	return line, text != endGroup
}

const endGroup = "##[endgroup]"

// markers are how the runner marks a line that stands out.
var markers = []struct {
	text  string
	level sources.LogLevel
}{
	{"##[group]", sources.LogGroup}, {"##[section]", sources.LogGroup}, {"##[command]", sources.LogCommand},
	{"[command]", sources.LogCommand}, {"##[notice]", sources.LogNotice}, {"##[warning]", sources.LogWarning},
	{"##[error]", sources.LogError}, {"##[debug]", sources.LogPlain},
}

func logLevel(text string) (sources.LogLevel, string) {
	if strings.HasPrefix(text, "##[") || strings.HasPrefix(text, "[command]") {
		for _, m := range markers {
			if rest, ok := strings.CutPrefix(text, m.text); ok {
				return m.level, rest
			}
		}
	}
	return sources.LogPlain, text
}

// logTime reads a line's timestamp and how many bytes it takes with its blank.
func logTime(raw []byte) (time.Time, int) {
	i := bytes.IndexByte(raw[:min(len(raw), 40)], ' ')
	alone := i < 0 && len(raw) >= 20 && len(raw) < 40
	if i < 20 && !alone {
		return time.Time{}, 0
	}
	stamp := raw
	if i >= 0 {
		stamp = raw[:i]
	}
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return time.Time{}, 0
	}
	return at.UTC(), min(len(raw), len(stamp)+1)
}
