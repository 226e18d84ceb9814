// Package web owns what every HTTP door shares: handlers that return errors,
// strict reading of requests, where credentials stand, and the status of a
// failure. It must not know any dialect, store or service, but for the kits.
package web
