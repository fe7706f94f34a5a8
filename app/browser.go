package app

import (
	"context"
	"crypto/rand"
	"fmt"

	"widgets.pro/app/internal/loopback"
)

// browser serves the screens to a browser on this machine until ctx ends.
func (p program) browser(ctx context.Context) error {
	c := p.newCore(nil)
	defer c.stop()
	first := true
	server, err := loopback.Listen(ctx, p.cfg.loopback, c.bridge, rand.Reader, p.log, func(address string) {
		sentence := "To open it in another browser: "
		if first {
			sentence, first = "Open this address in a browser on this machine: ", false
		}
		_, _ = fmt.Fprintln(p.env.Stdout, sentence+address)
	})
	if err != nil {
		return err
	}
	c.start(false)
	ended := context.AfterFunc(ctx, c.bridge.Close) // lets go of the polls, so that the server can end
	defer ended()
	return server.Serve(ctx)
}
