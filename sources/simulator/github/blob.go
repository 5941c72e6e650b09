package github

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"example.com/signalbox/sources/simulator/world"
)

// logsKept is how long logs can be read after a run began.
const logsKept = 18 * 24 * time.Hour

// signedFor is how long a log's signed address works.
const signedFor = time.Minute

// blob is what a signed address gives.
type blob struct {
	body    []byte
	kind    string
	expires time.Time
}

// jobLog sends the client to the log of a job that has ended.
func (c *call) jobLog(j *world.Job) answer {
	switch {
	case j.Status != world.Completed || len(j.Steps) == 0:
		return c.notFound()
	case c.w.Now().Sub(j.Run.Created) > logsKept:
		return c.fail(http.StatusGone, "Server Error")
	}
	return c.sign(fmt.Sprintf("job-%d.txt", j.ID), "text/plain; charset=utf-8", c.w.Log(j))
}

func (c *call) runLogs(r *world.Run) answer { return c.archive(r.Last()) }

func (c *call) attemptLogs(r *world.Run) answer {
	if a := c.attempt(r); a != nil {
		return c.archive(a)
	}
	return c.notFound()
}

// archive sends the client to a zip of the logs of an attempt's jobs.
func (c *call) archive(a *world.Attempt) answer {
	switch {
	case a.Status != world.Completed:
		return c.notFound()
	case c.w.Now().Sub(a.Run.Created) > logsKept:
		return c.fail(http.StatusGone, "Server Error")
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, j := range a.Jobs {
		if len(j.Steps) == 0 {
			continue
		}
		f, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%d_%s.txt", i, strings.ReplaceAll(j.Name, "/", "")), Method: zip.Deflate, Modified: j.Completed})
		if err == nil {
			_, err = f.Write(c.w.Log(j))
		}
		if err != nil {
			return c.fail(http.StatusInternalServerError, "Server Error")
		}
	}
	if err := z.Close(); err != nil {
		return c.fail(http.StatusInternalServerError, "Server Error")
	}
	return c.sign(fmt.Sprintf("run-%d-%d.zip", a.Run.ID, a.Number), "application/zip", b.Bytes())
}

func (c *call) sign(name, kind string, body []byte) answer {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %d", c.w.Seed, name, c.s.requests))
	key := hex.EncodeToString(sum[:16])
	c.s.mu.Lock()
	for k, b := range c.s.blobs {
		if b.expires.Before(c.w.Now()) {
			delete(c.s.blobs, k)
		}
	}
	c.s.blobs[key] = blob{body: body, kind: kind, expires: c.w.Now().Add(signedFor)}
	c.s.mu.Unlock()
	return answer{status: http.StatusFound, header: map[string]string{"Location": c.s.cfg.Logs + "/logs/" + name + "?sig=" + key}}
}

// LogHost is the host on which the signed addresses live. It is nobody's API: it refuses a request that
// brings a credential, which seenToken hears of.
func (s *Server) LogHost(seenToken func()) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			seenToken()
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`<?xml version="1.0"?><Error><Code>InvalidAuthenticationInfo</Code></Error>`))
			return
		}
		var now time.Time
		s.cfg.With(func(w *world.World) { now = w.Now() })
		s.mu.Lock()
		b, ok := s.blobs[r.URL.Query().Get("sig")]
		s.mu.Unlock()
		if !ok || b.expires.Before(now) || r.Method != http.MethodGet {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`<?xml version="1.0"?><Error><Code>AuthenticationFailed</Code></Error>`))
			return
		}
		w.Header().Set("Content-Type", b.kind)
		if rng := r.Header.Get("Range"); strings.HasPrefix(rng, "bytes=-") {
			r.Header.Del("Range") // this kind of store knows no suffix ranges: it sends everything
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b.body))
	})
}
