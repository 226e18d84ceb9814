package server_test

import (
	"testing"
	"time"

	"latchkey/server/servertest"
)

// pairsAreUsed signs pat in by a pair of tokens, renews it, and has the operator
// mint a token for him.
func pairsAreUsed(t *testing.T, s *served, told secretsOf) {
	s.AddUser(t, "pat")
	const route = "/api/v4/session/token"
	var in struct {
		Token struct {
			Access  string `json:"access_token"`
			Refresh string `json:"refresh_token"`
		}
	}
	s.Do(t, servertest.Request{Path: route, Body: object{"username": "pat", "password": servertest.AdminPassword}}).Into(t, &in)
	told["a pair's access token"], told["a pair's refresh token"] = in.Token.Access, in.Token.Refresh
	s.Do(t, servertest.Request{Path: route + "/refresh", Body: object{"refresh_token": in.Token.Refresh}}).Into(t, &in.Token)
	told["the next access token"], told["the next refresh token"] = in.Token.Access, in.Token.Refresh
	minted, err := s.App.MintToken(t.Context(), "pat", "backup", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	told.token("a minted token", minted.Token)
	if _, err := s.App.Ring.IDKeys(t.Context()); err != nil {
		t.Fatal(err)
	}
}
