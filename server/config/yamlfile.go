package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// yamlFile is a koanf.Parser for one flat YAML mapping. It takes every value
// as text, as the other sources give it, remembers lines, and collects what is
// wrong instead of failing.
type yamlFile struct {
	path     string
	lines    map[string]int // of each key, from 1
	mistakes Mistakes
}

// Unmarshal reads the file's bytes.
func (y *yamlFile) Unmarshal(in []byte) (map[string]any, error) {
	const byteOrderMark = "\ufeff"
	if !utf8.Valid(in) {
		y.mistakes = append(y.mistakes, origin{source: y.path}.at(invalidLine(in)).mistake("is not UTF-8 text"))
		return nil, nil
	}
	tree, err := parser.ParseBytes(bytes.TrimPrefix(in, []byte(byteOrderMark)), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		y.malformed(err)
		return nil, nil
	}
	texts := map[string]any{}
	for i, doc := range tree.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.NullNode:
		case ast.MapNode:
			if i > 0 {
				y.add(doc.Body, "", "begins a second document", "one document")
				continue
			}
			for pair := body.MapRange(); pair.Next(); {
				y.pair(texts, pair.Key(), pair.Value())
			}
		default:
			y.add(doc.Body, "", "is not a setting", `lines of the form "name: value"`)
		}
	}
	return texts, nil
}

// invalidLine is the first line that is not UTF-8.
func invalidLine(in []byte) int {
	line := 1
	for part := range bytes.Lines(in) {
		if !utf8.Valid(part) {
			break
		}
		line++
	}
	return line
}

// Marshal is what koanf.Parser asks for, and never used.
func (y *yamlFile) Marshal(map[string]any) ([]byte, error) { return nil, errors.ErrUnsupported }

func (y *yamlFile) pair(texts map[string]any, key ast.MapKeyNode, value ast.Node) {
	name := ""
	if s, ok := key.(*ast.StringNode); ok {
		name = s.Value
	}
	s, wrong := fileKey(name)
	if wrong != "" {
		y.add(key, shown(name), wrong, "")
		return
	}
	if line, twice := y.lines[name]; twice {
		y.add(key, name, fmt.Sprintf("was set in line %d already", line), "")
		return
	}
	text, ok := scalar(value)
	if parts, isList := value.(*ast.SequenceNode); isList && s.kind == kindList {
		text, ok = sequence(parts)
	}
	if !ok {
		y.add(key, name, "has a value that is not plain text", s.want)
		return
	}
	y.lines[name], texts[name] = lineOf(key), text
}

// fileKey finds the setting of that name, or says why there is none.
func fileKey(name string) (setting, string) {
	var known []string
	for _, s := range settings() {
		if s.key() == name {
			return s, ""
		}
		known = append(known, s.key())
	}
	for _, s := range secretSettings() {
		if variable := envPrefix + strings.ToUpper(name); variable == s.env || variable == s.fileEnv() {
			return setting{}, "does not belong in a file: set " + s.env + " or " + s.fileEnv()
		}
	}
	return setting{}, unknown(name, known)
}

// scalar is a plain value as it was written.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return "", true
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func sequence(n *ast.SequenceNode) (string, bool) {
	parts := make([]string, len(n.Values))
	for i, v := range n.Values {
		text, ok := scalar(v)
		if !ok {
			return "", false
		}
		parts[i] = text
	}
	return strings.Join(parts, ","), true
}

// malformed says where, in our own words: the library's are about its tokens.
func (y *yamlFile) malformed(err error) {
	const hint = "is not YAML: look here and one line up for indentation, tabs, quotes, a missing space after a colon, or a * without quotes"
	m := Mistake{Source: y.path, Problem: hint}
	if at, ok := errors.AsType[yaml.Error](err); ok && at.GetToken() != nil && at.GetToken().Position != nil {
		m.Source = origin{source: y.path}.at(at.GetToken().Position.Line).source
	}
	y.mistakes = append(y.mistakes, m)
}

func (y *yamlFile) add(n ast.Node, name, problem, want string) {
	m := origin{y.path, name}.at(lineOf(n)).mistake(problem)
	m.Want = want
	y.mistakes = append(y.mistakes, m)
}

func (y *yamlFile) origin(key string) origin {
	return origin{y.path, key}.at(y.lines[key])
}

// at is the place in that line; 0 is an unknown one.
func (o origin) at(line int) origin {
	if line > 0 {
		o.source = fmt.Sprintf("%s line %d", o.source, line)
	}
	return o
}

func lineOf(n ast.Node) int {
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}
