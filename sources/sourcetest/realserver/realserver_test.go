package realserver_test

import (
	"context"
	"fmt"
	"testing"

	"example.com/signalbox/sources/sourcetest/realserver"
)

// What the other packages' tests stand on: a pushed value fires, shows, clears; a server comes back where it
// was.
func TestAMetricBecomesAnAlertAndEnds(t *testing.T) {
	t.Parallel()
	realserver.Need(t)
	ctx := t.Context()
	w, err := realserver.Start(ctx, realserver.Options{Alertmanagers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	labels := map[string]string{"alertname": "GaugeHigh", "service": "checkout"}
	if err := w.Push(ctx, "checkout", `test_gauge{env="prod"} 3`); err != nil {
		t.Fatal(err)
	}
	if err := w.AwaitAlert(ctx, labels, true); err != nil {
		t.Fatal(err)
	}
	w.Alertmanagers[0].Kill()
	if _, err := realserver.Alerts(ctx, w.Alertmanagers[0], labels); err == nil {
		t.Error("a dead Alertmanager answers")
	}
	if err := w.Alertmanagers[0].Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.AwaitAlert(ctx, labels, true); err != nil {
		t.Fatalf("after a restart: %v", err)
	}
	if err := w.Push(ctx, "checkout", `test_gauge{env="prod"} 0`); err != nil {
		t.Fatal(err)
	}
	if err := w.AwaitAlert(ctx, labels, false); err != nil {
		t.Fatal(err)
	}
}

func TestAwaitSaysWhatWasWrongLast(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := realserver.Await(ctx, func(context.Context) error {
		if n++; n == 3 {
			cancel()
		}
		return fmt.Errorf("wrong %d times", n)
	})
	if err == nil || n < 3 {
		t.Errorf("after %d looks: %v", n, err)
	}
}
