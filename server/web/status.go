package web

import "github.com/gin-gonic/gin"

type byStatusKey struct{}

// AnswerByStatus notes that whoever asks presents a key: the HTTP status of the
// answer is to say how it went, whatever the dialect does otherwise.
func AnswerByStatus(c *gin.Context) { c.Set(byStatusKey{}, true) }

// AnswersByStatus reports what AnswerByStatus noted.
func AnswersByStatus(c *gin.Context) bool {
	_, is := c.Get(byStatusKey{})
	return is
}
