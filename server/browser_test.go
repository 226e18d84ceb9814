package server_test

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/crypto/ssh"
)

const (
	adminPassword = "tractor-orange-42"
	otherPassword = "melon-harbour-17"
)

// stand is what the stories need: the program, a browser and axios.
type stand struct {
	program, axios string
	browser        context.Context //nolint:containedctx // a chromedp context is the handle of its browser
}

// TestAPageThatAsksLikeAListsWebFrontend has people use a page in a browser
// that makes the requests of AList's web frontend, before the real program. It
// skips where Chromium or npm is missing. Where LATCHKEY_TEST_SCREENSHOTS names
// a folder, it leaves a picture of each view.
func TestAPageThatAsksLikeAListsWebFrontend(t *testing.T) {
	t.Parallel()
	s := stand{browser: chromium(t), axios: axios(t), program: build(t)}
	for name, story := range map[string]func(*testing.T, stand){
		"signing in outlasts a reload and a restart":              signingInLasts,
		"a wrong password is said and the page stays":             wrongPassword,
		"two-factor is enrolled and then asked for":               twoFactor,
		"one device evicts another":                               evictsAnother,
		"an admin makes, disables and deletes a user":             adminAndUser,
		"an admin ends sessions":                                  adminEndsSessions,
		"the guest gets in when it is enabled":                    guestBoots,
		"a profile keeps SSH keys and a new password ends logins": profileKeeps,
		"settings are saved as they were listed":                  settingsSaved,
		"a page of another origin works":                          otherOrigin,
		"an origin that is not on the list gets nothing":          unlistedOrigin,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(t, s)
		})
	}
}

// start runs the program on a new folder.
func (s stand) start(t *testing.T, environ ...string) *program {
	t.Helper()
	return run(t, s.program, t.TempDir(), append(environ, "LATCHKEY_ADMIN_PASSWORD="+adminPassword)...)
}

// site is a program and the page before it, on one origin.
func (s stand) site(t *testing.T) *site {
	t.Helper()
	return s.serve(t, s.start(t), false)
}

// admin opens the page and signs the admin in.
func (s stand) admin(t *testing.T, at *site) *tab {
	t.Helper()
	p := at.open(t, "/")
	p.signIn("admin", adminPassword, "home")
	return p
}

func signingInLasts(t *testing.T, s stand) {
	folder := t.TempDir()
	before := run(t, s.program, folder, "LATCHKEY_ADMIN_PASSWORD="+adminPassword)
	at := s.serve(t, before, false)
	p := at.open(t, "/@manage")
	p.signIn("admin", adminPassword, "profile") // where it wanted to go
	if got := p.text("#profile-name"); got != "admin" {
		t.Errorf("signed in as %q", got)
	}
	if key := p.stored("device_key"); !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(key) {
		t.Errorf("device_key %q", key)
	}
	p.menu("home")
	p.appears("#start") // there is no storage

	p.reload()
	p.at("home")
	if err := before.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	at.program.Store(run(t, s.program, folder))
	p.reload()
	p.at("home")
	p.menu("my-sessions")
	p.appears(row(p.stored("device_key")))
	p.silent()

	p.click(".logout")
	p.told("Logout successfully")
	p.at("login")
	p.visit("/@manage")
	p.at("login")
	if token := p.stored("token"); token != "" {
		t.Errorf("the page kept the token %q", token)
	}
	asksLikeAList(t, at)
}

func wrongPassword(t *testing.T, s stand) {
	at := s.site(t)
	p := at.open(t, "/")
	p.submitLogin("admin", otherPassword)
	p.told("username or password is incorrect")
	p.at("login")
	p.submitLogin("nobody", otherPassword)
	p.told("username or password is incorrect")
	p.silent()
	p.signIn("admin", adminPassword, "home")
}

