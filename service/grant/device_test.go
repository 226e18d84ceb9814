package grant_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/fault"
	"latchkey/service/grant"
	"latchkey/service/racetest"
	"latchkey/service/secret"
)

func (h *house) start() grant.DeviceAnswer {
	h.t.Helper()
	d, err := h.StartDevice(h.t.Context(), grant.DeviceStart{
		ClientID: app, Scopes: strings.Fields(full), Resource: "https://api.example", Address: "192.0.2.7",
	})
	if err != nil {
		h.t.Fatalf("StartDevice = %v", err)
	}
	return d
}

func (h *house) poll(d grant.DeviceAnswer) (grant.Tokens, error) {
	return h.PollDevice(h.t.Context(), grant.DevicePoll{DeviceCode: d.DeviceCode, ClientID: app})
}

func (h *house) decide(d grant.DeviceAnswer, yes bool) error {
	return h.DecideDevice(h.t.Context(), h.alice, grant.DeviceDecision{
		UserCode: d.UserCode, Approve: yes, AuthTime: start.Add(-time.Minute), AMR: []string{"pwd"},
	})
}

// RFC 8628.
func TestADeviceIsLetIn(t *testing.T) {
	h := newHouse(t)
	d := h.start()
	if !regexp.MustCompile(`^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$`).MatchString(d.UserCode) || d.For != 10*time.Minute || d.Interval != 5*time.Second {
		t.Errorf("StartDevice = %+v", d)
	}
	_, err := h.poll(d)
	h.wants(err, grant.ErrPending, "PollDevice")
	for _, spelled := range []string{d.UserCode, strings.ToLower(d.UserCode), " " + strings.ReplaceAll(d.UserCode, "-", "") + " ", strings.ReplaceAll(d.UserCode, "-", " ")} {
		ask, err := h.DeviceRequest(t.Context(), h.alice, spelled)
		if err != nil || ask.ClientID != app || ask.UserCode != d.UserCode || strings.Join(ask.Scopes, " ") != full || ask.Address != "192.*.*.7" {
			t.Errorf("DeviceRequest(%q) = %+v, %v", spelled, ask, err)
		}
	}
	h.wants(h.decide(d, true), nil, "DecideDevice")
	h.wants(h.decide(d, false), grant.ErrUserCode, "second DecideDevice")
	got, err := h.poll(d) // at once: there is nothing to wait for
	if err != nil || strings.Join(got.Scopes, " ") != full || got.AccountKey != "a11ce" || got.Resource == "" ||
		!got.AuthTime.Equal(start.Add(-time.Minute)) || !slices.Equal(got.AMR, []string{"pwd"}) || got.Refresh == "" {
		t.Errorf("PollDevice = %+v, %v", got, err)
	}
	_, err = h.poll(d)
	h.wants(err, grant.ErrGrant, "PollDevice once more")
	h.over(got.LoginID, "")
	_, err = h.DeviceRequest(t.Context(), h.alice, d.UserCode)
	h.wants(err, grant.ErrUserCode, "DeviceRequest of what is done")
}

func TestADeviceIsRefused(t *testing.T) {
	h := newHouse(t)
	d := h.start()
	h.heard()
	h.wants(h.decide(d, false), nil, "DecideDevice")
	if told := h.heard(); !slices.Equal(told, []string{"oauth_app_refused"}) {
		t.Errorf("told %q", told)
	}
	for range 2 {
		_, err := h.poll(d)
		h.wants(err, grant.ErrDenied, "PollDevice")
	}
}

func TestADeviceCodeIsBound(t *testing.T) {
	h := newHouse(t)
	d := h.start()
	h.wants(h.decide(d, true), nil, "DecideDevice")
	for code, client := range map[string]string{d.DeviceCode: other, strings.ToUpper(d.DeviceCode): app, d.UserCode: app, "": app} {
		_, err := h.PollDevice(t.Context(), grant.DevicePoll{DeviceCode: code, ClientID: client})
		h.wants(err, grant.ErrGrant, "PollDevice of "+code+" by "+client)
	}
	h.store.EndAccount("a11ce", false, model.At(start))
	_, err := h.poll(d)
	h.wants(err, grant.ErrGrant, "PollDevice after a change of password")

	d = h.start()
	h.wants(h.decide(d, true), grant.ErrAccount, "DecideDevice of an account that changed")
	h.advance(10 * time.Minute)
	_, err = h.poll(d)
	h.wants(err, grant.ErrDeviceExpired, "PollDevice after ten minutes")
	h.wants(h.decide(d, true), grant.ErrUserCode, "DecideDevice after ten minutes")
}

