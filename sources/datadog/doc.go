// Package datadog reads metrics, monitors, service level objectives, incidents, on-call shifts and
// deployments from Datadog, and acts on them.
//
// Datadog's own Go client sends the requests: its core package alone (sites, the hosts of single
// operations, compression, retries), with types of our own for what we ask and are answered. The
// generated package for version 2 of the API takes eight gigabytes of memory to compile; and its
// decoders turn what they do not know into maps that say nothing to anybody.
//
// Three things that the client would do are done here instead. Keys are added by httpx.Transport, so that
// they reach Datadog's hosts and no others. A reply 429 ends a read at once and says when to come back:
// the poller waits better than a sleeping request. And there are two clients: one that asks again when
// the server fails, for reads, and one that never does, for what changes something.
//
// A scope is a service's name; "" is the whole source. A service is told by its tag (service_tag) on
// monitors, objectives and deployments, and by the field of that name on incidents.
package datadog
