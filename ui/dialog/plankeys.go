package dialog

import (
	"strconv"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"example.com/signalbox/sources"
	"example.com/signalbox/sources/action"
	"example.com/signalbox/sources/clean"
	"example.com/signalbox/ui/keymap"
	"example.com/signalbox/ui/pane"
)

// The keys of a plan, beside those that move. They are upper case, so that a field for the name of a service
// seldom wants them.
const (
	keyVersions = "V"
	keyMeans    = "O"
	keyComment  = "M"
	keyUndo     = "Z"
	keyRead     = "r"
	keyBrowse   = "o"
)

// mostTogether is how many letters of one read are taken for typed ones: a slow link may bring some at once.
const mostTogether = 4

// Typing implements Dialog: every key arrives as it is.
func (p *Plan) Typing() bool { return true }

// Do implements Dialog: it takes keys alone.
func (p *Plan) Do(pane.Action) tea.Cmd { return nil }

// Click implements Dialog. A press confirms nothing; the wheel scrolls.
func (p *Plan) Click(c pane.Click) tea.Cmd {
	p.scroll(c.Wheel)
	return nil
}

// Key implements Dialog.
func (p *Plan) Key(k tea.KeyMsg) tea.Cmd {
	name := k.String()
	held := name == p.key && p.now().Sub(p.keyAt) < planHeld
	p.key, p.keyAt = name, p.now()
	if k.Paste {
		return p.paste(k)
	}
	if name == "esc" {
		return send(Close{})
	}
	p.hint = clean.Text{}
	if p.phase == asking {
		return p.answer(k, held)
	}
	if p.move(k) {
		return nil
	}
	switch {
	case name == "n", name == "q", name == "enter" && p.phase == ended && !held:
		return send(Close{})
	case name == keyRead && p.phase == broken:
		return send(Again{p, p.requests})
	case name == keyBrowse && p.link() != "":
		return send(pane.Browse{URL: p.link()})
	case name == keyUndo && p.undo() != nil:
		return send(TakeBack{*p.undo()})
	}
	return nil
}

// paste is text where reasons are typed, and nothing anywhere else.
func (p *Plan) paste(k tea.KeyMsg) tea.Cmd {
	switch {
	case p.phase != asking:
	case !p.armed():
		p.hint = clean.Const("not yet: read it first")
	case p.focus == onReason:
		p.reason.Update(k)
	default:
		p.hint = clean.Const("a paste answers nothing: type it")
	}
	return nil
}

// answer takes a key while the question stands.
func (p *Plan) answer(k tea.KeyMsg, held bool) tea.Cmd {
	moves := k.Type != tea.KeyRunes && k.Type != tea.KeySpace || p.focus == onText
	switch {
	case moves && p.move(k):
		return nil
	case p.focus == onText && (k.String() == "n" || k.String() == "q"):
		return send(Close{})
	case !p.armed():
		p.hint = clean.Const("not yet: read it first")
		return nil
	case k.Type == tea.KeyTab || k.Type == tea.KeyShiftTab:
		p.turn(k.Type == tea.KeyShiftTab)
		return nil
	}
	switch p.focus {
	case onReason:
		return p.typeReason(k)
	case onWord:
		return p.typeWord(k, held)
	case onText:
	}
	return p.letter(k, held)
}

// turn puts the keyboard to the next field, or to what is read.
func (p *Plan) turn(back bool) {
	places := []focus{onText}
	if p.demand.Reason {
		places = append(places, onReason)
	}
	if p.demand.Kind == action.TypeDemand || p.demand.Kind == action.SecondDemand {
		places = append(places, onWord)
	}
	for i, f := range places {
		if f != p.focus {
			continue
		}
		by := 1
		if back {
			by = len(places) - 1
		}
		p.focus = places[(i+by)%len(places)]
		return
	}
	p.focus = onText
}

func (p *Plan) typeReason(k tea.KeyMsg) tea.Cmd {
	if k.Type != tea.KeyEnter {
		p.reason.Update(k)
		return nil
	}
	if strings.TrimSpace(p.reason.Value()) == "" {
		p.hint = clean.Const("say why: others will read it")
		return nil
	}
	p.focus = onText
	if p.demand.Kind >= action.TypeDemand {
		p.focus = onWord
	}
	return nil
}

// typeWord takes a key of the field that the word is typed into. While nothing is typed, a letter that the word
// does not begin with is the key that it is elsewhere.
func (p *Plan) typeWord(k tea.KeyMsg, held bool) tea.Cmd {
	name := k.String()
	switch {
	case k.Type == tea.KeyEnter:
		return p.submit(held)
	case p.word.Value() == "" && !strings.HasPrefix(p.demand.Word, name) && p.isKey(name):
		return p.letter(k, held)
	}
	if len(k.Runes) > mostTogether {
		p.hint = clean.Const("that came as one piece: type it")
		return nil
	}
	p.word.Update(k)
	return nil
}

// submit agrees when exactly the word was typed.
func (p *Plan) submit(held bool) tea.Cmd {
	switch {
	case p.word.Value() != p.demand.Word:
		p.hint = clean.Linef("not %s: nothing is done", p.demand.Word)
	case p.demand.Reason && strings.TrimSpace(p.reason.Value()) == "":
		p.hint, p.focus = clean.Const("say why first: Tab goes there"), onReason
	case p.lonely():
		p.hint = clean.Const("another person has to agree first")
	case held:
		p.hint = clean.Const("Enter is held down: press it once")
	default:
		return send(Confirm{p})
	}
	return nil
}

