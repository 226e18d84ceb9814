package grant

import (
	"context"
	"sync"
	"time"

	"latchkey/service/access"
)

type guesses struct{ mu sync.Mutex }

// DeviceStart is an app on a device without a browser that asks for access.
type DeviceStart struct {
	ClientID string
	Scopes   []string
	Resource string
	Address  string // the client's, in full
}

// DeviceAnswer is what the app is told.
type DeviceAnswer struct {
	DeviceCode string
	UserCode   string        // XXXX-XXXX
	For        time.Duration // how long both work
	Interval   time.Duration // between two polls
}

// DeviceAsk is what the owner is asked.
type DeviceAsk struct {
	ClientID string
	UserCode string // as it is shown
	Scopes   []string
	Address  string // masked: where the app asked from
	Since    time.Time
}

// DeviceDecision is what the owner said.
type DeviceDecision struct {
	UserCode string
	Approve  bool
	AuthTime time.Time
	AMR      []string
}

// DevicePoll is an app that asks whether the owner has decided. The app has
// proven who it is.
type DevicePoll struct {
	DeviceCode string
	ClientID   string
	Address    string // the client's, in full
	UserAgent  string
}

// StartDevice begins a device authorization (RFC 8628 §3.2). It fails with
// ErrBusy.
func (s *Service) StartDevice(ctx context.Context, d DeviceStart) (DeviceAnswer, error) {
	panic("soon")
}

// DeviceRequest finds the device that waits under a user code, however it is
// spelled. It fails with ErrUserCode or ErrGuesses.
func (s *Service) DeviceRequest(ctx context.Context, by access.Caller, userCode string) (DeviceAsk, error) {
	panic("soon")
}

// DecideDevice says yes or no, once. It fails as DeviceRequest does, or with
// ErrAccount.
func (s *Service) DecideDevice(ctx context.Context, by access.Caller, d DeviceDecision) error {
	panic("soon")
}

// PollDevice fetches the tokens once the owner has approved. It fails with
// ErrPending, ErrSlowDown, ErrDenied, ErrDeviceExpired or ErrGrant.
func (s *Service) PollDevice(ctx context.Context, p DevicePoll) (Tokens, error) { panic("soon") }
