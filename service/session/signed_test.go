package session_test

import (
	"testing"
	"time"
)

// K-12: a key may go when the last token that it may have signed has expired.
func TestSignedUntilTheLastTokenExpires(t *testing.T) {
	f := newFixture(t)
	want := func(successorAt, until time.Time) {
		t.Helper()
		got, err := f.SignedUntil(t.Context(), successorAt)
		if err != nil || !got.Equal(until) {
			t.Errorf("SignedUntil = %v, %v, want %v", got, err, until)
		}
	}
	never := time.Time{}
	want(f.clock.now(), never)
	first := f.signIn(f.alice, laptop)
	rotatedAt := f.clock.now().Add(time.Minute)
	f.clock.advance(2 * time.Hour)
	second := f.signIn(f.alice, phone)
	want(rotatedAt, first.ExpiresAt)
	want(f.clock.now(), second.ExpiresAt)
	f.evict(f.caller(second), first.DeviceKey)
	want(rotatedAt, first.ExpiresAt) // what became of it is still told
	f.clock.advance(first.ExpiresAt.Sub(f.clock.now()) + time.Minute)
	want(rotatedAt, first.ExpiresAt) // the leeway
	f.clock.advance(time.Second)
	want(rotatedAt, never)
	want(second.ExpiresAt.Add(-48*time.Hour), second.ExpiresAt)
}

// A server that nobody told of the new key signs with the old one for a while.
func TestSignedUntilMindsThatKeysAreNotHeardAtOnce(t *testing.T) {
	f := newFixture(t)
	rotatedAt := f.clock.now()
	f.clock.advance(time.Minute)
	late := f.signIn(f.alice, laptop)
	if got, err := f.SignedUntil(t.Context(), rotatedAt); err != nil || !got.Equal(late.ExpiresAt) {
		t.Errorf("SignedUntil = %v, %v, want %v", got, err, late.ExpiresAt)
	}
}
