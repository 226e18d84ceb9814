package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// maxBody bounds a body in bytes where no middleware set a smaller limit
// (H-03).
const maxBody = 1 << 20

const (
	mediaJSON = "application/json"
	mediaForm = "application/x-www-form-urlencoded"
)

// mediaType is the request's media type in lower case without parameters, "" if
// there is none. A compressed body and two Content-Types are ErrUnsupported.
func mediaType(h http.Header) (string, error) {
	for _, encoding := range h["Content-Encoding"] {
		if encoding != "" && !strings.EqualFold(encoding, "identity") {
			return "", ErrUnsupported.WithText("request body must not be encoded")
		}
	}
	values := h["Content-Type"]
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 {
		return "", ErrUnsupported
	}
	media, _, _ := strings.Cut(values[0], ";")
	return strings.ToLower(strings.TrimSpace(media)), nil
}

// HoldBody reads the whole body now, for whoever binds it later. Failures:
// ErrTooLarge, ErrBody.
func HoldBody(c *gin.Context) error {
	data, err := readBody(c)
	if err != nil {
		return err
	}
	c.Request.Body = io.NopCloser(bytes.NewReader(data))
	return nil
}

// readBody reads the whole body, which may be empty.
func readBody(c *gin.Context) ([]byte, error) {
	if c.Request.Body == nil || c.Request.Body == http.NoBody {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(c.Request.Body, maxBody+1))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok || len(data) > maxBody {
		return nil, ErrTooLarge
	}
	if err != nil { // the client broke off, or its chunks are malformed
		return nil, ErrBody.WithText("request body could not be read")
	}
	return data, nil
}
