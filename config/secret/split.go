package secret

import (
	"errors"
	"strings"
)

// The reasons for which Split refuses a line.
var (
	ErrQuote  = errors.New("a quote is not closed")
	ErrEscape = errors.New("nothing follows the last backslash")
)

// Split cuts a command line into words at spaces, tabs and newlines. Single quotes keep everything
// between them; double quotes keep everything but a backslash before " or \; outside of quotes a
// backslash keeps the next character. Nothing is expanded: $HOME, ~ and * stay as they are.
func Split(line string) ([]string, error) {
	var (
		words []string
		word  strings.Builder
		open  bool // a word has begun, though it may be empty: ''
		quote byte
	)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == '\'' && c != '\'':
			word.WriteByte(c)
		case quote == '"' && c == '\\' && i+1 < len(line) && (line[i+1] == '"' || line[i+1] == '\\'):
			i++
			word.WriteByte(line[i])
		case quote == '"' && c != '"':
			word.WriteByte(c)
		case quote != 0:
			quote = 0
		case c == '\'' || c == '"':
			quote, open = c, true
		case c == '\\':
			if i++; i == len(line) {
				return nil, ErrEscape
			}
			word.WriteByte(line[i])
			open = true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if quote != 0 {
		return nil, ErrQuote
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}
