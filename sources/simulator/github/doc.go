// Package github tells the simulated world as GitHub's REST API would: its paths, bodies, headers,
// paging, conditional requests, rate limits and refusals, and the writes that a board makes. Its types
// are its own.
//
// Everything about one request happens under the world's lock but the writing of the answer. Bodies are
// rendered once for each state of a repository; asking again for what has not changed costs a look-up.
package github
