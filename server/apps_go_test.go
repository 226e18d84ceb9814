package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"latchkey/server/servertest"
)

// What a Go program does with golang.org/x/oauth2 and go-oidc, against the real
// program: discovery, code with PKCE, id_token, userinfo, refresh, and a device.
func TestAGoApp(t *testing.T) {
	path, folder := build(t), filepath.Join(t.TempDir(), "data")
	p := run(t, path, folder, "LATCHKEY_ADMIN_PASSWORD="+servertest.AdminPassword)
	given := map[string]string{}
	for _, v := range appsOfOthers(t, path, folder) {
		name, value, _ := strings.Cut(v, "=")
		given[name] = value
	}
	provider, err := oidc.NewProvider(t.Context(), p.url)
	if err != nil {
		t.Fatal(err)
	}
	browser := newTextBrowser("admin", servertest.AdminPassword)
	for name, config := range map[string]*oauth2.Config{
		"with a secret": {ClientID: given["CLIENT_ID"], ClientSecret: given["CLIENT_SECRET"]},
		"without":       {ClientID: given["PUBLIC_ID"]},
	} {
		t.Run(name, func(t *testing.T) {
			config.Endpoint, config.Scopes = provider.Endpoint(), []string{"openid", "profile", "offline_access"}
			token, nonce := codeFlow(t, browser, config)
			usesTokens(t, provider, config, token, nonce)
		})
	}
	device := &oauth2.Config{ClientID: given["PUBLIC_ID"], Endpoint: provider.Endpoint(), Scopes: []string{"openid", "profile"}}
	device.Endpoint.DeviceAuthURL = provider.Endpoint().DeviceAuthURL
	asked, err := device.DeviceAuth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := browser.visit(t.Context(), asked.VerificationURIComplete); err != nil {
		t.Fatal(err)
	}
	token, err := device.DeviceAccessToken(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	usesTokens(t, provider, device, token, "")
}

// codeFlow is the code flow, with the app listening on loopback.
func codeFlow(t *testing.T, browser *textBrowser, config *oauth2.Config) (token *oauth2.Token, nonce string) {
	t.Helper()
	codes := make(chan string, 1)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("state") == "a state" {
			codes <- r.URL.Query().Get("code")
		}
	}))
	t.Cleanup(app.Close)
	config.RedirectURL = app.URL + "/callback"
	verifier := oauth2.GenerateVerifier()
	address := config.AuthCodeURL("a state", oauth2.S256ChallengeOption(verifier), oidc.Nonce("a nonce"))
	if _, err := browser.visit(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	select {
	case code := <-codes:
		token, err := config.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatal(err)
		}
		return token, "a nonce"
	default:
		t.Fatal("the browser did not come back to the app")
		return nil, ""
	}
}

// usesTokens verifies the id_token, asks who the user is, and refreshes where
// that was asked for.
func usesTokens(t *testing.T, provider *oidc.Provider, config *oauth2.Config, token *oauth2.Token, nonce string) {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(t.Context(), raw)
	if err != nil || id.Nonce != nonce || id.VerifyAccessToken(token.AccessToken) != nil {
		t.Fatalf("id_token: %v, %+v", err, id)
	}
	user, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
	if err != nil || user.Subject != id.Subject {
		t.Fatalf("userinfo: %v, %+v, want the subject %s", err, user, id.Subject)
	}
	if token.RefreshToken == "" {
		return
	}
	stale := *token
	stale.Expiry = time.Unix(1, 0)
	next, err := config.TokenSource(context.WithoutCancel(t.Context()), &stale).Token()
	if err != nil || next.AccessToken == token.AccessToken || next.RefreshToken == token.RefreshToken {
		t.Fatalf("refresh: %v", err)
	}
	if _, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(next)); err != nil {
		t.Errorf("userinfo with the next token: %v", err)
	}
}
