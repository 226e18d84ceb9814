package consent

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"latchkey/server/page"
	"latchkey/server/web"
	"latchkey/service/access"
	"latchkey/service/fault"
)

const maxUserCode = 64 // bytes of what a link types in beforehand

// AskDevice asks for the code that a device shows (RFC 8628 §3.3). One that a
// link brings is typed in and no more: the person compares it and goes on
// themselves (§5.4).
func (a *API) AskDevice(c *gin.Context) error {
	code, err := web.Text(c, "user_code")
	if err != nil {
		return err
	}
	by, ok, err := a.deps.People.Required(c, devicePage(code))
	if err != nil || !ok {
		return err
	}
	return a.askCode(c, by, code, sheet{status: http.StatusOK})
}

func devicePage(code string) string {
	if code == "" {
		return PathDevice
	}
	return PathDevice + "?" + url.Values{"user_code": {code}}.Encode()
}

func (a *API) askCode(c *gin.Context, by access.Caller, code string, s sheet) error {
	code = code[:min(len(code), maxUserCode)]
	return a.show(c, s.status, page.View{
		Heading: "Connect a device", Alert: s.alert,
		Lines: []string{"Enter the code that the device or the program shows. Use only a code that you see there yourself, never one that somebody sent you."},
		Data:  body{Code: &codeForm{UserCode: code, Who: by.Account.Username, Next: devicePage(code), SignOut: a.deps.SignOut}},
	})
}

// DecideDevice takes the code, and then the answer about it.
func (a *API) DecideDevice(c *gin.Context) error {
	f, err := web.FormFields(c, web.Fields{Once: []string{"user_code", "ticket", "answer"}})
	if err != nil {
		return err
	}
	code, answer := f.Get("user_code"), f.Get("answer")
	by, ok, err := a.deps.People.Required(c, PathDevice)
	if err != nil || !ok {
		return err
	}
	if answer != "allow" && answer != "deny" || !a.isOpen(forDevice, f.Get("ticket"), by, code) {
		err = a.askDevice(c, by, code, answer != "")
	} else {
		err = a.answerDevice(c, by, code, answer == "allow")
	}
	why := fault.Of(err)
	if err == nil || why.Kind == fault.Internal || why.Kind == fault.Unavailable {
		return err
	}
	return a.askCode(c, by, code, sheet{status: web.Status(why.Kind), alert: page.Sentence(c, why)})
}

// askDevice shows what the device asks for.
func (a *API) askDevice(c *gin.Context, by access.Caller, code string, again bool) error {
	d, err := a.deps.Flow.DeviceAsk(c.Request.Context(), by, code)
	if err != nil {
		return err
	}
	if a.deps.Flow.NeedsProof(by, d.Scopes) {
		a.deps.People.AskAgain(c, devicePage(d.UserCode))
		return nil
	}
	sealed, err := a.seal(forDevice, by, d.UserCode)
	if err != nil {
		return err
	}
	q := a.about(by, d.App, d.Texts, d.Grants)
	q.Action, q.UserCode, q.Ticket, q.Next = PathDevice, d.UserCode, sealed, PathDevice
	q.Lines = []string{
		"Allow this only if the device in front of you shows this very code, and you started this yourself. Whoever sent you a code wants to get into your account.",
	}
	v := page.View{
		Heading: "Let " + d.App.Name + " into your account?",
		Facts: []page.Fact{
			{Name: "Code", Value: d.UserCode}, {Name: "Asked", Value: d.Since.UTC().Format("15:04 UTC")},
		},
		Data: body{Question: q},
	}
	if d.Address != "" {
		v.Facts = append(v.Facts, page.Fact{Name: "From", Value: d.Address})
	}
	status := http.StatusOK
	if again {
		status, v.Alert = http.StatusBadRequest, askAgain
	}
	return a.show(c, status, v)
}

// answerDevice tells the device.
func (a *API) answerDevice(c *gin.Context, by access.Caller, code string, approve bool) error {
	if err := a.deps.Flow.DeviceDecide(c.Request.Context(), by, code, approve); err != nil {
		return err
	}
	v := page.View{
		Heading: "The device is not let in",
		Lines:   []string{"It was told that you said no. You can close this page."},
		Data:    body{},
	}
	if approve {
		v.Heading = "The device is connected"
		v.Lines = []string{"It goes on by itself in a moment. It stands among your devices now, where you can sign it out at any time.", "You can close this page."}
	}
	return a.show(c, http.StatusOK, v)
}
