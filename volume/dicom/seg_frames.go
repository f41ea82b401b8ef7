package dicom

import (
	"fmt"
	"slices"

	"github.com/nextslice/nextslice/volume"
)

// segFrame is a frame of a segmentation object.
type segFrame struct {
	segment int // in Segments; 0 in label maps
	slice   int
}

// packFrames returns the frames that hold a voxel and their pixels: segment by segment, one bit each, the first the lowest; or of a label map the
// numbers of the segments, a byte each. A segmentation without any voxel gets one empty frame: the format demands one.
func packFrames(s *volume.Segmentation, labels bool) (frames []segFrame, pixels []byte, err error) {
	if labels {
		frames, pixels, err = packLabels(s)
	} else {
		frames, pixels = packBits(s)
	}
	if len(pixels)%2 == 1 {
		pixels = append(pixels, 0)
	}
	return frames, pixels, err
}

func packBits(s *volume.Segmentation) (frames []segFrame, pixels []byte) {
	n, bit := s.Size[0]*s.Size[1], 0
	for i, segment := range s.Segments {
		layer := s.Layers[segment.Layer]
		for k := range s.Size[2] {
			plane := layer[k*n : (k+1)*n]
			if !slices.Contains(plane, segment.Value) && !(len(frames) == 0 && i == len(s.Segments)-1 && k == s.Size[2]-1) {
				continue
			}
			frames = append(frames, segFrame{i, k})
			for _, v := range plane {
				if bit%8 == 0 {
					pixels = append(pixels, 0)
				}
				if v == segment.Value {
					pixels[bit/8] |= 1 << (bit % 8)
				}
				bit++
			}
		}
	}
	return frames, pixels
}

func packLabels(s *volume.Segmentation) (frames []segFrame, pixels []byte, err error) {
	if len(s.Segments) > 255 {
		return nil, nil, fmt.Errorf("%d segments: a label map holds 255 at most", len(s.Segments))
	}
	numbers := make([]byte, s.Len())
	for i, segment := range s.Segments {
		for v, value := range s.Layers[segment.Layer] {
			if value != segment.Value {
				continue
			}
			if other := numbers[v]; other != 0 {
				return nil, nil, fmt.Errorf("segments %q and %q overlap: a label map cannot hold both; write a binary segmentation", s.Segments[other-1].Name, segment.Name)
			}
			numbers[v] = byte(i + 1)
		}
	}
	n := s.Size[0] * s.Size[1]
	for k := range s.Size[2] {
		plane := numbers[k*n : (k+1)*n]
		if !slices.ContainsFunc(plane, func(v byte) bool { return v != 0 }) && !(len(frames) == 0 && k == s.Size[2]-1) {
			continue
		}
		frames = append(frames, segFrame{slice: k})
		pixels = append(pixels, plane...)
	}
	return frames, pixels, nil
}
