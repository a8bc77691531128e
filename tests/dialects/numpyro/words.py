"""Words of NumPyro beside models: what each gives, as lists, numbers and texts.

Each case takes the modules numpyro and jax.numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np


def _plain(x: Any) -> Any:
    """What JSON can hold: sets as sorted lists, arrays as lists."""
    if isinstance(x, dict):
        return {str(key): _plain(value) for key, value in x.items()}
    if isinstance(x, (set, frozenset)):
        return sorted(x)
    if isinstance(x, (list, tuple)):
        return [_plain(value) for value in x]
    return x if x is None or isinstance(x, (str, bool)) else np.asarray(x).tolist()


def _module(numpyro: Any, name: str) -> Any:
    return import_module(f"{numpyro.__name__}.{name}")


# -- functions of arrays -------------------------------------------------------------------------

_RNG = np.random.default_rng(3)
_A = _RNG.normal(size=(2, 3, 3))
_SPD = _A @ _A.swapaxes(-1, -2) + np.eye(3)
_FACTOR = np.linalg.cholesky(_SPD)
_X = _RNG.normal(size=(2, 3))
_T = np.tanh(_RNG.normal(size=(2, 6)))
_CUBE = _RNG.normal(size=(4, 3, 2))

# function of `distributions.util` -> arguments, keywords
UTIL = {
    "add_diag": ((_SPD, _X), {}),
    "tri_logabsdet": ((_FACTOR,), {}),
    "cholesky_of_inverse": ((_SPD,), {}),
    "signed_stick_breaking_tril": ((_T,), {}),
    "vec_to_tril_matrix": ((_T,), {"diagonal": -1}),
    "matrix_to_tril_vec": ((_SPD,), {"diagonal": -1}),
    "safe_normalize": ((_X,), {"p": 2}),
    "logmatmulexp": ((_A, _SPD), {}),
    "logdiffexp": ((np.array([1.0, 2.0, 0.5]), np.array([0.9, -30.0, 0.5 - 1e-9])), {}),
    "binary_cross_entropy_with_logits": (
        (np.array([0.3, -2.0, np.inf, -np.inf, 40.0]), np.array([1.0, 0.0, 1.0, 0.0, 0.0])), {}),
    "multidigamma": ((np.array([3.0, 4.5]), 3), {}),
    "betainc": ((2.0, 3.0, np.array([0.1, 0.7])), {}),
    "scale_and_mask": ((_X, 2.0, np.array([True, False, True])), {}),
    "promote_shapes": ((_X, np.ones(3)), {"shape": (1, 1, 1), "return_shapes": True}),
    "sum_rightmost": ((_CUBE, 2), {}),
}  # fmt: skip


def util(numpyro: Any, jnp: Any) -> Any:
    """`distributions.util`."""
    words = _module(numpyro, "distributions.util")
    found = {}
    for name, (args, kwargs) in UTIL.items():
        arrays = [jnp.asarray(x) if isinstance(x, np.ndarray) else x for x in args]
        found[name] = getattr(words, name)(*arrays, **kwargs)
    return found


def vindex(numpyro: Any, jnp: Any) -> Any:
    """`ops.indexing.Vindex`."""
    index = _module(numpyro, "ops.indexing").Vindex
    x, i, j = jnp.asarray(_CUBE), jnp.array([2, 0]), jnp.array([[1], [0], [1]])
    whole = slice(None)
    return [index(x)[i, whole, j], index(x[:2])[..., i, j], index(x)[1], index(x)[..., 1],
            index(x)[1, j], index(x)[whole, whole, j], index(x[:2])[..., whole, i % 2],
            index(x)[...]]  # fmt: skip


def merged(numpyro: Any, jnp: Any) -> Any:
    """Draws from parts of the data."""
    words = _module(numpyro, "infer.hmc_util")
    rng = np.random.default_rng(1)
    parts = [
        {"a": jnp.asarray(rng.normal(i, 1 + i, (40, 2))), "b": jnp.asarray(rng.normal(size=40))}
        for i in range(3)
    ]
    return [[words.consensus(parts, diagonal=d), words.parametric(parts, diagonal=d)]
            for d in (True, False)]  # fmt: skip


def loops(numpyro: Any, jnp: Any) -> Any:
    """`numpyro.util`'s loops and maps."""
    words = _module(numpyro, "util")

    def grow(x: Any) -> Any:
        return {"a": x["a"] * 1.5, "b": x["b"] + x["a"]}

    first = {"a": jnp.array(1.0), "b": jnp.zeros(2)}
    collected = [
        words.fori_collect(2, 11, grow, first, transform=lambda x: x["b"], progbar=False,
                           thinning=thinning, collection_size=size)
        for thinning, size in ((1, None), (2, None), (4, 5))
    ]  # fmt: skip
    mapped = words.soft_vmap(lambda x: {"s": x.sum()}, jnp.asarray(_CUBE), 2, chunk_size=5)
    chosen = words.cond(True, 2.0, lambda x: x + 1, 3.0, lambda x: x)
    return [collected, mapped, chosen, words.fori_loop(0, 4, lambda i, x: x + i, 1.0),
            words.nested_attrgetter("a.b.1")({"a": {"b": [1.0, 2.0]}})]  # fmt: skip


