"""Reparametrisations: strategies that write a site with other variables."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from finetti.dialects.numpyro import distributions as dist
from finetti.dialects.numpyro.distributions.transforms import (
    ComposeTransform,
    DiscreteCosineTransform,
    HaarTransform,
)
from finetti.dialects.numpyro.distributions.util import (
    is_concrete,
    is_identically_one,
    is_identically_zero,
    safe_normalize,
)
from finetti.dialects.numpyro.primitives import _PYRO_STACK, factor, param, plate, sample
from finetti.errors import NotYetSupported, ParameterError, SupportError

__all__ = [
    "CircularReparam", "DiscreteCosineReparam", "ExplicitReparam", "HaarReparam",
    "LocScaleReparam", "NeuTraReparam", "ProjectedNormalReparam", "Reparam", "TransformReparam",
    "UnitJacobianReparam",
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
        if centered is not None and is_concrete(centered):
            if not np.all((np.asarray(centered) >= 0) & (np.asarray(centered) <= 1)):
                raise SupportError(f"LocScaleReparam: centered={centered!r}, expected 0 to 1.")
        self.centered, self.shape_params = centered, shape_params

    def __call__(self, name: str, fn: Any, obs: Any) -> tuple[Any, Any]:
        _unobserved(obs, name, "LocScaleReparam")
        if _support(fn) is not dist.constraints.real:
            raise SupportError(
                f"LocScaleReparam: site {name!r} has the support {_support(fn)}, expected all real "
                "numbers. Write it as a `TransformedDistribution` and use `TransformReparam`."
            )
        if is_identically_one(self.centered):
            return fn, None
        event_shape = fn.event_shape
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
                f"{name}_centered", jnp.full(event_shape, 0.5),
                constraint=dist.constraints.unit_interval,
            )  # fmt: skip
        else:
            centered = self.centered
        if is_identically_zero(centered):
            params.update(loc=jnp.zeros(jnp.shape(loc)), scale=jnp.ones(jnp.shape(scale)))
        else:
            params.update(loc=loc * centered, scale=scale**centered)
        base = self._wrap(type(fn)(**params), batch, events)
        value = sample(f"{name}_decentered", base)
        if is_identically_zero(centered):
            return None, loc + scale * value
        return None, loc + scale ** (1 - centered) * (value - centered * loc)


def _support(fn: Any) -> Any:
    """Where single numbers lie."""
    support = fn.support
    return support.base_constraint if isinstance(support, dist.constraints.independent) else support


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
    transform : Transform or sequence of Transform
        From the variable to its base.
    """

    def __init__(self, transform: Any) -> None:
        if isinstance(transform, (list, tuple)):
            transform = ComposeTransform(list(transform))
        self.transform = transform

    def __call__(self, name: str, fn: Any, obs: Any) -> tuple[Any, Any]:
        _unobserved(obs, name, "ExplicitReparam")
        value = sample(f"{name}_base", dist.TransformedDistribution(fn, self.transform))
        return None, self.transform.inv(value)


class UnitJacobianReparam(Reparam):
    """Draws ``<name>_<suffix>``: the unconstrained values after a transform that keeps volumes.

    Parameters
    ----------
    transform : Transform
        The transform; its axes have to belong to the event.
    suffix : str
        The end of the new site's name.
    """

    def __init__(self, transform: Any, suffix: str = "transformed") -> None:
        self.transform, self.suffix = transform, suffix

    def __call__(self, name: str, fn: Any, obs: Any) -> tuple[Any, Any]:
        who = type(self).__name__
        _unobserved(obs, name, who)
        inner, batch, events = self._unwrap(fn)
        axes = self.transform.domain.event_dim
        in_plate = any(isinstance(handler, plate) for handler in _PYRO_STACK)
        if events < axes and (in_plate or len(fn.shape()) < axes):
            raise ParameterError(
                f"{who}: site {name!r} has events of {events} axes, the transform needs {axes}. "
                f"Write `.to_event({axes - events + fn.event_dim - inner.event_dim})` after its "
                "distribution, so that the axis belongs to the event."
            )
        whole = ComposeTransform([dist.biject_to(inner.support).inv, self.transform])
        base = self._wrap(inner, batch, max(events, axes))
        base = dist.TransformedDistribution(base, whole)
        return None, whole.inv(sample(f"{name}_{self.suffix}", base))


class HaarReparam(UnitJacobianReparam):
    """Draws ``<name>_haar``: coefficients of Haar's wavelets along an axis.

    Parameters
    ----------
    dim : int
        The axis, counted from the right: negative.
    flip : bool
        Whether the axis is turned around first.
    """

    def __init__(self, dim: int = -1, flip: bool = False) -> None:
        super().__init__(HaarTransform(dim=dim, flip=flip), suffix="haar")


class DiscreteCosineReparam(UnitJacobianReparam):
    """Draws ``<name>_dct``: coefficients of cosines along an axis.

    Parameters
    ----------
    dim : int
        The axis, counted from the right: negative.
    smooth : float
        How smooth the variable is along the axis: 0 for white noise, 1 for a random walk.
    """

    def __init__(self, dim: int = -1, smooth: float = 0.0) -> None:
        super().__init__(DiscreteCosineTransform(dim=dim, smooth=smooth), suffix="dct")


class ProjectedNormalReparam(Reparam):
    """Draws a `ProjectedNormal` as standard normal numbers ``<name>_normal`` around its vector."""

    def __call__(self, name: str, fn: Any, obs: Any) -> tuple[Any, Any]:
        _unobserved(obs, name, "ProjectedNormalReparam")
        inner, batch, events = self._unwrap(fn)
        if not isinstance(inner, dist.ProjectedNormal):
            raise ParameterError(
                f"ProjectedNormalReparam: site {name!r} has the distribution "
                f"{type(inner).__name__}, expected ProjectedNormal."
            )
        base = dist.Normal(jnp.zeros(jnp.shape(inner.concentration)), 1.0).to_event(1)
        noise = sample(f"{name}_normal", self._wrap(base, batch, events))
        return None, safe_normalize(noise + inner.concentration)


class CircularReparam(Reparam):
    """Draws an angle on the whole line (``<name>_unwrapped``) and wraps it."""

    def __call__(self, name: str, fn: Any, obs: Any) -> tuple[Any, Any]:
        if _support(fn) is not dist.constraints.circular:
            raise ParameterError(
                f"CircularReparam: site {name!r} is {type(fn).__name__}, which is no angle: "
                "expected a distribution on the circle, e.g. VonMises."
            )
        _unobserved(obs, name, "CircularReparam")
        flat = dist.ImproperUniform(dist.constraints.real, fn.batch_shape, fn.event_shape)
        value = sample(f"{name}_unwrapped", flat)
        value = jnp.remainder(value + jnp.pi, 2 * jnp.pi) - jnp.pi
        factor(f"{name}_factor", fn.log_prob(value))
        return None, value


class NeuTraReparam(Reparam):
    """Refused: it needs a trained guide."""

    def __init__(self, guide: Any = None, params: Any = None) -> None:
        raise NotYetSupported(
            "numpyro.infer.reparam.NeuTraReparam: it takes a guide trained by variational "
            "inference, which is not there yet: sample the model itself, with `LocScaleReparam` "
            "where variables depend on their scale."
        )
