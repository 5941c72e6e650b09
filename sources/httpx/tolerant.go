package httpx

import (
	"encoding/json"
	"errors"
)

// Tolerant decodes body into v as far as it goes: a field of another type than v's stays zero, and the rest
// is read. It fails on what is no JSON, and on what a type's own UnmarshalJSON refuses. Whoever calls it
// looks whether what it needs is there.
func Tolerant(body []byte, v any) error {
	err := json.Unmarshal(body, v)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil
	}
	return err //nolint:wrapcheck // the caller says what was decoded
}
