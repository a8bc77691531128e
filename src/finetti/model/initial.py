"""Where sampling starts: PyMC's support points, values the user gave, or draws from the prior."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from finetti.backends import reference
from finetti.errors import ParameterError, ShapeError, SupportError, did_you_mean
from finetti.ir import Node, Tensor, ops
from finetti.model.compile import Array
from finetti.model.data import as_array, data_only, to_dtype
from finetti.model.forward import draw_rows, stream
from finetti.model.frozen import Frozen, FrozenRV, freeze
from finetti.model.logdensity import bijector_of

STRATEGIES = ("support_point", "prior")
# statistics of a distribution where a dialect starts elsewhere than at the support point
STATISTICS: dict[str, Callable[..., Tensor]] = {
    "mean": lambda dist, params: ops.as_tensor(dist.mean(**params)),
    "median": lambda dist, params: dist.icdf(0.5, **params),
}


def check_initval(initval: Any, shape: tuple[int, ...], dtype: str, owner: str) -> Any:
    """An initial value as it is kept: None, a strategy, a tensor, or an array that fits.

    Raises
    ------
    ParameterError
        For an unknown strategy, or a tensor that depends on random variables.
    ShapeError
        For a value of another shape.
    """
    if initval is None:
        return None
    if isinstance(initval, str):
        if initval == "moment":  # PyMC's name for it before 5.10
            return "support_point"
        if initval not in (*STRATEGIES, *STATISTICS):
            hint = did_you_mean(initval, (*STRATEGIES, *STATISTICS))
            raise ParameterError(f"{owner}: initval={initval!r}. {hint} Or give numbers.")
        return initval
    if isinstance(initval, Tensor):
        if not data_only(initval):
            raise ParameterError(
                f"{owner}: its initval depends on random variables, which have no values before "
                "sampling. Give numbers, or 'prior' for a random start."
            )
        return initval
    array = to_dtype(as_array(initval, f"{owner}: initval"), dtype, f"{owner}: initval")
    return _fitting(array, shape, owner)


def _fitting(array: Array, shape: tuple[int, ...], owner: str) -> Array:
    try:
        return np.broadcast_to(array, shape).copy()
    except ValueError:
        raise ShapeError(
            f"{owner}: its initval has shape {array.shape}, the variable has shape {shape}. Give "
            "one number, or one for each element."
        ) from None


def initial_point(
    frozen: Frozen,
    strategies: Mapping[str, Any],
    overrides: Mapping[Any, Any] | None = None,
    seed: int = 0,
) -> dict[str, Array]:
    """Unconstrained initial values by value name.

    Parameters
    ----------
    frozen : Frozen
        The model with its present data.
    strategies : mapping
        Name of a variable -> its initval, as `check_initval` keeps it.
    overrides : mapping, optional
        Name of a variable, or of its unconstrained value, or the variable itself -> value or
        strategy, which takes precedence.
    seed : int
        For draws from the prior.
    """
    given = _by_name(frozen, overrides or {})
    known: dict[Node, Array] = {}
    point: dict[str, Array] = {}
    for rv in frozen.rvs:
        if rv.observed is not None:
            (known[rv.node],) = reference.evaluate([rv.data], known)
            continue
        owner = f"variable {rv.name!r}"
        bijector = _bijector(rv, known)
        if rv.value_name in given and rv.value_name != rv.name:
            shape = _unconstrained(rv, bijector)
            unconstrained = _fitting(np.asarray(given[rv.value_name], float), shape, owner)
        else:
            strategy = given.get(rv.name)
            if strategy is None:
                strategy = strategies.get(rv.name)
            value = _value(rv, strategy, known, seed, owner)
            unconstrained = _to_unconstrained(rv, bijector, value, owner)
        point[rv.value_name] = unconstrained
        known[rv.node] = _to_constrained(rv, bijector, unconstrained)
    return point


def _by_name(frozen: Frozen, overrides: Mapping[Any, Any]) -> dict[str, Any]:
    names = {rv.name for rv in frozen.free} | {rv.value_name for rv in frozen.free}
    given = {}
    for key, value in overrides.items():
        name = key.name if isinstance(key, Tensor) else key
        if name not in names:
            raise ParameterError(
                f"initvals: {name!r} is no free variable of the model. "
                f"{did_you_mean(str(name), names)}"
            )
        rv = next(rv for rv in frozen.free if name in (rv.name, rv.value_name))
        if name == rv.name:
            value = check_initval(value, rv.shape, rv.node.type.dtype, f"initvals[{name!r}]")
        given[name] = value
    return given


def _bijector(rv: FrozenRV, known: dict[Node, Array]) -> Any:
    if rv.transform is None:
        return None
    values = reference.evaluate(rv.node.args, known)
    return bijector_of(rv, dict(zip(rv.dist.params, map(ops.as_tensor, values), strict=True)))


def _unconstrained(rv: FrozenRV, bijector: Any) -> tuple[int, ...]:
    return rv.shape if bijector is None else tuple(bijector.unconstrained_shape(rv.shape))


def _value(rv: FrozenRV, strategy: Any, known: dict[Node, Array], seed: int, owner: str) -> Array:
    if strategy is None or (isinstance(strategy, str) and strategy == "support_point"):
        start = rv.dist.start(rv.shape, **rv.params)
        return reference.evaluate([start], known)[0]
    if isinstance(strategy, str) and strategy in STATISTICS:
        start = STATISTICS[strategy](rv.dist, rv.params)
        return _fitting(reference.evaluate([start], known)[0], rv.shape, owner)
    if isinstance(strategy, str):
        params = zip(rv.node.args, reference.evaluate(rv.node.args, known), strict=True)
        values = {arg: (param, False) for arg, param in params}
        return draw_rows(rv.node, 1, values, stream(seed, rv.name))[0]
    if isinstance(strategy, Tensor):
        (value,) = reference.evaluate(freeze([strategy.node]))
        strategy = to_dtype(value, rv.node.type.dtype, owner)
    return _fitting(np.asarray(strategy, rv.node.type.dtype), rv.shape, owner)


def _to_unconstrained(rv: FrozenRV, bijector: Any, value: Array, owner: str) -> Array:
    if bijector is None:
        return np.asarray(value)
    (result,) = reference.evaluate([bijector.forward(ops.as_tensor(value))])
    if not np.isfinite(result).all() and np.isfinite(value).all():
        support = rv.dist.support(**rv.params)
        raise SupportError(
            f"{owner}: the initial value {_short(value)} is not inside the support of "
            f"{rv.dist.name} ({support.words}), where sampling must start. Give another `initval=`."
        )
    return np.asarray(result)


def _to_constrained(rv: FrozenRV, bijector: Any, value: Array) -> Array:
    if bijector is None:
        return value
    return reference.evaluate([bijector.backward(ops.as_tensor(value))])[0]


def _short(value: Array) -> str:
    return np.array2string(np.asarray(value), threshold=4, edgeitems=2, precision=4)
