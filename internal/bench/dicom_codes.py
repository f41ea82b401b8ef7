"""Compares volume/dicom/codes.csv with the dictionary of DICOM's context groups that pydicom has.

    python3 -m venv venv && venv/bin/pip install pydicom
    venv/bin/python internal/bench/dicom_codes.py volume/dicom/codes.csv

A value that is unknown there, or has another meaning, is printed; the exit code is then 1.
"""

import csv
import sys

from pydicom.sr._concepts_dict import concepts

known = {}
for scheme, words in concepts.items():
    for values in words.values():
        for value, (meaning, _) in values.items():
            known.setdefault((scheme, value), set()).add(meaning)

faults = 0
with open(sys.argv[1], newline="") as f:
    for row in csv.reader(line for line in f if not line.startswith("#")):
        for scheme, value, meaning in (row[1:4], row[4:7]):
            if meaning not in known.get((scheme, value), ()):
                faults += 1
                print(f"{row[0]}: {scheme} {value} {meaning}: pydicom has {known.get((scheme, value), 'nothing')}")
print(f"{faults} faults")
sys.exit(faults > 0)
