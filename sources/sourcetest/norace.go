//go:build !race

package sourcetest

// Slowed is for the race detector.
const Slowed = false
