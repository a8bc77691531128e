"""Maps between constraints, as NumPyro names them; their mathematics is in `finetti.dist.maps`.

A transform is called with an array; `inv` goes back, `log_abs_det_jacobian(x, y)` is the volume.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from finetti.dialects.numpyro.distributions import constraints
from finetti.dialects.numpyro.distributions.biject import biject_to
from finetti.dialects.numpyro.distributions.transform_base import (
    CatTransform,
    ComposeTransform,
    IndependentTransform,
    MappedTransform,
    ParameterFreeTransform,
    Transform,
)
from finetti.dialects.numpyro.distributions.transform_others import (
    ComplexTransform,
    PackRealFastFourierCoefficientsTransform,
    RealFastFourierTransform,
    UnpackTransform,
)
from finetti.dialects.numpyro.distributions.util import is_concrete
from finetti.dist import maps, matrixmaps
from finetti.errors import warn

Array = Any
Shape = tuple[int, ...]
C = constraints


class IdentityTransform(ParameterFreeTransform):
    """The value itself."""

    way = maps.identity
    sign = 1  # type: ignore[assignment]

    def __call__(self, x: Any) -> Array:
        return x

    def _inverse(self, y: Any) -> Array:
        return y


class AbsTransform(ParameterFreeTransform):
    """The size of a number; not a bijection."""

    way = maps.absolute
    codomain = C.positive  # type: ignore[assignment]

    def _inverse(self, y: Any) -> Array:
        warn(
            "AbsTransform is not a bijective transform. The inverse of `y` will be `y`.",
        )
        return y


class AffineTransform(MappedTransform):
    """``loc + scale * x``."""

    way = maps.affine
    arguments = {"loc": "loc", "scale": "scale"}
    static = ("_domain",)

    def __init__(self, loc: Any, scale: Any, domain: Any = C.real) -> None:
        self.loc, self.scale, self._domain = loc, scale, domain

    @property
    def domain(self) -> Any:
        return self._domain

    @property
    def codomain(self) -> Any:
        """Where the domain goes; a traced scale counts as positive."""
        domain = self._domain
        if domain is C.real:
            return C.real
        falls = is_concrete(self.scale) and bool(np.all(np.less(np.asarray(self.scale), 0)))
        above = isinstance(domain, C.greater_than)
        if isinstance(domain, C.interval):
            ends = [self(domain.lower_bound), self(domain.upper_bound)]
            return C.interval(*(ends[::-1] if falls else ends))
        if above or isinstance(domain, C.less_than):
            end = self(domain.lower_bound if above else domain.upper_bound)
            return C.greater_than(end) if above != falls else C.less_than(end)
        raise NotImplementedError

    def tree_flatten(self) -> Any:
        return (self.loc, self.scale, self._domain), (("loc", "scale", "_domain"), {})


class ExpTransform(MappedTransform):
    """``exp(x)``."""

    way = maps.exp
    sign = 1  # type: ignore[assignment]

    def __init__(self, domain: Any = C.real) -> None:
        self._domain = domain

    @property
    def domain(self) -> Any:
        return self._domain

    @property
    def codomain(self) -> Any:
        """Where the domain goes."""
        domain = self._domain
        if domain is C.ordered_vector:
            return C.positive_ordered_vector
        if domain is C.real:
            return C.positive
        if isinstance(domain, C.greater_than):
            return C.greater_than(self(domain.lower_bound))
        if isinstance(domain, C.interval):
            return C.interval(self(domain.lower_bound), self(domain.upper_bound))
        raise NotImplementedError

    def tree_flatten(self) -> Any:
        return (self._domain,), (("_domain",), {})

    def eq(self, other: object, static: bool = False) -> Any:
        return isinstance(other, ExpTransform) and self.domain.eq(other.domain, static=static)


class PowerTransform(MappedTransform):
    """``x ** exponent``."""

    way = maps.power
    arguments = {"exponent": "exponent"}
    domain = C.positive  # type: ignore[assignment]
    codomain = C.positive  # type: ignore[assignment]

    def __init__(self, exponent: Any) -> None:
        self.exponent = exponent


class SigmoidTransform(ParameterFreeTransform):
    """The logistic function, never 0 or 1."""

    way = maps.sigmoid
    codomain = C.unit_interval  # type: ignore[assignment]
    sign = 1  # type: ignore[assignment]


class SoftplusTransform(ParameterFreeTransform):
    """``log(1 + exp(x))``."""

    way = maps.softplus
    codomain = C.softplus_positive  # type: ignore[assignment]
    sign = 1  # type: ignore[assignment]


# -- vectors -------------------------------------------------------------------------------------


class OrderedTransform(ParameterFreeTransform):
    """The first number, then logarithms of the steps, to increasing numbers."""

    way = maps.ordered
    domain = C.real_vector  # type: ignore[assignment]
    codomain = C.ordered_vector  # type: ignore[assignment]


class StickBreakingTransform(ParameterFreeTransform):
    """Vectors to proportions, one more."""

    way = maps.stick_breaking
    domain = C.real_vector  # type: ignore[assignment]
    codomain = C.simplex  # type: ignore[assignment]


class L1BallTransform(ParameterFreeTransform):
    """Vectors to those whose sizes sum to less than 1."""

    way = maps.l1_ball
    domain = C.real_vector  # type: ignore[assignment]
    codomain = C.l1_ball  # type: ignore[assignment]


class SimplexToOrderedTransform(MappedTransform):
    """Proportions of categories to the cutpoints of a logistic number that make them."""

    way = maps.simplex_to_ordered
    arguments = {"anchor": "anchor_point"}
    domain = C.simplex  # type: ignore[assignment]
    codomain = C.ordered_vector  # type: ignore[assignment]

    def __init__(self, anchor_point: Any = 0.0) -> None:
        self.anchor_point = anchor_point


class PermuteTransform(MappedTransform):
    """The elements in another order."""

    way = maps.permute
    arguments = {"permutation": "permutation"}
    domain = C.real_vector  # type: ignore[assignment]
    codomain = C.real_vector  # type: ignore[assignment]

    def __init__(self, permutation: Any) -> None:
        self.permutation = permutation


class LowerCholeskyAffine(MappedTransform):
    """``loc + scale_tril @ x``."""

    way = maps.lower_affine
    arguments = {"loc": "loc", "scale_tril": "scale_tril"}
    domain = C.real_vector  # type: ignore[assignment]
    codomain = C.real_vector  # type: ignore[assignment]

    def __init__(self, loc: Any, scale_tril: Any) -> None:
        shape = jnp.shape(scale_tril)
        if len(shape) < 2:
            raise ValueError(f"scale_tril must be at least 2-dimensional, got shape {shape}.")
        if shape[-1] != shape[-2]:
            raise ValueError(
                f"scale_tril must be square in its last two dimensions, got shape {shape}."
            )
        self.loc, self.scale_tril = loc, scale_tril


class ZeroSumTransform(MappedTransform):
    """Arrays to those, one longer along each axis, that sum to zero."""

    static = ("transform_ndims",)

    def __init__(self, transform_ndims: int = 1) -> None:
        self.transform_ndims = transform_ndims

    @property
    def way(self) -> maps.Map:  # type: ignore[override]
        return maps.zero_sum(self.transform_ndims)

    @property
    def domain(self) -> Any:
        return C.independent(C.real, self.transform_ndims)

    @property
    def codomain(self) -> Any:
        return C.zero_sum(self.transform_ndims)


class ReshapeTransform(MappedTransform):
    """The same numbers in another shape."""

    static = ("_forward_shape", "_inverse_shape")

    def __init__(self, forward_shape: Shape, inverse_shape: Shape) -> None:
        sizes = int(np.prod(forward_shape)), int(np.prod(inverse_shape))
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"forward shape {forward_shape} (size {sizes[0]}) and inverse shape "
                f"{inverse_shape} (size {sizes[1]}) are not compatible"
            )
        self._forward_shape, self._inverse_shape = tuple(forward_shape), tuple(inverse_shape)

    @property
    def way(self) -> maps.Map:  # type: ignore[override]
        return maps.reshape(self._forward_shape, self._inverse_shape)

    @property
    def domain(self) -> Any:
        return C.independent(C.real, len(self._inverse_shape))

    @property
    def codomain(self) -> Any:
        return C.independent(C.real, len(self._forward_shape))


class _AlongAxis(MappedTransform):
    dim: int

    @property
    def domain(self) -> Any:
        return C.independent(C.real, -self.dim)

    @property
    def codomain(self) -> Any:
        return C.independent(C.real, -self.dim)


def _from_the_end(dim: Any, name: str) -> int:
    if not isinstance(dim, int) or dim >= 0:
        raise AssertionError(f"{name}: dim={dim!r}: expected a negative whole number.")
    return dim


class HaarTransform(_AlongAxis):
    """Haar's orthonormal transform along an axis."""

    static = ("dim", "flip")

    def __init__(self, dim: int = -1, flip: bool = False) -> None:
        self.dim, self.flip = _from_the_end(dim, "HaarTransform"), flip

    @property
    def way(self) -> maps.Map:  # type: ignore[override]
        return maps.haar(self.dim, bool(self.flip))


