package github

import (
	"path"
	"regexp"
	"strings"

	"example.com/signalbox/sources"
)

// glob reports whether name matches pattern: * and ? stay within a path's element, ** does not.
func glob(pattern, name string) bool {
	return globParts(strings.Split(strings.TrimPrefix(pattern, "/"), "/"), strings.Split(name, "/"))
}

func globParts(pattern, name []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for len(pattern) > 1 && pattern[1] == "**" {
				pattern = pattern[1:]
			}
			if len(pattern) == 1 {
				return true
			}
			for i := range name {
				if globParts(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		}
		if len(name) == 0 {
			return false
		}
		if ok, err := path.Match(pattern[0], name[0]); err != nil || !ok {
			return false
		}
		pattern, name = pattern[1:], name[1:]
	}
	return len(name) == 0
}

// touches reports whether any file matches any glob; a glob that names a folder covers what is in it.
func touches(globs, files []string) bool {
	for _, g := range globs {
		g = strings.TrimSuffix(g, "/")
		for _, f := range files {
			if glob(g, f) || !strings.ContainsAny(g, "*?[") && strings.HasPrefix(f, g+"/") {
				return true
			}
		}
	}
	return false
}

// named reports whether one of the globs matches a workflow's name or file (with or without its folder
// and ending), or a job's name. Case does not count.
func named(globs []string, names ...string) bool {
	for _, g := range globs {
		g = strings.ToLower(g)
		for _, n := range names {
			n = strings.ToLower(n)
			if n == "" {
				continue
			}
			if g == n || plainGlob(g, n) {
				return true
			}
			base := path.Base(n)
			stem := strings.TrimSuffix(strings.TrimSuffix(base, ".yml"), ".yaml")
			if base != stem && (plainGlob(g, base) || plainGlob(g, stem)) {
				return true
			}
		}
	}
	return false
}

// plainGlob is a glob over a name, in which a slash is a character like others.
func plainGlob(pattern, name string) bool {
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(name, "/", "\x00"))
	return err == nil && ok
}

// hasWord reports whether text names word as a word of its own: "ledger" in "Deploy ledger to prod", not
// in "ledger-api".
func hasWord(text, word string) bool {
	if word == "" {
		return false
	}
	text, word = strings.ToLower(text), strings.ToLower(word)
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(word)
		if (start == 0 || !wordByte(text[start-1])) && (end == len(text) || !wordByte(text[end])) {
			return true
		}
		from = start + 1
	}
}

func wordByte(b byte) bool {
	return b == '-' || b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z'
}

var versionTag = regexp.MustCompile(`^v?\d+\.\d+(\.\d+)?([-+.][0-9A-Za-z.+-]+)?$`)

// looksLikeTag is a guess for where the tags themselves cannot be read.
func looksLikeTag(name string, services []sources.ServiceSpec) bool {
	for _, sp := range services {
		if rest, ok := strings.CutPrefix(name, sp.TagPrefix); ok && sp.TagPrefix != "" && versionTag.MatchString(rest) {
			return true
		}
	}
	return versionTag.MatchString(name)
}

var (
	sha40   = regexp.MustCompile(`^[0-9a-f]{40}$`)
	shaLike = regexp.MustCompile(`^[0-9a-f]{7,40}$`)
)
