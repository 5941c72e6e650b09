package wire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/goccy/go-yaml"

	"example.com/signalbox/config"
	"example.com/signalbox/ui/keymap"
)

// LoadOptions are what a config cannot know by itself: the kinds of source, and which keys and policies make
// sense.
func LoadOptions() config.Options {
	return config.Options{Types: Types(), CheckKeys: checkKeys, CheckPolicies: checkPolicies, PostsEvents: postsEvents}
}

// postsEvents reports whether a kind of source takes events that mark its charts.
func postsEvents(kind string) bool { return kind == "datadog" }

// LoadConfig reads the config that flag or the environment names, or the one in its usual place. Without
// any it makes one of the repository at hand. Its error is config.Errors or *config.NothingSet.
func LoadConfig(ctx context.Context, flag string, s config.Surroundings) (*config.Config, error) {
	path, chosen := config.Path(flag, s)
	if !chosen {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return config.Discover(ctx, s, LoadOptions())
		}
	}
	return config.Load(ctx, path, LoadOptions())
}

// Keymap is the defaults and the user's own keys, which checkKeys has approved of.
func Keymap(cfg *config.Config) (*keymap.Map, error) { return keymap.New(overrides(cfg.Keys)) }

func overrides(keys map[string]config.Keys) map[string][]string {
	out := make(map[string][]string, len(keys))
	for action, list := range keys {
		out[action] = list
	}
	return out
}

// SourceText is entry as it stands under `sources:`. It names where secrets are kept and holds none.
func SourceText(entry config.SourceEntry) (string, error) {
	body, err := yaml.Marshal(entry.Config)
	if err != nil {
		return "", fmt.Errorf("write the source %s: %w", entry.Name, err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  %s:\n    type: %s\n", entry.Name, entry.Type)
	for line := range strings.Lines(string(body)) {
		if strings.TrimSpace(line) != "{}" {
			b.WriteString("    " + line)
		}
	}
	return b.String(), nil
}

// keyProblem tells config which key binding is wrong.
type keyProblem struct{ problem *keymap.Error }

func (p keyProblem) Error() string { return p.problem.Error() }

func (p keyProblem) Field() (path, msg, fix string) {
	return p.problem.Action, p.problem.Msg, p.problem.Fix
}

func checkKeys(keys map[string]config.Keys) []config.FieldProblem {
	_, err := keymap.New(overrides(keys))
	var out []config.FieldProblem
	var walk func(error)
	walk = func(err error) {
		if joined, many := err.(interface{ Unwrap() []error }); many {
			for _, e := range joined.Unwrap() {
				walk(e)
			}
			return
		}
		if one, ok := errors.AsType[*keymap.Error](err); ok {
			out = append(out, keyProblem{one})
		}
	}
	walk(err)
	return out
}