def bases(numpyro: Any, jnp: Any) -> Any:
    """Bases and spectral densities of approximate processes."""
    space = _module(numpyro, "contrib.hsgp.laplacian")
    dens = _module(numpyro, "contrib.hsgp.spectral_densities")
    x, plane = jnp.linspace(-1.0, 1.0, 4), jnp.asarray(_X[:, :2] / 3)
    return [
        space.eigenindices([2, 1, 3], 3), space.sqrt_eigenvalues(1.2, 3, 2),
        space.eigenfunctions(x, 1.2, 3), space.eigenfunctions(plane, [1.2, 1.5], [2, 3]),
        space.eigenfunctions_periodic(x, 2.0, 3),
        dens.diag_spectral_density_squared_exponential(1.3, 0.4, 1.2, 5, 1),
        dens.diag_spectral_density_squared_exponential(1.3, jnp.array([0.4, 0.7]), 1.2, [2, 3], 2),
        dens.diag_spectral_density_matern(2.5, 1.3, 0.4, [1.2, 1.4], 3, 2),
        dens.diag_spectral_density_periodic(1.3, 0.4, 6),
        dens.diag_spectral_density_rational_quadratic(1.3, 0.4, 1.7, 1.2, 5, 1),
        dens.diag_spectral_density_rational_quadratic(1.3, 0.4, 2.7, 1.2, 2, 2),
    ]  # fmt: skip


# -- what depends on what ------------------------------------------------------------------------


def graphs(numpyro: Any, jnp: Any) -> dict[str, Any]:
    """Models whose structure is asked for."""
    dist = _module(numpyro, "distributions")
    normal, sample, plate = dist.Normal, numpyro.sample, numpyro.plate

    def collider() -> None:
        a, b = sample("a", normal(0, 1)), sample("b", dist.LogNormal(0, 1))
        sample("d", normal(sample("c", normal(a, b)), 1), obs=0.0)

    def summed() -> None:
        with plate("p", 5):
            a = sample("a", normal(0, 1))
        sample("b", normal(a.sum(), 1), obs=0.0)

    def with_parameter() -> None:
        a = sample("a", normal(0, 1))
        t = numpyro.deterministic("t", a * 2)
        numpyro.factor("f", -(t**2))
        s = numpyro.param("s", 1.0, constraint=dist.constraints.positive)
        with plate("N", 3):
            sample("y", normal(t, s), obs=jnp.zeros(3))

    def crossed() -> None:
        with plate("x", 3, dim=-1):
            a = sample("a", normal(0, 1))
        with plate("y", 4, dim=-2):
            b = sample("b", dist.HalfNormal(1.0))
        with plate("y", 4, dim=-2), plate("x", 3, dim=-1):
            sample("o", dist.Bernoulli(logits=sample("c", normal(a, b))), obs=jnp.zeros((4, 3)))

    def nested() -> None:
        with plate("a", 3), plate("b", 4, dim=-2), plate("c", 2, dim=-3):
            sample("x", normal(0, 1))
        with plate("d", 3):
            sample("u", dist.ImproperUniform(dist.constraints.positive, (), ()))

    def mixture() -> None:
        w = sample("w", dist.Dirichlet(jnp.ones(3)))
        with plate("k", 3):
            mu = sample("mu", normal(0, 1))
        with plate("n", 5):
            parts = dist.MixtureSameFamily(dist.Categorical(probs=w), normal(mu, 1.0))
            sample("y", parts, obs=jnp.zeros(5))

    def observed_parent() -> None:
        a = sample("a", normal(0, 1))
        sample("z", normal(sample("y", normal(a, 1), obs=0.3), 1), obs=0.1)

    def shared_plate() -> None:
        with plate("p", 2):
            a = sample("a", normal(0, 1))
            b = sample("b", normal(a, 1))
            sample("c", normal(b, 1), obs=jnp.zeros(2))
        sample("e", normal(a.sum() + b.sum(), 1.0), obs=0.0)

    return {f.__name__: f for f in (collider, summed, with_parameter, crossed, nested, mixture,
                                    observed_parent, shared_plate)}  # fmt: skip


def structure(numpyro: Any, jnp: Any) -> Any:
    """Dependencies, relations and specifications of drawings."""
    words = _module(numpyro, "infer.inspect")
    found = {}
    for name, model in graphs(numpyro, jnp).items():
        relations = words.get_model_relations(model)
        spec = words.generate_graph_specification(relations, render_params=True)
        spec["edge_list"] = sorted(spec["edge_list"])
        spec["plate_groups"] = {str(k): sorted(v) for k, v in spec["plate_groups"].items()}
        found[name] = [words.get_dependencies(model), relations, spec]
    return found


def shapes(numpyro: Any, jnp: Any) -> Any:
    """`numpyro.util.format_shapes`."""
    handlers, show = _module(numpyro, "handlers"), _module(numpyro, "util").format_shapes
    found = []
    for name in ("with_parameter", "crossed", "mixture", "summed"):
        model = handlers.seed(graphs(numpyro, jnp)[name], 0)
        trace = handlers.trace(model).get_trace()
        found += [show(trace), show(trace, compute_log_prob=True, title="Shapes")]
    return found


CASES = {f.__name__: f for f in (util, vindex, merged, loops, bases, structure, shapes)}


ARRAYS = ("util", "vindex", "merged", "loops", "bases")  # what can be run as one function of JAX


def value(name: str, numpyro: Any, jnp: Any, jit: Any = None) -> Any:
    """What a case gives; compiled as one function, where that is possible."""

    def run() -> Any:
        return CASES[name](numpyro, jnp)

    return _plain(run() if jit is None or name not in ARRAYS else jit(run)())
