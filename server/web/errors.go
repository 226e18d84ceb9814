package web

import "latchkey/service/fault"

// What can be wrong with a request before a service sees it. The texts vary;
// compare with errors.Is.
var (
	ErrBody           = fault.New(fault.Invalid, "body_invalid", "request body is not valid JSON")
	ErrField          = fault.New(fault.Invalid, "field_invalid", "a field of the request is invalid")
	ErrParameter      = fault.New(fault.Invalid, "parameter_invalid", "a parameter of the request is invalid")
	ErrClientID       = fault.New(fault.Invalid, "client_id_invalid", "Client-Id must be 1 to 256 printable characters")
	ErrTooLarge       = fault.New(fault.TooLarge, "body_too_large", "request body is too large")
	ErrUnsupported    = fault.New(fault.Unsupported, "media_type_unsupported", "request body must be application/json")
	ErrTwoCredentials = fault.New(fault.Unauthenticated, "credential_malformed", "token is invalidated")
	ErrManyPlaces     = fault.New(fault.Invalid, "credential_twice", "More than one credential was sent")
)
