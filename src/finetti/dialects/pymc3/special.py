"""PyMC3's distributions whose meaning, not only spelling, has changed since."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import finetti
from finetti import dist
from finetti.dialects.notes import note
from finetti.dialects.pymc.custom import value_dtype, value_shape
from finetti.dialects.pymc3.faces import FACES, OldFace, registered, unregistered
from finetti.dialects.pymc3.names import Old
from finetti.dialects.pymc3.variables import Dist
from finetti.dist import base, custom, flat
from finetti.dist.bound import bound
from finetti.dist.compose import take_apart
from finetti.dist.firstaxis import walk
from finetti.dist.lkjvector import lkj_vector
from finetti.errors import NotYetSupported, ParameterError
from finetti.ir import FLOAT, Tensor, ops
from finetti.model.context import current
from finetti.model.observed import observed_tensor

_KEPT = ("dims", "initval", "observed", "transform", "default_transform")


class _Own(OldFace):
    """A distribution that is made here and not by today's face."""

    params: tuple[str, ...] = ()

    def __init__(self, name: str, old: Old):
        self.old = old
        self.__name__ = self.__qualname__ = name

    @property
    def order(self) -> tuple[str, ...]:
        return self.params

    def translated(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], owner: str
    ) -> dict[str, Any]:
        if len(args) > len(self.params):
            raise ParameterError(f"{owner}: positional parameters are {', '.join(self.params)}.")
        given = {**dict(zip(self.params, args, strict=False)), **kwargs}
        if given.get("sd") is not None:
            note("sd=", "sigma=")
            given["sigma"] = given["sd"]
        given.pop("sd", None)
        return given

    def variable(self, given: dict[str, Any], owner: str) -> Tensor:
        """The variable, which takes its parameters out of `given`."""
        raise NotImplementedError

    def made(self, name: Any, given: dict[str, Any]) -> Any:
        owner = f"{self.__name__} {name!r}"
        rv = self.variable(given, owner)
        model: Any = current()
        options = {key: given.pop(key) for key in _KEPT if key in given}
        given.pop("shape", None)
        _nothing_left(given, owner)
        return model.register_rv(rv, name, **options)

    def plain(self, given: dict[str, Any]) -> Any:
        owner = f"{self.__name__}.dist"
        rv = self.variable(given, owner)
        given.pop("shape", None)
        _nothing_left(given, owner)
        return Dist(rv.node)


def _nothing_left(given: Mapping[str, Any], owner: str) -> None:
    for key, value in given.items():
        raise ParameterError(f"{owner}: unknown keyword {key}={value!r}.")


def _scale(given: dict[str, Any], owner: str) -> Any:
    pair = {"mu": 0.0, "sigma": given.pop("sigma", None), "tau": given.pop("tau", None)}
    return dist.resolve(dist.Normal, pair, owner)[1]["sigma"]


class RandomWalk(_Own):
    """`GaussianRandomWalk`: time is the first axis, and the first number may be anywhere."""

    params = ("tau", "init", "sigma", "mu")

    def variable(self, given: dict[str, Any], owner: str) -> Tensor:
        """See above."""
        note("pm.GaussianRandomWalk(init=Flat)", "init_dist=, time along the last axis")
        shape = value_shape(given, owner)
        if not shape:
            raise ParameterError(f"{owner}: how long is it? Give shape=, dims= or observed=.")
        sigma = _scale(given, owner)
        init = given.pop("init", None)
        init = base.make_rv(flat.Flat, {}) if init is None else init
        mu = given.pop("mu", None)
        record, params = walk(0.0 if mu is None else mu, sigma, init, shape, owner)
        return base.make_rv(record, params, shape, where=owner)


class Autoregression(_Own):
    """`AR`: the first numbers may be anywhere."""

    params = ("rho", "sigma", "tau", "constant", "init")

    def variable(self, given: dict[str, Any], owner: str) -> Tensor:
        """See above."""
        shape = value_shape(given, owner)
        if not shape:
            raise ParameterError(f"{owner}: how long is it? Give shape=, dims= or observed=.")
        note("pm.AR(init=Flat)", "init_dist=")
        init = given.pop("init", None)
        today = {key: given.pop(key) for key in ("rho", "sigma", "tau", "constant") if key in given}
        if "constant" in today:
            today["constant"] = bool(today["constant"])
        return finetti.AR.dist(  # type: ignore[no-any-return]
            **today, init_dist=base.make_rv(flat.Flat, {}) if init is None else init, shape=shape
        )


class FirstOrder(_Own):
    """`AR1`: a stationary autoregressive process."""

    params = ("k", "tau_e")

    def variable(self, given: dict[str, Any], owner: str) -> Tensor:
        """See above."""
        shape = value_shape(given, owner)
        note("pm.AR1(k, tau_e)", "pm.AR([k], tau=tau_e, init_dist=...)")
        k, tau = (ops.as_tensor(given.pop(name)) for name in self.params)
        first = finetti.Normal.dist(0.0, tau=tau * (1.0 - k * k))
        return finetti.AR.dist(  # type: ignore[no-any-return]
            ops.reshape(k, (1,)), tau=tau, init_dist=first, shape=shape
        )


