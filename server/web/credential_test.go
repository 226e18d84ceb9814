package web_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/fault"
	"latchkey/service/secret"
)

// request is where credentials may stand in one.
type asked struct {
	query         string
	authorization []string
	key           []string
	other         http.Header
}

func (r asked) credential() (web.Sent, error) {
	c := withQuery(r.query)
	c.Request.Header = r.other.Clone()
	if c.Request.Header == nil {
		c.Request.Header = http.Header{}
	}
	if r.authorization != nil {
		c.Request.Header["Authorization"] = r.authorization
	}
	for _, text := range r.key {
		c.Request.Header.Add("x-aPI-kEY", text) // the name's case does not matter (RFC 9110 §5.1)
	}
	return web.Credential(c)
}

func authorization(values ...string) asked { return asked{authorization: values} }

func basicOf(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }

const (
	aKey     = "lka_1"
	otherKey = "lka_2"
	aToken   = "eyJh.eyJz.c2ln"
)

// P-01: where a credential may stand.
func TestCredential(t *testing.T) {
	for name, tt := range map[string]struct {
		request   asked
		text      string
		place     access.Place
		delegated bool
	}{
		"nothing":                            {asked{}, "", access.Nowhere, false},
		"empty everywhere":                   {asked{"api_key=&apikey=x", []string{" "}, []string{"", " "}, nil}, "", access.Nowhere, false},
		"x-api-key":                          {asked{key: []string{aKey}}, aKey, access.InKeyHeader, true},
		"x-api-key, of another form":         {asked{key: []string{"admin"}}, "admin", access.InKeyHeader, true},
		"x-api-key, empty and not":           {asked{key: []string{"", aKey, aKey}}, aKey, access.InKeyHeader, true},
		"a token in x-api-key":               {asked{key: []string{aToken}}, aToken, access.InKeyHeader, true},
		"a key as it is":                     {authorization(aKey), aKey, access.InAuthorization, true},
		"a key after Bearer":                 {authorization("bEARER \t" + aKey + " "), aKey, access.InAuthorization, true},
		"a key after another word":           {authorization("Token " + aKey), "Token " + aKey, access.InAuthorization, true},
		"an OAuth token":                     {authorization("Bearer lko_1"), "lko_1", access.InAuthorization, true},
		"a login's short token":              {authorization("lks_1"), "lks_1", access.InAuthorization, true},
		"a token as it is":                   {authorization(aToken), aToken, access.InAuthorization, false},
		"a token after Bearer":               {authorization("Bearer " + aToken), aToken, access.InAuthorization, false},
		"api_key":                            {asked{query: "a=b&api_key=" + aKey}, aKey, access.InQuery, true},
		"apiKey":                             {asked{query: "apiKey=" + aKey}, aKey, access.InQuery, true},
		"an escaped name and value":          {asked{query: "%61pi_key=lk%61_1"}, aKey, access.InQuery, true},
		"a broken query of somebody else's":  {asked{query: "%zz=1&a;b&api_key=" + aKey}, aKey, access.InQuery, true},
		"Basic":                              {authorization(basicOf("me:" + aKey)), aKey, access.InBasic, true},
		"Basic, in any case, without a name": {authorization("bAsIC  " + strings.TrimPrefix(basicOf(":"+aKey), "Basic ")), aKey, access.InBasic, true},
		"Basic, a key with a colon":          {authorization(basicOf("a:lka_1:2")), "lka_1:2", access.InBasic, true},
		"Basic, a password":                  {authorization(basicOf("me:secret")), "secret", access.InBasic, false},
		"Basic, a token":                     {authorization(basicOf("me:" + aToken)), aToken, access.InBasic, false},
		"Basic, an OAuth token":              {authorization(basicOf("me:lko_1")), "lko_1", access.InBasic, true},
		"Basic, a key as the name":           {authorization(basicOf(aKey + ":")), aKey, access.InBasicName, true},
		"Basic, no password":                 {authorization(basicOf("me:")), basicOf("me:"), access.InAuthorization, false},
		"Basic, no colon":                    {authorization(basicOf(aKey)), basicOf(aKey), access.InAuthorization, false},
		"Basic, not Base64":                  {authorization("Basic " + aKey), "Basic " + aKey, access.InAuthorization, false},
		"Basic, nothing":                     {authorization("Basic"), "Basic", access.InAuthorization, false},
		"one text in two places":             {asked{"", []string{"Bearer " + aKey}, []string{aKey}, nil}, aKey, access.InAuthorization, true},
		"one text in the URL, too":           {asked{"api_key=" + aKey, []string{aKey}, []string{aKey}, nil}, aKey, access.InQuery, true},
		"one text in Basic and x-api-key":    {asked{"", []string{basicOf(":" + aKey)}, []string{aKey}, nil}, aKey, access.InKeyHeader, true},
		"a token in both":                    {asked{"", []string{aToken}, []string{aToken}, nil}, aToken, access.InAuthorization, true},
		"a proxy's Basic and x-api-key":      {asked{"", []string{basicOf("me:secret")}, []string{aKey}, nil}, aKey, access.InKeyHeader, true},
		"a proxy's Basic and the URL":        {asked{"api_key=" + aKey, []string{basicOf("x:y")}, nil, nil}, aKey, access.InQuery, true},
		"a broken Basic and x-api-key":       {asked{"", []string{"Basic %"}, []string{aKey}, nil}, aKey, access.InKeyHeader, true},
		"a cookie":                           {asked{other: http.Header{"Cookie": {"x-api-key=" + aKey + "; api_key=" + aKey}}}, "", access.Nowhere, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tt.request.credential()
			want := web.Sent{Text: tt.text, Place: tt.place, Delegated: tt.delegated}
			if got != want || err != nil {
				t.Errorf("Credential = %+v, %v; want %+v", got, err, want)
			}
		})
	}
}

