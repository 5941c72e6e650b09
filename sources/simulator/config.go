package simulator

import (
	"bytes"
	_ "embed"
	"fmt"
	"strconv"
	"text/template"

	"example.com/signalbox/sources/simulator/world"
)

//go:embed board.yaml
var boardYAML string

//go:embed load.yaml
var loadYAML string

// Config is the configuration of a board for this world: every service of the story, or of the load.
// tokenRef is the reference by which the board finds the token: "env:NAME" or "file:PATH", never the
// token itself.
func (s *Simulator) Config(tokenRef string) []byte {
	data := struct {
		URL, Datadog, PagerDuty, Token string
		Services                       []string
		Paged                          bool // the load has incidents
		Metrics                        []loadMetric
	}{
		URL: strconv.Quote(s.APIURL()), Datadog: strconv.Quote(s.URL()), PagerDuty: strconv.Quote(s.PagerDutyURL()),
		Token: strconv.Quote(tokenRef),
	}
	text := boardYAML
	pages, slos := map[string]string{}, map[string]string{}
	s.with(func(w *world.World) {
		for _, svc := range w.Services {
			pages[svc.Name] = "pagerduty:" + svc.ID
		}
		for _, o := range w.SLOs {
			slos[o.Service.Name] = "datadog:" + o.ID
		}
		if !w.Load {
			return
		}
		text = loadYAML
		data.Paged = w.Size.Incidents > 0
		data.Metrics = loadMetrics(w)
		for _, svc := range w.Services {
			data.Services = append(data.Services, svc.Name)
		}
	})
	look := func(m map[string]string) func(string) (string, error) {
		return func(service string) (string, error) {
			if id, ok := m[service]; ok {
				return strconv.Quote(id), nil
			}
			return "", fmt.Errorf("no service %s", service)
		}
	}
	t := template.Must(template.New("board").Delims("<<", ">>").Funcs(template.FuncMap{"page": look(pages), "slo": look(slos)}).Parse(text))
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil { // the template and its data are both of this file
		panic(err)
	}
	return b.Bytes()
}

// loadMetric is one metric of every service of a load.
type loadMetric struct{ Name, Query, Unit string }

// loadMetrics are so many metrics of each service that all of them together are the load's series.
func loadMetrics(w *world.World) []loadMetric {
	if len(w.Services) == 0 {
		return nil
	}
	var out []loadMetric
	for n := range (w.Size.Series + len(w.Services) - 1) / len(w.Services) {
		list := world.Measures()[:7]
		m := list[n%len(list)]
		x := loadMetric{Name: m.Name, Query: "avg:" + m.Name + "{service:{{service}},env:prod}"}
		if m.Count {
			x.Query = "sum:" + m.Name + "{service:{{service}},env:prod}.as_rate()"
			x.Unit = "/s"
		}
		if n >= len(list) { // asked for once more, another way
			x.Name += " " + strconv.Itoa(n/len(list)+1)
			x.Query = strconv.Itoa(n/len(list)+1) + "*" + x.Query
		}
		out = append(out, x)
	}
	return out
}
