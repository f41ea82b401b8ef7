"""A small DICOM data set whose masks are structure sets, for the tests of package dataset.

    python3 -m venv venv && venv/bin/pip install pydicom numpy
    venv/bin/python internal/bench/dataset_rtstruct.py dataset/testdata/rtstruct.zip

Case a has its RTSTRUCT in labels/, case b in the folder of its own series; their regions have other numbers. index.json holds the
voxels (column, row, slice) of each region, found here by comparing the voxels' centres with the squares that were drawn.
"""

import io
import json
import sys
import zipfile

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage

SIZE, SLICES, SPACING, THICK = 12, 4, 1.5, 3.0
files, index = {}, {}


def uid(*numbers):
    return "1.2.826.0.1.3680043.10.29." + ".".join(map(str, numbers))


def dataset(case, kind, instance):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = kind, uid(case, instance), ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = kind, uid(case, instance)
    ds.PatientID = ds.PatientName = f"P{case}"
    ds.StudyInstanceUID, ds.FrameOfReferenceUID = uid(case, 1), uid(case, 2)
    return ds


def save(name, ds):
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    files[name] = out.getvalue()


def case(number, name, where, regions):
    """regions: name and, in voxels, first column, first row, columns, rows, and the slices."""
    for k in range(SLICES):
        ds = dataset(number, CTImageStorage, 100 + k)
        ds.Modality, ds.SeriesInstanceUID, ds.InstanceNumber = "CT", uid(number, 3), k + 1
        ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [-9, 20, THICK * k]
        ds.PixelSpacing, ds.SliceThickness = [SPACING, SPACING], THICK
        ds.Rows = ds.Columns = SIZE
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation, ds.SamplesPerPixel = 16, 16, 15, 1, 1
        ds.PhotometricInterpretation = "MONOCHROME2"
        ds.PixelData = (np.arange(SIZE * SIZE) + 10 * k).astype("<i2").tobytes()
        save(f"{name}/{k}.dcm", ds)
    rs = dataset(number, RTStructureSetStorage, 900)
    rs.Modality, rs.SeriesInstanceUID, rs.StructureSetLabel = "RTSTRUCT", uid(number, 4), "test"
    series = Dataset()
    series.SeriesInstanceUID = uid(number, 3)
    study, frame = Dataset(), Dataset()
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = uid(number, 2), [study]
    rs.ReferencedFrameOfReferenceSequence = [frame]
    rs.StructureSetROISequence, rs.ROIContourSequence = [], []
    index[name] = {}
    for n, (title, column, row, columns, rows, planes) in enumerate(regions, 1):
        roi = Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID, roi.ROIGenerationAlgorithm = n, title, uid(number, 2), "MANUAL"
        rs.StructureSetROISequence.append(roi)
        drawn = Dataset()
        drawn.ReferencedROINumber, drawn.ContourSequence = n, []
        left, top = -9 + SPACING * (column - 0.5), 20 + SPACING * (row - 0.5)
        right, bottom = left + SPACING * columns, top + SPACING * rows
        voxels = []
        for k in planes:
            c = Dataset()
            c.ContourGeometricType, c.NumberOfContourPoints = "CLOSED_PLANAR", 4
            c.ContourData = [v for x, y in [(left, top), (right, top), (right, bottom), (left, bottom)] for v in (x, y, THICK * k)]
            drawn.ContourSequence.append(c)
            voxels += [(i, j, k) for i in range(SIZE) for j in range(SIZE)
                       if left < -9 + SPACING * i < right and top < 20 + SPACING * j < bottom]
        rs.ROIContourSequence.append(drawn)
        index[name][title] = voxels
    save(where, rs)


case(1, "a", "labels/a.dcm", [("organ", 2, 3, 5, 4, [0, 1, 2]), ("lesion", 8, 8, 2, 2, [1])])
case(2, "b", "b/RS.dcm", [("lesion", 1, 1, 3, 2, [2, 3]), ("organ", 5, 5, 4, 6, [1, 2])])

with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
    for name, data in [*sorted(files.items()), ("index.json", json.dumps(index).encode())]:
        z.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
