package datadog

// routes lists every endpoint. What is not listed here is not found.
func routes() []route {
	return []route{
		{pattern: "GET /api/v1/validate", do: (*call).validate, family: "validate"},
	}
}

func (c *call) validate() answer { return c.ok(map[string]bool{"valid": true}) }
