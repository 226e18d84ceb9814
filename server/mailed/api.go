package mailed

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"latchkey/middleware"
	"latchkey/model"
	"latchkey/server/page"
	"latchkey/server/web"
	"latchkey/service/fault"
	"latchkey/service/watch"
)

// Where links lead.
const (
	PathConfirmEmail = "/account/confirm-email"
	PathNotMe        = "/account/not-me"
	PathSetPassword  = "/account/set-password" //nolint:gosec // G101: a path
)

// API is the pages. It is safe for concurrent use.
type API struct {
	watch *watch.Service
	page  *page.Page
}

// New makes the pages of a site with that title.
func New(w *watch.Service, title func() string) (*API, error) {
	pages, err := page.New(title, formText)
	return &API{watch: w, page: pages}, err
}

// answer is the form of every page.
type answer struct {
	Token    string `json:"token"`
	Password string `json:"password"`
}

func bind(c *gin.Context) (context.Context, answer, error) {
	var req answer
	err := web.Form(c, &req, web.Param{Key: "token", Alias: "token"}, web.Param{Key: "password", Alias: "password"})
	return middleware.Stranger(c), req, err
}

// ask finds what the link in the address is about.
func (a *API) ask(c *gin.Context, purpose model.LinkPurpose) (string, watch.Question, error) {
	token, err := web.Text(c, "token")
	if err != nil {
		return "", watch.Question{}, err
	}
	q, err := a.watch.Ask(c.Request.Context(), token, purpose)
	return token, q, err
}

// AskConfirmEmail asks whether the address is confirmed.
func (a *API) AskConfirmEmail(c *gin.Context) error {
	token, q, err := a.ask(c, model.LinkConfirmEmail)
	if err != nil {
		return err
	}
	return a.page.Show(c, http.StatusOK, page.View{
		Heading: "Is this your address?",
		Lines:   []string{"Somebody gave this e-mail address for an account here. If that was you, confirm it."},
		Facts:   []page.Fact{{Name: "Address", Value: q.Email}, {Name: "Account", Value: q.Username}},
		Data:    &form{Action: PathConfirmEmail, Token: token, Button: "Confirm this address"},
	})
}

// ConfirmEmail confirms the address.
func (a *API) ConfirmEmail(c *gin.Context) error {
	ctx, req, err := bind(c)
	if err != nil {
		return err
	}
	if err := a.watch.ConfirmEmail(ctx, req.Token); err != nil {
		return err
	}
	return a.page.Show(c, http.StatusOK, page.View{
		Heading: "The address is confirmed",
		Lines:   []string{"Messages about your account go there from now on. You can close this page."},
	})
}

// AskNotMe shows a sign-in and asks whether it was somebody else's.
func (a *API) AskNotMe(c *gin.Context) error {
	token, q, err := a.ask(c, model.LinkDisown)
	if err != nil {
		return err
	}
	device := q.UserAgent
	if device == "" {
		device = "It did not say"
	}
	return a.page.Show(c, http.StatusOK, page.View{
		Heading: "Was this not you?",
		Lines: []string{
			"The device below signed in to your account. If that was you, close this page. " +
				"If it was not, the button signs it out at once and has you choose a new password.",
		},
		Facts: []page.Fact{
			{Name: "Account", Value: q.Username},
			{Name: "When", Value: q.At.UTC().Format("2 January 2006, 15:04 UTC")},
			{Name: "Device", Value: device},
			{Name: "Address", Value: q.IP},
		},
		Data: &form{Action: PathNotMe, Token: token, Button: "This was not me – sign it out", Harm: true},
	})
}

// NotMe throws the device out and asks for a new password.
func (a *API) NotMe(c *gin.Context) error {
	ctx, req, err := bind(c)
	if err != nil {
		return err
	}
	d, err := a.watch.Disown(ctx, req.Token)
	if err != nil {
		return err
	}
	return a.page.Show(c, http.StatusOK, page.View{
		Heading: "That device is signed out",
		Lines: append(aboutKeys(d),
			"Your present password lets nobody in any more. Choose a new one here within an hour: it signs out every other device as well."),
		Data: a.passwordForm(d.Next, d.Username),
	})
}

func (a *API) passwordForm(token, username string) *form {
	return &form{
		Action: PathSetPassword, Token: token, Button: "Set the new password",
		AsksPassword: true, Least: a.watch.LeastPassword(), Username: username,
	}
}

// AskPassword asks for a new password.
func (a *API) AskPassword(c *gin.Context) error {
	token, q, err := a.ask(c, model.LinkSetPassword)
	if err != nil {
		return err
	}
	return a.askPassword(c, http.StatusOK, "", a.passwordForm(token, q.Username))
}

func (a *API) askPassword(c *gin.Context, status int, alert string, f *form) error {
	return a.page.Show(c, status, page.View{
		Heading: "Choose a new password",
		Alert:   alert,
		Lines:   []string{"The new password signs out every device of the account " + f.Username + "."},
		Data:    f,
	})
}

// SetPassword sets the new password; one that is refused is asked for again.
func (a *API) SetPassword(c *gin.Context) error {
	ctx, req, err := bind(c)
	if err != nil {
		return err
	}
	keys, err := a.watch.SetPassword(ctx, req.Token, req.Password)
	if f := fault.Of(err); err != nil && (f.Kind == fault.Invalid || f.Kind == fault.TooMany) {
		return a.retryPassword(c, f, req.Token)
	}
	if err != nil {
		return err
	}
	return a.page.Show(c, http.StatusOK, page.View{
		Heading: "Your password is changed",
		Lines:   append([]string{"Every device is signed out. Sign in again with the new password. You can close this page."}, keysLeft(keys)...),
	})
}

func (a *API) retryPassword(c *gin.Context, f *fault.Error, token string) error {
	q, err := a.watch.Ask(c.Request.Context(), token, model.LinkSetPassword)
	if err != nil {
		return err
	}
	return a.askPassword(c, web.Status(f.Kind), f.Text+".", a.passwordForm(token, q.Username))
}
