package docs_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"latchkey/service/access"
	"latchkey/service/secret"
)

func apiKeysPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("api-keys.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func TestAPIKeysPageHasEveryScope(t *testing.T) {
	var table strings.Builder
	table.WriteString("| scope | what it allows |\n| --- | --- |\n")
	for _, s := range access.Vocabulary() {
		fmt.Fprintf(&table, "| `%s` | %s |\n", s.Scope, s.Text)
	}
	want := table.String()
	_, rest, _ := strings.Cut(apiKeysPage(t), "<!-- scopes -->\n")
	if got, _, _ := strings.Cut(rest, "<!-- end of scopes -->"); got != want {
		t.Errorf("the table of scopes is out of date; it must read:\n\n%s", want)
	}
}

// The page's rule for each kind of secret finds that kind, wherever it stands,
// and nothing that only resembles it.
func TestScannerRulesFindOurSecrets(t *testing.T) { // P-02
	rules := scannerRules(t)
	kinds := []secret.Prefix{secret.APIKey, secret.OAuthToken, secret.SessionAccess, secret.RefreshToken, secret.ClientSecret}
	if len(rules) != len(kinds) {
		t.Fatalf("%d rules, want one for each of %d kinds", len(rules), len(kinds))
	}
	for _, kind := range kinds {
		rule := rules[string(kind)]
		if rule == nil {
			t.Errorf("no rule has the keyword %s", kind)
			continue
		}
		for range 100 {
			text := secret.NewBearer(kind)
			for _, around := range []string{"%", "KEY=%", `"%"`, "curl -H 'x-api-key: %'", "https://x/?api_key=%&a=b", "a\n%\nb", "%.", "user:%@host"} {
				if got := rule.FindString(strings.Replace(around, "%", text, 1)); got != text {
					t.Fatalf("the rule of %s finds %q in %q", kind, got, around)
				}
			}
			for name, miss := range map[string]string{
				"one character less": text[:len(text)-1], "one more": text + "a", "capital letters before": strings.ToUpper(text[:3]) + text[3:],
				"another sign in it": text[:20] + "-" + text[21:], "a word before it": "x" + text, "a word behind it": text + "_x",
				"without the prefix": text[4:], "a dash for the line": text[:3] + "-" + text[4:], "a kind that is none": "lkx_" + text[4:],
			} {
				if rule.MatchString(miss) {
					t.Fatalf("the rule of %s finds something in %s: %s", kind, name, miss)
				}
			}
			for other, foreign := range rules {
				if other != string(kind) && foreign.MatchString(text) {
					t.Fatalf("the rule of %s finds %s", other, text)
				}
			}
		}
	}
}

// scannerRules are the expressions of the page's rules by their keyword.
func scannerRules(t *testing.T) map[string]*regexp.Regexp {
	t.Helper()
	_, rest, _ := strings.Cut(apiKeysPage(t), "```toml\n")
	text, _, _ := strings.Cut(rest, "```")
	rule := regexp.MustCompile(`(?m)^\[\[rules\]\]\nid = "[a-z-]+"\ndescription = "[^"]+"\nregex = '''(.+)'''\nkeywords = \["(.+)"\]\n`)
	if left := strings.TrimSpace(rule.ReplaceAllString(text, "")); left != "" {
		t.Errorf("not read as a rule: %s", left)
	}
	rules := map[string]*regexp.Regexp{}
	for _, found := range rule.FindAllStringSubmatch(text, -1) {
		rules[found[2]] = regexp.MustCompile(found[1])
	}
	return rules
}
