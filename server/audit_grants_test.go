package server_test

import (
	"errors"
	"time"

	"latchkey/service/access"
	grants "latchkey/service/grant"
	"latchkey/service/session"
)

// grantsApps is what happens to apps' access. Their doors are tested elsewhere:
// here it happens beside the server.
func (w *witness) grantsApps() {
	app, ctx := registered(w, w.App, "Editor"), w.Context()
	ann, err := w.App.Accounts.Snapshot(ctx, w.account(w, "ann"))
	if err != nil {
		w.Fatal(err)
	}
	by := access.Caller{Kind: access.SessionToken, Account: ann}
	device := w.App.Sessions.DeviceKey(ann.Key, session.OAuthClient(app.ID))
	noted := func(kind, device, address string, err, want error) {
		w.Helper()
		if !errors.Is(err, want) {
			w.Errorf("%s: %v, want %v", kind, err, want)
		}
		actor := "system"
		if address != "" {
			actor = "none"
		}
		w.newest(event{Event: kind, Username: "ann", Actor: actor, Device: device, Address: address})
	}
	let := func() (string, grants.Tokens) {
		w.Helper()
		code := approved(w, w.App, ann, app.ID, "openid", "offline_access") //nolint:contextcheck // it takes the test's, too
		tokens, err := w.App.Grants.Redeem(ctx, grants.Redemption{Code: code, ClientID: app.ID, Address: here})
		noted("oauth_app_authorized", device, here, err, nil)
		w.secrets["code "+code[:4]] = code
		w.secrets.tokens("tokens "+tokens.Access[4:8], tokens)
		return code, tokens
	}
	code, _ := let()
	_, err = w.App.Grants.Redeem(ctx, grants.Redemption{Code: code, ClientID: app.ID, Address: here})
	noted("oauth_code_reused", device, "", err, grants.ErrGrant)
	_, tokens := let()
	next, err := w.App.Grants.Refresh(ctx, grants.Refreshing{Token: tokens.Refresh, ClientID: app.ID})
	if err != nil {
		w.Fatal(err)
	}
	w.secrets.tokens("next tokens", next)
	w.clock.Advance(time.Minute)
	_, err = w.App.Grants.Refresh(ctx, grants.Refreshing{Token: tokens.Refresh, ClientID: app.ID})
	noted("refresh_reused", device, "", err, grants.ErrGrant)
	_, tokens = let()
	noted("oauth_token_revoked", device, "", w.App.Grants.End(ctx, tokens.Refresh, app.ID), nil)
	let()
	noted("oauth_app_withdrawn", device, "", w.App.Grants.Withdraw(ctx, by, app.ID), nil)
	started, err := w.App.Grants.StartDevice(ctx, grants.DeviceStart{ClientID: app.ID})
	if err != nil {
		w.Fatal(err)
	}
	noted("oauth_app_refused", "", "", w.App.Grants.DecideDevice(ctx, by, grants.DeviceDecision{UserCode: started.UserCode}), nil)
}
