package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"latchkey/model"
	"latchkey/server"
	"latchkey/service/client"
)

func (c *commands) app() *cobra.Command {
	return group(
		"app", "Look after the apps that may ask for access (OAuth)",
		&cobra.Command{
			Use:   "list",
			Short: "List the apps, oldest first",
			Args:  noArgs,
			RunE:  func(cmd *cobra.Command, _ []string) error { return c.attached(cmd, c.listApps) },
		},
		c.addApp(),
		c.onApp("show CLIENT_ID", "Show an app, without its secret", c.showApp),
		c.updateApp(),
		c.switchApp("disable CLIENT_ID", "Switch an app off and end all that it was given", true),
		c.switchApp("enable CLIENT_ID", "Switch an app on again; people have to let it in anew", false),
		c.onApp("delete CLIENT_ID", "Delete an app and end all that it was given", c.deleteApp),
		c.rotateAppSecret(),
	)
}

// onApp is a command that does something to the app whose id it is given.
func (c *commands) onApp(use, short string, do func(ctx context.Context, app *server.App, id string) error) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				if err := do(ctx, app, args[0]); err != nil {
					return fmt.Errorf("%q: %w", args[0], err)
				}
				return nil
			})
		},
	}
}

func (c *commands) listApps(ctx context.Context, app *server.App) error {
	apps, err := app.RegisteredApps(ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.s.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "CLIENT_ID\tNAME\tKIND\tSTATE\tSCOPES")
	for _, a := range apps {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", a.ID, shown(a.Name), kindOf(a), stateOf(a), shown(strings.Join(a.Scopes, " ")))
	}
	return table.Flush()
}

// lasting is a span in days where it is some whole days.
func lasting(d time.Duration) string {
	if d < 2*day || d%day != 0 {
		return d.String()
	}
	return fmt.Sprintf("%d days", d/day)
}

func kindOf(a model.OAuthClient) string {
	if a.Confidential {
		return "confidential"
	}
	return "public"
}

func stateOf(a model.OAuthClient) string {
	if a.Disabled {
		return "disabled"
	}
	return "enabled"
}

func (c *commands) showApp(ctx context.Context, app *server.App, id string) error {
	a, err := app.Apps.Find(ctx, id)
	if err != nil {
		return err
	}
	pkce := "required"
	if !a.PKCERequired {
		pkce = "optional"
	}
	table := tabwriter.NewWriter(c.s.Out, 0, 0, 2, ' ', 0)
	line := func(name, value string) { _, _ = fmt.Fprintf(table, "%s\t%s\n", name, value) }
	line("client_id", a.ID)
	line("name", shown(a.Name))
	line("kind", kindOf(a))
	line("state", stateOf(a))
	line("icon", shown(a.Icon))
	line("homepage", shown(a.Homepage))
	for _, uri := range a.RedirectURIs {
		line("redirect", uri)
	}
	line("scopes", shown(strings.Join(a.Scopes, " ")))
	line("pkce", pkce)
	line("refresh tokens live", lasting(time.Duration(a.RefreshTTL)*time.Second))
	if a.PreviousHash != "" {
		line("old secret until", a.PreviousUntil.UTC().Format(time.RFC3339))
	}
	line("registered", a.CreatedAt.UTC().Format(time.RFC3339))
	line("changed", a.UpdatedAt.UTC().Format(time.RFC3339))
	return table.Flush()
}

// appFlags are what an app can be given on the command line.
type appFlags struct {
	icon, homepage    string
	redirects, scopes []string
	optionalPKCE      bool
	refresh           time.Duration
}

