package importer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"latchkey/model"
	"latchkey/model/alistdb"
	"latchkey/service/account"
	"latchkey/service/setting"
)

// What a static token is held to in bytes: it has an admin's rights and never
// expires. AList's own have 106.
const (
	minToken = 16
	maxToken = 1024
)

// planSettings takes over the settings that exist here and were not changed
// here.
func (p *plan) planSettings() error {
	items := map[string]setting.Item{}
	for _, item := range setting.Items() {
		if !item.Fixed {
			items[item.Key] = item
		}
	}
	stored := map[string]string{}
	for _, row := range p.have.Settings {
		stored[row.Key] = row.Value
	}
	count := Count{What: "settings"}
	for _, source := range p.dump.Settings {
		item, known := items[source.Key]
		if !known {
			continue // of AList's files, or of what is not here
		}
		count.Found++
		for _, odd := range source.Odd {
			p.settingLine(source, odd, "taken as far as it goes")
		}
		was, changed := stored[source.Key]
		if changed && source.Key != setting.KeyToken {
			count.There++
			continue
		}
		if err := p.setting(item, source, was, &count); err != nil {
			return err
		}
	}
	p.report.Counts = append(p.report.Counts, count)
	return nil
}

func (p *plan) setting(item setting.Item, source alistdb.Setting, stored string, count *Count) error {
	if item.Key == setting.KeyToken {
		return p.token(source, stored, count)
	}
	value, why := source.Value, ""
	switch {
	case item.Key == setting.KeyDefaultRole:
		value, why = p.defaultRole(value)
	case !takes(item, value):
		why = "its value does not suit it"
	}
	if why != "" {
		count.Left++
		p.settingLine(source, why, "left out; ours stays")
		return nil
	}
	if value == item.Default {
		count.There++
		return nil
	}
	count.New++
	p.in.Settings = append(p.in.Settings, model.SettingNew{Setting: model.Setting{Key: item.Key, Value: value}})
	return nil
}

// token takes AList's static token over together with its admin, so that
// scripts go on working. Once somebody may use ours, ours stays.
func (p *plan) token(source alistdb.Setting, stored string, count *Count) error {
	ours, err := p.Sealer.Open(settingAAD(source.Key), stored)
	if stored != "" && err != nil {
		return fmt.Errorf("open our static token: %w", err)
	}
	switch {
	case source.Value == string(ours):
		count.There++
		return nil
	case stored != "" && !p.tookOver:
		count.Left++
		p.settingLine(source, "ours may be in use", "ours stays, AList's static token does not work here")
		return nil
	case !goodToken(source.Value):
		count.Left++
		p.settingLine(source, fmt.Sprintf("it is not %d to %d printable characters", minToken, maxToken), "left out; ours stays")
		return nil
	}
	sealed, err := p.Sealer.Seal(settingAAD(source.Key), []byte(source.Value))
	if err != nil {
		return fmt.Errorf("seal the static token: %w", err)
	}
	count.New++
	p.in.Settings = append(p.in.Settings, model.SettingNew{Setting: model.Setting{Key: source.Key, Value: sealed}, Was: stored})
	return nil
}

// settingAAD is what package setting seals secret settings with.
func settingAAD(key string) string { return "settings|value|" + key }

// goodToken reports whether a token can be sent as a header and is not guessed
// in passing.
func goodToken(token string) bool {
	return len(token) >= minToken && len(token) <= maxToken &&
		!strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
}

// defaultRole is AList's default role, an id or a name, as our id, or why it
// cannot be one here. Package admin holds who sets it to the same.
func (p *plan) defaultRole(value string) (id, why string) {
	theirs, err := strconv.ParseInt(value, 10, 64)
	for _, role := range p.dump.Roles {
		if err != nil && role.Name == value {
			theirs, err = role.ID, nil
		}
	}
	ours, known := p.roles[theirs]
	switch {
	case err != nil || !known:
		return "", "there is no such role"
	case account.HasReserved([]int64{ours}):
		return "", "new accounts are neither guests nor admins here"
	}
	return strconv.FormatInt(ours, 10), ""
}

// takes reports whether a value suits a setting, as package setting does when
// an admin saves one.
func takes(item setting.Item, value string) bool {
	switch item.Kind {
	case setting.Bool:
		return slices.Contains([]string{"true", "false", "1", "0"}, value)
	case setting.Number:
		_, err := strconv.ParseInt(value, 10, 32)
		return err == nil
	case setting.Choice:
		return slices.Contains(item.Options, value)
	case setting.Text, setting.LongText:
		return true
	}
	return false
}

func (p *plan) settingLine(source alistdb.Setting, found, done string) {
	p.report.line(Line{Table: tableSettings, Name: source.Key, Found: found, Done: done})
}
