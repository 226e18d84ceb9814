package access_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/model"
	"latchkey/service/access"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestIsFresh(t *testing.T) {
	for name, tt := range map[string]struct {
		kind  access.CredentialKind
		fresh time.Time
		after time.Duration
		want  bool
	}{
		"a proof counts at once":               {access.SessionToken, start, 0, true},
		"a proof counts for just under 10 min": {access.SessionToken, start, 10*time.Minute - 1, true},
		"a proof is old after exactly 10 min":  {access.SessionToken, start, 10 * time.Minute, false},
		"a proof is old ever after":            {access.SessionToken, start, 1000 * time.Hour, false},
		"another time zone changes nothing":    {access.SessionToken, start.In(time.FixedZone("", 3600)), 9 * time.Minute, true},
		"a login without a proof is not fresh": {access.SessionToken, time.Time{}, 0, false},
		"the static token is never fresh":      {access.StaticToken, start, 0, false},
		"a guest is never fresh":               {access.Guest, start, 0, false},
		"an unknown credential is never fresh": {99, start, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := access.Caller{Kind: tt.kind, FreshAt: tt.fresh}
			now := start.Add(tt.after)
			if got := c.IsFresh(now); got != tt.want {
				t.Errorf("IsFresh = %v, want %v", got, tt.want)
			}
			if err := c.CheckFresh(now); (err == nil) != tt.want || err != nil && !errors.Is(err, access.ErrNotFresh) {
				t.Errorf("CheckFresh = %v, want it fresh: %v", err, tt.want)
			}
		})
	}
	for kind := range access.CredentialKind(255) { // whatever kinds there will be
		c := access.Caller{Kind: kind, FreshAt: start}
		if c.IsFresh(start) != (kind == access.SessionToken) {
			t.Errorf("IsFresh of credential kind %d = %v", kind, c.IsFresh(start))
		}
	}
	if until := access.FreshUntil(start); until != start.Add(10*time.Minute) {
		t.Errorf("FreshUntil = %v, want ten minutes later", until)
	}
	if (access.Caller{Kind: access.SessionToken}).IsFresh(time.Time{}) {
		t.Error("a login without a proof is fresh at the zero time")
	}
}

func TestRoles(t *testing.T) {
	for name, tt := range map[string]struct {
		roles        []int64
		admin, guest bool
	}{
		"no role":             {nil, false, false},
		"guest":               {[]int64{model.RoleGuest}, false, true},
		"admin among others":  {[]int64{3, model.RoleAdmin}, true, false},
		"both":                {[]int64{model.RoleAdmin, model.RoleGuest}, true, true},
		"ids that look alike": {[]int64{0, 11, 12, 21, 22, -1, -2}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := access.Account{RoleIDs: tt.roles, RoleNames: []string{"admin", "guest"}}
			if a.IsAdmin() != tt.admin || a.IsGuest() != tt.guest {
				t.Errorf("IsAdmin %v, IsGuest %v, want %v, %v", a.IsAdmin(), a.IsGuest(), tt.admin, tt.guest)
			}
		})
	}
}

func TestCallerTravelsInContext(t *testing.T) {
	if got := access.From(context.Background()); !cmp.Equal(got, access.Caller{}) {
		t.Errorf("From of an empty context = %+v, want the zero Caller", got)
	}
	outer := access.Caller{Kind: access.SessionToken, Account: &access.Account{ID: 1}, DeviceKey: "d", LoginID: "l", FreshAt: start, Address: "a", UserAgent: "u"}
	inner := access.Caller{Kind: access.Guest}
	ctx := access.With(t.Context(), outer)
	if got := access.From(ctx); !cmp.Equal(got, outer) {
		t.Errorf("From = %+v, want %+v", got, outer)
	}
	if got := access.From(access.With(ctx, inner)); !cmp.Equal(got, inner) {
		t.Errorf("From = %+v, want %+v", got, inner)
	}
}

func TestMustEnrol(t *testing.T) {
	for _, required := range []bool{false, true} {
		for _, enrolled := range []bool{false, true} {
			a := &access.Account{RequiresTwoFactor: required, TwoFactor: enrolled}
			want := required && !enrolled
			if got := a.MustEnrol(); got != want {
				t.Errorf("an account, required %t, enrolled %t: %t", required, enrolled, got)
			}
			for kind, held := range map[access.CredentialKind]bool{
				access.Guest: false, access.StaticToken: false, access.SessionToken: want,
				access.CredentialKind(200): want, // one that does not exist yet
			} {
				if got := (access.Caller{Kind: kind, Account: a}).MustEnrol(); got != held {
					t.Errorf("kind %d, required %t, enrolled %t: %t", kind, required, enrolled, got)
				}
			}
		}
	}
	if (access.Caller{}).MustEnrol() {
		t.Error("nobody must enrol")
	}
}
