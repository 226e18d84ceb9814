package totp_test

import (
	"encoding/base64"
	"image"
	"image/png"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/pquerna/otp"

	"latchkey/service/totp"
)

func TestGenerateDrawsThePNG(t *testing.T) {
	f := newFixture(t)
	made, err := f.Generate(t.Context(), f.caller(), "Latchkey")
	if err != nil {
		t.Fatalf("Generate: %v", err)
	}
	want := "otpauth://totp/Latchkey:alice?secret=" + made.Secret + "&issuer=Latchkey&algorithm=SHA1&digits=6&period=30"
	if made.URL != want {
		t.Errorf("URL = %s, want %s", made.URL, want)
	}
	checkPNG(t, made)
}

func checkPNG(t *testing.T, made totp.Enrolment) {
	t.Helper()
	text, ok := strings.CutPrefix(made.QR, "data:image/png;base64,")
	if !ok {
		t.Fatalf("QR begins with %.30q", made.QR)
	}
	img, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
	if err != nil {
		t.Fatalf("decode QR: %v", err)
	}
	if size := img.Bounds().Size(); size.X != 400 || size.Y != 400 {
		t.Errorf("QR is %v, want 400×400", size)
	}
	if want := drawn(t, made.URL); !slices.Equal(pixels(img), pixels(want)) {
		t.Error("the QR code is not the URL's")
	}
}

func drawn(t *testing.T, text string) image.Image {
	t.Helper()
	key, err := otp.NewKeyFromURL(text)
	if err != nil {
		t.Fatalf("read URL: %v", err)
	}
	img, err := key.Image(400, 400)
	if err != nil {
		t.Fatalf("draw URL: %v", err)
	}
	return img
}

// pixels says of each pixel whether it is dark.
func pixels(img image.Image) []bool {
	dark := make([]bool, 0, 400*400)
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, _, _, _ := img.At(x, y).RGBA()
			dark = append(dark, r < 0x8000)
		}
	}
	return dark
}

// Both names stand in the label, so that a foreign character must neither end
// it nor add a parameter.
func TestNamesAreEscaped(t *testing.T) {
	long := strings.Repeat("文", 200)
	for name, tt := range map[string]struct {
		issuer, username         string
		wantIssuer, wantUsername string
	}{
		"plain names stay":                  {"Files", "bob", "Files", "bob"},
		"a blank is no plus":                {"My Files", "bob b", "My Files", "bob b"},
		"a plus stays a plus":               {"A+B", "a+b", "A+B", "a+b"},
		"a query in a name stays a name":    {"x&secret=AAAA", "y?secret=BBBB#z", "x&secret=AAAA", "y?secret=BBBB#z"},
		"slashes and percents stay":         {"a/b%2F", "../c", "a/b%2F", "../c"},
		"colons become blanks":              {"Home: files", "a:b", "Home files", "a b"},
		"other scripts stay":                {"文件", "Zoë", "文件", "Zoë"},
		"a missing title has a stand-in":    {" ", "bob", "Latchkey", "bob"},
		"invalid UTF-8 and newlines vanish": {"a\xffb\nc", "b\r\n", "ab c", "b"},
		"long names are cut":                {long, long, long[:99], long[:99]},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			by := f.caller()
			by.Account.Username = tt.username
			made, err := f.Generate(t.Context(), by, tt.issuer)
			if err != nil {
				t.Fatalf("Generate: %v", err)
			}
			checkPNG(t, made)
			u, err := url.Parse(made.URL)
			if err != nil {
				t.Fatalf("parse URL: %v", err)
			}
			if want := "/" + tt.wantIssuer + ":" + tt.wantUsername; u.Host != "totp" || u.Path != want {
				t.Errorf("host and label = %q, %q, want %q", u.Host, u.Path, want)
			}
			q := u.Query()
			if q.Get("issuer") != tt.wantIssuer || q.Get("secret") != made.Secret || len(q["secret"]) != 1 || len(q) != 5 {
				t.Errorf("query = %v, want issuer %q and the secret once", q, tt.wantIssuer)
			}
			if strings.Contains(made.URL, "+") || u.Fragment != "" {
				t.Errorf("URL = %s, want no plus and no fragment", made.URL)
			}
		})
	}
}
