"""PyMC's distributions that are made of others, or take more than parameters: their spelling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from finetti import dist
from finetti.dialects.pymc.names import COMPOSED
from finetti.dialects.pymc.spelling import DistributionFace, lengths
from finetti.dist import censored, diracdelta, lkj, mixture, ordered, truncated, walks, zerosum
from finetti.dist.base import Distribution, rv_params
from finetti.dist.compose import take_apart
from finetti.errors import ParameterError, ShapeError, warn
from finetti.ir import Tensor, ops
from finetti.model.context import current
from finetti.model.dims import as_dims
from finetti.model.observed import observed_tensor
from finetti.model.variables import Deterministic

_ROWS = {row.name: row for row in COMPOSED}


def _callable(kind: type[DistributionFace]) -> DistributionFace:
    """The one callable of a spelling."""
    return kind(_ROWS[kind.__name__])


Meaning = tuple[Distribution, dict[str, Any]]
Given = Mapping[str, Any]


def _required(given: Given, names: tuple[str, ...], owner: str) -> None:
    for name in names:
        if given.get(name) is None:
            needed = ", ".join(names)
            raise ParameterError(f"{owner}: parameter {name} is missing; it needs {needed}.")


def _shape_asked(options: Given, owner: str) -> tuple[Any, ...] | None:
    """The shape that `shape`, `dims` or `observed` ask for."""
    if options.get("shape") is not None:
        return lengths(options["shape"], "shape", owner)
    names = as_dims(options.get("dims"), owner)
    if names is not None:
        model: Any = current()
        return model.dims.sizes(names, owner)  # type: ignore[no-any-return]
    if options.get("observed") is not None:
        return observed_tensor(options["observed"], owner).shape
    return None


def _moments(given: Given, options: Given, begin: int, owner: str) -> int:
    """The length of a series of which `begin` numbers come before the first step."""
    steps = given.get("steps")
    if steps is not None:
        # A length of data is an int too, and remembers where it came from.
        whole = steps if isinstance(steps, int) else lkj.whole_number(steps, "steps", owner)
        return begin + whole
    shape = _shape_asked(options, owner)
    if not shape:
        raise ParameterError(f"{owner}: how long is it? Give steps=, shape=, dims= or observed=.")
    return shape[-1]  # type: ignore[no-any-return]


def _flag(given: Given, name: str, default: bool, owner: str) -> bool:
    value = given.get(name)
    if value is None:
        return default
    if value not in (True, False):
        raise ParameterError(f"{owner}: {name}={value!r}: expected True or False.")
    return bool(value)


@_callable
class DiracDelta(DistributionFace):
    """A number: its dtype decides the record."""

    def meaning(self, given: Given, options: Given, owner: str) -> Meaning:
        _required(given, ("c",), owner)
        return dist.resolve(diracdelta.of(given["c"]), given, owner)


@_callable
class OrderedLogistic(DistributionFace):
    """Its probabilities are a deterministic of their own."""

    extra = ("compute_p",)

    def finish(self, rv: Tensor, given: Given, options: Given) -> Tensor:
        if rv.name is not None and _flag(options, "compute_p", True, rv.name):
            eta, cutpoints = rv.node.args
            Deterministic(f"{rv.name}_probs", ordered.probabilities(Tensor(eta), Tensor(cutpoints)))
        return rv


@_callable
class CAR(DistributionFace):
    """Its record calls the graph and the strength of the dependence by other names."""

    def meaning(self, given: Given, options: Given, owner: str) -> Meaning:
        _required(given, ("mu", "W", "alpha", "tau"), owner)
        _flag(given, "sparse", False, owner)  # the same numbers either way
        graph = given["W"].toarray() if hasattr(given["W"], "toarray") else given["W"]
        graph = dist.as_param("W", graph, owner)
        known = dist.constant(graph, "W", owner)
        if graph.ndim != 2 or (known is not None and not np.array_equal(known, known.T)):
            raise ParameterError(f"{owner}: W: expected a symmetric matrix of neighbours, 0 and 1.")
        alone = np.flatnonzero(~known.any(axis=1)) if known is not None else np.empty(0)
        if len(alone):
            raise ParameterError(
                f"{owner}: W: site {alone[0]} has no neighbours, so its variance would be "
                "infinite. Leave it out of W, and give it a Normal of its own."
            )
        mu = dist.as_param("mu", given["mu"], owner)
        mu = mu if mu.ndim else ops.broadcast_to(mu, graph.shape[-1:])
        if mu.shape[-1] not in (1, graph.shape[-1]):
            raise ShapeError(
                f"{owner}: mu has shape {mu.shape}, W is a matrix of {graph.shape[-1]} sites: "
                "expected one number of mu for each site, on the last axis."
            )
        params = {"mu": mu, "rho": given["alpha"], "tau": given["tau"], "adjacency": graph}
        return dist.CAR, params


@_callable
class Censored(DistributionFace):
    """Its bounds belong to a distribution made by `.dist`."""

    def meaning(self, given: Given, options: Given, owner: str) -> Meaning:
        _required(given, ("dist",), owner)
        record, params = take_apart(given["dist"], owner, "dist")
        return censored.censored(record, params, given.get("lower"), given.get("upper"), owner)

    def finish(self, rv: Tensor, given: Given, options: Given) -> Tensor:
        free = rv.name is not None and options.get("observed") is None
        if free and not rv_params(rv)[0].discrete:
            warn(
                f"Censored {rv.name!r} is not observed: values at its bounds have a probability of "
                "their own, which no sampler of continuous variables finds. Sample the variable "
                "itself and clip it in a pm.Deterministic.",
            )
        return rv


@_callable
class Truncated(DistributionFace):
    """Its bounds belong to a distribution made by `.dist`."""

    def meaning(self, given: Given, options: Given, owner: str) -> Meaning:
        _required(given, ("dist",), owner)
        lower, upper = given.get("lower"), given.get("upper")
        if lower is None and upper is None:
            raise ParameterError(f"{owner}: give lower=, upper=, or both.")
        steps = given.get("max_n_steps")
        tries = 10_000 if steps is None else lkj.whole_number(steps, "max_n_steps", owner)
        record, params = take_apart(given["dist"], owner, "dist")
        return truncated.truncated(record, params, lower, upper, tries, owner)


@_callable
class Mixture(DistributionFace):
    """Components are variables made by `.dist`."""

    def meaning(self, given: Given, options: Given, owner: str) -> Meaning:
        _required(given, ("w", "comp_dists"), owner)
        return mixture.mixture(given["w"], given["comp_dists"], owner)

    def finish(self, rv: Tensor, given: Given, options: Given) -> Tensor:
        chosen = options.get("observed") is not None or "transform" in options
        if rv.name is not None and not chosen:
            mixture.warn_without_map(rv, f"Mixture {rv.name!r}")
        return rv


@_callable
class LKJCorr(DistributionFace):
    """The number of variables is fixed when the model is written."""

    def meaning(self, given: Given, options: Given, owner: str) -> Meaning:
        _required(given, ("n", "eta"), owner)
        return lkj.lkj_corr(given["n"], given["eta"], owner)


@_callable
class LKJCholeskyCov(DistributionFace):
    """It gives the factor, the correlations and the standard deviations."""

    def meaning(self, given: Given, options: Given, owner: str) -> Meaning:
        _required(given, ("eta", "n", "sd_dist"), owner)
        return lkj.lkj_cov(given["eta"], given["n"], given["sd_dist"], owner)

    def finish(self, rv: Tensor, given: Given, options: Given) -> Any:
        name = rv.name or "LKJCholeskyCov.dist"
        if not _flag(given, "compute_corr", True, name):
            return rv
        chol, corr, stds = lkj.parts(lkj.whole_number(given["n"], "n", name), rv)
        if rv.name is not None and _flag(given, "store_in_trace", True, name):
            corr = Deterministic(f"{rv.name}_corr", corr)
            stds = Deterministic(f"{rv.name}_stds", stds)
        return chol, corr, stds


@_callable
class ZeroSumNormal(DistributionFace):
    """The lengths of an event come from the shape."""

    def meaning(self, given: Given, options: Given, owner: str) -> Meaning:
        axes = given.get("n_zerosum_axes")
        axes = 1 if axes is None else lkj.whole_number(axes, "n_zerosum_axes", owner)
        event = given.get("support_shape")
        shape = (
            _shape_asked(options, owner)
            if event is None
            else lengths(event, "support_shape", owner)
        )
        if shape is None or len(shape) < axes:
            raise ParameterError(
                f"{owner}: how long are the {axes} axes that sum to zero? Give shape=, dims= or "
                "support_shape=."
            )
        sigma = given.get("sigma")
        event = shape[len(shape) - axes :]
        return zerosum.zero_sum_normal(1.0 if sigma is None else sigma, event, owner)


def _wide_start(owner: str, meaning: str) -> Tensor:
    warn(
        f"{owner}: Initial distribution not specified, defaulting to `{meaning}`. You can specify "
        "an init_dist manually to suppress this warning.",
    )
    return dist.make_rv(dist.Normal, {"mu": 0.0, "sigma": 100.0})


@_callable
class GaussianRandomWalk(DistributionFace):
    """Normal steps from a first number."""

    def meaning(self, given: Given, options: Given, owner: str) -> Meaning:
        mu, sigma = (given.get(name) for name in ("mu", "sigma"))
        step = {"mu": 0.0 if mu is None else mu, "sigma": 1.0 if sigma is None else sigma}
        init = given.get("init_dist")
        init = _wide_start(owner, "Normal.dist(0, 100)") if init is None else init
        steps = dist.make_rv(dist.Normal, step, where=owner)
        return walks.random_walk(init, steps, _moments(given, options, 1, owner), owner)


@_callable
class RandomWalk(DistributionFace):
    """Steps of any distribution from a first number."""

    def meaning(self, given: Given, options: Given, owner: str) -> Meaning:
        _required(given, ("init_dist", "innovation_dist"), owner)
        length = _moments(given, options, 1, owner)
        return walks.random_walk(given["init_dist"], given["innovation_dist"], length, owner)


@_callable
class AR(DistributionFace):
    """The order comes from the coefficients."""

    def meaning(self, given: Given, options: Given, owner: str) -> Meaning:
        _required(given, ("rho",), owner)
        rho = dist.as_param("rho", given["rho"], owner)
        rho = rho if rho.ndim else ops.reshape(rho, (1,))
        constant = _flag(given, "constant", False, owner)
        order = given.get("ar_order")
        if order is None:
            order = int(rho.node.shape[-1]) - constant
        order = lkj.whole_number(order, "the order, the coefficients in rho,", owner)
        init = given.get("init_dist")
        if init is None:
            init = _wide_start(owner, "Normal.dist(0, 100, shape=...)")
        record, params = walks.autoregressive(rho, init, order, constant, owner)
        scale = {name: given.get(name) for name in ("sigma", "tau")}
        _, normal = dist.resolve(dist.Normal, {"mu": 0.0, **scale}, owner)
        time = ops.zeros((_moments(given, options, order, owner),))
        return record, {**params, "sigma": normal["sigma"], "time": time}


__all__ = [name for name in _ROWS if name in globals()]  # noqa: PLE0604
