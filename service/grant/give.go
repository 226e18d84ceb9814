package grant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"latchkey/model"
	"latchkey/service/audit"
	"latchkey/service/revocation"
	"latchkey/service/secret"
)

// approved is what an app may have now.
type approved struct {
	clientID   string
	accountKey string
	epoch      int64
	scopes     string
	resource   string
	authTime   model.Time
	amr        string
	address    string
}

// give opens the login of an app with its tokens. use stores them and spends
// what they are given for, in one transaction, and returns how many other logins
// that ended; so does give where use fails.
func (s *Service) give(ctx context.Context, a approved, use func(model.GrantOpening) (int64, error)) (Tokens, int64, error) {
	app, err := s.App(ctx, a.clientID)
	if err != nil {
		return Tokens{}, 0, refused("find app", err)
	}
	scopes := both(a.scopes, app.Scopes) // the app's may have become fewer
	if scopes == "" && a.scopes != "" {
		return Tokens{}, 0, ErrGrant
	}
	now := model.At(s.Now())
	g := model.Grant{
		AccountKey: a.accountKey, ClientID: a.clientID, Scopes: scopes, Resource: a.resource,
		AuthTime: a.authTime, AMR: a.amr, CreatedAt: now,
	}
	lives := s.cfg.Access
	if slices.Contains(strings.Fields(scopes), offlineAccess) {
		lives = s.cfg.Family
		g.RefreshSeconds = int64(s.refreshFor(app) / time.Second)
	}
	opening := s.Opening(Opening{
		AccountKey: a.accountKey, Epoch: a.epoch, App: app, Address: a.address, For: lives, At: now.Time,
	})
	g.LoginID = opening.Login.ID
	tokens, rows := s.mint(g, scopes, now, opening.Login.ExpiresAt.Time)
	ended, err := use(model.GrantOpening{Opening: opening, Grant: g, Tokens: rows})
	switch {
	case errors.Is(err, model.ErrNotFound), errors.Is(err, model.ErrStale):
		return Tokens{}, ended, ErrGrant
	case err != nil:
		return Tokens{}, ended, fmt.Errorf("open login of app: %w", err)
	}
	if ended > 0 {
		s.announce(ctx, a.accountKey)
		s.Note(ctx, audit.Event{
			Kind: audit.DevicesCleaned, AccountKey: a.accountKey, Detail: []slog.Attr{slog.Int64("logins", ended)},
		})
	}
	s.Note(ctx, audit.Event{
		Kind: audit.AppAuthorized, AccountKey: a.accountKey, DeviceKey: opening.Device.Key, Address: a.address,
		Detail: append(appDetail(a.clientID), slog.String("app", app.Name), slog.String("scopes", scopes)),
	})
	return tokens, ended, nil
}

func (s *Service) refreshFor(app App) time.Duration {
	if app.RefreshFor > 0 {
		return app.RefreshFor
	}
	return s.cfg.Refresh
}

// mint makes tokens of a family, which none outlives, and their rows.
func (s *Service) mint(g model.Grant, scopes string, now model.Time, ends time.Time) (Tokens, []model.GrantToken) {
	prefix := secret.OAuthToken
	if g.ClientID == "" {
		prefix = secret.SessionAccess
	}
	row := func(kind model.GrantTokenKind, text, scopes string, lives time.Duration) model.GrantToken {
		expires := now.Add(lives)
		if expires.After(ends) {
			expires = ends
		}
		return model.GrantToken{
			Hash: hashOf(text), Kind: kind, LoginID: g.LoginID, AccountKey: g.AccountKey, Scopes: scopes,
			CreatedAt: now, ExpiresAt: model.At(expires),
		}
	}
	t := Tokens{
		Access: secret.NewBearer(prefix), ClientID: g.ClientID, AccountKey: g.AccountKey, LoginID: g.LoginID,
		Scopes: strings.Fields(scopes), Resource: g.Resource, AuthTime: g.AuthTime.Time, AMR: strings.Fields(g.AMR),
	}
	rows := []model.GrantToken{row(model.AccessToken, t.Access, scopes, s.cfg.Access)}
	t.AccessExpires = rows[0].ExpiresAt.Time
	if g.RefreshSeconds > 0 {
		t.Refresh = secret.NewBearer(secret.RefreshToken)
		rows = append(rows, row(model.RefreshToken, t.Refresh, g.Scopes, time.Duration(g.RefreshSeconds)*time.Second))
		t.RefreshExpires = rows[1].ExpiresAt.Time
	}
	return t, rows
}

// both is the scopes that are in both, with a blank between them.
func both(scopes string, allowed []string) string {
	list := slices.DeleteFunc(strings.Fields(scopes), func(s string) bool { return !slices.Contains(allowed, s) })
	return strings.Join(list, " ")
}

// refused is ErrGrant for what somebody refused, and what went wrong otherwise.
func refused(act string, err error) error {
	if isRefusal(err) {
		return ErrGrant
	}
	return fmt.Errorf("%s: %w", act, err)
}

// announce is the second half of every ending: it returns when nobody remembers
// what was ended.
func (s *Service) announce(ctx context.Context, accountKey string) {
	s.Hub.Publish(ctx, revocation.Notice{AccountKey: accountKey})
}

// appDetail is an app as events name it; the owner's own programs have no name.
func appDetail(clientID string) []slog.Attr {
	if clientID == "" {
		return nil
	}
	return []slog.Attr{slog.String("client_id", clientID)}
}
