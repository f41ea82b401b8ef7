"""Where ITK and nibabel place NIfTI images whose sform, qform, pixdim and units contradict each other: the values of TestForms.

    python3 -m venv venv && venv/bin/pip install nibabel SimpleITK numpy
    venv/bin/python internal/bench/volume_forms.py
"""

import struct
import tempfile
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk


def diagonal(a, b, c):
    return [[a, 0, 0, 10], [0, b, 0, 20], [0, 0, c, 30]]


ONE, RIGHT, NONE, BAD = diagonal(1, 1, 1), diagonal(1.3, 1.3, 10), [[0] * 4] * 3, [[np.nan] * 4] * 3
SPACING = (1, 1.3, 1.3, 10)
CASES = {  # sform code and rows, qform code, pixdim, unit
    "scale": (1, ONE, 1, SPACING, 2),
    "scale, aligned": (2, ONE, 1, SPACING, 2),
    "scale without qform": (2, ONE, 0, SPACING, 2),
    "agree": (2, RIGHT, 1, SPACING, 2),
    "no sform": (0, NONE, 1, SPACING, 2),
    "zero sform": (1, NONE, 1, SPACING, 2),
    "NaN sform": (1, BAD, 1, SPACING, 2),
    "flat sform": (1, [[1.3, 1.3, 0, 10], [0, 0, 0, 20], [0, 0, 10, 30]], 1, SPACING, 2),
    "negative pixdim, qform": (0, NONE, 1, (1, -1.3, 1.3, 10), 2),
    "negative pixdim, sform": (1, RIGHT, 0, (1, -1.3, -1.3, 10), 2),
    "negative pixdim, both": (1, RIGHT, 1, (1, -1.3, 1.3, 10), 2),
    "no unit, sform": (2, ONE, 0, (1, 1, 1, 1), 0),
    "no unit, qform": (0, NONE, 1, (1, 1, 1, 1), 0),
    "metres": (2, diagonal(.0013, .0013, .01), 0, (1, .0013, .0013, .01), 1),
    "metres, scale": (1, RIGHT, 0, (1, 2, 1.3, 10), 1),
}

with tempfile.TemporaryDirectory() as folder:
    for name, (scode, rows, qcode, pixdim, unit) in CASES.items():
        path = Path(folder) / "a.nii"
        nibabel.save(nibabel.Nifti1Image(np.zeros((5, 4, 3), np.float32), np.eye(4)), path)
        data = bytearray(path.read_bytes())
        struct.pack_into("<4f", data, 76, *pixdim)
        data[123] = unit
        struct.pack_into("<hh", data, 252, qcode, scode)
        struct.pack_into("<6f", data, 256, 0, 0, 0, 10, 20, 30)
        for r, row in enumerate(rows):
            struct.pack_into("<4f", data, 280 + 16 * r, *row)
        path.write_bytes(data)
        image = sitk.ReadImage(str(path))
        itk = np.diag([-1, -1, 1]) @ np.c_[np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing(), image.GetOrigin()]
        print(f"{name}: ITK {np.round(itk, 4).tolist()}, nibabel {np.round(nibabel.load(path).affine[:3], 4).tolist()}")
