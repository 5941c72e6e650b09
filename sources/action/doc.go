// Package action carries out what people ask for, safely: propose, preflight, confirm, execute, verify.
//
// A Runner is the only caller of Actor.Perform. A Plan is made by reading alone: it names what is so now,
// what will be, how it is done and what every gate says. Executing it reads the target again, and sends
// nothing when anything that the plan rests on has changed. What is about to be sent is written to the
// journal first, and synced: no record, no action. An answer that was lost is never repeated: reading
// settles what became of it, also after a crash, at the next start.
package action
