package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"latchkey/server"
	"latchkey/server/config"
)

// The exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitConfig = 2 // the command line, the environment or the file is wrong
)

// suggestedAt is how many letters may be wrong in a command that is suggested.
const suggestedAt = 2

// Surroundings are what a process has around it.
type Surroundings struct {
	In      io.Reader
	Out     io.Writer
	Err     io.Writer
	Environ []string // as os.Environ
}

// errUsage marks what is wrong with the command line or the configuration.
var errUsage = errors.New("usage")

// Run carries out one command line and returns the exit status. It ends early
// when ctx does.
func Run(ctx context.Context, args []string, s Surroundings) int {
	c := &commands{s: s}
	root := c.root() //nolint:contextcheck // cobra hands ctx to the commands
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	status := exitFailed
	if errors.Is(err, errUsage) {
		status = exitConfig
	}
	_, _ = fmt.Fprintf(s.Err, "latchkey: %s\n", words(err))
	return status
}

// words are what is wrong, without the mark.
func words(err error) string {
	if u, ok := errors.AsType[usageError](err); ok {
		return u.err.Error()
	}
	return err.Error()
}

// usageError is wrong with the command line or the configuration.
type usageError struct{ err error }

func (u usageError) Error() string   { return u.err.Error() }
func (u usageError) Unwrap() []error { return []error{errUsage, u.err} }

// commands holds what all commands share.
type commands struct{ s Surroundings }

func (c *commands) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "latchkey",
		Short: "Logins, device sessions and keys for self-hosted apps",
		Long: `latchkey serves logins, device sessions and keys for self-hosted apps.

Without a command it starts the server. Every flag can also be set as an
environment variable (--http is LATCHKEY_HTTP) or in a file (--config). Secrets
come from the environment alone, or with _FILE after the name from a file:
  ` + strings.Join(config.SecretNames(), "\n  "),
		Args:          oneOf,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          c.serve,

		SuggestionsMinimumDistance: suggestedAt,
	}
	config.Flags(root.PersistentFlags())
	root.SetUsageTemplate(shortUsage(root.UsageTemplate()))
	root.SetFlagErrorFunc(misused)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		&cobra.Command{Use: "serve", Short: "Start the server", Args: noArgs, RunE: c.serve},
		c.admin(), c.user(), c.role(), c.session(), c.apikey(), c.throttle(), c.setting(), c.app(), c.scope(), c.audit(), c.keys(), c.token(),
		c.sftp(), c.authorizedKeys(),
		c.revokedKeys(), c.mail(), c.imports(), c.config(), c.migrate(), c.version(),
	)
	markArgs(root)
	return root
}

// shortUsage says where the flags of every command are listed, instead of
// listing all of them below each.
func shortUsage(template string) string {
	return strings.Replace(template, "Global Flags:\n{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}",
		`Every command takes the flags of "{{.Root.Name}} --help", too, such as --data.`, 1)
}

// group is a command that only has others below it.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: oneOf, SuggestionsMinimumDistance: suggestedAt,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return misused(cmd, errors.New("which one? "+names(cmd)))
		},
	}
	cmd.AddCommand(subs...)
	return cmd
}

// oneOf refuses words that are no command, and says which one may be meant.
func oneOf(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("unknown command %q", args[0])
	if meant := cmd.SuggestionsFor(args[0]); len(meant) > 0 {
		text += "; did you mean " + strings.Join(meant, " or ") + "?"
	}
	return errors.New(text)
}

// names lists the commands below cmd.
func names(cmd *cobra.Command) string {
	var list []string
	for _, sub := range cmd.Commands() {
		list = append(list, sub.Name())
	}
	return strings.Join(list, ", ")
}

// misused is a mistake of the command line, with where to look it up.
func misused(cmd *cobra.Command, err error) error {
	return usageError{fmt.Errorf("%w\nSee %s --help", err, cmd.CommandPath())}
}

// markArgs makes wrong arguments a mistake of the command line.
func markArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return misused(cmd, err)
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		markArgs(sub)
	}
}

// noArgs is cobra.NoArgs in plainer words.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%q is too much: nothing comes after this command but flags", args[0])
	}
	return nil
}

// oneArg takes exactly what the command's use line names.
func oneArg(cmd *cobra.Command, args []string) error {
	_, name, _ := strings.Cut(cmd.Use, " ")
	switch len(args) {
	case 0:
		return fmt.Errorf("%s is missing", name)
	case 1:
		return nil
	}
	return fmt.Errorf("%q is too much: one %s at a time", args[1], name)
}

// load is the effective configuration.
func (c *commands) load(cmd *cobra.Command) (config.Config, error) {
	cfg, err := config.Load(cmd.Flags(), c.s.Environ)
	if err != nil {
		return cfg, usageError{err}
	}
	return cfg, nil
}

// options are what the server takes from the surroundings. The log goes to
// standard error, so that standard output stays what was asked for.
func (c *commands) options(cfg config.Config) server.Options {
	level := &slog.HandlerOptions{Level: cfg.LogLevel}
	var handler slog.Handler = slog.NewTextHandler(c.s.Err, level)
	if cfg.LogFormat == "json" {
		handler = slog.NewJSONHandler(c.s.Err, level)
	}
	return server.Options{Out: c.s.Out, Log: slog.New(handler)}
}

// attached runs act on the data folder, beside a running server or without.
func (c *commands) attached(cmd *cobra.Command, act func(ctx context.Context, app *server.App) error) error {
	cfg, err := c.load(cmd)
	if err != nil {
		return err
	}
	opts := c.options(cfg)
	opts.Out = c.s.Err // what was asked for stays alone on standard output
	opts.Log = slog.New(slog.NewTextHandler(c.s.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	app, err := server.Attach(cmd.Context(), cfg, opts)
	if err != nil {
		return err
	}
	return errors.Join(hinted(act(cmd.Context(), app)), app.Close())
}
