package sftpd

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"

	"latchkey/model"
	"latchkey/service/login"
	"latchkey/service/session"
)

// Tries on one connection. A failed try of any method counts, so that an
// agent may offer nine wrong keys before the right one.
const (
	maxTries     = 10
	maxPasswords = 6
	maxName      = 256 // bytes of a user name
)

// errRefused is all that a client learns.
var errRefused = errors.New("sign-in refused")

// visitor is a connection that has not signed in yet.
type visitor struct {
	server  *Server
	ctx     context.Context //nolint:containedctx // the callbacks of x/crypto/ssh take none
	address string

	passwords int
	offered   bool           // a key that did not sign in
	offer     login.KeyOffer // the last one
	owner     login.KeyOwner // whose it is
	why       error          // why it was refused
}

// entrant is who has signed in.
type entrant struct {
	opened      session.Opened
	fingerprint string       // of the key that signed; empty: a password
	key         model.SSHKey // that key
}

// entrantKey is where Permissions hold the entrant.
type entrantKey struct{}

// The names of what Permissions hold of a key that was offered: identifiers and
// nothing that it proves.
const (
	permAccount     = "account"
	permKey         = "key"
	permFingerprint = "fingerprint"
)

// config is the SSH side of one connection.
func (v *visitor) config() *ssh.ServerConfig {
	c := &ssh.ServerConfig{
		Config: algorithms(), PublicKeyAuthAlgorithms: clientSignatures(), ServerVersion: serverVersion,
		MaxAuthTries:                maxTries,
		PublicKeyCallback:           v.offerKey,
		VerifiedPublicKeyCallback:   v.signedKey,
		PasswordCallback:            v.password,
		KeyboardInteractiveCallback: v.questions,
		BannerCallback:              func(ssh.ConnMetadata) string { return v.server.banner() },
	}
	for _, key := range v.server.keys {
		c.AddHostKey(key.Signer)
	}
	return c
}

// offerKey says whether a key would do. The client has proved nothing: nothing is
// written down.
func (v *visitor) offerKey(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	if !plausible(meta.User()) {
		return nil, errRefused
	}
	o := v.keyOffer(meta, key)
	owner, err := v.server.Login.OfferKey(v.ctx, o)
	if err != nil {
		v.offered, v.offer, v.owner, v.why = true, o, owner, err
		return nil, errRefused
	}
	return &ssh.Permissions{Extensions: map[string]string{
		permAccount: owner.AccountKey, permKey: strconv.FormatInt(owner.SSHKeyID, 10), permFingerprint: o.Fingerprint,
	}}, nil
}

func (v *visitor) keyOffer(meta ssh.ConnMetadata, key ssh.PublicKey) login.KeyOffer {
	return login.KeyOffer{
		Username: meta.User(), Fingerprint: ssh.FingerprintSHA256(key), Address: v.address,
		UserAgent: clientName(meta.ClientVersion()), At: v.server.Now(),
	}
}

// signedKey signs the owner of a key in whose signature is right.
func (v *visitor) signedKey(meta ssh.ConnMetadata, key ssh.PublicKey, perms *ssh.Permissions, _ string) (*ssh.Permissions, error) {
	o := v.keyOffer(meta, key)
	id, err := strconv.ParseInt(perms.Extensions[permKey], 10, 64)
	if err != nil || perms.Extensions[permFingerprint] != o.Fingerprint {
		return nil, errRefused
	}
	in, err := v.server.Login.SignInKey(v.ctx, o, login.KeyOwner{AccountKey: perms.Extensions[permAccount], SSHKeyID: id})
	if err != nil {
		return nil, errRefused
	}
	return admit(entrant{opened: in.Opened, fingerprint: o.Fingerprint, key: in.Key}), nil
}

func admit(e entrant) *ssh.Permissions {
	return &ssh.Permissions{ExtraData: map[any]any{entrantKey{}: e}}
}

// password is the method that knows no second question: with a second factor it
// is refused like a wrong one.
func (v *visitor) password(meta ssh.ConnMetadata, plain []byte) (*ssh.Permissions, error) {
	return v.try(meta, login.Request{Password: string(plain)})
}

// questions asks for the password and, where there is a second factor, for its
// code. Who has a wrong password is never asked for one.
func (v *visitor) questions(meta ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
	answers, err := ask("", "", []string{"Password: "}, []bool{false})
	if err != nil {
		return nil, err
	}
	r := login.Request{Password: answers[0]}
	perms, err := v.try(meta, r)
	if !errors.Is(err, errCodeNext) {
		return perms, err
	}
	if answers, err = ask("", "", []string{"Verification code: "}, []bool{true}); err != nil {
		return nil, err
	}
	if r.Code = strings.TrimSpace(answers[0]); r.Code == "" {
		return nil, errRefused
	}
	return v.attempt(meta, r)
}

// errCodeNext is errRefused for all but questions.
var errCodeNext = errors.New("sign-in refused")

// try is one guess at a password.
func (v *visitor) try(meta ssh.ConnMetadata, r login.Request) (*ssh.Permissions, error) {
	if v.passwords++; v.passwords > maxPasswords {
		return nil, errRefused
	}
	return v.attempt(meta, r)
}

func (v *visitor) attempt(meta ssh.ConnMetadata, r login.Request) (*ssh.Permissions, error) {
	if r.Password == "" || !plausible(meta.User()) {
		return nil, errRefused
	}
	r.Username, r.UserAgent, r.Address = meta.User(), clientName(meta.ClientVersion()), v.address
	opened, err := v.server.Login.SignInSFTP(v.ctx, r)
	switch {
	case errors.Is(err, login.ErrCodeNeeded):
		return nil, errCodeNext
	case err != nil:
		return nil, errRefused
	}
	return admit(entrant{opened: opened}), nil
}

// refused notes a connection that only ever offered keys, and none that did.
func (v *visitor) refused(ctx context.Context) {
	if v.offered && v.passwords == 0 {
		v.server.Login.RefusedKeys(ctx, v.offer, v.owner, v.why)
	}
}

// plausible reports whether the text can be a user name. Others are not looked
// for.
func plausible(name string) bool { return name != "" && len(name) <= maxName && utf8.ValidString(name) }
