package signin

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/service/secret"
)

// The cookies. Browsers keep a __Host- cookie only over HTTPS, from this very
// host, for all paths, so that neither a neighbouring host nor somebody on the
// wire can plant one (RFC 6265bis §4.1.3.2).
const (
	hostPrefix   = "__Host-"
	deviceName   = "latchkey-device"
	sessionName  = "latchkey-session"
	maxCookie    = 4 << 10              // bytes
	deviceKept   = 400 * 24 * time.Hour // as long as browsers keep any (RFC 6265bis §5.5)
	deviceIDSize = 32                   // hex digits, 128 bits
)

// name is what the cookie is called on this connection. Over plain HTTP only the
// plain name counts, over HTTPS only the protected one.
func name(c *gin.Context, plain string) string {
	if middleware.IsHTTPS(c) {
		return hostPrefix + plain
	}
	return plain
}

// cookie is the value of a cookie; "" if there is none, or there are two: one of
// them was planted.
func cookie(c *gin.Context, plain string) string {
	found := c.Request.CookiesNamed(name(c, plain))
	if len(found) != 1 || len(found[0].Value) > maxCookie {
		return ""
	}
	return found[0].Value
}

// setCookie has the browser keep a cookie for that long, whatever its clock says.
func setCookie(c *gin.Context, plain, value string, keep time.Duration) {
	http.SetCookie(c.Writer, &http.Cookie{ //nolint:gosec // G124: Secure over HTTPS; over plain HTTP browsers would drop it (ruling 36)
		Name: name(c, plain), Value: value, Path: "/", MaxAge: int(keep / time.Second),
		Secure: middleware.IsHTTPS(c), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// dropCookie has the browser forget a cookie.
func dropCookie(c *gin.Context, plain string) { setCookie(c, plain, "", -time.Second) }

// device is the Client-Id of this browser, "" if it has none of ours.
func device(c *gin.Context) string {
	id := cookie(c, deviceName)
	if len(id) != deviceIDSize {
		return ""
	}
	for i := range len(id) {
		if d := id[i]; (d < '0' || d > '9') && (d < 'a' || d > 'f') {
			return ""
		}
	}
	return id
}

// nameDevice is the Client-Id of this browser; one that has none is given one.
func nameDevice(c *gin.Context) string {
	id := device(c)
	if id == "" {
		id = secret.ID()
	}
	setCookie(c, deviceName, id, deviceKept)
	return id
}
