// Package web owns what every HTTP door shares: handlers that return errors,
// strict reading of requests, and the status of a failure. It must not know any
// dialect, service or store.
package web