func (f *appFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.icon, "icon", "", "an https `URL`, or an Iconify name such as mdi:home")
	flags.StringVar(&f.homepage, "homepage", "", "an http or https `URL`")
	flags.StringArrayVar(&f.redirects, "redirect", nil, "`URI` that answers may be sent to; may be given more than once")
	flags.StringSliceVar(&f.scopes, "scope", nil, "`SCOPE` that it may ask for; may be given more than once, or with commas")
	flags.BoolVar(&f.optionalPKCE, "optional-pkce", false, "do not ask for PKCE; only for a confidential app that cannot do it")
	flags.DurationVar(&f.refresh, "refresh-for", 0, "how long its refresh tokens live, from 1h to 8760h (default 2160h)")
}

func (c *commands) addApp() *cobra.Command {
	var (
		f            appFlags
		id           string
		confidential bool
		given        bool
	)
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Register an app and print its client_id, and the secret of a confidential one",
		Args:  oneArg,
	}
	f.add(cmd)
	cmd.Flags().StringVar(&id, "client-id", "", "32 hex digits or a UUID, for a program that has its `ID` built in")
	cmd.Flags().BoolVar(&confidential, "confidential", false, "it runs on a server and can keep a secret")
	cmd.Flags().BoolVar(&given, "secret-stdin", false, "read its secret from standard input, instead of making one")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		supplied, err := c.suppliedSecret(given)
		if err != nil {
			return err
		}
		return c.attached(cmd, func(ctx context.Context, app *server.App) error {
			made, text, err := app.Apps.Register(ctx, client.Registration{
				ID: id, Name: args[0], Icon: f.icon, Homepage: f.homepage, RedirectURIs: f.redirects, Scopes: f.scopes,
				Confidential: confidential, Secret: supplied, WithoutPKCE: f.optionalPKCE, RefreshTTL: int64(f.refresh / time.Second),
			})
			if err != nil {
				return err
			}
			if _, err = fmt.Fprintf(c.s.Out, "client_id      %s\n", made.ID); err != nil || text == "" || given {
				return err
			}
			_, err = fmt.Fprintf(c.s.Out, "client_secret  %s\n", text)
			return err
		})
	}
	return cmd
}

// suppliedSecret is the secret on standard input, if one is given there.
func (c *commands) suppliedSecret(given bool) (string, error) {
	if !given {
		return "", nil
	}
	text, err := c.readPassword()
	if err == nil && text == "" { // an empty one would be taken for none
		err = client.ErrSecret
	}
	return text, err
}

func (c *commands) updateApp() *cobra.Command {
	var (
		f    appFlags
		name string
	)
	cmd := &cobra.Command{
		Use:   "update CLIENT_ID",
		Short: "Change what the flags name; --redirect and --scope replace all of them",
		Args:  oneArg,
	}
	f.add(cmd)
	cmd.Flags().StringVar(&name, "name", "", "what people read when they are asked: `NAME`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		edit := f.edit(cmd)
		if cmd.Flags().Changed("name") {
			edit.Name = &name
		}
		if edit == (client.Edit{}) {
			return misused(cmd, errNoChange)
		}
		return c.attached(cmd, func(ctx context.Context, app *server.App) error {
			changed, err := app.Apps.Update(ctx, args[0], edit)
			if err != nil {
				return fmt.Errorf("%q: %w", args[0], err)
			}
			_, err = fmt.Fprintf(c.s.Out, "%s is changed.\n", shown(changed.Name))
			return err
		})
	}
	return cmd
}

// edit is what of the flags was given.
func (f *appFlags) edit(cmd *cobra.Command) client.Edit {
	var e client.Edit
	for flag, take := range map[string]func(){
		"icon":          func() { e.Icon = &f.icon },
		"homepage":      func() { e.Homepage = &f.homepage },
		"redirect":      func() { e.RedirectURIs = new(withoutEmpty(f.redirects)) },
		"scope":         func() { e.Scopes = new(withoutEmpty(f.scopes)) },
		"optional-pkce": func() { e.PKCERequired = new(!f.optionalPKCE) },
		"refresh-for":   func() { e.RefreshTTL = new(int64(f.refresh / time.Second)) },
	} {
		if cmd.Flags().Changed(flag) {
			take()
		}
	}
	return e
}
