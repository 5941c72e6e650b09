//go:build race

package sourcetest

// Slowed says that the race detector makes everything ten times slower: long tests take samples.
const Slowed = true
