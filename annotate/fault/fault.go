// Package fault gives what goes wrong, and what else the server tells, a code that stays, with values, beside the English sentence: programs tell faults
// apart by it, and the page says them in other languages.
package fault

import (
	"errors"
	"fmt"
)

// Code names a kind of fault.
type Code string

// Fault is an error with a code. Its text and what it wraps are those of the error.
type Fault struct {
	error
	Message
}

// Message is a code with the values that its sentence has, by name: texts and numbers.
type Message struct {
	Code   Code           `json:"code" doc:"What it is, for programs: it stays the same."`
	Values map[string]any `json:"values" doc:"What the sentence of the code is about, by name."`
}

// Unwrap returns the error.
func (f *Fault) Unwrap() error { return f.error }

// With gives an error a code, with pairs of a name and a value: those that Codes has for it, or it panics.
func With(err error, code Code, pairs ...any) error { return &Fault{err, Say(code, pairs...)} }

// Say returns a code with pairs of a name and a value: those that Codes or Told has for it, or it panics.
func Say(code Code, pairs ...any) Message {
	names, known := Codes[code]
	if !known {
		names, known = Told[code]
	}
	if !known || len(pairs) != 2*len(names) {
		panic(fmt.Sprintf("fault: %s has the values %v, got %v", code, names, pairs))
	}
	values := map[string]any{}
	for i, name := range names {
		if pairs[2*i] != name {
			panic(fmt.Sprintf("fault: %s has the values %v, got %v", code, names, pairs))
		}
		value := pairs[2*i+1]
		if text, ok := value.(fmt.Stringer); ok {
			value = text.String()
		}
		values[name] = value
	}
	return Message{code, values}
}

// Of returns the code of an error: that of the outermost Fault, or false.
func Of(err error) (Message, bool) {
	var f *Fault
	if errors.As(err, &f) {
		return f.Message, true
	}
	return Message{}, false
}
