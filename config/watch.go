package config

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long the files must be left alone before they are read: editors write, rename and
	// change modes in one go.
	settle = 150 * time.Millisecond
	// look is how often the files are read where the system cannot tell of changes.
	look = 10 * time.Second
)

// Watch waits for changes of the files that running was loaded from, and of those that their globs
// would take in, until ctx ends. It calls onChange from its own goroutine, one call at a time, whenever
// their content differs from what was last loaded: with the new config, or with the error that keeps it
// from being one; the running config then goes on. A change made between the loading of running and the
// call of Watch is not missed.
//
// Directories are watched rather than files, and symbolic links at every step of a path, so that
// editors that replace files and mounts that swap links are followed. Where the system cannot watch,
// the files are read every ten seconds. Watch returns nil when ctx ends, and at once for a config that
// has no files.
func Watch(ctx context.Context, running *Config, o Options, onChange func(*Config, error)) error {
	if len(running.Files) == 0 {
		return nil
	}
	w := &watcher{options: o, path: running.path, digest: running.digest, onChange: onChange}
	w.follow(running.Files, running.includes)
	notifier, err := fsnotify.NewWatcher()
	if err != nil {
		return w.poll(ctx)
	}
	defer func() { _ = notifier.Close() }()
	return w.run(ctx, notifier)
}

type watcher struct {
	options  Options
	path     string
	digest   digest
	onChange func(*Config, error)

	names map[string]bool // paths whose change matters
	dirs  map[string]bool // directories that are watched: true where every change in them matters
}

func (w *watcher) run(ctx context.Context, notifier *fsnotify.Watcher) error {
	if _, ok := w.subscribe(notifier); !ok {
		return w.poll(ctx)
	}
	timer := time.NewTimer(settle)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, ok := <-notifier.Events:
			if !ok {
				return w.poll(ctx)
			}
			if event.Op != fsnotify.Chmod && w.matters(event.Name) {
				timer.Reset(settle)
			}
		case err, ok := <-notifier.Errors:
			if !ok {
				return w.poll(ctx)
			}
			if errors.Is(err, fsnotify.ErrEventOverflow) {
				timer.Reset(settle)
			}
		case <-timer.C:
			w.reload(ctx)
			added, ok := w.subscribe(notifier)
			if !ok {
				return w.poll(ctx)
			}
			if added { // what changed there between reading and watching is seen by reading again
				timer.Reset(settle)
			}
		}
	}
}

func (w *watcher) poll(ctx context.Context) error {
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	return w.pollOn(ctx, ticker.C)
}

func (w *watcher) pollOn(ctx context.Context, tick <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick:
			w.reload(ctx)
		}
	}
}

func (w *watcher) reload(ctx context.Context) {
	l := newLoader(ctx, w.options)
	c, err := l.load(w.path)
	if ctx.Err() != nil {
		return
	}
	w.follow(l.tried, l.globs)
	if sum := l.files.sum(); sum != w.digest {
		w.digest = sum
		w.onChange(c, err)
	}
}

// follow settles what is watched: every link and file on the way to files, and all of globs.
func (w *watcher) follow(files, globs []string) {
	w.names, w.dirs = map[string]bool{}, map[string]bool{}
	for _, file := range files {
		for _, step := range trail(file) {
			w.names[step] = true
			w.dirs[filepath.Dir(step)] = false
		}
	}
	for _, dir := range globs {
		w.dirs[dir] = true
	}
}

func (w *watcher) matters(name string) bool {
	return w.names[name] || w.dirs[filepath.Dir(name)]
}

// subscribe makes notifier watch exactly w.dirs, and reports whether it was made to watch another. A
// directory that is not there is skipped; ok is false when the others could not be watched.
func (w *watcher) subscribe(notifier *fsnotify.Watcher) (added, ok bool) {
	before := notifier.WatchList()
	for _, dir := range before {
		if _, ok := w.dirs[dir]; !ok {
			_ = notifier.Remove(dir) // it may be gone, and its watch with it
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(w.dirs)) {
		if err := notifier.Add(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			return added, false
		} else if err == nil && !slices.Contains(before, dir) {
			added = true
		}
	}
	return added, len(notifier.WatchList()) > 0
}

// trail are the places that decide what path leads to: each symbolic link on the way, and the file at
// its end.
func trail(path string) []string {
	const most = 40 // as many links as a kernel follows
	var steps []string
	for range most {
		link, target := firstLink(path)
		if link == "" {
			break
		}
		steps = append(steps, link)
		path = target
	}
	return append(steps, path)
}

// firstLink is the first component of path that is a symbolic link, and path with that link followed;
// "" when there is none.
func firstLink(path string) (link, target string) {
	var parts []string
	for p := filepath.Clean(path); ; p = filepath.Dir(p) {
		parts = append(parts, p)
		if filepath.Dir(p) == p {
			break
		}
	}
	for _, p := range slices.Backward(parts) {
		to, err := os.Readlink(p)
		if err != nil {
			continue
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(p), to)
		}
		rest, err := filepath.Rel(p, path)
		if err != nil {
			return "", ""
		}
		return p, filepath.Join(to, rest)
	}
	return "", ""
}

// digest tells the content of a config's files apart.
type digest [sha256.Size]byte

// recorder hashes what is read through it.
type recorder struct {
	files Files
	hash  hash.Hash
}

func (r *recorder) Read(path string) ([]byte, error) {
	data, err := r.files.Read(path)
	_, _ = fmt.Fprintf(r.hash, "%q %d %v\n", path, len(data), err)
	r.hash.Write(data)
	return data, err
}

func (r *recorder) Glob(pattern string) ([]string, error) {
	paths, err := r.files.Glob(pattern)
	_, _ = fmt.Fprintf(r.hash, "%q %q %v\n", pattern, paths, err)
	return paths, err
}

func (r *recorder) sum() digest { return digest(r.hash.Sum(nil)) }
