package importer

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"latchkey/model"
	"latchkey/model/alistdb"
	"latchkey/service/sshkey"
)

// What package sshkey allows an account.
const (
	maxKeys  = 100
	maxTitle = 255 // characters
)

// keyRing is the keys of one new account while a plan is made.
type keyRing struct {
	prints map[string]string // fingerprint → title
	titles map[string]bool
}

// planKeys takes the keys of new accounts over. Those of accounts that are here
// already are left alone: what was deleted here must not come back.
func (p *plan) planKeys() {
	count := Count{What: "SSH keys", Found: len(p.dump.Keys)}
	rings := map[int64]*keyRing{}
	present := map[string]bool{}
	for _, key := range p.have.SSHKeys {
		present[key.AccountKey+" "+key.Fingerprint] = true
	}
	for _, source := range p.dump.Keys {
		a, known := p.accounts[source.UserID]
		switch {
		case !known:
			count.Left++
			p.keyLine(source, p.noOwner(source.UserID), "left out")
		case p.fresh[source.UserID]:
			if rings[source.UserID] == nil {
				rings[source.UserID] = &keyRing{prints: map[string]string{}, titles: map[string]bool{}}
			}
			if p.key(source, a, rings[source.UserID]) {
				count.New++
			} else {
				count.Left++
			}
		case p.isThere(source, a, present):
			count.There++
		default:
			count.Left++
		}
	}
	p.report.Counts = append(p.report.Counts, count)
}

// isThere reports whether an account that was here already has the key, or
// reports why the key does not come.
func (p *plan) isThere(source alistdb.SSHKey, a model.Account, present map[string]bool) bool {
	parsed, err := sshkey.Parse(firstEntry(source.Text))
	switch {
	case err != nil:
		p.keyLine(source, reason(err), "left out")
	case !present[a.Key+" "+parsed.Fingerprint]:
		p.keyLine(source, "its account is here already, without this key", "left out: it may have been deleted here; its owner can add it again")
	default:
		return true
	}
	return false
}

// noOwner says why a row has no account.
func (p *plan) noOwner(user int64) string {
	if p.users[user] {
		return "its user was left out"
	}
	return fmt.Sprintf("there is no user %d", user)
}

// key takes one key over, or reports why not.
func (p *plan) key(source alistdb.SSHKey, a model.Account, ring *keyRing) bool {
	for _, odd := range source.Odd {
		p.keyLine(source, odd, "taken as empty")
	}
	parsed, err := sshkey.Parse(firstEntry(source.Text))
	if err != nil {
		p.keyLine(source, reason(err), "left out")
		return false
	}
	if title, taken := ring.prints[parsed.Fingerprint]; taken {
		p.keyLine(source, fmt.Sprintf("the account has this key as %q", title), "left out")
		return false
	}
	if len(ring.prints) >= maxKeys {
		p.keyLine(source, fmt.Sprintf("the account has %d keys", maxKeys), "left out")
		return false
	}
	title := p.title(source, ring)
	ring.prints[parsed.Fingerprint], ring.titles[title] = title, true
	p.in.SSHKeys = append(p.in.SSHKeys, model.SSHKey{
		AccountKey: a.Key, Title: title, Fingerprint: parsed.Fingerprint, PublicKey: parsed.PublicKey,
		Comment: parsed.Comment, AddedAt: orElse(model.At(source.AddedAt), p.at), LastUsedAt: p.notBefore(model.At(source.LastUsedAt)),
	})
	return true
}

// reason is a refusal of Parse in a remark.
func reason(err error) string {
	return "it cannot be used (" + strings.TrimPrefix(err.Error(), "provided key invalid: ") + ")"
}

func orElse(at, otherwise model.Time) model.Time {
	if at.Unix() <= 0 { // Go's zero time, or Unix's
		return otherwise
	}
	return at
}

// notBefore is never for times that AList writes when it means never.
func (p *plan) notBefore(at model.Time) model.Time {
	if at.Unix() <= 0 {
		return model.Time{}
	}
	return at
}

// firstEntry is the line that AList took for the key: the first that is neither
// blank nor a comment.
func firstEntry(text string) string {
	if strings.Contains(text, "PRIVATE KEY") {
		return text // refused in its own words
	}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return line
		}
	}
	return text
}

// title is the key's title as one can be here, and as no other key of the
// account has it.
func (p *plan) title(source alistdb.SSHKey, ring *keyRing) string {
	title := strings.TrimSpace(strings.Map(printable, source.Title))
	if utf8.RuneCountInString(title) > maxTitle {
		title = string([]rune(title)[:maxTitle])
	}
	if !strings.ContainsFunc(title, visible) {
		title = fmt.Sprintf("key %d", source.ID)
	}
	base := title
	for n := 2; ring.titles[title]; n++ {
		ending := fmt.Sprintf(" (%d)", n)
		title = string([]rune(base)[:min(utf8.RuneCountInString(base), maxTitle-len(ending))]) + ending
	}
	if title != source.Title {
		p.keyLine(source, "its title cannot be used, or is another key's", fmt.Sprintf("called %q", title))
	}
	return title
}

func printable(r rune) rune {
	if !unicode.IsGraphic(r) {
		return -1
	}
	return r
}

func visible(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) &&
		!unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

func (p *plan) keyLine(source alistdb.SSHKey, found, done string) {
	p.report.line(Line{Table: tableKeys, ID: source.ID, Name: source.Title, Found: found, Done: done})
}
