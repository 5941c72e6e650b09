package datadog

import (
	"time"

	"example.com/signalbox/sources/simulator/world"
)

// stamp is how times are written by the endpoints that write them as text.
const stamp = "2006-01-02T15:04:05.000000+00:00"

func at(t time.Time) string { return t.UTC().Format(stamp) }

// maybe is a time, or null where there is none.
func maybe(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := at(t)
	return &s
}

// link is what JSON:API names another object by.
type link struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// one is a relationship to one object, or to none.
type one struct {
	Data *link `json:"data"`
}

// many is a relationship to several.
type many struct {
	Data []link `json:"data"`
}

func (c *call) userID(u *world.User) string { return c.w.UUID("user", u.Login) }

func (c *call) userLink(u *world.User) one {
	if u == nil {
		return one{}
	}
	return one{&link{c.userID(u), "users"}}
}

func (c *call) userByID(id string) *world.User {
	for _, u := range c.w.Users {
		if c.userID(u) == id {
			return u
		}
	}
	return nil
}

type creator struct {
	Name   string `json:"name"`
	Handle string `json:"handle"`
	Email  string `json:"email"`
}

func creatorOf(u *world.User) creator { return creator{u.Name, u.Email(), u.Email()} }

// owner made what has no maker in the world.
func (c *call) owner() *world.User { return c.w.User("lead1") }

type userAttributes struct {
	Name     string  `json:"name"`
	Handle   string  `json:"handle"`
	Email    string  `json:"email"`
	Icon     string  `json:"icon"`
	Title    *string `json:"title"`
	Status   string  `json:"status"`
	Created  string  `json:"created_at"`
	Modified string  `json:"modified_at"`
	Verified bool    `json:"verified"`
	Disabled bool    `json:"disabled"`
	Service  bool    `json:"service_account"`
}

// object is a JSON:API object.
type object struct {
	Type          string `json:"type"`
	ID            string `json:"id"`
	Attributes    any    `json:"attributes,omitempty"`
	Relationships any    `json:"relationships,omitempty"`
}

func (c *call) user(u *world.User) object {
	since := c.w.Opening.AddDate(-2, 0, 0)
	return object{Type: "users", ID: c.userID(u), Attributes: userAttributes{
		Name: u.Name, Handle: u.Email(), Email: u.Email(), Icon: c.s.cfg.HTML + "/icons/" + u.Login + ".png", Status: "Active",
		Created: at(since), Modified: at(since), Verified: true, Service: u.Bot,
	}}
}

// shortUser is a user as On-Call and the incidents include one.
func (c *call) shortUser(u *world.User) object {
	return object{Type: "users", ID: c.userID(u), Attributes: map[string]any{"name": u.Name, "email": u.Email(), "status": "active"}}
}

// getUser answers GET /api/v2/users/{id}.
func (c *call) getUser() answer {
	u := c.userByID(c.r.PathValue("id"))
	if u == nil {
		return c.fail(404, "User not found")
	}
	return c.ok(map[string]any{"data": c.user(u)})
}

// currentUser answers GET /api/v2/current_user.
func (c *call) currentUser() answer { return c.ok(map[string]any{"data": c.user(c.actor())}) }
