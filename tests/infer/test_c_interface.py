"""Our compiled densities in somebody else's sampler, through the shared C signature."""

import numpy as np
import pytest

import finetti as pm
from finetti.model.compile import compile_density

walnutpie = pytest.importorskip("walnutpie", reason="walnutpie has wheels for Linux only")


def test_walnutpie_samples_a_finetti_model():
    with pm.Model() as model:
        p = pm.Beta("p", 1, 1)
        pm.Binomial("y", n=1000, p=p, observed=120)
        mu = pm.Normal("mu", 0, 10)
        pm.Normal("x", mu, 2.0, observed=np.array([1.0, 3.0, 5.0, 7.0]))
    density = compile_density(model)
    block = density.new_block()  # one block serves one thread, so one chain
    function = walnutpie._ffi.logp_cfunc_type(density.fn_address)
    (draws,) = walnutpie.walnuts_pyfunc(
        (function, block.address),
        num_params=density.n,
        num_chains=1,
        seed=1,
        min_warmup_iter=500,
        max_warmup_iter=500,
        min_sampling_iter=4000,
        max_sampling_iter=4000,
    )
    rate, mean = 1 / (1 + np.exp(-draws[:, 0])), draws[:, 1]
    precision = 4 / 4.0 + 1 / 100.0
    # 4000 draws of two well-behaved parameters are worth at least 800 independent ones.
    assert abs(rate.mean() - 121 / 1002) < 5 * 0.0103 / np.sqrt(800)
    assert abs(rate.std() - 0.0103) < 0.0015
    assert abs(mean.mean() - 4.0 / precision) < 5 * precision**-0.5 / np.sqrt(800)
    assert abs(mean.std() - precision**-0.5) < 0.12
