package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/server/servertest"
)

// startDevice begins a device authorization and returns both its codes.
func (a *asksForAccess) startDevice() (deviceCode, userCode string) {
	a.t.Helper()
	return a.startDeviceFor("openid me.read")
}

func (a *asksForAccess) startDeviceFor(scope string) (deviceCode, userCode string) {
	a.t.Helper()
	r := a.ask("/api/v4/session/oauth/device_authorization", url.Values{"client_id": {a.native.ID}, "scope": {scope}})
	var made struct {
		Device string `json:"device_code"`
		User   string `json:"user_code"`
	}
	if err := json.Unmarshal([]byte(r.Text), &made); err != nil || made.User == "" {
		a.t.Fatalf("%d %s", r.Status, r.Text)
	}
	return made.Device, made.User
}

// ask is a program's request.
func (a *asksForAccess) ask(path string, values url.Values) servertest.Reply {
	a.t.Helper()
	return a.Do(a.t, servertest.Request{
		Path: "http://localhost" + path, Body: values.Encode(), Header: map[string]string{"Content-Type": formMedia}, From: a.from,
	})
}

func (a *asksForAccess) poll(deviceCode string) servertest.Reply {
	a.t.Helper()
	a.clock.Advance(6 * time.Second)
	return a.ask("/api/v4/session/oauth/token", url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {deviceCode}, "client_id": {a.native.ID},
	})
}

func TestDeviceIsLetIn(t *testing.T) {
	a := newApps(t)
	device, code := a.startDevice()
	to := answered(t, a.get(deviceAt+"?user_code="+code))
	if to.Path != signInAt || to.Query().Get("next") != deviceAt+"?user_code="+code {
		t.Fatalf("nobody goes to %s", to)
	}
	a.signIn("alice")
	r := a.get(deviceAt + "?user_code=" + code)
	if fieldOf(r.Text, "user_code") != code || strings.Contains(r.Text, "Tide Notes") || !strings.Contains(r.Text, "never one that somebody sent you") {
		t.Fatalf("the page is %s", r.Text)
	}
	typed := strings.ToLower(strings.ReplaceAll(code, "-", " "))
	r = a.post(deviceAt, "user_code", typed)
	for _, want := range []string{"Let Tide Notes into your account?", code, "shows this very code", "<strong>alice</strong>", "See your account"} {
		if !strings.Contains(r.Text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if !strings.Contains(a.poll(device).Text, "authorization_pending") {
		t.Error("the device does not wait")
	}
	ticket := fieldOf(r.Text, "ticket")
	for what, pairs := range map[string][]string{
		"no ticket": {"user_code", code, "answer", "allow"}, "another word": {"user_code", code, "answer", "x", "ticket", ticket},
	} {
		if r := a.post(deviceAt, pairs...); r.Status != http.StatusBadRequest || !strings.Contains(alertOf(r.Text), "decide again") {
			t.Errorf("%s: %d %s", what, r.Status, r.Text)
		}
	}
	_, second := a.startDevice()
	if r := a.post(deviceAt, "user_code", second, "answer", "allow", "ticket", ticket); r.Status != http.StatusBadRequest || !strings.Contains(r.Text, second) {
		t.Errorf("another code's ticket: %d %s", r.Status, r.Text)
	}
	if r := a.post(deviceAt, "user_code", code, "answer", "allow", "ticket", ticket); headingOf(r.Text) != "The device is connected" {
		t.Errorf("allowed: %d %s", r.Status, r.Text)
	}
	if r := a.poll(device); r.Status != http.StatusOK || !strings.Contains(r.Text, "access_token") {
		t.Errorf("the device gets %s", r.Text)
	}
	if r := a.post(deviceAt, "user_code", code, "answer", "deny", "ticket", ticket); r.Status != http.StatusNotFound || alertOf(r.Text) == "" {
		t.Errorf("a second answer: %d %s", r.Status, r.Text)
	}
}

func TestDeviceIsDenied(t *testing.T) {
	a := newApps(t)
	device, code := a.startDevice()
	a.signIn("alice")
	ticket := fieldOf(a.post(deviceAt, "user_code", code).Text, "ticket")
	if r := a.post(deviceAt, "user_code", code, "answer", "deny", "ticket", ticket); headingOf(r.Text) != "The device is not let in" {
		t.Errorf("denied: %d %s", r.Status, r.Text)
	}
	if r := a.poll(device); !strings.Contains(r.Text, "access_denied") {
		t.Errorf("the device gets %s", r.Text)
	}
}

// RFC 8628 §5.1: codes are short, so that guesses are counted.
func TestDeviceCodesCannotBeGuessed(t *testing.T) {
	a := newApps(t)
	_, code := a.startDevice()
	a.signIn("alice")
	var r servertest.Reply
	for range 100 {
		if r = a.post(deviceAt, "user_code", "BBBB-BBBB"); r.Status == http.StatusTooManyRequests {
			break
		}
		if r.Status != http.StatusNotFound || fieldOf(r.Text, "user_code") != "BBBB-BBBB" {
			t.Fatalf("a guess: %d %s", r.Status, r.Text)
		}
	}
	if r.Status != http.StatusTooManyRequests || !strings.Contains(alertOf(r.Text), "Too many") {
		t.Errorf("after 100 guesses: %d %s", r.Status, r.Text)
	}
	if r := a.post(deviceAt, "user_code", code); r.Status != http.StatusTooManyRequests {
		t.Errorf("the right one then: %d", r.Status)
	}
}
