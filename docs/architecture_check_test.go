package docs_test

import (
	"slices"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		from, imports string // one package and its imports, beside service/fault and model
		line          string // its line on the map; empty stands for the right one
		want          string // of the one fault; empty if there is none
	}{
		"what the map allows is no fault":            {from: "service/login", imports: "latchkey/model errors"},
		"the map writes the main package as root":    {from: root, imports: "latchkey/model"},
		"a package is missing":                       {from: "service/login", imports: "latchkey/model", line: "#", want: "add the line\n\tservice/login -> model"},
		"a package that imports nothing is missing":  {from: "service/login", line: "#", want: "add the line\n\tservice/login ->"},
		"a line names a package that is gone":        {line: "service/gone -> model", want: "remove the line\n\tservice/gone -> model"},
		"an import is not on the map":                {from: "service/login", imports: "latchkey/model latchkey/service/fault", line: "service/login -> model", want: "imports service/fault, which its line does not allow\n\t- service/login -> model\n\t+ service/login -> model, service/fault"},
		"the map allows an import that is not there": {from: "service/login", imports: "latchkey/model", line: "service/login -> service/fault, model", want: "does not import service/fault, which its line allows\n\t- service/login -> model, service/fault\n\t+ service/login -> model"},

		"a service speaks HTTP":               {from: "service/login", imports: "net/http", want: "services know no HTTP"},
		"a test kit of a service speaks HTTP": {from: "service/session/sessiontest", imports: "net/http/httptest", want: "services know no HTTP"},
		"a service may parse addresses":       {from: "service/login", imports: "net/url net/netip net"},
		"a service uses Gin":                  {from: "service/login", imports: "github.com/gin-gonic/gin", want: "no framework"},
		"a service uses GORM":                 {from: "service/login", imports: "gorm.io/gorm/clause", want: "no database"},
		"a service uses Redis":                {from: "service/login", imports: "github.com/redis/go-redis/v9", want: "no database"},
		"a service uses SQL":                  {from: "service/login", imports: "database/sql", want: "no database"},
		"a service knows a door":              {from: "service/login", imports: "latchkey/server/web", want: "do not know their doors"},
		"a record uses a module":              {from: "model", imports: "gorm.io/gorm", want: "standard library only"},
		"a record uses one of our packages":   {from: "model", imports: "latchkey/service/fault", want: "standard library only"},
		"a package below model may use GORM":  {from: "model/sqlstore", imports: "gorm.io/gorm latchkey/model"},
		"a capability imports another":        {from: "service/session", imports: "latchkey/service/account", want: "no capability imports another"},
		"it does so below itself":             {from: "service/session/sessiontest", imports: "latchkey/service/account", want: "no capability imports another"},
		"a capability's kit imports it":       {from: "service/session/sessiontest", imports: "latchkey/service/session"},
		"a capability imports a tool":         {from: "service/session", imports: "latchkey/service/fault"},
		"a flow joins two capabilities":       {from: "service/login", imports: "latchkey/service/account latchkey/service/session"},
		"a door imports another":              {from: "server/alist", imports: "latchkey/server/console", want: "no door imports another"},
		"a door imports what doors share":     {from: "server/alist", imports: "latchkey/server/web"},
		"a door imports the stores":           {from: "server/control", imports: "latchkey/model/sqlstore", want: "only server wires the stores"},
		"the command line imports the stores": {from: "server/cli", imports: "latchkey/model/sqlstore", want: "only server wires the stores"},
		"the command line imports the server": {from: "server/cli", imports: "latchkey/server"},
		"another door imports the server":     {from: "server/sftpd", imports: "latchkey/server", want: "only server/cli"},
		"a service imports the stores":        {from: "service/importer", imports: "latchkey/model/sqlstore/migrations", want: "only server wires the stores"},
		"the server imports stores and doors": {from: "server", imports: "latchkey/model/sqlstore latchkey/server/alist"},
	} {
		t.Run(name, func(t *testing.T) {
			pkgs := []goPackage{{path: "service/fault", doc: "Package fault."}}
			if tt.from != "" {
				pkgs = append(pkgs, goPackage{path: tt.from, doc: "A comment.", imports: strings.Fields(tt.imports)})
			}
			line := tt.line
			if line == "" {
				line = pkgs[1].line()
			}
			m, err := parseMap("# Title\n\n```imports\nservice/fault ->\n" + line + "\n```\nMore.\n")
			if err != nil {
				t.Fatal(err)
			}
			faults := check(m, pkgs)
			if tt.want == "" && len(faults) > 0 || tt.want != "" && (len(faults) != 1 || !strings.Contains(faults[0], tt.want)) {
				t.Errorf("check = %q, want %q", faults, tt.want)
			}
		})
	}
}

func TestCheckWantsPackageComments(t *testing.T) {
	got := check(importMap{"service/fault": nil}, []goPackage{{path: "service/fault"}})
	if want := []string{"service/fault has no package comment"}; !slices.Equal(got, want) {
		t.Errorf("check = %q, want %q", got, want)
	}
}

func TestParseMapRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"a text without a map":        "```go\nmodel ->\n```\n",
		"a map that does not end":     "```imports\nmodel ->\n",
		"two maps":                    "```imports\nmodel ->\n```\n\n```imports\n```\n",
		"a line without an arrow":     "```imports\nmodel\n```\n",
		"a line without a package":    "```imports\n-> model\n```\n",
		"a package that stands twice": "```imports\nmodel ->\nmodel -> service/fault\n```\n",
	} {
		t.Run(name, func(t *testing.T) {
			if m, err := parseMap(text); err == nil {
				t.Errorf("parseMap took it: %v", m)
			}
		})
	}
}

func TestCheckLength(t *testing.T) {
	got := checkLength(map[string]int{"a.go": maxLines, "b.go": maxLines + 1, "b_test.go": maxLines + 1})
	if len(got) != 2 || !strings.HasPrefix(got[0], "b.go has 401 lines") || !strings.HasPrefix(got[1], "b_test.go has 401 lines") {
		t.Errorf("checkLength = %q, want faults about b.go and b_test.go", got)
	}
}

func TestCheckLibc(t *testing.T) {
	for name, tt := range map[string]struct{ mod, want string }{
		"the same version":        {"require (\n\tmodernc.org/libc v1.2.3\n)", ""},
		"on a line of its own":    {"require modernc.org/libc v1.2.3 // why", ""},
		"an older one":            {"require (\n\tmodernc.org/libc v1.2.0\n)", "replace modernc.org/libc => modernc.org/libc v1.2.0"},
		"one with a longer path":  {"require (\n\tmodernc.org/libc/v2 v1.2.3\n)", "does not name"},
		"a go.mod that lacks one": {"module modernc.org/sqlite", "does not name"},
	} {
		t.Run(name, func(t *testing.T) {
			got := checkLibc("v1.2.3", tt.mod)
			if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("checkLibc = %q, want %q", got, tt.want)
			}
		})
	}
}
