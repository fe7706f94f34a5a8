package replicatest

import (
	"maps"

	"widgets.pro/shared/hlc"
	"widgets.pro/shared/replica"
)

// remake gives a device a new incarnation, and what waits with it; the connection ends, since it was made under the old one.
func (d *device) remake() {
	bug := d.w.cfg.Bug
	if bug == IncarnationKept {
		d.hangUp()
		return
	}
	d.w.devs++
	_, running, err := d.update(func(tx *transaction, clock *hlc.Clock) error {
		clock.Dev = d.w.devs
		if err := setNumber(tx, nameKey(), clock.Dev); err != nil {
			return err
		}
		c := d.client(tx)
		if bug == QueueNotTakenOver {
			if _, err := c.Refuse(replica.ReasonGone, ""); err != nil {
				return err
			}
			return c.DropTray()
		}
		return c.Reincarnate(clock, 0)
	}, func() {})
	d.note(err)
	if running {
		d.hangUp()
		d.dev = number(&d.disk.mem, nameKey())
		d.look()
		d.check()
	}
}

// copyTo copies a device's disk to a machine that stood idle or had a copy before, or puts an older copy of it back. The
// program may notice when it starts, as it does where the file lies elsewhere; if not, the same incarnation is at work twice
// until the server shows it.
func (w *world) copyTo() {
	d := w.devices[w.choose(devices)]
	switch w.choose(3) {
	case 0:
		d.old = d.disk.mem.Clone()
		return
	case 1:
		if d.old == nil || d.disk.broken {
			return
		}
		d.disk.mem, d.old = *d.old, nil
		clear(d.shown)
		w.model.gaveUp(d)
		d.restart()
	default:
		spare := w.devices[devices]
		if d.disk.broken {
			return
		}
		spare.disk = disk{mem: *d.disk.mem.Clone()}
		w.model.gaveUp(spare)
		spare.user, spare.version, spare.idle, spare.old = d.user, d.version, false, nil
		spare.shown = maps.Clone(d.shown)
		for _, l := range w.links {
			if l.device == spare {
				l.frames, l.dead = [2][]frame{}, [2]bool{true, true} // those of another user, perhaps
				w.server.close(l)
			}
		}
		spare.restart()
		d = spare
	}
	if w.chance(2) {
		d.remake()
	}
}
