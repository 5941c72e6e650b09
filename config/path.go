package config

import "path/filepath"

// Surroundings is what finding a config depends on.
type Surroundings struct {
	// Dir is the working directory, absolute.
	Dir string
	// Lookup is os.LookupEnv.
	Lookup func(string) (string, bool)
	// ConfigHome is where the user's configs are where $XDG_CONFIG_HOME does not say it.
	ConfigHome string
	// Read is the content of a file; nil reads the disk. Only Discover uses it.
	Read func(path string) ([]byte, error)
}

// Path is where the config is: flag, else $SIGNALBOX_CONFIG, else signalbox/config.yaml below
// $XDG_CONFIG_HOME. chosen reports that the user named it, so that it must exist.
func Path(flag string, s Surroundings) (path string, chosen bool) {
	if flag != "" {
		return home(flag), true
	}
	if v, ok := s.Lookup("SIGNALBOX_CONFIG"); ok && v != "" {
		return home(v), true
	}
	dir := s.ConfigHome
	if v, ok := s.Lookup("XDG_CONFIG_HOME"); ok && filepath.IsAbs(v) {
		dir = v
	}
	return filepath.Join(dir, "signalbox", "config.yaml"), false
}
