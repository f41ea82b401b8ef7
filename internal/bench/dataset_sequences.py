"""A small DICOM data set of two MR sequences, with masks as DICOM SEG, for the tests of several channels.

    python3 -m venv venv && venv/bin/pip install pydicom highdicom SimpleITK numpy
    venv/bin/python internal/bench/dataset_sequences.py dataset/testdata/sequences.zip

Each patient p1 … p7 has a T2 series, oblique, and an ADC series of the same study on a coarser, axial grid, both written by pydicom. In p1, p3 … all
files lie in the patient's folder and the series' descriptions tell them apart, in p2, p4 … they lie in folders T2 and ADC and the
descriptions say nothing. p6 has no ADC, and the ADC of p7 has another frame of reference. The masks are drawn on T2 and written by
highdicom: in labels/ for p1 to p3, else in the patient's folder; in p2 and p4 the segments come in the other order. The gland shows on T2, the lesion on ADC alone.

index.json holds, of each patient, the sum of the T2 values, the voxels of each segment (column, row, slice), and, where both series can be put together, 24 voxels
of ADC on the grid of T2 as SimpleITK reads both series and interpolates linearly (column, row, slice, value), none of them at ADC's border.
"""

import json
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import highdicom as hd
import numpy as np
import SimpleITK as sitk
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

warnings.filterwarnings("ignore")
rng = np.random.default_rng(29)
root = Path(tempfile.mkdtemp())
TILT = np.radians(8)
OBLIQUE = np.array([[1, 0, 0], [0, np.cos(TILT), np.sin(TILT)], [0, -np.sin(TILT), np.cos(TILT)]])  # rows: along columns, along rows, normal
AXIAL = np.eye(3)


def uid(*numbers):
    return "1.2.826.0.1.3680043.10.30." + ".".join(map(str, numbers))


def grid(shape, spacing, axes, centre):
    """Position in mm (LPS) of each voxel, [slice, row, column, 3], of a grid around a centre."""
    k, j, i = np.mgrid[:shape[0], :shape[1], :shape[2]].astype(float)
    at = [(n - (size - 1) / 2) * step for n, size, step in zip((i, j, k), shape[::-1], spacing)]
    return sum(a[..., None] * axis for a, axis in zip(at, axes)) + centre


def write(folder, patient, number, description, world, spacing, axes, values, frame):
    """A series of the given positions and values; returns its data sets."""
    out = []
    for k, plane in enumerate(values):
        meta = FileMetaDataset()
        instance = uid(patient, number, k + 1)
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = MRImageStorage, instance, ExplicitVRLittleEndian
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID, ds.SOPInstanceUID = MRImageStorage, instance
        ds.PatientName = ds.PatientID = f"S{patient}"
        ds.PatientBirthDate = ds.PatientSex = ds.AccessionNumber = ds.ReferringPhysicianName = ds.StudyID = ds.PositionReferenceIndicator = ""
        ds.StudyDate, ds.StudyTime, ds.Modality, ds.Manufacturer = "20260102", "030405", "MR", "none"
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = uid(patient), uid(patient, number), frame
        ds.SeriesNumber, ds.InstanceNumber, ds.SeriesDescription, ds.ImageType = number, k + 1, description, ["ORIGINAL", "PRIMARY"]
        ds.ImagePositionPatient = [f"{v:.6f}" for v in world[k, 0, 0]]
        ds.ImageOrientationPatient = [f"{v:.10f}" for v in (*axes[0], *axes[1])]
        ds.PixelSpacing, ds.SliceThickness = [spacing[1], spacing[0]], spacing[2]
        ds.Rows, ds.Columns = plane.shape
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation, ds.SamplesPerPixel = 16, 12, 11, 0, 1
        ds.PhotometricInterpretation = "MONOCHROME2"
        ds.PixelData = plane.astype("<u2").tobytes()
        (root / folder).mkdir(parents=True, exist_ok=True)
        ds.save_as(root / folder / f"{number}-{k + 1}.dcm", enforce_file_format=True)
        out.append(ds)
    return out


def describe(number, label):
    kind = codes.SCT.Organ if label == "prostate" else codes.SCT.MorphologicallyAbnormalStructure
    return hd.seg.SegmentDescription(number, label, kind, kind, hd.seg.SegmentAlgorithmTypeValues.MANUAL)


def read(folder, series):
    r = sitk.ImageSeriesReader()
    r.SetFileNames(r.GetGDCMSeriesFileNames(str(root / folder), series))
    return sitk.Cast(r.Execute(), sitk.sitkFloat64)


