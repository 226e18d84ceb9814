package consent

import (
	"context"
	_ "embed"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"latchkey/server/page"
	"latchkey/service/access"
	"latchkey/service/fault"
	"latchkey/service/oauth"
)

// Where the pages are.
const (
	PathAuthorize = "/session/authorize"
	PathDevice    = "/session/device"
)

//go:embed page.html
var pageText string

// Flow is service/oauth, as far as people meet it.
type Flow interface {
	Begin(ctx context.Context, issuer string, asked url.Values) (oauth.Request, error)
	NeedsSignIn(by access.Caller, r oauth.Request) bool
	NeedsProof(by access.Caller, scopes []string) bool
	NeedsConsent(ctx context.Context, by access.Caller, r oauth.Request) (bool, error)
	Approve(ctx context.Context, by access.Caller, r oauth.Request) (string, error)
	Deny(r oauth.Request) string
	Refuse(r oauth.Request, code string) string
	DeviceAsk(ctx context.Context, by access.Caller, userCode string) (oauth.Question, error)
	DeviceDecide(ctx context.Context, by access.Caller, userCode string, approve bool) error
}

// People is the sign-in pages, which know who is there.
type People interface {
	// Caller is who is signed in; a fault of kind Unauthenticated if nobody is.
	Caller(c *gin.Context) (access.Caller, error)
	// Required is Caller, or answers and reports false.
	Required(c *gin.Context, next string) (access.Caller, bool, error)
	// Ask has somebody sign in, perhaps under that name, and come back to next.
	Ask(c *gin.Context, next, name string)
	// AskAgain has who is signed in prove it and come back to next.
	AskAgain(c *gin.Context, next string)
}

// Sealer hides and protects what a form carries.
type Sealer interface {
	Seal(aad string, plain []byte) (string, error)
	Open(aad, sealed string) ([]byte, error)
}

// Deps are what the pages ask.
type Deps struct {
	Flow    Flow
	People  People
	Sealer  Sealer
	Title   func() string
	Issuer  func(c *gin.Context) string // the server's address as apps know it; "" if nobody said
	Now     func() time.Time
	SignOut string // the path of the form that signs out
}

// API is the pages. It is safe for concurrent use.
type API struct {
	deps Deps
	page *page.Page
}

// New makes the pages.
func New(d Deps) (*API, error) {
	made, err := page.New(d.Title, pageText)
	if err != nil {
		return nil, err
	}
	return &API{deps: d, page: made.WithOrigin()}, nil
}

// Render answers a failure with a page in words; it never leads anywhere (O-01).
func (a *API) Render(c *gin.Context, f *fault.Error, requestID string) {
	v := page.Failure(c, f, requestID)
	v.Data = body{}
	a.page.Fail(c, f, v)
}

// body is what a page shows: one of them.
type body struct {
	Question *question
	Code     *codeForm
}

// codeForm asks for the code that a device shows.
type codeForm struct{ UserCode, Who, Next, SignOut string }

func (a *API) show(c *gin.Context, status int, v page.View) error {
	v.Warning = page.Unprotected(c)
	return a.page.Show(c, status, v)
}
