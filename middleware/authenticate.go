package middleware

import (
	"context"
	"errors"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/authn"
	"latchkey/service/fault"
)

// ErrNotAdmin says that the route is for admins.
var ErrNotAdmin = fault.New(fault.Forbidden, "not_admin", "You are not an admin")

// Authenticate finds the caller and puts them into the request's context, or
// refuses the request. With anyDevice a token is taken under every Client-Id,
// which only logging out wants.
func Authenticate(who *authn.Service, anyDevice bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		p, err := presented(c)
		if err != nil {
			web.Abort(c, err)
			return
		}
		p.AnyDevice = anyDevice
		caller, err := who.Authenticate(c.Request.Context(), p)
		if errors.Is(err, authn.ErrMisplaced) {
			web.AnswerByStatus(c) // by its looks it was no key; by the answer it is
		}
		if err != nil {
			web.Abort(c, err)
			return
		}
		c.Request = c.Request.WithContext(access.With(c.Request.Context(), caller))
	}
}

// Stranger is the request's context with what is known of a caller that no
// credential was asked of.
func Stranger(c *gin.Context) context.Context {
	return access.With(c.Request.Context(), access.Caller{
		Kind: access.Guest, Address: ClientIP(c), UserAgent: web.UserAgent(c), RequestID: RequestIDOf(c),
	})
}

func presented(c *gin.Context) (authn.Presented, error) {
	sent, err := web.Credential(c)
	if err != nil {
		return authn.Presented{}, err
	}
	clientID, err := web.ClientID(c)
	if err != nil {
		return authn.Presented{}, err
	}
	return authn.Presented{
		Text: sent.Text, Place: sent.Place, ClientID: clientID, UserAgent: web.UserAgent(c), Address: ClientIP(c),
		RequestID: RequestIDOf(c),
	}, nil
}

// RequireAdmin refuses callers without the admin role. It stands after
// Authenticate.
func RequireAdmin() gin.HandlerFunc {
	return func(c *gin.Context) {
		if !access.From(c.Request.Context()).Account.IsAdmin() {
			web.Abort(c, ErrNotAdmin)
		}
	}
}