// P-01: two that differ are refused, and so is what nobody can read for sure.
func TestCredentialsThatAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		request asked
		want    *fault.Error
		text    string
	}{
		"Authorization and x-api-key": {asked{"", []string{aKey}, []string{otherKey}, nil}, web.ErrManyPlaces, "More than one credential was sent"},
		"a token and x-api-key":       {asked{"", []string{aToken}, []string{aKey}, nil}, web.ErrManyPlaces, "More than one credential was sent"},
		"two x-api-key":               {asked{key: []string{aKey, otherKey}}, web.ErrManyPlaces, "More than one credential was sent"},
		"x-api-key and the URL":       {asked{"api_key=" + aKey, nil, []string{otherKey}, nil}, web.ErrManyPlaces, "More than one credential was sent"},
		"Basic and x-api-key":         {asked{"", []string{basicOf("a:" + aKey)}, []string{otherKey}, nil}, web.ErrManyPlaces, "More than one credential was sent"},
		"another scheme and a key":    {asked{"", []string{"Digest x"}, []string{aKey}, nil}, web.ErrManyPlaces, "More than one credential was sent"},
		"the parameter twice":         {asked{query: "api_key=a&api_key=a"}, web.ErrParameter, `parameter "api_key" is given twice`},
		"both parameters":             {asked{query: "api_key=a&apiKey=a"}, web.ErrParameter, `parameter "api_key" is given twice`},
		"a malformed parameter":       {asked{query: "apiKey=%"}, web.ErrParameter, `parameter "api_key" is malformed`},
		"two Authorization and a key": {asked{"", []string{"a", "b"}, []string{aKey}, nil}, web.ErrTwoCredentials, "token is invalidated"},
		"two Authorization with keys": {authorization("Bearer "+aKey, aKey), web.ErrTwoCredentials, "token is invalidated"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tt.request.credential()
			wantFault(t, err, tt.want, tt.text)
			if got != (web.Sent{Delegated: true}) {
				t.Errorf("Credential = %+v, want nothing but that there was a key", got)
			}
		})
	}
}

func TestTokensOfAuthorization(t *testing.T) {
	for header, want := range map[string]string{
		"": "", " ": "", "abc": "abc", " abc\t": "abc", "Bearer abc": "abc", "bearer abc": "abc", "BEARER \t abc ": "abc",
		"Bearer\tabc": "abc", "Bearer": "", "Bearer ": "", "bearerabc": "bearerabc", "Bearer a b": "a b", "Bear": "Bear",
		"Bearer bearer abc": "bearer abc", "Basic YTpi": "b", "Bearer,abc": "Bearer,abc", "basicYTpi": "basicYTpi",
		strings.Repeat("a", 8<<10): strings.Repeat("a", 8<<10),
	} {
		if got, err := authorization(header).credential(); got.Text != want || err != nil {
			t.Errorf("Credential(%q) = %q, %v; want %q", header, got.Text, err, want)
		}
	}
	for name, headers := range map[string][]string{
		"two headers":          {"a", "b"},
		"two that agree":       {"a", "a"},
		"an empty one and one": {"", "a"},
		"one and an empty one": {"a", ""},
		"more than 8 KiB":      {strings.Repeat("a", 8<<10+1)},
		"blanks beyond 8 KiB":  {strings.Repeat(" ", 8<<10) + "a"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := authorization(headers...).credential()
			wantFault(t, err, web.ErrTwoCredentials, "token is invalidated")
			if got != (web.Sent{}) {
				t.Errorf("Credential = %+v", got)
			}
		})
	}
}

