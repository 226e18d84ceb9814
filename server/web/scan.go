package web

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deeply arrays and objects may nest (I-03).
const maxDepth = 32

// maxNumber is how long a number may be in bytes; a float64 needs 24.
const maxNumber = 64

// container is an object or array that is still open.
type container struct {
	keys    map[string]struct{} // an object's keys so far, folded; nil for an array
	wantKey bool                // the next string is a key
}

// scanner walks through a body; open are the containers around the place it is
// at.
type scanner struct{ open []container }

// checkJSON refuses what the grammar allows and readers understand differently:
// a key twice, text that is no text, numbers no float64 holds, deep nesting.
// data must be a valid JSON object in valid UTF-8.
func checkJSON(data []byte) error {
	var s scanner
	for len(data) > 0 {
		n, err := s.step(data)
		if err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// step judges the token that data begins with; n is its length in bytes.
func (s *scanner) step(data []byte) (n int, err error) {
	switch b := data[0]; {
	case b == '{':
		return 1, s.enter(container{keys: map[string]struct{}{}, wantKey: true})
	case b == '[':
		return 1, s.enter(container{})
	case b == '}' || b == ']':
		s.open = s.open[:len(s.open)-1]
	case b == ',':
		top := s.top()
		top.wantKey = top.keys != nil
	case b == '"':
		n = stringLen(data)
		return n, s.text(data[:n])
	case b == '-' || isDigit(b):
		n = numberLen(data)
		if !isFinite(data[:n]) {
			return 0, ErrBody.WithText("a number in the request body is out of range")
		}
		return n, nil
	}
	return 1, nil // blanks, colons, and the letters of true, false, null
}

func (s *scanner) enter(c container) error {
	if len(s.open) == maxDepth {
		return ErrBody.WithText("request body is nested too deeply")
	}
	s.open = append(s.open, c)
	return nil
}

// top is the innermost container.
func (s *scanner) top() *container { return &s.open[len(s.open)-1] }

// text judges one literal with its quotes; as a key it must be new.
func (s *scanner) text(literal []byte) error {
	if !isText(literal[1 : len(literal)-1]) {
		return ErrBody.WithText("request body must not contain control characters or broken text")
	}
	top := s.top()
	if !top.wantKey {
		return nil
	}
	top.wantKey = false
	key := fold(literal)
	if _, twice := top.keys[key]; twice {
		return ErrBody.WithText("request body names a field twice")
	}
	top.keys[key] = struct{}{}
	return nil
}

// stringLen is the length of the literal that data begins with.
func stringLen(data []byte) int {
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

func numberLen(data []byte) int {
	n := bytes.IndexFunc(data, func(r rune) bool {
		return (r < '0' || r > '9') && r != '-' && r != '+' && r != '.' && r != 'e' && r != 'E'
	})
	if n < 0 {
		return len(data)
	}
	return n
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func isFinite(number []byte) bool {
	if len(number) > maxNumber {
		return false
	}
	_, err := strconv.ParseFloat(string(number), 64)
	return err == nil
}

// isText reports whether a literal's content decodes to text without lone
// surrogates and without control characters other than tab and line ends.
func isText(s []byte) bool {
	for i := 0; i < len(s); {
		r, n := decodeRune(s[i:])
		if n == 0 || isControl(r) {
			return false
		}
		i += n
	}
	return true
}

// decodeRune reads one character, escaped or not; n is 0 for a lone surrogate.
func decodeRune(s []byte) (r rune, n int) {
	if s[0] != '\\' {
		return utf8.DecodeRune(s)
	}
	switch s[1] {
	case 'u':
	case 'b', 'f': // both are control characters, and all of those end alike
		return 0, 2
	default: // \n \r \t stand for themselves: allowed, as the letter is
		return rune(s[1]), 2
	}
	r = hexRune(s[2:6])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(s) < 12 || s[6] != '\\' || s[7] != 'u' {
		return 0, 0
	}
	r = utf16.DecodeRune(r, hexRune(s[8:12]))
	if r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

func hexRune(s []byte) rune {
	v, _ := strconv.ParseUint(string(s), 16, 16) // the grammar has checked the digits
	return rune(v)
}

// isControl reports whether r is a control character other than tab and line
// ends.
func isControl(r rune) bool {
	return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r'
}

// fold maps a key to the smallest of its spellings, as encoding/json does when
// it looks for the field of a key.
func fold(literal []byte) string {
	var key string
	_ = json.Unmarshal(literal, &key) // valid: the whole body is
	out := make([]rune, 0, len(key))
	for _, r := range key {
		out = append(out, foldRune(r))
	}
	return string(out)
}

func foldRune(r rune) rune {
	for {
		next := unicode.SimpleFold(r)
		if next <= r {
			return next
		}
		r = next
	}
}
