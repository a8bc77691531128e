"""Statements and handlers: what NumPyro documents of them, and what its users rely on."""

from __future__ import annotations

import numpy as np
import pytest
from tests.optional import required

jax = required("jax", 'pip install "finetti[jax]"')

import finetti.numpyro.distributions as dist
import jax.numpy as jnp

import finetti.numpyro as numpyro
from finetti.dialects.numpyro import handlers
from finetti.dialects.numpyro.contrib.control_flow import cond, scan
from finetti.dialects.numpyro.infer.util import log_density
from finetti.dialects.numpyro.translate import translate
from finetti.errors import NotYetSupported, ParameterError
from finetti.model.compile import compile_density


def model(y=None):
    mu = numpyro.sample("mu", dist.Normal(0.0, 1.0))
    twice = numpyro.deterministic("twice", 2 * mu)
    with numpyro.plate("N", 3):
        return numpyro.sample("y", dist.Normal(twice, 1.0), obs=y)


def traced(fn, *args, seed=0, **kwargs):
    return handlers.trace(handlers.seed(fn, seed)).get_trace(*args, **kwargs)


def test_trace_records_every_statement():
    found = traced(model)
    assert list(found) == ["mu", "twice", "N", "y"]
    assert [m["type"] for m in found.values()] == ["sample", "deterministic", "plate", "sample"]
    assert found["y"]["cond_indep_stack"] == [("N", -1, 3)]
    assert found["y"]["value"].shape == (3,)
    assert not found["y"]["is_observed"]
    with pytest.raises(AssertionError, match="unique names but got `x` duplicated"):
        traced(lambda: [numpyro.sample("x", dist.Normal(0.0, 1.0)) for _ in range(2)])


@pytest.mark.parametrize("seed", [7, jax.random.key(7), jax.random.PRNGKey(7), jnp.array(7)])
def test_seed_is_the_same_in_every_form_and_every_call(seed):
    seeded = handlers.seed(model, seed)
    np.testing.assert_array_equal(seeded(), seeded())
    np.testing.assert_array_equal(seeded(), handlers.seed(model, 7)())


def test_only_what_is_drawn_takes_a_key():
    def with_data(full):
        if full:
            numpyro.sample("seen", dist.Normal(0.0, 1.0), obs=1.0)
        with numpyro.plate("N", 2):
            return numpyro.sample("x", dist.Normal(0.0, 1.0))

    one, two = (handlers.seed(with_data, 0)(full) for full in (True, False))
    np.testing.assert_array_equal(one, two)


def test_a_draw_needs_a_key():
    with handlers.trace(), pytest.raises(ParameterError, match="handlers.seed"):
        model()


def test_substitute_condition_and_do():
    fixed = traced(handlers.substitute(model, data={"mu": 3.0, "twice": 5.0}))
    assert fixed["mu"]["value"] == 3.0 and not fixed["mu"]["is_observed"]
    assert fixed["twice"]["value"] == 5.0
    held = traced(handlers.condition(model, data={"mu": 3.0}))
    assert held["mu"]["is_observed"] and held["twice"]["value"] == 6.0
    done = traced(handlers.do(model, data={"mu": 3.0}))
    assert done["twice"]["value"] == 6.0 and done["mu"]["value"] != 3.0
    assert "mu__CF" not in done

    def one(msg):
        return 1.0 if msg["name"] == "mu" else None

    assert traced(handlers.substitute(model, substitute_fn=one))["twice"]["value"] == 2.0
    with pytest.raises(ValueError, match="either data or a function"):
        handlers.condition(model)


def test_uncondition_draws_data():
    found = traced(handlers.uncondition(model), np.zeros(3))
    assert not found["y"]["is_observed"]
    np.testing.assert_array_equal(found["y"]["infer"]["obs"], np.zeros(3))
    assert np.abs(found["y"]["value"]).max() > 0