// Who sends a key where none belongs is told so, if there is nothing else.
func TestAKeyElsewhereIsSeen(t *testing.T) {
	key := secret.NewBearer(secret.APIKey)
	for name, r := range map[string]asked{
		"a parameter":             {query: "a=b&access_token=" + key},
		"a header":                {other: http.Header{"X-Auth-Token": {key}}},
		"a header with a word":    {other: http.Header{"Proxy-Authorization": {"Bearer " + key}}},
		"with a proxy's password": {query: "token=" + key},
	} {
		want := web.Sent{Text: key, Place: access.Elsewhere, Delegated: true}
		if got, err := r.credential(); got != want || err != nil {
			t.Errorf("%s: Credential = %+v, %v", name, got, err)
		}
		r.authorization = []string{aToken}
		if got, err := r.credential(); got.Text != aToken || got.Delegated || err != nil {
			t.Errorf("%s beside a token: Credential = %+v, %v", name, got, err)
		}
	}
	r := asked{query: "token=" + key[:len(key)-1], other: http.Header{"Cookie": {key}}}
	if got, err := r.credential(); got != (web.Sent{}) || err != nil {
		t.Errorf("what is no key, and a cookie: Credential = %+v, %v", got, err)
	}
}

// Whatever stands in the four places, the result is one of the texts that were
// sent, or nothing, and no place changes what it holds.
func FuzzCredential(f *testing.F) {
	key := secret.NewBearer(secret.APIKey)
	for _, seed := range [][3]string{
		{"", "", ""},
		{"Bearer", "", ""},
		{"bearer \t", "x", "api_key=x"},
		{"Bearer\u00a0x", "", "apiKey=%"},
		{" a ", "a", "api_key=a"},
		{"bearer\xffx", "\x00", "api_key=%00"},
		{basicOf("a:" + key), key, "api_key=" + key},
		{basicOf(key + ":"), "", ""},
		{"Basic " + key, "", "api_key=a&apiKey=b"},
		{"Token " + key, "", "%61pi_key=" + key},
		{"", "", "token=" + key},
		{basicOf("::"), "", ";api_key=a"},
		{"Basic Og==", "", ""},
		{"Basic YTpsa2FfMQ", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, auth, keyHeader, query string) {
		r := asked{query: query, authorization: []string{auth}, key: []string{keyHeader}}
		got, err := r.credential()
		if (err != nil || got.Text == "") && (got.Text != "" || got.Place != access.Nowhere) {
			t.Fatalf("Credential(%q, %q, %q) = %+v, %v", auth, keyHeader, query, got, err)
		}
		if (got.Text == "") != (got.Place == access.Nowhere) {
			t.Fatalf("Credential(%q, %q, %q) = %+v", auth, keyHeader, query, got)
		}
		trimmed := strings.Trim(keyHeader, " \t")
		switch got.Place {
		case access.InAuthorization:
			if !strings.HasSuffix(strings.TrimRight(auth, " \t"), got.Text) {
				t.Fatalf("Credential(%q) = %q, which is not its end", auth, got.Text)
			}
		case access.InKeyHeader:
			if got.Text != trimmed {
				t.Fatalf("x-api-key %q became %q", keyHeader, got.Text)
			}
		case access.InBasic, access.InBasicName:
			raw, err := base64.StdEncoding.DecodeString(strings.Trim(strings.Trim(auth, " \t")[len("basic"):], " \t"))
			if err != nil || !strings.Contains(string(raw), got.Text) {
				t.Fatalf("Basic %q became %q", auth, got.Text)
			}
		case access.InQuery, access.Elsewhere:
			if decoded, err := url.QueryUnescape(query); err == nil && !strings.Contains(decoded, got.Text) && !strings.Contains(query, got.Text) {
				t.Fatalf("the query %q became %q", query, got.Text)
			}
		case access.Nowhere:
		}
		if err == nil && trimmed != "" && got.Text != trimmed {
			t.Fatalf("x-api-key %q is there, and %+v is taken", trimmed, got)
		}
		if again, _ := r.credential(); again != got {
			t.Fatalf("%+v becomes %+v", got, again)
		}
	})
}
