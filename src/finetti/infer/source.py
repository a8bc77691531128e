"""What a MultiTrace asks its model for: unconstrained values and log likelihoods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.infer.loglik import log_likelihood_arrays
from finetti.ir import Tensor
from finetti.model.forward import compute
from finetti.model.logdensity import bijector_of
from finetti.results.trace import Array, Draws, Group


@dataclass(frozen=True)
class ModelSource:
    """The model's side of a MultiTrace.

    Parameters
    ----------
    model : Model
        It.
    """

    model: Any

    def names(self, posterior: Group) -> list[str]:
        """Variables of the posterior in PyMC3's order: the values that are sampled come first."""
        root = self.model.root
        sampled = [root.rvs_to_values[rv].name for rv in root.free_RVs if rv.name in posterior]
        own = [var.name for var in root.unobserved_RVs if var.name in posterior]
        return list(dict.fromkeys([*sampled, *own]))

    def derived(self, name: str, posterior: Group) -> Array:
        """The draws of an unconstrained value, from those of the variable itself."""
        frozen = self.model.frozen()
        rv = next(rv for rv in frozen.free if rv.value_name == name)
        known = {
            other.node: posterior[other.name].reshape(-1, *other.shape)
            for other in frozen.free
            if other.name in posterior
        }
        bijector = bijector_of(rv, rv.params)
        node = bijector.forward(Tensor(rv.node)).node
        leading = posterior[rv.name].shape[:2]
        count = int(np.prod(leading))
        (values,) = compute([node], count, known)
        return np.reshape(values, (*leading, *values.shape[1:]))

    def log_likelihood(self, draws: Draws) -> Group:
        """The elementwise log likelihood of each observed variable."""
        return log_likelihood_arrays(draws, self.model, None)
