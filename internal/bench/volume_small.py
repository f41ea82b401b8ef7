"""Small files written by other programs, for the tests of package volume and of those that read data.

    python3 -m venv venv && venv/bin/pip install nibabel SimpleITK pynrrd pillow tifffile pydicom numpy
    venv/bin/python internal/bench/volume_small.py volume/testdata

small.zip holds masks, units, channels, segments and pictures, and files that must be refused; index.json says what each
program that knows its format reads from it. ct/ is a DICOM series of four oblique slices, with its geometry in ct.json.
"""

import json
import sys
import tempfile
import zipfile
from pathlib import Path

import nibabel
import nrrd
import numpy as np
import pydicom
import SimpleITK as sitk
import tifffile
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

rng = np.random.default_rng(11)
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
index = {"masks": [], "units": [], "channels": [], "segments": [], "pictures": [], "refused": []}


def affine():
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    a = np.eye(4)
    a[:3, :3] = rotation * [0.7, 1.1, 3.3]
    a[:3, 3] = rng.uniform(-100, 100, 3)
    return a


def labels(shape=(9, 8, 5), classes=3):
    """Boxes of the classes 1 to classes - 1."""
    a = np.zeros(shape, np.uint8)
    for c in range(1, classes):
        a[c:c + 4, 2:6, c:c + 2] = c
    return a


