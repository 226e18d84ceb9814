package login

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/account"
	"latchkey/service/audit"
	"latchkey/service/fault"
	"latchkey/service/session"
	"latchkey/service/totp"
)

// ErrNoSFTP says that the account has no right to use the SFTP door.
var ErrNoSFTP = fault.New(fault.Forbidden, "sftp_forbidden", "username or password is incorrect")

// SignInSFTP is SignIn at the SFTP door: the same checks in the same order,
// then the account's right to use that door (ErrNoSFTP). It makes no token: the
// login is one that connections hang on.
func (s *Service) SignInSFTP(ctx context.Context, r Request) (session.Opened, error) {
	r.SFTP, r.ClientID = true, session.SFTPClient("")
	return s.SignIn(ctx, r)
}

// maySFTP fails unless the account may use the door. It is asked when a password
// or a key is right, so the answer is for its owner.
func (s *Service) maySFTP(ctx context.Context, accountKey string) error {
	who, err := s.Accounts.Snapshot(ctx, accountKey)
	switch {
	case err != nil:
		return err
	case who.MustEnrol():
		return totp.ErrRequired
	}
	if who.RightsAt(who.BasePath)&access.RightSFTP == 0 {
		return ErrNoSFTP
	}
	return nil
}

// KeyOffer is an SSH key that somebody says to have.
type KeyOffer struct {
	Username    string
	Fingerprint string
	Address     string // the client's, in full
	UserAgent   string
	At          time.Time // when its signature was verified; OfferKey takes none
}

// KeyOwner is whose key was offered. It proves nothing.
type KeyOwner struct {
	AccountKey string // empty: nobody has the name
	SSHKeyID   int64
}

// KeyLogin is the login that a key's signature made.
type KeyLogin struct {
	session.Opened

	Key model.SSHKey
}

// nobody is the account key that no account has: a name that nobody has costs
// the same look-up of a key.
const nobody = "00000000000000000000000000000000"

// OfferKey says whether the key could sign the account in, if it signed. It
// changes nothing. It fails with ErrCredentials, ErrNoSFTP, or as
// sshkey.Service.ForSignIn does.
func (s *Service) OfferKey(ctx context.Context, o KeyOffer) (KeyOwner, error) {
	found, err := s.findKey(ctx, o)
	return found.owner(), err
}

// candidate is an account, and the key of it that was offered.
type candidate struct {
	account model.Account
	key     model.SSHKey
}

func (c candidate) owner() KeyOwner { return KeyOwner{AccountKey: c.account.Key, SSHKeyID: c.key.ID} }

func (s *Service) findKey(ctx context.Context, o KeyOffer) (candidate, error) {
	a, err := s.Accounts.ForSignIn(ctx, o.Username)
	if err != nil && !errors.Is(err, account.ErrUnknown) {
		return candidate{}, err
	}
	accountKey := a.Key
	if accountKey == "" {
		accountKey = nobody
	}
	key, err := s.SSHKeys.ForSignIn(ctx, accountKey, o.Fingerprint, o.Address)
	switch {
	case err != nil:
	case a.Key == "", a.Disabled, slices.Contains(a.Roles, model.RoleGuest):
		err = ErrCredentials
	default:
		err = s.maySFTP(ctx, a.Key)
	}
	return candidate{account: a, key: key}, err
}

// SignInKey makes the login of a key whose signature has been verified:
// owner is what OfferKey said of it. It checks everything again, because the
// signature took its time. It fails as OfferKey does, or with
// session.ErrOvertaken.
func (s *Service) SignInKey(ctx context.Context, o KeyOffer, owner KeyOwner) (KeyLogin, error) {
	in, err := s.signInKey(ctx, o, owner)
	e := audit.Event{
		Kind: audit.SignedIn, AccountKey: owner.AccountKey, Address: o.Address,
		DeviceKey: s.Sessions.DeviceKey(owner.AccountKey, session.SFTPClient(o.Fingerprint)),
		Detail:    []slog.Attr{slog.Int64("ssh_key_id", owner.SSHKeyID), sftpDoor()},
	}
	if err != nil {
		e.Kind, e.Reason = audit.SignInRefused, fault.Of(err).Code
	}
	s.Audit.Note(ctx, e)
	return in, err
}

func (s *Service) signInKey(ctx context.Context, o KeyOffer, owner KeyOwner) (KeyLogin, error) {
	found, err := s.findKey(ctx, o)
	if err != nil {
		return KeyLogin{}, err
	}
	if found.owner() != owner {
		return KeyLogin{}, ErrCredentials
	}
	opened, err := s.Sessions.Join(ctx, session.Joining{
		AccountKey: found.account.Key, Epoch: found.account.Epoch, Fingerprint: o.Fingerprint, SSHKeyID: found.key.ID,
		UserAgent: o.UserAgent, Address: o.Address,
	})
	if err != nil {
		return KeyLogin{}, err
	}
	if err := s.SSHKeys.Used(ctx, found.key, o.At); err != nil {
		return KeyLogin{}, fmt.Errorf("key of %s: %w", found.account.Key, err)
	}
	if opened.New != nil {
		s.NewDevice(ctx, found.account, *opened.New)
	}
	return KeyLogin{Opened: opened, Key: found.key}, nil
}

// RefusedKeys notes a connection that offered keys and signed in with none. An
// offer alone is no event: agents offer all they have.
func (s *Service) RefusedKeys(ctx context.Context, o KeyOffer, owner KeyOwner, why error) {
	e := audit.Event{
		Kind: audit.SignInRefused, AccountKey: owner.AccountKey, Address: o.Address, Reason: fault.Of(why).Code,
		Detail: []slog.Attr{sftpDoor()},
	}
	if owner.SSHKeyID != 0 {
		e.DeviceKey = s.Sessions.DeviceKey(owner.AccountKey, session.SFTPClient(o.Fingerprint))
		e.Detail = append(e.Detail, slog.Int64("ssh_key_id", owner.SSHKeyID))
	}
	s.Audit.Note(ctx, e)
}

// sftpDoor is where an event happened.
func sftpDoor() slog.Attr { return slog.String("door", "sftp") }
