package localstore

import (
	"encoding/binary"
	"fmt"
	"io"

	"widgets.pro/shared/replica"
)

// device is this data file's identity as a replica: its incarnation, and the place where it was made.
type device struct {
	Dev     uint64 `cbor:"1,keyasint"`
	Place   uint64 `cbor:"2,keyasint"`
	Machine string `cbor:"3,keyasint"`
}

func thisDevice(path string) device { return device{Place: place(path), Machine: machine()} }

// Remake gives the file a new incarnation. Open does so for a file that was copied: two replicas that stamp their edits
// under one name are the one thing that merging cannot repair. Edits that wait for the server become its own.
func (t *Tx) Remake(random io.Reader) error {
	d := thisDevice(t.bolt.DB().Path())
	var b [8]byte
	for d.Dev == 0 {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return fmt.Errorf("read random bytes: %w", err)
		}
		d.Dev = binary.BigEndian.Uint64(b[:])
	}
	if err := put(t.meta(), keyDevice, d); err != nil {
		return err
	}
	boards, err := t.Boards()
	if err != nil {
		return err
	}
	clock, err := t.Clock()
	if err != nil {
		return err
	}
	for _, b := range boards {
		rtx, err := t.Replica(b.ID)
		if err != nil {
			return err
		}
		c, err := replica.OpenClient(rtx)
		if err != nil {
			return fmt.Errorf("open replica %s: %w", b.ID, err)
		}
		// Stamps follow on to the last one, so no wall clock is needed.
		if err := c.Reincarnate(&clock, 0); err != nil {
			return fmt.Errorf("reincarnate replica %s: %w", b.ID, err)
		}
	}
	return t.SetClock(clock)
}