class DiscreteCosineTransform(_AlongAxis):
    """The discrete cosine transform of type 2 along an axis."""

    static = ("dim", "smooth")

    def __init__(self, dim: int = -1, smooth: float = 0.0) -> None:
        self.dim = _from_the_end(dim, "DiscreteCosineTransform")
        self.smooth = float(smooth)

    @property
    def way(self) -> maps.Map:  # type: ignore[override]
        return maps.cosine(self.dim, self.smooth)


# -- matrices ------------------------------------------------------------------------------------


class CorrCholeskyTransform(ParameterFreeTransform):
    """Vectors to Cholesky factors of correlation matrices."""

    way = matrixmaps.corr_cholesky
    domain = C.real_vector  # type: ignore[assignment]
    codomain = C.corr_cholesky  # type: ignore[assignment]


class CholeskyTransform(ParameterFreeTransform):
    """Positive definite matrices to their Cholesky factors."""

    way = matrixmaps.cholesky
    domain = C.positive_definite  # type: ignore[assignment]
    codomain = C.lower_cholesky  # type: ignore[assignment]


class CorrMatrixCholeskyTransform(CholeskyTransform):
    """Correlation matrices to their Cholesky factors."""

    way = matrixmaps.corr_matrix_cholesky
    domain = C.corr_matrix  # type: ignore[assignment]
    codomain = C.corr_cholesky  # type: ignore[assignment]


