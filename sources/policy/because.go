package policy

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/types/ref"

	"example.com/signalbox/sources/clean"
)

// template is a reason, in which expressions are filled in: words and expressions take turns.
type template struct {
	words       []string
	expressions []*expression // one fewer than words
}

// template compiles a reason.
func (c *compiler) template(text string) template {
	var t template
	offset := 0
	for {
		open := strings.Index(text[offset:], "{{")
		if open < 0 {
			t.words = append(t.words, text[offset:])
			return t
		}
		begin := offset + open + len("{{")
		length := strings.Index(text[begin:], "}}")
		if length < 0 {
			line, column := shifted(text, begin-len("{{"), 1, 0)
			c.fail(Error{Field: "because", Line: line, Column: column, Msg: "what {{ opens is not closed", Fix: "close it with }}"})
			return t
		}
		inner := text[begin : begin+length]
		trimmed := strings.TrimLeft(inner, " \t\n")
		x := c.compile("because", strings.TrimSpace(inner), begin+len(inner)-len(trimmed), text, false)
		t.words = append(t.words, text[offset:offset+open])
		t.expressions = append(t.expressions, x)
		offset = begin + length + len("}}")
	}
}

// fill is the reason for these facts. What is not known is called that.
func (t template) fill(n *names) clean.Text {
	var b strings.Builder
	for i, w := range t.words {
		b.WriteString(w)
		if i < len(t.expressions) {
			v, err := t.expressions[i].value(n)
			if err != nil {
				b.WriteString("(not known)")
				continue
			}
			b.WriteString(spoken(v))
		}
	}
	return clean.Line(b.String())
}

// spoken is a value as people write it.
func spoken(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case time.Duration:
		return clean.Lasting(v)
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04 UTC")
	case float64:
		return rounded(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case []string:
		return strings.Join(v, ", ")
	case []ref.Val:
		parts := make([]string, len(v))
		for i, one := range v {
			parts[i] = spoken(one.Value())
		}
		return strings.Join(parts, ", ")
	case []any:
		parts := make([]string, len(v))
		for i, one := range v {
			parts[i] = spoken(one)
		}
		return strings.Join(parts, ", ")
	case ref.Val:
		return spoken(v.Value())
	case *IncidentFacts:
		return v.Title
	case *MonitorFacts:
		return v.Name
	default:
		return fmt.Sprint(v)
	}
}

// rounded is a number with at most two digits behind the point, or as many as it takes to be not zero.
func rounded(x float64) string {
	const fine, big = 100, 1e15
	if math.IsNaN(x) || math.IsInf(x, 0) || math.Abs(x) > big {
		return strconv.FormatFloat(x, 'g', 3, 64)
	}
	if r := math.Round(x*fine) / fine; r != 0 || x == 0 {
		return strconv.FormatFloat(r, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', 2, 64)
}
