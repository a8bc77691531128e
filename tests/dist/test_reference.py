"""Against what PyMC says: `tests/data/dist_reference.json`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.dist.helpers import decode, evaluate, reference, value_of

import finetti as faces
from finetti.dist import bijector_for, rv_params
from finetti.dist.functions import icdf, logcdf, logp
from finetti.errors import FinettiError, NotYetSupported
from finetti.ir import Tensor, ops
from finetti.ir.ops.leaf import new_input
from finetti.passes.grad import gradient

REFERENCE = reference()
CASES = {case["id"]: case for case in REFERENCE["cases"]}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


def argument(value: Any) -> Any:
    """An argument of the file; a component is a variable."""
    if isinstance(value, dict):
        return make(value)
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [make(item) for item in value]
    return decode(value)


def make(case: dict[str, Any], **more: Any) -> Tensor:
    args = [argument(a) for a in case["args"]]
    kwargs = {k: argument(v) for k, v in case["kwargs"].items()}
    return getattr(faces, case["dist"]).dist(*args, **kwargs, **more)


def agree(got: Any, expected: Any, rtol: float = 1e-11, atol: float = 1e-12) -> None:
    """Equal up to rounding, wherever PyMC has a number."""
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    defined = ~np.isnan(expected)
    np.testing.assert_allclose(got[defined], expected[defined], rtol=rtol, atol=atol)


@each_case
def test_logp(case: dict[str, Any]) -> None:
    rv = make(case)
    for value, expected in zip(case["values"], case["logp"], strict=True):
        agree(value_of(logp(rv, decode(value))), decode(expected))


@each_case
def test_logcdf(case: dict[str, Any]) -> None:
    rv = make(case)
    if case["logcdf"] is None and rv_params(rv)[0].cdf is not None:
        return  # more than PyMC has
    if case["logcdf"] is None:
        with pytest.raises(NotYetSupported, match=case["dist"]):
            logcdf(rv, decode(case["values"][0]))
        return
    for value, expected in zip(case["values"], case["logcdf"], strict=True):
        agree(value_of(logcdf(rv, decode(value))), decode(expected), rtol=1e-9)


@each_case
def test_icdf(case: dict[str, Any]) -> None:
    rv = make(case)
    if case["icdf"] is None and rv_params(rv)[0].quantile is not None:
        return  # more than PyMC has
    if case["icdf"] is None:
        with pytest.raises(NotYetSupported, match=case["dist"]):
            icdf(rv, 0.5)
        return
    for q, expected in zip(case["q"], case["icdf"], strict=True):
        if "Cauchy" in case["dist"] and q in (0.0, 1.0):  # PyMC: 1.6e16 for infinity
            continue
        if case["dist"] == "Geometric" and q == 1.0:  # PyMC: the largest integer for infinity
            continue
        agree(value_of(icdf(rv, q)), decode(expected), rtol=1e-9)


@each_case
def test_start(case: dict[str, Any]) -> None:
    rv = make(case)
    dist, params = rv_params(rv)
    if case["id"] == "Truncated/tail":  # PyMC: half the width, which lies outside
        assert value_of(dist.start(rv.shape, **params)) == 31.0
        return
    got = value_of(dist.start(rv.shape, **params))
    agree(got, decode(case["support_point"]))
    if case["shape"] is not None:
        rv = make(case, shape=tuple(case["shape"]))
        dist, params = rv_params(rv)
        agree(value_of(dist.start(rv.shape, **params)), decode(case["shaped_support_point"]))


def density(rv: Tensor) -> tuple[str, Any, Tensor, Tensor]:
    """What a model with this one free variable samples: value name, bijector, input and density."""
    dist, params = rv_params(rv)
    bijector = bijector_for(dist.support(**params))
    if bijector is None:
        u = new_input("u", rv.shape, dist.dtype)
        return "x", None, u, ops.sum_(dist.logp(u, **params))
    u = new_input("u", bijector.unconstrained_shape(rv.shape))
    total = ops.sum_(dist.logp(bijector.backward(u), **params)) + ops.sum_(bijector.log_det(u))
    return bijector.value_name("x"), bijector, u, total


@each_case
@pytest.mark.parametrize("shaped", [False, True], ids=["plain", "shaped"])
def test_unconstrained_density(case: dict[str, Any], shaped: bool) -> None:
    record = case["free"]["shaped"] if shaped else case["free"]
    if record is None:
        assert case["shape"] is None
        return
    rv = make(case, **({"shape": tuple(case["shape"])} if shaped else {}))
    name, bijector, u, total = density(rv)
    assert name == record["value_name"]
    assert record["transform"] == (None if bijector is None else bijector.name)
    dist, params = rv_params(rv)
    start = dist.start(rv.shape, **params)
    unconstrained = start if bijector is None else bijector.forward(start)
    agree(value_of(unconstrained), decode(record["initial_point"]), atol=1e-11)
    for i, point in enumerate(record["points"]):
        values = {u.node: np.asarray(decode(point))}
        if bijector is not None:
            back = evaluate([bijector.backward(u)], values)[0]
            agree(back, decode(record["constrained"][i]))
        agree(evaluate([total], values)[0], decode(record["logp"][i]), rtol=1e-10)
        if record["dlogp"] is not None:
            (slope,) = evaluate(gradient(total.node, [u.node]), values)
            # PyMC's own gradients of these are in single precision somewhere.
            rtol = 1e-6 if case["dist"] in ("LKJCorr", "Censored") else 1e-9
            agree(slope.ravel(), decode(record["dlogp"][i]), rtol=rtol, atol=1e-10)


@pytest.mark.parametrize("row", REFERENCE["bad_values"], ids=lambda row: row["dist"])
def test_bad_parameters_are_impossible(row: dict[str, Any]) -> None:
    kwargs = {k: decode(v) for k, v in row["kwargs"].items()}
    rv = getattr(faces, row["dist"]).dist(**kwargs)
    got = value_of(logp(rv, decode(row["value"])))
    assert np.all(got == decode(row["model_logp"]))


# What PyMC raises for, we do too; what it silently accepts, we name.
@pytest.mark.parametrize(
    "row", REFERENCE["bad_calls"], ids=lambda row: f"{row['dist']}-{row['args']}-{[*row['kwargs']]}"
)
def test_bad_calls(row: dict[str, Any]) -> None:
    args = [decode(a) for a in row["args"]]
    kwargs = {k: tuple(v) if k == "shape" else decode(v) for k, v in row["kwargs"].items()}
    face = getattr(faces, row["dist"])
    if row["warns"]:
        with pytest.warns(UserWarning, match="instead of 1.0"):
            face.dist(*args, **kwargs)
        return
    with pytest.raises(FinettiError, match=row["dist"]):
        face.dist(*args, **kwargs)
