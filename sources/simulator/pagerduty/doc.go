// Package pagerduty tells the simulated world as PagerDuty's REST API would: incidents with their logs,
// alerts and notes, shifts, services, people and change events, and what a person does with an incident.
// Its types are its own.
//
// Everything about one request happens under the world's lock but the writing of the answer.
package pagerduty
