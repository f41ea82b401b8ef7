"""Small TIFF files of numbers and of several pages, written by tifffile and Pillow, for the tests of package volume.

    python3 -m venv venv && venv/bin/pip install tifffile imagecodecs pillow numpy
    venv/bin/python internal/bench/volume_tiff.py volume/testdata

tiff.zip holds the files; index.json has the type, the shape (pages, rows, columns) and the values of each, as tifffile
reads them, or of those that must be refused a part of the reason. Pictures with an EXIF orientation are as Pillow turns them.
"""

import io
import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, ImageOps

rng = np.random.default_rng(16)
files, index = {}, {"read": [], "refused": []}


def add(name, array, **options):
    out = io.BytesIO()
    tifffile.imwrite(out, array, photometric="minisblack", **options)
    files[name] = out.getvalue()
    read = tifffile.imread(io.BytesIO(files[name]))
    assert np.array_equal(read, array, equal_nan=read.dtype.kind == "f"), name
    pages = read.reshape((-1,) + read.shape[-2:])
    index["read"].append({"file": name, "stored": str(read.dtype), "shape": pages.shape,
                          "values": [None if v != v else float(v) for v in pages.ravel()]})


def refuse(name, reason, array, **options):
    out = io.BytesIO()
    tifffile.imwrite(out, array, **options)
    files[name] = out.getvalue()
    index["refused"].append({"file": name, "reason": reason})


def values(dtype, shape):
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return rng.normal(scale=100, size=shape).astype(kind)
    limits = np.iinfo(kind)
    return rng.integers(max(limits.min, -(2**20)), min(limits.max, 2**20), size=shape, endpoint=True).astype(kind)


for dtype in ["uint8", "uint16", "int8", "int16", "int32", "uint32", "float32", "float64"]:
    for order in "<>":
        add(f"{dtype}-{'le' if order == '<' else 'be'}.tif", values(dtype, (3, 4)), byteorder=order)
    add(f"{dtype}-stack.tif", values(dtype, (3, 3, 4)))
for dtype in ["int16", "int32", "float32", "float64"]:
    for compression in ["lzw", "zlib", "packbits"]:
        for predictor in [False, True]:
            if predictor and compression == "packbits":
                continue
            for order in "<>":
                name = f"{dtype}-{compression}-{'predictor-' if predictor else ''}{'le' if order == '<' else 'be'}.tif"
                add(name, values(dtype, (2, 5, 6)), compression=compression, predictor=predictor, byteorder=order, rowsperstrip=2)
add("float32-tiles.tif", values("float32", (2, 17, 18)), tile=(16, 16))
add("int16-tiles.tif", values("int16", (17, 20)), tile=(16, 16), compression="zlib")
add("uint16-tiles.tif", values("uint16", (2, 17, 18)), tile=(16, 16))
nan = values("float32", (3, 4))
nan[1, 2], nan[2] = np.nan, np.inf
nan[2] = 1
add("float32-nan.tif", nan)
add("imagej-stack.tif", values("uint16", (3, 3, 4)), imagej=True, metadata={"axes": "ZYX"})
add("ome-stack.ome.tif", values("uint8", (3, 3, 4)), ome=True, metadata={"axes": "ZYX"})

refuse("imagej-channels.tif", "2 channels and 1 time points", values("uint16", (2, 3, 4)), imagej=True, metadata={"axes": "CYX"})
refuse("imagej-times.tif", "1 channels and 3 time points", values("uint16", (3, 3, 4)), imagej=True, metadata={"axes": "TYX"})
refuse("ome-channels.ome.tif", "2 channels and 1 time points", values("uint8", (2, 3, 4)), ome=True, photometric="minisblack", metadata={"axes": "CYX"})
refuse("float16.tif", "numbers of 16 bits in format 3", values("float16", (3, 4)), photometric="minisblack")
refuse("uint64.tif", "numbers of 64 bits in format 1", values("uint64", (3, 4)), photometric="minisblack")
refuse("complex.tif", "numbers of 64 bits", values("float32", (3, 4)).astype("complex64"), photometric="minisblack")
refuse("white-is-zero.tif", "photometric interpretation 0", values("float32", (3, 4)), photometric="miniswhite")
refuse("big.tif", "BigTIFF", values("uint8", (3, 4)), bigtiff=True, photometric="minisblack")
out = io.BytesIO()
with tifffile.TiffWriter(out) as w:
    w.write(values("uint8", (3, 4)), photometric="minisblack")
    w.write(values("uint8", (2, 4)), photometric="minisblack")
files["sizes.tif"] = out.getvalue()
index["refused"].append({"file": "sizes.tif", "reason": "page 2 is not like the first"})
out = io.BytesIO()
with tifffile.TiffWriter(out) as w:  # a reduced copy is no page
    full = values("uint8", (6, 8))
    w.write(full, photometric="minisblack", metadata=None)
    w.write(full[::2, ::2], photometric="minisblack", subfiletype=1, metadata=None)
files["reduced.tif"] = out.getvalue()
index["read"].append({"file": "reduced.tif", "stored": "uint8", "shape": [1, 6, 8], "values": [float(v) for v in full.ravel()]})

for orientation in range(1, 9):
    picture = Image.fromarray(values("uint8", (3, 5)))
    exif = Image.Exif()
    exif[274] = orientation
    for kind, name in [("PNG", f"orientation-{orientation}.png"), ("TIFF", f"orientation-{orientation}.tif")]:
        out = io.BytesIO()
        picture.save(out, kind, exif=exif)
        files[name] = out.getvalue()
        with Image.open(io.BytesIO(files[name])) as stored:
            upright = np.asarray(ImageOps.exif_transpose(stored))
        index["read"].append({"file": name, "stored": "uint8", "shape": [1, *upright.shape], "values": [float(v) for v in upright.ravel()]})

with zipfile.ZipFile(Path(sys.argv[1]) / "tiff.zip", "w", zipfile.ZIP_DEFLATED) as z:
    for name, data in [*sorted(files.items()), ("index.json", json.dumps(index).encode())]:
        z.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
