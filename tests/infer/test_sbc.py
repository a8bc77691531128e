"""Simulation-based calibration of every step method (Talts et al. 2018).

Parameters from the prior, data from the parameters, a posterior from the data: the rank of the true
value among independent posterior draws is uniform. Ties of whole numbers are broken at random.
"""

import logging

import numpy as np
import pytest
from scipy import stats

import finetti as pm

FITS, KEPT, THIN = 80, 15, 20


def line():
    a = pm.Normal("a", 0, 1)
    s = pm.HalfNormal("s", 1)
    return (
        [a, s],
        lambda rng, v: rng.normal(v["a"], v["s"], 5),
        lambda y: pm.Normal("y", a, s, observed=y),
    )


def labels():
    p = pm.Beta("p", 2, 2)
    z = pm.Bernoulli("z", p, shape=4)
    return (
        [p, z],
        lambda rng, v: rng.normal(v["z"] - v["p"], 0.7),
        lambda y: pm.Normal("y", z - p, 0.7, observed=y),
    )


def kinds():
    c = pm.Categorical("c", [0.2, 0.5, 0.3], shape=4)
    m = pm.Normal("m", 0, 1)
    return (
        [c, m],
        lambda rng, v: rng.normal(v["c"] * v["m"], 0.8),
        lambda y: pm.Normal("y", c * m, 0.8, observed=y),
    )


def counts():
    k = pm.Poisson("k", 3.0, shape=3)
    return (
        [k],
        lambda rng, v: rng.normal(v["k"].sum() + v["k"], 1.0),
        lambda y: pm.Normal("y", k.sum() + k, 1.0, observed=y),
    )


CASES = {
    "NUTS": (line, lambda v: pm.NUTS()),
    "HamiltonianMC": (line, lambda v: pm.HamiltonianMC(path_length=1.5)),
    "Metropolis": (line, lambda v: pm.Metropolis()),
    "Metropolis, counts": (counts, lambda v: pm.Metropolis()),
    "Slice": (line, lambda v: pm.Slice()),
    "DEMetropolis": (line, lambda v: pm.DEMetropolis()),
    "DEMetropolisZ": (line, lambda v: pm.DEMetropolisZ()),
    "BinaryMetropolis": (labels, lambda v: [pm.NUTS([v[0]]), pm.BinaryMetropolis([v[1]])]),
    "BinaryGibbsMetropolis": (
        labels, lambda v: [pm.NUTS([v[0]]), pm.BinaryGibbsMetropolis([v[1]])]
    ),
    "CategoricalGibbsMetropolis": (
        kinds, lambda v: [pm.CategoricalGibbsMetropolis([v[0]]), pm.NUTS([v[1]])]
    ),
    "proportional": (
        kinds,
        lambda v: [
            pm.CategoricalGibbsMetropolis([v[0]], proposal="proportional"), pm.Slice([v[1]])
        ],
    ),
    "ElemwiseCategorical": (kinds, lambda v: [pm.ElemwiseCategorical([v[0]]), pm.NUTS([v[1]])]),
}  # fmt: skip


def ranks(build, steps, rng):
    """For each variable, the rank of the true sum among the kept draws, fit by fit."""
    found = {}
    with pm.Model() as prior:
        names = [v.name for v in build()[0]]
        truth = pm.sample_prior_predictive(FITS, random_seed=4, return_inferencedata=False)
    assert set(names) <= set(prior.named_vars)
    for fit in range(FITS):
        values = {name: truth[name][fit] for name in names}
        with pm.Model():
            variables, simulate, observe = build()
            observe(simulate(rng, values))
            many = steps(variables)
            population = isinstance(many, pm.DEMetropolis)
            result = pm.sample(
                KEPT * THIN, tune=250, step=many, chains=5 if population else 1, random_seed=fit,
                progressbar=False, compute_convergence_checks=False,
            )  # fmt: skip
        for name in names:
            draws = result.posterior[name].values[0, ::THIN].reshape(KEPT, -1).sum(1)
            own = values[name].sum()
            ties = (draws == own).sum()
            rank = (draws < own).sum() + rng.integers(0, ties + 1)
            found.setdefault(name, []).append(int(rank))
    return found


@pytest.mark.parametrize("name", CASES)
def test_ranks_are_uniform(name, rng):
    build, steps = CASES[name]
    logging.getLogger("finetti").setLevel(logging.ERROR)
    try:
        found = ranks(build, steps, rng)
    finally:
        logging.getLogger("finetti").setLevel(logging.NOTSET)
    for variable, values in found.items():
        # 16 ranks in 8 bins of ten expected fits; fixed seeds, false alarms 1e-4 for each of 21
        table = np.bincount(np.asarray(values) // 2, minlength=8)
        assert stats.chisquare(table).pvalue > 1e-4, (variable, table)
