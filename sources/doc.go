// Package sources is the contract between signalbox and the systems that it reads.
//
// It holds the domain types (in the field's own terms), the capabilities that a source may have as
// small interfaces, the kinds of error that a caller may decide on, and Driver, which describes a kind
// of source. It does no I/O. Drivers live in one folder each below this one and know only this package,
// clean, httpx and config/secret.
//
// Reads are all or nothing: a method returns the whole answer or an error, never part of one. Values
// that a source has returned are never changed again by anybody: they are shared by pointer and slice
// between snapshots, panes and goroutines.
package sources
