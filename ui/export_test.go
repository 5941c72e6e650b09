package ui

import (
	"example.com/signalbox/sources/store"
	"example.com/signalbox/ui/pane"
)

// The messages that what waits for the world brings, for tests that leave out the waiting.

// SnapshotMsg brings a snapshot.
func SnapshotMsg(s *store.Snapshot) any { return snapshotMsg{s} }

// EventMsg brings an event.
func EventMsg(e pane.Event) any { return eventMsg{e} }

// SettingsMsg brings settings.
func SettingsMsg(s Settings) any { return settingsMsg{s} }

// Warm derives what the board shows of s, as is done before a SnapshotMsg arrives.
func (a *App) Warm(s *store.Snapshot) { a.warm(s, a.set.Attention.All) }

// OperationsMsg brings what is under way.
func OperationsMsg(ops []pane.Operation) any { return operationsMsg{ops} }

// TickMsg is the timer that is outstanding.
func TickMsg(a *App) any { return tickMsg{a.due} }

// Ticks reports that the board wakes each second.
func (a *App) Ticks() bool { return a.seconds() }
