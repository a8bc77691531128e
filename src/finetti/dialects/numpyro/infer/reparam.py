"""Reparametrisations: strategies that write a site with other variables."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from finetti.dialects.numpyro import distributions as dist
from finetti.dialects.numpyro.primitives import factor, param, sample
from finetti.errors import NotYetSupported, ParameterError

__all__ = [
    "CircularReparam", "ExplicitReparam", "LocScaleReparam", "ProjectedNormalReparam", "Reparam",
    "TransformReparam",
]  # fmt: skip


class Reparam:
    """The base of strategies: ``strategy(name, fn, obs) -> (fn or None, value or None)``."""

    def __call__(self, name: str, fn: Any, obs: Any) -> tuple[Any, Any]:
        raise NotImplementedError

    @staticmethod
    def _unwrap(fn: Any) -> tuple[Any, tuple[int, ...], int]:
        """The distribution inside of `expand` and `to_event`, its batch shape and event axes."""
        shape, events = fn.shape(), fn.event_dim
        while isinstance(fn, (dist.Independent, dist.ExpandedDistribution)):
            fn = fn.base_dist
        batch = shape[: len(shape) - fn.event_dim]
        return fn, batch, events

    @staticmethod
    def _wrap(fn: Any, batch: tuple[int, ...], events: int) -> Any:
        """The distribution with that batch shape and so many event axes."""
        fn = fn.expand(batch)
        more = events - fn.event_dim
        return fn.to_event(more) if more > 0 else fn


def _unobserved(obs: Any, name: str, who: str) -> None:
    if obs is not None:
        raise ParameterError(
            f"{who}: site {name!r} is observed: only latent sites can be written with other "
            "variables."
        )


class LocScaleReparam(Reparam):
    """Draws a variable of location and scale partly without them.

    The new site ``<name>_decentered`` has the location ``centered * loc`` and the scale
    ``scale ** centered``.

    Parameters
    ----------
    centered : float, array_like or None
        0 (not at all centered) to 1; with None a `param` site ``<name>_centered``.
    shape_params : tuple of str
        Parameters beside loc and scale that stay; by default all there are.
    """

    def __init__(self, centered: Any = None, shape_params: Any = None) -> None:
        if centered is not None and bool(jnp.any((jnp.asarray(centered) < 0)
                                                 | (jnp.asarray(centered) > 1))):  # fmt: skip
            raise ParameterError(f"LocScaleReparam: centered={centered!r}, expected 0 to 1.")
        self.centered, self.shape_params = centered, shape_params

    def __call__(self, name: str, fn: Any, obs: Any) -> tuple[Any, Any]:
        _unobserved(obs, name, "LocScaleReparam")
        if _is_one(self.centered):
            return fn, None
        fn, batch, events = self._unwrap(fn)
        if not {"loc", "scale"} <= set(fn.arg_constraints):
            raise ParameterError(
                f"LocScaleReparam: site {name!r} has the distribution {type(fn).__name__}, which "
                "has no loc and scale."
            )
        others = self.shape_params
        others = set(fn.arg_constraints) - {"loc", "scale"} if others is None else others
        params = {key: getattr(fn, key) for key in others}
        loc, scale = fn.loc, fn.scale
        if self.centered is None:
            centered = param(
                f"{name}_centered", jnp.full(jnp.shape(loc), 0.5),
                constraint=dist.constraints.unit_interval,
            )  # fmt: skip
        else:
            centered = self.centered
        if _is_zero(centered):
            params.update(loc=jnp.zeros(jnp.shape(loc)), scale=jnp.ones(jnp.shape(scale)))
        else:
            params.update(loc=loc * centered, scale=scale**centered)
        base = self._wrap(type(fn)(**params), batch, events)
        value = sample(f"{name}_decentered", base)
        if _is_zero(centered):
            return None, loc + scale * value
        return None, loc + scale ** (1 - centered) * (value - centered * loc)


def _is_zero(centered: Any) -> bool:
    return isinstance(centered, (int, float)) and centered == 0


def _is_one(centered: Any) -> bool:
    return isinstance(centered, (int, float)) and centered == 1


class TransformReparam(Reparam):
    """Draws the base of a `TransformedDistribution` (``<name>_base``) and transforms it."""

    def __call__(self, name: str, fn: Any, obs: Any) -> tuple[Any, Any]:
        _unobserved(obs, name, "TransformReparam")
        inner, batch, events = self._unwrap(fn)
        if not isinstance(inner, dist.TransformedDistribution):
            raise ParameterError(
                f"TransformReparam: site {name!r} has the distribution {type(inner).__name__}, "
                "expected a TransformedDistribution."
            )
        base = inner.base_dist
        for transform in inner.transforms:
            events += transform.domain.event_dim - transform.codomain.event_dim
        shape = batch[: len(batch) + inner.event_dim - base.event_dim]
        base = self._wrap(base, shape, max(events, base.event_dim))
        value = sample(f"{name}_base", base)
        for transform in inner.transforms:
            value = transform(value)
        return None, value


class ExplicitReparam(Reparam):
    """Draws ``<name>_base``, from which a given transform makes the variable.

    Parameters
    ----------
    transform : Transform
        The transform of the variable to its base.
    """

    def __init__(self, transform: Any) -> None:
        self.transform = transform

    def __call__(self, name: str, fn: Any, obs: Any) -> tuple[Any, Any]:
        _unobserved(obs, name, "ExplicitReparam")
        inner, batch, events = self._unwrap(fn)
        base = dist.TransformedDistribution(inner, self.transform)
        value = sample(f"{name}_base", self._wrap(base, batch, events))
        return None, self.transform.inv(value)


class ProjectedNormalReparam(Reparam):
    """Draws a `ProjectedNormal` as a normal vector ``<name>_normal``, divided by its length."""

    def __call__(self, name: str, fn: Any, obs: Any) -> tuple[Any, Any]:
        _unobserved(obs, name, "ProjectedNormalReparam")
        inner, batch, events = self._unwrap(fn)
        if not isinstance(inner, dist.ProjectedNormal):
            raise ParameterError(
                f"ProjectedNormalReparam: site {name!r} has the distribution "
                f"{type(inner).__name__}, expected ProjectedNormal."
            )
        base = dist.Normal(inner.concentration, 1.0).to_event(1)
        value = sample(f"{name}_normal", self._wrap(base, batch, events))
        # the direction of a vector that is a little off the origin
        return None, (value + 1e-20) / jnp.linalg.norm(value + 1e-20, axis=-1, keepdims=True)


class CircularReparam(Reparam):
    """Draws an angle on the whole line (``<name>_unwrapped``) and wraps it."""

    def __call__(self, name: str, fn: Any, obs: Any) -> tuple[Any, Any]:
        if fn.support is not dist.constraints.circular:
            raise ParameterError(f"CircularReparam: site {name!r} is no angle.")
        flat = dist.ImproperUniform(dist.constraints.real, fn.batch_shape, fn.event_shape)
        value = sample(f"{name}_unwrapped", flat, obs=obs)
        value = jnp.remainder(value + jnp.pi, 2 * jnp.pi) - jnp.pi
        factor(f"{name}_factor", fn.log_prob(value))
        return None, value


def _refused(name: str) -> type:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        raise NotYetSupported(f"numpyro.infer.reparam.{name} is not there yet.")

    return type(name, (Reparam,), {"__init__": __init__, "__doc__": "Refused: not there yet."})


REFUSED = {
    name: _refused(name)
    for name in ("DiscreteCosineReparam", "HaarReparam", "NeuTraReparam", "UnitJacobianReparam")
}


def __getattr__(name: str) -> Any:
    if name in REFUSED:
        return REFUSED[name]
    raise AttributeError(f"numpyro.infer.reparam has no {name!r}")
