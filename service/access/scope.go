package access

import (
	"slices"
	"strings"

	"latchkey/service/fault"
	"latchkey/service/secret"
)

// What is wrong with scopes. Compare with errors.Is; the texts name the scope.
var (
	// ErrScope says that a delegated credential lacks the scope that the request needs.
	ErrScope = fault.New(fault.Forbidden, "scope_missing", "Missing required permission")
	// ErrFirstParty says that no delegated credential may do this, whatever its scopes.
	ErrFirstParty = fault.New(fault.Forbidden, "first_party_only", "Sign in to do this: API keys and OAuth tokens may not")
	// ErrUnknownScope says that a scope is not in the vocabulary.
	ErrUnknownScope = fault.New(fault.Invalid, "scope_unknown", "Unknown permission")
)

// Scope is what a delegated credential may do: resource.action, or All.
type Scope string

// The vocabulary. Routes name what they need of it in server/routes.go.
const (
	All Scope = "all" // every scope of the vocabulary; never what is FirstParty

	MeRead       Scope = "me.read"
	MeUpdate     Scope = "me.update"
	ActivityRead Scope = "activity.read"
	SessionRead  Scope = "session.read"
	SessionEvict Scope = "session.evict"
	SSHKeyRead   Scope = "sshkey.read"
	SSHKeyCreate Scope = "sshkey.create"
	SSHKeyUpdate Scope = "sshkey.update"
	SSHKeyDelete Scope = "sshkey.delete"
	APIKeyRead   Scope = "apikey.read"

	AdminUserRead       Scope = "admin.user.read"
	AdminUserCreate     Scope = "admin.user.create"
	AdminUserUpdate     Scope = "admin.user.update"
	AdminUserDelete     Scope = "admin.user.delete"
	AdminRoleRead       Scope = "admin.role.read"
	AdminRoleUpdate     Scope = "admin.role.update"
	AdminSettingRead    Scope = "admin.setting.read"
	AdminSettingUpdate  Scope = "admin.setting.update"
	AdminSessionRead    Scope = "admin.session.read"
	AdminSessionEvict   Scope = "admin.session.evict"
	AdminSSHKeyRead     Scope = "admin.sshkey.read"
	AdminSSHKeyDelete   Scope = "admin.sshkey.delete"
	AdminAPIKeyRead     Scope = "admin.apikey.read"
	AdminAPIKeyDelete   Scope = "admin.apikey.delete"
	AdminThrottleRead   Scope = "admin.throttle.read"
	AdminThrottleUpdate Scope = "admin.throttle.update"
	AdminAuditRead      Scope = "admin.audit.read"
	AdminOAuthRead      Scope = "admin.oauth.read"
)

// What routes name instead of a scope. Neither can be given to a credential.
const (
	// FirstParty is what takes the owner: changing passwords, second factors and
	// recovery codes, making or widening keys, apps, consents and logins.
	FirstParty Scope = "(first party)"
	// Open is a route that looks at no credential.
	Open Scope = "(open)"
)

// ScopeText is a scope in words.
type ScopeText struct {
	Scope Scope
	Text  string // one line, for the person who gives it
}

// Vocabulary is every scope that a credential can be given, with one line of
// text each.
func Vocabulary() []ScopeText {
	return []ScopeText{
		{All, "Everything below, as far as the owner may do it"},
		{MeRead, "See your account: name, roles, folders and rights"},
		{MeUpdate, "Change your name"},
		{ActivityRead, "See what happened to your account"},
		{SessionRead, "List your devices and open connections"},
		{SessionEvict, "Sign out your devices"},
		{SSHKeyRead, "List your SSH keys"},
		{SSHKeyCreate, "Add SSH keys, which sign in over SFTP"},
		{SSHKeyUpdate, "Change your SSH keys, and let suspended ones in again"},
		{SSHKeyDelete, "Delete your SSH keys"},
		{APIKeyRead, "List your API keys, without their text"},
		{AdminUserRead, "List all accounts"},
		{AdminUserCreate, "Create accounts"},
		{AdminUserUpdate, "Change accounts, but not their passwords"},
		{AdminUserDelete, "Delete accounts"},
		{AdminRoleRead, "List roles"},
		{AdminRoleUpdate, "Create, change and delete roles"},
		{AdminSettingRead, "Read settings, except secret ones"},
		{AdminSettingUpdate, "Change settings, except secret ones"},
		{AdminSessionRead, "List everybody's devices and connections"},
		{AdminSessionEvict, "Sign out everybody's devices"},
		{AdminSSHKeyRead, "List everybody's SSH keys"},
		{AdminSSHKeyDelete, "Delete everybody's SSH keys"},
		{AdminAPIKeyRead, "List everybody's API keys, without their text"},
		{AdminAPIKeyDelete, "Delete everybody's API keys"},
		{AdminThrottleRead, "List refused names and addresses"},
		{AdminThrottleUpdate, "Lift limits on sign-ins"},
		{AdminAuditRead, "Read the audit log"},
		{AdminOAuthRead, "List registered apps and declared scopes"},
	}
}

// IsAdmin reports whether only admins can give the scope.
func (s Scope) IsAdmin() bool { return strings.HasPrefix(string(s), "admin.") }

// IsKnown reports whether the scope is in the vocabulary.
func (s Scope) IsKnown() bool {
	return slices.ContainsFunc(Vocabulary(), func(t ScopeText) bool { return t.Scope == s })
}

// Scopes is what a credential may do, in the order of the alphabet, each once.
type Scopes []Scope

// ParseScopes reads scopes of the vocabulary. It fails with ErrUnknownScope,
// which names the first that is not in it.
func ParseScopes(names []string) (Scopes, error) {
	list := make(Scopes, 0, len(names))
	for _, name := range names {
		if !Scope(name).IsKnown() {
			return nil, ErrUnknownScope.WithText("Unknown permission: " + quoted(name))
		}
		list = append(list, Scope(name))
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// Allow reports whether the scope is among them, or All is.
func (l Scopes) Allow(s Scope) bool {
	if s == FirstParty || s == Open {
		return false
	}
	return slices.Contains(l, s) || slices.Contains(l, All)
}

// Cover reports whether whoever has these scopes has those, too: nothing is
// wider than All but what it does not include.
func (l Scopes) Cover(those Scopes) bool {
	return !slices.ContainsFunc(those, func(s Scope) bool { return !l.Allow(s) })
}

// Names is the scopes as text.
func (l Scopes) Names() []string {
	names := make([]string, len(l))
	for i, s := range l {
		names[i] = string(s)
	}
	return names
}

// String is the scopes with a blank between them, as rows keep them.
func (l Scopes) String() string { return strings.Join(l.Names(), " ") }

const maxQuoted = 64 // bytes of somebody's text that an answer repeats

// quoted is a name as a refusal repeats it: cut, and without what does not print
// or is a key that somebody sent in the wrong field.
func quoted(name string) string {
	name = secret.Hide(name)
	name = name[:min(len(name), maxQuoted)]
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, name)
}
