package workspace

import (
	"fmt"

	"widgets.pro/app/internal/localstore"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/replica"
	"widgets.pro/shared/sharing"
)

// refusal tells that edits were refused.
func refusal(d *dashboard, refused []replica.Refused) Event {
	n := fmt.Sprintf("%d changes of “%s” were refused.", len(refused), d.rec.Title)
	if len(refused) == 1 {
		n = "A change of “" + d.rec.Title + "” was refused."
	}
	if detail := refused[0].Outcome.Detail; detail != "" {
		n += " " + detail
	}
	return notice(NoticeWarning, d.rec.ID, n, "Keep them as a copy of your own, or discard them.")
}

func sentence(f *fault.Error) string {
	if f.Hint == "" {
		return f.Message
	}
	return f.Message + " " + f.Hint
}

// maxRefusal bounds what is kept of refused invitations, in bytes.
const maxRefusal = 4_000

// refusalOf is the refusal of a command after one that was not dismissed. Invitations are made many at once, so each that is
// refused is told.
func refusalOf(before *localstore.Refusal, action sharing.Action, message string) *localstore.Refusal {
	if before != nil && action == sharing.Invite && before.Action == action && len(before.Message)+len(message) < maxRefusal {
		message = before.Message + " " + message
	}
	return &localstore.Refusal{Action: action, Message: message}
}

// prefix says whom a refused command was about.
func (w *Workspace) prefix(d *dashboard, c sharing.Command) string {
	name, what := "", ""
	switch c.Action { //nolint:exhaustive // the others are about nobody
	case sharing.Invite:
		name, what = c.Email, " was not invited: "
	case sharing.Resend, sharing.Revoke:
		what = ": the invitation was not sent again. "
		if c.Action == sharing.Revoke {
			what = ": the invitation was not revoked. "
		}
		if d.people != nil {
			for _, i := range d.people.Invitations {
				if i.ID == c.Invitation {
					name = i.Email
				}
			}
		}
	case sharing.SetMemberRole:
		what = ": the role was not changed. "
		if c.Role == sharing.RoleNone {
			what = " was not removed: "
		}
		if d.people != nil {
			for _, m := range d.people.Members {
				if m.Account == c.Account {
					name = m.Name
				}
			}
		}
	}
	if name == "" {
		return ""
	}
	return name + what
}