// letter takes a key that is no text.
func (p *Plan) letter(k tea.KeyMsg, held bool) tea.Cmd {
	name := k.String()
	if k.Type == tea.KeyRunes && len(k.Runes) > 1 {
		p.hint = clean.Const("several keys came together: press one alone")
		return nil
	}
	if i := p.offer(name); i >= 0 {
		return send(First{p.offers()[i].Request})
	}
	switch {
	case name == "y":
		return p.yes(held)
	case name == "enter":
		p.hint = p.enterSays()
	case name == keyVersions && p.choices() > 1:
		return send(Instead{Plan: p})
	case name == keyMeans && p.means() > 0:
		return send(Instead{Plan: p, Means: true})
	case name == keyComment && p.comments():
		return send(Comment{p})
	case name == keyBrowse && p.link() != "":
		return send(pane.Browse{URL: p.link()})
	}
	return nil
}

func (p *Plan) yes(held bool) tea.Cmd {
	switch {
	case p.demand.Kind == action.Refusal:
		p.hint = clean.Const("it is refused: nothing is done")
	case p.demand.Kind >= action.TypeDemand || p.demand.Reason:
		p.hint = clean.Const("a y is not enough: Tab goes to what is to be typed")
	case held:
		p.hint = clean.Const("y is held down: press it once")
	default:
		return send(Confirm{p})
	}
	return nil
}

func (p *Plan) enterSays() clean.Text {
	switch p.demand.Kind {
	case action.Refusal:
		return clean.Const("it is refused: nothing is done")
	case action.TypeDemand, action.SecondDemand:
		return clean.Const("Tab goes to what is to be typed")
	case action.NoDemand, action.YesDemand:
	}
	return clean.Const("Enter does nothing here: y or n")
}

// isKey reports that a key does something beside typing.
func (p *Plan) isKey(name string) bool {
	switch name {
	case keyVersions:
		return p.choices() > 1
	case keyMeans:
		return p.means() > 0
	case keyComment:
		return p.comments()
	}
	return p.offer(name) >= 0
}

// move scrolls; it reports whether k is a key that does.
func (p *Plan) move(k tea.KeyMsg) bool {
	n := 1
	name := k.String()
	if k.Type == tea.KeyRunes && len(k.Runes) > 1 {
		name = string(k.Runes[0])
		if strings.Trim(string(k.Runes), name) != "" {
			return false
		}
		n = len(k.Runes)
	}
	switch name {
	case "j", "down":
		p.scroll(n)
	case "k", "up":
		p.scroll(-n)
	case "pgdown", "ctrl+d":
		p.scroll(n * max(1, p.page-1))
	case "pgup", "ctrl+u":
		if name == "ctrl+u" && p.focus != onText {
			return false // it empties a field
		}
		p.scroll(-n * max(1, p.page-1))
	case "g":
		p.top = 0
	case "G":
		p.scroll(p.total)
	default:
		return false
	}
	return true
}

func (p *Plan) scroll(by int) { p.top = max(0, min(p.top+by, p.total-p.page)) }

// offers are what can be done first; of several plans none.
func (p *Plan) offers() []action.Offer {
	if len(p.plans) != 1 {
		return nil
	}
	return p.plans[0].Offers
}

// offer is the index of the offer that a key asks for; -1 for none.
func (p *Plan) offer(name string) int {
	for i := range p.offers() {
		if p.offerKey(i) == name {
			return i
		}
	}
	return -1
}

// offerKey is the key of offer i: that of its verb, where nothing else has it, else a number.
func (p *Plan) offerKey(i int) string {
	offers := p.offers()
	letter := verbKey(offers[i].Request.Verb)
	for j := range i {
		if verbKey(offers[j].Request.Verb) == letter {
			letter = ""
		}
	}
	if letter == "" {
		return strconv.Itoa(i + 1)
	}
	return letter
}

func verbKey(v sources.Verb) string {
	for _, in := range keymap.Infos() {
		if in.Acts && string(in.Action) == string(v) && len(in.Default) == 1 {
			switch k := in.Default[0]; k {
			case keyVersions, keyMeans, keyComment, keyUndo, "y", "n":
			default:
				return k
			}
		}
	}
	return ""
}

func (p *Plan) choices() int {
	if len(p.plans) != 1 || p.plans[0].Change == nil {
		return 0
	}
	return len(p.plans[0].Change.Choices)
}

func (p *Plan) means() int {
	if len(p.plans) != 1 || p.plans[0].Change == nil {
		return 0
	}
	return len(p.plans[0].Change.Others)
}

// comments reports that a text may go with what is asked for, and need not.
func (p *Plan) comments() bool {
	if len(p.plans) != 1 {
		return false
	}
	switch p.plans[0].Request.Verb {
	case sources.Approve, sources.Reject, sources.SilenceIt, sources.Mute:
		return true
	default:
		return false
	}
}

// link is the page to open: of the action under way, else of what lies between two versions.
func (p *Plan) link() string {
	if p.phase >= running {
		return p.url
	}
	if len(p.plans) == 1 && p.plans[0].Change != nil {
		return p.plans[0].Change.URL
	}
	return ""
}
