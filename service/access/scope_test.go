package access_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/service/access"
	"latchkey/service/secret"
)

func TestParseScopes(t *testing.T) {
	got, err := access.ParseScopes([]string{"session.evict", "me.read", "session.evict"})
	if diff := cmp.Diff(access.Scopes{access.MeRead, access.SessionEvict}, got); err != nil || diff != "" {
		t.Errorf("ParseScopes: %v (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{"", "me", "me.*", "ME.READ", "me.read ", "admin", string(access.FirstParty), string(access.Open)} {
		if _, err := access.ParseScopes([]string{"me.read", bad}); !errors.Is(err, access.ErrUnknownScope) {
			t.Errorf("ParseScopes(%q) = %v, want ErrUnknownScope", bad, err)
		}
	}
	_, err = access.ParseScopes([]string{strings.Repeat("\x1b[31m", 100)})
	if text := err.Error(); len(text) > 100 || strings.ContainsRune(text, 0x1b) {
		t.Errorf("the refusal repeats what it was sent: %q", text)
	}
}

func TestAllowIsNoWiderThanTheScopes(t *testing.T) {
	one := access.Scopes{access.SessionRead}
	for _, s := range access.Vocabulary() {
		if got := one.Allow(s.Scope); got != (s.Scope == access.SessionRead) {
			t.Errorf("session.read allows %s: %t", s.Scope, got)
		}
		if all := (access.Scopes{access.All}); !all.Allow(s.Scope) {
			t.Errorf("all does not allow %s", s.Scope)
		}
		if (access.Scopes{}).Allow(s.Scope) {
			t.Errorf("no scope allows %s", s.Scope)
		}
	}
	for _, never := range []access.Scope{access.FirstParty, access.Open} {
		if (access.Scopes{access.All, never}).Allow(never) {
			t.Errorf("a credential is allowed %s", never)
		}
	}
}

func TestCover(t *testing.T) {
	for name, tt := range map[string]struct {
		has, asked access.Scopes
		want       bool
	}{
		"nothing covers nothing":      {nil, nil, true},
		"the same":                    {access.Scopes{access.MeRead}, access.Scopes{access.MeRead}, true},
		"fewer":                       {access.Scopes{access.MeRead, access.SessionRead}, access.Scopes{access.MeRead}, true},
		"one more":                    {access.Scopes{access.MeRead}, access.Scopes{access.MeRead, access.SessionRead}, false},
		"all covers all":              {access.Scopes{access.All}, access.Scopes{access.All, access.MeRead}, true},
		"every scope is not all":      {everyScopeButAll(), access.Scopes{access.All}, false},
		"all does not cover the rest": {access.Scopes{access.All}, access.Scopes{access.FirstParty}, false},
	} {
		if got := tt.has.Cover(tt.asked); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func everyScopeButAll() access.Scopes {
	var list access.Scopes
	for _, s := range access.Vocabulary() {
		if s.Scope != access.All {
			list = append(list, s.Scope)
		}
	}
	return list
}

func TestCheckScope(t *testing.T) {
	for kind := range access.CredentialKind(20) {
		c := access.Caller{Kind: kind, Scopes: access.Scopes{access.MeRead}}
		delegated := kind == access.APIKey || kind == access.OAuthToken
		if c.IsDelegated() != delegated {
			t.Errorf("kind %d is delegated: %t", kind, c.IsDelegated())
		}
		if err := c.CheckScope(access.MeRead); err != nil {
			t.Errorf("kind %d: %v", kind, err)
		}
		if err := c.CheckScope(access.SessionEvict); errors.Is(err, access.ErrScope) != delegated {
			t.Errorf("kind %d without the scope: %v", kind, err)
		} else if delegated && err.Error() != "Missing required permission: session.evict" {
			t.Errorf("the refusal says %q", err)
		}
		c.Scopes = access.Scopes{access.All}
		if err := c.CheckScope(access.FirstParty); errors.Is(err, access.ErrFirstParty) != delegated {
			t.Errorf("kind %d, first party: %v", kind, err)
		}
	}
}

func TestVocabularyIsReadable(t *testing.T) {
	seen := []access.Scope{}
	for _, s := range access.Vocabulary() {
		if slices.Contains(seen, s.Scope) || s.Text == "" || strings.HasSuffix(s.Text, ".") || len(s.Text) > 80 {
			t.Errorf("%s: %q", s.Scope, s.Text)
		}
		if s.Scope != access.All && !strings.Contains(string(s.Scope), ".") {
			t.Errorf("%s is not resource.action", s.Scope)
		}
		seen = append(seen, s.Scope)
	}
}

// P-01: a key that is sent as a scope does not come back in the refusal.
func TestUnknownScopesDoNotRepeatKeys(t *testing.T) {
	for _, p := range []secret.Prefix{secret.APIKey, secret.OAuthToken, secret.RefreshToken, secret.ClientSecret} {
		text := secret.NewBearer(p)
		for _, sent := range []string{text, "me.read " + text, strings.Repeat("x", 30) + text} {
			if _, err := access.ParseScopes([]string{sent}); err == nil || strings.Contains(err.Error(), text[8:24]) {
				t.Errorf("%q: %v", sent, err)
			}
		}
	}
}
