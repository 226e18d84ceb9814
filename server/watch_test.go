package server_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
)

const (
	hookSecret = "a secret of the webhook's"
	confirmAt  = "/account/confirm-email"
	notMeAt    = "/account/not-me"
	passwordAt = "/account/set-password"
)

// watched is a server that mails and posts, with ann, whose address is
// confirmed and who has signed in on her laptop.
type watched struct {
	*fortress

	mail *servertest.MailServer
	hook *hook
	ann  servertest.SignedIn
}

func watch(t testing.TB, changes ...func(*config.Config, *server.Options)) *watched {
	t.Helper()
	w := &watched{mail: servertest.NewMailServer(t, nil), hook: newHook(t)}
	w.fortress = besiege(t, append(changes, w.mail.Use, w.hook.use)...)
	w.AddUser(t, "ann")
	if _, err := w.App.SetEmail(t.Context(), "ann", "ann@example.org", true); err != nil {
		t.Fatal(err)
	}
	w.deliver(t)
	w.hook.take()
	w.ann = w.SignIn(t, "ann", servertest.AdminPassword, "laptop")
	return w
}

// deliver sends what is due.
func (w *watched) deliver(t testing.TB) {
	t.Helper()
	if err := w.App.Outbox.Deliver(t.Context()); err != nil {
		t.Fatalf("deliver: %v", err)
	}
}

// mailed is what is mailed by what do does.
func (w *watched) mailed(t testing.TB, do func()) []servertest.Letter {
	t.Helper()
	before := len(w.mail.Letters())
	do()
	return w.Mailed(t, w.mail, before)
}

// only is the one message of several that there must be.
func only(t testing.TB, letters []servertest.Letter) servertest.Letter {
	t.Helper()
	if len(letters) != 1 {
		t.Fatalf("%d messages, want 1: %+v", len(letters), letters)
	}
	return letters[0]
}

// form posts a page's form.
func (w *watched) form(t testing.TB, path string, values ...string) servertest.Reply {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(values); i += 2 {
		form.Set(values[i], values[i+1])
	}
	return w.Do(t, servertest.Request{
		Path: path, Body: form.Encode(), Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
	})
}

// page opens a link.
func (w *watched) page(t testing.TB, path, token string) servertest.Reply {
	t.Helper()
	return w.Do(t, servertest.Request{Path: path + "?token=" + token})
}

// notMe is the token of the link that is mailed for a sign-in on a new device.
func (w *watched) notMe(t testing.TB, device string) (servertest.SignedIn, string) {
	t.Helper()
	var in servertest.SignedIn
	letters := w.mailed(t, func() { in = w.SignIn(t, "ann", servertest.AdminPassword, device) })
	return in, only(t, letters).Token(t, notMeAt)
}

func wantPage(t testing.TB, what string, r servertest.Reply, status int, parts ...string) {
	t.Helper()
	if r.Status != status || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%s: HTTP %d %s, want a page with %d:\n%.300s", what, r.Status, r.Header.Get("Content-Type"), status, r.Text)
	}
	for _, part := range parts {
		if !strings.Contains(r.Text, part) {
			t.Errorf("%s: no %q in:\n%s", what, part, r.Text)
		}
	}
}

// hook is what a webhook is posted to.
type hook struct {
	url    string
	mu     sync.Mutex
	status int
	posts  []posting
}

type posting struct {
	signature string
	body      []byte
	event     hookEvent
}

type hookEvent struct {
	ID      string
	Event   string
	At      time.Time
	Account struct {
		ID       int64
		Username string
	}
	Device        *struct{ ID string }
	AddressMasked string `json:"address_masked"`
	Links         map[string]string
}

