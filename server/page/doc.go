// Package page is the kit of how pages for people look: the layout, the one
// style, the headers that protect a page, and failures in words. Its pages need
// no script and load nothing. Doors give them their words and forms; the
// package must not know any of them, nor a service.
package page
