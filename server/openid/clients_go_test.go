package openid_test

import (
	"slices"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"latchkey/model"
)

// A Go program with golang.org/x/oauth2 and go-oidc: discovery, code with PKCE,
// id_token, userinfo, refresh.
func TestGoClient(t *testing.T) {
	s := openSite(t)
	for name, c := range map[string]model.OAuthClient{"confidential": s.app(t), "public": s.app(t, public)} {
		t.Run(name, func(t *testing.T) { goClient(t, s, c) })
	}
}

func goClient(t *testing.T, s *site, c model.OAuthClient) {
	provider, err := oidc.NewProvider(t.Context(), s.url)
	if err != nil {
		t.Fatalf("discovery: %v", err)
	}
	conf := oauth2.Config{
		ClientID: c.ID, Endpoint: provider.Endpoint(), RedirectURL: c.RedirectURIs[0],
		Scopes: []string{"openid", "profile", "email", "offline_access"},
	}
	if c.Confidential {
		conf.ClientSecret = appSecret
	}
	proof := oauth2.GenerateVerifier()
	address := conf.AuthCodeURL("st", oauth2.S256ChallengeOption(proof), oidc.Nonce("n-1"))
	back := s.approve(t, parse(t, address).Query())
	if back.Get("state") != "st" || back.Get("iss") != s.url {
		t.Errorf("the app is answered %v", back)
	}
	token, err := conf.Exchange(t.Context(), back.Get("code"), oauth2.VerifierOption(proof))
	if err != nil {
		t.Fatalf("exchange: %v", err)
	}
	raw, _ := token.Extra("id_token").(string)
	verified, err := provider.Verifier(&oidc.Config{ClientID: c.ID}).Verify(t.Context(), raw)
	if err != nil {
		t.Fatalf("verify id_token: %v", err)
	}
	if err := verified.VerifyAccessToken(token.AccessToken); err != nil {
		t.Errorf("at_hash: %v", err)
	}
	var claims struct {
		AuthTime int64    `json:"auth_time"`
		AMR      []string `json:"amr"`
	}
	if err := verified.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	if verified.Subject != s.owner.Account.Key || verified.Nonce != "n-1" || claims.AuthTime != s.owner.FreshAt.Unix() || !slices.Contains(claims.AMR, "pwd") {
		t.Errorf("id_token: %+v %+v", verified, claims)
	}
	info, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
	if err != nil || info.Subject != verified.Subject {
		t.Fatalf("userinfo: %+v, %v", info, err)
	}
	token.Expiry = time.Now().Add(-time.Minute)
	next, err := conf.TokenSource(t.Context(), token).Token()
	if err != nil || next.AccessToken == token.AccessToken || next.RefreshToken == token.RefreshToken {
		t.Fatalf("refresh: %v", err)
	}
	if _, err := provider.UserInfo(t.Context(), oauth2.StaticTokenSource(next)); err != nil {
		t.Errorf("userinfo with the new token: %v", err)
	}
}
