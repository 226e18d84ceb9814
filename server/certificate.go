package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookEvery is how long a renewed certificate may lie there unseen.
const lookEvery = time.Minute

// certificate is the pair of files that HTTPS is served with. Whoever renews it
// puts new files in their place, and need not tell the server. It is safe for
// concurrent use.
type certificate struct {
	certFile, keyFile string
	now               func() time.Time
	log               *slog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	seen   [2]stamp // of the files that pair was read from, or that could not be read
	looked time.Time
}

// stamp changes with a file.
type stamp struct {
	at   time.Time
	size int64
}

// loadCertificate reads the pair. What is wrong with it ends the start.
func loadCertificate(certFile, keyFile string, now func() time.Time, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, now: now, log: log, looked: now()}
	stamps, err := c.stamps()
	if err != nil {
		return nil, err
	}
	c.seen = stamps
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("load TLS certificate: %w", err)
	}
	c.pair = &pair
	return c, nil
}

// forHandshake is the pair, read again if the files changed since. A pair that
// does not work, such as one whose second file is yet to come, is logged and the
// one before stays.
func (c *certificate) forHandshake(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Sub(c.looked) < lookEvery {
		return c.pair, nil
	}
	c.looked = now
	if err := c.refresh(hello.Context()); err != nil {
		c.log.LogAttrs(hello.Context(), slog.LevelWarn, "TLS certificate not renewed, the one before stays",
			slog.String("certificate", c.certFile), slog.Any("error", err))
	}
	return c.pair, nil
}

func (c *certificate) refresh(ctx context.Context) error {
	stamps, err := c.stamps()
	if err != nil || stamps == c.seen {
		return err
	}
	c.seen = stamps
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.pair = &pair
	c.log.LogAttrs(ctx, slog.LevelInfo, "TLS certificate renewed", slog.String("certificate", c.certFile))
	return nil
}

func (c *certificate) stamps() ([2]stamp, error) {
	var found [2]stamp
	for i, path := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(path)
		if err != nil {
			return found, fmt.Errorf("load TLS certificate: %w", err)
		}
		found[i] = stamp{at: info.ModTime(), size: info.Size()}
	}
	return found, nil
}
