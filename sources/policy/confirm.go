package policy

import (
	"example.com/signalbox/sources"
	"example.com/signalbox/sources/clean"
)

// few is how many objects at once a y is enough for.
const few = 5

// grade is how hard an action is to confirm where no gate has anything against it: by what it can break.
func grade(f *Facts) Finding {
	ask := func(v Verdict, why clean.Text) Finding { return Finding{Verdict: v, Text: why} }
	if f.Bulk > few {
		return ask(TypedConfirm, clean.Linef("on %d at once", f.Bulk))
	}
	switch f.Action {
	case sources.Acknowledge:
		switch {
		case f.HeldBy != "":
			return ask(Confirm, clean.Linef("%s holds it already", f.HeldBy))
		case f.Bulk > 1:
			return ask(Confirm, clean.Linef("%d at once", f.Bulk))
		case !f.Mine:
			return ask(Confirm, clean.Const("it is not assigned to you"))
		}
		return ask(Allow, clean.Const("your own page"))
	case sources.Resolve:
		if f.Alerting {
			return ask(TypedConfirm, clean.Const("what is behind it still alerts"))
		}
		return ask(Confirm, clean.Const("it ends for everybody"))
	case sources.Escalate, sources.Reassign:
		return ask(Confirm, clean.Const("it pages people"))
	case sources.Snooze, sources.SilenceIt, sources.Mute:
		return ask(Confirm, clean.Const("nobody hears of it for that time"))
	case sources.Expire, sources.Unmute:
		return ask(Confirm, clean.Const("it may page people"))
	case sources.AddNote, sources.PostStatus, sources.PostEvent:
		return ask(Confirm, clean.Const("others read it"))
	case sources.Merge:
		return ask(Confirm, clean.Const("it cannot be taken apart again"))
	case sources.Reject:
		return ask(Confirm, clean.Const("what waits for it fails"))
	case sources.RerunFailed, sources.RerunAll, sources.Cancel, sources.Approve:
		if !f.Deploys {
			return ask(Confirm, clean.Const("the run does not deploy"))
		}
		return change(f, ask)
	case sources.Promote, sources.Rollback, sources.Dispatch, sources.Deploy:
		return change(f, ask)
	}
	return ask(TypedConfirm, clean.Const("what it may do is not known"))
}

// change is how hard a change of what runs is to confirm.
func change(f *Facts, ask func(Verdict, clean.Text) Finding) Finding {
	switch {
	case f.Environment == nil:
		return ask(TypedConfirm, clean.Const("it changes what runs, and where is not known"))
	case f.Environment.Prod:
		return ask(TypedConfirm, clean.Linef("it changes what runs in %s", f.Environment.Name))
	}
	return ask(Confirm, clean.Linef("it changes what runs in %s", f.Environment.Name))
}
