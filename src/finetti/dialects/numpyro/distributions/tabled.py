"""Distributions that are a row of a table: a record of `finetti.dist` under NumPyro's names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import jax.numpy as jnp
import numpy as np

from finetti import dist
from finetti.dialects.numpyro.distributions import constraints, graphs
from finetti.dialects.numpyro.distributions.base import Array, Distribution, Shape
from finetti.dialects.numpyro.distributions.derived import PREPARE
from finetti.dialects.numpyro.distributions.trees import DistributionMeta
from finetti.dialects.numpyro.distributions.util import is_concrete
from finetti.dialects.numpyro.lowered import Lowered

NEEDED = inspect.Parameter.empty


@dataclass(frozen=True)
class Arg:
    """A parameter: its constraint (None: it is static), its default, and how it may be given."""

    name: str
    constraint: Any
    default: Any = NEEDED
    keyword_only: bool = False


@dataclass(frozen=True)
class Row:
    """One distribution.

    Parameters
    ----------
    name, module : str
        NumPyro's name, and its module in `numpyro.distributions`.
    args : tuple of Arg
        Its parameters in order.
    record : str or callable
        The record's key in `finetti.dist`, or a function of the distribution that gives it.
    params : mapping
        Parameter of the record -> name of the argument, or a function of the distribution.
    support : Constraint or callable
        Where values lie; a function of the distribution where that depends on parameters.
    summary : str
        Begins the docstring.
    event : callable, optional
        The shape of one event, of the distribution; univariate when None.
    parent : str
        The row whose class it derives from, or "".
    differentiable : tuple of str, optional
        Parameters by which draws can be differentiated; all when None.
    enumerable : bool
        Whether all values can be listed.
    one_of : tuple of str
        Arguments of which exactly one must be given.
    missing : tuple of str
        What NumPyro has not written for it either.
    derived : mapping
        Attribute that was not given -> function of the distribution that gives it.
    nan_moments : bool
        Whether NumPyro says that there is no mean and variance, as of categories.
    mapped : callable, optional
        The base and the transforms by which NumPyro defines it, of the distribution.
    """

    name: str
    module: str
    args: tuple[Arg, ...]
    record: str | Callable[[Any], Any]
    params: Mapping[str, str | Callable[[Any], Any]]
    support: Any
    summary: str = ""
    event: Callable[[Any], Shape] | None = None
    parent: str = ""
    differentiable: tuple[str, ...] | None = None
    enumerable: bool = False
    one_of: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    derived: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    nan_moments: bool = False
    mapped: Callable[[Any], tuple[Any, list[Any]]] | None = None


def _axes_of(constraint: Any) -> int:
    try:
        return int(constraint.event_dim)
    except NotImplementedError:
        return 0


class Recorded(Distribution):
    """A distribution that is a record of `finetti.dist`: subclasses say which in `_parts`."""

    _missing: tuple[str, ...] = ()

    def _parts(self) -> tuple[Any, dict[str, Any]]:
        """The record, or what makes it, and the parameters it is given."""
        raise NotImplementedError

    def _lower(self) -> Lowered | None:
        record, params = self._parts()
        return Lowered(record, params)

    def sample(self, key: Array, sample_shape: Shape = ()) -> Array:
        return graphs.sample(key, *self._parts(), self.shape(tuple(sample_shape)))

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        result = graphs.log_density(*self._parts(), value)
        if self._validate_args:
            result = jnp.where(self._validate_sample(value), result, -jnp.inf)
        return result

    def _has(self, what: str) -> None:
        if what in self._missing:
            raise NotImplementedError(f"{type(self).__name__} has no {what}, nor has NumPyro's.")

    def cdf(self, value: Any) -> Array:
        self._has("cdf")
        return graphs.probability(*self._parts(), value)

    def icdf(self, q: Any) -> Array:
        self._has("icdf")
        return graphs.quantile(*self._parts(), q)

    def _column(self, name: str, shape: Shape) -> Array:
        return graphs.column(name, *self._parts(), shape)

    @property
    def mean(self) -> Array:
        self._has("mean")
        return self._column("mean", self.batch_shape + self.event_shape)

    @property
    def variance(self) -> Array:
        self._has("variance")
        return self._column("var", self.batch_shape + self.event_shape)

    def entropy(self) -> Array:
        self._has("entropy")
        return self._column("entropy", self.batch_shape)


class Tabled(Recorded):
    """A distribution whose row says what it is."""

    row: Row

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        signature = _SIGNATURES[self.row.name]
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.row.name}: {error}; it takes {signature}.") from None
        bound.apply_defaults()
        given = dict(bound.arguments)
        validate = given.pop("validate_args")
        self.__dict__.update({name: x for name, x in given.items() if x is not None})
        self._check_given(given)
        self._prepare()
        batch = jnp.broadcast_shapes(*self._batches())
        event = self.row.event(self) if self.row.event else ()
        Distribution.__init__(self, batch, event, validate_args=validate)

    def _prepare(self) -> None:
        for arg in self.row.args:  # a number stands for a vector or a matrix of it
            axes = 0 if arg.constraint is None else _axes_of(arg.constraint)
            value = self.__dict__.get(arg.name)
            if axes and value is not None and jnp.ndim(value) < axes:
                shape = jnp.shape(value)
                self.__dict__[arg.name] = jnp.reshape(value, (1,) * (axes - len(shape)) + shape)
        prepare = PREPARE.get(self.row.name)
        if prepare is not None:
            prepare(self)

    def _check_given(self, given: dict[str, Any]) -> None:
        names = self.row.one_of
        if names and sum(given[name] is not None for name in names) != 1:
            expected = ", ".join(f"`{name}`" for name in names)
            raise ValueError(f"One and only one of {expected} must be specified.")

    def _batches(self) -> list[Shape]:
        shapes = []
        for arg in self.row.args:
            value = self.__dict__.get(arg.name)
            if arg.constraint is not None and value is not None:
                shape = tuple(jnp.shape(value))
                shapes.append(shape[: max(len(shape) - _axes_of(arg.constraint), 0)])
        return shapes

    @property
    def _missing(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.row.missing

    def _column(self, name: str, shape: Shape) -> Array:
        if self.row.nan_moments and name in ("mean", "var"):
            return jnp.full(shape, jnp.nan)
        return super()._column(name, shape)

    @property
    def support(self) -> Any:
        support = self.row.support
        return support if isinstance(support, constraints.Constraint) else support(self)

    def _parts(self) -> tuple[Any, dict[str, Any]]:
        record, own = self.row.record, self.__dict__
        record = dist_record(record) if isinstance(record, str) else record(self)
        params = {
            ours: own.get(theirs) if isinstance(theirs, str) else theirs(self)
            for ours, theirs in self.row.params.items()
        }
        return record, {name: x for name, x in params.items() if x is not None}

    def enumerate_support(self, expand: bool = True) -> Array:
        if not self.has_enumerate_support:
            raise NotImplementedError
        values = jnp.arange(*_bounds(self)).reshape((-1,) + (1,) * len(self.batch_shape))
        full = values.shape[:1] + self.batch_shape
        return jnp.broadcast_to(values, full) if expand else values

    def __getattr__(self, name: str) -> Any:
        derived = self.row.derived.get(name)
        if derived is None:
            if any(arg.name == name for arg in self.row.args):
                return None  # an argument that was not given
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return derived(self)


def _bounds(d: Distribution) -> tuple[int, int]:
    """The first value of a finite support, and one after the last."""
    support = d.support
    low = getattr(support, "lower_bound", 0)
    high = getattr(support, "upper_bound", 1)
    if not (is_concrete(low) and is_concrete(high)):
        raise NotImplementedError("The values of a support with traced bounds cannot be listed.")
    lows, highs = np.unique(np.asarray(low)), np.unique(np.asarray(high))
    if len(lows) != 1 or len(highs) != 1:
        name = type(d).__name__
        raise NotImplementedError(
            f"Inhomogeneous bounds of {name} not supported by enumerate_support."
        )
    return int(lows[0]), int(highs[0]) + 1


def dist_record(key: str) -> Any:
    """The record of a key: "Normal", or "geometric.Failures" for one without a public name."""
    module, _, name = key.rpartition(".")
    if not module:
        return getattr(dist, name)
    return getattr(import_module(f"finetti.dist.{module}"), name)


_SIGNATURES: dict[str, inspect.Signature] = {}


def _signature(row: Row) -> inspect.Signature:
    kinds = {False: inspect.Parameter.POSITIONAL_OR_KEYWORD, True: inspect.Parameter.KEYWORD_ONLY}
    params = [
        inspect.Parameter(arg.name, kinds[arg.keyword_only], default=arg.default)
        for arg in row.args
    ]
    last = inspect.Parameter("validate_args", kinds[True], default=None)
    return inspect.Signature([*params, last])


def make_class(row: Row, parents: Mapping[str, type], package: str) -> type:
    """The class of a row."""
    _SIGNATURES[row.name] = _signature(row)
    arrays = [arg for arg in row.args if arg.constraint is not None]
    names = tuple(arg.name for arg in arrays)
    differentiable = names if row.differentiable is None else row.differentiable
    lines = "".join(f"\n    {arg.name} : array_like" for arg in row.args)
    base = parents[row.parent] if row.parent else Tabled
    return DistributionMeta(
        row.name,
        (base,),
        {
            "__module__": f"{package}.{row.module}",
            "__doc__": f"{row.summary}\n\n    Parameters\n    ----------{lines}\n    ",
            "__signature__": _SIGNATURES[row.name],
            "row": row,
            "_classes": parents,
            "arg_constraints": {arg.name: arg.constraint for arg in arrays},
            "pytree_data_fields": names,
            "pytree_aux_fields": tuple(a.name for a in row.args if a.constraint is None),
            "reparametrized_params": list(differentiable),
            "has_enumerate_support": row.enumerable,
        },
    )
