package config

import (
	"net/mail"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Notices are where messages about accounts go.
type Notices struct {
	SMTPHost string // empty: no mail is sent
	SMTPPort int
	SMTPUser string // empty: no sign-in
	SMTPFrom string // an address
	SMTPTLS  string // starttls, tls or none

	WebhookURL string // empty: nothing is posted

	SMTPPassword  Secret
	WebhookSecret Secret // signs what is posted
}

// Mails reports whether mail is sent.
func (n Notices) Mails() bool { return n.SMTPHost != "" }

const (
	smtpPort    = 587
	smtpStart   = "starttls"
	smtpTLS     = "tls"
	smtpNone    = "none"
	minHookKey  = 16  // characters
	maxSecret   = 256 // characters
	maxMailName = 254 // bytes (RFC 5321, section 4.5.3.1)
)

func noticeSettings() []setting {
	return []setting{
		{
			"smtp-host", "mail server that takes messages to people; empty sends none",
			text(func(c *Config) *string { return &c.SMTPHost }, hostName, "a host name or an address, such as mail.example.org"),
		},
		{
			"smtp-port", "port of the mail server",
			count(func(c *Config) *int { return &c.SMTPPort }, 1, 65535),
		},
		{
			"smtp-user", "user name at the mail server; empty does not sign in there",
			text(func(c *Config) *string { return &c.SMTPUser }, anything, "a name"),
		},
		{
			"smtp-from", "address that messages come from",
			text(func(c *Config) *string { return &c.SMTPFrom }, mailAddress, "an address, such as latchkey@example.org"),
		},
		{
			"smtp-tls", "how the way to the mail server is protected",
			text(func(c *Config) *string { return &c.SMTPTLS }, smtpProtection, "starttls, tls (port 465), or none for a server on this machine").few(),
		},
		{
			"webhook-url", "address that events about accounts are posted to; empty posts none",
			text(func(c *Config) *string { return &c.WebhookURL }, hookURL, "an http:// or https:// address, such as https://example.org/hooks/latchkey"),
		},
	}
}

func noticeSecrets() []secretSetting {
	return []secretSetting{
		{
			envPrefix + "SMTP_PASSWORD", "password at the mail server",
			"1 to 256 printable characters",
			func(c *Config) *Secret { return &c.SMTPPassword }, smtpPassword,
		},
		{
			envPrefix + "WEBHOOK_SECRET", "secret that signs what is posted to the webhook",
			"16 to 256 printable characters, such as openssl rand -hex 32 makes",
			func(c *Config) *Secret { return &c.WebhookSecret }, hookSecret,
		},
	}
}

func hostName(in string) string {
	if in != "" && !isHost(in) {
		return "is neither an address nor a name (no port, no brackets)"
	}
	return ""
}

func mailAddress(in string) string {
	if in == "" {
		return ""
	}
	read, err := mail.ParseAddress(in)
	if err != nil || read.Address != in || len(in) > maxMailName {
		return "is not one mail address"
	}
	return ""
}

func smtpProtection(in string) string {
	if in != smtpStart && in != smtpTLS && in != smtpNone {
		return "is not a way to protect a connection"
	}
	return ""
}

// hookURL takes an address with a path and a query. Its user name and password
// would be shown by config print.
func hookURL(in string) string {
	if in == "" {
		return ""
	}
	u, err := url.Parse(in)
	switch {
	case err != nil || u.Opaque != "" || (u.Scheme != "http" && u.Scheme != "https"):
		return "is not an http:// or https:// address"
	case u.User != nil:
		return "has a user name in it"
	case !hasGoodHost(u) || !hasGoodPort(u):
		return "has no host, or one that is neither an address nor a name"
	case strings.Contains(in, "#"):
		return "has a # in it, which is not sent"
	}
	return ""
}

func smtpPassword(in string) string { return secretText(in, 1) }
func hookSecret(in string) string   { return secretText(in, minHookKey) }

func secretText(in string, least int) string {
	switch length := utf8.RuneCountInString(in); {
	case in == "":
		return "is empty"
	case unprintable(in) != "":
		return unprintable(in)
	case length < least:
		return "is too short"
	case length > maxSecret:
		return "is too long"
	}
	return ""
}

// checkNotices judges what mail and webhook need beside them.
func (c Config) checkNotices(sound map[string]setting, add func(s setting, problem, want string)) {
	if host, ok := sound["smtp_host"]; ok && c.Mails() {
		c.checkMail(host, sound, add)
	}
	if hook, ok := sound["webhook_url"]; ok && c.WebhookURL != "" && !c.WebhookSecret.IsSet() {
		add(hook, "has no secret to sign with", envPrefix+"WEBHOOK_SECRET, too")
	}
}

func (c Config) checkMail(host setting, sound map[string]setting, add func(s setting, problem, want string)) {
	if _, ok := sound["site_url"]; ok && c.SiteURL == "" {
		add(host, "sends links, and no site URL says where they lead", "--site-url, too")
	}
	if _, ok := sound["smtp_from"]; ok && c.SMTPFrom == "" {
		add(host, "sends mail from no address", "--smtp-from, too")
	}
	if user, ok := sound["smtp_user"]; ok && (c.SMTPUser == "") == c.SMTPPassword.IsSet() {
		add(user, "and "+envPrefix+"SMTP_PASSWORD do not belong together", "both, or neither, of name and password")
	}
	if way, ok := sound["smtp_tls"]; ok && c.SMTPTLS == smtpNone && c.SMTPPassword.IsSet() && !isLoopback(c.SMTPHost) {
		add(way, "would send the password unprotected to "+shown(c.SMTPHost), "starttls or tls, or a server on this machine")
	}
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}
