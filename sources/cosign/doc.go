// Package cosign lets a second person agree to a plan, in a directory that both can write (`shared_dir`).
//
// Whoever wants to act offers the plan: a file of their own that says all that the other has to see. The other,
// another user of the same machine, reads it with `signalbox cosign PLAN` and agrees: a file of their own that
// names what they have read by its hash. It is found by whoever waits for it.
//
// # What proves it
//
// Who agreed is who owns the file, as the kernel tells; what the file says of them proves nothing. Nobody but
// root can make a file that is another's. A file of theirs that is moved or linked here does not help: it would
// have to name this plan by its hash, so that they agreed to just this. What counts, besides, is a plain file
// with one name, that nobody but its owner can write.
//
// One's own agreement never counts, nor root's, who is nobody in particular; nor that of whoever became
// another by sudo, as far as sudo tells. An agreement is to what was shown: when the plan is another (another
// version, another target, a target that has changed, another word to type, a gate that has become stricter),
// it counts no more. It ends with the offer, after fifteen minutes.
//
// # What can still be forged
//
// Root can forge everything. So can whoever can act as two users: who knows both passwords, may sudo to the
// other, or shares an account with them. Whoever wants to act runs the program that asks for the second person:
// a program that was changed does not ask, so that against its own user this is a fence and no wall. What has
// to hold against them is to be demanded by the provider: required reviewers of an environment, a protected
// branch. The directory's owner can take agreements away, and give none. The clock is this machine's.
//
// # The directory
//
// See sources/place for what is demanded of it. This sets it up for a group ops:
//
//	sudo install -d -m 3770 -g ops /var/lib/signalbox
//
// In it stand plan-ID.json and plan-ID.agreed-UID, readable by the group, each written beside and renamed into
// place. Every user removes their own of yesterday; those of others the sticky bit keeps.
package cosign
