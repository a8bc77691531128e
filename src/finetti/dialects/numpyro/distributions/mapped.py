"""Distributions that NumPyro defines by others and transforms, and that stay so here."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from finetti.dialects.numpyro.distributions import constraints as C
from finetti.dialects.numpyro.distributions import graphs
from finetti.dialects.numpyro.distributions.base import Array, Distribution, Shape
from finetti.dialects.numpyro.distributions.classes import CLASSES as D
from finetti.dialects.numpyro.distributions.components import component, composed
from finetti.dialects.numpyro.distributions.special import TransformedDistribution
from finetti.dialects.numpyro.distributions.tabled import Recorded
from finetti.dialects.numpyro.distributions.transforms import (
    CholeskyTransform,
    CorrMatrixCholeskyTransform,
    RecursiveLinearTransform,
    SigmoidTransform,
)
from finetti.dialects.numpyro.distributions.util import clamp_probs, validate_sample
from finetti.dist.directional import skewed_of
from finetti.dist.entropy import wishart
from finetti.ir import ops


class LKJ(TransformedDistribution):
    """A correlation matrix."""

    arg_constraints = {"concentration": C.positive}
    reparametrized_params = ["concentration"]
    support = C.corr_matrix  # type: ignore[assignment]
    pytree_data_fields = ()

    def __init__(
        self,
        dimension: int,
        concentration: Any = 1.0,
        sample_method: str = "onion",
        *,
        validate_args: bool | None = None,
    ) -> None:
        base = D["LKJCholesky"](
            dimension, concentration, sample_method, validate_args=validate_args
        )
        super().__init__(base, CorrMatrixCholeskyTransform().inv, validate_args=validate_args)

    @property
    def dimension(self) -> int:
        """How many variables are correlated."""
        return int(self.base_dist.dimension)  # type: ignore[attr-defined]

    @property
    def concentration(self) -> Any:
        """The larger, the smaller the correlations."""
        return self.base_dist.concentration  # type: ignore[attr-defined]

    @property
    def mean(self) -> Array:
        return jnp.broadcast_to(jnp.eye(self.dimension), self.shape())


class _OfFactor(TransformedDistribution):
    """A positive definite matrix, by the distribution of its Cholesky factor."""

    support = C.positive_definite  # type: ignore[assignment]
    arg_constraints = {
        "concentration": C.dependent(is_discrete=False, event_dim=0),
        "scale_matrix": C.positive_definite,
        "rate_matrix": C.positive_definite,
        "scale_tril": C.lower_cholesky,
    }
    reparametrized_params = ["scale_matrix", "rate_matrix", "scale_tril"]
    pytree_data_fields = ()
    _factor = ""

    def __init__(
        self,
        concentration: Any,
        scale_matrix: Any = None,
        rate_matrix: Any = None,
        scale_tril: Any = None,
        *,
        validate_args: bool | None = None,
    ) -> None:
        base = D[self._factor](
            concentration, scale_matrix, rate_matrix, scale_tril, validate_args=validate_args
        )
        super().__init__(base, CholeskyTransform().inv, validate_args=validate_args)

    def __getattr__(self, name: str) -> Any:
        if name in type(self).arg_constraints and "base_dist" in self.__dict__:
            return getattr(self.__dict__["base_dist"], name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _wide(self) -> tuple[Any, Any, Any, Any]:
        nu = jnp.asarray(self.concentration)[..., None, None]
        scale = self.scale_matrix
        diagonal = jnp.diagonal(scale, axis1=-2, axis2=-1)
        return nu, scale, diagonal[..., :, None] * diagonal[..., None, :], self.event_shape[-1]


class Wishart(_OfFactor):
    """A positive definite matrix: a sum of squares of normal vectors."""

    _factor = "WishartCholesky"

    @property
    def mean(self) -> Array:
        nu, scale, _, _ = self._wide()
        return nu * scale

    @property
    def variance(self) -> Array:
        nu, scale, outer, _ = self._wide()
        return nu * (scale**2 + outer)

    def entropy(self) -> Array:
        return graphs.apply(wishart, jnp.asarray(self.concentration, float), self.scale_tril)


class InverseWishart(_OfFactor):
    """A positive definite matrix: the inverse of a Wishart matrix."""

    _factor = "InverseWishartCholesky"

    @property
    def mean(self) -> Array:
        nu, scale, _, n = self._wide()
        return jnp.where(nu > n + 1, scale / (nu - n - 1), jnp.nan)

    @property
    def variance(self) -> Array:
        nu, scale, outer, n = self._wide()
        below = (nu - n - 1) ** 2 * (nu - n - 3)
        return jnp.where(nu > n + 3, (scale**2 + outer) / below, jnp.nan)


class RelaxedBernoulliLogits(TransformedDistribution):
    """A number between 0 and 1 that is near one of them at low temperature."""

    arg_constraints = {"temperature": C.positive, "logits": C.real}
    support = C.unit_interval  # type: ignore[assignment]

    def __init__(self, temperature: Any, logits: Any, *, validate_args: bool | None = None) -> None:
        self.temperature, self.logits = temperature, logits
        base = D["Logistic"](jnp.divide(logits, temperature), jnp.divide(1.0, temperature))
        super().__init__(base, [SigmoidTransform()], validate_args=validate_args)


def RelaxedBernoulli(
    temperature: Any, probs: Any = None, logits: Any = None, *, validate_args: bool | None = None
) -> Any:
    """A number between 0 and 1 that is near one of them at low temperature."""
    if probs is None and logits is None:
        raise ValueError("One of `probs` or `logits` must be specified.")
    if probs is not None:
        logits = graphs.apply(ops.logit, probs)
    return RelaxedBernoulliLogits(temperature, logits, validate_args=validate_args)


class GaussianStateSpace(TransformedDistribution):
    """States that follow linearly from the one before, with normal innovations."""

    support = C.real_matrix  # type: ignore[assignment]
    pytree_data_fields = ()
    pytree_aux_fields = ("num_steps",)

    def __init__(
        self,
        num_steps: int,
        transition_matrix: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        initial_value: Any = None,
        *,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(num_steps, int) or num_steps < 1:
            raise AssertionError("`num_steps` argument should be a positive integer.")
        if jnp.ndim(transition_matrix) != 2:
            raise AssertionError("`transition_matrix` argument should be a square matrix")
        given = {
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
            "scale_tril": scale_tril,
        }
        each = {
            name: jnp.repeat(jnp.expand_dims(x, -3), num_steps, -3)
            for name, x in given.items()
            if x is not None
        }
        self.num_steps = num_steps
        base = D["MultivariateNormal"](**each).to_event(1)
        if initial_value is not None:
            batch = jnp.broadcast_shapes(base.batch_shape, jnp.shape(initial_value)[:-1])
            base = base.expand(batch)
        way = RecursiveLinearTransform(transition_matrix, initial_value)
        super().__init__(base, way, validate_args=validate_args)

    @property
    def transition_matrix(self) -> Any:
        """From a state to the next."""
        return self.transforms[0].transition_matrix  # type: ignore[attr-defined]

    @property
    def initial_value(self) -> Any:
        """The state before the first."""
        return jnp.asarray(self.transforms[0].initial_value)  # type: ignore[attr-defined]

    @property
    def scale_tril(self) -> Any:
        """The factor of the innovations' covariance."""
        inner: Any = self.base_dist
        while not hasattr(inner, "loc"):
            inner = inner.base_dist
        return inner.scale_tril[..., 0, :, :]

    @property
    def mean(self) -> Array:
        return jnp.broadcast_to(self.transforms[0](self.base_dist.mean), self.shape())

    @property
    def variance(self) -> Array:
        def step(factor: Array, _: Any) -> Any:
            return self.transition_matrix @ factor, (factor**2).sum(-1)

        _, each = jax.lax.scan(step, self.scale_tril, None, self.num_steps)
        return jnp.broadcast_to(jnp.moveaxis(each.cumsum(0), 0, -2), self.shape())


