package login

import (
	"context"
	"errors"

	"latchkey/model"
	"latchkey/service/account"
)

// ProveOnce has a stranger show what a sign-in asks for, in the same order,
// under the same limits and with the same refusals, and then does what that is
// needed for. No login and no device come of it. Then gets the account that the
// proof was held against and must fail if its epoch is another by now. A refusal
// is noted as that of a sign-in. ProveOnce fails as SignIn does, or as then does.
func (s *Service) ProveOnce(ctx context.Context, r Request, then func(a model.Account) error) error {
	var acted bool // what then says is not about signing in
	a, err := s.Accounts.ForSignIn(ctx, r.Username)
	if err == nil || errors.Is(err, account.ErrUnknown) {
		err = s.proveOnce(ctx, r, a, func() error {
			acted = true
			return then(a)
		})
	}
	if err != nil && !acted {
		s.record(ctx, r, a, err)
	}
	return err
}

func (s *Service) proveOnce(ctx context.Context, r Request, a model.Account, then func() error) error {
	from, err := s.source(ctx, r, a)
	if err != nil {
		return err
	}
	if err := s.prove(ctx, from, r.proof(), a, then); err != nil {
		return err
	}
	s.Upgrade(ctx, a, r.proof().static())
	return nil
}
