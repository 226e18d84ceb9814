package middleware

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/fault"
)

// Recovery answers a panic with HTTP 500 in the dialect's words and logs its
// stack. Once part of an answer has gone out it cuts the connection, so that
// nobody takes half an answer for a whole one.
func Recovery(log *slog.Logger, render web.Renderer) gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			if v := recover(); v != nil {
				recovered(c, v, log, render)
			}
		}()
		c.Next()
	}
}

func recovered(c *gin.Context, v any, log *slog.Logger, render web.Renderer) {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v) // net/http's own way to cut a connection
	}
	log.LogAttrs(c.Request.Context(), slog.LevelError, "panic",
		slog.String("request_id", RequestIDOf(c)),
		slog.String("panic", fmt.Sprint(v)),
		slog.String("stack", string(debug.Stack())))
	c.Abort()
	if c.Writer.Written() {
		panic(http.ErrAbortHandler)
	}
	c.Writer.WriteHeader(http.StatusInternalServerError)
	render(c, fault.New(fault.Internal, "internal", "internal error"), RequestIDOf(c))
}
