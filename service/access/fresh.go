package access

import "latchkey/service/fault"

// ErrNotFresh says that the caller signed in too long ago for what they ask.
var ErrNotFresh = fault.New(fault.Forbidden, "not_fresh", "Recent sign-in required")
