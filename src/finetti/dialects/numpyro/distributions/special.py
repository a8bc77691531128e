"""Distributions that are no row of a table: of one value, of none, or of another one mapped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from finetti.dialects.numpyro.distributions import constraints, graphs
from finetti.dialects.numpyro.distributions.base import (
    Array,
    Distribution,
    Shape,
    _Wrapper,
    batch_of,
)
from finetti.dialects.numpyro.distributions.tabled import Tabled
from finetti.dialects.numpyro.distributions.transforms import (
    AbsTransform,
    ComposeTransform,
    Transform,
)
from finetti.dialects.numpyro.distributions.util import (
    promote_shapes,
    sum_rightmost,
    validate_sample,
)
from finetti.dialects.numpyro.lowered import Lowered
from finetti.dist import Flat, HalfFlat, diracdelta
from finetti.errors import NotYetSupported
from finetti.ir import Tensor, ops

C = constraints


class Delta(Distribution):
    """One value, with a log density that can be given."""

    arg_constraints = {"v": C.dependent(is_discrete=False), "log_density": C.real}
    reparametrized_params = ["v", "log_density"]

    def __init__(
        self,
        v: Any = 0.0,
        log_density: Any = 0.0,
        event_dim: int = 0,
        *,
        validate_args: bool | None = None,
    ) -> None:
        shape = tuple(jnp.shape(v))
        if event_dim > len(shape):
            raise ValueError(f"Expected event_dim <= v.dim(), actual {event_dim} vs {len(shape)}")
        cut = len(shape) - event_dim
        self.v = v
        self.log_density = promote_shapes(log_density, shape=shape[:cut])[0]
        super().__init__(shape[:cut], shape[cut:], validate_args=validate_args)

    @constraints.dependent_property
    def support(self) -> Any:
        return C.independent(C.real, self.event_dim)

    def sample(self, key: Array, sample_shape: Shape = ()) -> Array:
        return jnp.broadcast_to(self.v, self.shape(sample_shape)) if sample_shape else self.v

    @validate_sample
    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        each = graphs.apply(diracdelta.logp, value, self.v)
        return sum_rightmost(each, self.event_dim) + self.log_density

    @property
    def mean(self) -> Array:
        return jnp.asarray(self.v)

    @property
    def variance(self) -> Array:
        return jnp.zeros(self.shape())

    def entropy(self) -> Array:
        return -jnp.broadcast_to(self.log_density, self.batch_shape)


class Unit(Distribution):
    """No value, and a log factor: what `numpyro.factor` makes."""

    arg_constraints = {"log_factor": C.real}
    support = C.real  # type: ignore[assignment]

    def __init__(self, log_factor: Any, *, validate_args: bool = False) -> None:
        self.log_factor = log_factor
        super().__init__(tuple(jnp.shape(log_factor)), (0,), validate_args=validate_args)

    def sample(self, key: Array, sample_shape: Shape = ()) -> Array:
        return jnp.empty(self.shape(sample_shape))

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        shape = jnp.broadcast_shapes(self.batch_shape, jnp.shape(value)[:-1])
        return jnp.broadcast_to(self.log_factor, shape)


class ImproperUniform(Distribution):
    """A constant density on a set, which need not integrate to a finite number."""

    support = C.dependent  # type: ignore[assignment]
    pytree_data_fields = ("_set",)

    def __init__(
        self,
        support: Any,
        batch_shape: Shape,
        event_shape: Shape,
        *,
        validate_args: bool | None = None,
    ) -> None:
        more = len(event_shape) - support.event_dim
        self._set = C.independent(support, more) if more else support
        super().__init__(tuple(batch_shape), tuple(event_shape), validate_args=validate_args)

    @validate_sample
    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        batch = batch_of(value, self.event_dim)
        return jnp.zeros(jnp.broadcast_shapes(batch, self.batch_shape))

    def _validate_sample(self, value: Any) -> Any:
        inside = super()._validate_sample(value)
        more = jnp.ndim(inside) - (jnp.ndim(value) - self.event_dim)
        return inside if more <= 0 else jnp.all(inside, axis=tuple(range(-more, 0)))

    def _lower(self) -> Lowered | None:
        inner: Any = self._set
        axes = 0
        if isinstance(inner, C.independent):
            inner, axes = inner.base_constraint, inner.reinterpreted_batch_ndims
        record = Flat if inner is C.real else HalfFlat if inner is C.nonnegative else None
        if record is None or self.event_dim != axes:
            return None
        full = self.batch_shape + self.event_shape
        return Lowered(record, {}, expand_shape=full, event_dims_reinterpreted=axes)


def _get_set(self: Any) -> Any:
    return self._set


ImproperUniform.support = property(_get_set)  # type: ignore[assignment]


class TransformedDistribution(_Wrapper):
    """The values of another distribution, mapped."""

    pytree_data_fields: tuple[str, ...] = ("base_dist", "transforms")
    transforms: list[Transform]

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Transform | list[Transform],
        *,
        validate_args: bool | None = None,
    ) -> None:
        parts = _list_of(transforms)
        base: Any = base_distribution
        if isinstance(base, TransformedDistribution):
            base, parts = base.base_dist, [*base.transforms, *parts]
        whole = ComposeTransform(parts)
        shape, axes = base.shape(), whole.domain.event_dim
        if len(shape) < axes:
            raise ValueError(
                f"Base distribution needs to have shape with size at least {axes}, but got {shape}."
            )
        after = tuple(whole.forward_shape(shape))
        before = tuple(whole.inverse_shape(after))
        own = base.event_dim
        if shape != before:
            base = base.expand(before[: len(before) - own])
        if axes > own:
            base = base.to_event(axes - own)
        self.base_dist, self.transforms = base, parts
        cut = len(after) - (whole.codomain.event_dim + max(own - axes, 0))
        Distribution.__init__(self, after[:cut], after[cut:], validate_args=validate_args)

    @property
    def support(self) -> Any:
        codomain = self.transforms[-1].codomain
        more = self.event_dim - codomain.event_dim
        return C.independent(codomain, more) if more else codomain

    def sample(self, key: Array, sample_shape: Shape = ()) -> Array:
        x = self.base_dist.sample(key, sample_shape)
        for transform in self.transforms:
            x = transform(x)
        return x

    def sample_with_intermediates(self, key: Array, sample_shape: Shape = ()) -> Any:
        x = self.base_dist.sample(key, sample_shape)
        seen: list[Any] = []
        for transform in self.transforms:
            y, inner = transform.call_with_intermediates(x)
            seen.append([x, inner])
            x = y
        return x, seen

    @validate_sample
    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        seen: Sequence[Any] = intermediates or [(None, None)] * len(self.transforms)
        if len(seen) != len(self.transforms):
            raise ValueError(
                f"Intermediates array has length = {len(seen)}. Expected = {len(self.transforms)}."
            )
        axes, total, y = self.event_dim, 0.0, value
        for transform, (before, inner) in zip(
            reversed(self.transforms), reversed(seen), strict=True
        ):
            x = transform.inv(y) if intermediates is None else before
            volume = transform.log_abs_det_jacobian(x, y, inner)
            more = axes - transform.codomain.event_dim
            total = total - sum_rightmost(volume, more)
            axes, y = transform.domain.event_dim + more, x
        each = self.base_dist.log_prob(y)
        return total + sum_rightmost(each, axes - self.base_dist.event_dim)

    @property
    def mean(self) -> Array:
        raise NotImplementedError

    @property
    def variance(self) -> Array:
        raise NotImplementedError

    def _falls(self) -> Any:
        sign: Any = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        return sign < 0

    def cdf(self, value: Any) -> Array:
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        q = self.base_dist.cdf(value)
        return jnp.where(self._falls(), 1 - q, q)

    def icdf(self, q: Any) -> Array:
        value = self.base_dist.icdf(jnp.where(self._falls(), 1 - q, q))
        for transform in self.transforms:
            value = transform(value)
        return jnp.asarray(value)


class MappedRow(Tabled, TransformedDistribution):
    """A distribution of a table that NumPyro defines by a base and transforms.

    It is a record like the others; `base_dist` and `transforms` are there for who asks.
    """

    pytree_data_fields = ()
    has_rsample = Distribution.has_rsample
    rsample = Distribution.rsample
    sample_with_intermediates = Distribution.sample_with_intermediates

    @property
    def base_dist(self) -> Any:  # type: ignore[override]
        """What is mapped."""
        return self._mapped()[0]

    @property
    def transforms(self) -> Any:  # type: ignore[override]
        """How it is mapped."""
        return self._mapped()[1]

    def _mapped(self) -> tuple[Any, list[Any]]:
        if self.row.mapped is None:
            raise NotYetSupported(f"{self.row.name}: its base and transforms are not written")
        return self.row.mapped(self)

    @classmethod
    def gather_pytree_data_fields(cls) -> tuple[str, ...]:
        names = super().gather_pytree_data_fields()
        return tuple(name for name in names if name not in ("base_dist", "transforms"))


def _list_of(transforms: Any) -> list[Transform]:
    if isinstance(transforms, Transform):
        return [transforms]
    if not isinstance(transforms, list):
        raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
    if not all(isinstance(t, Transform) for t in transforms):
        raise ValueError("transforms must be a Transform or a list of Transforms")
    return transforms


def _two_sides(up: Tensor, down: Tensor) -> Tensor:
    return ops.logaddexp(up, down)


class FoldedDistribution(TransformedDistribution):
    """The size of a number of another distribution."""

    support = C.positive  # type: ignore[assignment]

    def __init__(self, base_dist: Distribution, *, validate_args: bool | None = None) -> None:
        if base_dist.event_shape:
            raise ValueError("Only univariate distributions can be folded.")
        super().__init__(base_dist, AbsTransform(), validate_args=validate_args)

    @validate_sample
    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        value = jnp.asarray(value)
        up, down = self.base_dist.log_prob(value), self.base_dist.log_prob(-value)
        return graphs.apply(_two_sides, up, down)
