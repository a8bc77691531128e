"""Families: the distribution of the data, its link, and priors of its other parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import finetti
from finetti.dialects import pymc3
from finetti.errors import ParameterError, did_you_mean
from finetti.ir import Tensor, ops


def identity(x: Any) -> Any:
    """The mean itself."""
    return x


def inverse(x: Any) -> Tensor:
    """1 / x"""
    return 1.0 / ops.as_tensor(x)


# PyMC3 calls the inverse of the link by the link's name.
logit, exp = ops.sigmoid, ops.exp
LINKS: dict[str, Callable[[Any], Any]] = {
    "identity": identity, "logit": logit, "inverse": inverse, "exp": exp,
}  # fmt: skip


def _half_cauchy() -> Tensor:
    return finetti.HalfCauchy.dist(beta=10.0)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Family:
    """How the data depend on the linear predictor.

    Parameters
    ----------
    distribution : str
        Name of the data's distribution.
    parent : str
        Its parameter that the linear predictor determines.
    link : callable
        Linear predictor -> that parameter.
    priors : mapping
        Its other parameters -> a number, or a function that makes a new prior.
    """

    distribution: str
    parent: str
    link: Callable[[Any], Any]
    priors: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, **keywords: Any) -> Family:
        """The same family with other priors, `link=`, `parent=` or `likelihood=`.

        A prior is a number, a tensor, or a distribution made with `.dist(...)`.
        """
        changes: dict[str, Any] = {}
        priors = {**self.priors, **keywords.pop("priors", {})}
        for key, value in keywords.items():
            if key == "link":
                changes["link"] = _link(value)
            elif key == "likelihood":
                changes["distribution"] = getattr(value, "__name__", str(value))
            elif key == "parent":
                changes["parent"] = value
            elif key in priors:
                priors[key] = value
            else:
                valid = ["link", "likelihood", "parent", "priors", *priors]
                raise ParameterError(
                    f"glm.families.{self.distribution}: unknown keyword {key}={value!r}. "
                    f"{did_you_mean(key, valid)}"
                )
        return replace(self, priors=priors, **changes)

    def create_likelihood(self, add: Callable[[str, Any], Any], predictor: Any, data: Any) -> Any:
        """The data's variable ``y``.

        Parameters
        ----------
        add : callable
            (name, prior) -> the variable in the model.
        predictor : Tensor
            The linear predictor.
        data : array_like
            Observed values.
        """
        given = {name: add(name, prior) for name, prior in self.priors.items()}
        given[self.parent] = self.link(predictor)
        made = getattr(pymc3, self.distribution).dist(**given)
        return add("y", (made, data))


def _link(link: Any) -> Callable[[Any], Any]:
    if callable(link):
        return link  # type: ignore[no-any-return]
    if link not in LINKS:
        raise ParameterError(f"glm: link={link!r}. {did_you_mean(str(link), LINKS)}")
    return LINKS[link]


Normal = Family("Normal", "mu", identity, {"sd": _half_cauchy})
StudentT = Family("StudentT", "mu", identity, {"lam": _half_cauchy, "nu": 1})
Binomial = Family("Bernoulli", "p", logit)
Poisson = Family("Poisson", "mu", exp)
NegativeBinomial = Family("NegativeBinomial", "mu", exp, {"alpha": _half_cauchy})
FAMILIES = {
    "normal": Normal, "student": StudentT, "binomial": Binomial, "poisson": Poisson,
    "negative_binomial": NegativeBinomial,
}  # fmt: skip


def family_of(family: Any) -> Family:
    """A family from its name or itself."""
    if isinstance(family, Family):
        return family
    if family not in FAMILIES:
        raise ParameterError(f"glm: family={family!r}. {did_you_mean(str(family), FAMILIES)}")
    return FAMILIES[family]
