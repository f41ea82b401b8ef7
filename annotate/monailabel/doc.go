// Package monailabel offers an annotation project by the protocol of MONAI Label, so that the extension of 3D Slicer and the Python client
// work with it unchanged. The protocol shows whole volumes and knows no slices; the two meet so:
//
//   - A sample is the case with the most slices that wait. It says which they are in its description and in queued_slices, and the label
//     that Slicer loads with it frames them: the segment [Frame], which is never stored.
//   - A submitted mask counts for these slices, or for all when the person says so: by the option slices of the strategy, by the parameter
//     slices of the request, or by a segment called [AllSlices]. Nothing else of it is stored.
//   - The protocol's tag final is what people have labelled; original is what a person begins with.
//
// What people may do is decided by the parts of the project, as for the page. Only interactive models (DeepGrow, DeepEdit) are not offered,
// and images that are not in the data folder.
//
// Source: the MONAI Label server 0.8.5 and its 3D Slicer extension as of December 2025. What their client needs beside the shape of
// answers: Content-Length in every answer and nothing chunked, for it reads below the decoder of chunks; file names in quotes; no redirect,
// which it does not follow; and an end of the connection after each answer, for its later requests may carry the length of an earlier body.
package monailabel
