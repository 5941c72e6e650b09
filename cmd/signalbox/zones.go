package main

// Time zones, for machines that have none: bare containers, minimal bastions. It makes the binary half a
// megabyte larger.
import _ "time/tzdata"
