// Package httpx is the HTTP ground that every driver stands on.
//
// Transport adds a credential to the requests for its own hosts and to no others, keeps the shared
// rate budget, caps what a reply may weigh and logs without secrets. Memo makes a read conditional: a
// reply "not modified" ends before anything is decoded, and costs no quota. Base is the one place that
// knows of proxies, authorities and time-outs. Explain turns what the network does into errors that a
// person can act on.
//
// A cache below the decoder would be simpler, but would decode the same bytes again at each poll: for
// a page of twenty runs that is two milliseconds of CPU on a board that has nothing new to show.
package httpx
