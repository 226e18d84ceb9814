package server_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"latchkey/server"
	"latchkey/server/config"
	"latchkey/server/servertest"
	"latchkey/service/access"
	"latchkey/service/apikey"
	"latchkey/service/session"
)

// A token of a login that somebody reports lets nobody in when the answer is
// there, and neither does the one that renews it.
func TestALeakedTokenEndsItsLogin(t *testing.T) {
	for _, found := range []string{"access_token", "refresh_token"} {
		t.Run(found, func(t *testing.T) {
			w := watch(t)
			in := w.Do(t, servertest.Request{Path: "/api/v4/session/token", Body: object{"username": "ann", "password": servertest.AdminPassword}})
			var pair struct{ Token map[string]any }
			in.Into(t, &pair)
			access, _ := pair.Token["access_token"].(string)
			if !w.opens(t, access) {
				t.Fatalf("signed in: %s", in.Text)
			}
			got := w.Do(t, servertest.Request{Path: leaksAt, Body: object{"key": pair.Token[found]}})
			if got.Text != `{"code":200,"message":"success","data":{"accepted":1}}` || w.opens(t, access) {
				t.Errorf("answered %s, and the token works: %t", got.Text, w.opens(t, access))
			}
			again := w.Do(t, servertest.Request{Path: "/api/v4/session/token/refresh", Body: object{"refresh_token": pair.Token["refresh_token"]}})
			if again.Code == 0 || strings.Contains(again.Text, "lks_") {
				t.Errorf("renewed: %s", again.Text)
			}
		})
	}
}

// H-11: where a key is to be sent is not what the request called the server.
func TestThePageOfAKeyDoesNotRepeatTheHost(t *testing.T) {
	w := besiege(t, func(c *config.Config, _ *server.Options) { c.SiteURL = "" })
	w.AddUser(t, "ann")
	r := attack{
		name: "host", method: http.MethodPost, target: newKeyAt, from: "192.0.2.1", body: keyForm().Encode(),
		header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	}.request(t)
	r.Host = "evil.example"
	if page := w.send(r); keyOn(page) == "" || strings.Contains(page.Text, r.Host) {
		t.Errorf("%d, the page says:\n%s", page.Status, page.Text)
	}
}

// A login that has ended since a request of it was let in makes no key and gets
// no new text of one.
func TestAnEndedLoginMakesNoKey(t *testing.T) { // R-01, P-03
	h := openKeyHouse(t)
	in := h.Admin(t, "desk")
	by := h.owner(t, "admin")
	by.DeviceKey = in.DeviceKey
	_, id := h.key(t, "admin", apikey.Wanted{Scopes: access.Scopes{access.MeRead}.Names()})
	logins, err := h.App.Sessions.Resolve(t.Context(), session.Presented{Token: in.Token, ClientID: "desk"})
	if err != nil {
		t.Fatal(err)
	}
	by.LoginID = logins.ID
	if err := h.App.Profile.EvictWithKeys(t.Context(), by, in.DeviceKey); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.App.APIKeys().Create(t.Context(), by, apikey.Wanted{Name: "late", Scopes: []string{"all"}}); !errors.Is(err, apikey.ErrEnded) {
		t.Errorf("Create = %v", err)
	}
	if _, err := h.App.APIKeys().Rotate(t.Context(), by, id, 0); !errors.Is(err, apikey.ErrEnded) {
		t.Errorf("Rotate = %v", err)
	}
}
