"""Small DICOM files written by other programs, for the tests of package volume/dicom, with what a reader should find in them.

    python3 -m venv venv && venv/bin/pip install pydicom highdicom SimpleITK pylibjpeg pylibjpeg-libjpeg python-gdcm pillow numpy
    venv/bin/python internal/bench/volume_dicom_inputs.py volume/dicom/testdata/inputs.zip

All pixels are made here. Files are written by pydicom, segmentations by highdicom. index.json in the archive holds:

    images         file or folder, size, affine (RAS+), sum, a hash of all values, 16 voxels; by pydicom, and compared with SimpleITK here
    segmentations  file, and each segment's name and voxels as (slice position along the normal in mm, row, column)

A packed file is written only if pylibjpeg and GDCM both unpack it to the pixels that went in (baseline JPEG: to within one grey
value of those of Pillow), so that the encoder below, which knows all predictors and restart intervals, needs no trust of its own.
"""

import hashlib
import io
import json
import sys
import tempfile
import warnings
import zipfile
from copy import deepcopy
from pathlib import Path

import gdcm
import highdicom as hd
import numpy as np
import pydicom
import SimpleITK as sitk
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.sr.codedict import codes
from pydicom.uid import (CTImageStorage, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian,
                         ImplicitVRLittleEndian, JPEGBaseline8Bit, JPEGLossless, JPEGLosslessSV1, NuclearMedicineImageStorage,
                         RLELossless)

warnings.filterwarnings("ignore")
rng = np.random.default_rng(16)
images, segmentations = [], []
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def uid(*numbers):
    return "1.2.826.0.1.3680043.10.16." + ".".join(map(str, numbers))


def picture(rows, columns, k=0, noise=3):
    """A disc on a ramp with some noise, int64 from about -200 to 1300."""
    y, x = np.mgrid[:rows, :columns]
    a = 9 * x - 7 * y + 11 * k + 900 * ((x - columns / 2) ** 2 + (y - rows / 2) ** 2 < (rows / 3) ** 2)
    return a + rng.integers(0, noise + 1, a.shape)


def plane(series, number, position, pixels, right=(1, 0, 0), down=(0, 1, 0), spacing=(0.7, 0.6), signed=True, stored=16,
          allocated=16, **more):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, uid(series, number)
    ds.StudyDate = ds.ContentDate = "20240102"
    ds.StudyTime = ds.ContentTime = "030405"
    ds.AccessionNumber = ds.ReferringPhysicianName = ds.PatientBirthDate = ds.PositionReferenceIndicator = ""
    ds.Modality, ds.Manufacturer, ds.PatientName, ds.PatientID, ds.PatientSex = "CT", "none", "Phantom", "P1", "O"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = uid(0), uid(series), uid(0, 1)
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber, ds.SliceThickness = "1", series, number, "2"
    ds.ImagePositionPatient = [f"{v:.10g}" for v in position]
    ds.ImageOrientationPatient = [f"{v:.10g}" for v in (*right, *down)]
    ds.PixelSpacing = [str(v) for v in spacing]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = allocated, stored, stored - 1, int(signed)
    for name, value in more.items():
        setattr(ds, name, value)
    mask = (1 << stored) - 1
    ds.PixelData = (pixels.astype(np.int64) & mask).astype(f"<u{allocated // 8}").tobytes()
    if len(ds.PixelData) % 2:
        ds.PixelData += b"\0"
    ds["PixelData"].VR = "OW" if allocated > 8 else "OB"
    return ds


def save(ds, path, preamble=True):
    path.parent.mkdir(parents=True, exist_ok=True)
    if preamble:
        ds.save_as(path, enforce_file_format=True)
    else:
        meta, ds.file_meta = ds.file_meta, FileMetaDataset()
        ds.save_as(path, enforce_file_format=False, implicit_vr=meta.TransferSyntaxUID == ImplicitVRLittleEndian, little_endian=True)


def repacked(ds, syntax, frames):
    out = deepcopy(ds)
    out.file_meta.TransferSyntaxUID = syntax
    out.PixelData = encapsulate(frames)
    out["PixelData"].VR = "OB"
    out["PixelData"].is_undefined_length = True
    return out


