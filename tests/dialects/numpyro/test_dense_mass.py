"""Dense mass matrices as NumPyro spells them, and a depth of their own for the warm-up's trees."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

import finetti.numpyro.distributions as dist
import jax.numpy as jnp

import finetti.numpyro as numpyro
from finetti import _core
from finetti.dialects.numpyro.infer import HMC, MCMC, NUTS
from finetti.errors import ParameterError

# y and x (2 + 1 values) strongly correlated, z apart from them; the order of the names is x, y, z
SD = np.array([0.1, 1.0, 10.0])  # of x[0], x[1], y
CORRELATION = np.array([[1.0, 0.95, -0.9], [0.95, 1.0, -0.8], [-0.9, -0.8, 1.0]])
COVARIANCE = CORRELATION * np.outer(SD, SD)
MEAN = np.array([1.0, -2.0, 30.0])
Z_SD = 5.0
WHOLE = np.zeros((4, 4))
WHOLE[:3, :3], WHOLE[3, 3] = COVARIANCE, Z_SD**2
NAMES = ("x", "y", "z")
KERNELS = {"NUTS": NUTS, "HMC": lambda fn, **rest: HMC(fn, trajectory_length=2.0, **rest)}
BLOCKS = {"all": True, "block": [("y", "x")]}


def model():
    """A normal of x and y by conditioning, in NumPyro's alphabetical layout."""
    x = numpyro.sample("x", dist.MultivariateNormal(MEAN[:2], COVARIANCE[:2, :2]))
    slope = np.linalg.solve(COVARIANCE[:2, :2], COVARIANCE[:2, 2])
    rest = np.sqrt(COVARIANCE[2, 2] - slope @ COVARIANCE[:2, 2])
    numpyro.sample("y", dist.Normal(MEAN[2] + jnp.dot(x - MEAN[:2], slope), rest))
    numpyro.sample("z", dist.Normal(0.0, Z_SD))


def sampled(kernel, **sizes):
    options = {"num_warmup": 300, "num_samples": 300, "num_chains": 2, "progress_bar": False}
    mcmc = MCMC(kernel, **{**options, **sizes})
    mcmc.run(jax.random.key(3))
    return mcmc


def learned(mcmc):
    return {
        names: np.asarray(values)
        for names, values in mcmc.last_state.adapt_state.inverse_mass_matrix.items()
    }


@pytest.fixture(scope="module", params=[(k, d) for k in KERNELS for d in BLOCKS], ids="-".join)
def run(request):
    kind, dense = request.param
    return sampled(KERNELS[kind](model, dense_mass=BLOCKS[dense])), dense


def test_the_draws_are_those_of_the_model(run):
    """Means and squares of 4 values within 5 of their standard errors: 4e-6 for all that run."""
    draws = {name: np.asarray(x) for name, x in run[0].get_samples(group_by_chain=True).items()}
    values = np.concatenate([draws["x"], draws["y"][..., None], draws["z"][..., None]], -1)
    centre = values - [*MEAN, 0.0]
    for moment, truth in ((centre, 0.0), (centre**2, np.diag(WHOLE))):
        moment = np.ascontiguousarray(moment, float)
        error = moment.mean((0, 1)) - truth
        assert (abs(error) < 5 * _core.mcse_mean(moment)).all()
    # whitened, a trajectory is a few steps; with a diagonal metric it takes some 30
    assert run[0]._result.run.stats["n_steps"].mean() < 15


def test_the_matrix_is_numpyros(run):
    """A normal's matrix is exact, but for shrinkage, once there are more draws than values."""
    mcmc, dense = run
    state = mcmc.last_state.adapt_state
    found = learned(mcmc)
    order = [2, 0, 1]  # y, x[0], x[1]
    if dense == "all":
        assert list(found) == [NAMES]
        wanted = {NAMES: WHOLE}
    else:
        assert set(found) == {("y", "x"), ("z",)}
        wanted = {("y", "x"): COVARIANCE[np.ix_(order, order)], ("z",): np.array([Z_SD**2])}
    for names, matrix in wanted.items():
        assert found[names].shape == (2, *np.shape(matrix))
        scale = np.sqrt(np.outer(*2 * [np.diag(matrix)])) if np.ndim(matrix) == 2 else Z_SD**2
        np.testing.assert_allclose(found[names] / scale, [matrix / scale] * 2, atol=1e-2)
        if np.ndim(matrix) == 2:
            root = np.asarray(state.mass_matrix_sqrt[names], float)
            inverse = np.asarray(state.mass_matrix_sqrt_inv[names], float)
            upper = np.triu_indices(len(matrix), 1)
            for chain in range(2):
                assert not root[chain][upper].any()
                assert not inverse[chain][upper].any()
                np.testing.assert_allclose(
                    inverse[chain].T @ inverse[chain] / scale, found[names][chain] / scale,
                    atol=1e-5,
                )  # fmt: skip
                np.testing.assert_allclose(root[chain] @ inverse[chain], np.eye(len(root[chain])),
                                           atol=1e-4)  # fmt: skip


