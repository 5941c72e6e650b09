package insight

import (
	"path"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/store"
)

// scopeKey is a repository: two sources may hold scopes of one name.
type scopeKey struct{ source, scope string }

// index finds the catalog's services.
type index struct {
	byName  map[string]*store.Service
	byScope map[scopeKey][]*store.Service
}

func indexOf(c *store.Catalog) index {
	x := index{make(map[string]*store.Service, len(c.Services)), make(map[scopeKey][]*store.Service, len(c.Services))}
	for i := range c.Services {
		s := &c.Services[i]
		x.byName[s.Name] = s
		k := scopeKey{s.Source, s.Repo}
		x.byScope[k] = append(x.byScope[k], s)
	}
	return x
}

// of is the service that a run is listed under. A repository without services is shown under its own name.
// So is a run that no service of its repository claims, but claimed is false then: it touched none of
// them, or their workflows leave it out.
func (x index) of(r *sources.Run) (name string, claimed bool) {
	if r.Service != "" {
		return r.Service, true
	}
	return path.Base(r.Ref.Scope), len(x.byScope[scopeKey{r.Ref.Source, r.Ref.Scope}]) == 0
}

// touches reports whether r belongs to service, be it as one of several.
func touches(r *sources.Run, name, service string) bool {
	if name == service {
		return true
	}
	for _, s := range r.Services {
		if s == service {
			return true
		}
	}
	return false
}
