package importer

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Report says what an import did, or would do. It holds no secret.
type Report struct {
	DryRun bool
	Counts []Count
	Notes  []string // about whole tables and settings
	Lines  []Line   // one for every odd row, by table and id
}

// Count is what became of the rows of one kind.
type Count struct {
	What  string
	Found int
	New   int // imported
	There int // here already, and left as they are
	Left  int // not imported; each has a line
}

// Line is an odd row.
type Line struct {
	Table string // AList's, without the prefix
	ID    int64  // AList's; 0 where a name says it
	Name  string
	Found string // what is odd
	Done  string // what was done about it
}

// tables is the order of the report.
func tables() []string {
	return []string{tableRoles, tableUsers, tableKeys, tableSettings, tableSessions}
}

// AList's tables, without the prefix.
const (
	tableRoles    = "roles"
	tableUsers    = "users"
	tableKeys     = "ssh_public_keys"
	tableSettings = "setting_items"
	tableSessions = "sessions"
)

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

func (r *Report) line(l Line) { r.Lines = append(r.Lines, l) }

// sort orders the lines; those of one row stay in the order of their making.
func (r *Report) sort() {
	order := tables()
	slices.SortStableFunc(r.Lines, func(a, b Line) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.Table), slices.Index(order, b.Table)),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name),
		)
	})
}

// String is the line as the report shows it. Names are quoted: they may hold
// anything.
func (l Line) String() string {
	row := l.Table
	if l.ID != 0 || l.Table != tableSettings && l.Table != tableSessions {
		row += fmt.Sprintf(" %d", l.ID)
	}
	if l.Name != "" {
		row += fmt.Sprintf(" %q", l.Name)
	}
	return row + ": " + l.Found + "; " + l.Done
}

// Write writes the report as plain text.
func (r Report) Write(w io.Writer) error {
	var b strings.Builder
	if r.DryRun {
		b.WriteString("This was a dry run: nothing was written.\n\n")
	}
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "\tFOUND\tIMPORTED\tALREADY HERE\tLEFT OUT")
	for _, c := range r.Counts {
		_, _ = fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\n", c.What, c.Found, c.New, c.There, c.Left)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if len(r.Notes) > 0 {
		b.WriteString("\n")
	}
	for _, note := range r.Notes {
		b.WriteString(note + "\n")
	}
	if len(r.Lines) > 0 {
		_, _ = fmt.Fprintf(&b, "\n%d remarks, by row:\n", len(r.Lines))
	}
	for _, l := range r.Lines {
		b.WriteString("  " + l.String() + "\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
