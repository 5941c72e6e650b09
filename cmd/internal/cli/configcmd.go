package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"example.com/signalbox/cmd/internal/wire"
	"example.com/signalbox/config"
	"example.com/signalbox/sources/clean"
)

func (c *commands) config() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check the config, or print a sample or its JSON Schema",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef("config takes a word more: type `%s check`, `sample` or `schema`", cmd.CommandPath())
		},
	}
	cmd.AddCommand(c.configCheck(), c.configSample(), c.configSchema())
	return cmd
}

func (c *commands) configCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Read the config and tell every mistake with its place",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.globals.demo {
				return usagef("--demo brings its own config, which is right: leave out --demo")
			}
			s, err := c.surroundings()
			if err != nil {
				return err
			}
			path, _ := config.Path(c.globals.config, s)
			cfg, err := config.Load(cmd.Context(), path, wire.LoadOptions())
			if err != nil {
				return usage(err)
			}
			for _, w := range cfg.Warnings {
				if err := say(cmd.OutOrStdout(), "%s\n", w); err != nil {
					return err
				}
			}
			return say(cmd.OutOrStdout(), "%s is right: %s, %s\n", path, clean.Counted(len(cfg.Services), "service"), clean.Counted(len(cfg.Sources), "source"))
		},
	}
}

func (c *commands) configSample() *cobra.Command {
	return &cobra.Command{
		Use:   "sample",
		Short: "Print a commented config to start from",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return say(cmd.OutOrStdout(), "%s", config.Sample(wire.Types()))
		},
	}
}

func (c *commands) configSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the config, for editors",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			schema, err := config.Schema(wire.Types())
			if err != nil {
				return fmt.Errorf("make the schema: %w", err)
			}
			return say(cmd.OutOrStdout(), "%s\n", schema)
		},
	}
}