class EulerMaruyama(Distribution):
    """A path of a stochastic differential equation, by Euler's method.

    ``sde_fn(state, time)`` gives the drift and the diffusion.
    """

    arg_constraints = {"t": C.ordered_vector}
    pytree_data_fields = ("t", "init_dist")
    pytree_aux_fields = ("sde_fn",)

    def __init__(
        self, t: Any, sde_fn: Any, init_dist: Any, *, validate_args: bool | None = None
    ) -> None:
        if not isinstance(init_dist, Distribution):
            raise ValueError("Init distribution is expected to be a Distribution instance.")
        if jnp.ndim(t) < 1:
            raise ValueError(f"t needs to be at least one-dimensional, got shape {jnp.shape(t)}.")
        self.t, self.sde_fn, self.init_dist = t, sde_fn, init_dist
        batch = jnp.broadcast_shapes(jnp.shape(t)[:-1], init_dist.batch_shape)
        event = (jnp.shape(t)[-1], *init_dist.event_shape)
        super().__init__(batch, event, validate_args=validate_args)

    @property
    def support(self) -> Any:
        return C.independent(C.real, self.event_dim)

    def _walk(self, path: Array) -> tuple[Array, Array]:
        """Mean and scale of each state after the first, of one path."""
        t = jnp.asarray(self.t)
        drift, diffusion = jax.vmap(self.sde_fn)(path[:-1], t[:-1])
        dt = jnp.diff(t).reshape((-1,) + (1,) * (path.ndim - 1))
        full = path[:-1].shape
        drift, diffusion = (
            jnp.broadcast_to(jnp.reshape(x, x.shape + (1,) * (path.ndim - x.ndim)), full)
            for x in (drift, diffusion)
        )
        return path[:-1] + dt * drift, jnp.sqrt(dt) * diffusion

    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        if jnp.ndim(self.t) > 1:
            raise NotImplementedError("EulerMaruyama: times of several batches.")
        value = jnp.asarray(value)
        lead = value.ndim - self.event_dim
        walk = self._walk
        for _ in range(lead):
            walk = jax.vmap(walk)
        mean, scale = walk(value)
        steps = jnp.moveaxis(value, lead, 0)[1:]
        steps = jnp.moveaxis(steps, 0, lead)
        first = jnp.moveaxis(value, lead, 0)[0]
        moved = D["Normal"](mean, scale).to_event(self.event_dim).log_prob(steps)
        return moved + self.init_dist.log_prob(first)

    def sample(self, key: Array, sample_shape: Shape = ()) -> Array:
        if jnp.ndim(self.t) > 1:
            raise NotImplementedError("EulerMaruyama: times of several batches.")
        one, two = jax.random.split(key)
        batch = tuple(sample_shape) + self.batch_shape
        t = jnp.asarray(self.t)
        first = self.init_dist.expand(self.batch_shape).sample(one, tuple(sample_shape))
        noise = jax.random.normal(two, (len(t) - 1, *batch, *self.init_dist.event_shape))
        function = self.sde_fn
        for _ in batch:
            function = jax.vmap(function, in_axes=(0, None))

        def step(x: Array, given: Any) -> Any:
            now, dt, z = given
            drift, diffusion = function(x, now)
            drift, diffusion = (
                jnp.reshape(y, y.shape + (1,) * (x.ndim - y.ndim)) for y in (drift, diffusion)
            )
            x = x + dt * drift + jnp.sqrt(dt) * diffusion * z
            return x, x

        _, rest = jax.lax.scan(step, first, (t[:-1], jnp.diff(t), noise))
        return jnp.moveaxis(jnp.concatenate([first[None], rest]), 0, len(batch))


