// Package signin is the door by which people sign in with a browser. It owns
// the cookies: one names the device, the other holds the token of a login like
// any other. A cookie lets nobody in but to pages. Other doors for pages ask it
// who is there. It must not decide who is let in: service/login and
// service/authn do.
package signin
