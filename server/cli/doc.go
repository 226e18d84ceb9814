// Package cli owns the command line: the commands, what they print and the
// exit status. A command does nothing itself; it asks the server's services.
package cli
