"""Small helpers of distributions, under NumPyro's names where they have one."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from finetti import dist
from finetti.dialects.numpyro.distributions import graphs
from finetti.ir import ops

Array = Any


def is_concrete(x: Any) -> bool:
    """Whether a value is known now, and not traced."""
    return not isinstance(x, jax.core.Tracer)


def sum_rightmost(x: Any, dim: int) -> Array:
    """The sum over the last `dim` axes."""
    return jnp.sum(x, axis=tuple(range(-dim, 0))) if dim else jnp.asarray(x)


def promote_shapes(
    *args: Any, shape: tuple[int, ...] = (), return_shapes: bool = False
) -> list[Any]:
    """The arrays with axes of length 1 in front, as many as the largest needs; or their shapes."""
    if len(args) < 2 and not shape:
        return [jnp.shape(x) for x in args] if return_shapes else list(args)
    axes = len(jnp.broadcast_shapes(shape, *map(jnp.shape, args)))
    if return_shapes:
        return [(1,) * (axes - jnp.ndim(x)) + jnp.shape(x) for x in args]
    return [
        x if jnp.ndim(x) in (0, axes) else jnp.reshape(x, (1,) * (axes - jnp.ndim(x)) + x.shape)
        for x in args
    ]


def validate_sample(log_prob_fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a `log_prob`: values outside of the support have none."""

    @functools.wraps(log_prob_fn)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Array:
        result = log_prob_fn(self, *args, **kwargs)
        if self._validate_args:
            value = kwargs["value"] if "value" in kwargs else args[0]
            result = jnp.where(self._validate_sample(value), result, -jnp.inf)
        return result

    return wrapper


