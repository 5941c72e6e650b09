package journal

import (
	"fmt"
	"os"
	"os/user"
	"strings"
)

// Self is who runs this process, and from where, as the system and lookup (os.LookupEnv) tell. The
// variables are the user's own to change: they are hints for readers, and no proof.
func Self(lookup func(string) (string, bool)) Who {
	env := func(name string) string {
		v, _ := lookup(name)
		return v
	}
	w := Who{User: fmt.Sprintf("uid %d", os.Getuid()), Sudo: env("SUDO_USER")} // where nothing has a name for it
	if u, err := user.Current(); err == nil && u.Username != "" {
		w.User = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		w.Host = host
	}
	w.SSH, _, _ = strings.Cut(env("SSH_CONNECTION"), " ")
	return w
}
