"""Conditionals: differences of the joint and elementwise parts are differences of the whole."""

import numpy as np
import pytest

import finetti as pm
from finetti.backends import reference
from finetti.dialects import pymc3
from finetti.ir import ops
from finetti.model.compile import Layout, compile_outputs
from finetti.model.conditional import (
    conditional,
    leaves,
    touched,
    without,
    without_gradient,
)

RNG = np.random.default_rng(20)
Y = RNG.normal(size=12)
COUNTS = RNG.poisson(3.0, 12)


def mixture(shape=12):
    with pm.Model() as model:
        p = pm.Dirichlet("p", np.ones(3))
        mu = pm.Normal("mu", 0, 10, shape=3)
        sigma = pm.HalfCauchy("sigma", 1, shape=3)
        z = pm.Categorical("z", p=p, shape=shape)
        pm.Normal("y", mu[z], sigma[z], observed=Y)
    return model


def chain():
    with pm.Model() as model:
        start = pm.Categorical("start", p=[0.3, 0.7])
        move = np.array([[0.9, 0.1], [0.2, 0.8]])
        z = pm.Bernoulli("z", 0.5, shape=12)
        pm.Potential("first", pm.math.log(ops.as_tensor(move)[start, z[0]]))
        pm.Potential("moves", pm.math.log(ops.as_tensor(move)[z[:-1], z[1:]]))
        pm.Normal("y", 2.0 * z, 1.0, observed=Y)
    return model


def switchpoint():
    with pm.Model() as model:
        switch = pm.DiscreteUniform("switch", 0, 12)
        early, late = pm.Exponential("early", 1.0), pm.Exponential("late", 1.0)
        pm.Poisson("y", pm.math.switch(switch >= np.arange(12), early, late), observed=COUNTS)
    return model


def sums():
    """Potentials that are scalars made of sums: what is elementwise in them must be found."""
    with pm.Model() as model:
        z = pm.Poisson("z", 2.0, shape=5)
        x = pm.Normal("x", 0, 1, shape=5)
        pm.Potential("sum", -0.5 * pm.math.sum((z - x) ** 2) - pm.math.sum(z) / 3.0)
        pm.Potential("broadcast", 0.1 * x[:, None] * z[None, :])
        pm.Potential("pair", -pm.math.abs(z[0] - z[1]))
        pm.Potential("wide", 0.2 * x[:, None] - pm.math.sqr(z[None, :]) / 7.0)
    return model


def hierarchy():
    with pm.Model() as model:
        m = pm.Normal("m", 0, 1)
        s = pm.HalfNormal("s", 1)
        group = pm.Normal("group", m, s, shape=(4, 3))
        n = pm.Binomial("n", 5, 0.3, shape=(4, 3))
        pm.Normal("y", group.reshape((12,)) + n.reshape((12,)), 1.0, observed=Y)
    return model


# model, names, number of colours
CASES = {
    "mixture z": (mixture, ["z"], 1),
    "mixture mu": (mixture, ["mu"], 3),
    "mixture p": (mixture, ["p"], 2),
    "mixture all": (mixture, ["p", "mu", "sigma"], 6),
    "chain z": (chain, ["z"], 2),
    "chain both": (chain, ["start", "z"], 2),
    "switchpoint": (switchpoint, ["switch"], 1),
    "rates": (switchpoint, ["early", "late"], 2),
    "sums z": (sums, ["z"], 2),
    "sums x": (sums, ["x"], 1),
    "sums both": (sums, ["z", "x"], 3),
    "group": (hierarchy, ["group"], 1),
    "group and n": (hierarchy, ["group", "n"], 2),
    "scale": (hierarchy, ["s"], 1),
}


def points(density, rng, count=6):
    """Points where the density is finite, as rows."""
    rows = []
    for _ in range(count):
        parts = []
        for value in density.values:
            shape = value.input.shape
            whole = rng.integers(0, 2, shape).astype(float)
            parts.append(whole if value.discrete else rng.normal(0, 0.5, shape))
        rows.append(np.concatenate([part.ravel() for part in parts]))
    return np.array(rows)


@pytest.mark.parametrize("name", CASES)
def test_parts_differ_as_the_whole_does(name, rng):
    make, names, count = CASES[name]
    density = make().density()
    part = conditional(density, names)
    assert max(part.colors) + 1 == count
    whole, joint, full, each = (
        compile_outputs([node], density.inputs)
        for node in (density.logp().node, part.joint, part.full, part.elementwise)
    )
    colors = np.array(part.colors)
    rows = points(density, rng)
    for x, other in zip(rows[:-1], rows[1:], strict=True):
        y = x.copy()
        y[part.index] = other[part.index]
        (before,), (after,) = whole(x), whole(y)
        assert np.isfinite(before) and np.isfinite(after)
        for function in (joint, full):
            assert function(y)[0] - function(x)[0] == pytest.approx(after - before, abs=1e-9)
        for colour in range(count):
            moved, members = x.copy(), part.index[colors == colour]
            moved[members] = y[members]
            change = each(moved)[0] - each(x)[0]
            singles = []
            for element in members:
                one = x.copy()
                one[element] = y[element]
                singles.append(whole(one)[0] - before)
            # what an element adds to its entry does not depend on the others of its colour
            np.testing.assert_allclose(change[colors == colour], singles, atol=1e-9)


