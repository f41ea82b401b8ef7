package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/store"
)

// problem turns an error of the project into an answer whose detail a person can act on.
func problem(err error) error {
	status := http.StatusInternalServerError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, store.ErrConflict):
		status = http.StatusConflict
	case errors.Is(err, annotate.ErrInvalid):
		status = http.StatusUnprocessableEntity
	case errors.Is(err, annotate.ErrGone):
		status = http.StatusGone
	case errors.Is(err, store.ErrFull):
		status = http.StatusInsufficientStorage
	case errors.Is(err, context.Canceled):
		status = http.StatusServiceUnavailable
	}
	return huma.NewError(status, err.Error())
}
