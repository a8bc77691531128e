"""`to_jax` where JAX is not installed, which no other part of finetti needs."""

import sys

import pytest

import finetti as pm
from finetti.errors import NotYetSupported


def test_the_extra_to_install_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    with pm.Model() as model:
        pm.Normal("x")
    with pytest.raises(NotYetSupported, match=r'not installed.*pip install "finetti\[jax\]"'):
        pm.to_jax(model)
