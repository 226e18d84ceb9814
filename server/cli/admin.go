package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"latchkey/server"
)

func (c *commands) admin() *cobra.Command {
	return group(
		"admin", "Get the admin back in",
		&cobra.Command{
			Use:   "set-password",
			Short: "Set the admin's password, read from standard input, and end the admin's logins",
			Args:  noArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				plain, err := c.readPassword()
				if err != nil {
					return err
				}
				return c.setAdminPassword(cmd, func(*server.App) string { return plain }, false)
			},
		},
		&cobra.Command{
			Use:   "random-password",
			Short: "Set a random password for the admin, print it, and end the admin's logins",
			Args:  noArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return c.setAdminPassword(cmd, (*server.App).RandomPassword, true)
			},
		},
		&cobra.Command{
			Use:   "token",
			Short: "Print the static token, which has an admin's rights and never expires",
			Args:  noArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return c.attached(cmd, func(_ context.Context, app *server.App) error {
					_, err := fmt.Fprintln(c.s.Out, app.AdminToken())
					return err
				})
			},
		},
	)
}

// setAdminPassword sets the password and, if asked to, prints it.
func (c *commands) setAdminPassword(cmd *cobra.Command, choose func(*server.App) string, show bool) error {
	return c.attached(cmd, func(ctx context.Context, app *server.App) error {
		admin, err := app.Admin(ctx)
		if err != nil {
			return err
		}
		plain := choose(app)
		if err := app.Profile.SetPassword(ctx, admin.Key, plain); err != nil {
			return err
		}
		text := fmt.Sprintf("The password of %s is changed. All of their logins are over.\n", admin.Username)
		if show {
			text = fmt.Sprintf("name      %s\npassword  %s\n\nAll of their logins are over.\n", admin.Username, plain)
		}
		_, err = fmt.Fprint(c.s.Out, text)
		return err
	})
}

var (
	errTwice  = errors.New("the two passwords differ: nothing was changed")
	errSilent = errors.New("no password came: write it to standard input, in one line")
)

// readPassword asks twice on a terminal, without showing what is typed; else
// it reads one line.
func (c *commands) readPassword() (string, error) {
	if file, ok := c.s.In.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		first, err := c.ask(file, "New password: ")
		if err != nil {
			return "", err
		}
		again, err := c.ask(file, "Once more: ")
		if err != nil {
			return "", err
		}
		if first != again {
			return "", errTwice
		}
		return first, nil
	}
	line, err := bufio.NewReader(c.s.In).ReadString('\n')
	if line == "" && err != nil {
		return "", usageError{errSilent}
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func (c *commands) ask(file *os.File, question string) (string, error) {
	_, _ = fmt.Fprint(c.s.Err, question)
	typed, err := term.ReadPassword(int(file.Fd()))
	_, _ = fmt.Fprintln(c.s.Err)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return string(typed), nil
}
