package mailed

import (
	"strconv"

	"latchkey/service/watch"
)

// aboutKeys says what became of the API keys that a stranger may have made.
func aboutKeys(d watch.Disowned) []string {
	var lines []string
	if d.KeysRevoked > 0 {
		lines = append(lines, counted(d.KeysRevoked, "API key was", "API keys were")+" made on it, and revoked with it.")
	}
	return append(lines, keysLeft(d.KeysLeft)...)
}

// keysLeft says how many API keys go on working; nothing if there are none.
func keysLeft(n int64) []string {
	if n == 0 {
		return nil
	}
	return []string{counted(n, "API key of your account goes", "API keys of your account go") +
		" on working. Look through them when you have signed in, and delete those that you do not know."}
}

func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}
