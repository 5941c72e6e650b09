package capability_test

import (
	"reflect"
	"slices"
	"testing"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/capability"
	"example.com/signalbox/sources/sourcetest"
	"example.com/signalbox/sources/store"
)

func TestOf(t *testing.T) {
	t.Parallel()
	base := &sourcetest.Base{ID: "s"}
	for _, c := range []struct {
		name   string
		src    sources.Source
		fields []string
		list   []store.Capability
	}{
		{name: "no source"},
		{name: "nothing", src: base},
		{
			name: "runs and jobs",
			src: &struct {
				*sourcetest.Base
				sourcetest.Runs
				sourcetest.Jobs
			}{Base: base},
			fields: []string{"Runs", "Jobs"}, list: []store.Capability{store.Runs},
		},
		{
			name: "everything that is polled",
			src: &struct {
				*sourcetest.Base
				sourcetest.Runs
				sourcetest.Environments
				sourcetest.Releases
				sourcetest.Incidents
				sourcetest.Metrics
				sourcetest.Credentials
			}{Base: base},
			fields: []string{"Runs", "Environments", "Releases", "Incidents", "Metrics", "Credentialer"},
			list:   []store.Capability{store.Incidents, store.Runs, store.Environments, store.Metrics, store.Releases},
		},
		{
			name: "on demand alone",
			src: &struct {
				*sourcetest.Base
				sourcetest.Logs
				sourcetest.Comparer
				sourcetest.Getter
				sourcetest.ScopeChecks
			}{Base: base},
			fields: []string{"Logs", "Comparer", "Getter", "ScopeChecker"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			set := capability.Of(c.src)
			var got []string
			v := reflect.ValueOf(set)
			for i := range v.NumField() {
				if !v.Field(i).IsNil() {
					got = append(got, v.Type().Field(i).Name)
				}
			}
			if !slices.Equal(got, c.fields) {
				t.Errorf("capabilities %v, want %v", got, c.fields)
			}
			if list := capability.List(set); !slices.Equal(list, c.list) {
				t.Errorf("List: %v, want %v", list, c.list)
			}
		})
	}
}