class GaussianCopula(Distribution):
    """A vector with given margins, which depend on each other as normal numbers do."""

    arg_constraints = {"correlation_matrix": C.corr_matrix, "correlation_cholesky": C.corr_cholesky}
    reparametrized_params = ["correlation_matrix", "correlation_cholesky"]
    pytree_data_fields = ("marginal_dist", "base_dist")

    def __init__(
        self,
        marginal_dist: Any,
        correlation_matrix: Any = None,
        correlation_cholesky: Any = None,
        *,
        validate_args: bool | None = None,
    ) -> None:
        if marginal_dist.event_shape:
            raise ValueError("`marginal_dist` needs to be a univariate distribution.")
        self.marginal_dist = marginal_dist
        self.base_dist = D["MultivariateNormal"](
            covariance_matrix=correlation_matrix, scale_tril=correlation_cholesky
        )
        batch = jnp.broadcast_shapes(marginal_dist.batch_shape[:-1], self.base_dist.batch_shape)
        super().__init__(batch, self.base_dist.event_shape, validate_args=validate_args)

    @property
    def support(self) -> Any:
        return C.independent(self.marginal_dist.support, 1)

    def sample(self, key: Array, sample_shape: Shape = ()) -> Array:
        z = self.base_dist.expand(tuple(sample_shape) + self.batch_shape).sample(key)
        return self.marginal_dist.icdf(D["Normal"]().cdf(z))

    @validate_sample
    def log_prob(self, value: Any, intermediates: Any = None) -> Array:
        normal = D["Normal"]()
        z = normal.icdf(clamp_probs(self.marginal_dist.cdf(value)))
        own = self.marginal_dist.log_prob(value) - normal.log_prob(z)
        return self.base_dist.log_prob(z) + own.sum(-1)

    @property
    def mean(self) -> Array:
        return jnp.broadcast_to(self.marginal_dist.mean, self.shape())

    @property
    def variance(self) -> Array:
        return jnp.broadcast_to(self.marginal_dist.variance, self.shape())

    @property
    def correlation_matrix(self) -> Array:
        """How the normal numbers are correlated."""
        return self.base_dist.covariance_matrix  # type: ignore[no-any-return]

    @property
    def correlation_cholesky(self) -> Array:
        """The Cholesky factor of that."""
        return self.base_dist.scale_tril  # type: ignore[no-any-return]


