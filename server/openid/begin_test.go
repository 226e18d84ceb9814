package openid_test

import (
	"errors"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/model"
	"latchkey/service/access"
	"latchkey/service/client"
	"latchkey/service/oauth"
	"latchkey/service/totp"
)

// changed is a request with one parameter set to these values, or taken away.
func changed(asked url.Values, name string, values ...string) url.Values {
	other := maps.Clone(asked)
	if other[name] = values; len(values) == 0 {
		other.Del(name)
	}
	return other
}

func TestUnknownAppsAndAddressesAreNeverRedirectedTo(t *testing.T) { // O-01
	s := openSite(t)
	c, off := s.app(t), s.app(t)
	if _, err := s.App.Apps.Update(t.Context(), off.ID, client.Edit{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	honest := asks(c, "openid")
	for name, tt := range map[string]struct {
		asked url.Values
		want  error
	}{
		"no client":              {changed(honest, "client_id"), oauth.ErrPageRequest},
		"an empty client":        {changed(honest, "client_id", ""), oauth.ErrPageRequest},
		"two clients":            {changed(honest, "client_id", c.ID, c.ID), oauth.ErrPageRequest},
		"an unknown client":      {changed(honest, "client_id", strings.Repeat("0", 32)), oauth.ErrPageClient},
		"a client in capitals":   {changed(honest, "client_id", strings.ToUpper(c.ID)), oauth.ErrPageClient},
		"a client switched off":  {changed(honest, "client_id", off.ID), oauth.ErrPageClient},
		"no address":             {changed(honest, "redirect_uri"), oauth.ErrPageRequest},
		"two addresses":          {changed(honest, "redirect_uri", callback, callback), oauth.ErrPageRequest},
		"another path":           {changed(honest, "redirect_uri", callback+"/"), oauth.ErrPageRedirect},
		"a longer path":          {changed(honest, "redirect_uri", callback+"2"), oauth.ErrPageRedirect},
		"a query":                {changed(honest, "redirect_uri", callback+"?x=1"), oauth.ErrPageRedirect},
		"a fragment":             {changed(honest, "redirect_uri", callback+"#x"), oauth.ErrPageRedirect},
		"another host":           {changed(honest, "redirect_uri", "https://app.example.evil/callback"), oauth.ErrPageRedirect},
		"a user name":            {changed(honest, "redirect_uri", "https://app.example@evil.example/callback"), oauth.ErrPageRedirect},
		"a backslash":            {changed(honest, "redirect_uri", `https://app.example\@evil.example/callback`), oauth.ErrPageRedirect},
		"another scheme":         {changed(honest, "redirect_uri", "http://app.example/callback"), oauth.ErrPageRedirect},
		"script":                 {changed(honest, "redirect_uri", "javascript:alert(1)"), oauth.ErrPageRedirect},
		"both, and all else bad": {url.Values{"response_type": {"token"}, "state": {"a", "b"}}, oauth.ErrPageRequest},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := s.App.OAuth.Begin(t.Context(), s.url, tt.asked)
			if _, told := errors.AsType[*oauth.RedirectError](err); told || !errors.Is(err, tt.want) {
				t.Errorf("Begin = %+v, %v, want %v", r, err, tt.want)
			}
		})
	}
}