# --- expected values

def expect(root, name, datasets, values=None, step=None):
    """The image that these planes make: sorted along their normal, values rescaled (or as given, [i, j, k])."""
    right, down = np.array(datasets[0].ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(right, down)
    order = sorted(datasets, key=lambda s: np.dot(np.array(s.ImagePositionPatient, float), normal))
    if values is None:
        values = np.stack([s.pixel_array.T.astype(float) * float(s.get("RescaleSlope", 1)) + float(s.get("RescaleIntercept", 0))
                           for s in order], axis=2)
    first, last = (np.array(s.ImagePositionPatient, float) for s in (order[0], order[-1]))
    if step is None:
        step = (last - first) / (len(order) - 1) if len(order) > 1 else normal * float(order[0].SliceThickness)
    rows, columns = map(float, order[0].PixelSpacing)
    affine = np.eye(4)
    affine[:3] = np.stack([right * columns, down * rows, step, first], axis=1)
    record(root, name, values, LPS @ affine)


def record(root, name, a, affine, itk=True):
    path = root / name
    if not itk:
        assert np.array_equal(pydicom.dcmread(path).pixel_array.T, a), name
        other = None
    elif path.is_dir():
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(path)))
        other = reader.Execute()
    else:
        other = sitk.ReadImage(str(path))
    if itk:
        compare(name, a, affine, other)
    index(name, a, affine)


def index(name, a, affine):
    """Notes what a reader should find. sha256 is that of all values as little-endian float32, i fastest; of lossy JPEG, which decoders may
    differ in, all voxels are noted instead."""
    lossy = "baseline" in name
    at = np.linspace(0, a.size - 1, a.size if lossy else 16).astype(int)
    ijk = np.unravel_index(at, a.shape, order="F")
    images.append({"file": name, "size": list(a.shape), "affine": affine[:3].tolist(), "sum": float(a.sum()),
                   "sha256": "" if lossy else hashlib.sha256(a.ravel(order="F").astype("<f4").tobytes()).hexdigest(),
                   "voxels": [[int(i), int(j), int(k), float(a[i, j, k])] for i, j, k in zip(*ijk)]})


def compare(name, a, affine, other):
    b = sitk.GetArrayFromImage(other).T.astype(float)
    assert b.shape == a.shape and np.allclose(a, b, atol=1e-3), name
    d = np.array(other.GetDirection()).reshape(3, 3) * other.GetSpacing()
    n = 3 if a.shape[2] > 1 else 2  # of a single slice ITK reads no thickness
    assert np.allclose((LPS[:3, :3] @ d)[:, :n], affine[:3, :n], atol=1e-4), (name, d, affine)
    assert np.allclose(LPS[:3, :3] @ other.GetOrigin(), affine[:3, 3], atol=1e-4), name


# --- packing

