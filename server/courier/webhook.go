package courier

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// SignatureHeader carries when a webhook was signed and the signature:
// t=SECONDS,v1=HEX, the HMAC-SHA-256 of "SECONDS.BODY".
const SignatureHeader = "Latchkey-Signature"

// maxReply is how much of an answer is read, so that its connection can be used
// again.
const maxReply = 64 << 10

// Webhook posts messages to one address. It is safe for concurrent use.
type Webhook struct {
	url    string
	secret []byte
	client *http.Client
	now    func() time.Time
}

// NewWebhook makes a Webhook. Redirects are not followed: what is signed for
// one address is not for another.
func NewWebhook(url, secret string, now func() time.Time) *Webhook {
	return &Webhook{url: url, secret: []byte(secret), now: now, client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Carry is the outbox.Carry of webhooks: it posts the payload, which is JSON.
// Any status from 200 to 299 says that it was taken.
func (w *Webhook) Carry(ctx context.Context, _ string, payload []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(payload))
	if err != nil {
		return errors.New("the webhook's address cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Latchkey")
	req.Header.Set(SignatureHeader, w.sign(payload))
	resp, err := w.client.Do(req)
	if err != nil { // the library's words have the address in them, which may be a secret itself
		return errors.New("the webhook cannot be reached")
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxReply))
	if resp.StatusCode < http.StatusOK || resp.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("the webhook answered %d", resp.StatusCode)
	}
	return nil
}

func (w *Webhook) sign(body []byte) string {
	at := strconv.FormatInt(w.now().Unix(), 10)
	mac := hmac.New(sha256.New, w.secret)
	_, _ = fmt.Fprintf(mac, "%s.", at) // a hash takes everything
	_, _ = mac.Write(body)
	return "t=" + at + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