def test_replay_block_scope_and_infer_config():
    first = traced(model)
    again = traced(handlers.replay(model, trace=first), seed=1)
    np.testing.assert_array_equal(again["y"]["value"], first["y"]["value"])
    hidden = handlers.trace(handlers.block(handlers.seed(model, 0), hide=["mu"])).get_trace()
    assert "mu" not in hidden and "y" in hidden
    typed = handlers.trace(
        handlers.block(handlers.seed(model, 0), expose_types=["plate"])
    ).get_trace()
    assert list(typed) == ["N"]
    scoped = traced(handlers.scope(model, prefix="a"))
    assert list(scoped) == ["a/mu", "a/twice", "a/N", "a/y"]
    assert scoped["a/y"]["cond_indep_stack"][0].name == "a/N"
    set_ = traced(handlers.infer_config(model, config_fn=lambda m: {"note": m["name"]}))
    assert set_["mu"]["infer"] == {"note": "mu"}


def test_block_passes_keys_on():
    def inner():
        with handlers.block():
            return numpyro.sample("x", dist.Normal(0.0, 1.0))

    assert list(traced(inner)) == []


def test_mask_and_scale_change_densities():
    y = np.array([0.5, -1.0, 2.0])
    point = {"mu": jnp.array(0.3)}

    def with_handlers():
        mu = numpyro.sample("mu", dist.Normal(0.0, 1.0))
        with numpyro.plate("N", 3), handlers.mask(mask=np.array([True, False, True])):
            assert numpyro.get_mask() is not None
            with handlers.scale(scale=2.0):
                numpyro.sample("y", dist.Normal(mu, 1.0), obs=y)

    total, _ = log_density(with_handlers, (), {}, point)
    each = -0.5 * (y - 0.3) ** 2 - 0.5 * np.log(2 * np.pi)
    prior = -0.5 * 0.3**2 - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(total, prior + 2 * each[[0, 2]].sum(), rtol=1e-5)
    with pytest.raises(ValueError, match="bool"):
        handlers.mask(mask=1.0)
    with pytest.raises(ValueError, match="positive"):
        handlers.scale(scale=-1.0)


def test_lift_makes_parameters_random():
    def with_param():
        s = numpyro.param("s", 0.5)
        numpyro.sample("x", dist.Normal(0.0, s))

    assert traced(with_param)["s"]["value"] == 0.5
    found = traced(handlers.lift(with_param, prior={"s": dist.Exponential(1.0)}))
    assert found["s"]["type"] == "sample" and found["s"]["value"] != 0.5
    assert numpyro.param("outside", 2.0) == 2.0


def test_plates_give_shapes():
    def nested():
        with numpyro.plate("a", 4, dim=-2), numpyro.plate("b", 3):
            x = numpyro.sample("x", dist.Normal(0.0, 1.0))
        with numpyro.plate_stack("s", [2, 5]):
            z = numpyro.sample("z", dist.MultivariateNormal(jnp.zeros(3), jnp.eye(3)))
        r = numpyro.sample("r", dist.Normal(jnp.zeros(2), 1.0), sample_shape=(5,))
        with numpyro.plate("c", 3):
            q = numpyro.sample("q", dist.Normal(0.0, 1.0), sample_shape=(5, 3))
        return x.shape, z.shape, r.shape, q.shape

    assert handlers.seed(nested, 0)() == ((4, 3), (2, 5, 3), (5, 2), (5, 3))
    found = traced(nested)
    frames = {f.name: (f.dim, f.size) for f in found["z"]["cond_indep_stack"]}
    assert frames == {"s_0": (-1, 5), "s_1": (-2, 2)}


def test_plates_that_do_not_fit():
    def wrong():
        with numpyro.plate("rows", 3):
            numpyro.sample("x", dist.Normal(jnp.zeros(2), 1.0))

    with pytest.raises(ParameterError, match=r"'x'.*batch shape \(2,\).*rows \(dim -1, size 3\)"):
        traced(wrong)
    with pytest.raises(ValueError, match="must be negative"):
        numpyro.plate("p", 3, dim=1)

    def twice():
        with numpyro.plate("a", 3, dim=-1), numpyro.plate("b", 3, dim=-1):
            pass

    with pytest.raises(ParameterError, match="is the axis of plate 'a'"):
        twice()


