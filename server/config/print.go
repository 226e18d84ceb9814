package config

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Print writes the effective values as a file that Load reads back. Of secrets
// it says whether they are set.
func (c Config) Print(w io.Writer) error {
	if c.DB == "" {
		c.DB = sqlitePrefix + c.SQLitePath()
	}
	var b strings.Builder
	for _, s := range settings() {
		fmt.Fprintf(&b, "# %s (%s)\n%s: %s\n\n", s.usage, s.want, s.key(), s.yaml(c))
	}
	b.WriteString("# Secrets come from the environment only:\n")
	for _, s := range secretSettings() {
		fmt.Fprintf(&b, "# %s: %s\n", s.env, *s.at(&c))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// yaml is the value in a file. Texts are quoted the Go way, which YAML reads
// for all that is valid UTF-8.
func (s setting) yaml(c Config) string {
	text := s.text(c)
	switch s.kind {
	case kindText:
		return strconv.Quote(text)
	case kindList:
		all := items(text)
		for i, item := range all {
			all[i] = strconv.Quote(item)
		}
		return "[" + strings.Join(all, ", ") + "]"
	case kindSpan, kindNumber, kindTruth:
	}
	return text
}

// Reference writes all names, defaults and limits as a Markdown table.
func Reference(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| flag | environment | file | default | meaning | expected |\n| --- | --- | --- | --- | --- | --- |\n")
	row := func(cells ...string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	f, defaults := fileSetting(), Defaults()
	row(code("--"+f.flag), code(f.env()), "", "", f.usage, "the path of a file")
	for _, s := range settings() {
		row(code("--"+s.flag), code(s.env()), code(s.key()), code(s.text(defaults)), s.usage, s.want)
	}
	for _, s := range secretSettings() {
		row("", code(s.env)+", "+code(s.fileEnv()), "", "", s.usage, s.want)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// code is text in code style, or nothing.
func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}
