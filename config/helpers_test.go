package config

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/signalbox/config/secret"
)

// memory is Files of a test.
type memory map[string]string

func (m memory) Read(name string) ([]byte, error) {
	if s, ok := m[filepath.ToSlash(name)]; ok {
		return []byte(s), nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (m memory) Glob(pattern string) ([]string, error) {
	var all []string
	for name := range m {
		ok, err := path.Match(pattern, name)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all, nil
}

// forge is a driver's config with a field of every sort.
type forge struct {
	Token  secret.Ref        `yaml:"token" doc:"A token."`
	App    *forgeApp         `yaml:"app" doc:"An app."`
	Owners map[string]forge2 `yaml:"owners" doc:"By owner."`
	Base   string            `yaml:"base_url" doc:"Where it is."`
	Level  string            `yaml:"level" jsonschema:"enum=low,enum=high" doc:"How much."`
	Limit  int               `yaml:"limit" jsonschema:"minimum=1,maximum=100" doc:"How many."`
	Small  int8              `yaml:"small" doc:"A small number."`
	Count  uint              `yaml:"count" doc:"A count."`
	Ratio  float64           `yaml:"ratio" doc:"A share."`
	Fast   bool              `yaml:"fast" doc:"Whether to hurry."`
	Wait   time.Duration     `yaml:"wait" doc:"How long."`
	Hosts  []string          `yaml:"hosts" doc:"Where else."`
	Extra  map[string]any    `yaml:"extra" doc:"Anything."`
	forge3 `yaml:",inline"`
}

type forgeApp struct {
	ID  int64      `yaml:"id" jsonschema:"required" doc:"Its number."`
	Key secret.Ref `yaml:"key" doc:"Its key."`
}

type forge2 struct {
	Token secret.Ref `yaml:"token" doc:"A token."`
}

type forge3 struct {
	Proxy string `yaml:"proxy" doc:"The proxy."`
}

type fieldProblem struct{ path, msg, fix string }

func (p fieldProblem) Error() string                  { return p.msg }
func (p fieldProblem) Field() (path, msg, fix string) { return p.path, p.msg, p.fix }

func (f *forge) Validate() error {
	var errs []error
	if f.Base != "" && !strings.HasPrefix(f.Base, "https://") {
		errs = append(errs, fieldProblem{"base_url", "is not encrypted", "write https://"})
	}
	for owner, o := range f.Owners {
		if o.Token.IsZero() {
			errs = append(errs, fieldProblem{"owners." + owner + ".token", "there is no token", "add one"})
		}
	}
	if f.Proxy == "bad" {
		errs = append(errs, errors.New("the proxy is bad"))
	}
	return errors.Join(errs...)
}

func testOptions() Options {
	return Options{
		Types: []SourceType{
			{
				Name: "forge", Doc: "A forge",
				Sample: "# A forge.\ntype: forge\n\n# Its token.\ntoken: env:FORGE_TOKEN\n# limit: 5\n",
				Config: func() any { return &forge{Limit: 10, Level: "low"} },
			},
			{Name: "pager", Doc: "A pager", Sample: "type: pager\ntoken: cmd:op read x\n", Config: func() any { return &forge2{} }},
		},
		Files: memory{},
		CheckKeys: func(all map[string]Keys) []FieldProblem {
			var out []FieldProblem
			for action, keys := range all {
				if action != "refresh" && action != "zoom" {
					out = append(out, fieldProblem{action, "there is no action " + action, "did you mean zoom?"})
				}
				if i := slices.Index(keys, "bad"); i >= 0 {
					out = append(out, fieldProblem{action + "[" + string(rune('0'+i)) + "]", "is no key", "write another"})
				}
			}
			return out
		},
	}
}

// good is the least that makes a source and leaves line 2 on to the test.
const good = "sources: {forge: {token: env:T}}\n"

func parse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("c.yaml", []byte(text), testOptions())
	if err != nil {
		t.Fatalf("%s\ngives\n%v", text, err)
	}
	return c
}
