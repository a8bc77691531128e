"""One meaning: a model in PyMC's and in NumPyro's spelling is one graph with the same draws."""

from __future__ import annotations

import numpy as np
import pytest
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

import finetti.numpyro.distributions as dist
from scipy import stats
from tests.dialects.numpyro.pairs import PAIRS

import finetti as pm
from finetti.backends import reference
from finetti.dialects.numpyro.infer import MCMC, NUTS, init_to_value
from finetti.dialects.numpyro.translate import translate
from finetti.ir import ops
from finetti.ir.ops.leaf import new_input
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


def test_log_densities_come_back_as_they_were_built():
    x = new_input("x", (3,))
    one = pm.from_jax(lambda p: dist.Binomial(5, p).log_prob(2))(ops.sigmoid(x))
    two = pm.logp(pm.Binomial.dist(5, ops.sigmoid(x)), 2)
    assert simplify([one.node]) == simplify([two.node])
    # in a batch JAX calls a graph of other shapes
    mapped = jax.vmap(lambda m, s: dist.Normal(m, s).log_prob(0.3), (0, None))
    (found,) = reference.evaluate([pm.from_jax(mapped)(x, 2.0)], {x.node: np.arange(3.0)})
    np.testing.assert_allclose(found, stats.norm(np.arange(3.0), 2.0).logpdf(0.3), rtol=1e-6)


@pytest.mark.parametrize("name", ["normal_mean", "eight_schools", "linear_regression"])
def test_the_same_draws_from_each_dialects_own_words(name):
    """`pm.sample` and `MCMC`, both from the same start: to the last bit."""
    spelled, theirs = PAIRS[name]
    with pm.Model() as model:
        spelled()
    start = {rv.name: np.full(rv.shape, 0.5) for rv in model.density().frozen.free}
    trace = pm.sample(20, tune=30, chains=1, random_seed=7, progressbar=False, quiet=True,
                      model=model, init="adapt_diag", initvals=start, target_accept=0.8,
                      compute_convergence_checks=False, return_inferencedata=False)  # fmt: skip
    kernel = NUTS(theirs, init_strategy=init_to_value(values=start))
    mcmc = MCMC(kernel, num_warmup=30, num_samples=20, progress_bar=False)
    with jax.enable_x64(True):
        mcmc.run(7)
        for variable, draws in mcmc.get_samples().items():
            np.testing.assert_array_equal(draws, trace[variable], err_msg=variable)