func newHook(t testing.TB) *hook {
	t.Helper()
	h := &hook{status: http.StatusNoContent}
	receiver := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p := posting{signature: r.Header.Get("Latchkey-Signature"), body: body}
		_ = json.Unmarshal(body, &p.event)
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.status < http.StatusMultipleChoices {
			h.posts = append(h.posts, p)
		}
		rw.WriteHeader(h.status)
	}))
	t.Cleanup(receiver.Close)
	h.url = receiver.URL + "/hook?key=of-the-hook"
	return h
}

func (h *hook) use(c *config.Config, _ *server.Options) {
	c.WebhookURL, c.WebhookSecret = h.url, config.NewSecret(hookSecret)
}

func (h *hook) answer(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = status
}

// take is what was posted since the last call.
func (h *hook) take() []posting {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.posts
	h.posts = nil
	return all
}

func TestNoticesOfNewDevicesGoOutExactlyThen(t *testing.T) {
	w := watch(t)
	in := func(device, from string) func() {
		return func() {
			r := servertest.Request{
				Path: "/api/auth/login", ClientID: device, From: from,
				Body: map[string]string{"username": "ann", "password": servertest.AdminPassword},
			}
			if reply := w.Do(t, r); reply.Code != http.StatusOK {
				t.Fatalf("sign in: %s", reply.Text)
			}
		}
	}
	for i, tt := range []struct {
		what string
		do   func()
		want int
	}{
		{"the first device", func() {}, 0},
		{"the same device", in("laptop", "192.0.2.1"), 0},
		{"the same device elsewhere", in("laptop", "203.0.113.5"), 0},
		{"another device", in("phone", "192.0.2.1"), 1},
		{"that one again", in("phone", "192.0.2.1"), 0},
		{"no Client-Id, from an address that never came without", in("", "192.0.2.1"), 1},
		{"from there again", in("", "192.0.2.1"), 0},
		{"from elsewhere", in("", "203.0.113.5"), 1},
		{"an IPv6 address", in("", "2001:db8:1:2::1"), 1},
		{"its neighbour in the /64", in("", "2001:db8:1:2:ffff::9"), 0},
		{"a device whose row was cleaned away", func() {
			w.Do(t, servertest.Request{Path: "/api/auth/logout", Token: w.ann.Token})
			w.clock.Advance(time.Minute)
			w.Do(t, servertest.Request{Path: "/api/admin/session/clean", Token: w.App.AdminToken(), Body: map[string]int{"user_id": 3}})
			in("laptop", "192.0.2.1")()
		}, 0},
		{"a wrong password on another device", func() {
			w.Do(t, servertest.Request{Path: "/api/auth/login", ClientID: "thief", Body: map[string]string{"username": "ann", "password": "wrong"}})
		}, 0},
		{"one more device", in("watch", "192.0.2.1"), 1},
	} {
		if got := w.mailed(t, tt.do); len(got) != tt.want {
			t.Errorf("%d %s: %d messages, want %d", i, tt.what, len(got), tt.want)
		}
		if got := w.hook.take(); len(got) != tt.want {
			t.Errorf("%d %s: %d posts, want %d", i, tt.what, len(got), tt.want)
		}
	}
	if n := strings.Count(w.log.String(), "event=device_added"); n != 5 {
		t.Errorf("%d events of added devices, want 5", n)
	}
}

func TestParallelSignInsOnOneNewDeviceAreOneNotice(t *testing.T) {
	w := watch(t)
	letters := w.mailed(t, func() {
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() { w.SignIn(t, "ann", servertest.AdminPassword, "phone") })
		}
		group.Wait()
	})
	only(t, letters)
}

