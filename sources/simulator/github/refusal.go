package github

import (
	"net/http"
	"strconv"
)

// Refusal is how GitHub words a refusal that does not come from the request itself: its servers' trouble,
// or the secondary rate limit. With status 200 it is an answer that holds an error.
func Refusal(status int, message string, limited bool, retryAfter int) (body []byte, header map[string]string) {
	doc := "https://docs.github.com/rest"
	switch {
	case limited && message == "":
		message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
	case message == "":
		message = "Server Error"
	}
	if limited {
		doc += "/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
	}
	if status == http.StatusOK {
		return mustJSON(map[string]any{"message": message, "errors": []map[string]string{{"code": "internal"}}}), nil
	}
	if retryAfter > 0 {
		header = map[string]string{"Retry-After": strconv.Itoa(retryAfter)}
	}
	return mustJSON(map[string]string{"message": message, "documentation_url": doc, "status": strconv.Itoa(status)}), header
}