class lazy_property:  # noqa: N801, a user's name
    """A property that is computed once."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        functools.update_wrapper(self, wrapped)  # type: ignore[arg-type]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        value = self.wrapped(instance)
        instance.__dict__[self.wrapped.__name__] = value
        return value


def clamp_probs(probs: Any) -> Array:
    """Probabilities that are neither 0 nor 1."""
    info = jnp.finfo(jnp.result_type(probs, float))
    return jnp.clip(probs, info.tiny, 1.0 - info.eps)


def is_prng_key(key: Any) -> bool:
    """Whether something is a key of `jax.random`, old or new."""
    try:
        if jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key):
            return bool(key.shape == ())
        return bool(key.shape == (2,) and key.dtype == jnp.uint32)
    except AttributeError:
        return False


def vec_to_tril_matrix(t: Any, diagonal: int = 0) -> Array:
    """Vectors as the lower triangles of matrices, row by row; zero elsewhere."""
    n = round((math.sqrt(1.0 + 8.0 * t.shape[-1]) - 1.0) / 2.0) - diagonal
    rows, columns = np.tril_indices(n, diagonal)
    return jnp.zeros((*t.shape[:-1], n, n), t.dtype).at[..., rows, columns].set(t)


def matrix_to_tril_vec(x: Any, diagonal: int = 0) -> Array:
    """The lower triangles of matrices as vectors, row by row."""
    rows, columns = jnp.tril_indices(x.shape[-1], diagonal)
    return x[..., rows, columns]


def add_diag(matrix: Any, diag: Any) -> Array:
    """Matrices with something added to their diagonals."""
    places = np.arange(matrix.shape[-1])
    return matrix.at[..., places, places].add(diag)


def tri_logabsdet(a: Any) -> Array:
    """The logarithm of the determinant of triangular matrices with positive diagonals."""
    return jnp.sum(jnp.log(jnp.diagonal(a, axis1=-2, axis2=-1)), axis=-1)


def cholesky_of_inverse(matrix: Any) -> Array:
    """The Cholesky factors of the inverses of positive definite matrices."""
    back = jnp.linalg.cholesky(jnp.flip(matrix, (-2, -1)))
    upper = jnp.swapaxes(jnp.flip(back, (-2, -1)), -2, -1)
    identity = jnp.broadcast_to(jnp.eye(matrix.shape[-1]), upper.shape)
    return jax.scipy.linalg.solve_triangular(upper, identity, lower=True)


def cholesky_update(L: Any, x: Any, coef: Any = 1) -> Array:  # noqa: N803, a user's name
    """The Cholesky factors of ``L @ L.T + coef * x @ x.T``."""
    outer = x[..., :, None] * x[..., None, :]
    return jnp.linalg.cholesky(L @ jnp.swapaxes(L, -2, -1) + coef * outer)


def signed_stick_breaking_tril(t: Any) -> Array:
    """Cholesky factors of correlation matrices, of partial correlations below the diagonal."""
    edge = 1.0 - jnp.finfo(t.dtype).eps
    part = vec_to_tril_matrix(jnp.clip(t, -edge, edge), diagonal=-1)
    left = jnp.cumprod(jnp.sqrt(1.0 - part**2), axis=-1)[..., :-1]
    left = jnp.concatenate([jnp.ones_like(part[..., :1]), left], axis=-1)
    return add_diag(part, 1.0) * left


def safe_normalize(x: Any, *, p: float = 2) -> Array:
    """Vectors divided by their length; all elements alike where that is 0."""
    norm = jnp.linalg.norm(x, p, axis=-1, keepdims=True)
    zero = norm == 0
    return jnp.where(zero, x.shape[-1] ** (-1.0 / p), x / jnp.where(zero, 1.0, norm))


def periodic_repeat(x: Any, size: int, dim: int) -> Array:
    """An array again and again along an axis, until that has a size.

    NumPyro 0.22 repeats each element instead, which is not periodic.
    """
    return jnp.take(x, np.arange(size) % jnp.shape(x)[dim], axis=dim)


def logmatmulexp(x: Any, y: Any) -> Array:
    """The logarithm of ``exp(x) @ exp(y)``."""
    left = jax.lax.stop_gradient(jnp.max(x, -1, keepdims=True))
    right = jax.lax.stop_gradient(jnp.max(y, -2, keepdims=True))
    return jnp.log(jnp.exp(x - left) @ jnp.exp(y - right)) + left + right


def logdiffexp(a: Any, b: Any) -> Array:
    """The logarithm of ``exp(a) - exp(b)``, for a >= b."""
    return a + graphs.apply(ops.log1mexp, b - a)


def binary_cross_entropy_with_logits(x: Any, y: Any) -> Array:
    """Minus the log probability of y, 0 or 1 or between, at log odds x."""
    one = jnp.where(y == 0, 0.0, jax.nn.softplus(-x) * y)
    return one + jnp.where(y == 1, 0.0, jax.nn.softplus(x) * (1 - y))


def multidigamma(a: Any, d: int) -> Array:
    """The derivative of the logarithm of the gamma function of d variables."""
    return jnp.sum(jax.scipy.special.digamma(jnp.asarray(a)[..., None] - 0.5 * np.arange(d)), -1)


def betainc(a: Any, b: Any, x: Any) -> Array:
    """The regularised incomplete beta function."""
    return graphs.apply(ops.betainc, a, b, x)


def betaincinv(a: Any, b: Any, y: Any) -> Array:
    """Its inverse."""
    return graphs.apply(ops.betaincinv, a, b, y)


def gammaincinv(a: Any, y: Any) -> Array:
    """The inverse of the regularised incomplete gamma function."""
    return graphs.apply(ops.gammaincinv, a, y)


def is_identically_zero(x: Any) -> bool:
    """Whether something is the number zero, and no array."""
    return isinstance(x, (int, float)) and x == 0


def is_identically_one(x: Any) -> bool:
    """Whether something is the number one, and no array."""
    return isinstance(x, (int, float)) and x == 1


def scale_and_mask(x: Any, scale: Any = None, mask: Any = None) -> Any:
    """A log density times a scale, and 0 where the mask does not hold."""
    if is_identically_zero(x):
        return x
    if scale is not None and not is_identically_one(scale):
        x = x * scale
    return x if mask is None else jnp.where(mask, x, 0.0)


def assert_one_of(**kwargs: Any) -> None:
    """Raise an error unless exactly one keyword is given."""
    given = [name for name, value in kwargs.items() if value is not None]
    if len(given) != 1:
        raise ValueError(f"Exactly one of {list(kwargs)} must be specified; got {given}.")


def array_equiv(a: Any, b: Any, static: bool = False) -> Any:
    """Whether two arrays have the same values; with `static` False for arrays of JAX."""
    if a is b:
        return True
    of_jax = isinstance(a, jax.Array) or isinstance(b, jax.Array)
    if static:
        return not of_jax and bool(np.array_equiv(a, b))
    return (jnp if of_jax else np).array_equiv(a, b)


# -- draws ---------------------------------------------------------------------------------------


def binomial(key: Any, p: Any, n: Any = 1, shape: tuple[int, ...] = ()) -> Array:
    """Random numbers of successes in n trials."""
    shape = shape or jnp.broadcast_shapes(jnp.shape(p), jnp.shape(n))
    return graphs.sample(key, dist.Binomial, {"n": n, "p": p}, shape)


def categorical(key: Any, p: Any, shape: tuple[int, ...] = ()) -> Array:
    """Random categories."""
    return graphs.sample(key, dist.Categorical, {"p": p}, shape or jnp.shape(p)[:-1])


def multinomial(
    key: Any, p: Any, n: Any, shape: tuple[int, ...] = (), total_count_max: int | None = None
) -> Array:
    """Random counts of categories in n draws; `total_count_max` is accepted and not needed."""
    shape = shape or jnp.broadcast_shapes(jnp.shape(p)[:-1], jnp.shape(n))
    return graphs.sample(key, dist.Multinomial, {"n": n, "p": p}, (*shape, jnp.shape(p)[-1]))


def von_mises_centered(
    key: Any, concentration: Any, shape: tuple[int, ...] = (), dtype: Any = None
) -> Array:
    """Random angles around 0."""
    params = {"mu": 0.0, "kappa": concentration}
    drawn = graphs.sample(key, dist.VonMises, params, shape or jnp.shape(concentration))
    return drawn if dtype is None else jnp.asarray(drawn, dtype)
