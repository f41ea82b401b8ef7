"""Expected values for the tests of package volume/dicom, by pydicom.

    python3 -m venv venv && venv/bin/pip install pydicom numpy
    venv/bin/python internal/bench/volume_dicom_vectors.py ../shared/data > volume/dicom/testdata/vectors.json

Of every series or single file: size, affine (RAS+), sum, and the values of 16 voxels spread over it. Slices are sorted along
their normal here too; the code is independent of the one it tests.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pydicom


def voxels(a):
    at = np.linspace(0, a.size - 1, 16).astype(int)
    index = np.unravel_index(at, a.shape, order="F")
    return [[int(i), int(j), int(k), float(a[i, j, k])] for i, j, k in zip(*index)]


def main():
    root = Path(sys.argv[1]) / "formats"
    out = []
    for name in ["dicom/ct-series", "dicom/series", "dicom/transfer-syntaxes/CT_small.dcm",
                 "dicom/transfer-syntaxes/MR_small.dcm", "dicom/transfer-syntaxes/MR_small_bigendian.dcm",
                 "dicom/transfer-syntaxes/MR_small_implicit.dcm", "dicom-seg/ct_image.dcm"]:
        path = root / name
        files = sorted(path.glob("*.dcm")) if path.is_dir() else [path]
        slices = [pydicom.dcmread(f) for f in files]
        right, down = np.array(slices[0].ImageOrientationPatient, float).reshape(2, 3)
        normal = np.cross(right, down)
        slices.sort(key=lambda s: np.dot(np.array(s.ImagePositionPatient, float), normal))
        planes = []
        for s in slices:
            slope, intercept = float(s.get("RescaleSlope", 1)), float(s.get("RescaleIntercept", 0))
            planes.append(s.pixel_array.T * slope + intercept)
        a = np.stack(planes, axis=2)
        first, last = (np.array(s.ImagePositionPatient, float) for s in (slices[0], slices[-1]))
        rows, columns = map(float, slices[0].PixelSpacing)
        if len(slices) > 1:
            step = (last - first) / (len(slices) - 1)
        else:
            step = normal * float(slices[0].get("SpacingBetweenSlices", slices[0].SliceThickness))
        affine = np.eye(4)
        affine[:3] = np.stack([right * columns, down * rows, step, first], axis=1)
        affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
        out.append({"file": "formats/" + name, "size": list(a.shape), "affine": affine[:3].tolist(), "sum": float(a.sum()),
                    "voxels": voxels(a)})
    print("[\n" + ",\n".join(json.dumps(e) for e in out) + "\n]")


main()
