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

// TestLoadIsTold asks a world that is made for measurements for everything once.
func TestLoadIsTold(t *testing.T) {
	t.Parallel()
	w := world.Scaled(1, simulator.Opening(), world.Scale{Repositories: 3, Runs: 9, Incidents: 40, Monitors: 30, Series: 20})
	c, _ := direct(t, w, datadog.Config{})
	w.RunUntil(w.Now().Add(10 * time.Minute))
	for _, path := range []string{
		"/api/v1/monitor?group_states=all&with_downtimes=true", "/api/v1/monitor/search", "/api/v1/slo", "/api/v1/slo/search", "/api/v2/downtime",
		"/api/v2/incidents/search?query=state:active&include=users,attachments", "/api/v2/incidents", "/api/v2/events?filter[from]=now-30d&page[limit]=1000",
		"/api/v2/team", "/api/v2/on-call/schedules", "/api/v2/services/definitions", "/api/v2/current_user",
	} {
		c.get(path)
	}
	for _, id := range c.ids("/api/v2/team", "data") {
		c.get("/api/v2/on-call/teams/"+id+"/on-call", "include", "responders,escalations.responders")
	}
	c.do(http.StatusOK, http.MethodPost, "/api/v2/dora/deployments", `{"data":{"type":"dora_deployments_list_request","attributes":{"limit":1000}}}`)
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
