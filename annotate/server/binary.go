package server

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/annotate/store"
	"github.com/nextslice/nextslice/volume"
)

// send answers with raw bytes.
func send(data []byte, headers ...string) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", "application/octet-stream")
		ctx.SetHeader("Content-Length", strconv.Itoa(len(data)))
		for i := 0; i+1 < len(headers); i += 2 {
			ctx.SetHeader(headers[i], headers[i+1])
		}
		ctx.SetStatus(http.StatusOK)
		ctx.BodyWriter().Write(data) // a reader that has gone is nobody's fault
	}}
}

func littleEndian(values []float32) []byte {
	out := make([]byte, 0, 4*len(values))
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}

type sliceInput struct {
	Case  string `path:"case"`
	Slice int    `path:"slice" minimum:"0"`
}

func (s *Server) sliceImage(_ context.Context, in *sliceInput) (*huma.StreamResponse, error) {
	c, err := s.project.Case(in.Case)
	if err != nil {
		return nil, problem(err)
	}
	if in.Slice >= c.Slices {
		return nil, huma.Error404NotFound(fmt.Sprintf("case %s has %d slices", in.Case, c.Slices))
	}
	image, err := s.project.Image(in.Case, in.Slice)
	if err != nil {
		return nil, problem(err)
	}
	return send(littleEndian(image)), nil
}

type modelInput struct {
	ItemPath
	Model int `query:"model" minimum:"0" doc:"The model's version. If it is left out, or that model has made none, the answer is that of the model in use; X-Model says which."`
}

func (s *Server) proposal(ctx context.Context, in *modelInput) (*huma.StreamResponse, error) {
	item, err := s.project.Item(in.Item)
	if err != nil {
		return nil, problem(err)
	}
	mask, model, err := s.project.Proposal(ctx, item, in.Model)
	if err != nil {
		return nil, problem(err)
	}
	return send(mask, "X-Model", strconv.Itoa(model)), nil
}

func (s *Server) uncertainty(ctx context.Context, in *modelInput) (*huma.StreamResponse, error) {
	item, err := s.project.Item(in.Item)
	if err != nil {
		return nil, problem(err)
	}
	m, err := s.project.Uncertainty(ctx, item)
	if err != nil {
		return nil, problem(err)
	}
	return send(littleEndian(m)), nil
}

func (s *Server) label(ctx context.Context, in *ItemPath) (*huma.StreamResponse, error) {
	item, err := s.project.Item(in.Item)
	if err != nil {
		return nil, problem(err)
	}
	mask, version, err := s.project.Label(ctx, person(ctx), item)
	if err != nil {
		return nil, problem(err)
	}
	return send(mask, "X-Version", strconv.Itoa(version)), nil
}

func (s *Server) draft(ctx context.Context, in *ItemPath) (*huma.StreamResponse, error) {
	item, err := s.project.Item(in.Item)
	if err != nil {
		return nil, problem(err)
	}
	mask, err := s.project.Store().Draft(ctx, item, person(ctx).Name)
	if err != nil {
		return nil, problem(err)
	}
	return send(mask), nil
}

func (s *Server) versionMask(ctx context.Context, in *versionInput) (*huma.StreamResponse, error) {
	item, err := s.project.Item(in.Item)
	if err != nil {
		return nil, problem(err)
	}
	mask, err := s.project.VersionMask(ctx, person(ctx), item, in.Version)
	if err != nil {
		return nil, problem(err)
	}
	return send(mask), nil
}

type caseInput struct {
	Case string `path:"case"`
}

func (s *Server) caseImage(_ context.Context, in *caseInput) (*huma.StreamResponse, error) {
	if _, err := s.project.Case(in.Case); err != nil {
		return nil, problem(err)
	}
	v, err := s.project.Volume(in.Case)
	if err != nil {
		return nil, problem(err)
	}
	return sendFile(in.Case+".nii.gz", "application/gzip", func(path string) error { return volume.WriteVolume(path, v) })
}

func (s *Server) caseLabel(ctx context.Context, in *caseInput) (*huma.StreamResponse, error) {
	return s.caseMask(ctx, in.Case, s.project.LabelMask)
}

func (s *Server) caseProposal(ctx context.Context, in *caseInput) (*huma.StreamResponse, error) {
	return s.caseMask(ctx, in.Case, s.project.Prediction)
}

func (s *Server) caseMask(ctx context.Context, name string, get func(context.Context, string) (*volume.Mask, error)) (*huma.StreamResponse, error) {
	if _, err := s.project.Case(name); err != nil {
		return nil, problem(err)
	}
	mask, err := get(ctx, name)
	if err != nil {
		return nil, problem(err)
	}
	return sendFile(name+".nii.gz", "application/gzip", func(path string) error { return volume.WriteMask(path, mask) })
}

type exportInput struct {
	Format  string `query:"format" enum:"nifti,nrrd,dicom-seg,csv" default:"nifti"`
	Partial bool   `query:"partial" doc:"Also cases of which only some slices are labelled."`
	Fill    bool   `query:"fill" doc:"Slices without a label hold the prediction of the model in use instead of background."`
}

func (s *Server) export(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	entry := store.Event{Person: person(ctx).Name, Event: "export", Detail: fmt.Sprintf("%s, partial %v, fill %v", in.Format, in.Partial, in.Fill)}
	if err := s.project.Store().Log(ctx, entry); err != nil {
		return nil, problem(err)
	}
	name, kind := s.project.Name+"-labels.zip", "application/zip"
	if in.Format == annotate.FormatCSV {
		name, kind = s.project.Name+"-labels.csv", "text/csv; charset=utf-8"
	}
	return sendFile(name, kind, func(path string) error {
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := s.project.Export(ctx, file, annotate.Export{Format: in.Format, Partial: in.Partial, Fill: in.Fill}); err != nil {
			return err
		}
		return file.Close()
	})
}

// sendFile answers with a file that write makes under a temporary name, so that a failure is an answer of its own and not
// half a file.
func sendFile(name, kind string, write func(path string) error) (*huma.StreamResponse, error) {
	dir, err := os.MkdirTemp("", "nextslice-")
	if err != nil {
		return nil, problem(err)
	}
	path := filepath.Join(dir, filepath.Base(name))
	err = write(path)
	var file *os.File
	if err == nil {
		file, err = os.Open(path)
	}
	os.RemoveAll(dir) // an open file stays readable; where the system keeps it, it is in the folder for temporary files
	if err != nil {
		return nil, problem(err)
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer file.Close()
		if info, err := file.Stat(); err == nil {
			ctx.SetHeader("Content-Length", strconv.FormatInt(info.Size(), 10))
		}
		ctx.SetHeader("Content-Type", kind)
		ctx.SetHeader("Content-Disposition", fmt.Sprintf("attachment; filename=%q", filepath.Base(name)))
		ctx.SetStatus(http.StatusOK)
		_, w := humago.Unwrap(ctx)
		http.NewResponseController(w).SetWriteDeadline(time.Now().Add(30 * time.Minute)) // large exports, slow lines
		io.Copy(ctx.BodyWriter(), file)
	}}, nil
}
