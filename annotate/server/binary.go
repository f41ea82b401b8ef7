package server

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/nextslice/nextslice/annotate"
	"github.com/nextslice/nextslice/internal/tempdir"
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
		_, _ = ctx.BodyWriter().Write(data) // a reader that has gone is nobody's fault
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
	Case    string `path:"case" example:"Case12"`
	Slice   int    `path:"slice" minimum:"0" example:"2"`
	Channel int    `query:"channel" minimum:"0" doc:"Of the project's channels, from 0."`
}

func (i sliceInput) name() string { return annotate.Item{Case: i.Case, Slice: i.Slice}.String() }

func (s *Server) sliceImage(_ context.Context, item annotate.Item, in *sliceInput) (*huma.StreamResponse, error) {
	image, err := s.project.Cases.Image(item, in.Channel)
	return send(littleEndian(image)), err
}

type modelInput struct {
	ItemPath
	Model int `query:"model" minimum:"0" doc:"The model's version. If it is left out, or that model has made none, the answer is that of the model in use; X-Model says which."`
}

func (s *Server) proposal(ctx context.Context, item annotate.Item, in *modelInput) (*huma.StreamResponse, error) {
	mask, model, err := s.project.Predictor.Proposal(ctx, item, in.Model)
	return send(mask, "X-Model", strconv.Itoa(model)), err
}

func (s *Server) uncertainty(ctx context.Context, item annotate.Item, _ *modelInput) (*huma.StreamResponse, error) {
	m, err := s.project.Predictor.Uncertainty(ctx, item)
	return send(littleEndian(m)), err
}

type classInput struct {
	ItemPath
	Class int `query:"class" minimum:"0" required:"true" doc:"The class's value."`
}

func (s *Server) chances(ctx context.Context, item annotate.Item, in *classInput) (*huma.StreamResponse, error) {
	chances, model, err := s.project.Predictor.Chances(ctx, item, in.Class)
	return send(chances, "X-Model", strconv.Itoa(model)), err
}

func (s *Server) label(ctx context.Context, item annotate.Item, _ *ItemPath) (*huma.StreamResponse, error) {
	mask, version, err := s.project.Labels.Label(ctx, person(ctx), item)
	return send(mask, "X-Version", strconv.Itoa(version)), err
}

func (s *Server) draft(ctx context.Context, item annotate.Item, _ *ItemPath) (*huma.StreamResponse, error) {
	mask, err := s.project.Labels.Draft(ctx, person(ctx), item)
	return send(mask), err
}

func (s *Server) versionMask(ctx context.Context, item annotate.Item, in *versionInput) (*huma.StreamResponse, error) {
	mask, err := s.project.Labels.VersionMask(ctx, person(ctx), item, in.Version)
	return send(mask), err
}

type caseInput struct {
	Case    string `path:"case" example:"Case12"`
	Preview bool   `query:"preview" doc:"Of rows and columns only every n-th, so that there are a few million voxels at most."`
}

type imageInput struct {
	Case    string `path:"case" example:"Case12"`
	Channel int    `query:"channel" minimum:"0" doc:"Of the project's channels, from 0."`
	Preview bool   `query:"preview" doc:"Of rows and columns only every n-th, so that there are a few million voxels at most, of eight bits."`
}

func (s *Server) caseImage(_ context.Context, in *imageInput) (*huma.StreamResponse, error) {
	if in.Preview {
		v, err := s.project.Cases.Preview(in.Case, in.Channel)
		if err != nil {
			return nil, err
		}
		return sendFile(in.Case+".nii.gz", "application/gzip", func(path string) error { return volume.WriteScaled(path, v) })
	}
	v, err := s.project.Cases.Channel(in.Case, in.Channel)
	if err != nil {
		return nil, err
	}
	return sendFile(in.Case+".nii.gz", "application/gzip", func(path string) error { return volume.WriteVolume(path, v) })
}

func (s *Server) caseLabel(ctx context.Context, in *caseInput) (*huma.StreamResponse, error) {
	return s.sendMask(ctx, in, func(ctx context.Context, name string) (*volume.Mask, error) {
		return s.project.Labels.Mask(ctx, person(ctx), name)
	})
}

func (s *Server) caseProposal(ctx context.Context, in *caseInput) (*huma.StreamResponse, error) {
	return s.sendMask(ctx, in, s.project.Predictor.Case)
}

func (s *Server) sendMask(ctx context.Context, in *caseInput, get func(context.Context, string) (*volume.Mask, error)) (*huma.StreamResponse, error) {
	mask, err := get(ctx, in.Case)
	if err != nil {
		return nil, err
	}
	if in.Preview {
		mask = s.project.Cases.PreviewMask(mask)
	}
	return sendFile(in.Case+".nii.gz", "application/gzip", func(path string) error { return volume.WriteMask(path, mask) })
}

type exportInput struct {
	Format  string `query:"format" enum:"nifti,nrrd,dicom-seg,csv" default:"nifti"`
	Partial bool   `query:"partial" doc:"Also cases of which only some slices are labelled."`
	Fill    bool   `query:"fill" doc:"Slices without a label hold the prediction of the model in use instead of background."`
	Review  string `query:"review" enum:"all,accepted" default:"all" doc:"accepted: only labels that a reviewer has accepted; other slices count as unlabelled."`
	Ignore  bool   `query:"ignore" doc:"Slices without a label hold 255, the value to ignore, instead of background."`
}

func (s *Server) export(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	name, kind := fmt.Sprintf("%s-labels-%s.zip", s.project.Name, in.Format), "application/zip"
	if in.Format == annotate.FormatCSV {
		name, kind = s.project.Name+"-labels.csv", "text/csv; charset=utf-8"
	}
	return sendFile(name, kind, func(path string) error {
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := s.project.Exporter.Write(ctx, person(ctx), file, annotate.Export{Format: in.Format, Partial: in.Partial, Fill: in.Fill, Ignore: in.Ignore, Accepted: in.Review == "accepted"}); err != nil {
			return err
		}
		return file.Close()
	})
}

// extension returns the end of a file name by which its format is chosen.
func extension(name string) string {
	for _, ext := range []string{".nii.gz", ".zip", ".csv"} {
		if strings.HasSuffix(name, ext) {
			return ext
		}
	}
	return filepath.Ext(name)
}

// sendFile answers with a file that write makes under a temporary name, so that a failure is a proper answer and not
// half a file.
func sendFile(name, kind string, write func(path string) error) (*huma.StreamResponse, error) {
	dir, remove, err := tempdir.Make("answer")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "file"+extension(name))
	err = write(path)
	var file *os.File
	if err == nil {
		file, err = os.Open(path)
	}
	remove() // an open file stays readable; where the system keeps it, it is in the folder for temporary files
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer file.Close()
		if info, err := file.Stat(); err == nil {
			ctx.SetHeader("Content-Length", strconv.FormatInt(info.Size(), 10))
		}
		ctx.SetHeader("Content-Type", kind)
		ctx.SetHeader("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": annotate.FileName(name)}))
		ctx.SetStatus(http.StatusOK)
		_, w := humago.Unwrap(ctx)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(30 * time.Minute)) // large exports, slow lines
		_, _ = io.Copy(ctx.BodyWriter(), file)
	}}, nil
}
