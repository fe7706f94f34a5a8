// Package fault names the ways in which a request can fail, for people.
//
// A fault has a kind (what sort of failure, for programs), a sentence (what happened, for the person in front of
// the screen), an optional hint (what to do next) and, for bad input, the field that is wrong. Both programs carry
// faults over their wires; each has one table from kind to its own status (HTTP status, close code).
//
// The package knows nothing of transports, storage or dashboards. Start reading at Error.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure a fault is.
type Kind string

// The kinds. Outdated means that the other side speaks another protocol or file version; Unavailable that something
// needed could not be reached and trying again later may help; Busy that a limit of rate or capacity was met.
const (
	NotFound        Kind = "not_found"
	Denied          Kind = "denied"
	Unauthenticated Kind = "unauthenticated"
	Conflict        Kind = "conflict"
	Invalid         Kind = "invalid"
	TooLarge        Kind = "too_large"
	Busy            Kind = "busy"
	Outdated        Kind = "outdated"
	Unavailable     Kind = "unavailable"
	Internal        Kind = "internal"
)

// Error is a failure that may be shown to a person. Message and Hint are whole sentences without secrets.
type Error struct {
	Kind    Kind   `json:"kind"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`

	cause error
}

// New returns a fault of the given kind with a sentence for the user.
func New(kind Kind, message string) *Error { return &Error{Kind: kind, Message: message} }

// Newf is New with formatting. A %w verb in format is kept as the cause.
func Newf(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), cause: errors.Unwrap(err)}
}

// Field returns an Invalid fault that names the field that is wrong.
func Field(field, message string) *Error {
	return &Error{Kind: Invalid, Field: field, Message: message}
}

// WithHint returns a copy of e that tells the user what to do next.
func (e *Error) WithHint(hint string) *Error {
	c := *e
	c.Hint = hint
	return &c
}

// WithCause returns a copy of e that wraps err, for logs and errors.Is; err is never shown.
func (e *Error) WithCause(err error) *Error {
	c := *e
	c.cause = err
	return &c
}

// Error is the sentence with its cause, for logs.
func (e *Error) Error() string {
	s := e.Message
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// KindOf is the kind of the first fault in err's chain, Internal if there is none, and "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Kind
	}
	return Internal
}

// From returns the first fault in err's chain, or a general Internal fault that wraps err.
func From(err error) *Error {
	if f, ok := errors.AsType[*Error](err); ok {
		return f
	}
	return &Error{Kind: Internal, Message: "Something went wrong on our side.", Hint: "Try again; nothing was changed.", cause: err}
}
