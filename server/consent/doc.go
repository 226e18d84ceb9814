// Package consent is the door at which people let apps in: the page that an app
// sends them to, and the one for a device that shows a code. It owns that a yes
// comes from the page, for exactly what the page showed. What apps may ask for,
// and what they get, is service/oauth's; who is there, the sign-in pages'.
package consent
