package alist

import "github.com/gin-gonic/gin"

// PublicSettings are the settings that everybody may read, all as text
// (contract §5.29).
func (a *API) PublicSettings(c *gin.Context) error { return ok(c, a.svc.Settings.Public()) }

// Nothing answers an empty list: there are no archives and no downloads here,
// but AList's frontend does not start without the answer (contract §5.29).
func (*API) Nothing(c *gin.Context) error { return ok(c, []string{}) }
