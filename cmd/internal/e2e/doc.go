// Package e2e tests the built binary: in a pseudo-terminal, with the screen read back cell by cell, and in
// scripts of commands. It holds no code but tests.
package e2e
