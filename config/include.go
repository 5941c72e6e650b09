package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFiles bounds how many files one config may be made of.
const maxFiles = 200

// file reads the file at path, which from names, and all that it includes.
func (l *loader) file(path string, from Position) *node {
	l.tried = append(l.tried, absolute(path))
	data, err := l.files.Read(path)
	if err != nil {
		msg, fix := quoted(path)+" cannot be read: "+why(err), "check the path and its permissions"
		if from.Line == 0 { // the main file, which the position names
			msg, fix = "the config cannot be read: "+why(err), "name another with --config"
			if errors.Is(err, os.ErrNotExist) {
				fix = "create it (signalbox init), or " + fix
			}
		}
		l.problems.list = append(l.problems.list, &Error{Pos: from, Msg: msg, Fix: fix, Err: err})
		return nil
	}
	return l.parsed(path, data)
}

func (l *loader) parsed(path string, data []byte) *node {
	l.order = append(l.order, path)
	l.read = append(l.read, absolute(path))
	l.reading = append(l.reading, absolute(path))
	defer func() { l.reading = l.reading[:len(l.reading)-1] }()
	root := parseTree(path, data, &l.problems)
	e, ok := root.get("include")
	if !ok {
		return root
	}
	for _, item := range l.includes(e.value) {
		root = l.include(root, item, filepath.Dir(path))
	}
	return root
}

// includes are the strings of `include:`. What is no string is reported by the decoder in the main
// file and here in the others, whose key does not get that far.
func (l *loader) includes(n *node) []*node {
	items := []*node{n}
	if n.kind == listNode {
		items = n.items
	}
	return slices.DeleteFunc(slices.Clone(items), func(item *node) bool {
		if item.kind == stringNode && item.text != "" {
			return false
		}
		if item.kind != nullNode && len(l.reading) > 1 {
			l.problems.add(item.pos, "write the path of a file", "expected a string or a list of strings, got %s", item.kind)
		}
		return true
	})
}

func (l *loader) include(root, item *node, dir string) *node {
	pattern := home(item.text)
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(dir, pattern)
	}
	paths := []string{pattern}
	if strings.ContainsAny(pattern, "*?[") {
		l.globs = append(l.globs, absolute(filepath.Dir(pattern)))
		var err error
		if paths, err = l.files.Glob(pattern); err != nil {
			l.problems.add(item.pos, "write for example services/*.yaml", "%s is no glob", quoted(item.text))
			return root
		}
		if len(paths) == 0 {
			l.warnings = append(l.warnings, Warning{item.pos, quoted(item.text) + " matches no file", "check the path; it starts at this file's folder"})
		}
	}
	for _, path := range paths {
		switch {
		case slices.Contains(l.reading, absolute(path)):
			l.problems.add(item.pos, "remove it", "%s includes itself (%s)", quoted(path), l.chain(path))
		case slices.Contains(l.read, absolute(path)):
			l.problems.add(item.pos, "include it once", "%s is included twice", quoted(path))
		case len(l.read) >= maxFiles:
			l.problems.add(item.pos, "put more services into each", "there are more than %d files", maxFiles)
			return root
		default:
			if l.ctx.Err() == nil {
				root = l.merge(root, l.file(path, item.pos))
			}
		}
	}
	return root
}

// chain is the way of includes from path back to itself.
func (l *loader) chain(path string) string {
	from := max(slices.Index(l.reading, absolute(path)), 0)
	names := make([]string, 0, len(l.reading)-from+1)
	for _, p := range append(slices.Clone(l.reading[from:]), absolute(path)) {
		names = append(names, filepath.Base(p))
	}
	return strings.Join(names, " → ")
}

// merge adds what the included file says to root. Lists follow each other; mappings are joined key by
// key; what both say is a mistake.
func (l *loader) merge(root, included *node) *node {
	if included == nil {
		return root
	}
	merged := *root
	merged.entries = slices.Clone(root.entries)
	for _, e := range included.entries {
		if e.key == "include" {
			continue // followed already
		}
		i := slices.IndexFunc(merged.entries, func(have entry) bool { return have.key == e.key })
		if i < 0 {
			merged.entries = append(merged.entries, e)
			continue
		}
		have := &merged.entries[i]
		switch {
		case e.value.kind == nullNode:
		case have.value.kind == nullNode:
			*have = e
		case have.value.kind == listNode && e.value.kind == listNode:
			list := *have.value
			list.items = slices.Concat(list.items, e.value.items)
			have.value = &list
		case have.value.kind == mapNode && e.value.kind == mapNode:
			have.value = l.join(have.value, e.value, e.key)
		default:
			l.twice(have.pos, e.pos, e.key)
		}
	}
	return &merged
}

func (l *loader) join(a, b *node, section string) *node {
	joined := *a
	joined.entries = slices.Clone(a.entries)
	seen := make(map[string]Position, len(a.entries))
	for _, e := range a.entries {
		seen[e.key] = e.pos
	}
	for _, e := range b.entries {
		if first, ok := seen[e.key]; ok {
			l.twice(first, e.pos, section+"."+e.key)
			continue
		}
		seen[e.key] = e.pos
		joined.entries = append(joined.entries, e)
	}
	return &joined
}

func (l *loader) twice(first, again Position, key string) {
	l.problems.add(again, "keep one of the two", "%s is set already at %s", plain(key), first)
}

func absolute(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	return abs
}

// home expands a leading ~.
func home(path string) string {
	if path != "~" && !strings.HasPrefix(path, "~/") {
		return path
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return filepath.Join(dir, path[1:])
}