def lossless_jpeg(a, precision, predictor, restart_rows=0, shift=0, lengths=(5,) * 17):
    """Lossless JPEG (ITU-T T.81, process 14) of one component; lengths are those of the Huffman codes of the categories, rising."""
    codes, code = [], 0
    for i, n in enumerate(lengths):
        code = (code + 1) << (n - lengths[i - 1]) if i else 0
        codes.append(f"{code:0{n}b}")
    rows, columns = a.shape
    a = a.astype(np.int64) >> shift
    out = bytearray(b"\xff\xd8\xff\xc3" + (11).to_bytes(2, "big") + bytes([precision]) + rows.to_bytes(2, "big")
                    + columns.to_bytes(2, "big") + b"\x01\x01\x11\x00")
    out += b"\xff\xc4" + (19 + 17).to_bytes(2, "big") + b"\x00" + bytes(lengths.count(n) for n in range(1, 17)) + bytes(range(17))
    if restart_rows:
        out += b"\xff\xdd\x00\x04" + (restart_rows * columns).to_bytes(2, "big")
    out += b"\xff\xda\x00\x08\x01\x01\x00" + bytes([predictor, 0, shift])
    bits = []

    def flush():
        text = "".join(bits)
        text += "1" * (-len(text) % 8)
        for i in range(0, len(text), 8):
            v = int(text[i:i + 8], 2)
            out.append(v)
            if v == 255:
                out.append(0)
        bits.clear()

    first, restarts = 0, 0
    for y in range(rows):
        if restart_rows and y and y % restart_rows == 0:
            flush()
            out += bytes([0xff, 0xd0 + restarts % 8])
            first, restarts = y, restarts + 1
        for x in range(columns):
            left = a[y, x - 1] if x else 0
            up = a[y - 1, x] if y > first else 0
            corner = a[y - 1, x - 1] if x and y > first else 0
            if x == 0 and y == first:
                p = 1 << (precision - shift - 1)
            elif y == first:
                p = left
            elif x == 0:
                p = up
            else:
                p = {1: left, 2: up, 3: corner, 4: left + up - corner, 5: left + ((up - corner) >> 1),
                     6: up + ((left - corner) >> 1), 7: (left + up) >> 1}[predictor]
            d = int(a[y, x] - p) & 0xffff
            d = d - 0x10000 if d > 0x8000 else d
            category = abs(d).bit_length()
            bits.append(codes[category])
            if 0 < category < 16:
                bits.append(f"{d if d > 0 else d + (1 << category) - 1:0{category}b}")
    flush()
    return bytes(out) + b"\xff\xd9"


def check_packed(path, want, tolerance=0, by=("pylibjpeg", "gdcm", "pydicom")):
    ds = pydicom.dcmread(path)
    found = []
    decoder = get_decoder(ds.file_meta.TransferSyntaxUID)
    for plugin in decoder.available_plugins:
        if plugin not in by:
            continue
        try:
            a, _ = decoder.as_array(ds, decoding_plugin=plugin, raw=True)
        except Exception as e:
            print(path.name, plugin, e, file=sys.stderr)
            continue
        found.append(plugin)
        assert np.abs(a.reshape(want.shape).astype(int) - want).max() <= tolerance, (path, plugin)
    assert len(found) >= min(2, len(by)), (path, found)


