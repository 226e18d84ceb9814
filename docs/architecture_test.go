package docs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module   = "latchkey"
	root     = "(root)" // how the map names the package of main.go
	maxLines = 400      // of a Go file, tests too

	sqlite = "modernc.org/sqlite"
	libc   = "modernc.org/libc"
)

// goPackage is what the rules need to know of a package.
type goPackage struct {
	path    string   // below the module, or root
	doc     string   // first sentence of the package comment
	imports []string // of its non-test files, as they are written there
}

// internal is p's imports from this module, below the module and in order.
func (p goPackage) internal() []string {
	var list []string
	for _, path := range p.imports {
		if rel, ours := strings.CutPrefix(path, module+"/"); ours {
			list = append(list, rel)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// line is p as the map writes it.
func (p goPackage) line() string { return mapLine(p.path, p.internal()) }

// importMap holds, for every package, what it may import from this module.
type importMap map[string][]string

func mapLine(path string, imports []string) string {
	return strings.TrimSpace(path + " -> " + strings.Join(imports, ", "))
}

// parseMap reads the one block fenced with ```imports. Empty lines and lines
// that start with # are for people.
func parseMap(text string) (importMap, error) {
	_, rest, found := strings.Cut("\n"+text, "\n```imports\n")
	if !found {
		return nil, errors.New("architecture.md has no block ```imports")
	}
	body, after, closed := strings.Cut("\n"+rest, "\n```")
	if !closed {
		return nil, errors.New("the block ```imports is not closed")
	}
	if strings.Contains(after, "\n```imports\n") {
		return nil, errors.New("architecture.md has two blocks ```imports")
	}
	m := importMap{}
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := m.add(line); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m importMap) add(line string) error {
	path, list, found := strings.Cut(line, "->")
	path = strings.TrimSpace(path)
	if !found || path == "" {
		return fmt.Errorf("the map's line %q is not of the form: package -> import, import", line)
	}
	if _, twice := m[path]; twice {
		return fmt.Errorf("the map has two lines for %s", path)
	}
	m[path] = []string{}
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			m[path] = append(m[path], name)
		}
	}
	slices.Sort(m[path])
	return nil
}

// checkMap says what to change so that map and code agree.
func checkMap(m importMap, pkgs []goPackage) []string {
	var faults []string
	gone := maps.Clone(m)
	for _, p := range pkgs {
		allowed, listed := m[p.path]
		delete(gone, p.path)
		if !listed {
			faults = append(faults, fmt.Sprintf("the map lacks a package, add the line\n\t%s", p.line()))
			continue
		}
		for _, name := range p.internal() {
			if !slices.Contains(allowed, name) {
				faults = append(faults, fmt.Sprintf("%s imports %s, which its line does not allow\n\t- %s\n\t+ %s",
					p.path, name, mapLine(p.path, allowed), p.line()))
			}
		}
		for _, name := range allowed {
			if !slices.Contains(p.internal(), name) {
				faults = append(faults, fmt.Sprintf("%s does not import %s, which its line allows\n\t- %s\n\t+ %s",
					p.path, name, mapLine(p.path, allowed), p.line()))
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(gone)) {
		faults = append(faults, fmt.Sprintf("the map names a package that does not exist, remove the line\n\t%s",
			mapLine(path, gone[path])))
	}
	return faults
}

// check applies every rule on packages. Each fault is one text for a person.
func check(m importMap, pkgs []goPackage) []string {
	faults := checkMap(m, pkgs)
	for _, p := range pkgs {
		if p.doc == "" {
			faults = append(faults, p.path+" has no package comment")
		}
		for _, path := range p.imports {
			if rule := broken(p.path, path); rule != "" {
				faults = append(faults, fmt.Sprintf("%s imports %s, but %s", p.path, path, rule))
			}
		}
	}
	return faults
}

// broken is the rule that an import from a package breaks, or "".
func broken(from, imported string) string {
	to, ours := strings.CutPrefix(imported, module+"/")
	if !ours {
		switch {
		case from == "model" && !isStandard(imported):
			return "records know the standard library only"
		case within(from, "service") && isOutside(imported):
			return "services know no HTTP, no framework and no database"
		}
		return ""
	}
	switch {
	case from == "model":
		return "records know the standard library only"
	case within(from, "service") && (within(to, "server") || within(to, "middleware")):
		return "services do not know their doors"
	case isCapability(from) && isCapability(to) && top(from) != top(to):
		return "no capability imports another: what spans two is a flow, or a function handed in"
	case isDoor(from) && isDoor(to) && top(from) != top(to):
		return "no door imports another"
	case isDoor(from) && to == "server" && top(from) != "server/cli":
		return "of the doors only server/cli knows the whole server"
	case within(to, "model/sqlstore") && from != "server" && !within(from, "model/sqlstore"):
		return "only server wires the stores"
	}
	return ""
}

func isCapability(path string) bool {
	switch top(path) {
	case "service/account", "service/session", "service/totp", "service/apikey",
		"service/sshkey", "service/client", "service/grant", "service/throttle", "service/setting":
		return true
	}
	return false
}

func isDoor(path string) bool {
	switch top(path) {
	case "server/alist", "server/openid", "server/forwardauth", "server/console",
		"server/sftpd", "server/cli", "server/control":
		return true
	}
	return false
}

// isOutside reports whether an import is how the program meets the world,
// which services reach through what is handed to them.
func isOutside(path string) bool {
	for _, tree := range []string{
		"net/http", "database/sql", "gorm.io", "github.com/redis",
		"github.com/gin-gonic", "github.com/gin-contrib",
	} {
		if within(path, tree) {
			return true
		}
	}
	return false
}

// isStandard relies on every other module's path beginning with a host name.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// top is the first two elements of a path: what sits below them belongs to it.
func top(path string) string {
	parts := strings.SplitN(path, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

func within(path, tree string) bool { return path == tree || strings.HasPrefix(path, tree+"/") }

// checkLength names the files, by their number of lines, that are too long.
func checkLength(lines map[string]int) []string {
	var faults []string
	for _, file := range slices.Sorted(maps.Keys(lines)) {
		if n := lines[file]; n > maxLines {
			faults = append(faults, fmt.Sprintf("%s has %d lines, more than %d: split it by subject", file, n, maxLines))
		}
	}
	return faults
}

// checkLibc compares the selected version of libc with the one that SQLite's
// own go.mod asks for. SQLite is C translated against exactly one libc; another
// one compiles and may then corrupt data, and a dependency can raise it unseen.
func checkLibc(selected, sqliteMod string) string {
	for line := range strings.Lines(sqliteMod) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) < 2 || fields[0] != libc {
			continue
		}
		if fields[1] == selected {
			return ""
		}
		return fmt.Sprintf("%s %s is selected, but %s is built for %s; go.mod needs the line\n\treplace %s => %s %s",
			libc, selected, sqlite, fields[1], libc, libc, fields[1])
	}
	return fmt.Sprintf("the go.mod of %s does not name %s", sqlite, libc)
}

// TestArchitecture holds code and map together, and both to the rules.
func TestArchitecture(t *testing.T) {
	text, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	pkgs := listPackages(t)
	m, err := parseMap(string(text))
	if err != nil {
		t.Errorf("%v\n%s", err, block(pkgs))
	}
	for _, fault := range check(m, pkgs) {
		t.Error(fault)
	}
	if len(checkMap(m, pkgs)) > 0 {
		t.Logf("if the code is right, the whole map is\n%s", block(pkgs))
	}
}

func TestNoFileIsTooLong(t *testing.T) {
	for _, fault := range checkLength(countLines(t)) {
		t.Error(fault)
	}
}

func TestSQLiteHasItsOwnLibc(t *testing.T) {
	type version struct{ Version, GoMod string }
	var selected [2]version
	for i, path := range []string{libc, sqlite} {
		var mod struct {
			version
			Replace *version
		}
		if err := json.Unmarshal(goList(t, "-m", "-json", path), &mod); err != nil {
			t.Fatal(err)
		}
		selected[i] = mod.version
		if mod.Replace != nil {
			selected[i] = *mod.Replace
		}
	}
	text, err := os.ReadFile(selected[1].GoMod)
	if err != nil {
		t.Fatal(err)
	}
	if fault := checkLibc(selected[0].Version, string(text)); fault != "" {
		t.Error(fault)
	}
}

// block is the map that describes the code as it is.
func block(pkgs []goPackage) string {
	var b strings.Builder
	b.WriteString("```imports\n")
	for _, p := range pkgs {
		b.WriteString(p.line() + "\n")
	}
	b.WriteString("```\n")
	return b.String()
}

// listPackages is every package of the module that has more than tests.
func listPackages(t *testing.T) []goPackage {
	t.Helper()
	var pkgs []goPackage
	in := json.NewDecoder(bytes.NewReader(goList(t, "-json=ImportPath,Doc,Imports,GoFiles,CgoFiles", "./...")))
	for {
		var p struct {
			ImportPath, Doc            string
			Imports, GoFiles, CgoFiles []string
		}
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles)+len(p.CgoFiles) == 0 {
			continue
		}
		path := root
		if p.ImportPath != module {
			path = strings.TrimPrefix(p.ImportPath, module+"/")
		}
		pkgs = append(pkgs, goPackage{path: path, doc: p.Doc, imports: p.Imports})
	}
}

// goList runs go list at the module's root.
func goList(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// countLines reads every Go file itself, whatever its build constraints. That
// also tells go test that the result depends on the whole tree, which it cannot
// know of what go list reads: without it an outdated "ok (cached)" would stand.
func countLines(t *testing.T) map[string]int {
	t.Helper()
	lines := map[string]int{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && name != ".." && (strings.HasPrefix(name, ".") || name == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		lines[filepath.ToSlash(path)] = bytes.Count(text, []byte("\n"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
