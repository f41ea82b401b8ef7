"""Writes metrics/testdata/vectors.json: masks with the values that numpy and scipy give for the measures.

    /usr/bin/python3 internal/bench/metrics_vectors.py            # needs numpy and scipy
    /usr/bin/python3 internal/bench/metrics_vectors.py --check    # also MONAI (1.3.2) and MedPy (0.5.2): compares, then writes

The rule of the measures is written out below, on scipy's binary_erosion and distance_transform_edt. With --check the
same numbers must come out of MONAI (hd95, assd) and MedPy (the pooled percentile, assd, Dice).
"""

import json
import pathlib
import sys

import numpy as np
import scipy
from scipy import ndimage

OUT = pathlib.Path(__file__).resolve().parents[2] / "metrics" / "testdata" / "vectors.json"


def plane(spacing, *masks):
    """Spacing and masks without the axes that have a single voxel: a slice is measured in its plane."""
    return [s for s, n in zip(spacing, masks[0].shape) if n > 1], *(m.squeeze() for m in masks)


def surface(mask):
    _, flat = plane(mask.shape, mask)
    eroded = ndimage.binary_erosion(flat, ndimage.generate_binary_structure(flat.ndim, 1), border_value=0)
    return mask & ~eroded.reshape(mask.shape)


def directed(a, b, spacing):
    """Distances from each surface voxel of a to the surface of b."""
    return ndimage.distance_transform_edt(~surface(b), sampling=spacing)[surface(a)]


def measures(pred, ref, spacing):
    there, back = directed(pred, ref, spacing), directed(ref, pred, spacing)
    pooled = np.concatenate([there, back])
    return {
        "dice": 2 * (pred & ref).sum() / (pred.sum() + ref.sum()),
        "hd95": max(np.percentile(there, 95), np.percentile(back, 95)),
        "assd": pooled.mean(),
        "hd95_pooled": np.percentile(pooled, 95),  # MedPy's rule
    }


def check(name, pred, ref, spacing, ours):
    import torch
    from medpy.metric import binary
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance

    # MONAI takes one-hot [batch, class, i, j, k], or [batch, class, i, j] of a slice; class 0 is left out.
    spacing, pred, ref = plane(spacing, pred, ref)

    def one_hot(m):
        return torch.from_numpy(np.stack([~m, m])[None].astype(np.float32))

    args = dict(include_background=False, spacing=list(spacing))
    theirs = {
        "hd95": compute_hausdorff_distance(one_hot(pred), one_hot(ref), percentile=95, **args).item(),
        "assd": compute_average_surface_distance(one_hot(pred), one_hot(ref), symmetric=True, **args).item(),
        "hd95_pooled": binary.hd95(pred, ref, voxelspacing=spacing),
        "dice": binary.dc(pred, ref),
    }
    if not np.isclose(binary.assd(pred, ref, voxelspacing=spacing), ours["assd"], rtol=1e-9, atol=0):
        sys.exit(f"{name}: assd: ours {ours['assd']}, MedPy's {binary.assd(pred, ref, voxelspacing=spacing)}")
    for key, value in theirs.items():
        if not np.isclose(value, ours[key], rtol=2e-6, atol=0):  # MONAI computes in float32
            sys.exit(f"{name}: {key}: ours {ours[key]}, theirs {value}")


def blob(rng, size, sigma, level):
    field = ndimage.gaussian_filter(rng.normal(size=size), sigma)
    return field > np.quantile(field, level)


def masks(rng):
    """Name, prediction, reference, spacing."""
    for n, (size, spacing, sigma, level) in enumerate(
        [
            ((8, 9, 5), (1.0, 1.0, 1.0), 0.7, 0.6),
            ((9, 8, 6), (0.625, 0.625, 3.6), 1.0, 0.7),
            ((12, 7, 4), (0.5, 2.0, 1.25), 1.0, 0.5),
            ((5, 6, 11), (3.0, 0.4, 0.9), 1.5, 0.8),
            ((10, 10, 1), (1.0, 1.5, 4.0), 1.0, 0.6),
            ((7, 7, 7), (1.0, 1.0, 2.0), 0.0, 0.95),
        ]
    ):
        yield f"random {n}", blob(rng, size, sigma, level), blob(rng, size, sigma, level), spacing
    # The prediction has the reference and a small false island far away: 95 % of the pooled distances are near 0,
    # while more than 5 % of those from the prediction are not.
    ref = np.zeros((24, 12, 6), bool)
    ref[2:10, 2:10, 1:5] = True
    pred = ref.copy()
    pred[20:22, 3:7, 2:4] = True
    yield "false island", pred, ref, (0.8, 0.8, 2.5)
    # A slice, along each axis, with masks that touch the border.
    for axis in range(3):
        size, spacing = [9, 8], [0.7, 1.9]
        size.insert(axis, 1)
        spacing.insert(axis, 5.0)
        a, b = np.zeros((9, 8), bool), np.zeros((9, 8), bool)
        a[0:5, 2:8], b[3:9, 1:7] = True, True
        yield f"slice along axis {axis}", a.reshape(size), b.reshape(size), tuple(spacing)
    # Everything is foreground: there is surface at the volume's border only.
    yield "full", np.ones((6, 5, 4), bool), blob(rng, (6, 5, 4), 1.0, 0.5), (1.0, 1.0, 1.0)


def main():
    rng = np.random.default_rng(20230)
    cases = []
    for name, pred, ref, spacing in masks(rng):
        values = measures(pred, ref, spacing)
        if "--check" in sys.argv:
            check(name, pred, ref, spacing, values)

        def digits(m):  # i fastest
            return "".join("01"[v] for v in m.ravel(order="F").astype(int))

        case = {"name": name, "size": pred.shape, "spacing": spacing, "pred": digits(pred), "ref": digits(ref)}
        case["pred_surface"] = digits(surface(pred))
        if name == "random 1":  # from each surface voxel of pred to the surface of ref, i fastest
            transform = ndimage.distance_transform_edt(~surface(ref), sampling=spacing)
            case["distances"] = transform.ravel(order="F")[surface(pred).ravel(order="F")].tolist()
        cases.append({**case, **values})
    OUT.parent.mkdir(parents=True, exist_ok=True)
    made = f"internal/bench/metrics_vectors.py, numpy {np.__version__}, scipy {scipy.__version__}"
    lines = ",\n".join("  " + json.dumps(c) for c in cases)
    OUT.write_text('{"made_by": %s, "cases": [\n%s\n]}\n' % (json.dumps(made), lines))


if __name__ == "__main__":
    main()
