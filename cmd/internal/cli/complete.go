package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"example.com/signalbox/config"
)

// completeFunc proposes words for an argument, or for a flag's value.
type completeFunc = func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective)

// completes proposes what names lists of the config, which is read for it; no source is asked. args are those
// before the word.
func (c *commands) completes(names func(cfg *config.Config, args []string) []string) completeFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		cfg, err := c.load(cmd.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var out []string
		for _, name := range names(cfg, args) {
			if strings.HasPrefix(name, word) {
				out = append(out, name)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

// serviceThenEnvironment completes SERVICE, and ENVIRONMENT after it.
func (c *commands) serviceThenEnvironment() completeFunc {
	return c.completes(func(cfg *config.Config, args []string) []string {
		switch len(args) {
		case 0:
			return serviceNames(cfg)
		case 1:
			return environmentNames(cfg, args[0])
		}
		return nil
	})
}

// service completes SERVICE alone.
func (c *commands) service() completeFunc {
	return c.completes(func(cfg *config.Config, args []string) []string {
		if len(args) > 0 {
			return nil
		}
		return serviceNames(cfg)
	})
}

// environment completes a flag that names an environment of the service that is the first argument.
func (c *commands) environment() completeFunc {
	return c.completes(func(cfg *config.Config, args []string) []string {
		if len(args) == 0 {
			return nil
		}
		return environmentNames(cfg, args[0])
	})
}

func serviceNames(cfg *config.Config) []string {
	var out []string
	for i := range cfg.Services {
		out = append(out, cfg.Services[i].Name)
	}
	return out
}

func environmentNames(cfg *config.Config, service string) []string {
	var out []string
	for i := range cfg.Services {
		if cfg.Services[i].Name != service {
			continue
		}
		for _, e := range cfg.Services[i].Environments {
			out = append(out, e.Name)
		}
	}
	return out
}
