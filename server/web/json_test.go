package web_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"latchkey/server/web"
	"latchkey/service/fault"
)

// request has a field of every type a door binds.
type request struct {
	Username string         `json:"username"`
	Code     web.Code       `json:"otp_code"`
	ID       int64          `json:"id"`
	Small    uint8          `json:"small"`
	Rate     float64        `json:"rate"`
	Disabled bool           `json:"disabled"`
	Roles    []int64        `json:"role"`
	Note     *string        `json:"note"`
	Inner    *inner         `json:"inner"`
	Extra    map[string]any `json:"extra"`
}

type inner struct {
	Path string `json:"path"`
}

func TestJSONTakes(t *testing.T) {
	note := "n"
	for name, tt := range map[string]struct {
		body string
		want request
	}{
		"an empty object":                   {`{}`, request{}},
		"an object in blanks":               {" \r\n\t{} \n", request{}},
		"keys in any case":                  {`{"USERNAME":"a","Otp_Code":"1"}`, request{Username: "a", Code: "1"}},
		"an escaped key":                    {`{"\u0075sername":"a"}`, request{Username: "a"}},
		"unknown keys":                      {`{"password2":{"username":"b"},"username":"a"}`, request{Username: "a"}},
		"null for everything":               {`{"username":null,"otp_code":null,"id":null,"role":null,"note":null,"inner":null}`, request{}},
		"one key in two objects":            {`{"inner":{"path":"/"},"extra":{"path":"x"}}`, request{Inner: &inner{"/"}, Extra: map[string]any{"path": "x"}}},
		"one key in two objects of a list":  {`{"x":[{"a":1},{"a":1}]}`, request{}},
		"a key that is a value too":         {`{"x":"x","y":["x","x"]}`, request{}},
		"tab and line ends in text":         {`{"username":"a\tb\r\nc"}`, request{Username: "a\tb\r\nc"}},
		"quotes and backslashes":            {`{"username":"\"\\\/","x":"\\"}`, request{Username: `"\/`}},
		"braces in text":                    {`{"username":"{[,:]}"}`, request{Username: "{[,:]}"}},
		"a surrogate pair":                  {`{"username":"\ud83d\ude00"}`, request{Username: "😀"}},
		"a replacement character":           {`{"username":"\ufffd�"}`, request{Username: "��"}},
		"text beyond ASCII":                 {`{"username":"Zoë 王 😀"}`, request{Username: "Zoë 王 😀"}},
		"numbers at their limits":           {`{"id":9223372036854775807,"small":255,"rate":-1.5e300}`, request{ID: 1<<63 - 1, Small: 255, Rate: -1.5e300}},
		"a negative number":                 {`{"id":-9223372036854775808}`, request{ID: -1 << 63}},
		"lists and optional strings":        {`{"role":[1,2],"note":"n","disabled":true}`, request{Roles: []int64{1, 2}, Note: &note, Disabled: true}},
		"a code as a string":                {`{"otp_code":"012345"}`, request{Code: "012345"}},
		"a code in blanks":                  {`{"otp_code":" 012345\n"}`, request{Code: "012345"}},
		"a code of letters, for a recovery": {`{"otp_code":"abcd-efgh"}`, request{Code: "abcd-efgh"}},
		"an empty code":                     {`{"otp_code":""}`, request{}},
		"a code as a number":                {`{"otp_code":123456}`, request{Code: "123456"}},
		"a number that lost its zeros":      {`{"otp_code":42}`, request{Code: "000042"}},
		"the code 0":                        {`{"otp_code":0}`, request{Code: "000000"}},
		"nesting of 32":                     {`{"x":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`, request{}},
	} {
		t.Run(name, func(t *testing.T) {
			var got request
			if err := web.JSON(post("/", "application/json", tt.body), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const (
	notJSON   = "request body is not valid JSON"
	notObject = "request body must be a JSON object"
	empty     = "request body is empty"
	notText   = "request body must not contain control characters or broken text"
	twice     = "request body names a field twice"
	tooDeep   = "request body is nested too deeply"
	tooGreat  = "a number in the request body is out of range"
	notCode   = `field "otp_code" must be a code of up to six digits`
	notNumber = `field "id" must be a whole number`
	notString = `field "username" must be a string`
)

// malformed are bodies that nobody may get past JSON, with the words they get.
func malformed() map[string]struct{ body, text string } {
	return map[string]struct{ body, text string }{
		"nothing":                             {"", empty},
		"blanks":                              {" \r\n\t ", empty},
		"a form":                              {"username=a&password=b", notJSON},
		"XML":                                 {"<a/>", notJSON},
		"YAML":                                {"username: a", notJSON},
		"msgpack":                             {"\x81\xa8username\xa1a", notJSON},
		"gzip":                                {"\x1f\x8b\x08\x00\x00\x00\x00\x00", notJSON},
		"UTF-16":                              {"{\x00}\x00", notJSON},
		"UTF-16 with its mark":                {"\xff\xfe{\x00}\x00", notJSON},
		"a byte order mark":                   {"\ufeff{}", notJSON},
		"a NUL before":                        {"\x00{}", notJSON},
		"a NUL after":                         {"{}\x00", notJSON},
		"a form feed around":                  {"\f{}", notJSON},
		"a no-break space around":             {"\u00a0{}", notJSON},
		"an open object":                      {"{", notJSON},
		"an open key":                         {`{"username`, notJSON},
		"a key alone":                         {`{"username"}`, notJSON},
		"a missing value":                     {`{"username":}`, notJSON},
		"a missing colon":                     {`{"username" "a"}`, notJSON},
		"an open string":                      {`{"username":"a}`, notJSON},
		"an open escape":                      {`{"username":"\`, notJSON},
		"an unknown escape":                   {`{"username":"\x41"}`, notJSON},
		"a short escape":                      {`{"username":"\u12"}`, notJSON},
		"an escape that is not hex":           {`{"username":"\u12g4"}`, notJSON},
		"a comma at the end":                  {`{"username":"a",}`, notJSON},
		"a comma at the start":                {`{,"username":"a"}`, notJSON},
		"two commas":                          {`{"id":1,,"small":2}`, notJSON},
		"single quotes":                       {`{'username':'a'}`, notJSON},
		"no quotes":                           {`{username:"a"}`, notJSON},
		"a number as key":                     {`{1:"a"}`, notJSON},
		"a comment":                           {`{/* */"username":"a"}`, notJSON},
		"a line comment":                      {"{} // hi", notJSON},
		"two objects":                         {`{}{}`, notJSON},
		"two objects on lines":                {"{}\n{}", notJSON},
		"garbage after":                       {`{}x`, notJSON},
		"a bracket after":                     {`{}}`, notJSON},
		"brackets that cross":                 {`{"x":[}]`, notJSON},
		"NaN":                                 {`{"rate":NaN}`, notJSON},
		"Infinity":                            {`{"rate":-Infinity}`, notJSON},
		"hex":                                 {`{"id":0x10}`, notJSON},
		"a leading zero":                      {`{"id":01}`, notJSON},
		"a plus":                              {`{"id":+1}`, notJSON},
		"a dot before":                        {`{"rate":.5}`, notJSON},
		"a dot after":                         {`{"rate":5.}`, notJSON},
		"an exponent without digits":          {`{"rate":1e}`, notJSON},
		"True":                                {`{"disabled":True}`, notJSON},
		"undefined":                           {`{"note":undefined}`, notJSON},
		"a line break in a string":            {"{\"username\":\"a\nb\"}", notJSON},
		"a raw NUL in a string":               {"{\"username\":\"a\x00b\"}", notJSON},
		"invalid UTF-8 in a string":           {"{\"username\":\"a\xffb\"}", notJSON},
		"overlong UTF-8":                      {"{\"username\":\"\xc0\xaf\"}", notJSON},
		"a surrogate in UTF-8":                {"{\"username\":\"\xed\xa0\x80\"}", notJSON},
		"a cut character":                     {"{\"username\":\"\xe2\x82\"}", notJSON},
		"invalid UTF-8 in an unknown key":     {"{\"x\xff\":1}", notJSON},
		"a list":                              {`[]`, notObject},
		"a list of objects":                   {`[{"username":"a"}]`, notObject},
		"null":                                {`null`, notObject},
		"true":                                {`true`, notObject},
		"a number":                            {`1`, notObject},
		"a string":                            {`"{}"`, notObject},
		"an escaped NUL":                      {`{"username":"a\u0000"}`, notText},
		"an escaped escape character":         {`{"username":"\u001b[2J"}`, notText},
		"a backspace":                         {`{"username":"a\b"}`, notText},
		"an escaped form feed":                {`{"username":"a\f"}`, notText},
		"a raw DEL":                           {"{\"username\":\"\x7f\"}", notText},
		"an escaped DEL":                      {`{"username":"\u007F"}`, notText},
		"a raw C1 control":                    {"{\"username\":\"\u0085\"}", notText},
		"an escaped C1 control":               {`{"username":"\u009b"}`, notText},
		"a control character in an unknown":   {`{"x":["\u0001"]}`, notText},
		"a control character in a key":        {`{"user\u0000name":"a"}`, notText},
		"a lone high surrogate":               {`{"username":"\ud800"}`, notText},
		"a lone low surrogate":                {`{"username":"\udc00"}`, notText},
		"two high surrogates":                 {`{"username":"\ud800\ud800"}`, notText},
		"surrogates in the wrong order":       {`{"username":"\udc00\ud800"}`, notText},
		"a high surrogate before text":        {`{"username":"\ud800abcdefgh"}`, notText},
		"a high surrogate before an escape":   {`{"username":"\ud800\n\u0041"}`, notText},
		"a lone surrogate in an unknown":      {`{"x":{"y":"\udfff"}}`, notText},
		"a lone surrogate in a key":           {`{"\ud800":1}`, notText},
		"a key twice":                         {`{"username":"a","username":"b"}`, twice},
		"a key twice with one value":          {`{"username":"a","username":"a"}`, twice},
		"a key in two cases":                  {`{"Username":"a","username":"b"}`, twice},
		"a key raw and escaped":               {`{"username":"a","\u0075sername":"b"}`, twice},
		"a key with a Kelvin sign":            {`{"key":"a","\u212aey":"b"}`, twice},
		"a key with a long s":                 {`{"username":"a","u\u017fername":"b"}`, twice},
		"an unknown key twice":                {`{"x":1,"y":2,"X":3}`, twice},
		"a key twice further in":              {`{"x":[{"a":1,"b":{},"A":2}]}`, twice},
		"a key twice around an object":        {`{"x":{"x":1},"x":2}`, twice},
		"the empty key twice":                 {`{"":1,"":2}`, twice},
		"nesting of 33":                       {`{"x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, tooDeep},
		"nesting of objects":                  {strings.Repeat(`{"x":`, 40) + "1" + strings.Repeat("}", 40), tooDeep},
		"nesting beyond the parser":           {`{"x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, notJSON},
		"a number beyond a float":             {`{"rate":1e999999}`, tooGreat},
		"a number beyond a float, unknown":    {`{"x":[-1e400]}`, tooGreat},
		"a number of a thousand digits":       {`{"x":0.` + strings.Repeat("1", 1000) + `}`, tooGreat},
		"a number for a string":               {`{"username":1}`, notString},
		"a bool for a string":                 {`{"username":true}`, notString},
		"a list for a string":                 {`{"username":["a"]}`, notString},
		"an object for a string":              {`{"username":{"$ne":""}}`, notString},
		"a number for an optional string":     {`{"note":1}`, `field "note" must be a string`},
		"a string for a number":               {`{"id":"1"}`, notNumber},
		"a fraction for a number":             {`{"id":1.5}`, notNumber},
		"an exponent for a number":            {`{"id":1e2}`, notNumber},
		"a number beyond int64":               {`{"id":9223372036854775808}`, notNumber},
		"a number beyond uint8":               {`{"small":256}`, `field "small" must be a whole number`},
		"a negative for an unsigned":          {`{"small":-1}`, `field "small" must be a whole number`},
		"a string for a float":                {`{"rate":"1"}`, `field "rate" must be a number`},
		"a string for a bool":                 {`{"disabled":"true"}`, `field "disabled" must be true or false`},
		"a number for a bool":                 {`{"disabled":1}`, `field "disabled" must be true or false`},
		"a number for a list":                 {`{"role":1}`, `field "role" must be a list`},
		"an object for a list":                {`{"role":{}}`, `field "role" must be a list`},
		"a string in a list of numbers":       {`{"role":[1,"2"]}`, `field "role" must be a whole number`},
		"a list for an object":                {`{"inner":[]}`, `field "inner" must be an object`},
		"a string for an object":              {`{"extra":"a"}`, `field "extra" must be an object`},
		"a wrong type further in":             {`{"inner":{"path":1}}`, `field "inner.path" must be a string`},
		"a wrong type under another spelling": {`{"UserName":1}`, notString},
		"a list for a code":                   {`{"otp_code":["123456"]}`, notCode},
		"an object for a code":                {`{"otp_code":{}}`, notCode},
		"a bool for a code":                   {`{"otp_code":false}`, notCode},
		"a fraction for a code":               {`{"otp_code":123456.0}`, notCode},
		"an exponent for a code":              {`{"otp_code":1e3}`, notCode},
		"a negative code":                     {`{"otp_code":-1}`, notCode},
		"a negative zero for a code":          {`{"otp_code":-0}`, notCode},
		"a code of seven digits as a number":  {`{"otp_code":1000000}`, notCode},
		"a code beyond 32 bits":               {`{"otp_code":4294967296}`, notCode},
	}
}

func TestJSONRefuses(t *testing.T) {
	cases := malformed()
	if len(cases) < 60 {
		t.Fatalf("only %d malformed bodies", len(cases))
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			var got request
			err := web.JSON(post("/", "application/json", tt.body), &got)
			want := web.ErrBody
			if strings.HasPrefix(tt.text, "field") {
				want = web.ErrField
			}
			wantFault(t, err, want, tt.text)
		})
	}
}

func TestJSONByMediaType(t *testing.T) {
	for name, tt := range map[string]struct {
		header http.Header
		ok     bool
	}{
		"application/json":               {http.Header{"Content-Type": {"application/json"}}, true},
		"any case":                       {http.Header{"Content-Type": {"Application/JSON"}}, true},
		"a parameter":                    {http.Header{"Content-Type": {"application/json;charset=utf-8"}}, true},
		"parameters in blanks":           {http.Header{"Content-Type": {" application/json ; charset=UTF-8; x=y"}}, true},
		"none":                           {http.Header{}, true},
		"an empty one":                   {http.Header{"Content-Type": {""}}, true},
		"identity":                       {http.Header{"Content-Encoding": {"Identity"}}, true},
		"a form":                         {http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, false},
		"multipart":                      {http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}, false},
		"text/plain":                     {http.Header{"Content-Type": {"text/plain"}}, false},
		"text/json":                      {http.Header{"Content-Type": {"text/json"}}, false},
		"a relative of JSON":             {http.Header{"Content-Type": {"application/problem+json"}}, false},
		"application/jsonp":              {http.Header{"Content-Type": {"application/jsonp"}}, false},
		"JSON as a parameter":            {http.Header{"Content-Type": {"text/plain; application/json"}}, false},
		"a list":                         {http.Header{"Content-Type": {"application/json, text/plain"}}, false},
		"XML":                            {http.Header{"Content-Type": {"application/xml"}}, false},
		"YAML":                           {http.Header{"Content-Type": {"application/x-yaml"}}, false},
		"TOML":                           {http.Header{"Content-Type": {"application/toml"}}, false},
		"two that agree":                 {http.Header{"Content-Type": {"application/json", "application/json"}}, false},
		"two that differ":                {http.Header{"Content-Type": {"application/json", "text/plain"}}, false},
		"gzip":                           {http.Header{"Content-Encoding": {"gzip"}}, false},
		"gzip behind identity":           {http.Header{"Content-Encoding": {"identity", "gzip"}}, false},
		"a list of encodings":            {http.Header{"Content-Encoding": {"identity, br"}}, false},
		"a misspelled media type":        {http.Header{"Content-Type": {"application/json\x00"}}, false},
		"a media type of parameters":     {http.Header{"Content-Type": {"; charset=utf-8"}}, true},
		"an encoding before a good type": {http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"deflate"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := post("/", "", `{"username":"a"}`)
			c.Request.Header = tt.header
			var got request
			err := web.JSON(c, &got)
			if tt.ok != (err == nil) || tt.ok != (got.Username == "a") {
				t.Fatalf("JSON = %v, username %q", err, got.Username)
			}
			if !tt.ok && (!errors.Is(err, web.ErrUnsupported) || fault.Of(err).Kind != fault.Unsupported) {
				t.Errorf("JSON = %v, want ErrUnsupported", err)
			}
		})
	}
}

func TestJSONRefusesABodyThatIsTooLarge(t *testing.T) {
	exact := `{"username":"` + strings.Repeat("a", 1<<20-len(`{"username":""}`)) + `"}`
	var got request
	if err := web.JSON(post("/", "", exact), &got); err != nil {
		t.Errorf("1 MiB: %v", err)
	}
	if err := web.JSON(post("/", "", exact+" "), &got); !errors.Is(err, web.ErrTooLarge) {
		t.Errorf("1 MiB and a byte: %v, want ErrTooLarge", err)
	}
	c := post("/", "", `{"username":"a"}`)
	c.Request.Body = http.MaxBytesReader(nil, c.Request.Body, 15)
	if err := web.JSON(c, &got); !errors.Is(err, web.ErrTooLarge) {
		t.Errorf("beyond the middleware's limit: %v, want ErrTooLarge", err)
	}
}

func TestJSONHidesWhyABodyBrokeOff(t *testing.T) {
	c := post("/", "", "")
	c.Request.Body = http.MaxBytesReader(nil, readCloser{iotest.ErrReader(errors.New("read tcp 10.0.0.1: reset"))}, 100)
	wantFault(t, web.JSON(c, &request{}), web.ErrBody, "request body could not be read")
	c.Request.Body = nil
	wantFault(t, web.JSON(c, &request{}), web.ErrBody, empty)
}

type readCloser struct {
	r interface{ Read([]byte) (int, error) }
}

func (r readCloser) Read(p []byte) (int, error) { return r.r.Read(p) }
func (readCloser) Close() error                 { return nil }

// credentials has a rule, as the doors' requests have.
type credentials struct {
	Username string   `json:"username"`
	Password string   `json:"password"`
	Code     web.Code `json:"otp_code"`
}

func (r *credentials) Validate() error {
	if err := web.Required("username", r.Username); err != nil {
		return err
	}
	return web.Required("password", r.Password)
}

func TestJSONAsksTheRequestItself(t *testing.T) {
	for name, tt := range map[string]struct{ body, text string }{
		"missing":    {`{"password":"b"}`, `field "username" is required`},
		"null":       {`{"username":null,"password":"b"}`, `field "username" is required`},
		"empty":      {`{"username":"a","password":""}`, `field "password" is required`},
		"misspelled": {`{"username":"a","pass":"b"}`, `field "password" is required`},
	} {
		t.Run(name, func(t *testing.T) {
			wantFault(t, web.JSON(post("/", "", tt.body), &credentials{}), web.ErrField, tt.text)
		})
	}
	if err := web.JSON(post("/", "", `{"username":"a","password":"b"}`), &credentials{}); err != nil {
		t.Error(err)
	}
}

// own refuses in words of its own.
type own struct{}

func (*own) UnmarshalJSON([]byte) error { return web.ErrField.WithText("no such colour") }

func TestJSONKeepsTheWordsOfAFieldThatHasSome(t *testing.T) {
	var req struct {
		Colour own `json:"colour"`
	}
	wantFault(t, web.JSON(post("/", "", `{"colour":"x"}`), &req), web.ErrField, "no such colour")
}

func TestJSONListTakesAList(t *testing.T) {
	for body, want := range map[string][]inner{
		`[]`: {}, " [ ]\r\n": {}, `[{}]`: {{}}, `[{"path":"a","x":1},{"PATH":"b"}]`: {{"a"}, {"b"}}, `[null,{"path":null}]`: {{}, {}},
	} {
		got := []inner{}
		if err := web.JSONList(post("/", "application/json; charset=utf-8", body), &got); err != nil || !cmp.Equal(got, want) {
			t.Errorf("JSONList(%s) = %v, %v, want %v", body, got, err, want)
		}
	}
	const invalid = "request body is not valid JSON"
	for body, text := range map[string]string{
		``: "request body is empty", ` `: "request body is empty", `{}`: "request body must be a JSON list", `"[]"`: "request body must be a JSON list",
		`null`: "request body must be a JSON list", `[] []`: invalid, `[]x`: invalid, `[`: invalid, `[{]`: invalid, `[1]`: invalid,
		`[{"path":"a","PATH":"b"}]`: "request body names a field twice",
		`[{"path":1}]`:              `field "path" must be a string`,
		"[{\"path\":\"\xff\"}]":     invalid,
	} {
		t.Run(body, func(t *testing.T) {
			var got []inner
			err := web.JSONList(post("/", "application/json", body), &got)
			want := web.ErrBody
			if strings.HasPrefix(text, "field") {
				want = web.ErrField
			}
			wantFault(t, err, want, text)
		})
	}
	var got []inner
	wantFault(t, web.JSONList(post("/", "text/plain", `[]`), &got), web.ErrUnsupported, "request body must be application/json")
}