def test_subsampling_scales():
    def part(data):
        with numpyro.plate("N", 10, subsample_size=4) as rows:
            batch = numpyro.subsample(data, event_dim=0)
            numpyro.sample("x", dist.Normal(0.0, 1.0), obs=batch)
        return rows

    found = traced(part, jnp.arange(10.0))
    assert found["x"]["scale"] == 2.5
    rows = found["N"]["value"]
    assert len(set(rows.tolist())) == 4
    np.testing.assert_array_equal(found["x"]["value"], rows)
    fixed = traced(handlers.substitute(part, data={"N": jnp.arange(4)}), jnp.arange(10.0))
    np.testing.assert_array_equal(fixed["x"]["value"], np.arange(4))


def masked_slopes():
    shape = dist.Gamma(2.0, 3.0).expand([3, 2]).to_event(1)
    weights = np.array([1.0, 2.0, 0.5])
    with numpyro.plate("p", 3), handlers.mask(mask=np.array([True, False, True])):
        with handlers.scale(scale=weights):
            numpyro.sample("s", shape)


def masked_by_both():
    with handlers.mask(mask=True), handlers.mask(mask=np.array([True, False, True])):
        with numpyro.plate("p", 3):
            made = dist.TransformedDistribution(
                dist.Normal(0.0, 1.0), dist.transforms.ExpTransform()
            )
            numpyro.sample("s", made)


def masked_itself():
    with numpyro.plate("p", 3):
        numpyro.sample("s", dist.HalfNormal(2.0).mask(np.array([True, False, True])))


@pytest.mark.parametrize(
    ("fn", "energy"),
    [  # NumPyro 0.22's potential energy at numbers from -1 to 1.3
        (masked_slopes, 6.178704815228141),
        (masked_by_both, 3.182877066409345),
        (
            masked_itself,
            3.0877612311891327,
        ),  # of a distribution's own mask the Jacobian knows nothing
    ],
)
def test_the_handler_masks_jacobians_too(fn, energy):
    translated = translate(fn, (), {})
    compiled = compile_density(translated.model)
    point = np.linspace(-1.0, 1.3, compiled.function.n)
    np.testing.assert_allclose(-compiled.function(point)[0], energy, rtol=1e-12)


def test_an_improper_prior_is_masked_with_its_jacobian():
    def fn():
        with numpyro.plate("p", 3), handlers.mask(mask=np.array([True, False, True])):
            numpyro.sample("s", dist.ImproperUniform(dist.constraints.positive, (), ()))

    logp, gradient = compile_density(translate(fn, (), {}).model).function(
        np.array([0.3, 2.0, 0.5])
    )
    np.testing.assert_allclose([logp, *gradient], [0.8, 1.0, 0.0, 1.0], rtol=1e-15)


def test_obs_mask_splits_a_site():
    def split():
        seen = np.array([True, False])
        return numpyro.sample("x", dist.Normal(0.0, 1.0), obs=np.array([5.0, 9.0]), obs_mask=seen)

    found = traced(split)
    assert list(found) == ["x_observed", "x_unobserved", "x"]
    assert found["x"]["value"][0] == 5.0 and found["x"]["value"][1] != 9.0


def test_mutable_factor_and_prng_key():
    def with_state():
        state = numpyro.mutable("state", {"n": 1})
        state["n"] += 1
        numpyro.factor("extra", jnp.array(-1.5))
        return numpyro.prng_key()

    found = traced(with_state)
    assert found["state"]["value"] == {"n": 2}
    assert found["extra"]["is_observed"] and found["extra"]["infer"] == {"is_auxiliary": True}
    assert float(found["extra"]["fn"].log_prob(found["extra"]["value"])) == -1.5


def test_under_jaxs_transformations():
    def total(mu):
        return log_density(model, (np.zeros(3),), {}, {"mu": mu})[0]

    value, slope = jax.jit(jax.value_and_grad(total))(0.5)
    np.testing.assert_allclose(slope, -0.5 - 12 * 0.5, rtol=1e-5)
    shapes = jax.eval_shape(lambda: traced(model)["y"]["value"])
    assert shapes.shape == (3,)


