"""A traced model function as a `finetti.model.Model`, the same that PyMC's words make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from finetti.dialects.jaxpr.walk import Walk, constant
from finetti.dialects.numpyro.checks import (
    CANNOT_START,
    InvalidStart,
    missing_plates,
    refuse_discrete,
)
from finetti.dialects.numpyro.sites import NAME, Site, record
from finetti.dist import Flat, resolve
from finetti.dist.base import Distribution, known, make_rv
from finetti.dist.bijectors import bijector_for
from finetti.dist.weighted import MASK, WEIGHT, weighted
from finetti.errors import FinettiError, ParameterError
from finetti.ir import FLOAT, Tensor, ops
from finetti.model.data import at_row
from finetti.model.model import Model
from finetti.model.variables import Deterministic, Potential


@dataclass
class Translated:
    """A model function as a model.

    Parameters
    ----------
    model : Model
        The model.
    sites : dict
        Name -> site.
    call : tuple
        The model function, its arguments and its keywords.
    values : dict
        Name -> value of every site that has one.
    terms : dict
        Name -> log density of what is observed and of factors, one number an event: with its mask
        and without its scale.
    gaps : dict
        Name -> where its data are NaN, of observed sites whose mask does not hide that.
    """

    model: Model
    sites: dict[str, Site]
    call: tuple[Any, Any, Any]
    values: dict[str, Tensor] = field(default_factory=dict)
    terms: dict[str, Tensor] = field(default_factory=dict)
    gaps: dict[str, str] = field(default_factory=dict)

    def names(self, *kinds: str) -> list[str]:
        """Names of the sites of some kinds, in order."""
        return [name for name, site in self.sites.items() if site.kind in kinds]


def translate(
    model: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: dict[str, Any] | None = None,
    **options: Any,
) -> Translated:
    """Trace a model function and build its model.

    Parameters
    ----------
    model : callable
        The model function.
    args, kwargs
        Its arguments.
    **options
        As `record` takes them.
    """
    program = record(model, args, kwargs, **options)
    result = Translated(Model(model=None), program.sites, (model, args, kwargs or {}))
    with jax.ensure_compile_time_eval():
        builder = _Builder(result)
        Walk({NAME: builder.site}, "model").closed(program.closed, [])
    return result


@dataclass
class _Builder:
    """Registers each site when the walk comes to it."""

    result: Translated

    def site(self, eqn: Any, operands: list[Any]) -> list[Any]:
        """What an equation of a site means: the model has it from now on."""
        site: Site = eqn.params["site"]
        values = {role: constant(value) for role, value in site.fixed.items() if value is not None}
        values.update(zip(site.roles, operands, strict=True))
        try:
            with self.result.model:
                tensor: Tensor = getattr(self, f"_{site.kind}")(site, values)
        except FinettiError as error:
            if f"{site.name!r}" in str(error):
                raise
            raise type(error)(f"site {site.name!r}: {error}") from None
        if site.kind != "factor":
            self.result.values[site.name] = tensor
        return [tensor] if site.kind == "latent" else []

    # -- kinds of sites
    def _deterministic(self, site: Site, values: dict[str, Tensor]) -> Tensor:
        return Deterministic(site.name, values["value"])

    def _factor(self, site: Site, values: dict[str, Tensor]) -> Tensor:
        term = ops.as_tensor(values["value"])
        if not site.hidden:
            self.result.terms[site.name] = term
        return Potential(site.name, term * values["scale"] if "scale" in values else term)

    def _latent(self, site: Site, values: dict[str, Tensor]) -> Tensor:
        model = self.result.model
        if site.record == "flat":
            return model.register_rv(make_rv(Flat, {}, site.shape), site.name)
        dist, params = self._distribution(site, values)
        variable = model.register_rv(
            make_rv(dist, params, site.shape, where=f"site {site.name!r}"), site.name
        )
        if "scale" in values or "jacobian" in values:
            weight = values.get("scale", ops.as_tensor(1.0))
            if "jacobian" in values:
                weight = weight * ops.cast(values["jacobian"], FLOAT)
            self._weighted_jacobian(site, dist, params, variable, weight)
        return variable

    def _weighted_jacobian(
        self, site: Site, dist: Distribution, params: Any, variable: Tensor, weight: Tensor
    ) -> None:
        """Handlers that scale or mask a site do so with the Jacobian of its transform too."""
        bijector = None if dist.discrete else bijector_for(dist.support(**params))
        if bijector is None:
            return
        log_det = bijector.log_det(bijector.forward(variable))
        inner = log_det.ndim - (len(site.shape) - dist.event_ndim - site.inner)
        if inner > 0:
            log_det = ops.sum_(log_det, tuple(range(-inner, 0)))
        Potential(f"_{site.name}_log_det", ops.sum_(log_det * (weight - 1.0)))

    def _observed(self, site: Site, values: dict[str, Tensor]) -> Tensor:
        data = ops.broadcast_to(values["value"], site.shape)
        dist, params = self._distribution(site, values)
        number = known(data)
        if dist.discrete and number is not None and (number == np.floor(number)).all():
            number = number.astype(int)
        value = data if number is None else ops.as_tensor(number)
        if not site.hidden:
            self._term(site, values, value)
        if number is not None and number.dtype.kind == "f" and np.isnan(number).any():
            self.result.gaps[site.name] = at_row(number, int(np.flatnonzero(np.isnan(number))[0]))
        # data with random variables among them; missing data are no data in NumPyro
        if number is None or site.name in self.result.gaps:
            Potential(site.name, dist.logp(value, inside=False, **params))
        else:
            rv = make_rv(dist, params, site.shape, where=f"site {site.name!r}")
            self.result.model.register_rv(rv, site.name, observed=number)
        return value

    def _term(self, site: Site, values: dict[str, Tensor], data: Tensor) -> None:
        """The log density of each event, for `log_likelihood`."""
        plain = {role: value for role, value in values.items() if role != "scale"}
        dist, params = self._distribution(site, plain)
        term = dist.logp(data, inside=False, **params)
        axes = tuple(range(-site.inner, 0))
        self.result.terms[site.name] = ops.sum_(term, axes) if axes else term

    def _distribution(
        self, site: Site, values: dict[str, Tensor]
    ) -> tuple[Distribution, dict[str, Tensor]]:
        """The record and parameters of a site, with its scale and mask."""
        where = f"site {site.name!r}"
        given = {
            role.removeprefix("param:"): _single(value)
            for role, value in values.items()
            if role.startswith("param:")
        }
        if isinstance(site.record, Distribution):
            dist, params = resolve(site.record, given, where)
        else:
            dist, params = site.record(**given)
        weight, mask = values.get("scale"), values.get("mask")
        if weight is None and mask is None:
            return dist, params
        params = {name: ops.as_tensor(params[name]) for name in dist.params}
        inner = (1,) * site.inner
        if weight is not None:
            params[WEIGHT] = ops.reshape(weight, (*weight.shape, *inner))
        if mask is not None:
            params[MASK] = ops.cast(mask, FLOAT)
        return weighted(dist, weight is not None, mask is not None), params


def _single(value: Tensor) -> Tensor:
    """Numbers given as arrays of floats of 32 bits or booleans, as floats."""
    number = ops.constant_value(value)
    if number is not None and number.dtype.kind == "b":
        return ops.as_tensor(number.astype(FLOAT))
    return value


def check_continuous(translated: Translated, where: str) -> None:
    """Refuse latent sites that NUTS cannot move: discrete ones, and points.

    Raises
    ------
    NotYetSupported
        For discrete sites.
    ValueError
        For a site of `Delta`.
    """
    sites = translated.sites
    points = [name for name, site in sites.items() if site.distribution == "Delta"]
    if points:
        raise ParameterError(
            f"{where}: site {points[0]!r} has a Delta distribution, which is one point: write "
            "`numpyro.deterministic` for it."
        )
    names = [
        name for name, site in sites.items()
        if site.kind == "latent" and np.dtype(site.dtype).kind != "f"
    ]  # fmt: skip
    if names:
        refuse_discrete(names, where)
    for name, where_nan in translated.gaps.items():
        raise InvalidStart(
            f"{CANNOT_START} The data of site {name!r} are NaN {where_nan}: leave such rows out, "
            "or hide them by `numpyro.handlers.mask`, or give `obs_mask=`, which makes them latent."
        )
    missing_plates(sites)
