package mql

import (
	"fmt"
	"strings"
)

// maxQuery bounds the text of one query, in bytes.
const maxQuery = 10_000

type kind uint8

const (
	end kind = iota
	name
	number
	text // quoted
	sign // one of ( ) { } , : + - * / ! . =
)

type token struct {
	kind kind
	text string
	at   int
}

func (t token) String() string {
	if t.kind == end {
		return "the end"
	}
	return "'" + t.text + "'"
}

// Error says what is wrong with a query, and where.
type Error struct {
	At  int // in bytes from its start
	Msg string
}

func (e *Error) Error() string {
	return fmt.Sprintf("Error parsing query: %s at position %d", e.Msg, e.At)
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// scanner reads tokens from a query. Inside braces it is asked for words instead: tags have their own
// alphabet.
type scanner struct {
	src string
	at  int
}

func (s *scanner) space() {
	for s.at < len(s.src) && strings.IndexByte(" \t\r\n", s.src[s.at]) >= 0 {
		s.at++
	}
}

func (s *scanner) next() (token, error) {
	s.space()
	from := s.at
	if from == len(s.src) {
		return token{at: from}, nil
	}
	switch c := s.src[from]; {
	case isLetter(c):
		for s.at < len(s.src) && (isLetter(s.src[s.at]) || isDigit(s.src[s.at]) || s.src[s.at] == '.') {
			s.at++
		}
		return token{name, s.src[from:s.at], from}, nil
	case isDigit(c):
		s.digits()
		return token{number, s.src[from:s.at], from}, nil
	case c == '\'' || c == '"':
		n := strings.IndexByte(s.src[from+1:], c)
		if n < 0 {
			return token{}, &Error{from, "a quotation does not end"}
		}
		s.at = from + n + 2
		return token{text, s.src[from+1 : from+1+n], from}, nil
	case strings.IndexByte("(){},:+-*/!.", c) >= 0:
		s.at++
		return token{sign, s.src[from:s.at], from}, nil
	default:
		return token{}, &Error{from, fmt.Sprintf("unexpected character %q", c)}
	}
}

// digits reads a number such as 12, 0.5 or 1e6.
func (s *scanner) digits() {
	run := func() {
		for s.at < len(s.src) && isDigit(s.src[s.at]) {
			s.at++
		}
	}
	run()
	if s.at+1 < len(s.src) && s.src[s.at] == '.' && isDigit(s.src[s.at+1]) {
		s.at++
		run()
	}
	if s.at+1 < len(s.src) && (s.src[s.at] == 'e' || s.src[s.at] == 'E') {
		n := s.at + 1
		if s.src[n] == '-' || s.src[n] == '+' {
			n++
		}
		if n < len(s.src) && isDigit(s.src[n]) {
			s.at = n
			run()
		}
	}
}

// word reads a tag, a part of one, or one of , ( ) } ! inside braces.
func (s *scanner) word() (token, error) {
	s.space()
	from := s.at
	if from == len(s.src) {
		return token{}, &Error{from, "a brace does not close"}
	}
	if strings.IndexByte(",(){}!", s.src[from]) >= 0 {
		s.at++
		return token{sign, s.src[from:s.at], from}, nil
	}
	for s.at < len(s.src) && strings.IndexByte(",(){}! \t\r\n", s.src[s.at]) < 0 {
		s.at++
	}
	return token{name, s.src[from:s.at], from}, nil
}
