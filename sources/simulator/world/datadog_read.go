package world

// Has reports whether a service has a measure at all, wherever and whenever.
func (s *Service) Has(measure string) bool {
	_, ok := s.base[metricOf(measure)]
	return ok
}

// UUID is a version 4 UUID that depends on the seed and parts alone.
func (w *World) UUID(parts ...any) string { return w.uuid(parts...) }

// Hex is a number of that many hexadecimal digits, at most 40, that depends on the seed and parts alone.
func (w *World) Hex(digits int, parts ...any) string {
	return w.sha("", append([]any{"hex"}, parts...)...)[:min(digits, 40)]
}