def itk(path, a, to_world, compress=True, dtype=np.uint8):
    image = sitk.GetImageFromArray(a.astype(dtype).T)
    spacing = np.linalg.norm(to_world[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((to_world[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(to_world[:3, 3].tolist())
    sitk.WriteImage(image, str(path), compress)


def nifti(path, a, to_world, dtype, slope=None, unit="mm", codes=(1, 1)):
    image = nibabel.Nifti1Image(a.astype(dtype), to_world)
    image.header.set_data_dtype(dtype)
    image.set_qform(to_world, codes[0])
    image.set_sform(to_world, codes[1])
    image.header.set_xyzt_units(unit)
    if slope:
        image.header.set_slope_inter(*slope)
    nibabel.save(image, path)


def mask(name, a, to_world):
    index["masks"].append({"file": name, "size": list(a.shape), "affine": to_world[:3].tolist(),
                           "counts": np.bincount(a.ravel(), minlength=3).tolist()})


def masks(folder):
    for name, dtype in [("float.nii.gz", np.float32), ("double.nii", np.float64), ("int16.nii.gz", np.int16), ("uint8.hdr", np.uint8)]:
        a, to_world = labels(), affine()
        if name == "uint8.hdr":
            nibabel.save(nibabel.Nifti1Pair(a, to_world), folder / "uint8.img")
        else:
            nifti(folder / name, a, to_world, dtype)
        back = nibabel.load(folder / name.replace(".hdr", ".img"))
        mask(name, np.asarray(back.dataobj).astype(np.uint8), back.affine)
    a, to_world = labels(), affine()
    nifti(folder / "scaled.nii.gz", 4 * a, to_world, np.int16, (0.25, 0))
    back = nibabel.load(folder / "scaled.nii.gz")
    mask("scaled.nii.gz", np.round(back.get_fdata()).astype(np.uint8), back.affine)
    for name, dtype in [("a.mha", np.uint8), ("b.mhd", np.int16), ("c.nrrd", np.float32), ("d.nhdr", np.uint8)]:
        a, to_world = labels(), affine()
        itk(folder / name, a, to_world, dtype=dtype)
        back = sitk.ReadImage(str(folder / name))
        a = sitk.GetArrayFromImage(back).T.astype(np.uint8)
        geometry = np.eye(4)
        geometry[:3, :3] = np.reshape(back.GetDirection(), (3, 3)) * back.GetSpacing()
        geometry[:3, 3] = back.GetOrigin()
        mask(name, a, LPS @ geometry)
    a, to_world = labels(), affine()  # a few bytes behind the voxels, as some writers leave them
    itk(folder / "long.mhd", a, to_world, compress=False)
    with open(folder / "long.raw", "ab") as f:
        f.write(bytes(12))
    mask("long.mhd", sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "long.mhd"))).T, LPS @ to_world)


def units(folder):
    """Spacing in millimetres; none where the header names no unit and a spacing of 1."""
    a = labels()
    for unit, scale in [("mm", 1), ("meter", 1000), ("micron", 0.001), ("unknown", 1)]:
        to_world = affine()
        to_world[:3] /= scale
        nifti(folder / f"{unit}.nii.gz", a, to_world, np.uint8, unit=unit)
        zooms = [float(z) * scale for z in nibabel.load(folder / f"{unit}.nii.gz").header.get_zooms()]
        index["units"].append({"file": f"{unit}.nii.gz", "unit": "mm", "spacing": zooms})
    nifti(folder / "nothing.nii.gz", a, np.eye(4), np.uint8, unit="unknown")
    index["units"].append({"file": "nothing.nii.gz", "unit": "voxel", "spacing": [1, 1, 1]})
    itk(folder / "given.mha", a, affine(), compress=False)
    index["units"].append({"file": "given.mha", "unit": "mm", "spacing": list(sitk.ReadImage(str(folder / "given.mha")).GetSpacing())})
    lines = (folder / "given.mha").read_bytes().split(b"\n", 30)
    (folder / "none.mha").write_bytes(b"\n".join(line for line in lines if not line.startswith(b"ElementSpacing")))
    index["units"].append({"file": "none.mha", "unit": "voxel", "spacing": list(sitk.ReadImage(str(folder / "none.mha")).GetSpacing())})


def channels(folder):
    a = rng.integers(0, 200, (5, 4, 3, 3)).astype(np.int16)
    sums = [int(a[..., c].sum()) for c in range(3)]
    nifti(folder / "four.nii.gz", a, affine(), np.int16)
    vector = sitk.GetImageFromArray(np.ascontiguousarray(a.transpose(2, 1, 0, 3)), isVector=True)
    for name in ["vector.mha", "vector.nrrd"]:
        sitk.WriteImage(vector, str(folder / name), True)
    sitk.WriteImage(sitk.GetImageFromArray(np.ascontiguousarray(a.T), isVector=False), str(folder / "four.mha"), True)
    directions = np.vstack([affine()[:3, :3].T, [np.nan] * 3])
    nrrd.write(str(folder / "list.nrrd"), a, {"space": "left-posterior-superior", "space directions": directions,
                                              "space origin": np.zeros(3), "kinds": ["domain"] * 3 + ["list"]})
    for name in ["four.nii.gz", "vector.mha", "vector.nrrd", "four.mha", "list.nrrd"]:
        index["channels"].append({"file": name, "size": [5, 4, 3], "sums": sums, "voxel": a[1, 2, 1].tolist()})


def segments(folder):
    """As 3D Slicer writes them: one layer, and two layers of segments that overlap."""
    to_world = affine()
    one, names = labels(), ["gland", "lesion: a=b\\c"]
    two = np.stack([labels(), np.roll(labels(classes=2), 2, axis=1)])
    for name, a, layers in [("one.seg.nrrd", one, [0, 0]), ("two.seg.nrrd", two, [0, 0, 1])]:
        header = {"space": "left-posterior-superior", "space directions": to_world[:3, :3].T, "space origin": to_world[:3, 3],
                  "kinds": ["domain"] * 3, "encoding": "gzip"}
        if a.ndim == 4:
            header["space directions"] = np.vstack([[np.nan] * 3, header["space directions"]])
            header["kinds"] = ["list"] + header["kinds"]
        entry = {"file": name, "size": list(a.shape[-3:]), "segments": []}
        for i, layer in enumerate(layers):
            value = 1 if layer else i + 1
            title, colour = (names + ["urethra"])[i], [1, 0.5, i / 2]
            header |= {f"Segment{i}_ID": f"Segment_{i + 1}", f"Segment{i}_Name": title.replace("\\", "\\\\"), f"Segment{i}_Layer": str(layer),
                       f"Segment{i}_LabelValue": str(value), f"Segment{i}_Color": " ".join(map(str, colour))}
            voxels = int((a[layer] == value).sum() if a.ndim == 4 else (a == value).sum())
            entry["segments"].append({"name": title, "color": [round(255 * c) for c in colour], "voxels": voxels})
        nrrd.write(str(folder / name), a, header)
        index["segments"].append(entry)


def pictures(folder):
    """Grey ramps; what Pillow reads from each file."""
    eight = (np.arange(7 * 5).reshape(5, 7) * 7).astype(np.uint8)
    sixteen = (eight.astype(np.uint16) * 250 + 3)

    def picture(name, write, values=None):
        write(folder / name)
        if values is None:
            values = np.asarray(Image.open(folder / name).convert("L"))
        index["pictures"].append({"file": name, "columns": values.shape[1], "rows": values.shape[0],
                                  "values": values.astype(int).ravel().tolist()})

    picture("grey.png", lambda p: Image.fromarray(eight).save(p))
    picture("grey16.png", lambda p: Image.fromarray(sixteen).save(p), sixteen)
    picture("interlaced.png", lambda p: Image.fromarray(eight).save(p, optimize=True))
    picture("rgb.png", lambda p: Image.fromarray(eight).convert("RGB").save(p))
    picture("rgba.png", lambda p: Image.fromarray(eight).convert("RGBA").save(p))
    palette = Image.fromarray(eight % 5, "P")
    palette.putpalette([v for c in range(256) for v in (c, 255 - c, c // 2)])
    picture("palette.png", lambda p: palette.save(p), np.asarray(palette))
    picture("grey.jpg", lambda p: Image.fromarray(eight).save(p, quality=95))
    picture("rgb.jpg", lambda p: Image.fromarray(eight).convert("RGB").save(p, quality=95))
    for packing in ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]:
        picture(f"{packing}.tif", lambda p: Image.fromarray(eight).save(p, compression=packing))
    picture("big16.tiff", lambda p: tifffile.imwrite(p, sixteen, byteorder=">"), sixteen)
    tiles = np.tile(sixteen, (8, 5))
    picture("tiles.tif", lambda p: tifffile.imwrite(p, tiles, tile=(16, 16), compression="zlib", predictor=True), tiles)


def refused(folder):
    def refuse(name, reason):
        index["refused"].append({"file": name, "reason": reason})

    nifti(folder / "five.nii.gz", np.zeros((3, 3, 3, 2, 2)), np.eye(4), np.int16)
    refuse("five.nii.gz", "5-D image (dim[5] is 2)")
    nibabel.save(nibabel.Nifti1Image(np.zeros((3, 3, 3), np.complex64), np.eye(4)), folder / "complex.nii")
    refuse("complex.nii", "complex64")
    nibabel.save(nibabel.Nifti1Image(np.zeros((3, 3, 3), np.dtype([(c, "u1") for c in "RGB"])), np.eye(4)), folder / "rgb.nii")
    refuse("rgb.nii", "RGB colour")
    nibabel.save(nibabel.AnalyzeImage(np.zeros((3, 3, 3), np.int16), np.eye(4)), folder / "analyze.img")
    refuse("analyze.hdr", "Analyze 7.5")
    (folder / "text.nii").write_text("not an image\n" * 40)
    refuse("text.nii", "not NIfTI")
    itk(folder / "named.mha", labels(), affine())
    (folder / "wrong.nii").write_bytes((folder / "named.mha").read_bytes())
    refuse("wrong.nii", "its content is MetaImage")
    whole = folder / "whole.nii"
    nifti(whole, labels(), affine(), np.int16)
    (folder / "cut.nii").write_bytes(whole.read_bytes()[:-30])
    refuse("cut.nii", "cut short")
    colour = rng.integers(0, 255, (5, 7, 3), dtype=np.uint8)
    Image.fromarray(colour).save(folder / "colour.png")
    refuse("colour.png", "has a colour")


def ct(folder):
    """Four slices of 16 x 12 pixels, oblique, in files that are not in their order."""
    folder.mkdir(exist_ok=True)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    if np.linalg.det(rotation) < 0:
        rotation[:, 2] *= -1
    row, column, normal = rotation.T
    a = (np.indices((4, 12, 16)).sum(axis=0) * 10 - 100).astype(np.int16)
    for k, number in enumerate([3, 1, 4, 2]):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
        meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.8.498.7.{k + 1}"
        d = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
        d.SOPClassUID, d.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        d.StudyInstanceUID, d.SeriesInstanceUID = "1.2.826.0.1.3680043.8.498.5", "1.2.826.0.1.3680043.8.498.6"
        d.FrameOfReferenceUID, d.Modality, d.PatientID, d.PatientName = "1.2.826.0.1.3680043.8.498.8", "CT", "small", "Small^Series"
        d.StudyDate = d.StudyTime = d.AccessionNumber = d.StudyID = d.PatientBirthDate = d.PatientSex = ""
        d.SeriesNumber, d.InstanceNumber = 1, k + 1
        d.ImageOrientationPatient = [f"{v:.10f}"[:16] for v in (*row, *column)]
        d.ImagePositionPatient = [f"{v:.8f}"[:16] for v in 2.5 * k * normal + [10, -20, 30]]
        d.PixelSpacing, d.SliceThickness = [0.75, 0.5], 2.5
        d.Rows, d.Columns, d.SamplesPerPixel, d.PhotometricInterpretation = 12, 16, 1, "MONOCHROME2"
        d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 16, 16, 15, 1
        d.RescaleIntercept, d.RescaleSlope = -5, 2
        d.PixelData = a[k].tobytes()
        d.save_as(folder / f"IM{number}.dcm", enforce_file_format=True)
    files = sorted((pydicom.dcmread(p) for p in folder.iterdir()), key=lambda d: d.InstanceNumber)
    first = np.array(files[0].ImagePositionPatient, float)
    step = (np.array(files[-1].ImagePositionPatient, float) - first) / 3
    geometry = np.eye(4)
    geometry[:3, 0] = np.array(files[0].ImageOrientationPatient[:3], float) * files[0].PixelSpacing[1]
    geometry[:3, 1] = np.array(files[0].ImageOrientationPatient[3:], float) * files[0].PixelSpacing[0]
    geometry[:3, 2], geometry[:3, 3] = step, first
    values = np.stack([d.pixel_array * d.RescaleSlope + d.RescaleIntercept for d in files])
    return {"affine": (LPS @ geometry)[:3].tolist(), "size": [16, 12, 4], "sum": float(values.sum())}


def main():
    out = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as name:
        for make in [masks, units, channels, segments, pictures, refused]:
            folder = Path(name) / make.__name__
            folder.mkdir()
            make(folder)
        with zipfile.ZipFile(out / "small.zip", "w", zipfile.ZIP_DEFLATED) as z:
            for path in sorted(p for p in Path(name).rglob("*") if p.is_file()):
                z.writestr(zipfile.ZipInfo(str(path.relative_to(name)), (2024, 1, 1, 0, 0, 0)), path.read_bytes(), zipfile.ZIP_DEFLATED)
            z.writestr(zipfile.ZipInfo("index.json", (2024, 1, 1, 0, 0, 0)), json.dumps(index), zipfile.ZIP_DEFLATED)
    (out / "ct.json").write_text(json.dumps(ct(out / "ct")) + "\n")


main()
