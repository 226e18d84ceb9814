package sshkey_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/sshkey"
)

func TestAuthorizedLine(t *testing.T) {
	at := clock()
	for name, tt := range map[string]struct {
		key  model.SSHKey
		want string
	}{
		"without limits": {model.SSHKey{}, "restrict ssh-ed25519 AAAA\n"},
		"with all that sshd knows": {
			model.SSHKey{AllowedIPs: "192.0.2.0/24,2001:db8::7/128", ExpiresAt: model.At(at.Add(90 * time.Second)), ReadOnly: true},
			`restrict,from="192.0.2.0/24,2001:db8::7/128",expiry-time="20261120103431Z",command="internal-sftp -R" ssh-ed25519 AAAA` + "\n",
		},
		"a moment before it expires": {model.SSHKey{ExpiresAt: model.At(at.Add(time.Millisecond))}, `restrict,expiry-time="20261120103301Z" ssh-ed25519 AAAA` + "\n"},
		"expired":                    {model.SSHKey{ExpiresAt: model.At(at)}, ""},
		"suspended":                  {model.SSHKey{SuspendedAt: model.At(at)}, ""},
		"confined to a folder":       {model.SSHKey{Path: "/photos"}, ""},
		"with a title and a comment": {model.SSHKey{Title: "x\ny", Comment: "z"}, "restrict ssh-ed25519 AAAA\n"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.key.PublicKey = "ssh-ed25519 AAAA"
			if got := sshkey.AuthorizedLine(tt.key, at); got != tt.want {
				t.Errorf("AuthorizedLine = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAdvice(t *testing.T) {
	const day = 24 * time.Hour
	strong := strings.TrimSpace(vector(t, "accept", "ed25519.pub"))
	weak := strings.TrimSpace(vector(t, "accept", "rsa2048.pub"))
	plain := func(line string) string { return strings.Join(strings.Fields(line)[:2], " ") }
	before := func(span time.Duration) model.Time { return model.At(clock().Add(-span)) }
	for name, tt := range map[string]struct {
		key  model.SSHKey
		want []string
	}{
		"a fresh key":                {model.SSHKey{AddedAt: before(day)}, []string{}},
		"unused for 179 days":        {model.SSHKey{AddedAt: before(400 * day), LastUsedAt: before(179 * day)}, []string{}},
		"unused for 180 days":        {model.SSHKey{AddedAt: before(400 * day), LastUsedAt: before(180 * day)}, []string{"Not used for 180 days; delete it if you do not need it."}},
		"never used, added long ago": {model.SSHKey{AddedAt: before(400 * day)}, []string{"Not used for 400 days; delete it if you do not need it."}},
		"expired":                    {model.SSHKey{AddedAt: before(day), ExpiresAt: before(0)}, []string{"Expired."}},
		"expires soon":               {model.SSHKey{AddedAt: before(day), ExpiresAt: before(-13 * day)}, []string{"Expires in 13 days."}},
		"expires in an hour":         {model.SSHKey{AddedAt: before(day), ExpiresAt: before(-time.Hour)}, []string{"Expires in less than a day."}},
		"expires later":              {model.SSHKey{AddedAt: before(day), ExpiresAt: before(-15 * day)}, []string{}},
		"suspended": {
			model.SSHKey{AddedAt: before(day), SuspendedAt: before(0)},
			[]string{"Suspended, because its device was evicted; lift it to use it again."},
		},
		"short RSA": {model.SSHKey{AddedAt: before(day), PublicKey: plain(weak)}, []string{"RSA below 3072 bits; consider Ed25519."}},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.key.PublicKey == "" {
				tt.key.PublicKey = plain(strong)
			}
			if got := newHouse().Advice(tt.key); !slices.Equal(got, tt.want) {
				t.Errorf("Advice = %q, want %q", got, tt.want)
			}
		})
	}
}

// sshKeygen runs OpenSSH's ssh-keygen and reports whether it was content.
func sshKeygen(t *testing.T, args ...string) (string, bool) {
	t.Helper()
	path, err := exec.LookPath("ssh-keygen")
	switch {
	case err != nil && os.Getenv("LATCHKEY_TEST_REQUIRE") == "1":
		t.Fatalf("ssh-keygen: %v, and LATCHKEY_TEST_REQUIRE=1 wants it", err)
	case err != nil:
		t.Skipf("ssh-keygen: %v", err)
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	return string(out), err == nil
}

func TestRevocationListIsReadByOpenSSH(t *testing.T) {
	h, dir := newHouse(), t.TempDir()
	list := filepath.Join(dir, "krl")
	write := func() {
		t.Helper()
		krl, err := h.RevocationList(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(list, krl, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string]string{}
	for _, name := range []string{"kept", "deleted", "suspended", "another"} {
		line := ed25519Line(t)
		key := h.add(t, alice, name, line)
		files[name] = filepath.Join(dir, name+".pub")
		if err := os.WriteFile(files[name], []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		switch name {
		case "deleted", "another":
			if err := h.Delete(t.Context(), caller(alice), key.ID); err != nil {
				t.Fatal(err)
			}
		case "suspended":
			h.store.Suspend(key.ID, model.At(clock()))
		}
	}
	write()
	for name, file := range files {
		out, fine := sshKeygen(t, "-Q", "-f", list, file)
		if wanted := name == "kept"; fine != wanted {
			t.Errorf("ssh-keygen -Q of the key that is %s: content %v, want %v\n%s", name, fine, wanted, out)
		}
	}

	h = newHouse() // where nothing is revoked, the list is valid and empty
	write()
	for name, file := range files {
		if out, fine := sshKeygen(t, "-Q", "-f", list, file); !fine {
			t.Errorf("an empty list revokes the key that is %s:\n%s", name, out)
		}
	}
}
