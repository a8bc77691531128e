"""Names that stand for one of two parametrisations, by what is given."""

from __future__ import annotations

from typing import Any

from finetti.dialects.numpyro.distributions.classes import CLASSES


def one_of(probs: Any, logits: Any) -> None:
    """Refuse both and neither."""
    given = [n for n, value in (("probs", probs), ("logits", logits)) if value is not None]
    if len(given) != 1:
        raise ValueError(f"Exactly one of ['probs', 'logits'] must be specified; got {given}.")


def _chosen(name: str, probs: Any, logits: Any, *args: Any, **kwargs: Any) -> Any:
    one_of(probs, logits)
    if probs is not None:
        return CLASSES[f"{name}Probs"](probs, *args, **kwargs)
    return CLASSES[f"{name}Logits"](logits, *args, **kwargs)


def Bernoulli(probs: Any = None, logits: Any = None, *, validate_args: bool | None = None) -> Any:
    """Zero or one, by a probability or log odds."""
    return _chosen("Bernoulli", probs, logits, validate_args=validate_args)


def Binomial(
    total_count: Any = 1,
    probs: Any = None,
    logits: Any = None,
    *,
    validate_args: bool | None = None,
) -> Any:
    """Successes in a number of trials, by a probability or log odds."""
    return _chosen("Binomial", probs, logits, total_count, validate_args=validate_args)


def Categorical(probs: Any = None, logits: Any = None, *, validate_args: bool | None = None) -> Any:
    """One of several categories, by probabilities or their unnormalised logarithms."""
    return _chosen("Categorical", probs, logits, validate_args=validate_args)


def Geometric(probs: Any = None, logits: Any = None, *, validate_args: bool | None = None) -> Any:
    """Failures before a success, by a probability or log odds."""
    return _chosen("Geometric", probs, logits, validate_args=validate_args)


def Multinomial(
    total_count: Any = 1,
    probs: Any = None,
    logits: Any = None,
    *,
    total_count_max: int | None = None,
    validate_args: bool | None = None,
) -> Any:
    """Counts of categories, by probabilities or their unnormalised logarithms."""
    more = {"total_count_max": total_count_max, "validate_args": validate_args}
    return _chosen("Multinomial", probs, logits, total_count, **more)


def NegativeBinomial(
    total_count: Any, probs: Any = None, logits: Any = None, *, validate_args: bool | None = None
) -> Any:
    """Successes before so many failures, by a probability or log odds."""
    one_of(probs, logits)
    if probs is not None:
        return CLASSES["NegativeBinomialProbs"](total_count, probs, validate_args=validate_args)
    return CLASSES["NegativeBinomialLogits"](total_count, logits, validate_args=validate_args)
