package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/nextslice/nextslice/annotate"
)

// problem turns an error of the project into an answer whose detail a person can act on.
func problem(err error) error {
	if _, answered := errors.AsType[huma.StatusError](err); answered || err == nil {
		return err
	}
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, annotate.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, annotate.ErrForbidden):
		status = http.StatusForbidden
	case errors.Is(err, annotate.ErrConflict):
		status = http.StatusConflict
	case errors.Is(err, annotate.ErrInvalid):
		status = http.StatusUnprocessableEntity
	case errors.Is(err, annotate.ErrRefused):
		status = http.StatusUnauthorized
	case errors.Is(err, annotate.ErrGone):
		status = http.StatusGone
	case errors.Is(err, annotate.ErrFull), errors.Is(err, annotate.ErrReadOnly), errors.Is(err, annotate.ErrLost):
		status = http.StatusInsufficientStorage
	case errors.Is(err, context.Canceled):
		status = http.StatusServiceUnavailable
	}
	return huma.NewError(status, err.Error())
}
