"""What all transforms can do, and those that are made of others."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_pytree_node

from finetti.dialects.numpyro.distributions import constraints, graphs
from finetti.dialects.numpyro.distributions.constraint_base import same
from finetti.dialects.numpyro.distributions.util import sum_rightmost
from finetti.dist import maps
from finetti.dist.maps import Map
from finetti.ir import Tensor
from finetti.ir.ops.leaf import new_input

Array = Any
Shape = tuple[int, ...]
# A map and the values of its parameters.
Step = tuple[Map, dict[str, Any]]


class Transform:
    """A map between two constraints."""

    # Parameter of the map -> attribute with its value; and attributes that are static.
    arguments: ClassVar[dict[str, str]] = {}
    static: ClassVar[tuple[str, ...]] = ()
    _inv: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        register_pytree_node(cls, cls.tree_flatten, cls.tree_unflatten)

    @property
    def domain(self) -> Any:
        """What is mapped."""
        return constraints.real

    @property
    def codomain(self) -> Any:
        """Where it goes."""
        return constraints.real

    @property
    def inv(self) -> Transform:
        """The transform that goes back."""
        inverse = self._inv() if isinstance(self._inv, weakref.ref) else self._inv
        if inverse is None:
            inverse = _InverseTransform(self)
            self._inv = weakref.ref(inverse)
        return inverse  # type: ignore[no-any-return]

    @property
    def sign(self) -> Any:
        """The sign of the derivative."""
        raise NotImplementedError(f"Transform `{type(self).__name__}` does not implement `sign`.")

    def __call__(self, x: Any) -> Any:
        """Map an array."""
        raise NotImplementedError

    def _inverse(self, y: Any) -> Any:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> Any:
        """The logarithm of the volume, for ``y = self(x)``."""
        raise NotImplementedError

    def call_with_intermediates(self, x: Any) -> Any:
        """The result, and what the volume can use again."""
        return self(x), None

    def forward_shape(self, shape: Shape) -> Shape:
        """The shape that an array of this one is mapped to."""
        return shape

    def inverse_shape(self, shape: Shape) -> Shape:
        """The shape that is mapped to this one."""
        return shape

    def steps(self) -> list[Step] | None:
        """The maps it consists of, with parameters; None for what the user defines."""
        return None

    # -- as a pytree, and compared
    def tree_flatten(self) -> Any:
        """Its children; the names of their attributes and the static ones."""
        names = tuple(self.arguments.values())
        static = {name: getattr(self, name) for name in self.static}
        return tuple(getattr(self, name) for name in names), (names, static)

    @classmethod
    def tree_unflatten(cls, aux: Any, children: Any) -> Any:
        """The transform with other children."""
        names, static = aux
        self = cls.__new__(cls)
        self.__dict__.update(static)
        self.__dict__.update(zip(names, children, strict=True))
        return self

    def eq(self, other: object, static: bool = False) -> Any:
        """Whether both are the same map; a traced answer when not `static`."""
        if type(other) is not type(self):
            return False
        equal: Any = True
        for mine, theirs in zip(*(t.tree_flatten()[0] for t in (self, other)), strict=True):
            parts = isinstance(mine, (Transform, constraints.Constraint))
            equal = equal & (mine.eq(theirs, static) if parts else same(mine, theirs, static))
        return equal & all(getattr(self, n) == getattr(other, n) for n in self.static)

    def __eq__(self, other: object) -> bool:
        return bool(self.eq(other, static=True))

    def __hash__(self) -> int:
        return hash(type(self))

    def __getstate__(self) -> dict[str, Any]:
        return {k: None if isinstance(v, weakref.ref) else v for k, v in self.__dict__.items()}


def _forward(way: Map, x: Tensor, *params: Tensor) -> Tensor:
    return way.forward(x, **dict(zip(way.params, params, strict=True)))


def _backward(way: Map, y: Tensor, *params: Tensor) -> Tensor:
    return way.inverse(y, **dict(zip(way.params, params, strict=True)))


def _log_det(way: Map, x: Tensor, y: Tensor, *params: Tensor) -> Tensor:
    return way.log_det(x, y, **dict(zip(way.params, params, strict=True)))


def _sign(way: Map, *params: Tensor) -> Tensor:
    assert way.sign is not None
    return way.sign(**dict(zip(way.params, params, strict=True)))


class MappedTransform(Transform):
    """A transform that is one map of `finetti.dist.maps`."""

    way: Map

    def _params(self) -> tuple[Any, ...]:
        return tuple(getattr(self, self.arguments[name]) for name in self.way.params)

    def __call__(self, x: Any) -> Array:
        return graphs.call(_forward, x, *self._params(), static=self.way)

    def _inverse(self, y: Any) -> Array:
        return graphs.call(_backward, y, *self._params(), static=self.way)

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> Array:
        return graphs.call(_log_det, x, y, *self._params(), static=self.way)

    @property
    def sign(self) -> Any:
        if self.way.sign is None:
            return super().sign
        return graphs.call(_sign, *self._params(), static=self.way)

    def _shape(self, function: Any, shape: Shape) -> Shape:
        tensors = [new_input(f"x{i}", s) for i, s in enumerate([shape, *self._shapes()])]
        if "permutation" in self.way.params:
            return shape
        return tuple(map(int, function(self.way, *tensors).shape))

    def _shapes(self) -> list[Shape]:
        return [tuple(jnp.shape(x)) for x in self._params()]

    def forward_shape(self, shape: Shape) -> Shape:
        return self._shape(_forward, tuple(shape))

    def inverse_shape(self, shape: Shape) -> Shape:
        return self._shape(_backward, tuple(shape))

    def steps(self) -> list[Step] | None:
        return [(self.way, dict(zip(self.way.params, self._params(), strict=True)))]


class ParameterFreeTransform(MappedTransform):
    """A transform that its class says all of."""

    def eq(self, other: object, static: bool = False) -> Any:
        return isinstance(other, type(self))


class _InverseTransform(Transform):
    def __init__(self, transform: Transform) -> None:
        self._inv = transform

    @property
    def domain(self) -> Any:
        return self._inv.codomain

    @property
    def codomain(self) -> Any:
        return self._inv.domain

    @property
    def sign(self) -> Any:
        return self._inv.sign

    @property
    def inv(self) -> Transform:
        return self._inv  # type: ignore[no-any-return]

    def __call__(self, x: Any) -> Any:
        return self._inv._inverse(x)

    def _inverse(self, y: Any) -> Any:
        return self._inv(y)

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> Any:
        return -self._inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Shape) -> Shape:
        return self._inv.inverse_shape(shape)  # type: ignore[no-any-return]

    def inverse_shape(self, shape: Shape) -> Shape:
        return self._inv.forward_shape(shape)  # type: ignore[no-any-return]

    def steps(self) -> list[Step] | None:
        parts = self._inv.steps()
        return parts and [(maps.inverse_of(way), params) for way, params in reversed(parts)]

    def tree_flatten(self) -> Any:
        return (self._inv,), (("_inv",), {})

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)


class IndependentTransform(Transform):
    """A transform whose events have more axes."""

    def __init__(self, base_transform: Transform, reinterpreted_batch_ndims: int) -> None:
        self.base_transform = base_transform
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def domain(self) -> Any:
        base = self.base_transform.domain
        return constraints.independent(base, self.reinterpreted_batch_ndims)

    @property
    def codomain(self) -> Any:
        base = self.base_transform.codomain
        return constraints.independent(base, self.reinterpreted_batch_ndims)

    def __call__(self, x: Any) -> Any:
        return self.base_transform(x)

    def _inverse(self, y: Any) -> Any:
        return self.base_transform._inverse(y)

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> Any:
        each = self.base_transform.log_abs_det_jacobian(x, y, intermediates)
        if jnp.ndim(each) < self.reinterpreted_batch_ndims:
            raise ValueError(f"Expected x.dim() >= {self.domain.event_dim} but got {jnp.ndim(x)}")
        return sum_rightmost(each, self.reinterpreted_batch_ndims)

    def call_with_intermediates(self, x: Any) -> Any:
        return self.base_transform.call_with_intermediates(x)

    def forward_shape(self, shape: Shape) -> Shape:
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape: Shape) -> Shape:
        return self.base_transform.inverse_shape(shape)

    def steps(self) -> list[Step] | None:
        return self.base_transform.steps()

    def tree_flatten(self) -> Any:
        aux = {"reinterpreted_batch_ndims": self.reinterpreted_batch_ndims}
        return (self.base_transform,), (("base_transform",), aux)

    def eq(self, other: object, static: bool = False) -> Any:
        if not isinstance(other, IndependentTransform):
            return False
        if self.reinterpreted_batch_ndims != other.reinterpreted_batch_ndims:
            return False
        return self.base_transform.eq(other.base_transform, static=static)


def _domain_axes(parts: Sequence[Transform]) -> int:
    axes = parts[-1].domain.event_dim
    for part in parts[-2::-1]:
        axes = part.domain.event_dim + max(axes - part.codomain.event_dim, 0)
    return int(axes)


def _codomain_axes(parts: Sequence[Transform]) -> int:
    axes = parts[0].codomain.event_dim
    for part in parts[1:]:
        axes = part.codomain.event_dim + max(axes - part.domain.event_dim, 0)
    return int(axes)


def _wider(constraint: Any, axes: int) -> Any:
    more = axes - constraint.event_dim
    return constraints.independent(constraint, more) if more else constraint


class ComposeTransform(Transform):
    """One transform after another."""

    def __init__(self, parts: Sequence[Transform]) -> None:
        self.parts = parts

    @property
    def domain(self) -> Any:
        return _wider(self.parts[0].domain, _domain_axes(self.parts))

    @property
    def codomain(self) -> Any:
        return _wider(self.parts[-1].codomain, _codomain_axes(self.parts))

    @property
    def sign(self) -> Any:
        sign: Any = 1
        for part in self.parts:
            sign = sign * part.sign
        return sign

    def __call__(self, x: Any) -> Any:
        for part in self.parts:
            x = part(x)
        return x

    def _inverse(self, y: Any) -> Any:
        for part in reversed(self.parts):
            y = part.inv(y)
        return y

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> Any:
        if intermediates is not None and len(intermediates) != len(self.parts):
            raise ValueError(
                f"Intermediates array has length = {len(intermediates)}. Expected = "
                f"{len(self.parts)}."
            )
        total: Any = 0.0
        axes = _domain_axes(self.parts)
        for k, part in enumerate(self.parts):
            last = k == len(self.parts) - 1
            inner = None
            if intermediates is not None:
                inner = intermediates[k] if last else intermediates[k][1]
            after = y if last else part(x) if intermediates is None else intermediates[k][0]
            more = axes - part.domain.event_dim
            each = part.log_abs_det_jacobian(x, after, intermediates=inner)
            total = total + sum_rightmost(each, more)
            axes = part.codomain.event_dim + more
            x = after
        return total

    def call_with_intermediates(self, x: Any) -> Any:
        seen: list[Any] = []
        for part in self.parts[:-1]:
            x, inner = part.call_with_intermediates(x)
            seen.append([x, inner])
        x, inner = self.parts[-1].call_with_intermediates(x)
        return x, [*seen, inner]

    def forward_shape(self, shape: Shape) -> Shape:
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape: Shape) -> Shape:
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape

    def steps(self) -> list[Step] | None:
        parts = [part.steps() for part in self.parts]
        if any(part is None for part in parts):
            return None
        return [step for part in parts if part is not None for step in part]

    def tree_flatten(self) -> Any:
        return (self.parts,), (("parts",), {})

    def eq(self, other: object, static: bool = False) -> Any:
        if not isinstance(other, ComposeTransform) or len(self.parts) != len(other.parts):
            return False
        equal: Any = True
        for mine, theirs in zip(self.parts, other.parts, strict=True):
            equal = equal & mine.eq(theirs, static=static)
        return equal


class CatTransform(Transform):
    """Transforms of consecutive parts along an axis."""

    def __init__(
        self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None
    ) -> None:
        self.transforms = tuple(tseq)
        self.lengths = tuple(lengths) if lengths is not None else (1,) * len(self.transforms)
        if not self.transforms or len(self.lengths) != len(self.transforms):
            raise AssertionError("lengths must have the same number of elements as tseq")
        self.dim = dim

    @property
    def length(self) -> int:
        """The length of all parts."""
        return sum(self.lengths)

    @property
    def domain(self) -> Any:
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)

    def _split(self, x: Any) -> list[Any]:
        if jnp.shape(x)[self.dim] != self.length:
            raise ValueError(
                f"value.shape[{self.dim}] = {jnp.shape(x)[self.dim]} must equal the sum of lengths "
                f"{self.length}"
            )
        return jnp.split(x, np.cumsum(self.lengths)[:-1], axis=self.dim)

    def __call__(self, x: Any) -> Array:
        parts = zip(self.transforms, self._split(x), strict=True)
        return jnp.concatenate([t(part) for t, part in parts], axis=self.dim)

    def _inverse(self, y: Any) -> Array:
        parts = zip(self.transforms, self._split(y), strict=True)
        return jnp.concatenate([t.inv(part) for t, part in parts], axis=self.dim)

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> Any:
        inner = intermediates or [None] * len(self.transforms)
        event = max(self.domain.event_dim, self.codomain.event_dim)
        terms = []
        for t, before, after, seen in zip(
            self.transforms, self._split(x), self._split(y), inner, strict=True
        ):
            own = max(t.domain.event_dim, t.codomain.event_dim)
            each = t.log_abs_det_jacobian(before, after, intermediates=seen)
            terms.append(sum_rightmost(each, event - own))
        axis = (self.dim if self.dim < 0 else self.dim - jnp.ndim(x)) + event
        return jnp.concatenate(terms, axis=axis) if axis < 0 else sum(terms)

    def call_with_intermediates(self, x: Any) -> Any:
        both = [
            t.call_with_intermediates(part)
            for t, part in zip(self.transforms, self._split(x), strict=True)
        ]
        return jnp.concatenate([y for y, _ in both], axis=self.dim), [seen for _, seen in both]

    def tree_flatten(self) -> Any:
        aux = {"dim": self.dim, "lengths": self.lengths}
        return (self.transforms,), (("transforms",), aux)

    def eq(self, other: object, static: bool = False) -> Any:
        if not isinstance(other, CatTransform):
            return False
        if (self.dim, self.lengths) != (other.dim, other.lengths):
            return False
        equal: Any = True
        for mine, theirs in zip(self.transforms, other.transforms, strict=True):
            equal = equal & mine.eq(theirs, static=static)
        return equal
