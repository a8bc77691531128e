"""What a distribution is: one record, and the random variables made of it.

A file of a distribution holds plain functions on tensors and, at its bottom, the record that names
them. What all distributions share is done here once: checks of parameters and values, broadcasting,
the choice between parametrisations.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from finetti.dist.support import Support
from finetti.errors import (
    FinettiError,
    NotYetSupported,
    ParameterError,
    ShapeError,
)  # fmt: skip
from finetti.ir import FLOAT, INT, Node, OpDef, Tensor, TensorType, ops, topological
from finetti.ir.ops.leaf import const, data, size
from finetti.ir.types import Shape, as_shape, broadcast

Function = Callable[..., Any]

DISTRIBUTIONS: dict[str, Distribution] = {}


@dataclass(frozen=True)
class Param:
    """A parameter: its valid values, its default (None: none), the axes of one value of it."""

    constraint: Support
    default: Any = None
    ndim: int = 0


@dataclass(frozen=True, eq=False)
class Alternative:
    """Other parameters that can stand for some of a distribution's own.

    Parameters
    ----------
    names : tuple of str
        What the user gives.
    replaces : tuple of str
        The record's own parameters they stand for.
    convert : callable
        ``convert(**given) -> dict`` of the record's own parameters (those of `record` if given).
    record : Distribution, optional
        The same distribution written in these parameters, where that is more accurate.
    """

    names: tuple[str, ...]
    replaces: tuple[str, ...]
    convert: Function
    record: Distribution | None = None


def _scalar_event(**shapes: Shape) -> Shape:
    return ()


@dataclass(frozen=True, eq=False)
class Distribution:
    """Everything about one distribution.

    The functions take tensors under the names of `params`, and broadcast. They need not check
    anything: `logp` and its kin add the checks that `params` and `support` declare.

    Parameters
    ----------
    name : str
        What users call it.
    params : mapping of str to Param
        Its own parameters, in order.
    support : callable
        ``support(**params) -> Support``.
    density : callable
        ``density(value, **params)``: the log density, one number an event.
    draw : callable
        ``draw(shape, **params)``: random values of the full shape. Parameters may carry further
        leading axes of that shape.
    center : callable
        ``center(**params)``: PyMC's support point, where sampling starts.
    mean, var : callable
        Elementwise moments.
    cdf, quantile : callable or None
        ``cdf(value, **params)``: log of the distribution function; its inverse.
    ccdf : callable or None
        ``ccdf(value, **params)``: log of the probability above a value, where `cdf` would not
        leave its digits.
    discrete : bool
        Whether values are whole numbers.
    event_ndim : int
        How many trailing axes make up one value.
    event_shape : callable
        ``event_shape(**shapes) -> tuple`` from the shapes of the parameters.
    alternatives : tuple of Alternative
        Its other parametrisations.
    key : str
        A unique name when `name` is not.
    scipy : str
        The same distribution, an expression in `scipy.stats` (or `tests/dist/twins.py`, where SciPy
        has none) and the parameters; empty for what integrates to no finite number.
    samples : tuple of dict
        Parameters for the tests.
    tol : float
        Relative tolerance of `density` against SciPy's.
    notes : mapping
        Column -> why it is None.
    made_by : tuple, optional
        ``(function, *arguments)`` that makes the record of others; such records are in no table.
    redraw : tuple, optional
        ``(propose, accept, tries)`` for random values by rejection, instead of `draw`:
        ``propose(shape, **params)`` again and again, where ``accept(value, **params)`` is false.
    host_draw : callable, optional
        ``host_draw(rng, shape, **params)``: random values made by a user's Python function, instead
        of `draw`; the first axis of the shape runs over draws. Each parameter is a pair: its value,
        and whether that has an axis of draws in front.
    normalised : bool
        Whether the densities of all values add up to one, whatever the parameters are.
    """

    name: str
    params: Mapping[str, Param]
    support: Function
    density: Function
    draw: Function
    center: Function
    mean: Function
    var: Function
    scipy: str
    samples: tuple[dict[str, Any], ...]
    cdf: Function | None = None
    quantile: Function | None = None
    ccdf: Function | None = None
    discrete: bool = False
    event_ndim: int = 0
    event_shape: Callable[..., Shape] = _scalar_event
    alternatives: tuple[Alternative, ...] = ()
    key: str = ""
    tol: float = 1e-12
    notes: Mapping[str, str] = field(default_factory=dict)
    made_by: tuple[Any, ...] = ()
    redraw: tuple[Function, Function, int] | None = None
    host_draw: Function | None = None
    normalised: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", self.key or self.name)
        if self.made_by:
            return
        if self.key in DISTRIBUTIONS:
            raise ValueError(f"two distributions are named {self.key!r}")
        DISTRIBUTIONS[self.key] = self

    def __repr__(self) -> str:
        return f"<distribution {self.key}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.made_by:
            return self.made_by[0], self.made_by[1:]
        return _find, (self.key,)

    @property
    def dtype(self) -> str:
        """dtype of its values."""
        return INT if self.discrete else FLOAT

    def logp(self, value: Any, *, inside: bool = False, **params: Any) -> Tensor:
        """Log density, one number an event; -inf outside the support and for invalid parameters.

        With `inside` the value is a member of the support by construction and is not checked:
        rounding in the map from the reals may put it a little beyond a bound.
        """
        value, given = self._tensors(value, params)
        result = ops.as_tensor(self.density(value, **given))
        result = result if inside else require(self.support(**given).contains(value), result)
        shape = broadcast(_without(value.shape, self.event_ndim), self._batch(given))
        return self._checked(_filled(result, shape), given, -np.inf)

    def valid(self, **params: Any) -> Tensor:
        """0 where the parameters are valid, -inf elsewhere: what `logp` says without a value."""
        _, given = self._tensors(0.0, params)
        return self._checked(ops.zeros(self._batch(given)), given, -np.inf)

    def logcdf(self, value: Any, **params: Any) -> Tensor:
        """Log of the probability of values up to `value`."""
        return self._checked(*self._call("cdf", "logcdf", value, params), -np.inf)

    def logccdf(self, value: Any, **params: Any) -> Tensor:
        """Log of the probability of values above `value`."""
        if self.ccdf is not None:
            return self._checked(*self._call("ccdf", "logccdf", value, params), -np.inf)
        below, given = self._call("cdf", "logccdf", value, params)
        return self._checked(ops.log1mexp(ops.minimum(below, 0.0)), given, -np.inf)

    def icdf(self, q: Any, **params: Any) -> Tensor:
        """The value that has probability `q` below it; NaN unless 0 <= q <= 1."""
        q = ops.as_tensor(q)
        result, given = self._call("quantile", "icdf", q, params)
        return self._checked(require((q >= 0.0) & (q <= 1.0), result, np.nan), given, np.nan)

    def start(self, shape: Any, **params: Any) -> Tensor:
        """PyMC's support point in the given full shape."""
        _, given = self._tensors(0.0, params)
        center = ops.as_tensor(self.center(**given))
        center = center if center.node.type.dtype == self.dtype else ops.cast(center, self.dtype)
        return ops.broadcast_to(center, shape)

    def _tensors(self, value: Any, params: Mapping[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        return ops.as_tensor(value), {name: ops.as_tensor(params[name]) for name in self.params}

    def _batch(self, params: Mapping[str, Tensor]) -> Shape:
        shapes = (_without(x.shape, self.params[name].ndim) for name, x in params.items())
        return broadcast((), *shapes)

    def _call(
        self, column: str, asked: str, value: Any, params: Mapping[str, Any]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        function = getattr(self, column)
        if function is None:
            reason = self.notes.get(column, "it is not written yet")
            raise NotYetSupported(f"{asked} of {self.name}: {reason}")
        value, given = self._tensors(value, params)
        shape = broadcast(value.shape, self._batch(given))
        return _filled(ops.as_tensor(function(value, **given)), shape), given

    def _checked(self, result: Tensor, params: Mapping[str, Tensor], otherwise: float) -> Tensor:
        for name, x in params.items():
            param = self.params[name]
            ok = param.constraint.contains(x)
            if ok is not None:
                # A parameter may have fewer axes than one value of it: it is the same along them.
                inner = min(param.ndim - param.constraint.event_ndim, ops.as_tensor(ok).ndim)
                axes = tuple(range(-inner, 0))
                result = require(ops.all_(ok, axes) if axes else ok, result, otherwise)
        return result


def _find(key: str) -> Distribution:
    if key not in DISTRIBUTIONS:  # in a process that has not used it yet
        import_module("finetti.dist").load_all()
    return DISTRIBUTIONS[key]


def _without(shape: Shape, axes: int) -> Shape:
    return shape[: max(len(shape) - axes, 0)]


def _filled(x: Tensor, shape: Shape) -> Tensor:
    return x if x.node.shape == tuple(map(int, shape)) else ops.broadcast_to(x, shape)


def require(condition: Any, result: Any, otherwise: float = -np.inf) -> Tensor:
    """`result` where the condition holds, else -inf; None and constants that hold cost nothing."""
    result = ops.as_tensor(result)
    if condition is None:
        return result
    condition = ops.as_tensor(condition)
    # Only what can never change is decided now: data may be replaced by other data.
    held = None if condition.node.dynamic else known(condition)
    if held is not None and held.all():
        fits = broadcast(held.shape, result.node.shape) == result.node.shape
        return result if fits else ops.broadcast_to(result, held.shape)
    return ops.where(condition, result, otherwise)


def known(x: Tensor | Node) -> np.ndarray | None:
    """The value of a tensor made of constants and data only, else None."""
    root = x.node if isinstance(x, Tensor) else x
    if root.op is const:
        return ops.constant_value(root)
    values: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for node in topological([root]):
            if node.op.numpy is None or node.op.family == "random":
                return None
            if not node.args and node.op not in (const, data, size, ops.OPS["arange"]):
                return None
            args = tuple(values[arg] for arg in node.args)
            values[node] = np.asarray(node.op.evaluate(args, node.attrs), node.type.dtype)
    return values[root]  # type: ignore[no-any-return]


# -- random variables ----------------------------------------------------------------------------


def _rv_type(
    *types: TensorType, dist: Distribution, shape: Shape | None, serial: int
) -> TensorType:
    own = dist_shape(dist, dict(zip(dist.params, (t.shape for t in types), strict=True)))
    if shape is None:
        return TensorType(dist.dtype, own)
    full = tuple(map(int, shape))
    events = dist.event_ndim
    if broadcast(own, full) != full or (events and own[-events:] != full[-events:]):
        raise ShapeError(f"{dist.name}: its parameters give shape {own}, it was given {full}")
    return TensorType(dist.dtype, full)


def dist_shape(dist: Distribution, shapes: Mapping[str, Shape]) -> Shape:
    """The shape that parameters of these shapes give a variable: batch axes, then the event's."""
    batch = broadcast((), *(_without(shapes[name], p.ndim) for name, p in dist.params.items()))
    return (*map(int, batch), *map(int, dist.event_shape(**shapes)))


rv = OpDef(
    "rv", "model", attr_names=("dist", "shape", "serial"), infer=_rv_type, numpy=None,
    vjp=None, native=None, jax=None,
    notes={"numpy": "its value is a draw, or given", "vjp": "replaced by its value before",
           "native": "replaced by its value before", "jax": "replaced by its value before"},
)  # fmt: skip
_serial = itertools.count()


def make_rv(
    dist: Distribution,
    params: Mapping[str, Any],
    shape: Any = None,
    *,
    where: str = "",
    origin: str = "",
) -> Tensor:
    """A new random variable, different from every other.

    Parameters
    ----------
    dist : Distribution
    params : mapping
        Its own parameters by name (`resolve` makes them of any parametrisation).
    shape : int or tuple, optional
        Its full shape; that of the parameters when None.
    where : str, optional
        How error messages begin, e.g. "Normal 'x'".
    origin : str, optional
        Where the shape comes from, for messages, e.g. "dims=('school',)".

    Returns
    -------
    Tensor
        A node of `rv`.
    """
    where = where or dist.name
    tensors = {
        name: as_param(name, params[name], where, param.constraint.discrete)
        for name, param in dist.params.items()
    }
    try:
        full = None if shape is None else as_shape(shape)
    except ShapeError as error:
        raise ShapeError(f"{where}: {error}") from None
    _check_shapes(dist, tensors, full, where, origin or f"shape={full}")
    return rv(*tensors.values(), dist=dist, shape=full, serial=next(_serial))


def as_param(name: str, value: Any, where: str, whole: bool = False) -> Tensor:
    """A parameter as a tensor: numbers become floats, or integers if they should be whole."""
    try:
        tensor = ops.as_tensor(value)
    except (TypeError, ValueError) as error:
        kind = type(error) if isinstance(error, FinettiError) else ParameterError
        raise kind(f"{where}: {name}={value!r} cannot be a parameter. {error}") from None
    number = ops.constant_value(tensor)
    if number is None:
        return tensor
    if whole:
        exact = number.dtype.kind == "f" and (number == np.floor(number)).all()
        return ops.as_tensor(number.astype(INT)) if exact else tensor
    # Normal(0, 1) and Normal(0.0, 1.0) are one graph.
    return tensor if number.dtype == FLOAT else ops.as_tensor(number.astype(FLOAT))


def constant(value: Any, name: str, where: str) -> np.ndarray | None:
    """The numbers of a parameter that is a constant, else None."""
    return ops.constant_value(as_param(name, value, where))


def _check_shapes(
    dist: Distribution, params: Mapping[str, Tensor], full: Shape | None, where: str, origin: str
) -> None:
    shapes = {name: x.node.shape for name, x in params.items()}
    listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
    try:
        own = dist_shape(dist, shapes)
    except ShapeError as error:
        raise ShapeError(
            f"{where}: the shapes of its parameters do not fit: {listed}. {error}"
        ) from None
    if full is None:
        return
    asked = tuple(map(int, full))
    events = dist.event_ndim
    try:
        fits = broadcast(own, asked) == asked and (not events or own[-events:] == asked[-events:])
    except ShapeError:
        fits = False
    if not fits:
        more = ""
        if events:
            more = f" The last {events} of its axes are one value, of shape {own[-events:]}."
        raise ShapeError(
            f"{where}: {origin} asks for shape {asked}, but its parameters give {own} ({listed})."
            f"{more} Parameters must broadcast to the shape from the right: give them that shape "
            "or axes of length 1 (`x[:, None]`), or leave the shape out."
        )


def rv_params(x: Tensor | Node) -> tuple[Distribution, dict[str, Tensor]]:
    """The distribution of a random variable and its parameters by name."""
    node = x.node if isinstance(x, Tensor) else x
    dist: Distribution = node.attrs[0]
    return dist, dict(zip(dist.params, map(Tensor, node.args), strict=True))


def stretched_params(x: Tensor) -> tuple[Distribution, dict[str, Tensor]]:
    """As `rv_params`, with parameters in the shape of a variable that was given a larger one."""
    dist, params = rv_params(x)
    own = dist_shape(dist, {name: param.node.shape for name, param in params.items()})
    if x.node.shape == own or not params:
        return dist, params
    return dist, stretched(dist, params, x.shape[: x.ndim - dist.event_ndim])


def stretched(dist: Distribution, params: dict[str, Tensor], batch: Shape) -> dict[str, Tensor]:
    """The parameters, of which the first has the shape of a larger batch."""
    name = next(iter(params))
    first, core = params[name], dist.params[name].ndim
    inner = first.shape[first.ndim - core :] if core <= first.ndim else (1,) * core
    return {**params, name: ops.broadcast_to(first, (*batch, *inner))}
