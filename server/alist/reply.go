package alist

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/fault"
)

// envelope is every answer of the dialect. All three keys are always there.
type envelope struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data"`
}

// page is a part of a list.
type page[T any] struct {
	Content []T   `json:"content"` // never null
	Total   int64 `json:"total"`   // of the whole list
}

// ok answers success with data, or with null.
func ok(c *gin.Context, data any) error {
	web.SetBodyCode(c, http.StatusOK)
	c.JSON(http.StatusOK, envelope{Code: http.StatusOK, Message: "success", Data: data})
	return nil
}

// Render answers a failure. Clients of this dialect look at the code in the
// body and lose the message when the HTTP status is an error, so the status is
// 200 wherever a handler had its say (rulings 14). No client of this dialect sends
// a key: whoever does gets the code as the status, too (contract "API keys").
func Render(c *gin.Context, f *fault.Error, requestID string) {
	code := codeOf(f.Kind)
	status := http.StatusOK
	text := f.Text
	switch {
	case f.Kind == fault.Internal:
		status = http.StatusInternalServerError
		text = "internal error, request " + requestID
	case f.Kind == fault.Unavailable, f.Kind == fault.TooLarge, f.Kind == fault.Unsupported:
		status = code
	case f.Is(ErrNoStorage) && !web.AnswersByStatus(c):
		code = http.StatusInternalServerError // as AList has it; no fault of this server
	case f.Is(ErrNoRoute), f.Is(ErrMethod):
		status = web.Status(f.Kind)
		if f.Is(ErrMethod) {
			status, code = http.StatusMethodNotAllowed, http.StatusMethodNotAllowed
		}
	}
	if web.AnswersByStatus(c) {
		if status = code; code == http.StatusUnauthorized {
			web.Challenge(c, "invalid_token", text, "")
		}
	}
	web.SetBodyCode(c, code)
	c.AbortWithStatusJSON(status, envelope{Code: code, Message: text})
}

// What the router answers when no handler is found.
var (
	// ErrNoRoute says that there is nothing at the path.
	ErrNoRoute = fault.New(fault.NotFound, "route_unknown", "not found")
	// ErrMethod says that the path takes other methods.
	ErrMethod = fault.New(fault.NotFound, "method_unknown", "method not allowed")
)

// codeOf is the dialect's code for a kind of failure.
func codeOf(k fault.Kind) int {
	switch k {
	case fault.CodeRequired:
		return http.StatusPaymentRequired // AList's sign for "ask for the code"
	case fault.Conflict:
		return http.StatusBadRequest
	case fault.Internal, fault.Invalid, fault.Unauthenticated, fault.Forbidden, fault.NotFound,
		fault.TooMany, fault.TooLarge, fault.Unsupported, fault.Unavailable:
		return web.Status(k)
	}
	return http.StatusInternalServerError
}
