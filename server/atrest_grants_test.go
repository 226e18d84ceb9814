package server_test

import (
	"testing"
	"time"

	"latchkey/server/servertest"
	grants "latchkey/service/grant"
	"latchkey/service/session"
)

// tokens notes what an app was handed.
func (s secretsOf) tokens(name string, t grants.Tokens) grants.Tokens {
	s[name+", access token"], s[name+", refresh token"] = t.Access, t.Refresh
	return t
}

func appIsGranted(t *testing.T, s *served, told secretsOf) {
	s.AddUser(t, "eva")
	eva, err := s.App.Accounts.Snapshot(t.Context(), s.Key(t, "eva"))
	if err != nil {
		t.Fatal(err)
	}
	app, ctx := registered(t, s.App, "Notes"), t.Context()
	told["an unused code"] = approved(t, s.App, eva, app.ID, "openid")
	told["a used code"] = approved(t, s.App, eva, app.ID, "openid", "offline_access")
	first, err := s.App.Grants.Redeem(ctx, grants.Redemption{Code: told["a used code"], ClientID: app.ID})
	if err != nil {
		t.Fatal(err)
	}
	told.tokens("an app", first)
	next, err := s.App.Grants.Refresh(ctx, grants.Refreshing{Token: first.Refresh, ClientID: app.ID})
	if err != nil {
		t.Fatal(err)
	}
	told.tokens("an app again", next) // sealed, for ten seconds
	device, err := s.App.Grants.StartDevice(ctx, grants.DeviceStart{ClientID: app.ID})
	if err != nil {
		t.Fatal(err)
	}
	told["a device code"] = device.DeviceCode
	opened, err := s.App.Sessions.Open(ctx, session.Opening{AccountKey: eva.Key, Epoch: eva.Epoch, PairFor: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := s.App.Grants.OpenPair(ctx, grants.Pair{AccountKey: eva.Key, LoginID: opened.LoginID, Ends: opened.ExpiresAt})
	if err != nil {
		t.Fatal(err)
	}
	told.tokens("a pair", pair)
	if r := s.Do(t, servertest.Request{Path: "/api/me", Token: pair.Access}); r.Code != 200 {
		t.Fatal(r.Text)
	}
}
