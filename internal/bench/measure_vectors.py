"""Writes metrics/testdata/measures.json: masks with the values that other programs give for the further measures.

    python3 internal/bench/measure_vectors.py    # needs numpy (before 2.0), scipy and surface-distance 0.1

Surface Dice, and the areas of surface elements that it weighs with, are those of DeepMind's surface-distance; a slice is
given to it as the two-dimensional array that it is. Components are scipy's, with all 26 (8) neighbours; lesions are found
and false by the rule that is written out below.
"""

import json

import numpy as np
import scipy
import surface_distance
from metrics_vectors import OUT, blob, masks, plane
from scipy import ndimage

TOLERANCES = (0.0, 0.5, 1.0, 2.0, 3.7)
OVERLAPS = (0.0, 0.1, 0.5)
SPACING = (0.7, 1.3, 3.1)


def surface_dice(pred, ref, spacing):
    spacing, pred, ref = plane(spacing, pred, ref)
    distances = surface_distance.compute_surface_distances(ref, pred, spacing)
    return [surface_distance.compute_surface_dice_at_tolerance(distances, t) for t in TOLERANCES]


def areas(spacing):
    """Areas by our code, in which bit n stands for the voxel at (n & 1, n >> 1 & 1, n >> 2 & 1); theirs runs from the other end."""
    table = surface_distance.lookup_tables.create_table_neighbour_code_to_surface_area(spacing)
    kernel = surface_distance.lookup_tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL
    codes = [sum(int(kernel[n & 1, n >> 1 & 1, n >> 2 & 1]) for n in range(8) if code >> n & 1) for code in range(256)]
    return [table[code] for code in codes]


def lesions(pred, ref, overlap):
    """How many components of each are covered by the other mask, with at least one voxel and this share of theirs."""
    whole = np.ones((3, 3, 3))

    def covered(a, b):
        numbers, count = ndimage.label(a, whole)
        shares = [b[numbers == n].mean() for n in range(1, count + 1)]
        return count, sum(bool(share > 0 and share >= overlap) for share in shares)

    return [*covered(ref, pred), *covered(pred, ref)]


def more(rng):
    """Name, prediction, reference, spacing."""
    yield from masks(np.random.default_rng(20230))
    yield "lesions", blob(rng, (14, 13, 9), 0.8, 0.9), blob(rng, (14, 13, 9), 0.8, 0.9), (1.0, 1.0, 3.0)
    ref = blob(rng, (16, 15, 8), 1.0, 0.85)
    yield "near lesions", np.roll(ref, 1, 0) & (rng.random(ref.shape) < 0.9), ref, (0.9, 0.9, 0.9)
    yield "lesions of a slice", blob(rng, (20, 1, 16), 1.0, 0.8), blob(rng, (20, 1, 16), 1.0, 0.8), (0.5, 4.0, 0.8)
    # Every neighbourhood of eight voxels, and so every shape of a surface element.
    yield "noise", rng.random((11, 10, 9)) < 0.5, rng.random((11, 10, 9)) < 0.5, (0.7, 1.3, 2.9)


def main():
    cases = []
    for name, pred, ref, spacing in more(np.random.default_rng(2018)):

        def digits(m):  # i fastest
            return "".join("01"[v] for v in m.ravel(order="F").astype(int))

        cases.append({
            "name": name, "size": pred.shape, "spacing": spacing, "pred": digits(pred), "ref": digits(ref),
            "surface_dice": surface_dice(pred, ref, spacing),
            "precision": (pred & ref).sum() / pred.sum(), "recall": (pred & ref).sum() / ref.sum(),
            "volume_ml": int(pred.sum() - ref.sum()) * float(np.prod(spacing)) / 1000,
            "volume_relative": int(pred.sum() - ref.sum()) / int(ref.sum()),
            "lesions": [lesions(pred, ref, overlap) for overlap in OVERLAPS],
        })  # fmt: skip
    made = f"internal/bench/measure_vectors.py, surface-distance 0.1, numpy {np.__version__}, scipy {scipy.__version__}"
    head = {"made_by": made, "tolerances": TOLERANCES, "overlaps": OVERLAPS, "spacing": SPACING, "areas": areas(SPACING)}
    lines = ",\n".join("  " + json.dumps(c) for c in cases)
    OUT.with_name("measures.json").write_text(json.dumps(head)[:-1] + ', "cases": [\n%s\n]}\n' % lines)


if __name__ == "__main__":
    main()
