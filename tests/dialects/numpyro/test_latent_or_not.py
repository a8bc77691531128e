"""Which sites a sampler moves, as in NumPyro: those that are not observed, maybe none."""

import math

import numpy as np
import pytest
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

import finetti.numpyro.distributions as dist
import jax.numpy as jnp
from finetti.numpyro.contrib.control_flow import cond, scan
from finetti.numpyro.infer import HMC, MCMC, NUTS, init_to_value, initialize_model

import finetti.numpyro as numpyro
from finetti.errors import NotYetSupported
from finetti.numpyro import handlers

KEY = jax.random.key(0)


def chain():
    a = numpyro.sample("a", dist.HalfNormal(1.0))
    b = numpyro.sample("b", dist.Normal(a, 1.0))
    numpyro.deterministic("total", a + b)


def walk():
    def step(state, _):
        state = numpyro.sample("a", dist.Normal(state, 1.0))
        return state, state

    scan(step, 0.0, jnp.arange(3))
    numpyro.sample("b", dist.Normal(0.0, 1.0))


def sampled(model, num_samples=8, kernel=NUTS, **options):
    mcmc = MCMC(kernel(model), num_warmup=30, num_samples=num_samples, progress_bar=False,
                **options)  # fmt: skip
    mcmc.run(KEY, extra_fields=("potential_energy",))
    return mcmc


@pytest.mark.parametrize("kernel", [NUTS, HMC])
@pytest.mark.parametrize(
    ("model", "given"),
    [
        (chain, {"data": {"a": jnp.array(2.0)}}),
        (chain, {"substitute_fn": lambda site: 2.0 if site["name"] == "a" else None}),
        (walk, {"data": {"a": jnp.array([1.0, 2.0, 3.0])}}),
    ],
    ids=["value", "function", "loop"],
)
def test_a_substituted_site_is_sampled(model, given, kernel):
    with pytest.warns(UserWarning, match=r"'a'.*To fix it write `handlers.condition`"):
        mcmc = sampled(handlers.substitute(model, **given), kernel=kernel)
    draws = mcmc.get_samples()["a"]
    assert (np.std(draws, axis=0) > 0).all()
    assert sorted(mcmc.last_state.z) == ["a", "b"]
    given = {key.replace("substitute", "condition"): value for key, value in given.items()}
    fixed = sampled(handlers.condition(model, **given), kernel=kernel)
    assert "a" not in fixed.get_samples()


@pytest.mark.filterwarnings("ignore:.*already stores a value")
@pytest.mark.parametrize(
    ("strategy", "start"),
    [(None, 2.0), (init_to_value(values={"b": 1.0}), 2.0), (init_to_value(values={"a": 5.0}), 5.0)],
)
def test_it_starts_where_it_was_substituted(strategy, start):
    model = handlers.substitute(chain, data={"a": jnp.array(2.0)})
    options = {} if strategy is None else {"init_strategy": strategy}
    mcmc = MCMC(NUTS(model, step_size=1e-6, adapt_step_size=False, max_tree_depth=1, **options),
                num_warmup=0, num_samples=1, progress_bar=False)  # fmt: skip
    with pytest.warns(UserWarning, match="starting there"):
        mcmc.run(KEY)
    np.testing.assert_allclose(mcmc.get_samples()["a"], [start], rtol=1e-4)
    z = initialize_model(KEY, model, **options).param_info.z
    np.testing.assert_allclose(z["a"], np.log(start), rtol=1e-6)  # float32


def test_a_substituted_discrete_site_is_refused():
    def model():
        k = numpyro.sample("k", dist.Bernoulli(0.5))
        numpyro.sample("x", dist.Normal(k, 1.0))

    with pytest.raises(NotYetSupported, match="'k' is discrete"):
        sampled(handlers.substitute(model, data={"k": 1}))


def observed():
    numpyro.sample("y", dist.Normal(0.0, 1.0), obs=jnp.array(1.0))


def derived():
    observed()
    numpyro.deterministic("d", jnp.arange(2.0))


