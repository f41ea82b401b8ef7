#!/usr/bin/env bash
# Makes .venv-dicom, Python programs that read and write DICOM, for the test that they read what we write (go test ./volume/dicom -run OtherReaders)
# and for the scripts in internal/bench that make test inputs. Tests that need it are skipped where it is not there.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv .venv-dicom
.venv-dicom/bin/pip install -q pydicom==3.0.2 highdicom==0.28.2 dcmqi==1.5.7 rt-utils==1.2.7 opencv-python-headless pylibjpeg pylibjpeg-libjpeg \
  pylibjpeg-openjpeg pyjpegls numpy pillow
