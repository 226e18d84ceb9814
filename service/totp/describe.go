package totp

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/pquerna/otp"
)

const (
	// qrSize is the edge of the QR image in pixels.
	qrSize = 400
	// labelSize is how many bytes of a name a QR code shows; with every byte
	// escaped the URL still fits into one that a camera can read.
	labelSize = 100
	// defaultIssuer stands for a site without a title.
	defaultIssuer = "Latchkey"
)

// describe puts a secret into the forms that authenticators read.
func describe(issuer, username, secret string) (Enrolment, error) {
	text := keyURL(issuer, username, secret)
	key, err := otp.NewKeyFromURL(text)
	if err != nil {
		return Enrolment{}, fmt.Errorf("read key URL: %w", err)
	}
	img, err := key.Image(qrSize, qrSize)
	if err != nil {
		return Enrolment{}, fmt.Errorf("draw QR code: %w", err)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return Enrolment{}, fmt.Errorf("encode QR code: %w", err)
	}
	qr := "data:image/png;base64," + base64.StdEncoding.EncodeToString(out.Bytes())
	return Enrolment{Secret: secret, URL: text, QR: qr}, nil
}

// keyURL follows https://github.com/google/google-authenticator/wiki/Key-Uri-Format:
// the issuer stands in the label and in the query, and both must agree.
func keyURL(issuer, username, secret string) string {
	issuer = label(issuer)
	if issuer == "" {
		issuer = defaultIssuer
	}
	issuer = escape(issuer)
	return "otpauth://totp/" + issuer + ":" + escape(label(username)) +
		"?secret=" + secret + "&issuer=" + issuer + "&algorithm=SHA1&digits=6&period=30"
}

// label is a name as an authenticator can show it: a colon would end the
// issuer, so it becomes a blank.
func label(name string) string {
	name = strings.ToValidUTF8(strings.ReplaceAll(name, ":", " "), "")
	name = strings.Join(strings.Fields(name), " ")
	for len(name) > labelSize {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

// escape works in a path and in a query alike: authenticators show a "+" as it
// is, so a blank is written "%20".
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
