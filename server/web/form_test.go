package web_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/server/web"
)

const form = "application/x-www-form-urlencoded"

// bindLogin binds as the sign-in routes do.
func bindLogin(target, media, body string) (credentials, error) {
	var got credentials
	err := web.JSONOrForm(post(target, media, body), &got,
		web.Param{Key: "username", Alias: "Username"},
		web.Param{Key: "password", Alias: "Password"},
		web.Param{Key: "otp_code", Alias: "OtpCode"})
	return got, err
}

func TestJSONOrFormTakes(t *testing.T) {
	admin := credentials{Username: "admin", Password: "p w", Code: "012345"}
	for name, tt := range map[string]struct{ target, media, body string }{
		"JSON":                           {"/", "application/json", `{"username":"admin","password":"p w","otp_code":12345}`},
		"JSON without a media type":      {"/", "", ` {"Username":"admin","Password":"p w","otp_code":"012345"}`},
		"JSON, whatever the query says":  {"/?Username=x&Username=y", "application/json", `{"username":"admin","password":"p w","otp_code":"012345"}`},
		"a query in AList's names":       {"/?Username=admin&Password=p+w&OtpCode=012345", "", ""},
		"a query in lower case":          {"/?username=admin&password=p%20w&otp_code=012345", "", ""},
		"a query beside an empty form":   {"/?Username=admin&Password=p+w&OtpCode=012345", form, ""},
		"a query and a body of blanks":   {"/?Username=admin&Password=p+w&OtpCode=012345", "", " \n"},
		"a form in AList's names":        {"/", form, "Username=admin&Password=p+w&OtpCode=012345"},
		"a form in lower case":           {"/", form + "; charset=UTF-8", "username=admin&password=p%20w&otp_code=%20012345+"},
		"a form in mixed names":          {"/", form, "username=admin&Password=p+w&OtpCode=012345"},
		"a form and a query together":    {"/?Username=admin&x=1", form, "Password=p+w&OtpCode=012345&x=2"},
		"an escaped name":                {"/?%55sername=admin&Password=p+w&OtpCode=012345", "", ""},
		"other parameters, even broken":  {"/?Username=admin&Password=p+w&OtpCode=012345&%zz=1&y=%&&;", "", ""},
		"a name that only ends the same": {"/?Username=admin&Password=p+w&OtpCode=012345&xUsername=x", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := bindLogin(tt.target, tt.media, tt.body)
			if diff := cmp.Diff(admin, got); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestJSONOrFormRefuses(t *testing.T) {
	const media = "request body must be application/json or application/x-www-form-urlencoded"
	for name, tt := range map[string]struct{ target, media, body, text string }{
		"multipart":                         {"/", "multipart/form-data; boundary=x", "--x--", media},
		"text":                              {"/?Username=a&Password=b", "text/plain", "", media},
		"XML":                               {"/", "application/xml", "<a/>", media},
		"a form that says JSON":             {"/", "application/json", "username=a&password=b", notJSON},
		"a form without a media type":       {"/", "", "username=a&password=b", notJSON},
		"no body though it says JSON":       {"/?Username=a&Password=b", "application/json", "", empty},
		"JSON that says form":               {"/", form, `{"username":"a","password":"b"}`, `field "username" is required`},
		"nothing at all":                    {"/", "", "", `field "username" is required`},
		"an empty password":                 {"/?Username=a&Password=", "", "", `field "password" is required`},
		"names in upper case":               {"/?USERNAME=a&PASSWORD=b", "", "", `field "username" is required`},
		"a name twice":                      {"/?Username=a&Username=a&Password=b", "", "", `parameter "username" is given twice`},
		"a name in both spellings":          {"/", form, "Username=a&username=b&Password=b", `parameter "username" is given twice`},
		"a name in query and form":          {"/?Password=b", form, "Username=a&Password=b", `parameter "password" is given twice`},
		"a name plain and escaped":          {"/?Username=a&%55sername=b&Password=b", "", "", `parameter "username" is given twice`},
		"a broken escape":                   {"/?Username=%zz&Password=b", "", "", `parameter "username" is malformed`},
		"a broken escape in a form":         {"/", form, "Username=a&Password=%", `parameter "password" is malformed`},
		"invalid UTF-8":                     {"/?Username=%ff&Password=b", "", "", `parameter "username" must not contain control characters or broken text`},
		"a NUL":                             {"/", form, "Username=a&Password=b%00", `parameter "password" must not contain control characters or broken text`},
		"an escape character":               {"/", form, "Username=a&Password=b&OtpCode=%1b", `parameter "otp_code" must not contain control characters or broken text`},
		"a raw control character in a form": {"/", form, "Username=a&Password=b\x01", `parameter "password" must not contain control characters or broken text`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := bindLogin(tt.target, tt.media, tt.body)
			if err == nil || err.Error() != tt.text {
				t.Errorf("error = %v, want %s", err, tt.text)
			}
		})
	}
	t.Run("a form beyond the limit", func(t *testing.T) {
		_, err := bindLogin("/", form, "Username=a&Password="+strings.Repeat("b", 1<<20))
		if !errors.Is(err, web.ErrTooLarge) {
			t.Errorf("error = %v, want ErrTooLarge", err)
		}
	})
	t.Run("a compressed form", func(t *testing.T) {
		c := post("/", form, "")
		c.Request.Header.Set("Content-Encoding", "gzip")
		wantFault(t, web.JSONOrForm(c, &credentials{}), web.ErrUnsupported, "request body must not be encoded")
	})
}
