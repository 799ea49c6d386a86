"""Values of scipy and statsmodels that tests/reference.rs compares with.

Not needed to build or test; it made reference.json, which holds each call beside its value:

    python -m venv /tmp/venv && /tmp/venv/bin/pip install numpy scipy statsmodels
    /tmp/venv/bin/python harness/stats/tests/reference.py > harness/stats/tests/reference.json
"""

import json
import sys

import numpy as np
import scipy
import statsmodels
from scipy import optimize, special, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

rows = []


def note(kind, call, **arguments):
    """Evaluates a call with its arguments as names, and keeps both."""
    value = eval(call, globals(), dict(arguments))
    keep = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in arguments.items()}
    rows.append({"kind": kind, "call": call, **keep, "value": np.asarray(value, dtype=float).tolist()})


SHARES = [(0, 1), (1, 1), (0, 50), (1, 50), (7, 50), (25, 50), (49, 50), (50, 50), (3, 250), (200, 250),
          (20, 1000), (501, 1000), (980, 1000), (12345, 100000), (300000, 1000000)]
for k, n in SHARES:
    for level in (0.9, 0.95, 0.99):
        note("wilson", "proportion_confint(k, n, alpha=1 - level, method='wilson')", k=k, n=n, level=level)
        note("clopper_pearson", "proportion_confint(k, n, alpha=1 - level, method='beta')", k=k, n=n, level=level)

for a, n, b, m in [(56, 70, 48, 80), (9, 10, 3, 10), (0, 10, 0, 20), (10, 10, 0, 20), (5, 56, 0, 29), (400, 1000, 300, 900)]:
    note("independent", "confint_proportions_2indep(a, n, b, m, method='newcomb', compare='diff')", a=a, n=n, b=b, m=m)

TABLES = [(1, 1, 7, 12), (59, 16, 6, 80), (20, 12, 2, 16), (40, 0, 0, 10), (30, 0, 9, 11), (40, 5, 5, 50),
          (500, 80, 120, 300), (900, 3, 17, 80), (0, 31, 19, 0), (1000, 400, 520, 3000)]


def tango_limits(only_a, only_b, n, level):
    """Tango's limits from the multinomial likelihood itself, maximised numerically under the constraint."""
    z = stats.norm.ppf((1 + level) / 2)

    def q(delta):
        # p(only_b) = q + delta, p(only_a) = q.
        low, high = max(0.0, -delta), (1 - delta) / 2

        def loss(q):
            rest = 1 - 2 * q - delta
            return -(special.xlogy(only_b, q + delta) + special.xlogy(only_a, q)
                     + special.xlogy(n - only_a - only_b, rest))

        found = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).x
        return min([low, found, high], key=loss)

    def score(delta):
        return (only_b - only_a - n * delta) / np.sqrt(n * (2 * q(delta) + delta * (1 - delta)))

    middle = (only_b - only_a) / n
    low = optimize.brentq(lambda d: score(d) - z, -1 + 1e-9, middle - 1e-9, xtol=1e-13)
    high = optimize.brentq(lambda d: score(d) + z, middle + 1e-9, 1 - 1e-9, xtol=1e-13)
    return low, high


def differing_power(n, psi, delta, alpha):
    """Power of the exact test, summed over every table with scipy's binomial chances."""
    total = 0.0
    for m in range(n + 1):
        b = np.arange(m + 1)
        p = np.minimum(1.0, 2 * stats.binom.sf(np.maximum(b, m - b) - 1, m, 0.5))
        total += stats.binom.pmf(m, n, psi) * stats.binom.pmf(b, m, (1 + delta / psi) / 2)[p <= alpha].sum()
    return total


for both, only_a, only_b, neither in TABLES:
    table = {"both": both, "only_a": only_a, "only_b": only_b, "neither": neither}
    note("mcnemar_exact", "mcnemar([[both, only_a], [only_b, neither]], exact=True).pvalue", **table)
    note("mcnemar_midp",
         "2 * stats.binom.sf(max(only_a, only_b), only_a + only_b, .5)"
         " + stats.binom.pmf(max(only_a, only_b), only_a + only_b, .5)", **table)
    if 0 < only_a + only_b < both + only_a + only_b + neither:
        note("tango", "tango_limits(only_a, only_b, both + only_a + only_b + neither, .95)", **table)

P = [[0.01, 0.04, 0.03], [0.001, 0.2, 0.03, 0.03, 0.9], [0.5], [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298,
     0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]]
for p in P:
    note("holm", "multipletests(p, method='holm')[1]", p=p)
    note("benjamini_hochberg", "multipletests(p, method='fdr_bh')[1]", p=p)

MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
for d in (MAIZE, [0.02, 0.05, 0.01, 0.04, 0.03], [0.4, -0.1, 0.25, 0.31, 0.07, -0.03, 0.11]):
    note("sign_flip", "stats.permutation_test((d,), np.mean, permutation_type='samples', n_resamples=np.inf).pvalue",
         d=d)
    note("t_test", "[stats.ttest_1samp(d, 0).pvalue, *stats.ttest_1samp(d, 0).confidence_interval(.95)]", d=d)
note("label_exchange",
     "stats.permutation_test((a, b), lambda x, y: np.mean(x) - np.mean(y), n_resamples=np.inf).pvalue",
     a=[0.61, 0.58, 0.66, 0.63], b=[0.55, 0.59, 0.52, 0.57, 0.6])

SKEWED = [i**3 / 1000 for i in range(60)]
GAINS = [0.0] * 200 + [1.0] * 40 + [2.0] * 6 + [-1.0] * 12
for x in (SKEWED, GAINS):
    for method in ("percentile", "BCa"):
        note("bootstrap",
             "stats.bootstrap((np.array(x),), np.mean, n_resamples=200_000, batch=2000, method=method,"
             " random_state=1).confidence_interval", x=x, method=method)

for n, psi in [(250, 0.2), (1000, 0.05), (50, 0.5), (10000, 0.3)]:
    note("mde",
         "optimize.brentq(lambda d: np.sqrt(n) * d - stats.norm.ppf(.975) * np.sqrt(psi)"
         " - stats.norm.ppf(.8) * np.sqrt(psi - d * d), 0, psi)", n=n, psi=psi)
for n, psi, delta in [(50, 0.2, 0.0), (50, 0.5, 0.25), (250, 0.2, 0.0789)]:
    note("exact_power", "differing_power(n, psi, delta, .05)", n=n, psi=psi, delta=delta)

for right, n, k in [(1, 4, 2), (3, 10, 5), (0, 5, 5), (190, 200, 10), (7, 8, 8)]:
    note("pass_at", "1 - special.comb(n - right, k, exact=True) / special.comb(n, k, exact=True)", right=right, n=n, k=k)
    note("reliability", "special.comb(right, k, exact=True) / special.comb(n, k, exact=True)", right=right, n=n, k=k)

note("slope", "stats.linregress(np.arange(6), np.array(right) / 200).slope", right=[180, 171, 160, 122, 101, 40])

versions = {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "numpy": np.__version__,
            "python": sys.version.split()[0]}
print(json.dumps({"made_with": versions, "rows": rows}, indent=None).replace('{"kind"', '\n{"kind"'))
