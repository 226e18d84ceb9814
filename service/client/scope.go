package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/audit"
)

const (
	maxScopeName = 64  // bytes (RFC 6749 §3.3 sets no limit)
	maxScopeText = 200 // characters
)

// ScopeText is a scope in words.
type ScopeText struct {
	Name string
	Text string // one line, for the person who is asked
}

// openID is the scopes of OpenID Connect that mean something here.
func openID() []ScopeText {
	return []ScopeText{
		{"openid", "Know that you are you"},
		{"profile", "See your name and picture"},
		{"email", "See your e-mail address"},
		{"offline_access", "Stay signed in while you are away"},
	}
}

// own is every scope of the server itself that an app can be allowed. "all" is
// not among them: whoever consents must read what is given, and what "all" means
// would grow with every later version without anybody being asked again
// (RFC 9700 §2.3).
func own() []ScopeText {
	list := openID()
	for _, t := range access.Vocabulary() {
		if t.Scope != access.All {
			list = append(list, ScopeText{string(t.Scope), t.Text})
		}
	}
	return list
}

func isOwn(name string) bool {
	return slices.ContainsFunc(own(), func(t ScopeText) bool { return t.Name == name })
}

// CheckScopes is what an app gets that asks for these scopes: each once, in
// their order. An app that asks for none gets all that it is registered for. One
// that it is not registered for, or that does not exist, is ErrScope, and never
// dropped in silence (O-08).
func (s *Service) CheckScopes(c model.OAuthClient, asked []string) ([]string, error) {
	if len(asked) == 0 {
		asked = c.Scopes
	}
	var list []string
	for _, name := range asked {
		if name == string(access.All) || !slices.Contains(c.Scopes, name) {
			return nil, ErrScope.WithText("The app is not registered for the scope " + quoted(name))
		}
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list, nil
}

// Describe puts scopes into words, in their order. One that nobody declared is
// its own text.
func (s *Service) Describe(ctx context.Context, scopes []string) ([]ScopeText, error) {
	all, err := s.Scopes(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]ScopeText, len(scopes))
	for i, name := range scopes {
		list[i] = ScopeText{name, name}
		if at := slices.IndexFunc(all, func(t ScopeText) bool { return t.Name == name }); at >= 0 {
			list[i] = all[at]
		}
	}
	return list, nil
}

// Scopes is every scope that an app can be allowed: those of OpenID Connect,
// ours, then the declared ones.
func (s *Service) Scopes(ctx context.Context) ([]ScopeText, error) {
	declared, err := s.Declared(ctx)
	if err != nil {
		return nil, err
	}
	list := own()
	for _, d := range declared {
		if !isOwn(d.Name) { // declared before it was ours: ours counts
			list = append(list, ScopeText{d.Name, d.Description})
		}
	}
	return list, nil
}

// Declared lists the scopes that the operator declared, by name.
func (s *Service) Declared(ctx context.Context) ([]model.OAuthScope, error) {
	list, err := s.Store.OAuthScopes(ctx)
	if err != nil {
		return nil, fmt.Errorf("list declared scopes: %w", err)
	}
	return list, nil
}

// Declare adds a scope, or describes one in other words. It fails with
// ErrScopeName, ErrScopeReserved, ErrScopeText or ErrScopesTooMany.
func (s *Service) Declare(ctx context.Context, name, text string) error {
	switch {
	case !isScopeName(name):
		return ErrScopeName
	case isReserved(name):
		return ErrScopeReserved
	case !isLine(text, maxScopeText):
		return ErrScopeText
	}
	err := s.Store.DeclareOAuthScope(ctx, model.OAuthScope{Name: name, Description: text, CreatedAt: model.At(s.Now())}, maxScopes)
	if errors.Is(err, model.ErrLimit) {
		return ErrScopesTooMany
	}
	if err != nil {
		return fmt.Errorf("declare scope: %w", err)
	}
	return s.Record(ctx, audit.Event{Kind: audit.ScopeDeclared, Detail: []slog.Attr{slog.String("scope", name)}})
}

// Withdraw takes a declared scope back. It fails with ErrScopeUnknown, and with
// ErrScopeHeld while an app may ask for it: a scope of the same name that is
// declared later must not inherit what was given to another.
func (s *Service) Withdraw(ctx context.Context, name string) error {
	err := s.Store.WithdrawOAuthScope(ctx, name)
	switch {
	case errors.Is(err, model.ErrNotFound):
		return ErrScopeUnknown
	case errors.Is(err, model.ErrConflict):
		return ErrScopeHeld
	case err != nil:
		return fmt.Errorf("withdraw scope: %w", err)
	}
	return s.Record(ctx, audit.Event{Kind: audit.ScopeWithdrawn, Detail: []slog.Attr{slog.String("scope", name)}})
}

// settleScopes puts an app's scopes into order and returns those that are
// declared ones; ErrScopes if one does not exist.
func (s *Service) settleScopes(ctx context.Context, c *model.OAuthClient) ([]string, error) {
	scopes := slices.Compact(slices.Sorted(slices.Values(c.Scopes)))
	others := slices.DeleteFunc(slices.Clone(scopes), isOwn)
	if len(others) > 0 {
		known, err := s.Declared(ctx)
		if err != nil {
			return nil, err
		}
		for _, name := range others {
			if !slices.ContainsFunc(known, func(d model.OAuthScope) bool { return d.Name == name }) {
				return nil, unknownScope(name)
			}
		}
	}
	c.Scopes = scopes
	return others, nil
}

func unknownScope(name string) error {
	if name == string(access.All) {
		return ErrScopes.WithText("An app may not ask for all: name each scope")
	}
	return ErrScopes.WithText("Unknown scope: " + quoted(name))
}

// isScopeName reports whether a scope can be called that: a scope-token of RFC
// 6749 §3.3 without what needs quoting somewhere.
func isScopeName(name string) bool {
	return name != "" && len(name) <= maxScopeName && !strings.ContainsFunc(name, isNone("._:/-"))
}

// isReserved reports whether a name is ours, could become ours in a later
// version, or is OpenID Connect's, in any spelling.
func isReserved(name string) bool {
	folded := strings.ToLower(name)
	if folded == "address" || folded == "phone" { // OpenID Connect Core §5.4
		return true
	}
	subject, _, _ := strings.Cut(folded, ".")
	return slices.ContainsFunc(own(), func(t ScopeText) bool {
		ours, _, _ := strings.Cut(t.Name, ".")
		return ours == subject
	}) || subject == string(access.All)
}

// quoted is a name as a refusal repeats it: cut, and without what does not
// print.
func quoted(name string) string {
	const most = 64
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, name[:min(len(name), most)])
}