class Correlations(_Own):
    """`LKJCorr`: a vector of the correlations above the diagonal."""

    params = ("eta", "n", "p")

    def variable(self, given: dict[str, Any], owner: str) -> Tensor:
        """See above."""
        note("pm.LKJCorr(eta, n), a vector", "pm.LKJCorr(n=, eta=), a matrix")
        p, n = given.pop("p", None), given.pop("n", None)
        if given.get("eta") is None or (n is None and p is None):
            raise ParameterError(f"{owner}: it needs eta and n.")
        record, params = lkj_vector(given.pop("eta"), p if n is None else n, owner)
        return base.make_rv(record, params, value_shape(given, owner), where=owner)


class Covariance(OldFace):
    """`LKJCholeskyCov`: the packed factor, unless `compute_corr=True`."""

    def translated(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], owner: str
    ) -> dict[str, Any]:
        given = super().translated(args, kwargs, owner)
        if given.get("compute_corr") is None:
            note("pm.LKJCholeskyCov(...), packed", "compute_corr=False")
            given["compute_corr"] = False
        n = given.get("n")
        scale = given.get("sd_dist")
        if isinstance(scale, Tensor) and scale.ndim == 0 and n is not None:
            record, params = take_apart(scale, owner, "sd_dist")
            given["sd_dist"] = base.make_rv(record, params, (int(n),), where=owner)
        return given


class PositiveStudent(_Own):
    """`StudentTpos` of PyMC3's first versions: Student's t above 0."""

    params = ("nu", "mu", "lam", "sigma")

    def variable(self, given: dict[str, Any], owner: str) -> Tensor:
        """See above."""
        note("pm.StudentTpos", "pm.HalfStudentT, or pm.Truncated")
        own = {key: given.pop(key) for key in self.params if key in given}
        record, params = dist.resolve(dist.StudentT, own, owner)
        return base.make_rv(
            *bound(record, params, 0.0, None, owner), value_shape(given, owner), where=owner
        )


class Bound:
    """`pm.Bound(Dist, lower, upper)`: cut off at bounds, without making up for it.

    Parameters
    ----------
    distribution
        A distribution itself, such as `pm.Normal`.
    lower, upper : float, array or tensor, optional
        The bounds.
    """

    def __init__(self, distribution: Any, lower: Any = None, upper: Any = None):
        if not isinstance(distribution, OldFace):
            raise ParameterError(
                f"Bound({distribution!r}): expected a distribution itself, e.g. `pm.Bound("
                "pm.Normal, lower=0)`, and its parameters afterwards."
            )
        note("pm.Bound(Dist, lower, upper)", "pm.Truncated(name, Dist.dist(...), lower, upper)")
        self.distribution, self.lower, self.upper = distribution, lower, upper

    def __call__(self, name: Any, *args: Any, **kwargs: Any) -> Any:
        owner = f"Bound {name!r}"
        rest = {key: kwargs.pop(key) for key in ("testval", *_KEPT) if key in kwargs}
        if rest.get("observed") is not None:
            raise ParameterError(f"{owner}: Bound takes no observed data; it is for parameters.")
        shape = kwargs.get("shape")
        if shape is None and rest.get("dims") is not None:
            shape = value_shape(rest, owner)
        rv = self._made(args, kwargs, shape, owner)
        model: Any = current()
        return model.register_rv(rv, name, **registered(rest, owner))

    def dist(self, *args: Any, **kwargs: Any) -> Dist:
        """A distribution without a name."""
        return Dist(self._made(args, kwargs, kwargs.get("shape"), "Bound.dist").node)

    def _made(self, args: Any, kwargs: Any, shape: Any, owner: str) -> Tensor:
        inner = self.distribution.dist(*args, **kwargs)
        record, params = base.rv_params(inner)
        made = bound(record, dict(params), self.lower, self.upper, owner)
        full = None if shape is None else value_shape({"shape": shape}, owner)
        return base.make_rv(*made, full, where=owner)


class DensityDistFace:
    """`pm.DensityDist(name, logp, ...)`: a log density of the user's own."""

    def __call__(self, name: Any, *args: Any, **kwargs: Any) -> Any:
        owner = f"DensityDist {name!r}"
        if "logp" in kwargs and not args:
            args = (kwargs.pop("logp"),)
        if not args or not callable(args[0]):  # parameters come first since PyMC 4
            return finetti.DensityDist(name, *args, **_with_dtype(registered, kwargs, owner))
        logp, args = args[0], args[1:]
        note("pm.DensityDist(name, logp)", "pm.CustomDist(name, *params, logp=logp)")
        given = _positional(args, kwargs)
        observed = given.get("observed")
        model: Any = current()
        if isinstance(observed, Mapping):
            logp, given["observed"] = _one_of_several(logp, observed, owner)
        given = _with_dtype(registered, given, owner)
        rv = _density(logp, given, owner)
        options = {key: given.pop(key) for key in _KEPT if key in given}
        _nothing_left(given, owner)
        return model.register_rv(rv, name, **options)

    def dist(self, logp: Callable[..., Any], *args: Any, **kwargs: Any) -> Dist:
        """A distribution without a name."""
        given = _with_dtype(unregistered, _positional(args, kwargs), "DensityDist.dist")
        made = _density(logp, given, "DensityDist.dist")
        _nothing_left(given, "DensityDist.dist")
        return Dist(made.node)


