package watch

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"latchkey/model"
	"latchkey/service/outbox"
)

const (
	maxAgent = 120 // bytes of a user agent that are told
	maxTitle = 60  // bytes of the site's title in a subject
)

func (s *Service) newDeviceMail(a model.Account, d model.Device, notMe string) outbox.Mail {
	device := told(d.UserAgent, maxAgent)
	if device == "" {
		device = "it did not say"
	}
	return outbox.Mail{
		Subject: "New sign-in to " + s.title(),
		Text: fmt.Sprintf(`Hello %s,

your account on %s was just used from a device or place that is new to it.

  When:     %s
  Device:   %s
  Address:  %s

If this was you, there is nothing to do.

If this was not you, open this link and press the button there:

%s

It signs that device out at once and has you choose a new password, because
whoever it was knows the present one. The link works once, for 7 days.
`, name(a), s.place(), when(d.CreatedAt.Time), device, told(d.IP, maxAgent), notMe),
	}
}

func (s *Service) confirmMail(a model.Account, confirm string) outbox.Mail {
	return outbox.Mail{
		Subject: "Confirm your e-mail address for " + s.title(),
		Text: fmt.Sprintf(`Hello,

this address was given for the account %s on %s.

To confirm that it is yours, open this link and press the button there:

%s

The link works once, for 24 hours. If you know nothing of this, ignore this
message: without the link nothing of importance is sent to you.
`, name(a), s.place(), confirm),
	}
}

func (s *Service) changedMail(a model.Account) outbox.Mail {
	return outbox.Mail{
		Subject: "Your e-mail address for " + s.title() + " was changed",
		Text: fmt.Sprintf(`Hello %s,

the e-mail address of your account on %s was changed or removed. From now on
messages about the account do not come to this address.

If this was not you, sign in, change your password and the address, and sign
out the devices that you do not know. If you cannot sign in, ask an admin.
`, name(a), s.place()),
	}
}

func (s *Service) passwordMail(a model.Account, set string) outbox.Mail {
	return outbox.Mail{
		Subject: "Choose a new password for " + s.title(),
		Text: fmt.Sprintf(`Hello %s,

a sign-in to your account on %s was reported as not yours. The device is
signed out, and your present password lets nobody in any more.

If you have not chosen a new password yet, do it here:

%s

The link works once, for 1 hour. After that, ask an admin.
`, name(a), s.place(), set),
	}
}

// place is where the account is: what the site calls itself, and its address.
func (s *Service) place() string {
	if s.SiteURL == "" {
		return s.title()
	}
	return s.title() + " (" + s.SiteURL + ")"
}

func (s *Service) title() string {
	if t := told(s.Title(), maxTitle); t != "" {
		return t
	}
	return "Latchkey"
}

// name is the account's name, which cannot be mistaken for our own words.
func name(a model.Account) string { return told(a.Username, maxAgent) }

func when(at time.Time) string { return at.UTC().Format("2 January 2006, 15:04 UTC") }

// told is text of somebody else's making, in one line, cut, and without what
// mail programs would make a link of.
func told(text string, size int) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.ReplaceAll(text, "://", ":/ /")
	if len(text) <= size {
		return strings.TrimSpace(text)
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return strings.TrimSpace(text[:size]) + "…"
}
