package revocation_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/service/access"
	"latchkey/service/revocation"
)

func TestPublishTellsEverybodyInOrder(t *testing.T) {
	type heard struct {
		by     int
		notice revocation.Notice
	}
	var (
		hub revocation.Hub
		got []heard
	)
	for i := range 4 {
		hub.Subscribe(func(_ context.Context, n revocation.Notice) { got = append(got, heard{i, n}) })
	}
	one := revocation.Notice{AccountKey: "a", DeviceKey: "d", LoginID: "l"}
	hub.Publish(t.Context(), one)
	hub.Publish(t.Context(), revocation.Notice{})
	want := []heard{{0, one}, {1, one}, {2, one}, {3, one}, {by: 0}, {by: 1}, {by: 2}, {by: 3}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(heard{})); diff != "" {
		t.Errorf("what was heard when Publish returned (-want +got):\n%s", diff)
	}
}

func TestPublishGoesOnWhenTheCallerIsGone(t *testing.T) {
	var (
		hub  revocation.Hub
		told int
	)
	ctx, cancel := context.WithCancel(access.With(t.Context(), access.Caller{DeviceKey: "d"}))
	defer cancel()
	for range 2 {
		hub.Subscribe(func(ctx context.Context, _ revocation.Notice) {
			told++
			cancel() // the caller hangs up while the first listener acts
			if ctx.Err() != nil || ctx.Done() != nil {
				t.Errorf("a listener got a context that ends: %v", ctx.Err())
			}
			if _, ends := ctx.Deadline(); ends {
				t.Error("a listener got a deadline")
			}
			if access.From(ctx).DeviceKey != "d" {
				t.Error("a listener does not know who calls")
			}
		})
	}
	hub.Publish(ctx, revocation.Notice{})
	hub.Publish(ctx, revocation.Notice{})
	if told != 4 {
		t.Errorf("listeners were told %d times, want 4", told)
	}
}

func TestPublishWithoutListeners(t *testing.T) {
	new(revocation.Hub).Publish(t.Context(), revocation.Notice{AccountKey: "a"})
}
