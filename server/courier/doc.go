// Package courier owns how messages leave: mail by SMTP, and webhooks by HTTP.
// Its errors say in words what went wrong and never what the message says. It
// does not know why a message is sent.
package courier
