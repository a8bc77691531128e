"""The Polya-Gamma distribution between 0 and a bound."""

from __future__ import annotations

from typing import Any

from finetti.dialects.numpyro.distributions import constraints as C
from finetti.dialects.numpyro.distributions.base import Shape
from finetti.dialects.numpyro.distributions.tabled import Recorded
from finetti.dist.polyagamma import TRUNCATION  # noqa: N813
from finetti.dist.polyagamma import TruncatedPolyaGamma as record


class TruncatedPolyaGamma(Recorded):
    """A Polya-Gamma number with parameters 1 and 0, below 2.5."""

    truncation_point = TRUNCATION
    num_log_prob_terms = 7
    num_gamma_variates = 8
    support = C.interval(0.0, TRUNCATION)  # type: ignore[assignment]
    _missing = ("cdf", "icdf", "entropy", "mean", "variance")

    def __init__(self, batch_shape: Shape = (), *, validate_args: bool | None = None) -> None:
        super().__init__(tuple(batch_shape), validate_args=validate_args)

    def _parts(self) -> tuple[Any, dict[str, Any]]:
        return record, {"scale": 1.0}