func TestMistakesOfARequestAreToldToItsApp(t *testing.T) { // O-04, O-05, O-09
	s := openSite(t)
	honest := asks(s.app(t), "openid me.read")
	for name, tt := range map[string]struct {
		asked url.Values
		want  string
	}{
		"no response type":        {changed(honest, "response_type"), "invalid_request"},
		"implicit":                {changed(honest, "response_type", "token"), "unsupported_response_type"},
		"hybrid":                  {changed(honest, "response_type", "code id_token"), "unsupported_response_type"},
		"the answer in a form":    {changed(honest, "response_mode", "form_post"), "invalid_request"},
		"the answer in fragments": {changed(honest, "response_mode", "fragment"), "invalid_request"},
		"no challenge":            {changed(changed(honest, "code_challenge"), "code_challenge_method"), "invalid_request"},
		"a method alone":          {changed(honest, "code_challenge"), "invalid_request"},
		"a challenge alone":       {changed(honest, "code_challenge_method"), "invalid_request"},
		"plain":                   {changed(honest, "code_challenge_method", "plain"), "invalid_request"},
		"a method in small":       {changed(honest, "code_challenge_method", "s256"), "invalid_request"},
		"a short challenge":       {changed(honest, "code_challenge", "abc"), "invalid_request"},
		"a padded challenge":      {changed(honest, "code_challenge", honest.Get("code_challenge")+"="), "invalid_request"},
		"another last bit":        {changed(honest, "code_challenge", strings.Repeat("A", 42)+"B"), "invalid_request"},
		"a long challenge":        {changed(honest, "code_challenge", strings.Repeat("A", 128)), "invalid_request"},
		"two challenges":          {changed(honest, "code_challenge", honest.Get("code_challenge"), strings.Repeat("A", 43)), "invalid_request"},
		"two scopes":              {changed(honest, "scope", "openid", "me.read"), "invalid_request"},
		"an unknown scope":        {changed(honest, "scope", "openid pets.feed"), "invalid_scope"},
		"a scope not registered":  {changed(honest, "scope", "openid admin.user.read"), "invalid_scope"},
		"all":                     {changed(honest, "scope", "all"), "invalid_scope"},
		"a request object":        {changed(honest, "request", "e30.e30."), "request_not_supported"},
		"a request elsewhere":     {changed(honest, "request_uri", "https://evil.example/r"), "request_uri_not_supported"},
		"a registration":          {changed(honest, "registration", "{}"), "registration_not_supported"},
		"none and more":           {changed(honest, "prompt", "none login"), "invalid_request"},
		"an unknown prompt":       {changed(honest, "prompt", "create"), "invalid_request"},
		"no age":                  {changed(honest, "max_age", "-1"), "invalid_request"},
		"a word for an age":       {changed(honest, "max_age", "1h"), "invalid_request"},
		"a relative resource":     {changed(honest, "resource", "/files"), "invalid_target"},
		"a resource's fragment":   {changed(honest, "resource", "https://files.example/#x"), "invalid_target"},
		"two resources":           {changed(honest, "resource", "https://a.example", "https://b.example"), "invalid_target"},
		"a long nonce":            {changed(honest, "nonce", strings.Repeat("n", 2000)), "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.App.OAuth.Begin(t.Context(), s.url, tt.asked)
			told := redirected(t, err)
			query := parse(t, told.Location()).Query()
			if query.Get("error") != tt.want || query.Get("state") != "st" || query.Get("iss") != s.url || query.Has("code") {
				t.Errorf("the app is told %v, want %s", query, tt.want)
			}
			if !strings.HasPrefix(told.Location(), callback+"?") {
				t.Errorf("the browser is sent to %s", told.Location())
			}
		})
	}
	_, err := s.App.OAuth.Begin(t.Context(), s.url, changed(honest, "state", "a", "b"))
	if told := redirected(t, err); parse(t, told.Location()).Query().Has("state") {
		t.Error("one of two states is repeated")
	}
}

func TestWhatARequestIsReadAs(t *testing.T) {
	s := openSite(t)
	asked := changed(asks(s.app(t, public), "openid offline_access openid"), "redirect_uri", "http://127.0.0.1:4711/callback")
	asked.Set("prompt", "login consent")
	asked.Set("max_age", "60")
	asked.Set("resource", "https://files.example/api")
	asked.Set("ui_locales", "de") // what nobody knows is ignored
	r, err := s.App.OAuth.Begin(t.Context(), s.url, asked)
	if err != nil {
		t.Fatal(err)
	}
	if !r.App.Public || r.RedirectURI != "http://127.0.0.1:4711/callback" || strings.Join(r.Scopes, " ") != "openid offline_access" ||
		!r.PromptLogin || !r.PromptConsent || r.PromptNone || *r.MaxAge != time.Minute || r.Grants != 90*24*time.Hour || len(r.Texts) != 2 {
		t.Errorf("the request is read as %+v", r)
	}
	left := oauth.AfterSignIn(asked)
	if left.Get("prompt") != "consent" || left.Get("max_age") != "60" || asked.Get("prompt") != "login consent" {
		t.Errorf("after the sign-in: %v", left)
	}
	for _, always := range []string{"0", "00"} { // nobody can be that fresh: it would ask for ever
		asked.Set("max_age", always)
		if left := oauth.AfterSignIn(asked); left.Has("max_age") {
			t.Errorf("after the sign-in that max_age=%s wanted: %v", always, left)
		}
	}
}

