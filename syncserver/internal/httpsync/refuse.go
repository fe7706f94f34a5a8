package httpsync

import (
	"net/http"
	"unicode/utf8"

	"github.com/coder/websocket"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/wire"
	"widgets.pro/syncserver/internal/httpapi"
)

// refuse answers a handshake that leads nowhere.
func refuse(w http.ResponseWriter, f *fault.Error) { httpapi.WriteFault(w, f) }

// closing says how a connection is to be ended. The zero closing says that it goes on.
type closing struct {
	code   websocket.StatusCode
	reason string
}

// closingFor is the table from kinds of failure to close codes.
func closingFor(f *fault.Error) closing {
	code := websocket.StatusInternalError
	switch f.Kind {
	case fault.Unauthenticated:
		code = wire.CloseUnauthenticated
	case fault.Denied, fault.NotFound:
		code = wire.CloseDenied
	case fault.Outdated:
		code = wire.CloseOutdated
	case fault.Invalid, fault.Conflict:
		code = wire.CloseInvalid
	case fault.TooLarge:
		code = wire.CloseTooLarge
	case fault.Busy:
		code = wire.CloseBusy
	case fault.Unavailable:
		code = wire.CloseRestarting
	case fault.Internal:
	}
	return closing{code: code, reason: clip(f.Message)}
}

// maxReason is how many bytes of reason a close frame holds (RFC 6455, section 5.5, less the code).
const maxReason = 123

func clip(s string) string {
	if len(s) <= maxReason {
		return s
	}
	s = s[:maxReason]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}