func twoFactor(t *testing.T, s stand) {
	at := s.site(t)
	p := s.admin(t, at)
	p.menu("profile")
	p.click("#enable-2fa")
	p.at("twofactor")
	if width := p.ask(chromedp.Evaluate[string](`document.getElementById("qr").decode().then(() => String(document.getElementById("qr").naturalWidth))`, chromedp.EvalAwaitPromise)); width == "0" {
		t.Error("the QR code is no picture")
	}
	secret := p.text("#secret")
	p.fill("#form-2fa [name=code]", wrong(code(t, secret, 0)))
	p.click("#verify")
	p.told("Invalid 2FA code")
	p.at("twofactor")
	p.fill("#form-2fa [name=code]", code(t, secret, 0))
	p.click("#verify")
	p.told("success")
	p.at("profile")
	if got := p.text("#profile-otp"); got != "on" {
		t.Errorf("2FA is %q on the profile", got)
	}

	p.click(".logout")
	p.told("Logout successfully")
	p.submitLogin("admin", adminPassword)
	p.appears("#form-login [name=otp]")
	p.silent() // being asked is no mistake
	next := code(t, secret, 1)
	p.fill("#form-login [name=otp]", wrong(next))
	p.click("#login")
	p.told("Invalid 2FA code")
	p.at("login")
	p.fill("#form-login [name=otp]", next) // the one before is spent
	p.click("#login")
	p.told("Login successfully")
	p.at("home")

	p.menu("users")
	p.click(row("admin") + " .cancel-2fa")
	p.told("success")
	again := s.admin(t, at) // on another device, without a code
	again.menu("profile")
	again.appears("#enable-2fa")
}

func evictsAnother(t *testing.T, s stand) {
	at := s.site(t)
	a, b := s.admin(t, at), s.admin(t, at)
	b.menu("my-sessions")
	a.menu("my-sessions")
	own, other := a.stored("device_key"), b.stored("device_key")
	a.appears(row(own))
	if got := a.text(row(other)); !strings.Contains(got, "Linux") || !strings.Contains(got, "127.") || !strings.Contains(got, "Active") {
		t.Errorf("the other device is shown as %q", got)
	}
	a.click(row(other) + " .evict")
	a.told("success")
	a.goes(row(other))

	b.click("#go-users")
	b.told("session inactive")
	b.at("login")
	a.menu("users") // its own login goes on
	b.signIn("admin", adminPassword, "users")

	// One's own device is only forgotten by the page; its login lives on.
	a.menu("my-sessions")
	a.click(row(own) + " .evict")
	a.at("login")
	b.menu("my-sessions")
	b.appears(row(own))
	b.click(row(own) + " .evict")
	b.told("success")
	b.goes(row(own))
}

func adminAndUser(t *testing.T, s stand) {
	at := s.site(t)
	admin := s.admin(t, at)
	admin.menu("users")
	create := func() {
		admin.fill("#form-user [name=username]", "ada")
		admin.fill("#form-user [name=password]", otherPassword)
		admin.click("#add-user")
	}
	create()
	admin.appears(row("ada"))
	if got := admin.text(row("ada")); !strings.Contains(got, "general") || !strings.Contains(got, "enabled") {
		t.Errorf("the new user is shown as %q", got)
	}
	create()
	admin.told("username already exists")

	user := at.open(t, "/")
	user.signIn("ada", otherPassword, "home")
	user.visit("/@manage/session/management")
	user.told("You are not an admin")
	user.menu("profile")

	admin.click(row("ada") + " .toggle")
	admin.told("success")
	user.click("#go-my-sessions")
	user.told("Current user is disabled, replace please")
	user.at("login")
	user.submitLogin("ada", otherPassword)
	user.appears("#toasts li")
	user.click("#toasts li")
	user.at("login")

	admin.click(row("ada") + " .toggle")
	admin.told("success")
	user.signIn("ada", otherPassword, "my-sessions")
	admin.click(row("ada") + " .delete")
	admin.told("success")
	admin.goes(row("ada"))
	user.click("#go-profile")
	user.told("token is invalidated")
	user.at("login")
	user.submitLogin("ada", otherPassword)
	user.told("username or password is incorrect")

	admin.click(row("admin") + " .delete")
	admin.told("cannot delete admin or guest")
	admin.appears(row("admin"))
}

