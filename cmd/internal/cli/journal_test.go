package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// A journal whose file cannot be read is the caller's to mend; a damaged one needs a person.
func TestUnreadJournal(t *testing.T) {
	t.Parallel()
	closed := fmt.Errorf("read the journal: %w", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission})
	if err := unread(closed); codeOf(err) != exitUsage || !strings.Contains(err.Error(), "set state_dir:") {
		t.Errorf("%d: %v", codeOf(err), err)
	}
	if err := unread(errors.New("record 3 is no JSON")); codeOf(err) != exitFailed {
		t.Errorf("%d: %v", codeOf(err), err)
	}
}
