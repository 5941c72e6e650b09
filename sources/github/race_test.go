//go:build race

package github

// slowed says that the race detector makes everything ten times slower: long tests take samples.
const slowed = true
