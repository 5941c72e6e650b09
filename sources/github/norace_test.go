//go:build !race

package github

// slowed is for the race detector.
const slowed = false