class LowerCholeskyTransform(ParameterFreeTransform):
    """Vectors to lower triangular matrices; the diagonal through the exponential function."""

    way = matrixmaps.lower_cholesky
    domain = C.real_vector  # type: ignore[assignment]
    codomain = C.lower_cholesky  # type: ignore[assignment]


class ScaledUnitLowerCholeskyTransform(LowerCholeskyTransform):
    """Vectors to a diagonal times lower triangular matrices with ones on the diagonal."""

    way = matrixmaps.scaled_unit_lower_cholesky
    codomain = C.scaled_unit_lower_cholesky  # type: ignore[assignment]


class SoftplusLowerCholeskyTransform(ParameterFreeTransform):
    """Vectors to lower triangular matrices; the diagonal through `softplus`."""

    way = matrixmaps.softplus_lower_cholesky
    domain = C.real_vector  # type: ignore[assignment]
    codomain = C.softplus_lower_cholesky  # type: ignore[assignment]


class RecursiveLinearTransform(MappedTransform):
    """States: ``y[t] = transition_matrix @ y[t - 1] + x[t]``."""

    way = matrixmaps.recursive_linear()
    arguments = {"transition_matrix": "transition_matrix", "initial_value": "initial_value"}
    domain = C.real_matrix  # type: ignore[assignment]
    codomain = C.real_matrix  # type: ignore[assignment]

    def __init__(self, transition_matrix: Any, initial_value: Any = None) -> None:
        size = jnp.shape(transition_matrix)[-1:]
        if initial_value is None:
            initial_value = np.zeros(size)
        if jnp.shape(initial_value)[-1:] != size:
            raise AssertionError(
                "Event shape of initial value must be the same as transition matrix, got "
                f"{size} and {jnp.shape(initial_value)[-1:]}."
            )
        self.transition_matrix, self.initial_value = transition_matrix, initial_value


__all__ = [
    "AbsTransform", "AffineTransform", "CatTransform", "CholeskyTransform", "ComplexTransform",
    "ComposeTransform", "CorrCholeskyTransform", "CorrMatrixCholeskyTransform",
    "DiscreteCosineTransform", "ExpTransform", "HaarTransform", "IdentityTransform",
    "IndependentTransform", "L1BallTransform", "LowerCholeskyAffine", "LowerCholeskyTransform",
    "OrderedTransform", "PackRealFastFourierCoefficientsTransform", "ParameterFreeTransform",
    "PermuteTransform", "PowerTransform", "RealFastFourierTransform", "RecursiveLinearTransform",
    "ReshapeTransform", "ScaledUnitLowerCholeskyTransform", "SigmoidTransform",
    "SimplexToOrderedTransform", "SoftplusLowerCholeskyTransform", "SoftplusTransform",
    "StickBreakingTransform", "Transform", "UnpackTransform", "ZeroSumTransform", "biject_to",
]  # fmt: skip
