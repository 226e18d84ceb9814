package secret_test

import (
	"strings"
	"testing"

	"latchkey/service/secret"
)

func TestHide(t *testing.T) {
	a, b := secret.NewBearer(secret.APIKey), secret.NewBearer(secret.RefreshToken)
	for in, want := range map[string]string{
		"":                       "",
		"/api/me":                "/api/me",
		a:                        a[:8] + "***",
		"/x/" + a + "/lk/" + b:   "/x/" + a[:8] + "***/lk/" + b[:8] + "***",
		a + "&" + a:              a[:8] + "***&" + a[:8] + "***",
		"lk" + a:                 "lk" + a[:8] + "***",
		a[:20]:                   a[:8] + "***",
		a[:19]:                   a[:19],
		"lka_":                   "lka_",
		"walk_about/folk_music":  "walk_about/folk_music",
		"lkx_" + a[4:]:           "lkx_" + a[4:],
		strings.Repeat("lk", 50): strings.Repeat("lk", 50),
	} {
		if got := secret.Hide(in); got != want {
			t.Errorf("Hide(%q) = %q, want %q", in, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { secret.Hide("/api/admin/user/list") }); n > 0 {
		t.Errorf("a path without a secret costs %v allocations", n)
	}
}

func FuzzHide(f *testing.F) {
	key := secret.NewBearer(secret.APIKey)
	f.Add("", "")
	f.Add("/api/", "?x")
	f.Add("lk", "lka_")
	f.Fuzz(func(t *testing.T, before, after string) {
		got := secret.Hide(before + key + after)
		for i := 1; i+8 <= len(key); i++ {
			if strings.Contains(got, key[i:i+8]) && !strings.Contains(before+after, key[i:i+8]) {
				t.Fatalf("Hide(%q) = %q", before+key+after, got)
			}
		}
	})
}
