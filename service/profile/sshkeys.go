package profile

import (
	"context"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/setting"
	"latchkey/service/sshkey"
)

// AddSSHKey adds a key to the caller's account. Where the setting says so, that
// needs a fresh login, and so do the other changes that may widen what a key
// opens. It fails with access.ErrNotFresh or as sshkey.Service.Add does.
func (s *Service) AddSSHKey(ctx context.Context, by access.Caller, title, line string, l sshkey.Limits) (model.SSHKey, error) {
	if err := s.mayWiden(by); err != nil {
		return model.SSHKey{}, err
	}
	return s.SSHKeys.Add(ctx, by, title, line, l)
}

// UpdateSSHKey changes one of the caller's keys. It fails with
// access.ErrNotFresh or as sshkey.Service.Update does.
func (s *Service) UpdateSSHKey(ctx context.Context, by access.Caller, id int64, e sshkey.Edit) error {
	if err := s.mayWiden(by); err != nil {
		return err
	}
	return s.SSHKeys.Update(ctx, by, id, e)
}

// LiftSSHKey lets one of the caller's suspended keys sign in again. It fails
// with access.ErrNotFresh or as sshkey.Service.Lift does.
func (s *Service) LiftSSHKey(ctx context.Context, by access.Caller, id int64) error {
	if err := s.mayWiden(by); err != nil {
		return err
	}
	return s.SSHKeys.Lift(ctx, by, id)
}

func (s *Service) mayWiden(by access.Caller) error {
	if !s.Settings.True(setting.KeySSHKeyProof) {
		return nil
	}
	return by.CheckFresh(s.Now())
}
