package bridge

import (
	"net/http"
	"strconv"

	"widgets.pro/shared/fault"
	"widgets.pro/shared/longpoll"
)

// events is the long poll. It works before the workspace is open and after it failed.
func (b *Bridge) events(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	client := q.Get("client")
	after, err := strconv.ParseInt(q.Get("after"), 10, 64)
	if err != nil {
		b.fail(w, r, fault.Field("after", "The number of the last event must be a number."))
		return
	}
	if client == "" || len(client) > longpoll.MaxClient {
		b.fail(w, r, fault.Field("client", "Whoever asks must give a short name."))
		return
	}
	b.looks.enter()
	defer b.looks.leave()
	b.answer(w, r, b.hub.Wait(r.Context(), after, client, b.deps.PollWait))
}
