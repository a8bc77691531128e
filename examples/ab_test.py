"""An A/B test of two conversion rates: flat and informative priors, many and few visitors."""

import _models
from _checks import beta_moments, check

import finetti as pm

CASES = [
    # title, visitors, conversions of A and B, prior Beta(alpha, beta)
    ("flat prior, 1000 visitors", 1000, 120, 150, 1, 1),
    ("informative prior, 1000 visitors", 1000, 120, 150, 10, 90),
    ("flat prior, 10 visitors", 10, 1, 2, 1, 1),
    ("informative prior, 10 visitors", 10, 1, 2, 10, 90),
]

for title, trials, a, b, alpha, beta in CASES:
    with _models.ab_test(pm, trials, a, b, alpha, beta):
        idata = pm.sample(2000, tune=1000, random_seed=42, progressbar=False)
    print(f"\n{title}")
    print(pm.summary(idata))
    better = float((idata.posterior["diff"] > 0).mean())
    print(f"P(B better than A) = {better:.3f}")

    mean_a, sd_a = beta_moments(alpha + a, beta + trials - a)
    mean_b, sd_b = beta_moments(alpha + b, beta + trials - b)
    check(idata, "p_A", mean_a, sd_a)
    check(idata, "p_B", mean_b, sd_b)
    check(idata, "diff", mean_b - mean_a, (sd_a**2 + sd_b**2) ** 0.5)
