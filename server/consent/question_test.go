package consent //nolint:testpackage // words are the rule itself

import "testing"

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{
		"Tide Notes": "TN", "tide": "T", "a b c": "AB", "  x  ": "X", "(new) thing": "NT", "时间 笔记": "时笔", "---": "?", "": "?", "3 wishes": "3W",
	} {
		if got := initials(name); got != want {
			t.Errorf("initials(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestMark(t *testing.T) {
	for name, want := range map[string]string{
		"openid": "", "offline_access": "", "me.read": "", "activity.read": "", "Files.Read": "", "files:list": "",
		"me.update": "changes things", "session.evict": "changes things", "Files.Write": "changes things", "files/delete": "changes things",
		"admin.user.read": "admin", "admin.user.delete": "changes things for everybody", "all": "everything",
	} {
		if got := mark(name); got != want {
			t.Errorf("mark(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestPlace(t *testing.T) {
	for uri, want := range map[string]string{
		"https://app.example.org:8443/cb":  "app.example.org:8443",
		"http://127.0.0.1:9000/cb":         "a program on this device (127.0.0.1:9000)",
		"http://[::1]:9000/cb":             "a program on this device ([::1]:9000)",
		"com.example.app:/back":            "an app on this device (com.example.app)",
		"https://app.example.org@evil.org": "evil.org",
		"http://%zz":                       "the app",
	} {
		if got := place(uri); got != want {
			t.Errorf("place(%q) = %q, want %q", uri, got, want)
		}
	}
}
