"""Small images written by other programs, for the tests of package volume.

    python3 -m venv venv && venv/bin/pip install nibabel SimpleITK pynrrd numpy
    venv/bin/python internal/bench/volume_interop.py volume/testdata/interop.zip

Random numbers on random oblique grids, of every voxel type, by nibabel (NIfTI-1 and -2, single files and pairs, both byte
orders, sform, qform, neither, scaled), SimpleITK (MetaImage, NRRD, NIfTI, packed or not) and pynrrd (every encoding, three
spaces). index.json holds what a reader should find: size, affine (RAS+), sum, and three voxels.
"""

import json
import sys
import tempfile
import zipfile
from pathlib import Path

import nibabel
import nrrd
import numpy as np
import SimpleITK as sitk

rng = np.random.default_rng(7)
TYPES = [np.dtype(t) for t in "u1 i1 u2 i2 u4 i4 u8 i8 f4 f8".split()]
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
index = []


def affine():
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    a = np.eye(4)
    a[:3, :3] = rotation * rng.uniform(0.2, 5, 3)
    a[:3, 3] = rng.uniform(-300, 300, 3)
    return a


def numbers(dtype):
    """Numbers that a float32 holds to seven digits."""
    shape = tuple(rng.integers(1, 6, 3))
    if dtype.kind == "f":
        return rng.normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(max(limits.min, -(2**20)), min(limits.max, 2**20), shape, dtype=dtype, endpoint=True)


def record(path, a, affine):
    a = np.asarray(a, np.float64)
    n = a.shape
    index.append({"file": path.name, "size": list(n), "affine": np.asarray(affine)[:3].tolist(), "sum": a.sum(),
                  "voxels": [[i, j, k, a[i, j, k]] for i, j, k in
                             [(0, 0, 0), (n[0] - 1, n[1] - 1, n[2] - 1), (n[0] // 2, n[1] // 3, n[2] // 2)]]})


def by_nibabel(folder):
    n = 0
    for image_class in [nibabel.Nifti1Image, nibabel.Nifti2Image, nibabel.Nifti1Pair, nibabel.Nifti2Pair]:
        for dtype in TYPES:
            for order in "<>":
                header = image_class.header_class(endianness=order)
                header.set_data_dtype(dtype)
                image = image_class(numbers(dtype), None, header)
                image.header.set_data_dtype(dtype.newbyteorder(order))
                if n % 4 == 0:
                    image.set_sform(affine(), 1)
                    image.set_qform(affine(), 1)
                elif n % 4 == 1:
                    image.set_qform(affine(), 1)
                    image.set_sform(None, 0)
                elif n % 4 == 2:
                    image.header["pixdim"][1:4] = rng.uniform(0.5, 4, 3)
                else:
                    image.set_sform(affine(), 2)
                if n % 5 == 0:
                    image.header.set_slope_inter(0.5, -3)
                ending = ".img" if "Pair" in image_class.__name__ else ".nii"
                path = folder / f"nibabel{n}{ending}{['', '.gz'][n % 3 == 0]}"
                nibabel.save(image, path)
                back = nibabel.load(path)
                record(path, np.asarray(back.dataobj), back.affine)
                n += 1


def by_simpleitk(folder):
    n = 0
    for dtype in TYPES:
        for ending in ["mha", "mhd", "nrrd", "nhdr", "nii.gz"]:
            a, to_world = numbers(dtype), affine()
            image = sitk.GetImageFromArray(a.T)
            spacing = np.linalg.norm(to_world[:3, :3], axis=0)
            image.SetSpacing(spacing.tolist())
            image.SetDirection((to_world[:3, :3] / spacing).ravel().tolist())
            image.SetOrigin(to_world[:3, 3].tolist())
            path = folder / f"itk{n}.{ending}"
            sitk.WriteImage(image, str(path), n % 2 == 0)
            record(path, a, LPS @ to_world)
            n += 1


def by_pynrrd(folder):
    spaces = {"left-posterior-superior": LPS, "right-anterior-superior": np.eye(4), "LAS": np.diag([-1.0, 1, 1, 1])}
    n = 0
    for dtype in TYPES:
        for encoding in ["raw", "gzip", "bzip2", "ascii"]:
            space = list(spaces)[n % 3]
            a, to_world = numbers(dtype), affine()
            path = folder / f"pynrrd{n}.{['nrrd', 'nhdr'][n % 2]}"
            nrrd.write(str(path), a, {"space": space, "space directions": to_world[:3, :3].T, "encoding": encoding,
                                      "space origin": to_world[:3, 3], "kinds": ["domain"] * 3})
            record(path, a, spaces[space] @ to_world)
            n += 1


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        by_nibabel(folder)
        by_simpleitk(folder)
        by_pynrrd(folder)
        with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as out:
            for path in sorted(folder.iterdir()):
                out.writestr(zipfile.ZipInfo(path.name, (2024, 1, 1, 0, 0, 0)), path.read_bytes(), zipfile.ZIP_DEFLATED)
            out.writestr(zipfile.ZipInfo("index.json", (2024, 1, 1, 0, 0, 0)), json.dumps(index), zipfile.ZIP_DEFLATED)


main()