// RFC 8628 §3.5.
func TestPollingTooOftenSlowsDown(t *testing.T) {
	h := newHouse(t)
	d := h.start()
	for i, tt := range []struct {
		after int // seconds
		want  error
	}{
		{0, grant.ErrPending}, {5, grant.ErrPending}, {1, grant.ErrSlowDown}, // 10 s from here on
		{5, grant.ErrSlowDown}, // 15 s
		{15, grant.ErrPending}, {15, grant.ErrPending}, {14, grant.ErrPending}, {13, grant.ErrSlowDown},
	} {
		h.advance(time.Duration(tt.after) * time.Second)
		_, err := h.poll(d)
		h.wants(err, tt.want, fmt.Sprint("poll ", i))
	}
	for range 100 {
		_, err := h.poll(d)
		h.wants(err, grant.ErrSlowDown, "PollDevice in a loop")
	}
	h.advance(time.Minute)
	_, err := h.poll(d)
	h.wants(err, grant.ErrPending, "PollDevice after a minute")
}

func TestADeviceIsLetInOnce(t *testing.T) {
	for range 20 {
		h := newHouse(t)
		d := h.start()
		h.wants(h.decide(d, true), nil, "DecideDevice")
		racetest.Once(t, 16, grant.ErrGrant, func(int) error {
			_, err := h.poll(d)
			return err
		})
	}
}

// RFC 8628 §5.1: user codes are not guessed.
func TestGuessesAreCounted(t *testing.T) {
	h := newHouse(t)
	d := h.start()
	ask := func(by access.Caller, code string, want error) {
		t.Helper()
		_, err := h.DeviceRequest(t.Context(), by, code)
		h.wants(err, want, "DeviceRequest")
	}
	for _, typo := range []string{"", "AAAA-AAAA", "BCDF", d.UserCode + "B", "BCDF-GHJ!"} { // nobody's
		for range 20 {
			ask(h.alice, typo, grant.ErrUserCode)
		}
	}
	for range 30 {
		ask(h.alice, d.UserCode, nil)
	}
	racetest.Together(t, 60, grant.ErrGuesses, func(int) error {
		_, err := h.DeviceRequest(t.Context(), h.alice, secret.UserCode())
		if err == nil {
			t.Error("a guess was right")
		}
		if err != nil && err.Error() == grant.ErrUserCode.Error() {
			h.tell("tried")
			return nil
		}
		return err
	})
	if n := len(h.heard()); n != 10 {
		t.Errorf("%d guesses were looked at, want 10", n)
	}
	ask(h.alice, d.UserCode, grant.ErrGuesses)
	h.wants(h.decide(d, true), grant.ErrGuesses, "DecideDevice")
	h.advance(4 * time.Minute)
	_, err := h.DeviceRequest(t.Context(), h.alice, d.UserCode)
	if wait := fault.Of(err).RetryAfter; wait != 6*time.Minute {
		t.Errorf("the next guess counts after %v, want 6 minutes", wait)
	}
	bob := access.Caller{Kind: access.SessionToken, Account: &access.Account{Key: "b0b"}}
	ask(bob, d.UserCode, nil)
	h.advance(6*time.Minute - time.Millisecond)
	ask(h.alice, d.UserCode, grant.ErrGuesses)
	h.advance(time.Millisecond)
	ask(h.alice, h.start().UserCode, nil)
}

func TestWaitingDevicesAreBounded(t *testing.T) {
	h := newHouse(t)
	for range 2000 {
		h.start()
	}
	_, err := h.StartDevice(t.Context(), grant.DeviceStart{ClientID: app})
	h.wants(err, grant.ErrBusy, "StartDevice")
	_, err = h.StartDevice(t.Context(), grant.DeviceStart{ClientID: other})
	h.wants(err, nil, "StartDevice of another app")
	h.advance(10 * time.Minute)
	h.start()
}
