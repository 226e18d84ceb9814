package alist

import (
	"slices"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/server/web"
)

// leaks is texts that somebody found and takes for keys.
type leaks struct {
	Key  *string  `json:"key"`
	Keys []string `json:"keys"`
}

// Validate takes one text or a list of them.
func (l *leaks) Validate() error {
	switch {
	case l.Key != nil && l.Keys != nil:
		return web.ErrField.WithText(`send "key" or "keys", not both`)
	case l.Key != nil:
		l.Keys = []string{*l.Key}
	case l.Keys == nil:
		return web.Required("key", "")
	}
	if slices.Contains(l.Keys, "") {
		return web.ErrField.WithText(`field "keys" must be a list of texts`)
	}
	return nil
}

// taken is how many texts were read. It says nothing of what they are.
type taken struct {
	Accepted int `json:"accepted"`
}

// ReportLeaks ends the secrets that somebody found. The answer is the same
// whether or not there was one.
func (a *API) ReportLeaks(c *gin.Context) error {
	var req leaks
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	if err := a.svc.Leaks.Report(middleware.Stranger(c), req.Keys); err != nil {
		return err
	}
	return ok(c, taken{Accepted: len(req.Keys)})
}
