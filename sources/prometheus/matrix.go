package prometheus

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources"
)

// matrix reads the answer to a range query in one pass: a board of 200 series asks for 300,000 points at a
// time, and a general decoder looks at each of them three times. It knows the one form that servers write;
// for any other it gives up (ok is false) and client_golang reads the answer.
func matrix(body []byte) (r *result, ok bool) {
	const begin = `"data":{"resultType":"matrix","result":[`
	head := body[:min(len(body), 256)]
	i := bytes.Index(head, []byte(begin))
	if i < 0 || !bytes.HasPrefix(head, []byte(`{"status":"success"`)) {
		return nil, false
	}
	s := &scanner{b: body, at: i + len(begin)}
	r = &result{}
	for s.next() != ']' {
		if len(r.streams) > 0 && !s.take(`,`) {
			return nil, false
		}
		st, ok := s.stream()
		if !ok {
			return nil, false
		}
		r.streams = append(r.streams, st)
	}
	var rest struct {
		Warnings []string `json:"warnings"`
		Infos    []string `json:"infos"`
	}
	if !s.take(`]}`) || json.Unmarshal(slices.Concat([]byte(`{"":0`), body[s.at:]), &rest) != nil {
		return nil, false
	}
	for _, w := range rest.Warnings {
		r.remarks = append(r.remarks, remark{text: w})
	}
	for _, w := range rest.Infos {
		r.remarks = append(r.remarks, remark{text: w, info: true})
	}
	if bytes.Contains(head[:i], []byte(`"isPartial":true`)) { // VictoriaMetrics' word
		r.remarks = append(r.remarks, remark{text: "the answer is partial: some of the store's nodes did not answer"})
	}
	r.sort()
	return r, true
}

// scanner walks over a body. What it does not expect it leaves where it is.
type scanner struct {
	b  []byte
	at int
}

// next is the byte ahead; 0 at the end.
func (s *scanner) next() byte {
	if s.at < len(s.b) {
		return s.b[s.at]
	}
	return 0
}

// take goes over text, if that is ahead.
func (s *scanner) take(text string) bool {
	if !strings.HasPrefix(string(s.b[s.at:min(len(s.b), s.at+len(text))]), text) {
		return false
	}
	s.at += len(text)
	return true
}

// until is what lies ahead before end, which it goes over.
func (s *scanner) until(end byte) ([]byte, bool) {
	n := bytes.IndexByte(s.b[s.at:], end)
	if n < 0 {
		return nil, false
	}
	part := s.b[s.at : s.at+n]
	s.at += n + 1
	return part, true
}

// stream reads {"metric":{…},"values":[[1700000000,"1.5"],…]}.
func (s *scanner) stream() (stream, bool) {
	if !s.take(`{"metric":`) {
		return stream{}, false
	}
	d := json.NewDecoder(bytes.NewReader(s.b[s.at:min(len(s.b), s.at+maxLabels)]))
	var labels map[string]string
	if d.Decode(&labels) != nil || labels == nil {
		return stream{}, false
	}
	s.at += int(d.InputOffset())
	delete(labels, "__name__")
	if !s.take(`,"values":[`) {
		return stream{}, false
	}
	st := stream{labels: labels, points: make([]sources.Point, 0, 256)}
	for s.next() != ']' {
		if len(st.points) > 0 && !s.take(`,`) {
			return stream{}, false
		}
		p, ok := s.point()
		if !ok {
			return stream{}, false
		}
		st.points = append(st.points, p)
	}
	return st, s.take(`]}`)
}

// maxLabels bounds how many bytes the labels of one series may take here.
const maxLabels = 64 << 10

// point reads [1700000000.5,"1.5"].
func (s *scanner) point() (sources.Point, bool) {
	if !s.take(`[`) {
		return sources.Point{}, false
	}
	at, ok := s.until(',')
	if !ok || !s.take(`"`) {
		return sources.Point{}, false
	}
	value, ok := s.until('"')
	if !ok || !s.take(`]`) {
		return sources.Point{}, false
	}
	seconds, err := strconv.ParseFloat(string(at), 64)
	if err != nil || len(at) == 0 || at[0] < '0' || at[0] > '9' || seconds > 1e11 {
		return sources.Point{}, false
	}
	v, err := strconv.ParseFloat(string(value), 64)
	if err != nil {
		return sources.Point{}, false
	}
	if math.IsInf(v, 0) {
		v = math.NaN()
	}
	return sources.Point{At: time.UnixMilli(int64(math.Round(seconds * 1000))).UTC(), Value: v}, true
}
