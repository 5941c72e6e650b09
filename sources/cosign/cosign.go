package cosign

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/journal"
	"example.com/signalbox/sources/place"
)

// Lasts is for how long an offer, and what was agreed to it, counts.
const Lasts = 15 * time.Minute

// keeps is for how long one's own files stay.
const keeps = 24 * time.Hour

const fileMode fs.FileMode = 0o644

// User is a user of this machine.
type User struct {
	UID  int
	Name string // "uid 1001" where the machine has no name for it
}

// Error is why a plan cannot be agreed to, for people.
type Error struct {
	Msg, Fix string
	Err      error
}

func (e *Error) Error() string {
	if e.Fix == "" {
		return e.Msg
	}
	return e.Msg + ": " + e.Fix
}

func (e *Error) Unwrap() error { return e.Err }

// The reasons that a caller may want to tell apart; each is in the chain of an *Error.
var (
	ErrUnconfigured = errors.New("no shared directory is configured")
	ErrNotFound     = errors.New("there is no such plan")
	ErrExpired      = errors.New("the plan has expired")
	ErrOwn          = errors.New("the plan is one's own")
	ErrChanged      = errors.New("the plan has changed")
)

// Place is where users of this machine agree to each other's plans. Its methods are safe for several
// goroutines and processes. The directory is checked at each of them.
type Place struct {
	dir string
	who journal.Who
	now func() time.Time
	sys system
}

// system is what a Place asks of the machine.
type system struct {
	uid   func() int
	check func(string) error
	// owner reports whose file it is, and whether it is a plain one with one name.
	owner func(fs.FileInfo) (uid int, ok bool)
	name  func(uid int) string
}

// New is the place in dir, an absolute path; "" is one that refuses. who is this process, as journal.Self
// tells. It reads nothing.
func New(dir string, who journal.Who, now func() time.Time) *Place {
	return &Place{dir: dir, who: who, now: now, sys: system{uid: os.Geteuid, check: place.Check, owner: place.Plain, name: userName}}
}

// Ready says why nobody can agree here; nil: they can.
func (p *Place) Ready() error {
	if p.dir == "" {
		return &Error{Msg: "there is no place where a second person could agree", Fix: "set shared_dir: in the config", Err: ErrUnconfigured}
	}
	if err := p.sys.check(p.dir); err != nil {
		return &Error{Msg: err.Error(), Err: err}
	}
	return nil
}

