"""Small DICOM files packed with JPEG-LS and JPEG 2000, for the tests of package volume/dicom, with the pixels that other programs find in them.

    scripts/dicom-readers.sh
    .venv-dicom/bin/python internal/bench/volume_dicom_jpegls.py volume/dicom/testdata/packed.zip

All pixels are made here. JPEG-LS comes from CharLS (pyjpegls) and from the encoder below, which also knows presets and restart
intervals; JPEG 2000 from OpenJPEG (pylibjpeg-openjpeg). A file is written only if two decoders of different hands agree on it, voxel by voxel: CharLS,
libjpeg (pylibjpeg-libjpeg) and GDCM (the program gdcmconv), as far as they know what it uses; where CharLS does not take a greatest value of its
own it is libjpeg and the pixels that went in. index.json holds, for each file, its rows, columns
and the stored values, rows from the top.
"""

import json
import subprocess
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import jpeg_ls
import numpy as np
import openjpeg.utils
import pydicom
from libjpeg import decode as libjpeg_decode
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import CTImageStorage, JPEG2000, JPEG2000Lossless, JPEGLSLossless, JPEGLSNearLossless

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20)

J = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15]


class Bits:
    """Bits of a stream, highest first; after a byte 0xff a zero is put in."""

    def __init__(self):
        self.out, self.bits, self.room = bytearray(), 0, 8

    def put(self, value, n):
        for i in range(n - 1, -1, -1):
            self.bits = self.bits << 1 | (value >> i & 1)
            self.room -= 1
            if self.room == 0:
                self.out.append(self.bits)
                self.room = 7 if self.bits == 0xFF else 8
                self.bits = 0

    def flush(self):
        if self.room < 8 and not (self.room == 7 and self.out and self.out[-1] == 0xFF):
            self.put(0, self.room)
        if self.out and self.out[-1] == 0xFF:
            self.out.append(0)
        self.bits, self.room = 0, 8

    def marker(self, code):
        self.flush()
        self.out += bytes([0xFF, code])


