// Package github reads GitHub Actions, deployments and releases, on github.com, ghe.com and Enterprise
// Server. A scope is one repository: "acme/checkout".
//
// go-github builds and sends the requests, follows pages and tells its errors apart. The replies are
// decoded into types of our own (wire.go), for three reasons: v60 lacks fields that the board needs (a
// run's path, a deployment's original environment, the list of pending approvals), one of its decoders
// panics on an unknown kind of reviewer, and most of a reply is repeated users and repositories that
// cost more to decode than all the rest.
//
// An App's installation token comes from go-github's own call and a JWT that auth.go signs: the usual
// helper module brings a second, newer go-github with it, and its transport adds the token to whatever
// host a reply redirects to.
//
// Every list is read conditionally (httpx.Memo). What is final is read once: the jobs of a finished
// attempt, the files of a commit, the comparison of two SHAs. The statuses of a deployment that ended are
// read when its record changes, and else every few minutes; what was refused and can be done without is
// asked for every quarter of an hour.
package github
