"""Transforms to complex numbers, and those of the user: what is not a map of real numbers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from finetti.dialects.numpyro.distributions import constraints as C
from finetti.dialects.numpyro.distributions.transform_base import Transform

Array = Any
Shape = tuple[int, ...]


class ComplexTransform(Transform):
    """A pair of real numbers to a complex one."""

    domain = C.real_vector  # type: ignore[assignment]
    codomain = C.complex  # type: ignore[assignment]

    def __call__(self, x: Any) -> Array:
        return jax.lax.complex(x[..., 0], x[..., 1])

    def _inverse(self, y: Any) -> Array:
        return jnp.stack([y.real, y.imag], axis=-1)

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> Array:
        return jnp.zeros(jnp.shape(x)[:-1])

    def forward_shape(self, shape: Shape) -> Shape:
        return shape[:-1]

    def inverse_shape(self, shape: Shape) -> Shape:
        return (*shape, 2)


class RealFastFourierTransform(Transform):
    """The Fourier transform of real numbers along the last axes."""

    static = ("transform_shape", "transform_ndims")

    def __init__(self, transform_shape: Any = None, transform_ndims: int = 1) -> None:
        shape = (transform_shape,) if isinstance(transform_shape, int) else transform_shape
        if shape is not None and len(shape) != transform_ndims:
            raise ValueError(
                f"Length of transform shape ({shape}) does not match number of dimensions to "
                f"transform ({transform_ndims})."
            )
        self.transform_shape, self.transform_ndims = shape, transform_ndims

    @property
    def domain(self) -> Any:
        return C.independent(C.real, self.transform_ndims)

    @property
    def codomain(self) -> Any:
        return C.independent(C.complex, self.transform_ndims)

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(-self.transform_ndims, 0))

    def __call__(self, x: Any) -> Array:
        return jnp.fft.rfftn(x, self.transform_shape, self._axes)

    def _inverse(self, y: Any) -> Array:
        return jnp.fft.irfftn(y, self.transform_shape, self._axes)

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> Array:
        lengths = jnp.shape(x)[-self.transform_ndims :]
        size = int(np.prod(lengths))
        # Frequencies that are their own mirror image are real: they are not counted twice.
        alone = int(np.prod([2 - n % 2 for n in lengths]))
        volume = 0.5 * (size * np.log(size) - np.log(2.0) * (size - alone))
        return jnp.full(jnp.shape(x)[: -self.transform_ndims], volume)

    def forward_shape(self, shape: Shape) -> Shape:
        shape = shape[: len(shape) - self.transform_ndims] + (
            self.transform_shape or shape[len(shape) - self.transform_ndims :]
        )
        return (*shape[:-1], shape[-1] // 2 + 1)

    def inverse_shape(self, shape: Shape) -> Shape:
        if self.transform_shape:
            return shape[: len(shape) - self.transform_ndims] + tuple(self.transform_shape)
        return (*shape[:-1], 2 * (shape[-1] - 1))


class PackRealFastFourierCoefficientsTransform(Transform):
    """A real vector to the coefficients of a Fourier transform: real parts, then imaginary."""

    static = ("shape",)
    domain = C.real_vector  # type: ignore[assignment]

    def __init__(self, transform_shape: Shape | None = None) -> None:
        if transform_shape is not None and len(transform_shape) != 1:
            raise AssertionError("Packing Fourier coefficients is only implemented for vectors.")
        self.shape = transform_shape

    @property
    def codomain(self) -> Any:
        return C.independent(C.complex, 1)

    def _length(self) -> int:
        if self.shape is None:
            raise AssertionError("Shape must be specified in `__init__` for inverse transform.")
        return self.shape[0]

    def __call__(self, x: Any) -> Array:
        x = jnp.asarray(x)
        real = x.shape[-1] // 2 + 1
        imaginary = jnp.zeros_like(x[..., :real])
        imaginary = imaginary.at[..., 1 : 1 + x.shape[-1] - real].set(x[..., real:])
        return jax.lax.complex(x[..., :real], imaginary)

    def _inverse(self, y: Any) -> Array:
        n = self._length()
        return jnp.concatenate([y.real, y.imag[..., 1 : n - n // 2]], axis=-1)

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> Array:
        return jnp.zeros(jnp.shape(x)[:-1])

    def forward_shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], shape[-1] // 2 + 1)

    def inverse_shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], self._length())


class UnpackTransform(Transform):
    """A vector to a tree of arrays, by a function of the user."""

    static = ("unpack_fn", "pack_fn")
    domain = C.real_vector  # type: ignore[assignment]
    codomain = C.dependent  # type: ignore[assignment]

    def __init__(self, unpack_fn: Any, pack_fn: Any = None) -> None:
        self.unpack_fn, self.pack_fn = unpack_fn, pack_fn

    def __call__(self, x: Any) -> Any:
        function = self.unpack_fn
        for _ in jnp.shape(x)[:-1]:
            function = jax.vmap(function)
        return function(x)

    def _inverse(self, y: Any) -> Array:
        if self.pack_fn is None:
            raise NotImplementedError(
                "pack_fn needs to be provided to perform UnpackTransform.inv."
            )
        return self.pack_fn(y)

    def log_abs_det_jacobian(self, x: Any, y: Any, intermediates: Any = None) -> Array:
        return jnp.zeros(jnp.shape(x)[:-1])

    def forward_shape(self, shape: Shape) -> Shape:
        raise NotImplementedError

    def inverse_shape(self, shape: Shape) -> Shape:
        raise NotImplementedError
