package docs_test

import (
	"os"
	"strings"
	"testing"

	"latchkey/server/config"
)

func TestOperationsPageHasEverySetting(t *testing.T) {
	page, err := os.ReadFile("operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	if err := config.Reference(&want); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "what belongs here -->\n")
	got, _, _ := strings.Cut(rest, "<!-- end of config reference -->")
	if got != want.String() {
		t.Errorf("the table of the configuration is out of date; it must read:\n\n%s", want.String())
	}
}
