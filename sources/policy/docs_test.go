package policy

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/policies.md anew")

const intro = `# Policies

Before signalbox changes anything, every gate is asked about it, and the strictest answer wins:
` + "`allow` < `warn` < `confirm` (a y) < `type` (the target's name) < `second_person` < `deny`" + `. A refusal that allows it is
lifted by a typed reason (break-glass), and the journal says so.

What a gate needs and is not known refuses a promotion, and every other change; a rollback it only warns:
policy must not stand between a fire and its hose.

## Built-in gates

They stand without any config. A policy with ` + "`builtin:`" + ` sets what a gate goes by, for production or for the
environment that ` + "`env:`" + ` names: ` + "`{builtin: soak, after: 1h}`, `{builtin: ci, env: staging, else: warn}`" + `. No setting makes one stricter
on a rollback, but that of loop.

`

const rulesIntro = `
## Rules of your own

A policy with ` + "`require:`" + ` holds a [CEL](https://cel.dev) expression that must be true; with ` + "`during:`" + ` it applies inside that
time alone, and with ` + "`during:`" + ` and no ` + "`require:`" + ` nothing may be done inside it (but what ` + "`else:`" + ` says). ` + "`on:`" + ` says what it is
about: promotions where nothing is said, and with them approving or re-running a run that deploys. ` + "`because:`" + ` is the
reason that people read; ` + "`{{expression}}`" + ` is filled in. A rule that has the name of a built-in gate stands beside it.

A weekly span is ` + "`{from: Fri 16:00, to: Mon 08:00, zone: Europe/Berlin}`" + `, a dated one
` + "`{from: 2026-12-20, to: 2027-01-02 08:00}`" + `; a date without a time is, as the end, the end of its day. A time that the clocks
show twice or skip makes the span longer, never shorter.

An expression whose value does not depend on what is not known has a value: ` + "`mine || slo.remaining > 0.2`" + ` holds for what
is mine, whatever is left of the budget. Numbers of all types compare with each other; a duration is
` + "`duration(\"30m\")`" + `; the hour of a zone is ` + "`now.getHours(\"Europe/Berlin\")`" + `.

| variable | type | |
|---|---|---|
`

const casesDoc = `
## Cases

A file of cases says what the policies should answer. ` + "`given:`" + ` of the file holds for every case, and a case lays its own
over it. What is not given is not known; where something of a version, a stage and so on is given, the rest of it is
empty, zero or no.

` + "```yaml" + `
given: {service: checkout, environment: {name: prod, prod: true}, from: {name: staging, age: 1h}}
cases:
  - {name: long enough, want: allow, gate: soak}
  - {name: too fresh, given: {from: {age: 12m}}, want: deny, gate: soak}
  - {name: nobody works, given: {now: "2026-12-24 12:00 Europe/Berlin"}, want: deny, gate: holidays}
` + "```" + `
`

// markdown is the documentation of the gates and of the variables.
func markdown() string {
	var b strings.Builder
	b.WriteString(intro)
	b.WriteString("| gate | | may be set |\n|---|---|---|\n")
	for _, g := range Builtins() {
		may := "no"
		if g.Setting {
			may = strings.Join(append(slices.Clone(g.Params), "else", "break_glass"), ", ")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", g.Name, g.Doc, may)
	}
	fmt.Fprintf(&b, "| `%s` | How hard the action is to confirm, by what it can break: nothing for acknowledging one's own page; a y for notes, escalation, "+
		"failed jobs, what is not production; the name for production, for a run that deploys, for resolving what still alerts, for more than %d at once. | no |\n", Confirmation, few)
	b.WriteString(rulesIntro)
	table := func(all []Variable) {
		for _, v := range all {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", v.Name, strings.ReplaceAll(v.Type, "google.protobuf.", ""), v.Doc)
		}
	}
	table(Variables())
	fields := Fields()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&b, "\nEach `%s` has\n\n| field | type | |\n|---|---|---|\n", name)
		table(fields[name])
	}
	b.WriteString(casesDoc)
	return b.String()
}

func TestDocumentation(t *testing.T) {
	t.Parallel()
	const path = "../../docs/policies.md"
	want := markdown()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the tables say: go test ./sources/policy -update", path)
	}
}