def test_a_state_goes_on_with_its_matrix(run):
    mcmc, _ = run
    fresh = MCMC(mcmc.sampler, num_warmup=300, num_samples=50, num_chains=2, progress_bar=False)
    fresh.post_warmup_state = pickle.loads(pickle.dumps(mcmc.last_state))
    fresh.run(jax.random.key(8))
    for names, matrix in learned(mcmc).items():
        np.testing.assert_array_equal(learned(fresh)[names], matrix)
    assert fresh._result.run.stats["n_steps"].mean() < 15
    given = {names: np.asarray(x) * 4 for names, x in learned(mcmc).items()}
    state = mcmc.last_state
    changed = state.adapt_state._replace(inverse_mass_matrix=given)
    fresh.post_warmup_state = state._replace(adapt_state=changed)
    fresh.run(jax.random.key(8))
    for names, matrix in given.items():
        np.testing.assert_allclose(learned(fresh)[names], matrix, rtol=1e-6)


def test_one_chain_has_no_axis_of_chains():
    mcmc = sampled(NUTS(model, dense_mass=True), num_chains=1, num_warmup=30, num_samples=2)
    assert learned(mcmc)[NAMES].shape == (4, 4)


GIVEN = {  # what is given -> NumPyro's layout of what is kept
    "matrix": ({"dense_mass": True, "inverse_mass_matrix": WHOLE}, {NAMES: WHOLE}),
    "vector": (
        {"dense_mass": True, "inverse_mass_matrix": np.diag(WHOLE)},
        {NAMES: np.diag(np.diag(WHOLE))},
    ),
    "blocks": (
        {
            "dense_mass": [("x",), ("z", "y")],
            "inverse_mass_matrix": {("z", "y"): WHOLE[np.ix_([3, 2], [3, 2])]},
        },
        {("x",): np.eye(2), ("z", "y"): WHOLE[np.ix_([3, 2], [3, 2])]},
    ),
    "the rest": (
        {"dense_mass": [("x",)], "inverse_mass_matrix": {("z",): np.array([9.0])}},
        {("x",): np.eye(2), ("z",): [9.0], ("y",): [1.0]},
    ),
    "diagonal": ({"inverse_mass_matrix": WHOLE}, {NAMES: np.diag(WHOLE)}),
}


@pytest.mark.parametrize("kind", list(KERNELS))
@pytest.mark.parametrize("name", list(GIVEN))
def test_a_given_matrix_is_kept(name, kind):
    given, wanted = GIVEN[name]
    kernel = KERNELS[kind](model, adapt_mass_matrix=False, **given)
    found = learned(sampled(kernel, num_warmup=20, num_samples=5))
    assert set(found) == set(wanted)
    for names, matrix in wanted.items():
        np.testing.assert_allclose(found[names], [matrix] * 2, rtol=1e-6)


def test_adaptation_begins_with_a_given_matrix():
    kernel = NUTS(model, dense_mass=True, inverse_mass_matrix=4 * WHOLE)
    ratio = {
        tune: np.diagonal(learned(sampled(kernel, num_warmup=tune, num_samples=1))[NAMES], 0, 1, 2)
        / np.diag(WHOLE)
        for tune in (1, 300)
    }
    np.testing.assert_allclose(ratio[1], 4.0, rtol=1e-5)
    np.testing.assert_allclose(ratio[300], 1.0, rtol=1e-2)


