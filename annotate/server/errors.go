package server

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/fault"
)

// kinds are the errors of the project with their status, and the code of those that say no more.
var kinds = []struct {
	is     error
	status int
	code   fault.Code
}{
	{annotate.ErrNotFound, http.StatusNotFound, fault.NotFound},
	{annotate.ErrForbidden, http.StatusForbidden, fault.Forbidden},
	{annotate.ErrConflict, http.StatusConflict, fault.Conflict},
	{annotate.ErrInvalid, http.StatusUnprocessableEntity, fault.Invalid},
	{annotate.ErrRefused, http.StatusUnauthorized, fault.Refused},
	{annotate.ErrGone, http.StatusGone, fault.Gone},
	{annotate.ErrFull, http.StatusInsufficientStorage, fault.Full},
	{annotate.ErrReadOnly, http.StatusInsufficientStorage, fault.ReadOnly},
	{annotate.ErrLost, http.StatusInsufficientStorage, fault.Lost},
	{context.Canceled, http.StatusServiceUnavailable, fault.Stopped},
}

// coded is the answer to what went wrong: that of huma, with a code.
type coded struct {
	*huma.ErrorModel
	fault.Message
}

// problem turns an error of the project into an answer whose detail a person can act on.
func problem(err error) error {
	if _, answered := errors.AsType[huma.StatusError](err); answered || err == nil {
		return err
	}
	status, code := http.StatusInternalServerError, fault.Internal
	for _, k := range kinds {
		if errors.Is(err, k.is) {
			status, code = k.status, k.code
			break
		}
	}
	message, known := fault.Of(err)
	if !known {
		message = general(code, err.Error())
	}
	return refusal(status, err.Error(), message)
}

// refusal is an answer of a status, with an English sentence and its code.
func refusal(status int, detail string, m fault.Message) huma.StatusError {
	return &coded{&huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail}, m}
}

// general is the message of a code that at most repeats the English sentence.
func general(code fault.Code, text string) fault.Message {
	if len(fault.Codes[code]) == 0 {
		return fault.Say(code)
	}
	return fault.Say(code, "text", text)
}

// withCode gives the answers of huma itself, to requests that it does not pass on, a code by their status.
func withCode(_ huma.Context, _ string, v any) (any, error) {
	m, plain := v.(*huma.ErrorModel)
	if !plain {
		return v, nil
	}
	code := fault.Internal
	switch m.Status {
	case http.StatusUnauthorized:
		code = fault.LogIn
	case http.StatusNotFound:
		code = fault.NotFound
	case http.StatusServiceUnavailable:
		code = fault.Busy
	default:
		if m.Status < 500 {
			code = fault.Invalid
		}
	}
	text := m.Detail
	for _, e := range m.Errors { // what is wrong with the request
		text += "; " + e.Error()
	}
	return &coded{m, general(code, text)}, nil
}

// describeCodes completes the description of answers to what went wrong.
func describeCodes(api *huma.OpenAPI) {
	schema := api.Components.Schemas.Map()["ErrorModel"]
	if schema == nil {
		return
	}
	var errors, all []any
	for _, code := range slices.Sorted(maps.Keys(fault.Codes)) {
		errors = append(errors, string(code))
	}
	for _, code := range slices.Sorted(maps.Keys(fault.Told)) {
		all = append(all, string(code))
	}
	schema.Properties["code"] = &huma.Schema{Type: huma.TypeString, Enum: errors, Description: "What it is, for programs: it stays the same."}
	if said := api.Components.Schemas.Map()["Message"]; said != nil {
		said.Properties["code"].Enum = append(slices.Clone(errors), all...)
	}
	schema.Properties["values"] = &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "What the sentence of the code is about, by name."}
	schema.Required = append(schema.Required, "code", "values")
}
