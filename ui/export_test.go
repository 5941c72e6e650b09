package ui

import "example.com/signalbox/sources/store"

// SnapshotMsg is the message that brings a snapshot, for benchmarks that leave out the waiting.
func SnapshotMsg(s *store.Snapshot) any { return snapshotMsg{s} }