def test_the_same_bits_on_any_number_of_threads():
    runs = [
        sampled(NUTS(model, dense_mass=[("x", "y")]), num_chains=3, num_warmup=80, num_samples=20,
                chain_method=method)
        for method in ("sequential", "parallel")
    ]  # fmt: skip
    one, two = (np.asarray(r._result.run.draws) for r in runs)
    np.testing.assert_array_equal(one, two)


def test_without_regularisation_too():
    mcmc = sampled(NUTS(model, dense_mass=True, regularize_mass_matrix=False))
    correlation = WHOLE / np.sqrt(np.outer(np.diag(WHOLE), np.diag(WHOLE)))
    scale = np.sqrt(np.outer(np.diag(WHOLE), np.diag(WHOLE)))
    np.testing.assert_allclose(learned(mcmc)[NAMES] / scale, [correlation] * 2, atol=1e-4)


def test_potential_functions_of_arrays():
    kernel = NUTS(potential_fn=lambda z: 0.5 * z @ jnp.linalg.inv(COVARIANCE) @ z, dense_mass=True)
    mcmc = MCMC(kernel, num_warmup=200, num_samples=10, num_chains=2, progress_bar=False)
    mcmc.run(jax.random.key(0), init_params=jnp.zeros((2, 3)))
    found = np.asarray(mcmc.last_state.adapt_state.inverse_mass_matrix)
    np.testing.assert_allclose(found / np.outer(SD, SD), [CORRELATION] * 2, atol=1e-2)


@pytest.mark.parametrize("dense", [False, True])
def test_the_warmup_has_a_depth_of_its_own(dense):
    kernel = NUTS(model, dense_mass=dense, max_tree_depth=(2, 3), step_size=1e-3,
                  adapt_step_size=False, adapt_mass_matrix=False)  # fmt: skip
    mcmc = MCMC(kernel, num_warmup=20, num_samples=20, progress_bar=False)
    mcmc.warmup(jax.random.key(0), extra_fields=("num_steps",), collect_warmup=True)
    assert np.max(mcmc.get_extra_fields()["num_steps"]) == 3
    mcmc.run(jax.random.key(0), extra_fields=("num_steps",))
    assert np.max(mcmc.get_extra_fields()["num_steps"]) == 7


def attempt(**settings):
    return lambda: sampled(NUTS(model, **settings), num_warmup=1, num_samples=1)


ASKEW = np.array([[1.0, 0.5], [0.2, 1.0]])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (attempt(dense_mass=["x", "y"]), r"dense_mass=.*list of tuples of site names"),
        (attempt(dense_mass="x"), "list of tuples"),
        (attempt(dense_mass=[("x", 1)]), "list of tuples"),
        (attempt(dense_mass=[("x", "w")]), "dense_mass: has 'w' which is no latent site"),
        (attempt(dense_mass=[("x", "y"), ("y",)]), "dense_mass: has 'y' twice"),
        (
            attempt(dense_mass=[("x", "y")], inverse_mass_matrix={("y", "x"): np.eye(3)}),
            "need the same tuples of names",
        ),
        (attempt(dense_mass=True, inverse_mass_matrix=np.eye(3)),
         r"shape \(3, 3\), expected \(4,\) or \(4, 4\)"),
        (attempt(dense_mass=[("x",)], inverse_mass_matrix={("x",): ASKEW}),
         r"inverse_mass_matrix\['x'\] is not symmetric: \[0, 1\] is 0.5, \[1, 0\] is 0.2"),
        (attempt(dense_mass=[("x",)], inverse_mass_matrix={("x",): 1 - np.eye(2)}),
         "not positive definite: its smallest eigenvalue is -1"),
        (attempt(dense_mass=[("x",)], inverse_mass_matrix={("x",): np.full((2, 2), np.nan)}),
         r"\[0, 0\] is nan"),
    ],
)  # fmt: skip
def test_mistakes_are_named(make, words):
    with pytest.raises(ParameterError, match=words):
        make()


def test_too_wide_a_matrix_is_refused():
    def wide():
        numpyro.sample("x", dist.Normal(0.0, 1.0).expand([2001]).to_event(1))

    with pytest.raises(ParameterError, match="2001 elements is too wide.*0.25 GB.*0.6 ms"):
        sampled(NUTS(wide, dense_mass=True), num_warmup=1, num_samples=1)
