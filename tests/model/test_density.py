"""The joint log density: terms, transforms, gradients, on both backends."""

import numpy as np
import pytest
from scipy import stats

import finetti as pm
from finetti.errors import ModelError, NotYetSupported, ParameterError, ShapeError

BACKENDS = ["reference", "native"]


@pytest.fixture
def model():
    with pm.Model(coords={"g": ["x", "y", "z"]}) as model:
        mu = pm.Normal("mu", [1.0, 2.0, 3.0], 2.0, dims="g")
        s = pm.Exponential("s", 2.0)
        pm.Uniform("u", -1, mu.sum() + 8)
        pm.Beta("be", 2, 3, default_transform=None)
        pm.Dirichlet("p", np.array([1.0, 2.0, 3.0]))
        pm.Potential("pot", -(mu**2))
        pm.Normal("obs", mu, s, observed=np.zeros((2, 3)))
    return model


POINT = {
    "mu": np.array([0.1, 0.2, 0.3]),
    "s_log__": 0.2,
    "u_interval__": 0.4,
    "be": 0.3,
    "p_simplex__": np.array([0.5, -0.3]),
}


def by_hand(point):
    """The terms with SciPy, Jacobians included."""
    mu, s = np.asarray(point["mu"]), np.exp(point["s_log__"])
    upper = mu.sum() + 8
    share = 1 / (1 + np.exp(-point["u_interval__"]))
    logs = np.append(point["p_simplex__"], -np.sum(point["p_simplex__"]))
    p = np.exp(logs) / np.exp(logs).sum()
    # the Jacobian of the centred log ratio, as a determinant
    J = np.diag(p[:2]) @ (np.eye(2) - np.outer(np.ones(2), p[:2])) + p[:2, None] * p[2]
    return {
        "mu": stats.norm.logpdf(mu, [1, 2, 3], 2).sum(),
        "s": stats.expon.logpdf(s, scale=0.5) + point["s_log__"],
        "u": -np.log(upper + 1) + np.log(upper + 1) + np.log(share) + np.log1p(-share),
        "be": stats.beta.logpdf(point["be"], 2, 3),
        "p": stats.dirichlet.logpdf(p, [1, 2, 3]) + np.linalg.slogdet(J)[1],
        "obs": stats.norm.logpdf(np.zeros((2, 3)), mu, s).sum(),
        "pot": -np.sum(mu**2),
    }


def test_names_are_pymcs(model):
    names = [v.name for v in model.value_vars]
    assert names == ["mu", "s_log__", "u_interval__", "be", "p_simplex__"]
    assert model.eval_rv_shapes()["p_simplex__"] == (2,)
    assert model.eval_rv_shapes()["p"] == (3,)


def test_terms(model):
    got = model.point_logps(POINT, round_vals=14)
    want = by_hand(POINT)
    assert list(got) == list(want)
    for name, value in want.items():
        assert float(got[name]) == pytest.approx(value, rel=1e-10), name


@pytest.mark.parametrize("backend", BACKENDS)
def test_logp_and_its_parts(model, backend):
    want = by_hand(POINT)
    assert model.compile_logp(backend=backend)(POINT) == pytest.approx(sum(want.values()))
    part = model.compile_logp(vars=[model["u"], model["pot"]], backend=backend)
    assert part(POINT) == pytest.approx(want["u"] + want["pot"])
    plain = model.compile_logp(vars=model["s"], jacobian=False, backend=backend)
    assert plain(POINT) == pytest.approx(want["s"] - POINT["s_log__"])
    each = model.compile_logp(sum=False, backend=backend)(POINT)
    assert [np.shape(x) for x in each] == [(3,), (), (), (), (), (2, 3), (3,)]
    assert sum(np.sum(x) for x in each) == pytest.approx(sum(want.values()))


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradient_is_that_of_logp(model, backend):
    logp = model.compile_logp(backend="reference")
    layout = logp.layout
    x = layout.pack(POINT)
    want = np.empty_like(x)
    for i in range(x.size):
        step = 1e-5 * np.eye(x.size)[i]
        up, down = logp(layout.unpack(x + step)), logp(layout.unpack(x - step))
        want[i] = (up - down) / 2e-5
    np.testing.assert_allclose(model.compile_dlogp(backend=backend)(POINT), want, atol=1e-7)
    some = model.compile_dlogp(vars=[model["mu"]], backend=backend)(POINT)
    np.testing.assert_allclose(some, want[:3], atol=1e-7)


