package config_test

import (
	"strings"
	"testing"
)

const (
	smtpOn   = "LATCHKEY_SMTP_HOST=mail.example.org"
	smtpFrom = "LATCHKEY_SMTP_FROM=latchkey@example.org"
	site     = "LATCHKEY_SITE_URL=https://login.example.org"
	smtpUser = "LATCHKEY_SMTP_USER=latchkey"
	smtpPass = "LATCHKEY_SMTP_PASSWORD=pass word"
	hookOn   = "LATCHKEY_WEBHOOK_URL=https://example.org/hook?key=1"
	hookKey  = "LATCHKEY_WEBHOOK_SECRET=0123456789abcdef"
)

func TestMailAndWebhooksAreConfiguredWhole(t *testing.T) {
	for name, tt := range map[string]struct {
		environ []string
		want    string // in a mistake; empty if there is none
	}{
		"mail":                          {[]string{smtpOn, smtpFrom, site}, ""},
		"mail with a password":          {[]string{smtpOn, smtpFrom, site, smtpUser, smtpPass}, ""},
		"mail without a site":           {[]string{smtpOn, smtpFrom}, "no site URL says where they lead"},
		"mail from nobody":              {[]string{smtpOn, site}, "sends mail from no address"},
		"a user without a password":     {[]string{smtpOn, smtpFrom, site, smtpUser}, "do not belong together"},
		"a password without a user":     {[]string{smtpOn, smtpFrom, site, smtpPass}, "do not belong together"},
		"a password in the clear":       {[]string{smtpOn, smtpFrom, site, smtpUser, smtpPass, "LATCHKEY_SMTP_TLS=none"}, "would send the password unprotected"},
		"a password on this machine":    {[]string{"LATCHKEY_SMTP_HOST=127.0.0.1", smtpFrom, site, smtpUser, smtpPass, "LATCHKEY_SMTP_TLS=none"}, ""},
		"no password in the clear":      {[]string{smtpOn, smtpFrom, site, "LATCHKEY_SMTP_TLS=none"}, ""},
		"another protection":            {[]string{"LATCHKEY_SMTP_TLS=ssl"}, "is not a way to protect a connection"},
		"a host with a port":            {[]string{"LATCHKEY_SMTP_HOST=mail.example.org:587"}, "neither an address nor a name"},
		"a name with the address":       {[]string{"LATCHKEY_SMTP_FROM=Latchkey <latchkey@example.org>"}, "is not one mail address"},
		"a webhook":                     {[]string{hookOn, hookKey}, ""},
		"a webhook without a secret":    {[]string{hookOn}, "has no secret to sign with"},
		"a short secret":                {[]string{hookOn, "LATCHKEY_WEBHOOK_SECRET=0123456789abcde"}, "too short"},
		"a webhook that is no address":  {[]string{"LATCHKEY_WEBHOOK_URL=example.org/hook", hookKey}, "is not an http:// or https:// address"},
		"a webhook with a password":     {[]string{"LATCHKEY_WEBHOOK_URL=https://a:b@example.org/", hookKey}, "has a user name in it"},
		"a webhook without a host":      {[]string{"LATCHKEY_WEBHOOK_URL=https:///hook", hookKey}, "has no host"},
		"a webhook with a fragment":     {[]string{hookOn + "#x", hookKey}, "has a # in it"},
		"a secret without a webhook":    {[]string{hookKey}, ""},
		"settings of mail and no host":  {[]string{smtpFrom, smtpUser}, ""},
		"a port that is none of theirs": {[]string{"LATCHKEY_SMTP_PORT=0"}, "too small"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tt.environ)
			if tt.want != "" {
				wantLine(t, err, tt.want)
				if strings.Contains(err.Error(), "pass word") {
					t.Errorf("the mistake holds the password: %v", err)
				}
				return
			}
			if err != nil {
				t.Errorf("Load = %v", err)
			}
		})
	}
}
