package screen

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"widgets.pro/shared/fault"
)

// Read reads what a screen has sent as JSON into v. Members that v does not have are refused, so that a slip of the pen does not
// pass for an absent value. The error is an Invalid fault that names the member.
func Read(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		return fault.Field("body", "The request holds more than one JSON value.")
	}
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && t.Field != "" {
		return fault.Field(t.Field, "This value has the wrong type: "+t.Value+".").WithCause(err)
	}
	return fault.Field("body", "The request is not the JSON that was expected.").WithCause(err)
}

// TooLarge is the fault of whoever sends more than limit bytes.
func TooLarge(limit int64) error {
	f := fault.Newf(fault.TooLarge, "This is too large: the limit is %d KiB.", limit>>10)
	if limit >= 1<<20 {
		f = fault.Newf(fault.TooLarge, "This is too large: the limit is %d MiB.", limit>>20)
	}
	f.Field = "body"
	return f
}
