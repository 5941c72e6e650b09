// Package secret holds credentials so that they cannot be shown by accident, and reads them from where
// they are kept: the environment, a file, a command.
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what is shown in a secret's place.
const Redacted = "[redacted]"

// Secret is a credential. Every formatting verb, logger and encoder shows Redacted in its place;
// Reveal is the only way out. The value sits behind a function, so that printing a struct with an
// unexported Secret shows an address at most. The zero Secret is empty.
type Secret struct{ value func() string }

// New is s as a Secret.
func New(s string) Secret { return Secret{value: func() string { return s }} }

// Reveal is the credential itself. Hand it to what sends it and to nothing else.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return s.value()
}

// IsZero reports whether s is empty.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal compares in constant time for values of one length.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// Fingerprint names a credential without revealing it: 16 hexadecimal digits of a SHA-256 under a
// domain of its own, the same on every machine; "" for an empty Secret. It is a key for budgets and
// caches, and safe in logs for the random tokens that vendors issue, not for a guessable password.
func (s Secret) Fingerprint() string {
	if s.IsZero() {
		return ""
	}
	sum := sha256.Sum256([]byte("signalbox credential\x00" + s.Reveal()))
	return hex.EncodeToString(sum[:8])
}

// Format implements fmt.Formatter for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

func (s Secret) String() string { return Redacted }

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return Redacted }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText implements encoding.TextMarshaler, and so covers YAML and map keys.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalJSON implements json.Marshaler.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }

// MarshalYAML implements the marshaler interface of YAML packages.
func (s Secret) MarshalYAML() (any, error) { return Redacted, nil }

// MarshalBinary implements encoding.BinaryMarshaler.
func (s Secret) MarshalBinary() ([]byte, error) { return []byte(Redacted), nil }

// GobEncode implements gob.GobEncoder.
func (s Secret) GobEncode() ([]byte, error) { return []byte(Redacted), nil }

// GobDecode implements gob.GobDecoder. Nothing is taken: what was encoded held no secret.
func (s *Secret) GobDecode([]byte) error {
	*s = Secret{}
	return nil
}
