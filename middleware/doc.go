// Package middleware owns what happens around every HTTP request, one file
// each. It must not know a dialect's words: those come in as a web.Renderer.
//
// The order, outermost first:
//
//	RequestID     names the request; everything below logs that name
//	FindClientIP  finds the client's address
//	AccessLog     sees the final status, also after a panic
//	Statuses      notes who is answered by HTTP status, before anything can answer
//	Headers       before anything can answer, a panic included
//	Framing       ends connections that could be cut in two ways
//	Recovery      turns a panic into an answer
//	Errors        renders what the ones below and the handlers refuse
//	CORS          answers preflights before credentials are asked for
//	BodyLimit     before anything reads the body
package middleware
