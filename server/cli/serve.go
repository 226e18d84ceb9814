package cli

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"latchkey/server"
	"latchkey/server/config"
)

func (c *commands) serve(cmd *cobra.Command, _ []string) error {
	cfg, err := c.load(cmd)
	if err != nil {
		return err
	}
	app, err := c.open(cmd, cfg)
	if errors.Is(err, context.Canceled) {
		return nil // told to stop before it had begun
	}
	if err != nil {
		return err
	}
	err = app.Serve(cmd.Context(), func(addr net.Addr) { c.announce(cfg, addr, app.SFTPAddr()) })
	return errors.Join(err, app.Close())
}

func (c *commands) open(cmd *cobra.Command, cfg config.Config) (*server.App, error) {
	app, err := server.Open(cmd.Context(), cfg, c.options(cfg))
	if errors.Is(err, server.ErrRunning) {
		return nil, fmt.Errorf("%w: stop it first, or choose another folder with --data", err)
	}
	return app, err
}

// announce says where the server is, and how others could reach it if only
// this machine can. It is one write, so that who waits for it has all of it.
func (c *commands) announce(cfg config.Config, addr, sftp net.Addr) {
	scheme := "http"
	if cfg.TLSCert != "" {
		scheme = "https"
	}
	text := fmt.Sprintf("Latchkey %s answers on %s://%s\n", programVersion(), scheme, addr)
	tcp, ok := addr.(*net.TCPAddr)
	switch {
	case cfg.SiteURL != "":
		text += fmt.Sprintf("Browsers reach it as %s\n", cfg.SiteURL)
	case ok && tcp.IP.IsLoopback():
		text += fmt.Sprintf("Only this machine can reach it. To let others in, start it with  --http :%d\n", tcp.Port)
	}
	if sftp != nil {
		text += fmt.Sprintf("SFTP answers on %s\n", sftp)
	}
	_, _ = fmt.Fprint(c.s.Out, text)
}

func (c *commands) migrate() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to this version without serving",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load(cmd)
			if err != nil {
				return err
			}
			app, err := c.open(cmd, cfg)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.s.Out, "The database is up to date.")
			return errors.Join(err, app.Close())
		},
	}
}

func (c *commands) config() *cobra.Command {
	return group("config", "Look at the configuration", &cobra.Command{
		Use:   "print",
		Short: "Print the effective values as a file, without secrets",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load(cmd)
			if err != nil {
				return err
			}
			return cfg.Print(c.s.Out)
		},
	})
}

func (c *commands) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(c.s.Out, "latchkey %s\n", programVersion())
			return err
		},
	}
}
