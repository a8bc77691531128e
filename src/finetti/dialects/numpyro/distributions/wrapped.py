"""Distributions around another one: between bounds, censored, with more zeros."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from finetti.dialects.numpyro.distributions import constraints as C
from finetti.dialects.numpyro.distributions.base import Array, Distribution, Shape
from finetti.dialects.numpyro.distributions.classes import CLASSES
from finetti.dialects.numpyro.distributions.components import component, composed
from finetti.dialects.numpyro.distributions.tabled import Recorded
from finetti.dialects.numpyro.distributions.trees import DistributionMeta
from finetti.dist import TruncatedNormal as NormalBetween
from finetti.dist import censored, gated
from finetti.dist.truncated import truncated_of

D: dict[str, Any] = CLASSES


class _Around(Recorded):
    """A distribution around `base_dist`, whose batch is as large as that of its parameters."""

    pytree_data_fields = ("base_dist",)
    base_dist: Any
    extra: tuple[str, ...] = ()

    def _set(self, base: Distribution, given: dict[str, Any], validate: bool | None) -> None:
        shapes = [jnp.shape(x) for x in given.values()]
        batch = jnp.broadcast_shapes(base.batch_shape, *shapes)
        self.base_dist = base
        self.__dict__.update(given)
        Distribution.__init__(self, batch, self._event(), validate_args=validate)

    def _event(self) -> Shape:
        return ()

    @property
    def support(self) -> Any:
        return self.base_dist.support

    def _component(self) -> tuple[Any, dict[str, Any]]:
        return component(self.base_dist, "base_", type(self).__name__)


# -- between bounds ------------------------------------------------------------------------------

_ON_THE_LINE = tuple(
    D[name] for name in ("Cauchy", "Laplace", "Logistic", "Normal", "SoftLaplace", "StudentT")
)
_UNBOUNDED = C.dependent(is_discrete=False, event_dim=0)


class _Truncated(_Around):
    _missing = ("entropy",)
    _kinds: tuple[type, ...] = _ON_THE_LINE

    def _start(self, base: Any, given: dict[str, Any], validate: bool | None) -> None:
        kinds: Any = self._kinds
        if not isinstance(base, kinds):
            hint = "" if self._kinds is not _ON_THE_LINE else (
                "; for a Gamma base distribution use numpyro.distributions.TruncatedGamma"
            )  # fmt: skip
            raise AssertionError(f"{type(base).__name__} is not supported by this class{hint}.")
        self._set(base, given, validate)

    @property
    def support(self) -> Any:
        low, high = self.__dict__.get("low"), self.__dict__.get("high")
        if high is None:
            return C.greater_than_eq(low)
        if low is None and self._kinds is _ON_THE_LINE:
            return C.less_than_eq(high)
        return C.interval(0.0 if low is None else low, high)

    def _parts(self) -> tuple[Any, dict[str, Any]]:
        own = {"lower": self.__dict__.get("low"), "upper": self.__dict__.get("high")}
        own = {name: x for name, x in own.items() if x is not None}
        if isinstance(self.base_dist, D["Normal"]):
            base = self.base_dist
            return NormalBetween, {"mu": base.loc, "sigma": base.scale, **own}
        there = ("lower" in own, "upper" in own)
        return composed(truncated_of, [self._component()], own, there)


class LeftTruncatedDistribution(_Truncated):
    """A number of the real line above a bound."""

    arg_constraints = {"low": C.real}
    reparametrized_params = ["low"]

    def __init__(
        self, base_dist: Any, low: Any = 0.0, *, validate_args: bool | None = None
    ) -> None:
        self._start(base_dist, {"low": low}, validate_args)


class RightTruncatedDistribution(_Truncated):
    """A number of the real line below a bound."""

    arg_constraints = {"high": C.real}
    reparametrized_params = ["high"]

    def __init__(
        self, base_dist: Any, high: Any = 0.0, *, validate_args: bool | None = None
    ) -> None:
        self._start(base_dist, {"high": high}, validate_args)


class TwoSidedTruncatedDistribution(_Truncated):
    """A number of the real line between two bounds."""

    arg_constraints = {"low": _UNBOUNDED, "high": _UNBOUNDED}
    reparametrized_params = ["low", "high"]

    def __init__(
        self,
        base_dist: Any,
        low: Any = 0.0,
        high: Any = 1.0,
        *,
        validate_args: bool | None = None,
    ) -> None:
        self._start(base_dist, {"low": low, "high": high}, validate_args)


class LeftTruncatedGamma(LeftTruncatedDistribution):
    """A gamma number above a bound."""

    arg_constraints = {"low": C.greater_than_eq(0.0)}
    _kinds = (D["Gamma"],)


class RightTruncatedGamma(RightTruncatedDistribution):
    """A gamma number below a bound."""

    arg_constraints = {"high": C.positive}
    _kinds = (D["Gamma"],)

    def __init__(
        self, base_dist: Any, high: Any = 1.0, *, validate_args: bool | None = None
    ) -> None:
        super().__init__(base_dist, high, validate_args=validate_args)


class TwoSidedTruncatedGamma(TwoSidedTruncatedDistribution):
    """A gamma number between two bounds."""

    _kinds = (D["Gamma"],)


def _truncated(kinds: tuple[Any, Any, Any], base: Any, low: Any, high: Any, validate: Any) -> Any:
    left, right, both = kinds
    if low is None:
        return base if high is None else right(base, high=high, validate_args=validate)
    if high is None:
        return left(base, low=low, validate_args=validate)
    return both(base, low=low, high=high, validate_args=validate)


_LINE = (LeftTruncatedDistribution, RightTruncatedDistribution, TwoSidedTruncatedDistribution)
_GAMMA = (LeftTruncatedGamma, RightTruncatedGamma, TwoSidedTruncatedGamma)


def TruncatedDistribution(
    base_dist: Any, low: Any = None, high: Any = None, *, validate_args: bool | None = None
) -> Any:
    """A number of the real line between the bounds that are given."""
    return _truncated(_LINE, base_dist, low, high, validate_args)


def TruncatedNormal(
    loc: Any = 0.0,
    scale: Any = 1.0,
    *,
    low: Any = None,
    high: Any = None,
    validate_args: bool | None = None,
) -> Any:
    """A normal number between the bounds that are given."""
    return _truncated(_LINE, D["Normal"](loc, scale), low, high, validate_args)


def TruncatedCauchy(
    loc: Any = 0.0,
    scale: Any = 1.0,
    *,
    low: Any = None,
    high: Any = None,
    validate_args: bool | None = None,
) -> Any:
    """A Cauchy number between the bounds that are given."""
    return _truncated(_LINE, D["Cauchy"](loc, scale), low, high, validate_args)


def TruncatedGamma(
    concentration: Any = 1.0,
    rate: Any = 1.0,
    *,
    low: Any = None,
    high: Any = None,
    validate_args: bool | None = None,
) -> Any:
    """A gamma number between the bounds that are given."""
    return _truncated(_GAMMA, D["Gamma"](concentration, rate), low, high, validate_args)


# -- censored ------------------------------------------------------------------------------------


class _Censored(_Around):
    _missing = ("cdf", "icdf", "entropy", "mean", "variance")

    def sample(self, key: Array, sample_shape: Shape = ()) -> Array:
        return self.base_dist.expand(self.batch_shape).sample(key, sample_shape)


class LeftCensoredDistribution(_Censored):
    """A number, or, where `censored`, something above the true one."""

    arg_constraints = {"censored": C.boolean}
    _left = True

    def __init__(
        self, base_dist: Any, censored: Any = False, *, validate_args: bool | None = False
    ) -> None:
        self._set(base_dist, {"censored": jnp.asarray(censored)}, validate_args)

    def _parts(self) -> tuple[Any, dict[str, Any]]:
        own = {"censored": self.__dict__["censored"]}
        return composed(censored.one_side, [self._component()], own, (self._left,))


class RightCensoredDistribution(LeftCensoredDistribution):
    """A number, or, where `censored`, something below the true one."""

    _left = False


class IntervalCensoredDistribution(_Censored):
    """Two numbers between which the true one lies, or beyond one of them."""

    arg_constraints = {"left_censored": C.boolean, "right_censored": C.boolean}

    def __init__(
        self,
        base_dist: Any,
        left_censored: Any,
        right_censored: Any,
        *,
        validate_args: bool | None = False,
    ) -> None:
        flags = {"left_censored": left_censored, "right_censored": right_censored}
        self._set(base_dist, {name: jnp.asarray(x) for name, x in flags.items()}, validate_args)

    def _event(self) -> Shape:
        return (2,)

    def _validate_sample(self, value: Any) -> Any:
        if jnp.shape(value)[-1] != 2:
            raise ValueError(
                "Expected last dimension of `value` to be 2 (lower, upper), but got shape "
                f"{jnp.shape(value)}"
            )
        inside = self.base_dist.support(value)
        left, right = self.__dict__["left_censored"], self.__dict__["right_censored"]
        low = inside[..., 0] | (left & ~right)
        return low & (inside[..., 1] | (right & ~left))

    def _parts(self) -> tuple[Any, dict[str, Any]]:
        own = {name: self.__dict__[name] for name in self.arg_constraints}
        return composed(censored.between, [self._component()], own)


# -- with more zeros -----------------------------------------------------------------------------


class _Gated(_Around):
    _missing = ("cdf", "icdf", "entropy")
    _make: Any = None

    def _start(self, base: Distribution, name: str, gate: Any, validate: bool | None) -> None:
        if base.event_shape:
            raise ValueError(
                f"{type(self).__name__} expected empty base_dist.event_shape but got "
                f"{base.event_shape}"
            )
        self._set(base, {name: gate}, validate)

    def _parts(self) -> tuple[Any, dict[str, Any]]:
        names = ("gate", "gate_logits")
        own: dict[str, Any] = {n: self.__dict__[n] for n in names if n in self.__dict__}
        static = ("gate_logits" in own,)
        return composed(type(self)._make, [self._component()], own, static)

    def __getattr__(self, name: str) -> Any:
        if name == "gate" and "gate_logits" in self.__dict__:
            return jax.nn.sigmoid(self.__dict__["gate_logits"])
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class ZeroInflatedProbs(_Gated):
    """0 with probability `gate`, else a count of another distribution."""

    arg_constraints = {"gate": C.unit_interval}
    _make = staticmethod(gated.inflated_of)

    def __init__(self, base_dist: Any, gate: Any, *, validate_args: bool | None = None) -> None:
        if not base_dist.support.is_discrete:
            raise AssertionError(f"{type(base_dist).__name__}: zero inflation is of counts.")
        self._start(base_dist, "gate", gate, validate_args)

    @property
    def has_enumerate_support(self) -> bool:  # type: ignore[override]
        return bool(self.base_dist.has_enumerate_support)

    def enumerate_support(self, expand: bool = True) -> Array:
        return self.base_dist.expand(self.batch_shape).enumerate_support(expand=expand)


class ZeroInflatedLogits(ZeroInflatedProbs):
    """0 with the log odds `gate_logits`, else a count of another distribution."""

    arg_constraints = {"gate_logits": C.real}

    def __init__(
        self, base_dist: Any, gate_logits: Any, *, validate_args: bool | None = None
    ) -> None:
        if not base_dist.support.is_discrete:
            raise AssertionError(f"{type(base_dist).__name__}: zero inflation is of counts.")
        self._start(base_dist, "gate_logits", gate_logits, validate_args)


class HurdleProbs(_Gated):
    """0 with probability `gate`, else a number of another distribution that is not 0."""

    arg_constraints = {"gate": C.unit_interval}
    _make = staticmethod(gated.hurdle_of)

    def __init__(self, base_dist: Any, gate: Any, *, validate_args: bool | None = None) -> None:
        self._start(base_dist, "gate", gate, validate_args)

    def sample(self, key: Array, sample_shape: Shape = ()) -> Array:
        over, first, more = jax.random.split(key, 3)
        base = self.base_dist.expand(self.batch_shape)
        drawn = base.sample(first, sample_shape)
        if self.base_dist.is_discrete:  # what came back as 0 is drawn again

            def again(state: Any) -> Any:
                one, two = jax.random.split(state[0])
                new = base.sample(two, sample_shape)
                return one, jnp.where(state[1] == 0, new, state[1])

            drawn = jax.lax.while_loop(lambda s: (s[1] == 0).any(), again, (more, drawn))[1]
        zero = jax.random.bernoulli(over, self.gate, self.shape(sample_shape))
        return jnp.where(zero, jnp.zeros_like(drawn), drawn)


class HurdleLogits(HurdleProbs):
    """0 with the log odds `gate_logits`, else a number that is not 0."""

    arg_constraints = {"gate_logits": C.real}

    def __init__(
        self, base_dist: Any, gate_logits: Any, *, validate_args: bool | None = None
    ) -> None:
        self._start(base_dist, "gate_logits", gate_logits, validate_args)


class _Named:
    """The attributes of the base under the names of the whole."""

    _base_names: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name in type(self)._base_names and "base_dist" in self.__dict__:
            return getattr(self.__dict__["base_dist"], name)
        return super().__getattr__(name)  # type: ignore[misc]


def _named(name: str, kind: Any, base: str, args: tuple[str, ...], support: Any, doc: str) -> Any:
    """The class of a wrapper around one distribution, with its parameters in the signature."""
    row = D[base].row

    def __init__(self: Any, gate: Any, *given: Any, validate_args: Any = None, **kw: Any) -> None:
        kind.__init__(self, D[base](*given, **kw), gate, validate_args=validate_args)

    names = {arg.name: arg.constraint for arg in row.args if arg.name in args}
    return DistributionMeta(
        name,
        (_Named, kind),
        {
            "__module__": kind.__module__,
            "__doc__": doc,
            "__init__": __init__,
            "arg_constraints": {"gate": C.unit_interval, **names},
            "pytree_data_fields": (),
            "_base_names": args,
            "support": support,
        },
    )


ZeroInflatedPoisson = _named(
    "ZeroInflatedPoisson", ZeroInflatedProbs, "Poisson", ("rate",), C.nonnegative_integer,
    "0 with probability `gate`, else a Poisson count.",
)  # fmt: skip
HurdlePoisson = _named(
    "HurdlePoisson", HurdleProbs, "Poisson", ("rate",), C.nonnegative_integer,
    "0 with probability `gate`, else a Poisson count that is not 0.",
)  # fmt: skip
HurdleGamma = _named(
    "HurdleGamma", HurdleProbs, "Gamma", ("concentration", "rate"), C.nonnegative,
    "0 with probability `gate`, else a gamma number.",
)  # fmt: skip
HurdleLogNormal = _named(
    "HurdleLogNormal", HurdleProbs, "LogNormal", ("loc", "scale"), C.nonnegative,
    "0 with probability `gate`, else a log-normal number.",
)  # fmt: skip


def _one_gate(kinds: tuple[Any, Any], base: Any, gate: Any, logits: Any, validate: Any) -> Any:
    if (gate is None) == (logits is None):
        raise ValueError("One and only one of `gate`, `gate_logits` must be specified.")
    if gate is not None:
        return kinds[0](base, gate, validate_args=validate)
    return kinds[1](base, logits, validate_args=validate)


def ZeroInflatedDistribution(
    base_dist: Any, *, gate: Any = None, gate_logits: Any = None, validate_args: bool | None = None
) -> Any:
    """0 with a probability, else a count of another distribution."""
    kinds = (ZeroInflatedProbs, ZeroInflatedLogits)
    return _one_gate(kinds, base_dist, gate, gate_logits, validate_args)


def HurdleDistribution(
    base_dist: Any, *, gate: Any = None, gate_logits: Any = None, validate_args: bool | None = None
) -> Any:
    """0 with a probability, else a number of another distribution that is not 0."""
    return _one_gate((HurdleProbs, HurdleLogits), base_dist, gate, gate_logits, validate_args)


def ZeroInflatedNegativeBinomial2(
    mean: Any,
    concentration: Any,
    *,
    gate: Any = None,
    gate_logits: Any = None,
    validate_args: bool | None = None,
) -> Any:
    """0 with a probability, else a negative binomial count."""
    base = D["NegativeBinomial2"](mean, concentration, validate_args=validate_args)
    return ZeroInflatedDistribution(
        base, gate=gate, gate_logits=gate_logits, validate_args=validate_args
    )


def HurdleNegativeBinomial2(
    gate: Any, mean: Any, concentration: Any, *, validate_args: bool | None = None
) -> Any:
    """0 with a probability, else a negative binomial count that is not 0."""
    base = D["NegativeBinomial2"](mean, concentration, validate_args=validate_args)
    return HurdleProbs(base, gate, validate_args=validate_args)
