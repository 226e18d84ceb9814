package password

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxLine is the longest line of a sorted list in bytes, its end included.
const maxLine = 128

var errLongLine = errors.New("a line is too long")

// lines are sorted text lines that are searched where they lie: each ends with
// LF or CRLF, the last one perhaps with nothing. They are safe for concurrent
// use if their reader is.
type lines struct {
	from io.ReaderAt
	size int64 // bytes
}

// find reports whether there is a line for which compare is 0; compare says how
// a line stands to what is wanted. A list of 40 GB takes 36 small reads.
func (l lines) find(compare func(line []byte) (int, error)) (bool, error) {
	low, high := int64(0), l.size // what is wanted begins in between; a line begins at low
	for low < high {
		middle := low + (high-low)/2
		found, err := l.first(middle)
		if err != nil {
			return false, err
		}
		if found.start >= high {
			high = middle
			continue
		}
		order, err := compare(found.text)
		switch {
		case err != nil:
			return false, fmt.Errorf("at byte %d: %w", found.start, err)
		case order == 0:
			return true, nil
		case order < 0:
			low = found.next
		default:
			high = middle
		}
	}
	return false, nil
}

// line is a line's text without its end, and where it lies.
type line struct {
	text        []byte
	start, next int64
}

// first is the first line that begins at or behind an offset; its start is the
// size of the list if there is none.
func (l lines) first(offset int64) (line, error) {
	begin := max(offset-1, 0) // the byte before tells whether a line begins here
	text := make([]byte, min(2*maxLine, l.size-begin))
	if n, err := l.from.ReadAt(text, begin); n < len(text) {
		return line{}, fmt.Errorf("read at byte %d: %w", begin, err)
	}
	start, whole := begin, begin+int64(len(text)) == l.size
	if offset > 0 {
		end := bytes.IndexByte(text, '\n')
		if end < 0 && !whole {
			return line{}, fmt.Errorf("at byte %d: %w", begin, errLongLine)
		}
		if end < 0 || start+int64(end)+1 == l.size {
			return line{start: l.size, next: l.size}, nil
		}
		text, start = text[end+1:], start+int64(end)+1
	}
	end := bytes.IndexByte(text, '\n')
	switch {
	case end >= 0:
		return line{bytes.TrimSuffix(text[:end], []byte("\r")), start, start + int64(end) + 1}, nil
	case whole:
		return line{bytes.TrimSuffix(text, []byte("\r")), start, l.size}, nil
	}
	return line{}, fmt.Errorf("at byte %d: %w", start, errLongLine)
}
