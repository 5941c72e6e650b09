// Package early keeps the program from asking the terminal for its background colour before anything is
// painted.
//
// Bubble Tea's package initialisation asks, and waits up to five seconds on a terminal that does not answer
// (one round trip over SSH on one that does). Lip Gloss asks nothing once it was told. Go initialises
// packages in the order of their import paths as soon as their imports are done, and this one imports
// only Lip Gloss and sorts before github.com/charmbracelet/bubbletea: so it is first. A test with a mute
// terminal guards that.
//
// What is said here decides nothing: themes are made with the palette that the config names.
package early

import "github.com/charmbracelet/lipgloss"

// init is the project's only one.
func init() {
	lipgloss.SetHasDarkBackground(true)
}