def packed(root):
    a = np.stack([picture(24, 20, k, 40) for k in range(3)])
    folder = root / "packed"

    def put(name, syntax, frames, pixels, tolerance=0, by=("pylibjpeg", "gdcm"), **how):
        ds = plane(80 + len(images), 1, (1, 2, 3), pixels[0], **how)
        if len(pixels) > 1:
            add_frames(ds, len(pixels))
        ds = repacked(ds, syntax, frames)
        if tolerance:
            ds.LossyImageCompression = "01"
        save(ds, folder / name)
        check_packed(folder / name, pixels, tolerance, by)
        record(root, "packed/" + name, pixels.T.astype(float), placed(ds))

    for predictor in range(1, 8):
        put(f"lossless-{predictor}.dcm", JPEGLossless, [lossless_jpeg(a[0] & 0xffff, 16, predictor)], a[:1])
    put("lossless-long.dcm", JPEGLossless, [lossless_jpeg(a[0] & 0xffff, 16, 6, lengths=(*range(2, 16), 16, 16, 16))], a[:1])
    put("lossless-sv1.dcm", JPEGLosslessSV1, [lossless_jpeg(a[1] + 300, 12, 1)], a[1:2] + 300, signed=False, stored=12)
    small = (a[2] // 8 + 40).clip(0, 255)
    put("lossless-8.dcm", JPEGLosslessSV1, [lossless_jpeg(small, 8, 1)], small[None], signed=False, stored=8, allocated=8)
    put("lossless-restart.dcm", JPEGLossless, [lossless_jpeg(a[0] + 300, 12, 7, restart_rows=5)], a[:1] + 300, signed=False, stored=12)
    put("lossless-shift.dcm", JPEGLossless, [lossless_jpeg(a[0] + 300, 12, 4, shift=2)], (a[:1] + 300) >> 2 << 2,
        by=("gdcm",), signed=False, stored=12)  # pylibjpeg saturates where the point transform is not 0
    hard = rng.integers(0, 1 << 16, (9, 11))  # differences of all categories, 32768 too
    hard[0, :4] = [0, 32768, 0, 32768]
    put("lossless-noise.dcm", JPEGLosslessSV1, [lossless_jpeg(hard, 16, 1)], hard[None], signed=False)

    # By GDCM itself, with the Huffman tables of its own.
    ds = plane(76, 1, (1, 2, 3), a[1] + 300, signed=False, stored=12)
    save(ds, folder / "raw.dcm")
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(folder / "raw.dcm"))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFileName(str(folder / "lossless-gdcm.dcm"))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    (folder / "raw.dcm").unlink()
    check_packed(folder / "lossless-gdcm.dcm", a[1:2] + 300)
    record(root, "packed/lossless-gdcm.dcm", a[1:2].T.astype(float) + 300, placed(ds))

    ds = plane(78, 1, (1, 2, 3), small, signed=False, stored=8, allocated=8)
    buffer = io.BytesIO()
    Image.fromarray(small.astype(np.uint8)).save(buffer, "JPEG", quality=95)
    reference = np.asarray(Image.open(io.BytesIO(buffer.getvalue()))).astype(int)
    put("baseline.dcm", JPEGBaseline8Bit, [buffer.getvalue()], reference[None], 1, signed=False, stored=8, allocated=8)

    for name, pixels, how in [("rle-16.dcm", a[:1], {}), ("rle-8.dcm", small[None], dict(signed=False, stored=8, allocated=8))]:
        ds = plane(79, 1, (1, 2, 3), pixels[0], **how)
        ds.compress(RLELossless)
        save(ds, folder / name)
        check_packed(folder / name, pixels)
        record(root, "packed/" + name, pixels.T.astype(float), placed(ds))

    # Three frames, one of them in two fragments, with and without a table of offsets.
    frames = [lossless_jpeg(x + 300, 12, 1) for x in a]
    for name, table in [("frames-table.dcm", True), ("frames-bare.dcm", False)]:
        ds = plane(77, 1, (1, 2, 3), a[0] + 300, signed=False, stored=12)
        add_frames(ds, 3)
        ds = repacked(ds, JPEGLosslessSV1, frames)
        even = [f + b"\0" * (len(f) % 2) for f in frames]
        pieces = [even[0], even[1][:200], even[1][200:], even[2]]
        offsets = np.cumsum([0, len(even[0]) + 8, len(even[1]) + 16])
        body = [offsets.astype("<u4").tobytes() if table else b"", *pieces]
        ds.PixelData = b"".join(b"\xfe\xff\x00\xe0" + len(b).to_bytes(4, "little") + b for b in body) + b"\xfe\xff\xdd\xe0\0\0\0\0"
        save(ds, folder / name)
        record(root, "packed/" + name, a.T.astype(float) + 300, placed(ds), itk=False)  # GDCM wants a fragment a frame


def add_frames(ds, n):
    """Makes a plane an enhanced file of n frames, 2 mm apart along z."""
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    ds.NumberOfFrames = n
    shared, measures, orientation = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness, measures.SpacingBetweenSlices = ds.PixelSpacing, "2", "2"
    orientation.ImageOrientationPatient = ds.ImageOrientationPatient
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [orientation]
    ds.SharedFunctionalGroupsSequence = [shared]
    ds.PerFrameFunctionalGroupsSequence = []
    x, y, z = map(float, ds.ImagePositionPatient)
    for k in range(n):
        frame, position, content = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [x, y, z + 2 * k]
        content.StackID, content.InStackPositionNumber, content.DimensionIndexValues = "1", k + 1, [1, k + 1]
        frame.PlanePositionSequence, frame.FrameContentSequence = [position], [content]
        ds.PerFrameFunctionalGroupsSequence.append(frame)


def placed(ds):
    affine = np.eye(4)
    rows, columns = map(float, ds.PixelSpacing)
    affine[:3] = np.stack([[columns, 0, 0], [0, rows, 0], [0, 0, 2], np.array(ds.ImagePositionPatient, float)], axis=1)
    return LPS @ affine


# --- image series and segmentations

