"""Expected values for the tests of package volume, by independent readers.

    python3 -m venv venv && venv/bin/pip install nibabel SimpleITK pynrrd pydicom numpy
    venv/bin/python internal/bench/volume_vectors.py ../shared/data > volume/testdata/vectors.json

Of every image: size, affine (RAS+), stored type, sum, and the values of 16 voxels spread over it. NIfTI is read by
nibabel, MetaImage by SimpleITK, NRRD by pynrrd. No image data is kept.
"""

import json
import sys
from pathlib import Path

import nibabel
import nrrd as pynrrd
import numpy as np
import SimpleITK as sitk

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def voxels(a):
    """Sixteen voxels (i, j, k, value) spread over an array indexed [i, j, k]."""
    at = np.linspace(0, a.size - 1, 16).astype(int)
    index = np.unravel_index(at, a.shape, order="F")
    return [[int(i), int(j), int(k), float(a[i, j, k])] for i, j, k in zip(*index)]


def entry(name, a, affine, stored):
    return {
        "file": name,
        "size": list(a.shape),
        "affine": np.asarray(affine)[:3].tolist(),
        "stored": stored,
        "sum": float(a.astype(np.float64).sum()),
        "voxels": voxels(a),
    }


def nifti(root, name):
    image = nibabel.load(root / name)
    a = np.asarray(image.dataobj)
    a = a.reshape(a.shape[:3])
    stored = image.header.get_data_dtype().newbyteorder("=").name
    return entry(name, a, image.affine, stored)


def metaimage(root, name):
    image = sitk.ReadImage(str(root / name))
    a = sitk.GetArrayFromImage(image).T
    n = image.GetDimension()
    affine = np.eye(4)
    affine[:n, :n] = np.reshape(image.GetDirection(), (n, n)) * image.GetSpacing()
    affine[:n, 3] = image.GetOrigin()
    if n == 2:
        a = a[:, :, None]
    return entry(name, a, LPS @ affine, a.dtype.name)


def nrrd(root, name):
    a, header = pynrrd.read(str(root / name))
    if a.ndim == 4:
        a = a[..., 0]
    n = a.ndim
    affine = np.eye(4)
    if "space directions" in header:
        affine[:n, :n] = np.asarray(header["space directions"])[:n].T
        affine[:n, 3] = header.get("space origin", np.zeros(n))
    else:
        affine[:n, :n] = np.diag(header["spacings"])
    if header.get("space") != "right-anterior-superior":
        affine = LPS @ affine
    return entry(name, a.reshape(a.shape + (1,) * (3 - n)), affine, a.dtype.name)


def main():
    root = Path(sys.argv[1])
    out = []
    for name in ["air.hdr.gz", "air2.img.gz", "avg152T1_LR_nifti.nii.gz", "avg152T1_LR_nifti2.nii.gz", "big.nii.gz",
                 "little.nii.gz", "with_extension.nii.gz"]:
        out.append(nifti(root, "formats/nifti/" + name))
    for case in ["001", "003"]:
        for folder in ["imagesTr", "labelsTr"]:
            out.append(nifti(root, f"Task04_Hippocampus/{folder}/hippocampus_{case}.nii.gz"))
    for name in ["2DMRI-T1_brain.mha", "2D_2x2_square_object_at_(1,3).mhd", "3DCT_lung_baseline_small.mha", "fixed.mhd",
                 "mask_fixed.mhd", "mask_moving.mhd", "moving.mhd", "solution_deformedmovingimage.mhd"]:
        out.append(metaimage(root, "formats/metaimage/" + name))
    for case in ["Case00", "Case00_segmentation", "Case01"]:
        out.append(metaimage(root, f"promise12/{case}.mhd"))
    for name in ["BallBinary30x30x30.nhdr", "BallBinary30x30x30.nrrd", "BallBinary30x30x30_byteskip_minus_one.nhdr",
                 "BallBinary30x30x30_byteskip_minus_one_nifti.nhdr", "BallBinary30x30x30_bz2.nrrd",
                 "BallBinary30x30x30_gz.nrrd", "BallBinary30x30x30_gz_byteskip_minus_one.nrrd",
                 "BallBinary30x30x30_gz_lineskip.nrrd", "test2d_ascii.nrrd", "test_simple4d_raw.nrrd"]:
        out.append(nrrd(root, "formats/nrrd/" + name))
    for name in ["heart_seg.nrrd", "partial_overlaps-2.nrrd"]:
        out.append(nrrd(root, "formats/dicom-seg/" + name))
    print("[\n" + ",\n".join(json.dumps(e) for e in out) + "\n]")


main()
