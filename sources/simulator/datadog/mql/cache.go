package mql

import (
	"math"
	"time"
)

// Cache remembers points of sources that will not change any more, so that who asks again for the same hours
// is told what was worked out before. The zero Cache is empty. It is not safe for use by several goroutines
// at once.
type Cache struct {
	lines map[line]*points
	kept  int
}

// line is what a source's points are made from.
type line struct {
	source string
	step   time.Duration
	rollup string
	rate   bool
}

// points are those of one line from the step of number base on; unset where nobody asked yet.
type points struct {
	base   int64
	values []float64
}

func unset() float64 { return math.Inf(1) }

// keptMost bounds how many points are remembered; widest how many steps one line may span.
const (
	keptMost = 4 << 20
	spanMost = 1 << 17
)

// of finds the line's points.
func (c *Cache) of(l line) *points {
	if c.lines == nil || c.kept > keptMost {
		c.lines, c.kept = map[line]*points{}, 0
	}
	p := c.lines[l]
	if p == nil {
		p = &points{}
		c.lines[l] = p
	}
	return p
}

// at is the point of step n, and whether it is remembered.
func (p *points) at(n int64) (float64, bool) {
	if n < p.base || n >= p.base+int64(len(p.values)) {
		return 0, false
	}
	v := p.values[n-p.base]
	return v, !math.IsInf(v, 0)
}

// set remembers the point of step n.
func (c *Cache) set(p *points, n int64, v float64) {
	if far := n - p.base; len(p.values) == 0 || far > spanMost || far < -spanMost {
		c.kept -= len(p.values)
		p.base, p.values = n, nil
	}
	was := len(p.values)
	if n < p.base {
		front := make([]float64, p.base-n, int(p.base-n)+len(p.values))
		for i := range front {
			front[i] = unset()
		}
		p.base, p.values = n, append(front, p.values...)
	}
	for n >= p.base+int64(len(p.values)) {
		p.values = append(p.values, unset())
	}
	c.kept += len(p.values) - was
	p.values[n-p.base] = v
}
