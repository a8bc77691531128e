"""`collapse`: latent sites that are integrated out, where prior and likelihood are conjugate.

What observations say of a variable is summed up in one observation of it, e.g. some of Bernoulli in
one of Binomial. Its density without the variable is a distribution with a name. What it leaves out
is a factor that does not depend on the variable, and so is found at any of its values.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import jax
import jax.numpy as jnp

from finetti.dialects.numpyro import distributions as dist
from finetti.dialects.numpyro.distributions.trees import COERCIONS
from finetti.dialects.numpyro.primitives import (
    _PYRO_STACK,
    CondIndepStackFrame,
    Message,
    Messenger,
    StatementError,
    factor,
    plate,
    spread,
)
from finetti.errors import NotYetSupported, ParameterError

__all__ = ["collapse"]

Array = Any
_MARK = "_collapsed"
_KNOWN = (
    "Known are Beta with the probs of Bernoulli or Binomial, Gamma with the rate of Poisson, "
    "Dirichlet with the probs of Categorical or Multinomial, and Normal with the loc of Normal. "
    "Sample the variable outside of `collapse`."
)


def _refuse(name: str, what: str) -> NoReturn:
    raise NotYetSupported(f"collapse: {name!r} {what}. {_KNOWN}")


class Collapsed:
    """Stands for a variable that is integrated out: only a distribution's parameter can be one.

    Parameters
    ----------
    name : str
        Its site.
    fn : Distribution
        Its distribution.
    """

    def __init__(self, name: str, fn: Any) -> None:
        self.name, self.fn = name, fn
        inner = _inside(fn)
        if type(inner) not in START:
            _refuse(name, f"has the distribution {type(inner).__name__}, which has no pair")
        self.shape = tuple(fn.shape())
        self.point = jnp.full(self.shape, START[type(inner)](self.shape))

    def _used(self, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse(self.name, "is integrated out, so nothing can be computed with its value")

    __jax_array__ = __array__ = __getitem__ = __iter__ = __float__ = __int__ = __bool__ = _used
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _used
    __rtruediv__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __neg__ = __abs__ = _used
    __lt__ = __le__ = __gt__ = __ge__ = __len__ = _used

    def __repr__(self) -> str:
        return f"<{self.name}, integrated out>"


@dataclass(frozen=True)
class Seen:
    """An observation of a collapsed variable.

    Parameters
    ----------
    of : Collapsed
        The variable.
    fn : Distribution
        Its distribution, at the variable's point.
    value : array
        What was observed.
    shape : tuple of int
        The shape of its batch, with all plates.
    """

    of: Collapsed
    fn: Any
    value: Array
    shape: tuple[int, ...]


def _inside(fn: Any) -> Any:
    """A distribution without what changes its shape."""
    while isinstance(fn, (dist.Independent, dist.ExpandedDistribution)):
        fn = fn.base_dist
    return fn


def _marked(value: Any) -> Any:
    """The collapsed variable that an argument is or depends on, if any."""
    if isinstance(value, Collapsed):
        return value
    if isinstance(value, (list, tuple)):
        return next((x for x in map(_marked, value) if x is not None), None)
    while isinstance(value, dist.Distribution):
        if _MARK in value.__dict__:
            return value.__dict__[_MARK]
        value = value.__dict__.get("base_dist")
    return None


def coerce(cls: type, args: Any, kwargs: Any) -> Any:
    """A distribution of which a parameter is a collapsed variable: at its point, and marked."""
    found = [x for x in map(_marked, (*args, *kwargs.values())) if x is not None]
    if not found or cls in (dist.Independent, dist.ExpandedDistribution):
        return None
    variable = found[0]
    names = list(inspect.signature(cls).parameters)
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    field = next((name for name, x in given.items() if x is variable), None)
    pair = PAIRS.get((type(_inside(variable.fn)), cls))
    if len(found) > 1 or pair is None or field != pair:
        _refuse(variable.name, f"is a part of {cls.__name__} that has no pair")
    fn: Any = cls(**{**given, field: variable.point})
    fn.__dict__[_MARK] = variable
    return fn


class collapse(Messenger):  # noqa: N801, a user's name
    """Integrates latent sites out whose observations have a conjugate distribution.

    Their value can only be handed to such a distribution. The sites are replaced by one `factor`
    with the name of the first: the density of the observations without them.

    Parameters
    ----------
    fn : callable, optional
        The model.
    """

    def __enter__(self) -> None:
        self._variables: dict[str, Collapsed] = {}
        self._seen: list[Seen] = []
        self._names: set[str] = set()
        self._outside = [
            CondIndepStackFrame(p.name, p.dim, p.subsample_size)
            for p in _PYRO_STACK
            if isinstance(p, plate)
        ]
        COERCIONS.append(coerce)
        super().__enter__()

    def process_message(self, msg: Message) -> None:
        if msg["type"] == "deterministic" and isinstance(msg["value"], Collapsed):
            msg["value"]._used()
        if msg["type"] != "sample":
            return
        name, parent = msg["name"], _marked(msg["fn"])
        latent = msg["value"] is None
        if not latent and parent is None:
            return
        msg["stop"] = True
        if name in self._names:
            raise StatementError(
                f"collapse: all sites must have unique names but got `{name}` duplicated."
            )
        self._names.add(name)
        if msg["scale"] is not None:
            _refuse(name, "has a scale, by `handlers.scale` or by a plate that takes some rows")
        frames = [*msg["cond_indep_stack"], *self._outside]
        if frames:
            spread(msg, frames)
        fn = msg["fn"].expand_by(msg["kwargs"].get("sample_shape") or ())
        if latent:
            if parent is not None and type(_inside(fn)) is not dist.Normal:
                _refuse(name, f"depends on {parent.name!r} and is not observed")
            msg["value"] = self._variables[name] = Collapsed(name, fn)
        else:
            self._seen.append(_observation(parent, fn, jnp.asarray(msg["value"])))

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        COERCIONS.remove(coerce)
        super().__exit__(kind, error, traceback)
        if kind is not None:
            if "__jax_array__" in str(error):  # JAX has its own words for what is no array
                names = ", ".join(self._variables)
                _refuse(names, "is integrated out, so nothing can be computed with its value")
            return
        if not self._variables:
            raise ParameterError("collapse: there is no latent site to integrate out.")
        terms: list[Array] = []
        for variable in reversed(self._variables.values()):
            own = [seen for seen in self._seen if seen.of is variable]
            if own:
                terms += self._without(variable, own)
        kept = {frame.dim for frame in self._outside}
        factor(next(iter(self._variables)), sum(_summed(term, kept) for term in terms))

    def _without(self, variable: Collapsed, own: list[Seen]) -> list[Array]:
        """Terms of the log density of a variable's observations, without it."""
        prior = _inside(variable.fn)
        batch = variable.shape[: len(variable.shape) - prior.event_dim]
        value, one, rest = SUMMARIES[type(prior)](variable, own, batch)
        terms = []
        if len(own) > 1 or own[0].shape != batch:  # what the one observation leaves out
            each = [_folded(jnp.broadcast_to(s.fn.log_prob(s.value), s.shape), batch) for s in own]
            terms.append(sum(each) - one.log_prob(value))
        parent = _marked(variable.fn)
        if parent is None:
            terms.append(jnp.broadcast_to(rest.log_prob(value), batch))
        else:
            self._seen.append(Seen(parent, rest, value, batch))
        return terms


