"""What other programs read from the files that package volume writes, for its test.

    go test ./volume -run TestWrittenFiles -update     # writes testdata/written.zip; fails until this was run:
    python3 -m venv venv && venv/bin/pip install nibabel SimpleITK pynrrd numpy
    venv/bin/python internal/bench/volume_written.py volume/testdata

NIfTI is read by nibabel, MetaImage by SimpleITK, NRRD by pynrrd; and each file by ITK too, which must agree on its voxels and,
where sform and qform do not differ, on its place. ITK takes no sheared file. Of segments the first layer is taken.
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

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def by_itk(path):
    image = sitk.ReadImage(str(path))
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    a = sitk.GetArrayFromImage(image)
    return a.transpose(2, 1, 0, *range(3, a.ndim)), LPS @ affine


def read(path):
    names = unit = None
    if path.suffix == ".nii":
        image = nibabel.load(path)
        a, affine = np.asarray(image.dataobj), image.affine
        unit = {"mm": "mm", "unknown": "voxel"}[image.header.get_xyzt_units()[0]]
    elif path.suffix == ".mha":
        a, affine = by_itk(path)
        unit = "mm" if b"ElementSpacing" in path.read_bytes().split(b"LOCAL")[0] else "voxel"
    else:
        a, header = nrrd.read(str(path))
        affine = np.eye(4)
        affine[:3, :3] = np.asarray(header["space directions"])[-3:].T
        affine[:3, 3] = header["space origin"]
        affine = LPS @ affine
        unit = header["space units"][0]
        if a.ndim == 4:
            names = [header[f"Segment{i}_Name"].replace("\\\\", "\\") for i in range(3)]
            a = a[0]
    if "sheared" not in path.name:
        other, place = by_itk(path)
        if other.ndim == 4:
            other = other[..., 0]
        assert np.array_equal(a, other), path.name
        if "differing" not in path.name or path.suffix != ".nii":
            assert np.allclose(affine, place, atol=1e-4), (path.name, affine, place)
    return {"size": list(a.shape), "affine": affine[:3].tolist(), "unit": unit, "stored": a.dtype.newbyteorder("=").name,
            "values": a.ravel(order="F").astype(float).tolist(), "names": names}


def main():
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        with zipfile.ZipFile(folder / "written.zip") as z:
            z.extractall(name)
        out = {p.name: read(p) for p in sorted(Path(name).iterdir())}
    (folder / "written.json").write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in out.items()) + "\n}\n")


main()
