package cosign

import (
	"encoding/json"
	"testing"
	"time"

	"example.com/signalbox/sources/journal"
)

// What is read as a sheet is what its hash says, however the file was written.
func FuzzSheet(f *testing.F) {
	s := sheetOf(samplePlan(), journal.Who{User: "sre1", Host: "h"}, time.Date(2026, 11, 22, 2, 14, 5, 0, time.UTC))
	whole, err := json.Marshal(s)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(whole), string(whole[:len(whole)-1]), "", "{}", "null", `{"hash":""}`, `{"plan":"a","hash":"b"}`, string(whole) + "x"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parse(data)
		if err != nil {
			return
		}
		if got.Hash != got.hash() {
			t.Fatal("a hash that is not the sheet's")
		}
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if read, err := parse(again); err != nil || read.Hash != got.Hash {
			t.Fatalf("written again it is another: %v", err)
		}
	})
}
