package importer

import (
	"fmt"
	"slices"
	"strconv"

	"latchkey/model"
	"latchkey/model/alistdb"
	"latchkey/service/setting"
)

// minToken is the shortest static token in characters that is taken over: it
// has an admin's rights and never expires. AList's own have 106.
const minToken = 16

const keyDefaultRole = "default_role"

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
	value := source.Value
	if item.Key == keyDefaultRole {
		value = p.defaultRole(value)
	}
	if !takes(item, value) {
		count.Left++
		p.settingLine(source, "its value does not suit it", "left out; ours stays")
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
	case len(source.Value) < minToken:
		count.Left++
		p.settingLine(source, fmt.Sprintf("it is shorter than %d characters", minToken), "left out; ours stays")
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

// defaultRole is AList's default role, an id or a name, as our id; what it
// cannot be stays as it is and does not suit.
func (p *plan) defaultRole(value string) string {
	if id, err := strconv.ParseInt(value, 10, 64); err == nil {
		if ours, ok := p.roles[id]; ok {
			return strconv.FormatInt(ours, 10)
		}
		return ""
	}
	for _, role := range p.dump.Roles {
		if role.Name == value {
			return strconv.FormatInt(p.roles[role.ID], 10)
		}
	}
	return value
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
	case setting.Text:
		return true
	}
	return false
}

func (p *plan) settingLine(source alistdb.Setting, found, done string) {
	p.report.line(Line{Table: tableSettings, Name: source.Key, Found: found, Done: done})
}