def _observation(parent: Collapsed, fn: Any, value: Array) -> Seen:
    inner = _inside(fn)
    if _MARK not in inner.__dict__:
        _refuse(parent.name, f"is observed through {type(inner).__name__}")
    full = fn.shape()
    return Seen(parent, inner, value, full[: len(full) - inner.event_dim])


def _folded(x: Array, batch: tuple[int, ...]) -> Array:
    """The sum over the axes that a smaller batch does not have."""
    x = jnp.sum(x, axis=tuple(range(x.ndim - len(batch))))
    ones = tuple(i for i, n in enumerate(batch) if n == 1 and x.shape[i] != 1)
    return jnp.sum(x, axis=ones, keepdims=True)


def _summed(x: Array, kept: set[int]) -> Array:
    """The sum over all axes but some, counted from the right."""
    axes = tuple(i for i in range(x.ndim) if i - x.ndim not in kept)
    x = jnp.sum(x, axis=axes, keepdims=True)
    return jnp.reshape(x, x.shape[max(x.ndim + min(kept, default=0), 0) :])


# -- the pairs -----------------------------------------------------------------------------------
# A summary gives the one observation that says the same of a variable as all of them, its
# distribution at the variable's point, and its distribution without the variable.


def _total(own: list[Seen], batch: tuple[int, ...], part: Callable[[Seen], Any]) -> Array:
    """The sum of something over all observations of each element."""
    return sum(_folded(jnp.broadcast_to(part(seen), seen.shape), batch) for seen in own)


