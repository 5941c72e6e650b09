package wire

import (
	"example.com/signalbox/sources/action"
)

// Guards reports that a change of version in an environment is watched: the config has a window, and
// something tells how the service behaves there.
func (b *Board) Guards(service, env string) bool {
	return b.standing.Load().cfg.Guard.Window > 0 && b.levers.observer(service, env).measures()
}

// Cosigned is who else has agreed to a plan; "" nobody.
func (b *Board) Cosigned(p *action.Plan) string { return b.levers.cosigned(p) }
