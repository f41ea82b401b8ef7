"""What other programs read in the segmentations and structure sets that package volume/dicom writes.

    scripts/dicom-readers.sh
    go test ./volume/dicom -run OtherReaders

The test calls this with a folder: series/, binary.dcm, labelmap.dcm, contours.dcm, and masks.json with the size [columns, rows, slices] and, by the
name of each segment, the numbers of its voxels, columns fastest, slices along the normal. Each line that is printed is a reader, a segment and
the number of voxels that differ.

highdicom reads SEG and label maps, dcmqi (which 3D Slicer imports them with) too; rt-utils reads contours, which it paints by whole
pixels, and pydicom with the rule of the standard: a voxel belongs to the region if its centre lies within.
"""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
from rt_utils import RTStructBuilder

root = Path(sys.argv[1])
index = json.loads((root / "masks.json").read_text())
size = index["size"]
want = {}
for name, voxels in index["segments"].items():
    a = np.zeros(size[0] * size[1] * size[2], bool)
    a[voxels] = True
    want[name] = a.reshape(size[2], size[1], size[0])

images = [pydicom.dcmread(p) for p in sorted((root / "series").iterdir())]
right, down = np.array(images[0].ImageOrientationPatient, float).reshape(2, 3)
normal = np.cross(right, down)
images.sort(key=lambda d: np.dot(np.array(d.ImagePositionPatient, float), normal))


def report(reader, name, got):
    print(f"{reader}\t{name}\t{int(np.sum(got != want[name]))}")


for file in ("binary", "labelmap"):
    seg = hd.seg.segread(root / f"{file}.dcm")
    names = [d.segment_label for d in seg.SegmentSequence if d.SegmentNumber > 0]
    planes = seg.get_pixels_by_source_instance([d.SOPInstanceUID for d in images], segment_numbers=list(range(1, len(names) + 1)),
                                               assert_missing_frames_are_empty=True, ignore_spatial_locations=False)
    for n, name in enumerate(names):
        report(f"highdicom {file}", name, planes[..., n] > 0)

    with tempfile.TemporaryDirectory() as out:
        subprocess.run([Path(sys.executable).parent / "segimage2itkimage", "--inputDICOM", root / f"{file}.dcm", "--outputDirectory", out, "-t", "nii"],
                       check=True, capture_output=True)
        got = {name: np.zeros_like(m) for name, m in want.items()}
        meta = json.loads((Path(out) / "meta.json").read_text())
        for n, group in enumerate(meta["segmentAttributes"]):
            data = gzip.decompress((Path(out) / f"{n + 1}.nii.gz").read_bytes())
            shape = np.frombuffer(data, "<i2", 8, 40)[1:4]
            affine = np.vstack([np.frombuffer(data, "<f4", 12, 280).reshape(3, 4), [0, 0, 0, 1]]).astype(float)
            kind = {2: "u1", 4: "<i2", 512: "<u2"}[int(np.frombuffer(data, "<i2", 1, 70)[0])]
            labels = np.frombuffer(data, kind, int(np.prod(shape)), 352).reshape(shape[::-1])
            for k, j, i in zip(*np.nonzero(labels)):
                at = (affine @ [i, j, k, 1])[:3] * [-1, -1, 1]  # to LPS
                d = at - np.array(images[0].ImagePositionPatient, float)
                step = np.dot(np.array(images[1].ImagePositionPatient, float) - np.array(images[0].ImagePositionPatient, float), normal)
                spacing = np.array(images[0].PixelSpacing, float)
                place = [np.dot(d, normal) / step, np.dot(d, down) / spacing[0], np.dot(d, right) / spacing[1]]
                assert np.allclose(place, np.round(place), atol=0.02), place
                label = [s["SegmentLabel"] for s in group if s["labelID"] == labels[k, j, i]]
                got[label[0]][tuple(np.round(place).astype(int))] = True
        for name in names:
            report(f"dcmqi {file}", name, got[name])

contours = pydicom.dcmread(root / "contours.dcm")
names = {r.ROINumber: r.ROIName for r in contours.StructureSetROISequence}
for roi in contours.ROIContourSequence:
    got = np.zeros_like(want[names[roi.ReferencedROINumber]])
    for c in roi.ContourSequence:
        points = np.array(c.ContourData, float).reshape(-1, 3)
        k = [d.SOPInstanceUID for d in images].index(c.ContourImageSequence[0].ReferencedSOPInstanceUID)
        d = points - np.array(images[k].ImagePositionPatient, float)
        assert np.abs(d @ normal).max() < 1e-3
        x, y = d @ right / float(images[k].PixelSpacing[1]), d @ down / float(images[k].PixelSpacing[0])
        for j in range(size[1]):
            for i in range(size[0]):
                x2, y2 = np.roll(x, -1), np.roll(y, -1)
                crosses = (y > j) != (y2 > j)
                at = x + (j - y) / np.where(crosses, y2 - y, 1) * (x2 - x)
                got[k, j, i] ^= bool(np.sum(crosses & (i < at)) % 2)
    report("pydicom contours", names[roi.ReferencedROINumber], got)

reader = RTStructBuilder.create_from(str(root / "series"), str(root / "contours.dcm"))
order = [[d.SOPInstanceUID for d in images].index(d.SOPInstanceUID) for d in reader.series_data]
for name in reader.get_roi_names():
    got = np.zeros_like(want[name])
    for k, plane in zip(order, np.moveaxis(reader.get_roi_mask_by_name(name), 2, 0)):
        got[k] = plane
    report("rt-utils contours", name, got)
