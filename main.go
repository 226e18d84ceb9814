// Command latchkey is the login, device-session and key backend for
// self-hosted apps.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"latchkey/server/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	status := cli.Run(ctx, os.Args[1:], cli.Surroundings{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Environ: os.Environ()})
	stop()
	os.Exit(status)
}
