package middleware

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/model"
	"latchkey/server/web"
	"latchkey/service/fault"
)

// What the program itself could not do; nothing was done.
var (
	// ErrTimeout answers a request whose deadline passed, or whose client left.
	ErrTimeout = fault.New(fault.Unavailable, "timeout", "The request took too long.")
	// ErrUnavailable answers a request that the storage could not serve: it is
	// locked, full or gone.
	ErrUnavailable = fault.New(fault.Unavailable, "storage_unavailable", "The storage is not available right now, try again later.")
)

// handled marks an error in the context that has been logged and answered.
type handled struct{}

// Errors renders the error that a handler or a middleware below left in the
// context, unless something has been written. Our own failures are logged whole;
// a refusal only at debug level.
func Errors(log *slog.Logger, render web.Renderer) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Next()
		last := c.Errors.Last()
		if last == nil || last.Meta == (handled{}) {
			return
		}
		last.Meta = handled{}
		f := failure(c.Request.Context(), last.Err)
		log.LogAttrs(c.Request.Context(), level(c.Request.Context(), last.Err, f.Kind), "request failed",
			slog.String("request_id", RequestIDOf(c)),
			slog.String("fault", f.Code),
			slog.String("error", last.Err.Error()))
		if c.Writer.Written() {
			return
		}
		if f.RetryAfter > 0 {
			seconds := (f.RetryAfter + time.Second - 1) / time.Second
			c.Header("Retry-After", strconv.FormatInt(int64(seconds), 10))
		}
		render(c, f, RequestIDOf(c))
	}
}

// failure is what to answer for err.
func failure(ctx context.Context, err error) *fault.Error {
	f := fault.Of(err)
	switch {
	case f.Kind != fault.Internal:
	case isGivingUp(ctx, err):
		return ErrTimeout
	case errors.Is(err, model.ErrUnavailable):
		return ErrUnavailable
	}
	return f
}

// isGivingUp reports whether err only says that the request's context ended.
func isGivingUp(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled))
}

// level is how much a failure matters to the operator; a client that left does
// not.
func level(ctx context.Context, err error, k fault.Kind) slog.Level {
	switch {
	case isGivingUp(ctx, err) && errors.Is(ctx.Err(), context.Canceled):
		return slog.LevelDebug
	case k == fault.Internal:
		return slog.LevelError
	case k == fault.Unavailable:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}