def _trials(seen: Seen) -> Any:
    return getattr(seen.fn, "total_count", 1)


def _beta(variable: Collapsed, own: list[Seen], batch: tuple[int, ...]) -> Any:
    count = _total(own, batch, _trials)
    prior = _inside(variable.fn)
    rest = dist.BetaBinomial(prior.concentration1, prior.concentration0, count)
    one = dist.Binomial(count, probs=variable.point)
    return _total(own, batch, lambda seen: seen.value), one, rest


def _gamma(variable: Collapsed, own: list[Seen], batch: tuple[int, ...]) -> Any:
    count = _total(own, batch, lambda seen: 1.0)
    prior = _inside(variable.fn)
    rest = dist.GammaPoisson(prior.concentration, prior.rate / count)
    return _total(own, batch, lambda seen: seen.value), dist.Poisson(count * variable.point), rest


def _dirichlet(variable: Collapsed, own: list[Seen], batch: tuple[int, ...]) -> Any:
    size = variable.shape[-1]

    def counts(seen: Seen) -> Array:
        if type(seen.fn) is dist.CategoricalProbs:
            return jax.nn.one_hot(seen.value, size, dtype=int)
        return seen.value

    wide = [Seen(s.of, s.fn, counts(s), (*s.shape, size)) for s in own]
    value = _total(wide, (*batch, size), lambda seen: seen.value)
    count = _total(own, batch, _trials)
    one = dist.Multinomial(count, probs=variable.point, total_count_max=1)
    prior = _inside(variable.fn)
    return value, one, dist.DirichletMultinomial(prior.concentration, count, total_count_max=1)


def _normal(variable: Collapsed, own: list[Seen], batch: tuple[int, ...]) -> Any:
    prior = _inside(variable.fn)
    if len(own) == 1 and own[0].shape == batch:
        value, variance = own[0].value, jnp.square(own[0].fn.scale)
    else:
        weight = _total(own, batch, lambda seen: 1.0 / jnp.square(seen.fn.scale))
        value = _total(own, batch, lambda seen: seen.value / jnp.square(seen.fn.scale)) / weight
        variance = 1.0 / weight
    rest = dist.Normal(prior.loc, jnp.sqrt(jnp.square(prior.scale) + variance))
    return value, dist.Normal(variable.point, jnp.sqrt(variance)), rest


# A prior -> the value that a variable has where one is needed, by its shape
START: dict[type, Callable[[tuple[int, ...]], float]] = {
    dist.Beta: lambda shape: 0.5,
    dist.Gamma: lambda shape: 1.0,
    dist.Dirichlet: lambda shape: 1.0 / shape[-1],
    dist.Normal: lambda shape: 0.0,
}
# (prior, likelihood) -> the parameter that the variable is
PAIRS: dict[tuple[type, type], str] = {
    (dist.Beta, dist.BernoulliProbs): "probs",
    (dist.Beta, dist.BinomialProbs): "probs",
    (dist.Gamma, dist.Poisson): "rate",
    (dist.Dirichlet, dist.CategoricalProbs): "probs",
    (dist.Dirichlet, dist.MultinomialProbs): "probs",
    (dist.Normal, dist.Normal): "loc",
}
SUMMARIES: dict[type, Callable[..., Any]] = {
    dist.Beta: _beta, dist.Gamma: _gamma, dist.Dirichlet: _dirichlet, dist.Normal: _normal,
}  # fmt: skip
