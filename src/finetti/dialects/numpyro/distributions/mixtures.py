"""Mixtures: a value of one of several distributions."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from finetti.dialects.numpyro.distributions.base import Array, Distribution
from finetti.dialects.numpyro.distributions.classes import CLASSES
from finetti.dialects.numpyro.distributions.components import component, composed
from finetti.dialects.numpyro.distributions.tabled import Recorded
from finetti.dist.mixture import mixture_of
from finetti.ir import Tensor, ops

_CATEGORICAL: Any = (CLASSES["CategoricalProbs"], CLASSES["CategoricalLogits"])


def _weights(**given: Tensor) -> dict[str, Any]:
    """The weights, of themselves or of their unnormalised logarithms."""
    if "logits" in given:
        return {"w": ops.softmax(given["logits"])}
    return {"w": given["probs"]}


class _Mixture(Recorded):
    pytree_aux_fields = ("_mixture_size",)
    _missing = ("icdf", "entropy")
    _mixing_distribution: Any
    _mixture_size: int

    def _check_mixing(self, mixing: Any) -> None:
        if not isinstance(mixing, _CATEGORICAL):
            raise ValueError(
                "The mixing distribution must be a numpyro.distributions.Categorical. However, it "
                f"is of type {type(mixing)}"
            )
        self._mixing_distribution = mixing
        self._mixture_size = int(jnp.shape(mixing.probs)[-1])

    @property
    def has_rsample(self) -> bool:
        return False

    @property
    def mixture_size(self) -> int:
        """How many components there are."""
        return self._mixture_size

    @property
    def mixing_distribution(self) -> Any:
        """The weights, as a distribution of the component."""
        return self._mixing_distribution

    @property
    def mixture_dim(self) -> int:
        """The axis of the components in what `component_mean` and its kin give."""
        return -self.event_dim - 1

    def _mixing(self) -> dict[str, Any]:
        own = self._mixing_distribution.__dict__
        if not set(own) & {"probs", "logits"}:  # an OrderedLogistic
            return {"probs": self._mixing_distribution.probs}
        return {name: own[name] for name in ("probs", "logits") if name in own}

    def component_log_probs(self, value: Any) -> Array:
        """The log density of each component and of its choice."""
        raise NotImplementedError


class MixtureSameFamily(_Mixture):
    """A mixture over the last axis of the batch of one distribution."""

    pytree_data_fields = ("_mixing_distribution", "_component_distribution")

    def __init__(
        self,
        mixing_distribution: Any,
        component_distribution: Any,
        *,
        validate_args: bool | None = None,
    ) -> None:
        self._check_mixing(mixing_distribution)
        if not isinstance(component_distribution, Distribution):
            raise ValueError(
                "The component distribution need to be a numpyro.distributions.Distribution. "
                f"However, it is of type {type(component_distribution)}"
            )
        have = component_distribution.batch_shape
        if not have or have[-1] != self._mixture_size:
            raise AssertionError(
                f"Component distribution batch shape last dimension (of {have}) needs to "
                f"correspond to the mixture_size={self._mixture_size}!"
            )
        self._component_distribution = component_distribution
        batch = jnp.broadcast_shapes(mixing_distribution.batch_shape, have[:-1])
        super().__init__(batch, component_distribution.event_shape, validate_args=validate_args)

    @property
    def component_distribution(self) -> Any:
        """The components, along the last axis of its batch."""
        return self._component_distribution

    @property
    def support(self) -> Any:
        return self._component_distribution.support

    @property
    def component_mean(self) -> Array:
        """The mean of each component."""
        return self._component_distribution.mean

    @property
    def component_variance(self) -> Array:
        """The variance of each component."""
        return self._component_distribution.variance

    def component_cdf(self, samples: Any) -> Array:
        """The probability of values up to these, of each component."""
        return self._component_distribution.cdf(jnp.expand_dims(samples, self.mixture_dim))

    def component_log_probs(self, value: Any) -> Array:
        value = jnp.expand_dims(value, self.mixture_dim)
        weights = self._mixing_distribution
        inner = self._component_distribution.log_prob(value)
        return jnp.log(weights.probs) + inner

    def _parts(self) -> tuple[Any, dict[str, Any]]:
        part = component(self._component_distribution, "component0_", "MixtureSameFamily")
        return composed(mixture_of, [part], self._mixing(), convert=_weights)


class MixtureGeneral(_Mixture):
    """A mixture of distributions of any families on the same support."""

    pytree_data_fields = ("_mixing_distribution", "_component_distributions", "_given_support")

    def __init__(
        self,
        mixing_distribution: Any,
        component_distributions: Any,
        *,
        support: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._check_mixing(mixing_distribution)
        parts = self._checked(component_distributions, support)
        self._component_distributions = parts
        self._given_support = support
        batch = jnp.broadcast_shapes(
            mixing_distribution.batch_shape, *(d.batch_shape for d in parts)
        )
        super().__init__(batch, parts[0].event_shape, validate_args=validate_args)

    def _checked(self, given: Any, support: Any) -> list[Any]:
        try:
            parts = list(given)
        except TypeError:
            raise ValueError(
                "The 'component_distributions' argument must be a list of Distribution objects"
            ) from None
        if not all(isinstance(d, Distribution) for d in parts):
            raise ValueError(
                "All elements of 'component_distributions' must be instances of "
                "numpyro.distributions.Distribution subclasses"
            )
        if len(parts) != self._mixture_size:
            raise ValueError(
                "The number of elements in 'component_distributions' must match the mixture size; "
                f"expected {self._mixture_size}, got {len(parts)}"
            )
        if support is None and len({type(d.support) for d in parts}) > 1:
            raise ValueError("All component distributions must have the same support.")
        if len({d.event_shape for d in parts}) > 1:
            raise ValueError("All component distributions must have the same event shape")
        return parts

    @property
    def component_distributions(self) -> list[Any]:
        """The components."""
        return self._component_distributions

    @property
    def support(self) -> Any:
        given = self.__dict__.get("_given_support")
        return self._component_distributions[0].support if given is None else given

    @property
    def component_mean(self) -> Array:
        """The mean of each component."""
        means = [d.mean for d in self._component_distributions]
        return jnp.stack(jnp.broadcast_arrays(*means), axis=self.mixture_dim)

    @property
    def component_variance(self) -> Array:
        """The variance of each component."""
        variances = [d.variance for d in self._component_distributions]
        return jnp.stack(jnp.broadcast_arrays(*variances), axis=self.mixture_dim)

    def component_cdf(self, samples: Any) -> Array:
        """The probability of values up to these, of each component."""
        each = [d.cdf(samples) for d in self._component_distributions]
        return jnp.stack(each, axis=self.mixture_dim)

    def component_log_probs(self, value: Any) -> Array:
        inner = [d.log_prob(value) for d in self._component_distributions]
        return jnp.log(self._mixing_distribution.probs) + jnp.stack(inner, axis=-1)

    def _parts(self) -> tuple[Any, dict[str, Any]]:
        parts = [
            component(d, f"component{k}_", "MixtureGeneral")
            for k, d in enumerate(self._component_distributions)
        ]
        if len(parts) == 1:
            raise ValueError("MixtureGeneral of one component: use the component itself.")
        return composed(mixture_of, parts, self._mixing(), convert=_weights)


def Mixture(
    mixing_distribution: Any, component_distributions: Any, *, validate_args: bool | None = None
) -> Any:
    """A mixture of a list of distributions, or over the last axis of the batch of one."""
    kind = (
        MixtureSameFamily if isinstance(component_distributions, Distribution) else MixtureGeneral
    )
    return kind(mixing_distribution, component_distributions, validate_args=validate_args)
