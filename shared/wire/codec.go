package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"widgets.pro/shared/fault"
)

// Message is one of the message types of this package.
type Message interface{ Type() Type }

// Type names the message on the wire.
func (Hello) Type() Type { return TypeHello }

// Type names the message on the wire.
func (Subscribe) Type() Type { return TypeSubscribe }

// Type names the message on the wire.
func (Ops) Type() Type { return TypeOps }

// Type names the message on the wire.
func (Command) Type() Type { return TypeCommand }

// Type names the message on the wire.
func (Look) Type() Type { return TypeLook }

// Type names the message on the wire.
func (People) Type() Type { return TypePeople }

// Type names the message on the wire.
func (Presence) Type() Type { return TypePresence }

// Type names the message on the wire.
func (Welcome) Type() Type { return TypeWelcome }

// Type names the message on the wire.
func (Boards) Type() Type { return TypeBoards }

// Type names the message on the wire.
func (Ack) Type() Type { return TypeAck }

// Type names the message on the wire.
func (Delta) Type() Type { return TypeDelta }

// Type names the message on the wire.
func (Snapshot) Type() Type { return TypeSnapshot }

// Type names the message on the wire.
func (Share) Type() Type { return TypeShare }

// Type names the message on the wire.
func (Result) Type() Type { return TypeResult }

// Type names the message on the wire.
func (Denied) Type() Type { return TypeDenied }

// Type names the message on the wire.
func (Error) Type() Type { return TypeError }

// Unknown is a message of a type from a newer version, which the receiver ignores.
type Unknown struct{ Name Type }

// Type names the message on the wire.
func (u Unknown) Type() Type { return u.Name }

// Encode writes m as one frame: a JSON object whose first member is "t". It fails only if m holds invalid raw JSON.
func Encode(m Message) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(`{"t":"` + string(m.Type()) + `"`)
	head := out.Len()
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false) // raw values must arrive byte for byte, or replicas would differ
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("encode %s: %w", m.Type(), err)
	}
	b := out.Bytes()[:out.Len()-1]
	if string(b[head:]) == "{}" {
		return append(b[:head], '}'), nil
	}
	b[head] = ','
	return b, nil
}

// Decode reads one frame. The error is a fault that names the field that is wrong. A frame of an unknown type is returned
// as Unknown, unless it says that it must be understood.
func Decode(frame []byte) (Message, error) {
	if len(frame) > MaxFrame {
		return nil, fault.Newf(fault.TooLarge, "A message may have at most %d KiB.", MaxFrame>>10)
	}
	head, ok := peek(frame)
	if !ok {
		if err := json.Unmarshal(frame, &head); err != nil {
			return nil, malformed(err)
		}
		if head.T == "" {
			return nil, fault.Field("t", "A message must name its type.")
		}
	}
	switch head.T {
	case TypeHello:
		return read[Hello](frame)
	case TypeSubscribe:
		return read[Subscribe](frame)
	case TypeOps:
		return read[Ops](frame)
	case TypeCommand:
		return read[Command](frame)
	case TypeWelcome:
		return read[Welcome](frame)
	case TypeBoards:
		return read[Boards](frame)
	case TypeAck:
		return read[Ack](frame)
	case TypeDelta:
		return read[Delta](frame)
	case TypeSnapshot:
		return read[Snapshot](frame)
	case TypeShare:
		return read[Share](frame)
	case TypeLook:
		return read[Look](frame)
	case TypePeople:
		return read[People](frame)
	case TypePresence:
		return read[Presence](frame)
	case TypeResult:
		return read[Result](frame)
	case TypeDenied:
		return read[Denied](frame)
	case TypeError:
		return read[Error](frame)
	}
	if head.Must {
		return nil, fault.New(fault.Outdated, "The other side needs a newer version of this program.").WithHint("Update the program.")
	}
	return Unknown{Name: head.T}, nil
}

// head is what of a frame says how to read the rest.
type head struct {
	T    Type `json:"t"`
	Must bool `json:"must"`
}

// peek reads the type of a frame that is written as Encode writes the most frequent ones, without reading it all.
func peek(frame []byte) (h head, ok bool) {
	rest, ok := bytes.CutPrefix(frame, []byte(`{"t":"`))
	if !ok {
		return h, false
	}
	for _, t := range []Type{TypeOps, TypeAck, TypeDelta} {
		if after, is := bytes.CutPrefix(rest, []byte(t)); is && bytes.HasPrefix(after, []byte(`",`)) {
			return head{T: t}, true
		}
	}
	return h, false
}

// read decodes one message and checks its limits.
func read[M Message](frame []byte) (Message, error) {
	var m M
	if err := json.Unmarshal(frame, &m); err != nil {
		return nil, malformed(err)
	}
	if c, ok := any(m).(interface{ check() *fault.Error }); ok {
		if f := c.check(); f != nil {
			return nil, f
		}
	}
	return m, nil
}

func malformed(err error) *fault.Error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fault.Field(t.Field, "This must not be a "+t.Value+".").WithCause(err)
	}
	return fault.New(fault.Invalid, "A message was not understood: it is not valid JSON of this protocol.").WithCause(err)
}

func (h Hello) check() *fault.Error {
	if len(h.Boards) > MaxHelloBoards {
		return fault.Field("boards", fmt.Sprintf("A hello names at most %d dashboards.", MaxHelloBoards))
	}
	return nil
}

func (o Ops) check() *fault.Error {
	if len(o.Ops) > MaxBatchOps {
		return fault.Field("ops", fmt.Sprintf("A message carries at most %d edits.", MaxBatchOps))
	}
	for i := range o.Ops {
		if o.Ops[i].N == 0 || (i > 0 && o.Ops[i].N != o.Ops[i-1].N+1) {
			return fault.Field(fmt.Sprintf("ops[%d].n", i), "Edits are numbered one after the other.")
		}
		if o.Ops[i].Stamp.Dev != o.Ops[0].Stamp.Dev || o.Ops[i].Stamp.Dev == 0 {
			return fault.Field(fmt.Sprintf("ops[%d].s", i), "The edits of one message come from one device.")
		}
	}
	return nil
}

// Negotiate picks the greatest version that both sides speak; ok is false if there is none.
func Negotiate(theirs []int) (version int, ok bool) {
	for v := Version; v >= MinVersion; v-- {
		if slices.Contains(theirs, v) {
			return v, true
		}
	}
	return 0, false
}
