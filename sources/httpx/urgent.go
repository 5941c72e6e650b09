package httpx

import "context"

type urgentKey struct{}

// Urgent marks the requests below ctx as ones that a person waits for: they may spend what is kept from
// polling.
func Urgent(ctx context.Context) context.Context { return context.WithValue(ctx, urgentKey{}, true) }

func isUrgent(ctx context.Context) bool {
	is, _ := ctx.Value(urgentKey{}).(bool)
	return is
}
