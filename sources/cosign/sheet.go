package cosign

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/policy"
)

// Sheet is a plan as the second person sees it.
type Sheet struct {
	Plan    string         `json:"plan"`
	Offered time.Time      `json:"offered"`
	Until   time.Time      `json:"until"` // an agreement after it does not count
	Asks    journal.Who    `json:"asks"`  // who wants to act, by their own account; Owner is the proof
	Title   clean.Text     `json:"title"`
	Acting  clean.Text     `json:"acting,omitzero"` // as whom, at the provider
	Name    clean.Text     `json:"name"`
	Service string         `json:"service,omitempty"`
	Now     clean.Text     `json:"now"`
	Then    clean.Text     `json:"then"`
	How     clean.Text     `json:"how"`
	Lines   []clean.Text   `json:"lines,omitempty"`
	Change  *Change        `json:"change,omitempty"`
	Gates   []journal.Gate `json:"gates"`
	Word    string         `json:"word"`             // that whoever acts must type
	Reason  bool           `json:"reason,omitempty"` // glass is broken
	Call    sources.Call   `json:"call"`             // what will be sent

	// Hash is of all the above, in hexadecimal.
	Hash string `json:"hash"`
	// Owner is whose file it is, as the system tells.
	Owner User `json:"-"`
}

// Change is the versions of a promotion or a rollback.
type Change struct {
	Environment string           `json:"environment"`
	Targets     []string         `json:"targets,omitempty"`
	Now         sources.Version  `json:"now"`
	Then        sources.Version  `json:"then"`
	NowText     clean.Text       `json:"now_text,omitzero"`
	ThenText    clean.Text       `json:"then_text,omitzero"`
	Undoes      bool             `json:"undoes,omitempty"` // the commits are taken back
	Means       action.Means     `json:"means"`
	Commits     []sources.Commit `json:"commits,omitempty"` // the newest, newest first
	Migrations  []string         `json:"migrations,omitempty"`
	URL         string           `json:"url,omitempty"`
}

// maxCommits is how many commits a sheet names.
const maxCommits = 50

func sheetOf(p *action.Plan, who journal.Who, now time.Time) Sheet {
	s := Sheet{
		Plan: p.ID, Offered: now.UTC(), Until: now.Add(Lasts).UTC(), Asks: who, Title: p.Title, Acting: p.Acting, Name: p.Name, Service: p.Service,
		Now: p.Now, Then: p.Then, How: p.How, Lines: p.Lines, Word: p.Demand.Word, Reason: p.Demand.Reason, Call: p.Call, Gates: []journal.Gate{},
	}
	for _, g := range p.Gates {
		s.Gates = append(s.Gates, journal.Gate{Rule: g.Gate, Verdict: g.Verdict.String(), Text: g.Text})
	}
	if c := p.Change; c != nil {
		s.Change = &Change{
			Environment: c.Environment, Targets: c.Targets, Now: c.Now.Version, Then: c.Then.Version, NowText: c.Now.Text, ThenText: c.Then.Text,
			Undoes: c.Undoes, Means: c.Means, Migrations: c.Migrations, URL: c.URL,
			Commits: c.Commits[:min(len(c.Commits), maxCommits)],
		}
	}
	s = asRead(s)
	s.Hash = s.hash()
	return s
}

// asRead is v as it is after it was written and read.
func asRead[T any](v T) T {
	var read T
	data, err := json.Marshal(v)
	if err != nil || json.Unmarshal(data, &read) != nil {
		return v
	}
	return read
}

// hash is that of the sheet without its Hash.
func (s Sheet) hash() string {
	s.Hash = ""
	data, err := json.Marshal(s)
	if err != nil {
		return "" // no field of a Sheet can fail
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

var errTorn = errors.New("it is torn, or was changed")

// parse reads a sheet, strictly, and checks its hash.
func parse(data []byte) (Sheet, error) {
	var s Sheet
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Sheet{}, fmt.Errorf("%w: %w", errTorn, err)
	}
	if s.Hash == "" || s.Hash != s.hash() {
		return Sheet{}, errTorn
	}
	return s, nil
}

// covers reports whether the sheet is of what p would do: the same request to the same object in the same
// state, under the same demands, with no gate stricter than it was. Texts may differ: they tell ages.
func (s *Sheet) covers(p *action.Plan) bool {
	if s.Plan != p.ID || s.Word != p.Demand.Word || p.Demand.Reason && !s.Reason || !sameJSON(s.Call, asRead(p.Call)) {
		return false
	}
	if (s.Change == nil) != (p.Change == nil) {
		return false
	}
	if c := p.Change; c != nil {
		o := s.Change
		if o.Environment != c.Environment || o.Now.SHA != c.Now.Version.SHA || o.Then.SHA != c.Then.Version.SHA || o.Undoes != c.Undoes || o.Means != c.Means ||
			!slices.Equal(o.Targets, c.Targets) || !slices.Equal(o.Migrations, c.Migrations) {
			return false
		}
	}
	for _, g := range p.Gates {
		if g.Verdict > s.verdict(g.Gate) {
			return false
		}
	}
	return true
}

// verdict is the strictest that the sheet has of a gate; Warn, which asks for nothing, where it has none.
func (s *Sheet) verdict(gate string) policy.Verdict {
	v := policy.Warn
	for _, g := range s.Gates {
		if one, ok := policy.ParseVerdict(g.Verdict); ok && g.Rule == gate {
			v = max(v, one)
		}
	}
	return v
}

func sameJSON(a, b any) bool {
	x, err := json.Marshal(a)
	if err != nil {
		return false
	}
	y, err := json.Marshal(b)
	return err == nil && bytes.Equal(x, y)
}
