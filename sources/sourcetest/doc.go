// Package sourcetest is the conformance suite that every driver passes, and the stubs and the clock that
// tests of other packages share. Only tests import it.
//
// The suite runs a driver against a fake of its provider that the driver's author brings: an
// http.Handler with a small world. It opens no socket. Between the driver and the handler it counts
// requests, breaks answers, holds them back and watches where the credential goes.
package sourcetest
