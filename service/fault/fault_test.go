package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/service/fault"
)

func TestIs(t *testing.T) {
	known := fault.New(fault.NotFound, "device_unknown", "No such device.")
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"itself":                    {known, true},
		"in other words":            {known.WithText("Unknown."), true},
		"with a wait":               {known.After(time.Second), true},
		"wrapped":                   {fmt.Errorf("evict: %w", known.WithText("x")), true},
		"joined with another":       {errors.Join(errors.New("x"), known), true},
		"the same code made again":  {fault.New(fault.Invalid, "device_unknown", ""), true},
		"another code":              {fault.New(fault.NotFound, "key_unknown", "No such device."), false},
		"another error, same words": {errors.New(known.Text), false},
		"no error":                  {nil, false},
		"a cancelled context":       {context.Canceled, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := errors.Is(tt.err, known); got != tt.want {
				t.Errorf("errors.Is = %v, want %v", got, tt.want)
			}
		})
	}
	if errors.Is(known, context.Canceled) {
		t.Error("a failure is a cancelled context")
	}
}

func TestVariantsLeaveTheOriginalAlone(t *testing.T) {
	known := fault.New(fault.TooMany, "throttled", "Slow down.")
	other := known.WithText("Later.").After(3 * time.Second)
	if diff := cmp.Diff(fault.Error{Kind: fault.TooMany, Code: "throttled", Text: "Later.", RetryAfter: 3 * time.Second}, *other); diff != "" {
		t.Errorf("the variant (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(fault.Error{Kind: fault.TooMany, Code: "throttled", Text: "Slow down."}, *known); diff != "" {
		t.Errorf("the original (-want +got):\n%s", diff)
	}
	if known.Error() != "Slow down." || other.Error() != "Later." {
		t.Errorf("Error = %q and %q", known, other)
	}
}

func TestOf(t *testing.T) {
	known := fault.New(fault.Forbidden, "step_up", "Sign in again.")
	internal := &fault.Error{Kind: fault.Internal, Code: "internal", Text: "internal error"}
	for name, tt := range map[string]struct {
		err  error
		want *fault.Error
	}{
		"a failure":                     {known, known},
		"a wrapped one":                 {fmt.Errorf("a: %w", fmt.Errorf("b: %w", known)), known},
		"the outer of two":              {fmt.Errorf("%w: %w", known, internal), known},
		"a library's words stay inside": {errors.New("UNIQUE constraint failed: accounts.username"), internal},
		"a wrapped library's error":     {fmt.Errorf("open: %w", context.DeadlineExceeded), internal},
		"no error is our own mistake":   {nil, internal},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(*tt.want, *fault.Of(tt.err)); diff != "" {
				t.Errorf("Of (-want +got):\n%s", diff)
			}
		})
	}
	var zero fault.Kind
	if zero != fault.Internal {
		t.Error("a failure whose kind was forgotten is not internal")
	}
}
