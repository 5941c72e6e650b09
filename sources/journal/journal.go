// Package journal is the record of every action and every refusal: JSON lines in one file that is only
// ever appended to, each synced to the disk before its writer goes on, each chained to the one before it
// by a SHA-256 hash. A second small file, the head, holds how many records there are and the hash of the
// last one, so that a cut tail is found too.
//
// What it finds: a record that was changed, left out, moved or torn, and an end that was cut off, each by the
// number of the record. That is what damage, a full disk, an editor and carelessness do.
//
// What the owner of the files can still forge, and root: all of it. Nothing in the chain is secret. Whoever may
// write both files can
//
//   - change any record, and compute all hashes after it and the head anew;
//   - put an earlier copy of both files back, as if what came after had never been;
//   - remove both: a journal of no records is a right one;
//   - write records of what was never done, and, with another program, do what is never recorded.
//
// Nor does the journal prove who acted: the user is what the system says of the process, but Sudo and SSH are
// from variables that the user can set, and the time is the machine's. What has to hold against the owner is to be
// kept where they cannot write: the records are told to the targets of `notify:`, and the providers keep logs of
// their own, in which the plan's ID stands where the provider takes one.
//
// Several processes may append to one journal: each holds a lock on the file while it does.
package journal

import (
	"errors"
	"fmt"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// Stage is how far an action is when a record of it is written.
type Stage string

// The stages. An action begins with Intended, before anything is sent, and ends with one for which Final
// is true. What was refused before anything was sent has no Intended.
const (
	Refused    Stage = "refused"    // policy, or a person, said no: nothing was sent
	Stale      Stage = "stale"      // the target had changed: nothing was sent
	Intended   Stage = "intended"   // approved, and about to be sent
	Answered   Stage = "answered"   // the provider took it
	Unknown    Stage = "unknown"    // the answer was lost: it may or may not have happened
	Failed     Stage = "failed"     // the provider refused it, or it did not come to pass
	Verified   Stage = "verified"   // the authority shows the new state
	Superseded Stage = "superseded" // something else took its place
	Given      Stage = "given up"   // not verified by its deadline: whether it happened was told as unknown
	Guarded    Stage = "guarded"    // a watch window's verdict
	Cosigned   Stage = "cosigned"   // a second person agreed
	Restarted  Stage = "restarted"  // the journal was begun anew, or mended after a crash
)

// Final reports whether an action is settled by a record of this stage.
func (s Stage) Final() bool {
	switch s {
	case Refused, Stale, Failed, Verified, Superseded, Given:
		return true
	case Intended, Answered, Unknown, Guarded, Cosigned, Restarted:
		return false
	}
	return false
}

// Who is who acts, and from where.
type Who struct {
	User  string     `json:"user"`           // of this machine
	Sudo  string     `json:"sudo,omitempty"` // who became User
	SSH   string     `json:"ssh,omitempty"`  // the address that the session comes from
	Host  string     `json:"host"`           // this machine
	Login clean.Text `json:"login,omitzero"` // the identity at the provider
	Via   string     `json:"via,omitempty"`  // "board", "command", "guard"
}

// Gate is what one rule said.
type Gate struct {
	Rule    string     `json:"rule"`
	Verdict string     `json:"verdict"`
	Text    clean.Text `json:"text,omitzero"`
}

// Approval is how an action was agreed to.
type Approval struct {
	Kind       string     `json:"kind"`                  // none, yes, typed, second person
	Typed      string     `json:"typed,omitempty"`       // the word that was demanded, and given
	Reason     clean.Text `json:"reason,omitzero"`       //
	BreakGlass []string   `json:"break_glass,omitempty"` // the rules that the reason lifted
	Cosigner   string     `json:"cosigner,omitempty"`
}

// Record is one line. Append fills in Seq, At, Prev and Hash.
type Record struct {
	Seq         uint64           `json:"seq"` // from 1
	At          time.Time        `json:"at"`
	Plan        string           `json:"plan,omitempty"` // what the records of one action have in common
	Stage       Stage            `json:"stage"`
	Verb        sources.Verb     `json:"verb,omitempty"`
	Who         Who              `json:"who"`
	Target      sources.Ref      `json:"target,omitzero"`
	Name        clean.Text       `json:"name,omitzero"` // how people name the target: "checkout/prod"
	Service     string           `json:"service,omitempty"`
	Environment string           `json:"environment,omitempty"`
	Before      clean.Text       `json:"before,omitzero"` // what was so before: "v1.9.2 in eu us"
	After       clean.Text       `json:"after,omitzero"`  // what was wanted
	How         clean.Text       `json:"how,omitzero"`    // in the provider's terms
	Call        *sources.Call    `json:"call,omitempty"`  // of Intended: what was sent
	Gates       []Gate           `json:"gates,omitempty"`
	Approval    *Approval        `json:"approval,omitempty"`
	Receipt     *sources.Receipt `json:"receipt,omitempty"`
	Outcome     clean.Text       `json:"outcome,omitzero"`
	URL         string           `json:"url,omitempty"`
	Prev        string           `json:"prev"`           // the hash of the record before; "" of the first
	Hash        string           `json:"hash,omitempty"` // of the line without this field, in hexadecimal
}

// The names of the journal's files in its directory.
const (
	FileName = "journal.jsonl"
	headName = "journal.head"
)

// ErrBusy means that another process held the journal for longer than an append takes.
var ErrBusy = errors.New("another process holds the journal")

// DamagedError means that the journal is not as it was left: records may have been changed or cut off.
type DamagedError struct {
	Path string
	What string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s is damaged: %s", e.Path, e.What)
}
