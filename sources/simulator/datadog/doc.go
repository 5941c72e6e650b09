// Package datadog tells the simulated world as Datadog's API would: metrics by the query language of
// package mql, monitors, downtimes, objectives, incidents, events, deployments, teams, shifts and pages;
// with its headers, paging, rate limits and refusals. Its types are its own.
//
// Everything about one request happens under the world's lock but the writing of the answer.
package datadog