def _with_dtype(spell: Callable[..., dict[str, Any]], given: Any, owner: str) -> dict[str, Any]:
    """Today's keywords, and the dtype, which other distributions know by themselves."""
    dtype = given.get("dtype")
    return {**spell(given, owner), **({} if dtype is None else {"dtype": dtype})}


def _positional(args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {**dict(zip(("shape", "dtype", "testval", "random"), args, strict=False)), **kwargs}


def _one_of_several(
    logp: Callable[..., Any], observed: Mapping[str, Any], owner: str
) -> tuple[Callable[..., Any], Any]:
    """A log density of the first of several observed values, the others held fixed."""
    note("observed={...}", "pm.CustomDist(name, *params, logp=..., observed=...)")
    tensors = {
        key: value if isinstance(value, Tensor) else observed_tensor(value, f"{owner}[{key!r}]")
        for key, value in observed.items()
    }
    if not tensors:
        raise ParameterError(f"{owner}: observed={{}}: give the values that logp takes, by name.")
    first = next(iter(tensors))
    rest = {key: value for key, value in tensors.items() if key != first}
    return (lambda value: logp(**{first: value}, **rest)), observed[first]


def _density(logp: Callable[..., Any], given: dict[str, Any], owner: str) -> Tensor:
    """The variable; takes what belongs to it out of `given`."""
    dtype = given.pop("dtype", None)
    shape = value_shape(given, owner) or ()
    for key in ("wrap_random_with_dist_shape", "check_shape_in_random"):
        given.pop(key, None)  # they adjust how PyMC3 calls `random`; here the shape is checked
    given.pop("shape", None)
    observed = given.get("observed")
    if dtype is None and observed is not None:
        dtype = observed_tensor(observed, owner, expressions=True).dtype
    kind = FLOAT if dtype is None else value_dtype(dtype, owner)
    traced, params = custom.trace(logp, shape, kind, [], owner)
    random = given.pop("random", None)
    adapter = None
    if random is not None:
        names, more = _parents(params)
        adapter = PointDraws(random, names, len(params))
        traced = custom.Traced(
            traced.value,
            (*traced.params, *(_twin(x).node for x in more)),
            traced.result,
            traced.event_ndim,
        )
        params = [*params, *more]
    record, own = custom.custom("DensityDist", traced, params, dtype=kind, random=adapter)
    return base.make_rv(record, own, shape, where=owner)


def _twin(x: Tensor) -> Tensor:
    return custom.new_input("unused", tuple(map(int, x.node.shape)), x.node.type.dtype)


def _parents(params: Sequence[Tensor]) -> tuple[list[str], list[Tensor]]:
    """The model's variables that the parameters are made of, for the point of `random`."""
    model: Any = current(error_if_none=False)
    if model is None or not params:
        return [], []
    nodes = set(custom.topological([x.node for x in params]))
    found = {name: var for name, var in model.named_vars.items() if var.node in nodes}
    return list(found), [Tensor(var.node) for var in found.values()]


class PointDraws:
    """PyMC3's ``random(point=None, size=None)``, called for each draw."""

    def __init__(self, function: Callable[..., Any], names: Sequence[str], skip: int):
        self.function, self.names, self.skip = function, list(names), skip

    def __call__(self, rng: np.random.Generator, shape: Any, params: Sequence[Any]) -> Any:
        np.random.seed(int(rng.integers(2**32)))  # what such functions draw from
        size = tuple(shape[1:]) or None
        rows = []
        for row in range(shape[0]):
            values = [value[row] if moves else value for value, moves in params[self.skip :]]
            point = dict(zip(self.names, values, strict=True))
            drawn = np.asarray(self.function(point=point, size=size))
            if drawn.size != int(np.prod(shape[1:])):
                raise NotYetSupported(
                    f"DensityDist: random(point, size={size}) returned shape {drawn.shape}, "
                    f"expected {tuple(shape[1:])}."
                )
            rows.append(drawn.reshape(shape[1:]))
        return np.stack(rows)


SPECIAL: dict[str, Any] = {
    "AR": Autoregression("AR", Old("AR")),
    "AR1": FirstOrder("AR1", Old("AR1")),
    "Bound": Bound,
    "DensityDist": DensityDistFace(),
    "GaussianRandomWalk": RandomWalk("GaussianRandomWalk", Old("GaussianRandomWalk")),
    "LKJCholeskyCov": Covariance("LKJCholeskyCov", Old("LKJCholeskyCov")),
    "LKJCorr": Correlations("LKJCorr", Old("LKJCorr")),
    "MixtureSameFamily": FACES["Mixture"],
    "StudentTpos": PositiveStudent("StudentTpos", Old("StudentTpos")),
}
__all__ = ["SPECIAL"]