class GaussianCopulaBeta(GaussianCopula):
    """Proportions that depend on each other as normal numbers do."""

    arg_constraints = {
        "concentration1": C.positive,
        "concentration0": C.positive,
        **GaussianCopula.arg_constraints,
    }
    support = C.independent(C.unit_interval, 1)  # type: ignore[assignment]
    pytree_data_fields = ("concentration1", "concentration0")

    def __init__(
        self,
        concentration1: Any,
        concentration0: Any,
        correlation_matrix: Any = None,
        correlation_cholesky: Any = None,
        *,
        validate_args: bool | None = False,
    ) -> None:
        self.concentration1, self.concentration0 = concentration1, concentration0
        margin = D["Beta"](concentration1, concentration0)
        super().__init__(
            margin, correlation_matrix, correlation_cholesky, validate_args=validate_args
        )


class SineSkewed(Recorded):
    """Angles of another distribution, leaning to a side."""

    arg_constraints = {"skewness": C.l1_ball}
    pytree_data_fields = ("base_dist", "skewness")
    support = C.independent(C.circular, 1)  # type: ignore[assignment]
    _missing = ("cdf", "icdf", "entropy", "variance")

    def __init__(self, base_dist: Any, skewness: Any, *, validate_args: bool | None = None) -> None:
        shape = jnp.shape(skewness)
        if base_dist.event_shape != shape[-1:]:
            raise AssertionError(
                "Sine Skewing is only valid with a skewness parameter for each dimension of "
                "`base_dist.event_shape`."
            )
        batch = jnp.broadcast_shapes(base_dist.batch_shape, shape[:-1])
        self.skewness = jnp.broadcast_to(skewness, batch + shape[-1:])
        self.base_dist = base_dist.expand(batch)
        super().__init__(batch, shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Array:
        return self.base_dist.mean

    def _parts(self) -> tuple[Any, dict[str, Any]]:
        part = component(self.base_dist, "base_", "SineSkewed")
        return composed(skewed_of, [part], {"skewness": self.skewness})