index = {}
for p in range(1, 8):
    name, apart = f"p{p}", p % 2 == 0
    centre = np.array([3.0 * p, -20.0, 40.0 + p])
    spacing, coarse = (0.8, 0.8, 3.0), (1.5, 1.5, 4.0)
    on, under = grid((5, 20, 24), spacing, OBLIQUE, centre), grid((4, 14, 16), coarse, AXIAL, centre + [0.3, -0.2, 0.4])
    gland_at, lesion_at = centre + [0.5 * p - 1.5, 0.4, 0], centre + [2 - 0.5 * p, 1 - 0.3 * p, 1.5]
    shape = np.array([6.5, 5.5, 6.0])
    inside = lambda w, at, radii: np.sum(((w - at) / radii) ** 2, axis=-1) < 1
    gland, lesion = inside(on, gland_at, shape), inside(on, lesion_at, [2.6, 2.6, 4])
    t2 = 200 + 300 * gland + 4 * (on[..., 0] - centre[0]) + rng.integers(0, 4, gland.shape)
    field = 1500 + 12 * (under[..., 0] - centre[0]) - 9 * (under[..., 1] - centre[1]) + 5 * (under[..., 2] - centre[2])
    adc = np.round(field - 900 * inside(under, lesion_at, [2.6, 2.6, 4]))

    files = write(f"{name}/T2" if apart else name, p, 3, f"series {p}" if apart else "t2_tse_tra", on, spacing, OBLIQUE, t2, uid(p, 99))
    if p != 6:
        write(f"{name}/ADC" if apart else name, p, 7, f"series {p}" if apart else "ep2d_diff_tra_DYNDIST_ADC", under, coarse, AXIAL, adc, uid(p, 98 if p == 7 else 99))
    drawn = {"prostate": gland & ~lesion, "lesion": lesion}
    labels = ["lesion", "prostate"] if p in (2, 4) else ["prostate", "lesion"]
    masks = np.stack([drawn[label] for label in labels], axis=3).astype(np.uint8)
    seg = hd.seg.Segmentation(files, masks, "BINARY", [describe(n + 1, label) for n, label in enumerate(labels)], uid(p, 50), 50, uid(p, 51), 1, "none", "none", "1", "1")
    seg.ContentDate = seg.SeriesDate = seg.InstanceCreationDate = "20260102"
    seg.ContentTime = seg.SeriesTime = seg.InstanceCreationTime = "030405"
    for one in (*seg.DimensionOrganizationSequence, *seg.DimensionIndexSequence):
        one.DimensionOrganizationUID = uid(p, 52)
    seg.ContributingEquipmentSequence[-1].ContributionDateTime = "20260102030405"
    path = root / (f"labels/{name}.dcm" if p < 4 else f"{name}/seg.dcm")
    path.parent.mkdir(exist_ok=True)
    seg.save_as(path)

    one = index[name] = {"t2": int(np.sum(t2.astype("<u2").astype(int))),
                         "segments": {label: [[int(i), int(j), int(k)] for k, j, i in zip(*np.nonzero(m))] for label, m in drawn.items()}}
    if p > 5:
        continue
    image, other = read(f"{name}/T2" if apart else name, uid(p, 3)), read(f"{name}/ADC" if apart else name, uid(p, 7))
    brought = sitk.GetArrayFromImage(sitk.Resample(other, image, sitk.Transform(), sitk.sitkLinear, -1.0))
    one["adc"] = []
    voxels = [(k, j, i) for k, j, i in np.ndindex(*brought.shape) if brought[k, j, i] > 0]
    for at in rng.permutation(len(voxels)):
        k, j, i = map(int, voxels[at])
        x = other.TransformPhysicalPointToContinuousIndex(image.TransformIndexToPhysicalPoint((i, j, k)))
        if all(0 < v < n - 1 for v, n in zip(x, other.GetSize())) and len(one["adc"]) < 24:
            one["adc"].append([i, j, k, round(float(brought[k, j, i]), 4)])
    assert len(one["adc"]) == 24

(root / "dataset.json").write_text(json.dumps({
    "name": "two sequences", "channel_names": {"0": "T2", "1": "ADC"}, "labels": {"background": 0, "prostate": 1, "lesion": 2}}))
(root / "index.json").write_text(json.dumps(index))
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
    for path in sorted(root.rglob("*")):
        if path.is_file():
            z.writestr(zipfile.ZipInfo(str(path.relative_to(root)), (2026, 1, 1, 0, 0, 0)), path.read_bytes(), zipfile.ZIP_DEFLATED)