func TestNewDeviceMailSaysWhatHappened(t *testing.T) {
	w := watch(t)
	var in servertest.SignedIn
	letter := only(t, w.mailed(t, func() {
		w.Do(t, servertest.Request{
			Path: "/api/auth/login", ClientID: "phone", From: "198.51.100.7",
			Header: map[string]string{"User-Agent": "Phone/1.0 <b>\"bold\"</b> https://evil.example/x"},
			Body:   map[string]string{"username": "ann", "password": servertest.AdminPassword},
		}).Into(t, &in)
	}))
	token := letter.Token(t, notMeAt)
	want := `Hello ann,

your account on Latchkey (https://login.example.org) was just used from a device or place that is new to it.

  When:     20 November 2026, 12:00 UTC
  Device:   Phone/1.0 <b>"bold"</b> https:/ /evil.example/x
  Address:  198.*.*.7

If this was you, there is nothing to do.

If this was not you, open this link and press the button there:

https://login.example.org/account/not-me?token=` + token + `

It signs that device out at once and has you choose a new password, because
whoever it was knows the present one. The link works once, for 7 days.
`
	if letter.Text != want {
		t.Errorf("text:\n%s\nwant:\n%s", letter.Text, want)
	}
	if letter.From != "latchkey@example.org" || letter.To != "ann@example.org" || letter.Subject != "New sign-in to Latchkey" {
		t.Errorf("from %q to %q: %q", letter.From, letter.To, letter.Subject)
	}
	for header, want := range map[string]string{"Content-Type": "text/plain; charset=UTF-8", "Auto-Submitted": "auto-generated", "User-Agent": "", "X-Mailer": ""} {
		if got := letter.Header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}

	posted := w.hook.take()
	if len(posted) != 1 {
		t.Fatalf("%d posts, want 1", len(posted))
	}
	wantBody := fmt.Sprintf(`{"id":%q,"event":"device_added","at":"2026-11-20T12:00:00Z","account":{"id":3,"username":"ann"},`+
		`"device":{"id":%q,"user_agent":"Phone/1.0 \u003cb\u003e\"bold\"\u003c/b\u003e https://evil.example/x"},`+
		`"address_masked":"198.*.*.7","links":{"not_me":"https://login.example.org/account/not-me?token=%s"}}`,
		posted[0].event.ID, in.DeviceKey, token)
	if string(posted[0].body) != wantBody {
		t.Errorf("posted\n%s\nwant\n%s", posted[0].body, wantBody)
	}
	at := strconv.FormatInt(w.clock.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write([]byte(at + "." + wantBody))
	if want := "t=" + at + ",v1=" + hex.EncodeToString(mac.Sum(nil)); posted[0].signature != want {
		t.Errorf("signed %q, want %q", posted[0].signature, want)
	}

	wantPage(t, "the page", w.page(t, notMeAt, token), http.StatusOK,
		"<dd>Phone/1.0 &lt;b&gt;&#34;bold&#34;&lt;/b&gt; https://evil.example/x</dd>", "<dd>198.*.*.7</dd>", "<dd>ann</dd>")
}

func TestDevicesAreNewFor7Days(t *testing.T) {
	w := watch(t)
	phone := w.SignIn(t, "ann", servertest.AdminPassword, "phone")
	isNew := func() string {
		var rows []struct {
			SessionID string `json:"session_id"`
			New       bool
		}
		w.Do(t, servertest.Request{Path: "/api/admin/session/list", Token: w.App.AdminToken()}).Into(t, &rows)
		var all []string
		for _, r := range rows {
			name, age := "laptop", "old"
			if r.SessionID == phone.DeviceKey {
				name = "phone"
			}
			if r.New {
				age = "new"
			}
			all = append(all, name+" "+age)
		}
		slices.Sort(all)
		return strings.Join(all, ", ")
	}
	if got := isNew(); got != "laptop old, phone new" {
		t.Errorf("at first: %s", got)
	}
	for range 4 { // logins last 48 hours
		w.clock.Advance(42 * time.Hour)
		w.SignIn(t, "ann", servertest.AdminPassword, "laptop")
		w.SignIn(t, "ann", servertest.AdminPassword, "phone")
	}
	if got := isNew(); got != "laptop old, phone old" {
		t.Errorf("after 7 days: %s", got)
	}
}

// hashOf is what rows hold of a token.
func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
