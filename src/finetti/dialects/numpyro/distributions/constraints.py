"""Sets of values, as NumPyro names them: ``constraints.positive``, ``constraints.interval(0, 2)``.

A constraint is called with an array and says which members (of its last axes) are in the set. Each
is a JAX pytree, so that bounds can be traced.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from finetti.dialects.numpyro.distributions.constraint_base import (
    Constraint,
    ParameterFreeConstraint,
    SingletonConstraint,
    library_of,
)
from finetti.dialects.numpyro.distributions.constraint_numbers import (
    _Boolean,
    _Circular,
    _Complex,
    _GreaterThan,
    _GreaterThanEq,
    _IntegerGreaterThan,
    _IntegerInterval,
    _IntegerNonnegative,
    _IntegerPositive,
    _Interval,
    _LessThan,
    _LessThanEq,
    _Multinomial,
    _Nonnegative,
    _OpenInterval,
    _Positive,
    _Real,
    _SoftplusPositive,
    _UnitInterval,
)

Array = Any


# -- vectors -------------------------------------------------------------------------------------


class _Simplex(SingletonConstraint):
    event_dim = 1

    def __call__(self, x: Any) -> Any:
        total = x.sum(axis=-1)
        return (x >= 0).all(axis=-1) & (total < 1 + 1e-6) & (total > 1 - 1e-6)

    def feasible_like(self, prototype: Any) -> Array:
        return jnp.full_like(prototype, 1 / prototype.shape[-1])


class _OrderedVector(SingletonConstraint):
    event_dim = 1

    def __call__(self, x: Any) -> Any:
        return (x[..., 1:] > x[..., :-1]).all(axis=-1)

    def feasible_like(self, prototype: Any) -> Array:
        return jnp.broadcast_to(jnp.arange(float(prototype.shape[-1])), prototype.shape)


class _PositiveOrderedVector(SingletonConstraint):
    event_dim = 1

    def __call__(self, x: Any) -> Any:
        return ordered_vector(x) & (x > 0).all(axis=-1)

    def feasible_like(self, prototype: Any) -> Array:
        return jnp.broadcast_to(jnp.exp(jnp.arange(float(prototype.shape[-1]))), prototype.shape)


class _L1Ball(SingletonConstraint):
    event_dim = 1

    def __call__(self, x: Any) -> Any:
        return abs(x).sum(axis=-1) < 1 + 10.0 * jnp.finfo(x.dtype).eps

    def feasible_like(self, prototype: Any) -> Array:
        return jnp.zeros_like(prototype)


class _Sphere(SingletonConstraint):
    event_dim = 1

    def __call__(self, x: Any) -> Any:
        xp = library_of(x)
        bound = 10.0 * xp.finfo(x.dtype).eps * x.shape[-1] ** 0.5
        return abs(xp.linalg.norm(x, axis=-1) - 1) < bound

    def feasible_like(self, prototype: Any) -> Array:
        return jnp.full_like(prototype, prototype.shape[-1] ** -0.5)


class _ZeroSum(Constraint):
    def __init__(self, event_dim: int = 1) -> None:
        self._event_dim = event_dim

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return self._event_dim

    def __call__(self, x: Any) -> Any:
        xp = library_of(x)
        axes = tuple(range(-self._event_dim, 0))
        largest = xp.maximum(xp.max(abs(x), axis=axes, keepdims=True), 1.0)
        ok: Any = True
        for axis in axes:
            bound = xp.finfo(x.dtype).eps * 10 * x.shape[axis] * largest
            ok = ok & xp.all(abs(x.sum(axis, keepdims=True)) <= bound, axis=axes)
        return ok

    def eq(self, other: object, static: bool = False) -> Any:
        return isinstance(other, _ZeroSum) and self.event_dim == other.event_dim

    def feasible_like(self, prototype: Any) -> Array:
        return jnp.zeros_like(prototype)

    def tree_flatten(self) -> Any:
        return (), ((), {"_event_dim": self._event_dim})


class _PositiveDefiniteCirculantVector(SingletonConstraint):
    event_dim = 1

    def __call__(self, x: Any) -> Any:
        xp = library_of(x)
        bound = 10 * xp.finfo(x.dtype).eps
        spectrum = xp.fft.rfft(x)
        return (abs(spectrum.imag) < bound) & (spectrum.real > -bound)

    def feasible_like(self, prototype: Any) -> Array:
        return jnp.zeros_like(prototype).at[..., 0].set(1.0)


# -- matrices ------------------------------------------------------------------------------------


def _identity_like(prototype: Any, scale: float = 1.0) -> Array:
    return jnp.broadcast_to(scale * jnp.eye(prototype.shape[-1]), prototype.shape)


def _symmetric(x: Any) -> Any:
    xp = library_of(x)
    return xp.all(xp.isclose(x, xp.swapaxes(x, -2, -1)), axis=(-2, -1))


def _diagonal(x: Any) -> Any:
    return library_of(x).diagonal(x, axis1=-2, axis2=-1)


class _Matrices(SingletonConstraint):
    event_dim = 2

    def feasible_like(self, prototype: Any) -> Array:
        return _identity_like(prototype)


class _LowerCholesky(_Matrices):
    def __call__(self, x: Any) -> Any:
        lower = (library_of(x).tril(x) == x).all(axis=(-2, -1))
        return lower & (_diagonal(x) > 0).all(axis=-1)


class _ScaledUnitLowerCholesky(_LowerCholesky):
    pass


class _SoftplusLowerCholesky(_LowerCholesky):
    def feasible_like(self, prototype: Any) -> Array:
        return _identity_like(prototype, math.log(2.0))


class _CorrCholesky(_Matrices):
    def __call__(self, x: Any) -> Any:
        xp = library_of(x)
        bound = xp.finfo(x.dtype).eps * x.shape[-1] * 10
        unit = (abs(xp.linalg.norm(x, axis=-1) - 1) <= bound).all(axis=-1)
        return lower_cholesky(x) & unit


class _CorrMatrix(_Matrices):
    def __call__(self, x: Any) -> Any:
        unit = (abs(_diagonal(x) - 1) < 1e-6).all(axis=-1)
        return positive_definite(x) & unit


class _PositiveDefinite(_Matrices):
    def __call__(self, x: Any) -> Any:
        return _symmetric(x) & (library_of(x).linalg.eigvalsh(x)[..., 0] > 0)


class _PositiveSemiDefinite(_Matrices):
    def __call__(self, x: Any) -> Any:
        return _symmetric(x) & (library_of(x).linalg.eigvalsh(x)[..., 0] >= 0)


# -- made of others ------------------------------------------------------------------------------


class _IndependentConstraint(Constraint):
    """The last axes of the batch become part of one member."""

    base_constraint: Constraint
    reinterpreted_batch_ndims: int

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        if isinstance(base_constraint, _IndependentConstraint):
            reinterpreted_batch_ndims += base_constraint.reinterpreted_batch_ndims
            base_constraint = base_constraint.base_constraint
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def __call__(self, x: Any) -> Any:
        result = self.base_constraint(x)
        if jnp.ndim(result) < self.reinterpreted_batch_ndims:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {jnp.ndim(x)}")
        return library_of(result).all(result, axis=tuple(range(-self.reinterpreted_batch_ndims, 0)))

    def __repr__(self) -> str:
        base = repr(self.base_constraint)
        return f"{type(self).__name__[1:]}({base}, {self.reinterpreted_batch_ndims})"

    def feasible_like(self, prototype: Any) -> Array:
        return self.base_constraint.feasible_like(prototype)

    def tree_flatten(self) -> Any:
        aux = {"reinterpreted_batch_ndims": self.reinterpreted_batch_ndims}
        return (self.base_constraint,), (("base_constraint",), aux)

    def eq(self, other: object, static: bool = False) -> Any:
        if not isinstance(other, _IndependentConstraint):
            return False
        if self.reinterpreted_batch_ndims != other.reinterpreted_batch_ndims:
            return False
        return self.base_constraint.eq(other.base_constraint, static=static)


class _RealVector(_IndependentConstraint, SingletonConstraint):
    def __init__(self) -> None:
        super().__init__(real, 1)


class _RealMatrix(_IndependentConstraint, SingletonConstraint):
    def __init__(self) -> None:
        super().__init__(real, 2)


class _Cat(Constraint):
    """Constraints on consecutive parts along an axis."""

    def __init__(
        self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None
    ) -> None:
        self.cseq = tuple(cseq)
        self.lengths = tuple(lengths) if lengths is not None else (1,) * len(self.cseq)
        if not self.cseq or len(self.lengths) != len(self.cseq):
            raise ValueError(
                f"cat: {len(self.cseq)} constraints and {len(self.lengths)} lengths: expected one "
                "length for each of one or more constraints."
            )
        self.dim = dim

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        return any(c.is_discrete for c in self.cseq)

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        return max(c.event_dim for c in self.cseq)

    def _each(self, function: Callable[[Constraint, Any], Any], x: Any) -> Array:
        if jnp.shape(x)[self.dim] != sum(self.lengths):
            raise ValueError(
                f"value.shape[{self.dim}] = {jnp.shape(x)[self.dim]} must equal the sum of lengths "
                f"{sum(self.lengths)}"
            )
        parts = jnp.split(x, np.cumsum(self.lengths)[:-1], axis=self.dim)
        return jnp.concatenate(
            [function(c, part) for c, part in zip(self.cseq, parts, strict=True)], axis=self.dim
        )

    def __call__(self, x: Any) -> Any:
        return self._each(lambda c, part: c(part), x)

    def feasible_like(self, prototype: Any) -> Array:
        return self._each(lambda c, part: c.feasible_like(part), prototype)

    def __repr__(self) -> str:
        return f"{type(self).__name__[1:]}({self.cseq}, dim={self.dim}, lengths={self.lengths})"

    def tree_flatten(self) -> Any:
        return (self.cseq,), (("cseq",), {"dim": self.dim, "lengths": self.lengths})

    def eq(self, other: object, static: bool = False) -> Any:
        if not isinstance(other, _Cat) or (self.dim, self.lengths) != (other.dim, other.lengths):
            return False
        equal: Any = True
        for mine, theirs in zip(self.cseq, other.cseq, strict=True):
            equal = equal & mine.eq(theirs, static=static)
        return equal


class _Dependent(Constraint):
    """Stands for a set that depends on other variables; what is not known raises an error."""

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented):
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    @property
    def is_discrete(self) -> bool:  # type: ignore[override]
        if self._is_discrete is NotImplemented:
            raise NotImplementedError(".is_discrete cannot be determined statically")
        return bool(self._is_discrete)

    @property
    def event_dim(self) -> int:  # type: ignore[override]
        if self._event_dim is NotImplemented:
            raise NotImplementedError(".event_dim cannot be determined statically")
        return int(self._event_dim)

    def __call__(
        self, x: Any = None, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented
    ) -> Any:
        if x is not None:
            raise ValueError("Cannot determine validity of dependent constraint")
        return _Dependent(
            is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
            event_dim=self._event_dim if event_dim is NotImplemented else event_dim,
        )

    def eq(self, other: object, static: bool = False) -> Any:
        return isinstance(other, _Dependent) and (
            (self._is_discrete, self._event_dim) == (other._is_discrete, other._event_dim)
        )

    def tree_flatten(self) -> Any:
        return (), ((), {"_is_discrete": self._is_discrete, "_event_dim": self._event_dim})


class dependent_property(property):  # noqa: N801, a user's name
    """A property that is a constraint, with what is known of it before there is an object."""

    def __init__(
        self, fn: Any = None, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented
    ) -> None:
        super().__init__(fn)
        self._static = _Dependent(is_discrete=is_discrete, event_dim=event_dim)

    @property
    def is_discrete(self) -> bool:
        """Whether members are whole numbers."""
        return self._static.is_discrete

    @property
    def event_dim(self) -> int:
        """How many axes one member has."""
        return self._static.event_dim

    def __call__(self, fn: Any) -> dependent_property:
        static = self._static
        return dependent_property(fn, is_discrete=static._is_discrete, event_dim=static._event_dim)


def is_dependent(constraint: Any) -> bool:
    """Whether a constraint depends on other variables."""
    return isinstance(constraint, (_Dependent, dependent_property))


boolean = _Boolean()
cat = _Cat
circular = _Circular()
complex = _Complex()  # noqa: A001, a user's name
corr_cholesky = _CorrCholesky()
corr_matrix = _CorrMatrix()
dependent = _Dependent()
greater_than = _GreaterThan
greater_than_eq = _GreaterThanEq
independent = _IndependentConstraint
integer_greater_than = _IntegerGreaterThan
integer_interval = _IntegerInterval
interval = _Interval
l1_ball = _L1Ball()
less_than = _LessThan
less_than_eq = _LessThanEq
lower_cholesky = _LowerCholesky()
multinomial = _Multinomial
nonnegative = _Nonnegative()
nonnegative_integer = _IntegerNonnegative()
open_interval = _OpenInterval
ordered_vector = _OrderedVector()
positive = _Positive()
positive_definite = _PositiveDefinite()
positive_definite_circulant_vector = _PositiveDefiniteCirculantVector()
positive_integer = _IntegerPositive()
positive_ordered_vector = _PositiveOrderedVector()
positive_semidefinite = _PositiveSemiDefinite()
real = _Real()
real_matrix = _RealMatrix()
real_vector = _RealVector()
scaled_unit_lower_cholesky = _ScaledUnitLowerCholesky()
simplex = _Simplex()
softplus_lower_cholesky = _SoftplusLowerCholesky()
softplus_positive = _SoftplusPositive()
sphere = _Sphere()
unit_interval = _UnitInterval()
zero_sum = _ZeroSum

__all__ = [
    "Constraint", "ParameterFreeConstraint", "boolean", "cat", "circular", "complex",
    "corr_cholesky", "corr_matrix", "dependent", "dependent_property", "greater_than",
    "greater_than_eq", "independent", "integer_greater_than", "integer_interval", "interval",
    "is_dependent", "l1_ball", "less_than", "less_than_eq", "lower_cholesky", "multinomial",
    "nonnegative", "nonnegative_integer", "open_interval", "ordered_vector", "positive",
    "positive_definite", "positive_definite_circulant_vector", "positive_integer",
    "positive_ordered_vector", "positive_semidefinite", "real", "real_matrix", "real_vector",
    "scaled_unit_lower_cholesky", "simplex", "softplus_lower_cholesky", "softplus_positive",
    "sphere", "unit_interval", "zero_sum",
]  # fmt: skip