def jpegls(a, precision, near=0, preset=None, restart_rows=0):
    """a as JPEG-LS (T.87, Annexes A and C). preset is (MAXVAL, T1, T2, T3, RESET)."""
    rows, columns = a.shape
    maximum, t1, t2, t3, reset = preset or (0, 0, 0, 0, 0)
    maximum = maximum or (1 << precision) - 1

    def clamp(v, low):
        return low if v > maximum or v < low else v

    if maximum >= 128:
        f = (min(maximum, 4095) + 128) // 256
        d1 = clamp(f + 2 + 3 * near, near + 1)
        d2 = clamp(4 * f + 3 + 5 * near, d1)
        d3 = clamp(17 * f + 4 + 7 * near, d2)
    else:
        f = 256 // (maximum + 1)
        d1 = clamp(max(2, 3 // f + 3 * near), near + 1)
        d2 = clamp(max(3, 7 // f + 5 * near), d1)
        d3 = clamp(max(4, 21 // f + 7 * near), d2)
    t1, t2, t3, reset = t1 or d1, t2 or d2, t3 or d3, reset or 64
    span = (maximum + 2 * near) // (2 * near + 1) + 1
    qbpp = (span - 1).bit_length()
    bpp = max(2, maximum.bit_length())
    limit = 2 * (bpp + max(8, bpp))
    out = Bits()
    out.out += b"\xff\xd8\xff\xf7" + (11).to_bytes(2, "big") + bytes([precision]) + rows.to_bytes(2, "big") + columns.to_bytes(2, "big") + b"\x01\x01\x11\x00"
    if preset:
        out.out += b"\xff\xf8\x00\x0d\x01" + b"".join(v.to_bytes(2, "big") for v in preset)
    if restart_rows:
        out.out += b"\xff\xdd\x00\x04" + restart_rows.to_bytes(2, "big")
    out.out += b"\xff\xda\x00\x08\x01\x01\x00" + bytes([near, 0, 0])

    def golomb(v, k, most):
        if v >> k < most - qbpp - 1:
            out.put(1, (v >> k) + 1)
            out.put(v & ((1 << k) - 1), k)
        else:
            out.put(1, most - qbpp)
            out.put(v - 1, qbpp)

    def quantised(d):
        m = abs(d)
        q = 0 if m <= near else 1 if m < t1 else 2 if m < t2 else 3 if m < t3 else 4
        return -q if d < 0 else q

    def error(x, guess, sign):
        e = (x - guess) * sign
        e = (e + near) // (2 * near + 1) if e > 0 else -((near - e) // (2 * near + 1))
        r = min(max(guess + sign * e * (2 * near + 1), 0), maximum)
        if e < 0:
            e += span
        return (e - span if e >= (span + 1) // 2 else e), r

    def fresh():
        start = max(2, (span + 32) // 64)
        return [start] * 367, [0] * 365, [0] * 365, [1] * 367, [0] * 367, [0]

    A, B, C, N, Nn, run = fresh()
    source = a.astype(int)
    above, first = [0] * (columns + 2), 0
    for y in range(rows):
        if restart_rows and y and y % restart_rows == 0:
            out.marker(0xD0 + (y // restart_rows - 1) % 8)
            A, B, C, N, Nn, run = fresh()
            above = [0] * (columns + 2)
        above[columns + 1] = above[columns]
        row = [above[1]] + [0] * (columns + 1)
        x = 1
        while x <= columns:
            left, up, corner, right = row[x - 1], above[x], above[x - 1], above[x + 1]
            gradients = right - up, up - corner, corner - left
            if all(abs(g) <= near for g in gradients):
                n = 0
                while x + n <= columns and abs(int(source[y, x + n - 1]) - left) <= near:
                    row[x + n] = left
                    n += 1
                x += n
                while n >= 1 << J[run[0]]:
                    out.put(1, 1)
                    n -= 1 << J[run[0]]
                    run[0] = min(31, run[0] + 1)
                if x > columns:
                    if n:
                        out.put(1, 1)
                    break
                out.put(0, 1)
                out.put(n, J[run[0]])
                left, up = row[x - 1], above[x]
                kind = int(abs(left - up) <= near)
                guess = left if kind else up
                sign = -1 if not kind and left > up else 1
                e, row[x] = error(int(source[y, x - 1]), guess, sign)
                q = 365 + kind
                temp = A[366] + (N[366] >> 1) if kind else A[365]
                k = 0
                while N[q] << k < temp:
                    k += 1
                mapped = 1 if (k == 0 and e > 0 and 2 * Nn[q] < N[q]) or (e < 0 and 2 * Nn[q] >= N[q]) or (e < 0 and k) else 0
                v = 2 * abs(e) - kind - mapped
                golomb(v, k, limit - J[run[0]] - 1)
                if e < 0:
                    Nn[q] += 1
                A[q] += (v + 1 - kind) >> 1
                if N[q] == reset:
                    A[q], N[q], Nn[q] = A[q] >> 1, N[q] >> 1, Nn[q] >> 1
                N[q] += 1
                run[0] = max(0, run[0] - 1)
                x += 1
                continue
            q = 81 * quantised(gradients[0]) + 9 * quantised(gradients[1]) + quantised(gradients[2])
            sign = -1 if q < 0 else 1
            q = abs(q)
            guess = min(left, up) if corner >= max(left, up) else max(left, up) if corner <= min(left, up) else left + up - corner
            guess = min(max(guess + sign * C[q], 0), maximum)
            e, row[x] = error(int(source[y, x - 1]), guess, sign)
            k = 0
            while N[q] << k < A[q]:
                k += 1
            if k == 0 and near == 0 and 2 * B[q] <= -N[q]:
                v = 2 * e + 1 if e >= 0 else -2 * (e + 1)
            else:
                v = 2 * e if e >= 0 else -2 * e - 1
            golomb(v, k, limit)
            B[q] += e * (2 * near + 1)
            A[q] += abs(e)
            if N[q] == reset:
                A[q], B[q], N[q] = A[q] >> 1, B[q] >> 1, N[q] >> 1
            N[q] += 1
            if B[q] <= -N[q]:
                B[q] = max(B[q] + N[q], 1 - N[q])
                C[q] = max(C[q] - 1, -128)
            elif B[q] > 0:
                B[q] = min(B[q] - N[q], 0)
                C[q] = min(C[q] + 1, 127)
            x += 1
        above = row
    out.flush()
    return bytes(out.out) + b"\xff\xd9"


def picture(rows, columns, noise=3):
    """A disc on a ramp with some noise and an empty border, from 0 to about 1400."""
    y, x = np.mgrid[:rows, :columns]
    a = 9 * x + 5 * y + 900 * ((x - columns / 2) ** 2 + (y - rows / 2) ** 2 < (min(rows, columns) / 3) ** 2) + rng.integers(0, noise + 1, (rows, columns))
    a[:, :3] = a[:2] = 0
    return a


def file(pixels, stored, allocated, signed, syntax, packed):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, "1.2.826.0.1.3680043.10.20.1"
    ds.Modality, ds.PatientName, ds.PatientID = "CT", "Phantom^A", "P1"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = (f"1.2.826.0.1.3680043.10.20.{n}" for n in (2, 3, 4))
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber, ds.SliceThickness = "1", 1, 1, "2"
    ds.ImagePositionPatient, ds.ImageOrientationPatient, ds.PixelSpacing = [1, 2, 3], [1, 0, 0, 0, 1, 0], [0.7, 0.6]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = allocated, stored, stored - 1, int(signed)
    ds.PixelData = encapsulate([packed])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return ds


def by_gdcm(path, pixels, allocated):
    with tempfile.TemporaryDirectory() as out:
        raw = Path(out) / "raw.dcm"
        run = subprocess.run(["gdcmconv", "--raw", path, raw], capture_output=True)
        if run.returncode:
            return None
        return np.frombuffer(pydicom.dcmread(raw).PixelData, f"<u{allocated // 8}", pixels.size).reshape(pixels.shape)


def main():
    index = []
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        def put(name, pixels, packed, stored, near=0, signed=False, syntax=None, skip=(), least=2):
            allocated = 8 if stored <= 8 else 16
            if syntax is None:
                syntax = JPEGLSNearLossless if near else JPEGLSLossless
            ds = file(pixels, stored, allocated, signed, syntax, packed)
            if near:
                ds.LossyImageCompression = "01"
            path = Path(folder) / name
            ds.save_as(path, enforce_file_format=True)
            mask = (1 << stored) - 1
            found = {}
            if "JPEG-LS" in syntax.name:
                for decoder, f in [("CharLS", lambda: jpeg_ls.decode(np.frombuffer(packed, np.uint8))), ("libjpeg", lambda: libjpeg_decode(packed))]:
                    try:
                        found[decoder] = np.asarray(f()).astype(int)
                    except Exception as e:
                        print(name, decoder, e, file=sys.stderr)
            else:
                found["OpenJPEG"] = openjpeg.decode(packed).astype(int) & mask
            other = by_gdcm(path, pixels, allocated)
            if other is not None:
                found["GDCM"] = other.astype(int)
            for s in skip:
                found.pop(s, None)
            first = next(iter(found.values())) & mask
            for decoder, v in found.items():
                assert ((v & mask) == first).all(), (name, decoder)
            assert np.abs(first - (pixels & mask)).max() <= near or near < 0, (name, near, np.abs(first - (pixels & mask)).max())
            print(name, len(packed), "bytes,", ", ".join(found))
            assert len(found) >= least, (name, list(found))
            values = np.where(signed & (first >> (stored - 1) > 0), first - mask - 1, first)
            z.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)
            index.append({"file": name, "rows": pixels.shape[0], "columns": pixels.shape[1], "stored": stored, "values": values.ravel().tolist()})

        def charls(a, stored, near=0):
            return bytes(jpeg_ls.encode_pixel_data(a.astype("u1" if stored <= 8 else "<u2").tobytes(), near, rows=a.shape[0], columns=a.shape[1], samples_per_pixel=1,
                                                   bits_stored=stored, bits_allocated=8 if stored <= 8 else 16, photometric_interpretation="MONOCHROME2", planar_configuration=0,
                                                   pixel_representation=0))

        a = picture(24, 20)
        put("ls-12.dcm", a, charls(a, 12), 12)
        put("ls-16-signed.dcm", a - 500, charls((a - 500) & 0xFFFF, 16), 16, signed=True)
        put("ls-8.dcm", a // 8, charls(a // 8, 8), 8)
        put("ls-near-3.dcm", a, charls(a, 12, 3), 12, 3)
        put("ls-near-2-of-8.dcm", a // 8, charls(a // 8, 8, 2), 8, 2)
        large = picture(50, 70, 1)
        large[12:24] = 7  # long runs
        put("ls-runs.dcm", large, charls(large, 11), 11)
        put("ls-runs-near.dcm", large, charls(large, 11, 5), 11, 5)
        put("ls-empty.dcm", np.zeros((70, 60), int), charls(np.zeros((70, 60), int), 12), 12)
        sparse = 100 + rng.choice([-1, 0, 0, 0, 0, 0, 1], (60, 50))  # runs that end by little
        put("ls-sparse.dcm", sparse, charls(sparse, 8), 8)
        wide = np.zeros((3, 60000), int)
        wide[1, [100, 59990]] = 5  # the longest runs there are
        put("ls-wide.dcm", wide, charls(wide, 12), 12)
        noise = rng.integers(0, 1 << 16, (33, 17))
        put("ls-noise.dcm", noise, charls(noise, 16), 16)
        bits = rng.integers(0, 2, (40, 33)) * 65535
        put("ls-extremes.dcm", bits, charls(bits, 16), 16)
        put("ls-column.dcm", a[:, 10:11], charls(a[:, 10:11], 12), 12)
        put("ls-row.dcm", a[10:11], charls(a[10:11], 12), 12)
        few = rng.integers(0, 4, (20, 20))
        put("ls-2-bits.dcm", few, jpegls(few, 2), 2, skip=("GDCM",))
        put("ls-own.dcm", a, jpegls(a, 12), 12)
        put("ls-own-near.dcm", a, jpegls(a, 12, 4), 12, 4)
        put("ls-presets.dcm", a, jpegls(a, 12, preset=(4095, 20, 60, 200, 31)), 12)
        put("ls-presets-near.dcm", large, jpegls(large, 12, 2, preset=(4095, 9, 30, 100, 16)), 12, 2)
        put("ls-maximum.dcm", a, jpegls(a, 12, preset=(2047, 20, 60, 200, 31)), 12, skip=("CharLS", "GDCM"), least=1)  # CharLS takes the limit of codes from the precision
        put("ls-restart.dcm", large, jpegls(large, 12, restart_rows=7), 12, skip=("GDCM",))
        put("ls-restart-near.dcm", large, jpegls(large, 12, 1, restart_rows=1), 12, 1, skip=("GDCM",))

        def j2k(a, stored, **how):
            return bytes(openjpeg.utils.encode_array(a.astype("u1" if stored <= 8 else "<u2"), bits_stored=stored, photometric_interpretation=2, codec_format=0, **how))

        middle = picture(48, 64, 40)
        put("j2k-12.dcm", middle, j2k(middle, 12), 12, syntax=JPEG2000Lossless)
        put("j2k-lossy.dcm", middle, j2k(middle, 12, compression_ratios=[6]), 12, -1, syntax=JPEG2000)
        z.writestr(zipfile.ZipInfo("index.json"), json.dumps(index), zipfile.ZIP_DEFLATED)


main()
