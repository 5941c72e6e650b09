package datadog

import (
	"math"
	"net/http"

	"example.com/signalbox/sources/simulator/world"
)

// definition is a service as the catalogue has it, by the second schema's second revision.
func (c *call) definition(s *world.Service) map[string]any {
	return map[string]any{
		"schema-version": "v2.2", "dd-service": s.Name, "team": s.Team, "description": "The " + s.Name + " service", "tier": "High",
		"lifecycle": "production", "type": "web", "languages": []string{"go"}, "tags": []string{"team:" + s.Team},
		"contacts": []map[string]string{{"type": "email", "name": s.Team, "contact": s.Team + "@example.com"}},
		"links": []map[string]string{
			{"name": "Runbook", "type": "runbook", "url": "https://runbooks.example.com/" + s.Name},
			{"name": "Source", "type": "repo", "provider": "github", "url": "https://github.com/" + s.Repo.Full()},
		},
		"integrations": map[string]any{"pagerduty": map[string]string{"service-url": pagerPages + "/service-directory/" + s.ID}},
	}
}

func (c *call) defined(s *world.Service) map[string]any {
	since := at(c.w.Opening.AddDate(0, -6, 0))
	return map[string]any{"type": "service-definition", "id": c.w.UUID("definition", s.Name), "attributes": map[string]any{
		"schema": c.definition(s),
		"meta": map[string]any{
			"ingested-schema-version": "v2.2", "ingestion-source": "github", "origin": "github", "origin-detail": s.Repo.Full() + "/service.datadog.yaml",
			"github-html-url": "https://github.com/" + s.Repo.Full() + "/blob/main/service.datadog.yaml", "last-modified-time": since,
			"warnings": []any{},
		},
	}}
}

// definitions answers GET /api/v2/services/definitions.
func (c *call) definitions() answer {
	size, err := c.number("page[size]", 10, 1, 100)
	number, err2 := c.number("page[number]", 0, 0, math.MaxInt32)
	if err != nil || err2 != nil {
		return c.fail(http.StatusBadRequest, "Invalid page parameters")
	}
	list, more := from(c.w.Services, number*size, size)
	if more {
		c.announce("page[number]", number+1)
	}
	data := []map[string]any{}
	for _, s := range list {
		data = append(data, c.defined(s))
	}
	return c.ok(map[string]any{"data": data})
}

// getDefinition answers GET /api/v2/services/definitions/{name}.
func (c *call) getDefinition() answer {
	s := c.w.Service(c.r.PathValue("name"))
	if s == nil {
		return c.fail(http.StatusNotFound, "Service definition not found")
	}
	return c.ok(map[string]any{"data": c.defined(s)})
}
