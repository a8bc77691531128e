"""Entropies against SciPy's, of the records that have a twin there."""

from __future__ import annotations

import numpy as np
import pytest
from tests.dist.helpers import value_of
from tests.dist.test_all import params_of, twin

from finetti.dist import DISTRIBUTIONS
from finetti.dist.entropy import ENTROPIES, entropy
from finetti.errors import NotYetSupported

# SciPy's are sums and integrals there, or about other parameters.
NOT_IN_SCIPY = {"Categorical", "Categorical(logit_p)"}


@pytest.mark.parametrize("key", sorted(set(ENTROPIES) - NOT_IN_SCIPY))
def test_entropies(key: str) -> None:
    dist = DISTRIBUTIONS[key]
    for row in range(len(dist.samples)):
        params = params_of(dist, row)
        expected = twin(dist, params).entropy()
        np.testing.assert_allclose(value_of(entropy(dist, **params)), expected, rtol=1e-7)


def test_categories() -> None:
    dist = DISTRIBUTIONS["Categorical"]
    got = value_of(entropy(dist, p=np.array([0.0, 0.25, 0.75])))
    np.testing.assert_allclose(got, -(0.25 * np.log(0.25) + 0.75 * np.log(0.75)), rtol=1e-12)


def test_what_is_not_written_is_refused_by_name() -> None:
    with pytest.raises(NotYetSupported, match="entropy of Rice"):
        entropy(DISTRIBUTIONS["Rice"], nu=1.0, sigma=1.0)
