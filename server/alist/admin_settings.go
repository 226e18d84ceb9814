package alist

import (
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"latchkey/server/web"
	"latchkey/service/fault"
	"latchkey/service/setting"
)

// What the settings' routes refuse.
var (
	// ErrGroup says that a group is a number.
	ErrGroup = fault.New(fault.Invalid, "setting_group", "group must be a number, groups a list of them")
	// ErrNoSetting says that there is no setting of that name.
	ErrNoSetting = fault.New(fault.Invalid, "setting_unknown", "record not found")
)

// settingRow is a setting as AList's settings pages take it.
type settingRow struct {
	Key     string `json:"key"`
	Value   string `json:"value"`
	Help    string `json:"help"`
	Type    string `json:"type"`    // string, text, number, bool or select
	Options string `json:"options"` // of a select, separated by commas
	Group   int    `json:"group"`
	Flag    int    `json:"flag"`  // 0 public, 1 private, 2 read-only
	Index   int    `json:"index"` // place on the page
}

func settingRowOf(v setting.View) settingRow {
	return settingRow{
		Key: v.Key, Value: v.Value, Help: v.Help, Type: typeOf(v.Kind), Options: strings.Join(v.Options, ","),
		Group: v.Group, Flag: flagOf(v.Item), Index: v.Index,
	}
}

func typeOf(k setting.Kind) string {
	switch k {
	case setting.Text:
		return "string"
	case setting.LongText:
		return "text"
	case setting.Number:
		return "number"
	case setting.Bool:
		return "bool"
	case setting.Choice:
		return "select"
	}
	return "string"
}

func flagOf(i setting.Item) int {
	switch {
	case i.Fixed:
		return 2
	case i.Private:
		return 1
	}
	return 0
}

// SettingList lists settings by group (contract §5.26).
func (a *API) SettingList(c *gin.Context) error {
	groups, err := groupsOf(c)
	if err != nil {
		return err
	}
	views, err := a.svc.Admin.SettingsOf(c.Request.Context(), groups)
	if err != nil {
		return err
	}
	rows := make([]settingRow, len(views))
	for i, v := range views {
		rows[i] = settingRowOf(v)
	}
	return ok(c, rows)
}

func groupsOf(c *gin.Context) ([]int, error) {
	var groups []int
	for _, name := range []string{"group", "groups"} {
		text, err := web.Text(c, name)
		if err != nil {
			return nil, err
		}
		for part := range strings.SplitSeq(text, ",") {
			if part == "" {
				continue
			}
			n, err := strconv.Atoi(part)
			if err != nil {
				return nil, ErrGroup
			}
			groups = append(groups, n)
		}
	}
	return groups, nil
}

// SettingGet shows one setting, or several (contract §5.26).
func (a *API) SettingGet(c *gin.Context) error {
	key, err := web.Text(c, "key")
	if err != nil {
		return err
	}
	keys, err := web.Text(c, "keys")
	if err != nil {
		return err
	}
	views, err := a.svc.Admin.SettingsOf(c.Request.Context(), nil)
	if err != nil {
		return err
	}
	if keys == "" {
		rows := rowsNamed(views, []string{key})
		if len(rows) == 0 {
			return ErrNoSetting
		}
		return ok(c, rows[0])
	}
	return ok(c, rowsNamed(views, strings.Split(keys, ",")))
}

func rowsNamed(views []setting.View, keys []string) []settingRow {
	rows := []settingRow{}
	for _, key := range keys {
		for _, v := range views {
			if v.Key == key {
				rows = append(rows, settingRowOf(v))
			}
		}
	}
	return rows
}

// savedSetting is one of the objects that the settings pages send back; only
// key and value count.
type savedSetting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// SettingSave stores settings, all or none (contract §5.26).
func (a *API) SettingSave(c *gin.Context) error {
	var req []savedSetting
	if err := web.JSONList(c, &req); err != nil {
		return err
	}
	values := make(map[string]string, len(req))
	for _, s := range req {
		if err := web.Required("key", s.Key); err != nil {
			return err
		}
		values[s.Key] = s.Value
	}
	if err := a.svc.Admin.SaveSettings(c.Request.Context(), values); err != nil {
		return err
	}
	return ok(c, nil)
}

// SettingDelete deletes no setting: none is out of use (contract §5.26).
func (*API) SettingDelete(c *gin.Context) error {
	key, err := web.Text(c, "key")
	if err != nil {
		return err
	}
	return fault.New(fault.Invalid, "setting_in_use", "setting ["+key+"] is not deprecated")
}

// ResetToken makes a new static token (contract §5.26).
func (a *API) ResetToken(c *gin.Context) error {
	if err := noBody(c); err != nil {
		return err
	}
	return a.newToken(c, "")
}

type tokenBody struct {
	Token string `json:"token"`
}

// Validate asks for the token.
func (t *tokenBody) Validate() error { return web.Required("token", t.Token) }

// SetToken takes a chosen static token (contract §5.26).
func (a *API) SetToken(c *gin.Context) error {
	var req tokenBody
	if err := web.JSON(c, &req); err != nil {
		return err
	}
	return a.newToken(c, req.Token)
}

func (a *API) newToken(c *gin.Context, chosen string) error {
	token, err := a.svc.Admin.NewToken(c.Request.Context(), chosen)
	if err != nil {
		return err
	}
	return ok(c, token)
}
