"""Writes stats/testdata/vectors.json: values of scipy's tests that the Go package must reproduce to 1e-9.

    /usr/bin/python3 internal/bench/stats_vectors.py    # needs numpy and scipy 1.10 or later
"""

import json
import pathlib

import numpy as np
import scipy
from scipy import stats

OUT = pathlib.Path(__file__).resolve().parents[2] / "stats" / "testdata" / "vectors.json"
ENUMERATE = np.inf  # resamples: all of them


def permutation(d, statistic):
    """Two-sided p by all sign assignments; scipy's permutation_test of paired samples with zeros as the partner."""
    p = stats.permutation_test(
        (d,), statistic, permutation_type="samples", n_resamples=ENUMERATE, vectorized=False, alternative="two-sided"
    ).pvalue
    return float(p)


def main():
    rng = np.random.default_rng(7)
    tests = []

    def add(name, d, **values):
        values = {k: float(v) for k, v in values.items()}
        tests.append({"name": name, "differences": [float(v) for v in d], **values})

    # No ties, no zeros: scipy's own exact test.
    for n in (1, 2, 3, 5, 6, 10, 12):
        d = rng.normal(0.4, 1, n)
        both = stats.wilcoxon(d, mode="exact")
        values = dict(wilcoxon=both.pvalue, sign_flip=permutation(d, np.mean) if n > 1 else 1)
        if n > 1:
            t = stats.ttest_1samp(d, 0)
            values.update(t=t.statistic, t_p=t.pvalue)
        add(f"continuous {n}", d, **values)
    for n in (25, 50):
        d = rng.normal(0.3, 1, n)
        add(f"continuous {n}", d, wilcoxon=stats.wilcoxon(d, mode="exact").pvalue)

    # Ties and zeros: scipy's exact test does not apply; all sign assignments of the ranks do.
    def positive(signed_ranks):  # from its expectation
        return signed_ranks[signed_ranks > 0].sum() - np.abs(signed_ranks).sum() / 2

    for d in ([1, -1, 2, 2, 3], [0, 0, 1, -1, 2, 2, 3, -1, 5], [0.5, 0, 0.5, -0.25, 4, 4, 0, 4, -4, 1, 0], rng.integers(-3, 6, 11)):
        d = np.array(d, float)
        nonzero = d[d != 0]
        add(
            f"ties {len(d)}, {len(d) - len(nonzero)} zeros",
            d,
            wilcoxon=permutation(stats.rankdata(np.abs(nonzero)) * np.sign(nonzero), positive),
            pratt=permutation(stats.rankdata(np.abs(d))[d != 0] * np.sign(nonzero), positive),
            sign_flip=permutation(d, np.mean),
        )

    # More than the exact distribution is computed for: scipy's normal approximation.
    d = np.round(rng.normal(0.05, 1, 620), 1)
    add(
        "normal 620",
        d,
        wilcoxon=stats.wilcoxon(d, mode="approx", correction=False, zero_method="wilcox").pvalue,
        pratt=stats.wilcoxon(d, mode="approx", correction=False, zero_method="pratt").pvalue,
    )

    spearman = []
    for n, ties in ((4, False), (9, True), (30, True)):
        x, y = rng.normal(size=n), rng.normal(size=n)
        y = y + 0.7 * x
        if ties:
            x, y = np.round(x, 0), np.round(y, 0)
        spearman.append({"x": x.tolist(), "y": y.tolist(), "rho": float(stats.spearmanr(x, y)[0])})

    # A bootstrap distribution of scipy's and the interval that it makes of it. Whole numbers, eight of them: the means
    # are exact, so ties with the sample's mean are too.
    bootstrap = []
    for values in ([1, 2, 2, 3, 4, 6, 9, 21], [-5, -4, 0, 1, 1, 2, 3, 2]):
        b = stats.bootstrap((np.array(values, float),), np.mean, n_resamples=499, random_state=1, method="BCa")
        bootstrap.append(
            {
                "values": values,
                "means": b.bootstrap_distribution.tolist(),
                "low": float(b.confidence_interval.low),
                "high": float(b.confidence_interval.high),
            }
        )

    curves = []
    for labels in ([10, 20, 30, 40], [10, 15, 40, 100, 101]):
        v = rng.uniform(0.3, 0.9, len(labels))
        curves.append({"labels": labels, "values": v.tolist(), "aulc": float(np.trapz(v, labels) / (labels[-1] - labels[0]))})

    made = f"bench/stats_vectors.py, numpy {np.__version__}, scipy {scipy.__version__}"
    parts = {"tests": tests, "spearman": spearman, "bootstrap": bootstrap, "curves": curves}
    text = ",\n".join(
        f' "{name}": [\n' + ",\n".join("  " + json.dumps(row) for row in rows) + "\n ]" for name, rows in parts.items()
    )
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text('{"made_by": %s,\n%s\n}\n' % (json.dumps(made), text))


if __name__ == "__main__":
    main()
