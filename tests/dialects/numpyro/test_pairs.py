"""One meaning: a model in PyMC's and in NumPyro's spelling is one graph, and gives the same draws."""

from __future__ import annotations

import numpy as np
import pytest
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

from tests.dialects.numpyro.pairs import PAIRS

import finetti as pm
from finetti.dialects.numpyro.translate import translate
from finetti.passes.simplify import simplify


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_one_meaning(name):
    spelled, theirs = PAIRS[name]
    with pm.Model() as one:
        spelled()
    two = translate(theirs).model
    first, second = (model.density() for model in (one, two))
    assert [x.attrs for x in first.inputs] == [x.attrs for x in second.inputs]
    # nodes are interned: equal means the same graph
    assert simplify([first.logp().node]) == simplify([second.logp().node])
    runs = [
        pm.sample(20, tune=30, chains=1, random_seed=7, progressbar=False, quiet=True, model=model,
                  compute_convergence_checks=False, return_inferencedata=False)
        for model in (one, two)
    ]  # fmt: skip
    assert sorted(runs[0].varnames) == sorted(runs[1].varnames)
    for variable in runs[0].varnames:
        np.testing.assert_array_equal(runs[0][variable], runs[1][variable], err_msg=variable)
