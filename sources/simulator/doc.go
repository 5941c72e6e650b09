// Package simulator is a team's world in one process: repositories, pipelines, deployments, metrics,
// incidents, shifts and flags that go on by themselves, seen through the providers' own wire formats
// over loopback HTTP. The demo, the tests and the benchmarks point the real drivers at it.
//
// The world is deterministic: the same seed, start and order of events give the same bytes. It moves
// on a clock of its own, which may run faster than real time or stand still until Advance is called.
// It opens at a fixed moment of a story: a bad version of checkout has just paged somebody.
//
// What deploys how there: checkout by a dispatched workflow, and each merge goes to production by itself; a run
// that waits for an approval since seven minutes before the opening, number 812, holds the queue of its
// production. search by a run of each merge that waits for an approval. web and ledger by a dispatched workflow
// alone. accounts by a fleet of somebody's own, which carries out the deployments that are filed for its
// production; one of its two regions has failed. reports by a workflow that listens to deployments. Where nobody
// listens, nothing comes of a filed deployment.
//
// Whoever tests or trains steers it by the methods of Simulator, or from another process by the control tree
// that Controls lists; Follow takes its clock over there.
//
// The folder world holds what is true; github, datadog and pagerduty how those would tell it, GitHub and
// Datadog at the root and PagerDuty under /pagerduty; fault what may go wrong on the way; and seen what they
// tell of the requests that came. None of them knows a driver or a vendor's client: the formats are types of
// their own.
package simulator
