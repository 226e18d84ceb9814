package password_test

import (
	"strings"
	"testing"

	"latchkey/service/password"
)

const admin = "6fcb57cd10b2c11d765dcf16148d99130afd895082af83725ee8bb181b1d2b0f"

func TestStatic(t *testing.T) {
	for name, tt := range map[string]struct{ plain, want string }{
		"the contract's vector for admin":           {"admin", admin},
		"the contract's vector for no password":     {"", "263d6a3a1bc3780769ef456641d81a41ea52b66dd25fe02b5959967fd852127d"},
		"blanks and case count, nothing is cut off": {" Admin ", "e9f615c598d58930718c43feb3410f4229ed2e57399da7aa9c6dea58341fcf9d"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := password.Static(tt.plain); got != tt.want {
				t.Errorf("Static(%q) = %s, want %s", tt.plain, got, tt.want)
			}
		})
	}
}

func TestStaticForm(t *testing.T) {
	for name, tt := range map[string]struct {
		in   string
		is   bool
		want string
	}{
		"lower case is the form":                {admin, true, admin},
		"upper case is lowered":                 {strings.ToUpper(admin), true, admin},
		"a digit short is something else":       {admin[1:], false, admin[1:]},
		"a digit long is something else":        {admin + "0", false, admin + "0"},
		"a letter beyond f is something else":   {"G" + admin[1:], false, "G" + admin[1:]},
		"a password keeps its case":             {"Admin", false, "Admin"},
		"nothing is something else":             {"", false, ""},
		"a blank in the middle is no hex digit": {admin[:63] + " ", false, admin[:63] + " "},
	} {
		t.Run(name, func(t *testing.T) {
			if got := password.IsStatic(tt.in); got != tt.is {
				t.Errorf("IsStatic = %v, want %v", got, tt.is)
			}
			if got := password.NormalizeStatic(tt.in); got != tt.want {
				t.Errorf("NormalizeStatic = %q, want %q", got, tt.want)
			}
		})
	}
}