def series(root):
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    right, down = rotation[:, 0].round(9), rotation[:, 1].round(9)
    normal = np.cross(right, down)
    planes = []
    for k in [2, 0, 4, 1, 3]:
        position = np.array([-30.5, 12.25, 7]) + 2.5 * k * normal
        ds = plane(1, k + 1, position, picture(18, 22, k), right, down, stored=12, RescaleSlope="0.5", RescaleIntercept="-1000")
        save(ds, root / "series" / f"{k}.dcm")
        planes.append(ds)
    expect(root, "series", planes)

    base = plane(2, 1, (-3, 4.5, 6), picture(12, 14), spacing=(0.5, 0.25))
    for name, syntax in [("explicit", ExplicitVRLittleEndian), ("implicit", ImplicitVRLittleEndian), ("big", ExplicitVRBigEndian),
                         ("deflated", DeflatedExplicitVRLittleEndian)]:
        ds = deepcopy(base)
        ds.file_meta.TransferSyntaxUID = syntax
        path = root / "syntaxes" / f"{name}.dcm"
        if syntax == ExplicitVRBigEndian:
            ds.PixelData = np.frombuffer(ds.PixelData, "<u2").byteswap().tobytes()
            path.parent.mkdir(exist_ok=True)
            ds.save_as(path, implicit_vr=False, little_endian=False, enforce_file_format=True)
            # The pixels came as explicit little endian: pydicom writes bytes as they are.
        else:
            save(ds, path)
        expect(root, f"syntaxes/{name}.dcm", [pydicom.dcmread(path)])
    for name, syntax in [("IM0001", ExplicitVRLittleEndian), ("bare", ImplicitVRLittleEndian)]:
        ds = deepcopy(base)
        ds.file_meta.TransferSyntaxUID = syntax
        save(ds, root / "bare" / name / name, preamble=False)
        images.append(dict(images[-1], file=f"bare/{name}"))
    data = (root / "syntaxes/explicit.dcm").read_bytes()
    (root / "cut.dcm").write_bytes(data[:-100])

    # The least value is white. ITK turns the stored values around, -1 - v or 2^bits - 1 - v, before it rescales.
    for name, how in [("signed", {}), ("unsigned", dict(signed=False, stored=12))]:
        pixels = picture(12, 14) + 300
        ds = plane(3, 1, (-3, 4.5, 6), pixels, PhotometricInterpretation="MONOCHROME1", RescaleSlope="2", RescaleIntercept="-7", **how)
        save(ds, root / "monochrome1" / f"{name}.dcm")
        turned = (-1 if name == "signed" else 4095) - pixels
        expect(root, f"monochrome1/{name}.dcm", [ds], values=2.0 * turned.T[:, :, None] - 7)

    # Nuclear medicine: reconstructed slices as frames of one file, placed by their detector's information.
    for name, spacing in [("behind", 4.5), ("before", -4.5)]:
        a = np.stack([picture(10, 9, k) for k in range(4)])
        ds = plane(5 + (spacing < 0), 1, (-3, 4.5, 6), a[0] + 300, signed=False)
        ds.SOPClassUID, ds.Modality = NuclearMedicineImageStorage, "NM"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
        ds.NumberOfFrames, ds.NumberOfSlices, ds.SpacingBetweenSlices, ds.SliceThickness = 4, 4, str(spacing), "4.5"
        ds.FrameIncrementPointer, ds.SliceVector = 0x00540080, [1, 2, 3, 4]
        detector = Dataset()
        detector.ImagePositionPatient, detector.ImageOrientationPatient = ds.ImagePositionPatient, ds.ImageOrientationPatient
        ds.DetectorInformationSequence = [detector]
        del ds.ImagePositionPatient, ds.ImageOrientationPatient
        ds.PixelData = (a + 300).astype("<u2").tobytes()
        save(ds, root / "nm" / f"{name}.dcm")
        # The rule is that of PS3.3 C.8.4.15 (ITK takes the amount and gives the order of the frames).
        values = (a.T + 300).astype(float)
        affine = np.eye(4)
        affine[:3] = np.stack([[0.6, 0, 0], [0, 0.7, 0], [0, 0, 4.5], [-3, 4.5, 6 if spacing > 0 else 6 - 3 * 4.5]], axis=1)
        values = values if spacing > 0 else values[:, :, ::-1]
        index(f"nm/{name}.dcm", values, LPS @ affine)
    return [pydicom.dcmread(root / "series" / f"{k}.dcm") for k in range(5)]


