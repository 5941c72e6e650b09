// Package clean is the one sanitiser. Text is the only type that the screen draws, and only this
// package makes it.
package clean

// Text is one line of text that is safe to draw, to copy and to put into a title: no control
// characters, escape sequences, bidirectional overrides, zero-width tricks or line breaks. The zero
// Text is empty. Texts compare with ==.
type Text struct{ s string }

type constant string

// Const makes a Text of a constant of the program: the compiler refuses anything else.
func Const(s constant) Text { return Text{string(s)} }

// Line makes one line of s.
func Line(s string) Text { return Text{s} }

// String is t as a plain string.
func (t Text) String() string { return t.s }

// IsZero reports whether t is empty.
func (t Text) IsZero() bool { return t.s == "" }

// MarshalText makes a Text a string in JSON.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.s), nil }

// UnmarshalText cleans what it reads: a snapshot on disk is no more trusted than the network.
func (t *Text) UnmarshalText(b []byte) error { *t = Line(string(b)); return nil }