@pytest.mark.parametrize("kernel", [NUTS, HMC])
@pytest.mark.parametrize("chains", [1, 2])
@pytest.mark.parametrize(
    ("model", "names", "energy"),
    [(lambda: None, [], 0.0), (observed, [], 1.418938533204673),
     (derived, ["d"], 1.418938533204673)],
)  # fmt: skip
def test_a_model_without_latent_sites(model, names, energy, chains, kernel, capsys):
    mcmc = sampled(model, num_samples=6, num_chains=chains, thinning=2, kernel=kernel)
    assert list(mcmc.get_samples()) == names
    for value in mcmc.get_samples(group_by_chain=True).values():
        np.testing.assert_array_equal(value, np.tile(np.arange(2.0), (chains, 3, 1)))
    fields = mcmc.get_extra_fields()
    np.testing.assert_allclose(fields["potential_energy"], np.full(3 * chains, energy), atol=1e-15)
    assert not fields["diverging"].any()
    assert mcmc.last_state.z == {}
    mcmc.print_summary()
    assert capsys.readouterr().out == "Number of divergences: 0\n"
    mcmc.post_warmup_state = mcmc.last_state
    mcmc.run(KEY)
    assert list(mcmc.get_samples()) == names


# -- masks and scales of sites in loops and branches, with their Jacobians

SOME = jnp.array([True, False, True])


def steps(body, outside=None, count=3):
    def model():
        with outside or handlers.block(hide=[]):
            scan(body, 0.0, jnp.arange(count))

    return model


def weighted(handler, fn):
    def body(state, x):
        with handler(x):
            value = numpyro.sample("z", fn(state))
        return (jnp.log(value) if jnp.ndim(value) == 0 else state), value

    return body


def lognormal(state):
    return dist.LogNormal(state, 1.0)


def branches():
    def branch(mask, loc):
        def draw(_):
            with handlers.mask(mask=mask):
                return numpyro.sample("x", dist.LogNormal(loc, 1.0).expand([3]))

        return draw

    b = numpyro.sample("b", dist.Normal(0.0, 1.0))
    cond(b > 0, branch(SOME & False, 2.0), branch(SOME, 1.0), None)


class both:
    def __init__(self, *handlers_):
        self.handlers = handlers_

    def __enter__(self):
        for one in self.handlers:
            one.__enter__()

    def __exit__(self, *error):
        for one in reversed(self.handlers):
            one.__exit__(*error)


def plated(mask):
    return both(numpyro.plate("g", 2), handlers.mask(mask=mask))


WEIGHTED = {  # NumPyro's potential energies, but for the last, which it cannot trace
    "mask of a step": (
        steps(weighted(lambda x: handlers.mask(mask=x > 0), lognormal)), 2.1978771, {"z": (3,)}),
    "mask outside": (
        steps(weighted(lambda x: both(), lognormal), handlers.mask(mask=SOME)),
        2.1428771, {"z": (3,)}),
    "scale": (
        steps(weighted(lambda x: handlers.scale(scale=3.0), lognormal),
              handlers.scale(scale=2.0)), 19.4508936, {"z": (3,)}),
    "vectors": (
        steps(weighted(lambda x: plated(x > jnp.array([0, 1])),
                       lambda s: dist.Dirichlet(jnp.ones(3)))), 8.1582122, {"z": (3, 2, 2)}),
    "one mask for all steps": (
        steps(weighted(lambda x: plated(SOME[:2]), lambda s: dist.Gamma(2.0, 1.0)), count=4),
        4.2474121, {"z": (4, 2)}),
    "branches": (branches, 4.0518156, {"b": (), "x": (3,)}),
    "scale of a step": (
        steps(weighted(lambda x: handlers.scale(scale=x + 1.0), lognormal)), 6.5386312,
        {"z": (3,)}),
}  # fmt: skip


@pytest.mark.parametrize(("model", "energy", "shapes"), WEIGHTED.values(), ids=WEIGHTED)
def test_weights_of_sites_in_loops_and_branches(model, energy, shapes):
    z = {n: np.linspace(-0.5, 0.7, math.prod(v)).reshape(v) for n, v in shapes.items()}
    mcmc = MCMC(NUTS(model, step_size=1e-7, adapt_step_size=False, max_tree_depth=1),
                num_warmup=0, num_samples=1, progress_bar=False)  # fmt: skip
    mcmc.run(KEY, init_params=z)
    np.testing.assert_allclose(mcmc.last_state.potential_energy, energy, rtol=1e-5)


def test_a_deterministic_site_may_be_empty():
    def model():
        a = numpyro.sample("a", dist.Normal(0.0, 1.0))
        numpyro.deterministic("rest", a * jnp.ones(3)[3:])

    assert sampled(model).get_samples()["rest"].shape == (8, 0)
