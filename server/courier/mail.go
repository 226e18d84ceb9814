package courier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	mail "github.com/wneessen/go-mail"

	"latchkey/service/outbox"
)

// How a connection to a mail server is protected.
const (
	StartTLS = "starttls" // plain at first, then TLS or nothing is sent
	TLS      = "tls"      // from the start, usually port 465
	None     = "none"     // not at all: for a server on this machine
)

// dialogueFor bounds a step of the dialogue with a mail server.
const dialogueFor = 20 * time.Second

// MailConfig is the mail server that takes our mail.
type MailConfig struct {
	Host     string
	Port     int
	User     string // empty: no sign-in
	Password string
	From     string         // an address
	TLS      string         // StartTLS, TLS or None
	Hello    string         // our own name; empty is localhost
	Roots    *x509.CertPool // whose certificates are trusted; nil is the system's
}

// Mailer hands mail to a mail server. It is safe for concurrent use.
type Mailer struct {
	cfg MailConfig
	now func() time.Time
}

// NewMailer makes a Mailer; nothing is sent or asked yet.
func NewMailer(cfg MailConfig, now func() time.Time) *Mailer {
	if cfg.Hello == "" {
		cfg.Hello = "localhost"
	}
	return &Mailer{cfg: cfg, now: now}
}

// Carry is the outbox.Carry of mail.
func (m *Mailer) Carry(ctx context.Context, id string, payload []byte) error {
	var letter outbox.Mail
	if err := json.Unmarshal(payload, &letter); err != nil {
		return errors.New("the message is not mail")
	}
	return m.Send(ctx, id, letter)
}

// Send hands one message to the server and returns when the server has taken
// it. The id becomes the Message-ID, so that a second copy can be told. An
// error is a *MailError.
func (m *Mailer) Send(ctx context.Context, id string, letter outbox.Mail) error {
	message, err := m.compose(id, letter)
	if err != nil {
		return err
	}
	client, err := mail.NewClient(m.cfg.Host, m.options(ctx)...)
	if err != nil {
		return &MailError{Words: "the settings of the mail server cannot be used", said: err}
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return m.explain(err)
	}
	defer func() { _ = client.CloseWithSMTPClient(conn) }() // it has been taken, whatever the goodbye is like
	if err := client.SendWithSMTPClient(conn, message); err != nil {
		return m.explain(err)
	}
	return nil
}

func (m *Mailer) compose(id string, letter outbox.Mail) (*mail.Msg, error) {
	message := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithEncoding(mail.EncodingQP))
	if err := message.From(m.cfg.From); err != nil {
		return nil, &MailError{Words: "the address to send from is none", said: err}
	}
	if err := message.To(letter.To); err != nil {
		return nil, &MailError{Words: "the address to send to is none", said: err}
	}
	_, domain, _ := strings.Cut(m.cfg.From, "@")
	message.SetMessageIDWithValue(id + "@" + domain)
	message.SetDateWithValue(m.now())
	message.Subject(strings.Join(strings.Fields(letter.Subject), " ")) // one line, whatever is in it
	message.SetGenHeader("Auto-Submitted", "auto-generated")           // RFC 3834: no holiday replies
	message.SetBodyString(mail.TypeTextPlain, letter.Text)
	return message, nil
}

func (m *Mailer) options(ctx context.Context) []mail.Option {
	trust := &tls.Config{ServerName: m.cfg.Host, MinVersion: tls.VersionTLS12, RootCAs: m.cfg.Roots}
	all := []mail.Option{
		mail.WithPort(m.cfg.Port), mail.WithTimeout(dialogueFor), mail.WithHELO(m.cfg.Hello), mail.WithoutNoop(),
		mail.WithTLSConfig(trust), mail.WithDialContextFunc(m.dial(ctx, trust)),
	}
	switch m.cfg.TLS {
	case TLS:
		all = append(all, mail.WithSSL())
	case None:
		all = append(all, mail.WithTLSPolicy(mail.NoTLS))
	default:
		all = append(all, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if m.cfg.User == "" {
		return all
	}
	ways := []mail.SMTPAuthType{mail.SMTPAuthPlain, mail.SMTPAuthLogin}
	if m.cfg.TLS == None { // the configuration allows it on this machine only
		ways = []mail.SMTPAuthType{mail.SMTPAuthPlainNoEnc, mail.SMTPAuthLoginNoEnc}
	}
	return append(all, mail.WithOpportunisticSMTPAuth(ways...), mail.WithUsername(m.cfg.User), mail.WithPassword(m.cfg.Password))
}

// dial connects, and cuts the connection when whole ends: the library looks at
// its context while it dials only.
func (m *Mailer) dial(whole context.Context, trust *tls.Config) mail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		var (
			conn net.Conn
			err  error
		)
		if m.cfg.TLS == TLS {
			conn, err = (&tls.Dialer{Config: trust}).DialContext(ctx, network, address)
		} else {
			conn, err = new(net.Dialer).DialContext(ctx, network, address)
		}
		if err != nil {
			return nil, err
		}
		context.AfterFunc(whole, func() { _ = conn.Close() })
		return conn, nil
	}
}

// MailError says in words why a message was not taken. The words hold nothing
// that somebody else said.
type MailError struct {
	Words string
	said  error
}

// Error is the words.
func (e *MailError) Error() string { return e.Words }

// Said is what the server or the machine said, for a person who is testing: it
// may repeat parts of the message, and must not be logged.
func (e *MailError) Said() string {
	if e.said == nil {
		return ""
	}
	return e.said.Error()
}

// explain finds words for what usually goes wrong.
func (m *Mailer) explain(err error) error {
	at := net.JoinHostPort(m.cfg.Host, strconv.Itoa(m.cfg.Port))
	return &MailError{Words: m.words(err, at), said: err}
}

func (m *Mailer) words(err error, at string) string {
	if sent, ok := errors.AsType[*mail.SendError](err); ok {
		return refused(sent, at)
	}
	if wrong := tlsWords(err, m.cfg.Host, at); wrong != "" {
		return wrong
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "there is no host called " + m.cfg.Host
	}
	if netErr, ok := errors.AsType[net.Error](err); ok && netErr.Timeout() {
		return at + " does not answer"
	}
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		return at + " cannot be reached"
	}
	switch text := err.Error(); {
	case strings.Contains(text, "does not support STARTTLS"):
		return at + " offers no STARTTLS: try --smtp-tls tls with port 465"
	case strings.Contains(text, "SMTP AUTH failed"):
		return at + " does not accept the user name and password"
	case strings.Contains(text, "AUTH"), errors.Is(err, mail.ErrNoSupportedAuthDiscovered):
		return at + " offers no way to sign in that this program knows"
	}
	return at + " broke off, or does not speak SMTP"
}

func tlsWords(err error, host, at string) string {
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return at + " does not begin with TLS: try --smtp-tls starttls with port 587"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the certificate of " + at + " is for another name than " + host
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the certificate of " + at + " is not trusted by this machine"
	}
	return ""
}

// refused says which step of the dialogue the server did not like.
func refused(err *mail.SendError, at string) string {
	what := " broke off while it took the message"
	switch err.Reason { //nolint:exhaustive // the others are not the server's doing
	case mail.ErrSMTPMailFrom:
		what = " does not take mail from that address (--smtp-from), or wants a user name"
	case mail.ErrSMTPRcptTo:
		what = " does not take mail to that address"
	case mail.ErrSMTPData, mail.ErrSMTPDataClose:
		what = " refused the message"
	}
	if code := err.ErrorCode(); code != 0 {
		what += fmt.Sprintf(" (%d)", code)
	}
	return at + what
}
