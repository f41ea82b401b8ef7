"""Small data sets and pairs of masks written by other programs, with what numpy and scipy find in them.

    python3 -m venv venv && venv/bin/pip install nibabel SimpleITK pynrrd pillow numpy scipy
    venv/bin/python internal/bench/volume_layouts.py dataset/testdata/layouts.zip cmd/nextslice/testdata/evaluate.zip

layouts.zip: a folder in each layout of docs/reference/datasets.md; index.json says which cases it holds, their size, spacing,
intensities (numpy's percentiles), and the voxels and slices of each class. evaluate.zip: predictions and references in several
formats, with Dice by numpy and surface distances by scipy's distance transform.
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
from PIL import Image
from scipy import ndimage

rng = np.random.default_rng(5)
SIZE, SPACING = (14, 12, 6), (0.8, 0.8, 3.0)


def image():
    ramp = np.indices(SIZE).sum(axis=0) * 20
    return (ramp + rng.integers(0, 8, SIZE) * 5).astype(np.int16)


def mask(classes=3):
    a = np.zeros(SIZE, np.uint8)
    for c in range(1, classes):
        x, y = rng.integers(1, 6, 2)
        a[x:x + 6, y:y + 5, c:c + 3] = c
    return a


def by_nibabel(path, a):
    image = nibabel.Nifti1Image(a, np.diag([-SPACING[0], -SPACING[1], SPACING[2], 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)


def by_itk(path, a):
    out = sitk.GetImageFromArray(a.T)
    out.SetSpacing(SPACING)
    sitk.WriteImage(out, str(path), True)


def by_pynrrd(path, a, names=()):
    header = {"space": "left-posterior-superior", "space directions": np.diag(SPACING), "space origin": np.zeros(3), "kinds": ["domain"] * 3}
    for i, name in enumerate(names):
        header |= {f"Segment{i}_ID": f"Segment_{i + 1}", f"Segment{i}_Name": name, f"Segment{i}_LabelValue": str(i + 1), f"Segment{i}_Layer": "0"}
    nrrd.write(str(path), a, header)


def found(a, m):
    out = {"size": list(a.shape), "range": [float(v) for v in (a.min(), *np.percentile(a, [1, 50, 99]), a.max())]}
    if m is not None:
        out["voxels"] = np.bincount(m.ravel()).tolist()
        out["foreground"] = int((m.reshape(-1, m.shape[2]) > 0).any(axis=0).sum())
    return out


def layouts(root):
    index = []

    def layout(folder, name, write, classes=None, cases=("a1", "b2", "c3"), masks=3):
        (root / folder).mkdir()
        entry = {"folder": folder, "layout": name, "classes": classes, "cases": {}}
        for n, case in enumerate(cases):
            a, m = image(), mask() if n < masks else None
            write(root / folder, case, a, m)
            entry["cases"][case] = found(a, m)
        index.append(entry)

    def put(folder, inner, name, write, a):
        if a is not None:
            (folder / inner).mkdir(parents=True, exist_ok=True)
            write(folder / inner / name, a)

    def decathlon(folder, case, a, m):
        put(folder, "imagesTr", case + ".nii.gz", by_nibabel, a)
        put(folder, "labelsTr", case + ".nii.gz", by_nibabel, m.astype(np.float32))

    def nnunet(folder, case, a, m):
        put(folder, "imagesTr", case + "_0000.nrrd", by_pynrrd, a)
        put(folder, "labelsTr", case + ".nrrd", by_pynrrd, m)

    def promise(folder, case, a, m):
        put(folder, "", case + ".mhd", by_itk, a)
        put(folder, "", case + "_segmentation.mhd", by_itk, m)

    def monai(folder, case, a, m):
        put(folder, "", case + ".nii.gz", by_nibabel, a)
        put(folder, "labels/final", case + ".nii.gz", by_nibabel, m)

    def slicer(folder, case, a, m):
        put(folder, "", case + ".nrrd", by_pynrrd, a)
        put(folder, "", case + ".seg.nrrd", lambda p, m: by_pynrrd(p, m, ["gland", "lesion"]), m)

    def plain(folder, case, a, m):
        put(folder, "images", case + ".mha", by_itk, a)
        put(folder, "labels", case + ".nii.gz", by_nibabel, m)

    names = ["background", "gland", "lesion"]
    numbers = ["background", "class 1", "class 2"]
    layout("decathlon", "Decathlon", decathlon, names)
    training = [{"image": f"./imagesTr/{c}.nii.gz", "label": f"./labelsTr/{c}.nii.gz"} for c in ("a1", "b2", "c3")]
    (root / "decathlon/dataset.json").write_text(json.dumps({"name": "Small", "labels": {str(v): n for v, n in enumerate(names)}, "training": training}))
    layout("nnunet", "nnU-Net", nnunet, names)
    (root / "nnunet/dataset.json").write_text(json.dumps({"channel_names": {"0": "T2"}, "labels": {n: v for v, n in enumerate(names)},
                                                          "numTraining": 3, "file_ending": ".nrrd"}))
    layout("promise", "PROMISE12", promise, numbers)
    layout("monai", "MONAI Label", monai, numbers, masks=2)
    layout("slicer", "3D Slicer", slicer, numbers)
    layout("plain", "images and labels", plain, numbers, masks=1)

    entry = {"folder": "pictures", "layout": "images and labels", "classes": ["background", "value 128", "value 255"], "cases": {}}
    for case in ("p1", "p2"):
        a, m = image()[:, :, :1] // 2, mask()[:, :, 2:3]
        for inner, pixels in [("images", a.astype(np.uint8)), ("labels", np.array([0, 128, 255], np.uint8)[m])]:
            (root / "pictures" / inner).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.ascontiguousarray(pixels[:, :, 0].T)).save(root / "pictures" / inner / f"{case}.png")
        entry["cases"][case] = found(a.astype(np.uint8), m)
    index.append(entry)
    (root / "index.json").write_text(json.dumps(index))


def dice(p, r):
    return float(2 * (p & r).sum() / (p.sum() + r.sum())) if p.any() or r.any() else None


def distances(p, r):
    """HD95, the larger of both directions, and ASSD, pooled; surfaces by erosion with the six neighbours."""
    def surface(m):
        return m & ~ndimage.binary_erosion(m)
    p, r = surface(p), surface(r)
    there = ndimage.distance_transform_edt(~r, SPACING)[p]
    back = ndimage.distance_transform_edt(~p, SPACING)[r]
    return float(max(np.percentile(there, 95), np.percentile(back, 95))), float(np.concatenate([there, back]).mean())


def evaluations(root):
    index = {}
    writers = {"nii.gz": by_nibabel, "mha": by_itk, "nrrd": by_pynrrd, "seg.nrrd": lambda p, a: by_pynrrd(p, a, ["gland", "lesion"])}
    for inner in ["pred", "ref"]:
        (root / inner).mkdir()
    kinds = list(writers)
    for n in range(6):
        p, r = mask(), mask()
        if n == 4:
            p[p == 2] = 0  # a class that only the reference has
        by = kinds[n % 4], kinds[(n + n // 4) % 4]
        writers[by[0]](root / "pred" / f"case{n}.{by[0]}", p)
        writers[by[1]](root / "ref" / f"case{n}.{by[1]}", r)
        entry = index[f"case{n}"] = []
        for c in (1, 2):
            slices = [d for d in (dice(p[:, :, k] == c, r[:, :, k] == c) for k in range(SIZE[2])) if d is not None]
            hd95, assd = distances(p == c, r == c) if (p == c).any() else (float(np.linalg.norm(np.multiply(SIZE, SPACING))),) * 2
            entry.append({"dice_3d": dice(p == c, r == c), "dice_2d": float(np.mean(slices)), "hd95_3d": hd95, "assd": assd})
    (root / "index.json").write_text(json.dumps(index))


def main():
    for make, out in [(layouts, sys.argv[1]), (evaluations, sys.argv[2])]:
        with tempfile.TemporaryDirectory() as name:
            make(Path(name))
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
                for path in sorted(p for p in Path(name).rglob("*") if p.is_file()):
                    z.writestr(zipfile.ZipInfo(str(path.relative_to(name)), (2024, 1, 1, 0, 0, 0)), path.read_bytes(), zipfile.ZIP_DEFLATED)


main()
