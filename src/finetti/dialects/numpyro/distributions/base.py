"""What every distribution of this dialect can do, and the wrappers that change shapes and masks."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from finetti.dialects.numpyro.distributions import constraints
from finetti.dialects.numpyro.distributions.trees import TreeNode
from finetti.dialects.numpyro.distributions.util import (
    is_concrete,
    sum_rightmost,
)
from finetti.dialects.numpyro.lowered import Lowered
from finetti.errors import warn

Array = Any
Shape = tuple[int, ...]


def enable_validation(is_validate: bool = True) -> None:
    """Check parameters and values, or stop checking them."""
    Distribution.set_default_validate_args(is_validate)


@contextmanager
def validation_enabled(is_validate: bool = True) -> Iterator[None]:
    """Check parameters and values, or do not, inside of a `with` block."""
    before = Distribution._validate_args
    try:
        enable_validation(is_validate)
        yield
    finally:
        enable_validation(before)


class Distribution(TreeNode):
    """A distribution over events, for a batch of parameters.

    Parameters
    ----------
    batch_shape, event_shape : tuple of int
        The shapes of the batch and of one event.
    validate_args : bool, optional
        Whether parameters and values are checked.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}
    has_enumerate_support: bool = False
    reparametrized_params: Sequence[str] = ()
    pytree_aux_fields: tuple[str, ...] = ("_batch_shape", "_event_shape")
    _validate_args: bool = True
    _support: Any = None

    def __init__(
        self, batch_shape: Shape = (), event_shape: Shape = (), *, validate_args: bool | None = None
    ) -> None:
        self._batch_shape = tuple(batch_shape)
        self._event_shape = tuple(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self.validate_args(strict=False)

    # -- checks ----------------------------------------------------------------------------------

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions check parameters and values when nothing else is said."""
        if value not in (True, False):
            raise ValueError
        Distribution._validate_args = value

    def get_args(self) -> dict[str, Any]:
        """The parameters that were given."""
        own = self.__dict__
        return {name: own[name] for name in self.arg_constraints if own.get(name) is not None}

    def validate_args(self, strict: bool = True) -> None:
        """Raise an error for parameters outside of their constraint; traced ones if `strict`."""
        for name, value in self.get_args().items():
            constraint = self.arg_constraints[name]
            if constraints.is_dependent(constraint):
                continue
            if not is_concrete(value):
                if strict:
                    raise RuntimeError("Cannot validate arguments inside jitted code.")
                continue
            if not np.all(constraint(np.asarray(value))):
                raise ValueError(
                    f"{type(self).__name__} distribution got invalid {name} parameter."
                )

    def _validate_sample(self, value: Any) -> Any:
        inside = self.support(value)
        if is_concrete(inside) and not np.all(inside):
            warn(
                "Out-of-support values provided to log prob method. The value argument should be "
                "within the support.",
            )
        return inside

    # -- shapes ----------------------------------------------------------------------------------

    @property
    def support(self) -> Any:
        """Where values lie."""
        return self._support

    @property
    def batch_shape(self) -> Shape:
        """The shape of the batch of parameters."""
        return self._batch_shape

    @property
    def event_shape(self) -> Shape:
        """The shape of one event."""
        return self._event_shape

    @property
    def event_dim(self) -> int:
        """How many axes one event has."""
        return len(self.event_shape)

    @property
    def is_discrete(self) -> bool:
        """Whether values are whole numbers."""
        return bool(self.support.is_discrete)

    @property
    def has_rsample(self) -> bool:
        """Whether draws can be differentiated by all parameters."""
        return set(self.reparametrized_params) == set(self.arg_constraints)

    def shape(self, sample_shape: Shape = ()) -> Shape:
        """The shape of draws."""
        return tuple(sample_shape) + self.batch_shape + self.event_shape

    @classmethod
    def infer_shapes(cls, *args: Any, **kwargs: Any) -> tuple[Shape, Shape]:
        """The batch and event shape for the shapes of parameters, of univariate distributions."""
        if getattr(cls.support, "event_dim", 0) > 0:
            raise NotImplementedError
        names = tuple(inspect.signature(cls.__init__).parameters)[1:]
        shapes = {**kwargs, **dict(zip(names, args, strict=False))}
        batch = []
        for name, shape in shapes.items():
            if shape is not None:
                axes = cls.arg_constraints.get(name, constraints.real).event_dim
                batch.append(shape[: len(shape) - axes])
        return jnp.broadcast_shapes(*batch), ()

    # -- what subclasses say ---------------------------------------------------------------------

    def sample(self, key: Array, sample_shape: Shape = ()) -> Array:
        """Random values of shape ``sample_shape + batch_shape + event_shape``."""
        raise NotImplementedError

    def rsample(self, key: Array, sample_shape: Shape = ()) -> Array:
        """As `sample`, where draws can be differentiated."""
        if self.has_rsample:
            return self.sample(key, sample_shape=sample_shape)
        raise NotImplementedError

    def sample_with_intermediates(self, key: Array, sample_shape: Shape = ()) -> Any:
        """Random values, and what `log_prob` can use again."""
        return self.sample(key, sample_shape=sample_shape), []

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        """The log density, one number an event."""
        raise NotImplementedError

    def cdf(self, value: Any) -> Array:
        """The probability of values up to `value`."""
        raise NotImplementedError

    def icdf(self, q: Any) -> Array:
        """The value that has probability `q` below it."""
        raise NotImplementedError

    @property
    def mean(self) -> Array:
        """The mean."""
        raise NotImplementedError

    @property
    def variance(self) -> Array:
        """The variance of each element."""
        raise NotImplementedError

    @property
    def mode(self) -> Array:
        """The most likely value."""
        raise NotImplementedError

    def entropy(self) -> Array:
        """The entropy."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Array:
        """All values, along a new first axis."""
        raise NotImplementedError

    def _lower(self) -> Lowered | None:
        """The record and parameters that mean it; None for what the user defines."""
        return None

    def __call__(self, *args: Any, **kwargs: Any) -> Array:
        key = kwargs.pop("rng_key")
        if kwargs.pop("sample_intermediates", False):
            return self.sample_with_intermediates(key, *args, **kwargs)
        return self.sample(key, *args, **kwargs)

    # -- wrappers --------------------------------------------------------------------------------

    def to_event(self, reinterpreted_batch_ndims: int | None = None) -> Distribution:
        """The distribution whose last axes of the batch (all, if None) belong to the event."""
        n = reinterpreted_batch_ndims
        n = len(self.batch_shape) if n is None else n
        return self if n == 0 else Independent(self, n)

    def expand(self, batch_shape: Sequence[int]) -> Distribution:
        """The distribution repeated to a batch shape."""
        batch_shape = tuple(batch_shape)
        return self if batch_shape == self.batch_shape else ExpandedDistribution(self, batch_shape)

    def expand_by(self, sample_shape: Sequence[int]) -> Distribution:
        """The distribution repeated along new first axes."""
        return self.expand(tuple(sample_shape) + self.batch_shape)

    def mask(self, mask: Any) -> Distribution:
        """The distribution whose log density counts where `mask` holds."""
        return self if mask is True else MaskedDistribution(self, mask)

    def __repr__(self) -> str:
        cls = type(self)
        return (
            f"<{cls.__module__}.{cls.__name__} object at {id(self):#x} with batch shape "
            f"{self.batch_shape} and event shape {self.event_shape}>"
        )


def batch_of(value: Any, event_dim: int) -> Shape:
    """The batch axes of a value."""
    shape = jnp.shape(value)
    return tuple(shape[: max(len(shape) - event_dim, 0)])


class _Wrapper(Distribution):
    """A distribution around another one, which says most."""

    pytree_data_fields: tuple[str, ...] = ("base_dist",)
    pytree_aux_fields: tuple[str, ...] = ("has_enumerate_support",)
    base_dist: Distribution

    @property
    def support(self) -> Any:
        return self.base_dist.support

    @property
    def has_rsample(self) -> bool:
        return self.base_dist.has_rsample

    def rsample(self, key: Array, sample_shape: Shape = ()) -> Array:
        if not self.has_rsample:
            raise NotImplementedError
        return self.sample(key, sample_shape)

    def sample(self, key: Array, sample_shape: Shape = ()) -> Array:
        return self.base_dist.sample(key, sample_shape)

    def sample_with_intermediates(self, key: Array, sample_shape: Shape = ()) -> Any:
        return self.base_dist.sample_with_intermediates(key, sample_shape)

    def _base_log_prob(self, value: Any, intermediates: Any) -> Array:
        more = () if intermediates is None else (intermediates,)
        return self.base_dist.log_prob(value, *more)

    @property
    def mean(self) -> Array:
        return self.base_dist.mean

    @property
    def variance(self) -> Array:
        return self.base_dist.variance


def _expanded_batch(old: Shape, new: Shape) -> Shape:
    """The new batch shape, if the old one is the same or 1 along each axis."""
    tail = new[len(new) - len(old) :]
    if len(new) < len(old) or any(o not in (1, n) for o, n in zip(old, tail, strict=True)):
        raise ValueError(f"Cannot broadcast distribution of shape {old} to shape {new}")
    return new


class ExpandedDistribution(_Wrapper):
    """A distribution repeated to a larger batch shape."""

    def __init__(self, base_dist: Distribution, batch_shape: Shape = ()) -> None:
        if isinstance(base_dist, ExpandedDistribution):
            _expanded_batch(base_dist.batch_shape, tuple(batch_shape))
            base_dist = base_dist.base_dist
        batch_shape = _expanded_batch(base_dist.batch_shape, tuple(batch_shape))
        self.base_dist = base_dist
        self.has_enumerate_support = bool(base_dist.has_enumerate_support)
        super().__init__(batch_shape, base_dist.event_shape)

    def sample_with_intermediates(self, key: Array, sample_shape: Shape = ()) -> Any:
        # Where the base has length 1 and this more, draws are independent: they are drawn along
        # new axes, which then take the place of those of length 1.
        old, new = self.base_dist.batch_shape, self.batch_shape
        first = new[: len(new) - len(old)]
        stretched = [i for i, n in enumerate(old) if n == 1 and new[len(first) + i] != 1]
        inserted = tuple(new[len(first) + i] for i in stretched)
        lead = tuple(sample_shape) + first
        drawn = self.base_dist.sample_with_intermediates(key, lead + inserted)

        def placed(x: Array) -> Array:
            x = jnp.asarray(x)
            for i in stretched:
                x = jnp.swapaxes(x, len(lead) + stretched.index(i), len(lead) + len(stretched) + i)
            event = x.shape[len(lead) + len(stretched) + len(old) :]
            return x.reshape(tuple(sample_shape) + new + event)

        return drawn if not stretched else jax.tree.map(placed, drawn)

    def sample(self, key: Array, sample_shape: Shape = ()) -> Array:
        return self.sample_with_intermediates(key, sample_shape)[0]

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        shape = jnp.broadcast_shapes(self.batch_shape, batch_of(value, self.event_dim))
        return jnp.broadcast_to(self._base_log_prob(value, intermediates), shape)

    def cdf(self, value: Any) -> Array:
        return self.base_dist.cdf(value)

    def icdf(self, q: Any) -> Array:
        return self.base_dist.icdf(q)

    def enumerate_support(self, expand: bool = True) -> Array:
        values = jnp.asarray(self.base_dist.enumerate_support(expand=False))
        values = values.reshape(values.shape[:1] + (1,) * len(self.batch_shape))
        full = values.shape[:1] + self.batch_shape + self.event_shape
        return jnp.broadcast_to(values, full) if expand else values

    @property
    def mean(self) -> Array:
        return jnp.broadcast_to(self.base_dist.mean, self.batch_shape + self.event_shape)

    @property
    def variance(self) -> Array:
        return jnp.broadcast_to(self.base_dist.variance, self.batch_shape + self.event_shape)

    def entropy(self) -> Array:
        return jnp.broadcast_to(self.base_dist.entropy(), self.batch_shape)

    def _lower(self) -> Lowered | None:
        base = self.base_dist._lower()
        if base is None:
            return None
        inner = self.event_shape[: base.event_dims_reinterpreted]
        return replaced(base, expand_shape=self.batch_shape + inner)


def replaced(lowered: Lowered, **changes: Any) -> Lowered:
    """A lowered distribution with some fields changed."""
    return Lowered(**{**lowered.__dict__, **changes})


class Independent(_Wrapper):
    """A distribution whose last axes of the batch belong to the event."""

    pytree_aux_fields = ("reinterpreted_batch_ndims", "reparametrized_params")

    def __init__(
        self,
        base_dist: Distribution,
        reinterpreted_batch_ndims: int,
        *,
        validate_args: bool | None = None,
    ) -> None:
        have = len(base_dist.batch_shape)
        if reinterpreted_batch_ndims > have:
            raise ValueError(
                "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), actual "
                f"{reinterpreted_batch_ndims} vs {have}"
            )
        shape = base_dist.batch_shape + base_dist.event_shape
        cut = have - reinterpreted_batch_ndims
        self.base_dist = base_dist
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        self.reparametrized_params = base_dist.reparametrized_params
        self.has_enumerate_support = bool(base_dist.has_enumerate_support)
        super().__init__(shape[:cut], shape[cut:], validate_args=validate_args)

    @property
    def support(self) -> Any:
        return constraints.independent(self.base_dist.support, self.reinterpreted_batch_ndims)

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        each = self._base_log_prob(value, intermediates)
        return sum_rightmost(each, self.reinterpreted_batch_ndims)

    def expand(self, batch_shape: Sequence[int]) -> Distribution:
        inner = self.event_shape[: self.reinterpreted_batch_ndims]
        base = self.base_dist.expand(tuple(batch_shape) + inner)
        return base.to_event(self.reinterpreted_batch_ndims)

    def entropy(self) -> Array:
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def _lower(self) -> Lowered | None:
        base = self.base_dist._lower()
        if base is None:
            return None
        more = base.event_dims_reinterpreted + self.reinterpreted_batch_ndims
        return replaced(base, event_dims_reinterpreted=more)


class MaskedDistribution(_Wrapper):
    """A distribution whose log density counts where a mask holds."""

    pytree_data_fields = ("_mask_array",)
    pytree_aux_fields = ("_mask_flag",)

    def __init__(self, base_dist: Distribution, mask: Any) -> None:
        self._mask_flag: bool | None = None
        self._mask_array: Any = None
        if isinstance(mask, bool):
            self._mask_flag = mask
        else:
            shape = jnp.broadcast_shapes(jnp.shape(mask), base_dist.batch_shape)
            base_dist = base_dist.expand(shape)
            mask = mask if jnp.shape(mask) == shape else jnp.broadcast_to(mask, shape)
            self._mask_array = mask.astype(bool)
        self.base_dist = base_dist
        self.has_enumerate_support = bool(base_dist.has_enumerate_support)
        super().__init__(base_dist.batch_shape, base_dist.event_shape)

    @property
    def _mask(self) -> Any:
        array = self.__dict__.get("_mask_array")
        return array if array is not None else self._mask_flag

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        mask = self._mask
        if mask is False:
            batch = batch_of(value, self.event_dim)
            return jnp.zeros(jnp.broadcast_shapes(self.batch_shape, batch))
        if mask is True:
            return self._base_log_prob(value, intermediates)
        try:
            harmless = self.base_dist.support.feasible_like(value)
        except NotImplementedError:
            pass
        else:
            # What does not count must not spoil the gradient either.
            wide = jnp.reshape(mask, jnp.shape(mask) + (1,) * self.event_dim)
            value = jnp.where(wide, value, harmless)
        return jnp.where(mask, self.base_dist.log_prob(value), 0.0)

    def enumerate_support(self, expand: bool = True) -> Array:
        return self.base_dist.enumerate_support(expand=expand)

    def _lower(self) -> Lowered | None:
        base = self.base_dist._lower()
        mask = self._mask
        if base is None or mask is True:
            return base
        if mask is not False and base.mask is not False:
            mask = jnp.reshape(mask, jnp.shape(mask) + (1,) * base.event_dims_reinterpreted)
            mask = mask if base.mask is None else mask & base.mask
        return replaced(base, mask=False if base.mask is False else mask)
