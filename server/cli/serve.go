package cli

import (
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
	app, err := server.Open(cmd.Context(), cfg, c.options(cfg))
	if errors.Is(err, server.ErrRunning) {
		return fmt.Errorf("%w: stop it first, or choose another folder with --data", err)
	}
	if err != nil {
		return err
	}
	err = app.Serve(cmd.Context(), func(addr net.Addr) { c.announce(cfg, addr) })
	return errors.Join(err, app.Close())
}

// announce says where the server is, and how others could reach it if only
// this machine can.
func (c *commands) announce(cfg config.Config, addr net.Addr) {
	scheme := "http"
	if cfg.TLSCert != "" {
		scheme = "https"
	}
	_, _ = fmt.Fprintf(c.s.Out, "Latchkey %s answers on %s://%s\n", programVersion(), scheme, addr)
	if cfg.SiteURL != "" {
		_, _ = fmt.Fprintf(c.s.Out, "Browsers reach it as %s\n", cfg.SiteURL)
		return
	}
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
		_, _ = fmt.Fprintf(c.s.Out, "Only this machine can reach it. To listen on the network:  latchkey --http :%d\n", tcp.Port)
	}
}

func (c *commands) migrate() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to this version without serving",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load(cmd)
			if err != nil {
				return err
			}
			app, err := server.Open(cmd.Context(), cfg, c.options(cfg))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.s.Out, "The database is up to date.")
			return errors.Join(err, app.Close())
		},
	}
}

func (c *commands) config() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Look at the configuration"}
	cmd.AddCommand(&cobra.Command{
		Use:   "print",
		Short: "Print the effective values as a file, without secrets",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load(cmd)
			if err != nil {
				return err
			}
			return cfg.Print(c.s.Out)
		},
	})
	return cmd
}

func (c *commands) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(c.s.Out, "latchkey %s\n", programVersion())
			return err
		},
	}
}