func adminEndsSessions(t *testing.T, s stand) {
	at := s.site(t)
	admin, other := s.admin(t, at), s.admin(t, at)
	admin.menu("sessions")
	device := other.stored("device_key")
	if got := admin.text(row(device)); !strings.Contains(got, "admin") {
		t.Errorf("the other session is shown as %q", got)
	}
	admin.click(row(device) + " .evict")
	admin.told("success")
	admin.goes(row(device))
	admin.click("#clean")
	admin.told("cleaned")
	admin.appears(row(admin.stored("device_key")))
	other.reload()
	other.at("login")
	admin.reload()
	admin.at("sessions")
}

func guestBoots(t *testing.T, s stand) {
	at := s.site(t)
	guest := at.open(t, "/")
	guest.at("login")
	guest.click("#as-guest")
	guest.at("login")
	guest.silent()

	admin := s.admin(t, at)
	admin.menu("users")
	admin.click(row("guest") + " .toggle")
	admin.told("success")
	guest.click("#as-guest")
	guest.at("home")
	if got := guest.text("#menu"); !strings.Contains(got, "guest") || strings.Contains(got, "Users") {
		t.Errorf("the guest's menu is %q", got)
	}
	guest.click("#go-profile") // the list of keys is not for guests, who are sent home
	guest.told("user invalid")
	guest.at("home")

	admin.click(row("guest") + " .toggle")
	admin.told("success")
	guest.reload()
	guest.at("login")
}

func profileKeeps(t *testing.T, s stand) {
	p := s.admin(t, s.site(t))
	p.menu("profile")
	add := func(key string) {
		p.fill("#form-key [name=title]", "laptop")
		p.fill("#form-key [name=key]", key)
		p.click("#add-key")
	}
	add("ssh-ed25519 nonsense")
	p.told("provided key invalid")
	key, err := ssh.NewPublicKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public())
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	add(text)
	p.appears("#rows tr")
	if got := p.text("#rows tr"); !strings.Contains(got, "laptop") || !strings.Contains(got, ssh.FingerprintSHA256(key)) || strings.Contains(got, "Invalid Date") {
		t.Errorf("the key is shown as %q", got)
	}
	add(text)
	p.told("key with the same title already exists")
	p.click("#rows .delete")
	p.goes("#rows tr")

	p.fill("#form-profile [name=password]", otherPassword)
	p.click("#save-profile")
	p.told("Saved, login again")
	p.submitLogin("admin", adminPassword)
	p.told("username or password is incorrect")
	p.signIn("admin", otherPassword, "profile")
}

func settingsSaved(t *testing.T, s stand) {
	p := s.admin(t, s.site(t))
	p.menu("settings")
	p.fill("#form-settings [name=site_title]", "Harbour")
	p.click("#save-settings")
	p.told("success")
	p.reload()
	p.at("settings")
	p.click(".logout")
	p.told("Logout successfully")
	p.at("login")
	if got := p.text("#login-title"); got != "Login to the Harbour" {
		t.Errorf("the login page says %q", got)
	}
}

func otherOrigin(t *testing.T, s stand) {
	at := s.serve(t, s.start(t), true)
	p := s.admin(t, at)
	p.reload()
	p.at("home")
	p.menu("profile")
	p.click("#enable-2fa") // a POST without a body, yet with headers to be asked for
	p.at("twofactor")
	p.menu("my-sessions")
	p.appears(row(p.stored("device_key")))
	p.click(".logout")
	p.told("Logout successfully")
	p.submitLogin("admin", otherPassword)
	p.told("username or password is incorrect")
	if sent := at.requests(); len(sent) > 0 {
		t.Errorf("%s %s went to the page's own origin", sent[0].Method, sent[0].URL)
	}
}

func unlistedOrigin(t *testing.T, s stand) {
	const listed = "http://listed.example"
	program := s.start(t, "LATCHKEY_CORS_ORIGINS="+listed)
	at := s.serve(t, program, true)
	p := at.open(t, "/")
	p.do(chromedp.WaitReady(chromedp.CSS(`body[data-view="failure"]`)))
	if got := p.text("#failure"); got != "Failed fetching settings: Network Error" {
		t.Errorf("the page says %q", got)
	}
	p.visit("/alist.js") // the page's failure was wanted
	if a, err := program.call(t.Context(), call{method: http.MethodGet, path: "/api/public/settings"}); err != nil || a.Code != http.StatusOK {
		t.Errorf("programs without an origin: %d, %v", a.Code, err)
	}
}