// O-12: nobody but the owner, signed in themselves, lets an app in.
func TestNoProgramApprovesAConsent(t *testing.T) {
	s := openSite(t)
	request, err := s.App.OAuth.Begin(t.Context(), s.url, asks(s.app(t), "openid"))
	if err != nil {
		t.Fatal(err)
	}
	guest, lacking := *s.owner.Account, *s.owner.Account
	guest.RoleIDs = []int64{model.RoleGuest}
	lacking.RequiresTwoFactor = true
	for name, tt := range map[string]struct {
		kind  access.CredentialKind
		owner *access.Account
		want  error
	}{
		"a guest":             {access.Guest, s.owner.Account, access.ErrFirstParty},
		"the guest signed in": {access.SessionToken, &guest, access.ErrFirstParty},
		"the static token":    {access.StaticToken, s.owner.Account, access.ErrFirstParty},
		"an API key":          {access.APIKey, s.owner.Account, access.ErrFirstParty},
		"an OAuth token":      {access.OAuthToken, s.owner.Account, access.ErrFirstParty},
		"who must enrol":      {access.SessionToken, &lacking, totp.ErrRequired},
	} {
		t.Run(name, func(t *testing.T) {
			by := s.owner
			by.Kind, by.Account, by.Scopes = tt.kind, tt.owner, access.Scopes{access.All}
			if redirect, err := s.App.OAuth.Approve(t.Context(), by, request); !errors.Is(err, tt.want) || redirect != "" {
				t.Errorf("Approve = %q, %v, want %v", redirect, err, tt.want)
			}
			if err := s.App.OAuth.DeviceDecide(t.Context(), by, "BCDF-GHJK", true); !errors.Is(err, tt.want) {
				t.Errorf("DeviceDecide = %v, want %v", err, tt.want)
			}
			if !errors.Is(tt.want, totp.ErrRequired) && !s.App.OAuth.NeedsSignIn(by, request) {
				t.Error("no sign-in is asked for")
			}
		})
	}
}

func TestOnlyAdminsGiveAdminScopes(t *testing.T) { // O-08
	s := openSite(t)
	c := s.app(t, func(n *client.Registration) { n.Scopes = append(n.Scopes, "admin.user.read") })
	request, err := s.App.OAuth.Begin(t.Context(), s.url, asks(c, "openid admin.user.read"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.App.OAuth.Approve(t.Context(), s.owner, request)
	if told := redirected(t, err); told.Code != "access_denied" {
		t.Errorf("the app is told %s", told.Code)
	}
	s.owner = s.signedIn(t, "admin")
	if s.approve(t, asks(c, "openid admin.user.read")).Get("code") == "" {
		t.Error("the admin cannot give it")
	}
}

func TestWhenTheOwnerIsAsked(t *testing.T) { // RFC 8252 §8.6, O-08
	s := openSite(t)
	confidential, native := s.app(t), s.app(t, public)
	s.approve(t, asks(confidential, "openid profile"))
	for _, uri := range native.RedirectURIs {
		s.approve(t, changed(asks(native, "openid profile"), "redirect_uri", uri))
	}
	stranger := s.app(t)
	for name, tt := range map[string]struct {
		asked url.Values
		want  bool
	}{
		"what was given":                  {asks(confidential, "openid profile"), false},
		"less than was given":             {asks(confidential, "openid"), false},
		"more than was given":             {asks(confidential, "openid profile email"), true},
		"offline access on top":           {asks(confidential, "openid offline_access"), true},
		"an app that wants to ask":        {changed(asks(confidential, "openid"), "prompt", "consent"), true},
		"another app":                     {asks(stranger, "openid"), true},
		"a public app on this machine":    {asks(native, "openid"), true},
		"a public app at its own address": {changed(asks(native, "openid"), "redirect_uri", callback), false},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := s.App.OAuth.Begin(t.Context(), s.url, tt.asked)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := s.App.OAuth.NeedsConsent(t.Context(), s.owner, r); err != nil || got != tt.want {
				t.Errorf("NeedsConsent = %t, %v, want %t", got, err, tt.want)
			}
		})
	}
	r, err := s.App.OAuth.Begin(t.Context(), s.url, changed(asks(confidential, "openid"), "max_age", "60"))
	if err != nil {
		t.Fatal(err)
	}
	if s.App.OAuth.NeedsSignIn(s.owner, r) {
		t.Error("a fresh login must sign in again")
	}
	s.clock.Advance(time.Minute + time.Second)
	if !s.App.OAuth.NeedsSignIn(s.owner, r) {
		t.Error("a login of a minute ago need not sign in again")
	}
}
