package ctl

import (
	"net/http"
	"strings"
	"time"

	"widgets.pro/shared/board"
	"widgets.pro/shared/fault"
	"widgets.pro/shared/sharing"
)

// members are those who can open a dashboard with an account, and those who are invited.
type members struct {
	Members []struct {
		Account string       `json:"account"`
		Name    string       `json:"name"`
		Email   string       `json:"email,omitempty"`
		Role    sharing.Role `json:"role"`
		Own     bool         `json:"own"`
	} `json:"members"`
	Invitations []struct {
		ID       sharing.InvitationID `json:"id"`
		Email    string               `json:"email"`
		Role     sharing.Role         `json:"role"`
		By       string               `json:"by"`
		Invited  time.Time            `json:"invited"`
		Expires  time.Time            `json:"expires"`
		Delivery sharing.Delivery     `json:"delivery"`
		Reason   string               `json:"reason,omitempty"`
	} `json:"invitations"`
	EditorsShare bool   `json:"editorsShare"`
	Organisation string `json:"organisation"`
	Size         int    `json:"size"`
}

func boardPath(id board.ID, rest string) string { return "/api/v1/boards/" + string(id) + rest }

func (r *run) members(id board.ID) (m members, err error) {
	err = r.ask(http.MethodGet, boardPath(id, "/people"), nil, &m)
	return m, err
}

// tell prints who can open a dashboard.
func (r *run) tell(m members) error {
	if r.cli.JSON {
		return r.json(m)
	}
	lines := [][]string{{"WHO", "ROLE", "ADDRESS", "STATE"}}
	for _, x := range m.Members {
		state := "member"
		if !x.Own {
			state = "by the organisation " + m.Organisation
		}
		lines = append(lines, []string{x.Name, string(x.Role), x.Email, state})
	}
	for _, i := range m.Invitations {
		state := "invited, mail " + string(i.Delivery)
		switch {
		case i.Reason != "":
			state += ": " + i.Reason
		case !r.env.Now().Before(i.Expires):
			state = "invited, expired"
		}
		lines = append(lines, []string{"-", string(i.Role), i.Email, state})
	}
	return r.table(lines)
}

type peopleCommand struct {
	Board string `arg:"" help:"The dashboard."`
}

// Run lists who can open a dashboard.
func (c peopleCommand) Run(r *run) error {
	id, err := r.board(c.Board)
	if err != nil {
		return err
	}
	m, err := r.members(id)
	if err != nil {
		return err
	}
	return r.tell(m)
}

type inviteCommand struct {
	Board     string   `arg:"" help:"The dashboard."`
	Addresses []string `arg:"" help:"E-mail addresses."`
	Role      string   `help:"viewer or editor." enum:"viewer,editor" default:"viewer"`
	Message   string   `help:"Stands in the mail." placeholder:"TEXT"`
}

// Run invites people. It fails if one of them could not be invited; the others are.
func (c inviteCommand) Run(r *run) error {
	id, err := r.board(c.Board)
	if err != nil {
		return err
	}
	var out struct {
		Invited []string `json:"invited"`
		Refused []struct {
			Address string `json:"address"`
			Message string `json:"message"`
			Hint    string `json:"hint,omitempty"`
		} `json:"refused"`
	}
	in := map[string]any{"addresses": c.Addresses, "role": c.Role, "message": c.Message}
	if err := r.ask(http.MethodPost, boardPath(id, "/invitations"), in, &out); err != nil {
		return err
	}
	words := "Nobody was invited."
	if len(out.Invited) > 0 {
		words = "Invited: " + strings.Join(out.Invited, ", ") + "."
	}
	if err := r.say(out, "%s", words); err != nil {
		return err
	}
	if len(out.Refused) == 0 {
		return nil
	}
	for _, f := range out.Refused[1:] {
		r.remark(strings.TrimSpace(f.Address + ": " + f.Message + " " + f.Hint))
	}
	first := out.Refused[0]
	return fault.New(fault.Invalid, first.Address+": "+first.Message).WithHint(first.Hint)
}

type uninviteCommand struct {
	Board   string `arg:"" help:"The dashboard."`
	Address string `arg:"" help:"The address that was invited."`
}

// Run revokes an invitation.
func (c uninviteCommand) Run(r *run) error {
	return r.invitation(c.Board, c.Address, http.MethodDelete, "")
}

type resendCommand struct {
	Board   string `arg:"" help:"The dashboard."`
	Address string `arg:"" help:"The address that was invited."`
}

// Run sends an invitation again.
func (c resendCommand) Run(r *run) error {
	return r.invitation(c.Board, c.Address, http.MethodPost, "/resend")
}

// invitation does something to the invitation of an address.
func (r *run) invitation(name, address, method, rest string) error {
	id, err := r.board(name)
	if err != nil {
		return err
	}
	m, err := r.members(id)
	if err != nil {
		return err
	}
	for _, i := range m.Invitations {
		if strings.EqualFold(i.Email, address) || string(i.ID) == address {
			if err := r.ask(method, boardPath(id, "/invitations/"+string(i.ID)+rest), nil, &m); err != nil {
				return err
			}
			return r.tell(m)
		}
	}
	return fault.Newf(fault.NotFound, "No invitation to %s waits for an answer.", address).WithHint("List the people: widgetsctl people.")
}

type roleCommand struct {
	Board string `arg:"" help:"The dashboard."`
	Who   string `arg:"" help:"Address, or name that only one has."`
	Role  string `arg:"" help:"owner, editor, viewer, or none to take them off." enum:"owner,editor,viewer,none"`
}

// Run changes what somebody is to a dashboard.
func (c roleCommand) Run(r *run) error {
	id, err := r.board(c.Board)
	if err != nil {
		return err
	}
	m, err := r.members(id)
	if err != nil {
		return err
	}
	var found []string
	for _, x := range m.Members {
		if strings.EqualFold(x.Email, c.Who) || x.Account == c.Who {
			found = []string{x.Account}
			break
		}
		if strings.EqualFold(x.Name, c.Who) {
			found = append(found, x.Account)
		}
	}
	switch len(found) {
	case 0:
		return fault.Newf(fault.NotFound, "%s cannot open this dashboard.", c.Who).WithHint("List the people: widgetsctl people.")
	case 1:
	default:
		return fault.Newf(fault.Conflict, "%d people are called %s.", len(found), c.Who).WithHint("Name them by their address.")
	}
	path := boardPath(id, "/members/"+found[0])
	if c.Role == "none" {
		err = r.ask(http.MethodDelete, path, nil, &m)
	} else {
		err = r.ask(http.MethodPut, path, map[string]string{"role": c.Role}, &m)
	}
	if err != nil {
		return err
	}
	return r.tell(m)
}
