package datadog_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"example.com/signalbox/sources/simulator"
	"example.com/signalbox/sources/simulator/datadog"
	"example.com/signalbox/sources/simulator/world"
)

// day asks for one metric of every service, each minute of a day.
func day(w *world.World) string {
	return fmt.Sprintf(`{"data":{"type":"timeseries_request","attributes":{"from":%d,"to":%d,"interval":60000,"queries":[
		{"data_source":"metrics","name":"a","query":"avg:system.cpu.used{env:prod} by {service}"}]}}}`,
		w.Now().Add(-24*time.Hour).UnixMilli(), w.Now().UnixMilli())
}

// TestLoad holds that two hundred series of a day are told in full.
func TestLoad(t *testing.T) {
	t.Parallel()
	w := world.Scaled(1, simulator.Opening(), world.Scale{Repositories: 200})
	c, _ := direct(t, w, datadog.Config{})
	var b struct {
		Data struct {
			Attributes struct {
				Times  []int64
				Values [][]*float64
			}
		}
	}
	c.do(http.StatusOK, http.MethodPost, "/api/v2/query/timeseries", day(w)).into(t, &b)
	a := b.Data.Attributes
	if len(a.Values) != 200 || len(a.Times) != 1440 {
		t.Fatalf("%d series of %d points", len(a.Values), len(a.Times))
	}
	for i, row := range a.Values {
		if len(row) != 1440 || row[0] == nil || row[1438] == nil {
			t.Fatalf("series %d has %d values", i, len(row))
		}
	}
}

func BenchmarkDay(b *testing.B) {
	w := world.Scaled(1, simulator.Opening(), world.Scale{Repositories: 200})
	c, _ := direct(b, w, datadog.Config{})
	body := day(w)
	b.ReportAllocs()
	for b.Loop() {
		c.do(http.StatusOK, http.MethodPost, "/api/v2/query/timeseries", body)
	}
}

func BenchmarkMonitors(b *testing.B) {
	w := world.Scaled(1, simulator.Opening(), world.Scale{Repositories: 200})
	c, _ := direct(b, w, datadog.Config{})
	b.ReportAllocs()
	for b.Loop() {
		c.get("/api/v1/monitor", "group_states", "alert,warn,no data", "with_downtimes", "true", "page", "0", "page_size", "1000")
	}
}
