// Package guard watches a service after an action: it compares what is measured since with what was
// measured before, and says pass, fail, or that it cannot be told. Judge is pure; Watch is the loop around
// it; Next says what follows. Nothing here changes anything.
//
// # What is compared
//
// The baseline of a metric are its values in the hour before the action (Window.Before); judged are those
// from when it took effect to Skip (2 min) before now, because metrics arrive late. A value that covers a
// moment of both, or one that is not over yet, counts on neither side. Points closer together than a minute
// are taken together, a minute each, by their median: the rules below are about minutes. NaN, the
// infinities, and negative errors, latency and traffic (a counter that was reset) are gaps.
//
// A metric that is bad below its limit is looked at upside down; of a share (a success rate) what lacks to
// the whole is looked at instead, so that 99.9 % becoming 99 % is ten times as bad.
//
// # The rule
//
// A value is bad when it is over the limit and over 1.5 times the baseline: its median, or the median of its
// last five values where that is more, because what was as bad when the action was taken is not its doing,
// and a rollback takes a while to heal. A metric fails when
// 3 of its newest 5 values are bad, the newest among them, and this is more than noise, which is one of
//
//   - sharp: the three exceed the baseline by 3 standard deviations as well, estimated robustly as
//     1.4826 times the median absolute deviation (Iglewicz and Hoaglin, "How to Detect and Handle Outliers",
//     1993), or, where that is 0, as the mean moving range over 1.128 (control charts for individuals: NIST
//     Engineering Statistics Handbook, 6.3.2.2), and it is no habit: in the baseline 3 of 5 values were not
//     as bad twice or more often;
//   - steady: the median of all values since the action is bad, and they lie higher than the baseline's by
//     a Mann-Whitney U test with correction for ties, z ≥ 3, one-sided p < 0.0014 (Mann and Whitney, 1947;
//     what Kayenta, the canary judge of Spinnaker, compares metrics by).
//
// Three of five is the median of five: a rule with a breakdown point of two spikes. 1.5 times the baseline
// of a share that is used up (cpu at 80 %) may be beyond the whole; half of what is left is enough there.
//
// Seasons: where the values of the same time a day and a week ago are known, what both reached within five
// minutes of it is as good a baseline as the hour before. One of the two alone keeps a metric from failing,
// and from passing: it may have been an outage.
//
// # What is missing
//
// No data is never a pass. A gap counts as good when it is asked whether a metric failed, and as bad when
// it is asked whether it passed; the median of a baseline with gaps is taken with all of them low, or all
// of them high, whichever is the more cautious. So to lose data can turn a pass into "cannot be told", and
// never anything into a pass. Fewer than 5 values since the
// action, or fewer than 500 requests, tell nothing. A series that has no baseline at all, a new target, is
// failed by the highest baseline among the other series of its metric, and not passed by it.
//
// # What cannot be told
//
// Inconclusive holds: nothing is undone, and nothing is called good. It is the verdict when the watch ends
// and something lacked; when a metric is over its limit no worse than it was before; when it was bad and
// has recovered; when it has no limit, and 3 of the newest 5 values are over twice the baseline's median
// and over all of the baseline (errors, latency; for traffic: under half of it). No red is invented for what
// has no limit, and no green either: a watch that has no limit, no monitor and no objective to go by cannot
// pass.
//
// # How often it errs
//
// TestSimulatedRates watches seeded synthetic services of eleven kinds (noise, noise that persists, spikes,
// few requests, seasons, cold caches, healing after a rollback, a usual level near the limit …) and harms
// them in one of errors and latency, to 1.2 times the limit and more. It holds: false rollbacks at most
// 1.5 % of all healthy windows and 7 % of each kind; harm that passes at most 2 % of all and 6 % of each
// size; harm that fails at least 96 %. BenchmarkRates prints them for thousands of windows: about 0.3 %, and
// about 1.2 %, most of it harm that a wandering metric happened to cover. Harm whose third minute lies
// beyond the last that is judged (the window less Skip) cannot be seen, nor can harm to one of several
// targets in a metric that is not told apart by target.
//
// # Monitors, objectives, incidents
//
// A monitor that began to alert since the action, an error budget that began to burn at a rate that pages
// (14.4 over an hour and over 5 minutes, "Alerting on SLOs" in the SRE Workbook), and an incident of the
// service that was opened since: each is a failure. What alerted, burned or was open before is not the
// action's doing; the first two hold. What is muted or silenced is not judged.
package guard
