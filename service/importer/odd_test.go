package importer_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/model/alistdb/alistdbtest"
	"latchkey/service/setting"
)

var update = flag.Bool("update", false, "write the golden files")

// odd is an AList database with every odd row that is known.
func odd(t *testing.T) *alistdbtest.DB {
	t.Helper()
	user, key := alistdbtest.User, alistdbtest.Key
	db := fresh(
		t,
		user(3, "blob", "pw-blob", []byte("[3]")),
		user(4, "text", "pw-text", "[4,3,4]"),
		user(5, "bare zero", "pw", 0),
		user(6, "bare admin", "pw", 2),
		user(7, "bare five", "pw", "5"),
		user(8, "no role", "pw", nil),
		user(9, "empty list", "pw", "[]"),
		user(10, "nonsense role", "pw", "admin"),
		user(11, "unknown role", "pw", "[99]"),
		user(12, "half unknown", "pw", "[99,3]"),
		user(13, "no password", "pw", "[3]").With("pwd_hash", ""),
		user(14, "plain password", "pw", "[3]").With("pwd_hash", "").With("password", "in plain text"),
		user(15, "no hash", "pw", "[3]").With("pwd_hash", "secret-looking nonsense"),
		user(16, "long password", "pw", "[3]").With("pwd_hash", "").With("password", strings.Repeat("x", 1025)),
		user(17, "Twin", "pw-Twin", "[3]"),
		user(18, "twin", "pw-twin", "[3]"),
		user(19, "TWIN", "pw-TWIN", "[3]"),
		user(20, " blank ", "pw", "[3]"),
		user(21, "sl/ash", "pw", "[3]"),
		user(22, "negative", "pw", "[3]").With("permission", -1),
		user(23, "words for numbers", "pw", "[3]").With("permission", "all").With("disabled", "sometimes"),
		user(24, "bad factor", "pw", "[3]").With("otp_secret", "not base32!"),
		user(25, "good factor", "pw", "[3]").With("otp_secret", "gezdgnbvgy3tqojqgezdgnbvgy3tqojq"),
		user(26, "bad passkeys", "pw", "[3]").With("authn", "{"),
		user(27, "passkeys", "pw", "[3]").With("authn", `[{"ID":"AQI="}]`),
		user(28, "empty authn", "pw", "[3]").With("authn", ""),
		user(-5, "negative id", "pw", "[3]"),
		user(29, "line\nbreak", "pw", "[3]"),
	)
	db.Insert(
		t, "roles",
		alistdbtest.Row{"id": 3, "name": "Family", "description": "at home", "default": true, "raw_permission": `[{"path":"/home/","permission":8}]`},
		alistdbtest.Row{"id": 4, "name": "general", "description": "everybody", "default": false, "raw_permission": `[{"path":"/","permission":1}]`},
		alistdbtest.Row{"id": 5, "name": "broken", "description": "", "default": false, "raw_permission": `[{"path":`},
		alistdbtest.Row{"id": 6, "name": "", "description": "", "default": false, "raw_permission": ""},
	)
	db.Insert(
		t, "ssh_public_keys",
		key(1, 3, "laptop", 1), key(2, 3, "again", 1), key(3, 4, "laptop", 1), key(4, 3, "laptop", 2), key(5, 999, "orphan", 3),
		key(6, 3, "dsa", 4).With("key_str", "ssh-dss AAAAB3NzaC1kc3M="),
		key(7, 3, "options", 5).With("key_str", `command="ls" `+alistdbtest.KeyText(5)),
		key(8, 3, "comment first", 6).With("key_str", "# my key\n\n"+alistdbtest.KeyText(6)+"\n"+alistdbtest.KeyText(7)),
		key(9, 3, " ", 8), key(10, 3, "nonsense", 9).With("key_str", "hello"),
		key(11, 3, "private", 9).With("key_str", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n"),
		key(12, 3, "when", 10).With("added_time", "yesterday").With("last_used_time", "0001-01-01 00:00:00+00:00"),
	)
	db.Insert(
		t, "setting_items",
		alistdbtest.Setting("max_devices", "5"), alistdbtest.Setting("device_evict_policy", "evict_oldest"),
		alistdbtest.Setting("device_session_ttl", "soon"), alistdbtest.Setting("default_role", "3"),
		alistdbtest.Setting("site_title", "Our files"), alistdbtest.Setting("token", "alist-theirs-0123456789"),
		alistdbtest.Setting("version", "v3.63.0"), alistdbtest.Setting("aria2_uri", "http://x"), alistdbtest.Setting("allow_register", "false"),
	)
	session := alistdbtest.Row{"user_id": 3, "device_key": "0123456789abcdef0123456789abcdef", "user_agent": "Mozilla/5.0", "ip": "1.*.*.4", "last_active": 1_760_000_000, "status": 0}
	db.Insert(
		t, "sessions", session, session.With("device_key", "odd key").With("user_agent", "curl"),
		session.With("device_key", "ff23456789abcdef0123456789abcdef").With("user_id", 999),
		session.With("device_key", "ee23456789abcdef0123456789abcdef").With("last_active", int64(99_999_999_999)),
	)
	return db
}

func TestOddRowsAreReportedOneByOne(t *testing.T) {
	h, source := newHouse(t), odd(t)
	before := h.dump(t)
	o := everything()
	o.DryRun = true
	dry := text(t, h.run(t, source, o))
	if diff := cmp.Diff(before, h.dump(t)); diff != "" {
		t.Errorf("the dry run wrote (-before +after):\n%s", diff)
	}
	if h.notices != 0 {
		t.Error("the dry run was published")
	}
	got := text(t, h.run(t, source, everything()))
	golden(t, "testdata/odd_rows.golden", got)
	if rest, ok := strings.CutPrefix(dry, "This was a dry run: nothing was written.\n\n"); !ok || rest != got {
		t.Errorf("the dry run reports something else (-import +dry run):\n%s", cmp.Diff(got, rest))
	}
	if h.notices != 1 {
		t.Errorf("published %d times, want once", h.notices)
	}
	for _, secret := range []string{"in plain text\"", "secret-looking", "not base32!", "alist-theirs"} {
		if strings.Contains(got, secret) {
			t.Errorf("the report holds %q", secret)
		}
	}
	after := h.dump(t)
	golden(t, "testdata/odd_rows_again.golden", text(t, h.run(t, source, everything())))
	if diff := cmp.Diff(after, h.dump(t)); diff != "" {
		t.Errorf("the second import changed something (-before +after):\n%s", diff)
	}
	if h.notices != 1 {
		t.Error("the second import, which wrote nothing, was published")
	}
}

// golden compares with a file, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestWhatOddUsersBecome(t *testing.T) {
	h := newHouse(t)
	h.run(t, odd(t), everything())
	family := int64(7) // 3 is General User here, and 4 to 6 are AList's
	for name, tt := range map[string]struct {
		roles    model.IntList
		password string // empty: none opens the account
		factor   bool
	}{
		"guest":             {roles: model.IntList{1}},
		"admin":             {roles: model.IntList{2}, password: "AList's admin"},
		"blob":              {roles: model.IntList{family}, password: "pw-blob"},
		"text":              {roles: model.IntList{3, family}, password: "pw-text"},
		"bare zero":         {roles: model.IntList{3}, password: "pw"},
		"bare admin":        {roles: model.IntList{2}, password: "pw"},
		"bare five":         {roles: model.IntList{5}, password: "pw"},
		"no role":           {roles: model.IntList{3}, password: "pw"},
		"empty list":        {roles: model.IntList{}, password: "pw"},
		"nonsense role":     {roles: model.IntList{3}, password: "pw"},
		"unknown role":      {roles: model.IntList{3}, password: "pw"},
		"half unknown":      {roles: model.IntList{family}, password: "pw"},
		"no password":       {roles: model.IntList{family}},
		"plain password":    {roles: model.IntList{family}, password: "in plain text"},
		"no hash":           {roles: model.IntList{family}},
		"long password":     {roles: model.IntList{family}},
		"Twin":              {roles: model.IntList{family}, password: "pw-Twin"},
		"twin":              {roles: model.IntList{family}, password: "pw-twin"},
		"TWIN":              {roles: model.IntList{family}, password: "pw-TWIN"},
		" blank ":           {roles: model.IntList{family}, password: "pw"},
		"sl/ash":            {roles: model.IntList{family}, password: "pw"},
		"bad factor":        {roles: model.IntList{family}, password: "pw", factor: true},
		"good factor":       {roles: model.IntList{family}, password: "pw", factor: true},
		"words for numbers": {roles: model.IntList{family}, password: "pw"},
		"negative id":       {roles: model.IntList{family}, password: "pw"},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.account(t, name)
			if !cmp.Equal(a.Roles, tt.roles) {
				t.Errorf("roles %v, want %v", a.Roles, tt.roles)
			}
			if tt.password == "" && a.PasswordHash != "" {
				t.Error("it has a password")
			}
			if tt.password != "" && !h.opens(t, name, tt.password) {
				t.Error("its password does not open it")
			}
			if h.opens(t, name, "guest") || h.opens(t, name, "") {
				t.Error("a wrong password opens it")
			}
			if a.TwoFactor != tt.factor {
				t.Errorf("second factor %v, want %v", a.TwoFactor, tt.factor)
			}
		})
	}
	if a := h.account(t, "passkeys"); a.Passkeys != `[{"ID":"AQI="}]` {
		t.Errorf("passkeys = %q", a.Passkeys)
	}
	if !h.account(t, "words for numbers").Disabled {
		t.Error("who may be disabled is not")
	}
	if a := h.account(t, "bare admin"); a.Permission != 65535 || a.BasePath != "/" {
		t.Errorf("an admin has permission %d below %s", a.Permission, a.BasePath)
	}
	if err := h.settings.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		setting.KeyMaxDevices: "5", setting.KeyEvictPolicy: "evict_oldest", setting.KeyDeviceTTL: "86400",
		setting.KeyDefaultRole: "7", setting.KeySiteTitle: "Our files", setting.KeyToken: "alist-theirs-0123456789",
	}
	for key, value := range want {
		if got := h.settings.Get(key); got != value {
			t.Errorf("setting %s = %q, want %q", key, got, value)
		}
	}
}
