"""Models of what NumPyro has beside its core: reparametrisations, branches, approximate processes.

As in `models`: each takes the modules numpyro, distributions and jax.numpy and a generator, and
gives a model function and its data.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def _module(numpyro: Any, name: str) -> Any:
    return import_module(f"{numpyro.__name__}.{name}")


def _reparametrised(name: str, fn: Any, strategy: Any) -> Any:
    """A model of one site, written with other variables."""

    def maker(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
        ways = _module(numpyro, "infer.reparam")
        handlers = _module(numpyro, "handlers")

        def run(y: Any) -> None:
            x = numpyro.sample("x", fn(dist, jnp))
            numpyro.sample("y", dist.Normal(jnp.sum(x), 1.0), obs=y)

        given = strategy(ways, dist, jnp)
        return handlers.reparam(run, config={"x": given}), {"y": 0.3}

    maker.__name__ = name
    return maker


REPARAMETRISED = tuple(_reparametrised(*row) for row in (
    ("haar", lambda dist, jnp: dist.GaussianRandomWalk(0.5, 7),
     lambda ways, dist, jnp: ways.HaarReparam(dim=-1)),
    ("haar_flipped", lambda dist, jnp: dist.Normal(jnp.arange(6.0).reshape(2, 3), 1.5).to_event(2),
     lambda ways, dist, jnp: ways.HaarReparam(dim=-2, flip=True)),
    ("cosine_positive", lambda dist, jnp: dist.LogNormal(jnp.zeros(6), 1.0).to_event(1),
     lambda ways, dist, jnp: ways.DiscreteCosineReparam(smooth=1.0)),
    ("cosine_no_event", lambda dist, jnp: dist.Normal(jnp.zeros(6), 1.0),
     lambda ways, dist, jnp: ways.DiscreteCosineReparam(smooth=0.5)),
    ("unit_jacobian", lambda dist, jnp: dist.Normal(jnp.arange(4.0), 1.0).to_event(1),
     lambda ways, dist, jnp: ways.UnitJacobianReparam(
         dist.transforms.PermuteTransform(jnp.array([2, 0, 1, 3])), "moved")),
    ("projected", lambda dist, jnp: dist.ProjectedNormal(jnp.array([1.0, 2.0, -0.5])),
     lambda ways, dist, jnp: ways.ProjectedNormalReparam()),
    ("circular", lambda dist, jnp: dist.VonMises(jnp.array([1.0, 2.0]), 2.0).to_event(1),
     lambda ways, dist, jnp: ways.CircularReparam()),
    ("explicit", lambda dist, jnp: dist.Gamma(4.0, jnp.ones(3)).to_event(1),
     lambda ways, dist, jnp: ways.ExplicitReparam(
         [dist.transforms.ExpTransform().inv, dist.transforms.AffineTransform(1.0, 2.0)])),
    ("location_and_scale", lambda dist, jnp: dist.StudentT(4.0, jnp.ones(3), 2.0),
     lambda ways, dist, jnp: ways.LocScaleReparam(0.3, shape_params=("df",))),
))  # fmt: skip


def branches(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    """Sites, data and deterministic values in both branches; one depends on another."""
    cond = _module(numpyro, "contrib.control_flow").cond

    def run(y: Any) -> None:
        s = numpyro.sample("s", dist.HalfNormal(1.0))

        def branch(sign: float, wide: float, far: float) -> Any:
            def body(o: Any) -> Any:
                a = numpyro.sample("a", dist.Uniform(0.0, 2.0))
                b = numpyro.sample("b", dist.Normal(sign * a * o, wide * s).expand([2]).to_event(1))
                numpyro.sample("y", dist.Normal(b, far).to_event(1), obs=y)
                numpyro.deterministic("d", a + sign)
                return b.sum() * far

            return body

        r = cond(s < 0.8, branch(1.0, 1.0, 1.0), branch(-1.0, 2.0, 3.0), 3.0)
        numpyro.factor("f", -0.1 * r**2)

    return run, {"y": jnp.array([1.0, 2.0])}


def branches_with_plates(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    """Plates inside of the branches."""
    cond = _module(numpyro, "contrib.control_flow").cond

    def run() -> None:
        p = numpyro.sample("p", dist.Beta(2.0, 2.0))

        def branch(shape: float, more: float) -> Any:
            def body(o: Any) -> Any:
                with numpyro.plate("N", 3):
                    return numpyro.sample("g", dist.Gamma(shape, more + o))

            return body

        numpyro.deterministic("q", cond(p > 0.5, branch(2.0, 0.0), branch(3.0, 1.0), p).sum())

    return run, {}


def branches_in_a_loop(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
    """A branch in the body of a loop."""
    control = _module(numpyro, "contrib.control_flow")

    def run(y: float) -> None:
        z = numpyro.sample("z", dist.Normal(0.0, 1.0))

        def step(carry: Any, i: Any) -> Any:
            w = control.cond(
                i > 1,
                lambda o: numpyro.sample("w", dist.Normal(o, 1.0)),
                lambda o: numpyro.sample("w", dist.Normal(0.0, 2.0)),
                carry,
            )
            return w, w

        _, ws = control.scan(step, z, jnp.arange(4))
        numpyro.sample("y", dist.Normal(ws[-1], 1.0), obs=y)

    return run, {"y": 1.0}


def _process(name: str, call: Any) -> Any:
    """A regression on an approximate process."""

    def maker(numpyro: Any, dist: Any, jnp: Any, rng: Any) -> Any:
        hsgp = _module(numpyro, "contrib.hsgp.approximation")

        def run(x: Any, y: Any) -> None:
            alpha = numpyro.sample("alpha", dist.HalfNormal(1.0))
            length = numpyro.sample("length", dist.InverseGamma(3.0, 2.0))
            f = call(hsgp, numpyro, dist)(x, alpha, length)
            numpyro.sample("y", dist.Normal(f, 0.3), obs=y)

        x = jnp.asarray(rng.uniform(-1.0, 1.0, (9, 2) if "plane" in name else 9))
        return run, {"x": x, "y": jnp.asarray(rng.normal(size=9))}

    maker.__name__ = name
    return maker


def _rational(hsgp: Any, numpyro: Any, dist: Any) -> Any:
    mixed = numpyro.sample("mixed", dist.Gamma(4.0, 2.0)) + 0.6
    return lambda x, a, s: hsgp.hsgp_rational_quadratic(x, a, s, mixed, ell=1.4, m=5)


PROCESSES = tuple(_process(*row) for row in (
    ("process_squared", lambda hsgp, *rest: lambda x, a, s: hsgp.hsgp_squared_exponential(
        x, a, s, ell=1.3, m=6)),
    ("process_plane", lambda hsgp, *rest: lambda x, a, s: hsgp.hsgp_squared_exponential(
        x, a, s, ell=[1.3, 1.6], m=[3, 2], non_centered=False)),
    ("process_matern", lambda hsgp, *rest: lambda x, a, s: hsgp.hsgp_matern(
        x, 1.5, a, s, ell=1.3, m=6)),
    ("process_rational", _rational),
    ("process_periodic", lambda hsgp, *rest: lambda x, a, s: hsgp.hsgp_periodic_non_centered(
        x, a, s, w0=2.0, m=5)),
))  # fmt: skip

WORDS = {
    maker.__name__: maker
    for maker in (
        *REPARAMETRISED, branches, branches_with_plates, branches_in_a_loop, *PROCESSES,
    )
}  # fmt: skip