var planID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,63}$`)

func (p *Place) planFile(id string) string { return filepath.Join(p.dir, "plan-"+id+".json") }

func (p *Place) agreedFile(id string, uid int) string {
	return filepath.Join(p.dir, "plan-"+id+".agreed-"+strconv.Itoa(uid))
}

// ready is Ready for the plan with the given ID.
func (p *Place) ready(id string) error {
	if !planID.MatchString(id) {
		return &Error{Msg: strconv.Quote(id) + " is no plan's ID", Fix: "copy it from whoever asks", Err: ErrNotFound}
	}
	return p.Ready()
}

// Offer makes plan known to whoever may agree. Offering what is offered already changes nothing, so that a
// plan that is made again while it is open keeps what was agreed; one that has changed is a new offer.
func (p *Place) Offer(plan *action.Plan) error {
	if err := p.ready(plan.ID); err != nil {
		return err
	}
	p.sweep()
	if old, err := p.read(plan.ID); err == nil && old.Owner.UID == p.sys.uid() && !p.now().After(old.Until) && old.covers(plan) {
		return nil
	}
	data, err := json.MarshalIndent(sheetOf(plan, p.who, p.now()), "", "  ")
	if err != nil {
		return fmt.Errorf("offer the plan: %w", err)
	}
	if err := p.write(p.planFile(plan.ID), data); err != nil {
		return &Error{Msg: "the plan cannot be offered to a second person", Fix: "see that you are in the group of " + p.dir, Err: err}
	}
	return nil
}

// Withdraw takes an offer of one's own back: it is over. None is no error.
func (p *Place) Withdraw(id string) error {
	if err := p.ready(id); err != nil {
		return err
	}
	if err := os.Remove(p.planFile(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("withdraw the plan: %w", err)
	}
	return nil
}

// List is what is offered and has not expired, the newest first. What cannot be read is left out.
func (p *Place) List() ([]Sheet, error) {
	if err := p.Ready(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return nil, &Error{Msg: "the shared directory cannot be read", Fix: "see that you are in the group of " + p.dir, Err: err}
	}
	var all []Sheet
	for _, e := range entries {
		id, ok := strings.CutPrefix(e.Name(), "plan-")
		if id, ok = cutSuffix(id, ".json", ok); !ok || !planID.MatchString(id) {
			continue
		}
		if s, err := p.read(id); err == nil && !p.now().After(s.Until) {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b Sheet) int { return b.Offered.Compare(a.Offered) })
	return all, nil
}

func cutSuffix(s, suffix string, ok bool) (string, bool) {
	if !ok {
		return s, false
	}
	return strings.CutSuffix(s, suffix)
}

// Read is the offered plan with the given ID, for a person to look at before they agree.
func (p *Place) Read(id string) (Sheet, error) {
	if err := p.ready(id); err != nil {
		return Sheet{}, err
	}
	s, err := p.read(id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Sheet{}, &Error{Msg: "no plan " + id + " is offered", Fix: "check the ID; an offer lasts 15 minutes", Err: errors.Join(ErrNotFound, err)}
	case err != nil:
		return Sheet{}, &Error{Msg: "the plan " + id + " cannot be believed: " + err.Error(), Fix: "let it be proposed again", Err: err}
	case p.now().After(s.Until):
		return Sheet{}, &Error{Msg: "the plan " + id + " expired at " + s.Until.Format("15:04:05 UTC"), Fix: "let it be proposed again", Err: ErrExpired}
	}
	return s, nil
}

// samePerson reports whether one user is the other, or who became the other, as far as sudo tells.
func samePerson(a, aSudo, b, bSudo string) bool {
	return a == b || aSudo == b || bSudo == a || aSudo != "" && aSudo == bSudo
}

// agreement is what stands in the file of whoever agrees. Its owner is the proof, and the rest says to what.
type agreement struct {
	Plan string      `json:"plan"`
	Hash string      `json:"hash"` // of the sheet that was shown
	Who  journal.Who `json:"who"`
	At   time.Time   `json:"at"`
}

// Agree agrees to the plan as it was shown. It refuses one's own, and one that is another by now.
func (p *Place) Agree(shown Sheet) error {
	s, err := p.Read(shown.Plan)
	if err != nil {
		return err
	}
	switch {
	case s.Hash != shown.Hash || s.Owner != shown.Owner:
		return &Error{Msg: "the plan changed while you looked at it", Fix: "look at it again", Err: ErrChanged}
	case p.sys.uid() == 0:
		return &Error{Msg: "root is nobody in particular, and agrees to nothing", Fix: "agree as yourself"}
	case s.Owner.UID == p.sys.uid():
		return &Error{Msg: "it is your own plan", Fix: "another user of this machine has to agree", Err: ErrOwn}
	case samePerson(s.Owner.Name, s.Asks.Sudo, p.sys.name(p.sys.uid()), p.who.Sudo):
		return &Error{Msg: "it is your own plan: one of you is the other by sudo", Fix: "another person has to agree", Err: ErrOwn}
	}
	p.sweep()
	data, err := json.Marshal(agreement{Plan: s.Plan, Hash: s.Hash, Who: p.who, At: p.now().UTC()})
	if err != nil {
		return fmt.Errorf("agree: %w", err)
	}
	if err := p.write(p.agreedFile(s.Plan, p.sys.uid()), data); err != nil {
		return &Error{Msg: "your agreement cannot be written", Fix: "see that you are in the group of " + p.dir, Err: err}
	}
	return nil
}

// Agreed is who else agreed to plan as it is now; "" nobody has. An agreement that does not count is as none;
// the error, for the log, is of what could not be read.
func (p *Place) Agreed(plan *action.Plan) (string, error) {
	if err := p.ready(plan.ID); err != nil {
		return "", err
	}
	s, err := p.read(plan.ID)
	switch now := p.now(); {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read the offer: %w", err)
	case s.Owner.UID != p.sys.uid() || now.After(s.Until) || now.Before(s.Offered.Add(-time.Minute)) || !s.covers(plan):
		return "", nil
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return "", fmt.Errorf("look for agreements: %w", err)
	}
	var errs []error
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), "plan-"+plan.ID+".agreed-")
		uid, err := strconv.Atoi(digits)
		if !ok || err != nil || uid == p.sys.uid() || uid <= 0 {
			continue
		}
		if err := p.counts(&s, e.Name(), uid); err != nil {
			errs = append(errs, fmt.Errorf("%s does not count: %w", e.Name(), err))
			continue
		}
		return p.sys.name(uid), nil
	}
	return "", errors.Join(errs...)
}

// counts says why the agreement in a file does not count; nil: it does.
func (p *Place) counts(s *Sheet, name string, uid int) error {
	data, owner, err := p.load(filepath.Join(p.dir, name))
	if err != nil {
		return err
	}
	if owner != uid {
		return fmt.Errorf("it belongs to %s", p.sys.name(owner))
	}
	var a agreement
	if err := json.Unmarshal(data, &a); err != nil {
		return fmt.Errorf("%w: %w", errTorn, err)
	}
	switch {
	case a.Plan != s.Plan || a.Hash != s.Hash:
		return errors.New("it is of another plan, or of what this one was")
	case a.At.Before(s.Offered.Add(-time.Minute)) || a.At.After(s.Until):
		return errors.New("it was not given while the plan was offered")
	case samePerson(s.Owner.Name, s.Asks.Sudo, p.sys.name(uid), a.Who.Sudo):
		return errors.New("it was given by whoever asks, who became another by sudo")
	}
	return nil
}

// read is the sheet with the given ID, whether it has expired or not.
func (p *Place) read(id string) (Sheet, error) {
	data, owner, err := p.load(p.planFile(id))
	if err != nil {
		return Sheet{}, err
	}
	s, err := parse(data)
	switch {
	case err != nil:
		return Sheet{}, err
	case s.Plan != id:
		return Sheet{}, errors.New("it is another plan's")
	case s.Until.Sub(s.Offered) > Lasts:
		return Sheet{}, errors.New("it is offered for longer than anything may be")
	}
	s.Owner = User{owner, p.sys.name(owner)}
	return s, nil
}