def describe(number, label):
    return hd.seg.SegmentDescription(segment_number=number, segment_label=label, segmented_property_category=codes.SCT.Organ,
                                     segmented_property_type=codes.SCT.Prostate, algorithm_type="MANUAL")


def segmentation(root, name, planes, kind, masks, labels, stored=None, **how):
    """masks [slice, row, column, segment]; stored is what a reader should find, where that differs."""
    if kind == "LABELMAP":
        masks_in = np.max(masks * np.arange(1, masks.shape[3] + 1, dtype=np.uint8), axis=3).astype(np.uint8)
    else:
        masks_in = masks
    seg = hd.seg.Segmentation(planes, masks_in, kind, [describe(i + 1, n) for i, n in enumerate(labels)], uid(50, len(segmentations)),
                              50, uid(51, len(segmentations)), 1, "none", "none", "1", "1", **how)
    path = root / "seg" / name
    path.parent.mkdir(exist_ok=True)
    seg.save_as(path)
    normal = np.cross(*np.array(planes[0].ImageOrientationPatient, float).reshape(2, 3))
    at = [float(np.dot(np.array(p.ImagePositionPatient, float), normal)) for p in planes]
    stored = masks if stored is None else stored
    out = []
    for s, label in enumerate(labels):
        voxels = [[round(at[k], 6), int(j), int(i)] for k, j, i in zip(*np.nonzero(stored[..., s]))]
        out.append({"name": label, "voxels": voxels})
    segmentations.append({"file": "seg/" + name, "segments": out})


def segments(root, planes):
    def box(*ranges):
        m = np.zeros((5, 18, 22), np.uint8)
        m[tuple(slice(*r) for r in ranges)] = 1
        return m
    gland, tumour = box((1, 4), (4, 13), (5, 15)), box((2, 3), (6, 9), (8, 11))
    both = np.stack([gland, tumour], axis=3)
    apart = np.stack([gland & (1 - tumour), tumour], axis=3)
    segmentation(root, "binary.dcm", planes, "BINARY", gland[..., None], ["prostate"])
    segmentation(root, "overlap.dcm", planes, "BINARY", both, ["prostate", "tumour"])
    segmentation(root, "other-order.dcm", planes, "BINARY", both[..., ::-1], ["tumour", "prostate"])
    segmentation(root, "one-slice.dcm", planes[2:3], "BINARY", gland[2:3, ..., None], ["prostate"])
    segmentation(root, "gap.dcm", planes, "BINARY", (box((0, 1), (4, 9), (5, 9)) | box((3, 5), (4, 9), (5, 9)))[..., None], ["prostate"])
    segmentation(root, "labelmap.dcm", planes, "LABELMAP", apart, ["prostate", "tumour"])
    share = np.linspace(0, 1, gland.size).reshape(gland.shape).astype(np.float32) * gland
    segmentation(root, "fractional.dcm", planes, "FRACTIONAL", share[..., None], ["prostate"],
                 stored=(np.round(share * 200) >= 100)[..., None], max_fractional_value=200)
    segmentation(root, "fractional-rle.dcm", planes, "FRACTIONAL", share[..., None], ["prostate"],
                 stored=(np.round(share * 255) >= 128)[..., None], transfer_syntax_uid=RLELossless)


def main():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        planes = series(root)
        packed(root)
        segments(root, planes)
        with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
            for path in sorted(root.rglob("*")):
                if path.is_file():
                    z.writestr(zipfile.ZipInfo(path.relative_to(root).as_posix()), path.read_bytes(), zipfile.ZIP_DEFLATED)
            text = json.dumps({"images": images, "segmentations": segmentations})
            z.writestr(zipfile.ZipInfo("index.json"), text, zipfile.ZIP_DEFLATED)


main()