def test_errors_close_handlers():
    with pytest.raises(ZeroDivisionError), handlers.trace(), handlers.seed(rng_seed=0):
        1 / 0  # noqa: B018
    assert numpyro.primitives._PYRO_STACK == []


def test_outside_of_handlers():
    assert numpyro.sample("x", dist.Normal(0.0, 1.0), obs=3.0) == 3.0
    assert numpyro.sample("x", dist.Normal(0.0, 1.0), rng_key=jax.random.key(0)).shape == ()
    with pytest.raises(TypeError, match=r"numpyro\.distributions\.Distribution"):
        numpyro.sample("x", 3.0)
    with pytest.raises(ParameterError, match="tuple"):
        numpyro.sample("x", dist.Normal(0.0, 1.0), sample_shape=3)


def test_scan_stacks_sites():
    def walk(y=None):
        def step(x, now):
            x = numpyro.sample("x", dist.Normal(x, 1.0))
            numpyro.sample("y", dist.Normal(x, 1.0), obs=now)
            return x, 2 * x

        return scan(step, 0.0, y, length=4)

    found = traced(walk)
    assert found["x"]["value"].shape == found["y"]["value"].shape == (4,)
    fixed = {"x": jnp.arange(4.0)}
    (last, doubled), again = (
        handlers.seed(handlers.substitute(walk, data=fixed), 0)(np.zeros(4)),
        traced(handlers.substitute(walk, data=fixed), np.zeros(4)),
    )
    assert last == 3.0
    np.testing.assert_array_equal(doubled, 2 * np.arange(4.0))
    np.testing.assert_array_equal(again["x"]["value"], np.arange(4.0))
    total, _ = log_density(walk, (np.zeros(4),), {}, fixed)
    each = -0.5 * np.array([0.0, 1, 1, 1]) - 0.5 * np.arange(4.0) ** 2 - np.log(2 * np.pi)
    np.testing.assert_allclose(total, each.sum(), rtol=1e-6)

    def outside():
        with numpyro.plate("p", 2):
            walk()

    with pytest.raises(NotImplementedError, match="inside of the loop's body"):
        traced(outside)


def test_cond():
    assert cond(True, lambda x: x + 1, lambda x: x, 1.0) == 2.0

    def branch(loc):
        return lambda _: numpyro.sample("z", dist.Normal(loc, 1.0))

    for chosen in (True, False):
        found = traced(lambda chosen=chosen: cond(chosen, branch(100.0), branch(0.0), None))
        assert (found["z"]["value"] > 50) == chosen
        assert found["z"]["fn"].loc == (100.0 if chosen else 0.0)
        held = handlers.condition(lambda: cond(True, branch(1.0), branch(0.0), None), {"z": 3.0})
        assert traced(held)["z"]["is_observed"] and traced(held)["z"]["value"] == 3.0


@pytest.mark.parametrize(
    "ask",
    [
        lambda: numpyro.module("net", object()),
        lambda: numpyro.infer.SVI,
        lambda: numpyro.infer.SA(model),
        lambda: numpyro.infer.DiscreteHMCGibbs(model),
        lambda: numpyro.optim,
        lambda: numpyro.contrib.funsor,
    ],
)
def test_what_is_not_there_says_so(ask):
    with pytest.raises(NotYetSupported):
        ask()


def twice():
    numpyro.sample("x", dist.Normal())
    numpyro.sample("x", dist.Normal())


def of_no_size():
    with numpyro.plate("p", 0):
        numpyro.sample("x", dist.Normal())


def on_one_axis():
    with numpyro.plate("a", 3, dim=-1), numpyro.plate("b", 2, dim=-1):
        numpyro.sample("x", dist.Normal())


def of_a_number():
    numpyro.sample("x", dist.Normal(), sample_shape=3)


@pytest.mark.parametrize("fn", [twice, of_no_size, on_one_axis, of_a_number])
def test_what_numpyro_asserts_is_an_assertion_error(fn):
    with pytest.raises(AssertionError):
        traced(fn)
    with pytest.raises(ParameterError):
        translate(fn, (), {})
    with pytest.raises(AssertionError):
        translate(fn, (), {})
