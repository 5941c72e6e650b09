package journal_test

import (
	"errors"
	"os"
	"testing"

	"example.com/signalbox/sources/journal"
)

// Whatever stands in the files, reading them ends, and nothing is appended to what does not verify.
func FuzzFiles(f *testing.F) {
	dir := f.TempDir()
	j := journal.New(dir, at)
	if _, err := j.Append(f.Context(), journal.Record{Plan: "a", Stage: journal.Intended}); err != nil {
		f.Fatal(err)
	}
	good, _ := os.ReadFile(j.Path())
	head, _ := os.ReadFile(dir + "/journal.head")
	f.Add(good, head)
	f.Add(append(good, good...), head)
	f.Add([]byte("\n\n{}\n"), []byte("{}"))
	f.Add([]byte(`{"seq":18446744073709551615,"hash":"x"}`+"\n"), []byte(`{"count":18446744073709551615,"size":-1}`))
	f.Fuzz(func(t *testing.T, text, head []byte) {
		dir := t.TempDir()
		j := journal.New(dir, at)
		if err := errors.Join(os.WriteFile(j.Path(), text, 0o600), os.WriteFile(dir+"/journal.head", head, 0o600)); err != nil {
			t.Fatal(err)
		}
		before, err := j.Verify()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Append(t.Context(), journal.Record{Plan: "b", Stage: journal.Refused}); err != nil {
			return
		}
		after, err := j.Verify()
		if err != nil || len(after.Problems) > len(before.Problems) {
			t.Errorf("an append made it worse: %+v, then %+v, %v", before, after, err)
		}
	})
}
