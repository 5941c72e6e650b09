package config

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
)

// Remote is where a Git remote points.
type Remote struct {
	Name string // "origin"
	Host string // lower case; with its port where that is not the scheme's own
	Repo string // "acme/checkout"
}

var (
	hostPattern  = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$`)
	ownerPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
)

// ParseRemote reads the address of a Git remote: https://, ssh://, git://, or user@host:path. What is a
// path, a file or anything without a host and owner/name has ok false. User and password are dropped.
// url.<base>.insteadOf is not followed: it could lead a token to another host.
func ParseRemote(address string) (host, repo string, ok bool) {
	address = strings.TrimSpace(address)
	var path string
	if scheme, _, isURL := strings.Cut(address, "://"); isURL {
		u, err := url.Parse(address)
		if err != nil {
			return "", "", false
		}
		host, path = strings.ToLower(u.Host), u.Path
		switch strings.ToLower(scheme) {
		case "https":
			host = strings.TrimSuffix(host, ":443")
		case "http":
			host = strings.TrimSuffix(host, ":80")
		case "git":
			host = strings.TrimSuffix(host, ":9418")
		case "ssh", "git+ssh", "ssh+git":
			// The port is the SSH server's and says nothing of the API's.
			host = strings.ToLower(u.Hostname())
		default:
			return "", "", false
		}
	} else {
		var found bool
		if host, path, found = strings.Cut(address, ":"); !found || strings.ContainsAny(host, `/\`) {
			return "", "", false
		}
		host = strings.ToLower(host[strings.LastIndexByte(host, '@')+1:])
		if len(host) < 2 {
			return "", "", false // a drive's letter
		}
	}
	if host == "ssh.github.com" {
		host = "github.com" // GitHub's SSH on the port of HTTPS
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	owner, name, two := strings.Cut(path, "/")
	if !hostPattern.MatchString(host) || !two || !ownerPattern.MatchString(owner) || !repoName(name) {
		return "", "", false
	}
	return host, path, true
}

func repoName(s string) bool {
	return s != "." && s != ".." && strings.Trim(s, ".-_"+letters) == "" && s != ""
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// remotes are the remotes of the repository that holds dir, in the order of its config, with root as
// the directory of its working tree; ok is false where dir is in none. A file .git, as worktrees and
// submodules have it, is followed.
func remotes(dir string, read func(string) ([]byte, error)) (all []Remote, root string, ok bool) {
	for {
		if data, err := read(filepath.Join(dir, ".git", "config")); err == nil {
			return parseGitConfig(string(data)), dir, true
		}
		if data, err := read(filepath.Join(dir, ".git")); err == nil {
			if git, is := strings.CutPrefix(strings.TrimSpace(string(data)), "gitdir:"); is {
				return parseGitConfig(linked(below(dir, strings.TrimSpace(git)), read)), dir, true
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil, "", false
		}
		dir = parent
	}
}

// linked is the config of the Git directory git, which may share that of another: commondir.
func linked(git string, read func(string) ([]byte, error)) string {
	if data, err := read(filepath.Join(git, "commondir")); err == nil {
		git = below(git, strings.TrimSpace(string(data)))
	}
	data, err := read(filepath.Join(git, "config"))
	if err != nil {
		return ""
	}
	return string(data)
}

func below(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

var remoteSection = regexp.MustCompile(`^\[\s*(?i:remote)\s+"((?:[^"\\]|\\.)*)"\s*\](.*)$`)

// parseGitConfig are the remotes of a Git config. A remote's first address counts.
func parseGitConfig(text string) []Remote {
	var all []Remote
	name := ""
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			name = ""
			m := remoteSection.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			name, line = m[1], strings.TrimSpace(m[2])
		}
		key, value, ok := strings.Cut(line, "=")
		if name == "" || !ok || !strings.EqualFold(strings.TrimSpace(key), "url") || seen[name] {
			continue
		}
		seen[name] = true
		if host, repo, ok := ParseRemote(gitValue(value)); ok {
			all = append(all, Remote{name, host, repo})
		}
	}
	return all
}

// gitValue is a value of a Git config without its quotes and comment.
func gitValue(s string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case (c == '#' || c == ';') && !quoted:
			return strings.TrimSpace(b.String())
		default:
			b.WriteByte(c)
		}
	}
	return strings.TrimSpace(b.String())
}