def test_every_jacobian_makes_densities_integrate_to_one():
    # the density of each unconstrained value, exp(logp), must have mass 1: a missing or wrong
    # log-determinant shows here
    u = np.linspace(-40, 40, 40001)
    for make in (
        lambda: pm.HalfNormal("x", 2.0),
        lambda: pm.Gamma("x", 2.0, 0.5),
        lambda: pm.Beta("x", 2.0, 3.0),
        lambda: pm.Uniform("x", -3.0, 5.0),
        lambda: pm.LogNormal("x", 0.3, 0.7),
    ):
        with pm.Model() as model:
            make()
        logp = model.compile_logp(backend="reference")
        name = model.value_vars[0].name
        mass = np.trapezoid([np.exp(logp({name: float(v)})) for v in u[::40]], u[::40])
        assert mass == pytest.approx(1.0, abs=2e-3), name


def test_transform_none_samples_the_variable_itself():
    with pm.Model() as model:
        pm.HalfNormal("a", 1, transform=None)
        pm.HalfNormal("b", 1, default_transform=None)
    assert [v.name for v in model.value_vars] == ["a", "b"]
    logp = model.compile_logp(backend="reference")
    assert logp({"a": 0.5, "b": 0.5}) == pytest.approx(2 * stats.halfnorm.logpdf(0.5))
    assert logp({"a": -0.5, "b": 0.5}) == -np.inf


def test_an_observed_variable_used_downstream_is_its_data():
    with pm.Model() as model:
        a = pm.Normal("a")
        y = pm.Normal("y", a, 1, observed=2.0)
        pm.Normal("z", y, 1, observed=3.0)
    want = stats.norm.logpdf([0.5, 2.0, 3.0], [0.0, 0.5, 2.0]).sum()
    assert model.compile_logp(backend="reference")({"a": 0.5}) == pytest.approx(want)


def test_compile_fn_of_expressions(model):
    f = model.compile_fn([model["s"] * 2, model["mu"].sum()], backend="reference")
    twice, total = f(POINT)
    assert twice == pytest.approx(2 * np.exp(0.2)) and total == pytest.approx(0.6)
    g = model.compile_fn(model["s"] + 1, inputs=[model["s"]], point_fn=False, backend="reference")
    assert g(3.0) == 4.0
    with pytest.raises(ParameterError, match="not among `inputs`"):
        model.compile_fn(model["s"] + model["mu"], inputs=[model["s"]])
    assert pm.compile_fn(model["s"], model=model, backend="reference")(POINT) == np.exp(0.2)


def test_discrete_values_are_whole_numbers():
    with pm.Model() as model:
        k = pm.Poisson("k", 3)
        pm.Normal("y", k, 1, observed=1.0)
    assert [v.name for v in model.discrete_value_vars] == ["k"]
    for backend in BACKENDS:
        logp = model.compile_logp(backend=backend)
        want = stats.poisson.logpmf(2, 3) + stats.norm.logpdf(1, 2, 1)
        assert logp({"k": 2}) == pytest.approx(want)


def test_points_are_checked_by_name_and_shape(model):
    logp = model.compile_logp(backend="reference")
    with pytest.raises(ParameterError, match="'s_lgo__'.*Did you mean 's_log__'"):
        logp({**POINT, "s_lgo__": 1.0})
    with pytest.raises(ParameterError, match="no value for 'be'"):
        logp({name: value for name, value in POINT.items() if name != "be"})
    with pytest.raises(ShapeError, match="'mu' has shape \\(2,\\), expected \\(3,\\)"):
        logp({**POINT, "mu": np.zeros(2)})


def test_unknown_terms_and_keywords_are_refused(model):
    with pytest.raises(ModelError, match="'obss'.*Did you mean 'obs'"):
        model.compile_logp(vars=["obss"])
    with pytest.raises(NotYetSupported, match="mode="):
        model.compile_logp(mode="NUMBA")
    with pytest.raises(ParameterError, match="backend='jit'"):
        model.compile_logp(backend="jit")


def test_a_variable_of_no_model_is_named():
    with pm.Model() as model:
        pm.Normal("y", pm.HalfNormal.dist(1), 1, observed=1.0)
    with pytest.raises(ModelError, match="'y' depends on HalfNormal.*belongs to no model"):
        model.compile_logp()
