// Package action carries out what people ask for, safely: propose, preflight, confirm, execute, verify.
//
// A Runner is the only caller of Actor.Perform. A Plan is made by reading alone: it names what is so now,
// what will be, how it is done and what every gate says. Executing it reads the target again, and sends
// nothing when anything that the plan rests on has changed. What is about to be sent is written to the
// journal first, and synced: no record, no action. An answer that was lost is never repeated: reading
// settles what became of it, also after a crash, at the next start.
//
// # Promote and roll back
//
// Both are asked of an environment, and done by one of its source's own verbs (Means): a run that waits there
// with exactly the version is approved, the deploy workflow is dispatched, a deployment is filed where
// somebody was seen to carry out such, or the run that last put the version there is run again. One action
// is one request, so a means that would take several, or that would reach more than is meant, does not fit.
//
// The whole plan is worked out again just before anything is sent. Where another call would be made of what is
// so then, another version, another run, another workflow, the plan is stale; and so it is when something has
// come into the queue before it. What counts as done is that the environment shows the version in every
// target that was meant, never that a run was green.
//
// Approving a waiting run, and running an old deployment again, change what runs as well: they are judged
// by the same facts, and locked with the environment.
package action