def test_untouched_terms_are_left_out():
    part = conditional(mixture().density(), ["z"])
    assert [factor.name for factor in part.factors] == ["z", "y"]
    assert [factor.name for factor in conditional(switchpoint().density(), ["early"]).factors] == [
        "early", "y",
    ]  # fmt: skip
    assert touched(chain().density())["moves"] == {"z"}


def test_the_backends_agree(rng):
    density = mixture().density()
    part = conditional(density, ["z"])
    native, plain = (
        compile_outputs([part.elementwise, part.joint], density.inputs, backend)
        for backend in ("native", "reference")
    )
    for x in points(density, rng, 2):
        for a, b in zip(native(x), plain(x), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_checks_of_what_does_not_move_are_left_out():
    density = mixture().density()
    part = conditional(density, ["z"])
    # the sum of the probabilities is no business of z
    assert not any(node.op.name == "all" for node in reachable(part.elementwise))


def reachable(node):
    seen, stack = set(), [node]
    while stack:
        top = stack.pop()
        if top not in seen:
            seen.add(top)
            stack.extend(top.args)
    return seen


def test_index_is_where_the_elements_lie():
    density = mixture().density()
    layout = Layout.of(density.inputs)
    assert layout.names == ["p_simplex__", "mu", "sigma_log__", "z"]
    assert conditional(density, ["sigma", "mu"]).index.tolist() == [5, 6, 7, 2, 3, 4]


def leaf_model():
    with pm.Model() as model:
        mu = pm.Gamma("mu", 2.0, 1.0)
        top = pm.Poisson("top", mu)
        middle = pm.Binomial("middle", top + 1, 0.5)
        pm.Poisson("bottom", middle + 0.1, shape=3)
        pm.Deterministic("twice", 2 * middle)
        inner = pm.Poisson("inner", mu)
        pm.Normal("real", inner, 1.0)
        pm.Poisson("y", mu, observed=[1, 2])
    return model


@pytest.mark.parametrize(
    ("walked", "found"),
    [
        ((), ["top", "middle", "bottom"]),
        (["bottom"], []),
        (["middle"], ["bottom"]),
        (["top"], ["middle", "bottom"]),
    ],
)
def test_leaves(walked, found):
    density = leaf_model().density()
    assert leaves(density, walked) == found


def test_a_potential_or_data_keep_a_variable_from_being_a_leaf():
    with pm.Model() as model:
        a, b = pm.Poisson("a", 2.0), pm.Poisson("b", 2.0)
        pm.Potential("tie", -((a - b) ** 2.0))
        c = pm.Bernoulli("c", 0.5)
        pm.Normal("y", c, 1.0, observed=0.3)
    assert leaves(model.density()) == []


def test_without_leaves_the_density_has_neither_their_values_nor_their_terms():
    density = leaf_model().density()
    core = without(density, leaves(density))
    assert [value.name for value in core.values] == ["mu", "inner", "real"]
    assert [factor.name for factor in core.factors] == ["mu", "inner", "real", "y"]
    x = np.array([0.3, 2.0, 1.5])
    values = dict(zip(core.inputs, (x[0], np.array(2), x[2]), strict=True))
    want = reference.evaluate([core.logp()], values)[0]
    np.testing.assert_allclose(compile_outputs([core.logp().node], core.inputs)(x)[0], want)


def test_variables_below_a_black_box_without_gradient_are_known():
    with pm.Model() as model:
        a, b, c = (pm.Normal(name) for name in "abc")
        pm.Normal("y", pm.blackbox(np.sin)(a) + pm.blackbox(np.cos, grad=lambda g, x: g)(b) + c)
    assert without_gradient(model.density()) == {"a"}


def test_what_is_left_of_a_leaf_is_the_check_of_its_parameters():
    with pm.Model() as model:
        p = pm.Normal("p", 0.5, 1.0)
        pm.Bernoulli("z", p, shape=2)
        pm.Bernoulli("fine", pm.math.sigmoid(p), shape=2)
    core = without(model.density(), ["z", "fine"])
    assert [factor.name for factor in core.factors] == ["p", "z"]
    for x, inside in ((0.3, True), (1.2, False), (-0.1, False)):
        (value,) = reference.evaluate([core.logp()], {core.inputs[0]: np.array(x)})
        want = -0.5 * np.log(2 * np.pi) - 0.5 * (x - 0.5) ** 2
        assert value == (pytest.approx(want) if inside else -np.inf)


def test_a_leaf_whose_value_decides_whether_another_is_possible_is_walked():
    with pm.Model() as model:
        n = pm.DiscreteUniform("n", -2, 2)
        pm.Binomial("below", n, 0.5)
    assert leaves(model.density()) == ["below"]


@pytest.mark.parametrize(
    "make",
    [
        lambda mu: pymc3.Bound(pymc3.Poisson, lower=2)("y", mu),
        lambda mu: pymc3.Bound(pymc3.DiscreteUniform, lower=2)("y", 0, 9),
        lambda mu: pm.CustomDist("y", mu, logp=lambda y, mu: -abs(y - mu), dtype="int64"),
    ],
)
def test_what_need_not_sum_to_one_is_walked(make):
    with pm.Model() as model:
        make(pm.Exponential("mu", 1.0))
    assert leaves(model.density()) == []


def test_an_unknown_name_is_refused():
    with pytest.raises(pm.ModelError, match=r"'zz' is no free variable"):
        conditional(mixture().density(), ["zz"])
