package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"latchkey/server"
	"latchkey/service/importer"
)

func (c *commands) imports() *cobra.Command {
	return group("import", "Bring accounts over from another program", c.importAList())
}

// defaultPrefix begins the names of AList's tables.
const defaultPrefix = "x_"

func (c *commands) importAList() *cobra.Command {
	var (
		o        importer.Options
		prefix   string
		progress bool
	)
	cmd := &cobra.Command{
		Use:   "alist SOURCE",
		Short: "Import users, roles, SSH keys, second factors and settings from AList",
		Long: `Import what AList's database holds and is not here yet: all of it, or nothing.
Passwords go on working. A second import changes nothing.

SOURCE is AList's data.db, or the folder it lies in, or
  mysql://USER:PASSWORD@HOST:PORT/DATABASE
  USER:PASSWORD@tcp(HOST:PORT)/DATABASE
  postgres://USER:PASSWORD@HOST:PORT/DATABASE
It is only read. What happens to every kind of row is in docs/import-from-alist.md.`,
		Args: oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			if progress || c.isTerminal() {
				show := &progressLine{c: c, every: time.Second}
				o.Progress = show.tell
				defer show.end()
			}
			return c.attached(cmd, func(ctx context.Context, app *server.App) error {
				source, report, err := app.ImportAList(ctx, args[0], prefix, o)
				if err != nil {
					return fmt.Errorf("import: %w", err)
				}
				if _, err := fmt.Fprintf(c.s.Out, "From %s\n\n", source); err != nil {
					return err
				}
				return report.Write(c.s.Out)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&prefix, "prefix", defaultPrefix, "what the names of AList's tables begin with")
	flags.BoolVar(&o.DryRun, "dry-run", false, "report what would be done, and write nothing")
	flags.BoolVar(&o.Settings, "settings", true, "import settings too, where ours were not changed")
	flags.BoolVar(&o.Sessions, "sessions", false, "import AList's sessions as inactive devices")
	flags.BoolVar(&progress, "progress", false, "show progress even where standard error is no terminal")
	return cmd
}

func (c *commands) isTerminal() bool {
	file, ok := c.s.Err.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// progressLine shows how far a command is, on standard error: a line for every
// step, and one a second while a step takes long.
type progressLine struct {
	c     *commands
	every time.Duration
	step  string
	count int
	shown time.Time
	dirty bool // count was not shown
}

// tell notes how far a step is.
func (p *progressLine) tell(step string, count int) {
	now := time.Now() //nolint:forbidigo // how often a line is shown decides nothing
	if step != p.step {
		p.end()
		p.step, p.shown = step, now
	}
	p.count, p.dirty = count, true
	if now.Sub(p.shown) >= p.every {
		p.shown = now
		p.show()
	}
}

func (p *progressLine) show() {
	p.dirty = false
	_, _ = fmt.Fprintf(p.c.s.Err, "%s: %d rows\n", p.step, p.count)
}

// end shows the last count of a step.
func (p *progressLine) end() {
	if p.dirty {
		p.show()
	}
}
