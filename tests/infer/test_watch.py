"""`sample(callback=...)`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import finetti as pm

SEED = 20260801
SMALL: dict[str, Any] = dict(
    draws=60, tune=40, chains=3, random_seed=SEED, progressbar=False, quiet=True,
    compute_convergence_checks=False,
)  # fmt: skip


def walk(discrete: bool = False) -> pm.Model:
    with pm.Model() as model:
        x = pm.HalfNormal("x", shape=2)
        pm.Deterministic("twice", 2.0 * x)
        if discrete:
            k = pm.Poisson("k", 3.0)
            pm.Normal("y", k, 1.0, observed=2.0)
    return model


@pytest.mark.parametrize("discrete", [False, True])
@pytest.mark.parametrize("cores", [1, 2])
def test_every_draw_is_told_in_order(discrete: bool, cores: int) -> None:
    model = walk(discrete)
    told: list[Any] = []
    trace = pm.sample(
        model=model, callback=lambda trace, draw: told.append((draw, len(trace))),
        discard_tuned_samples=False, cores=cores, **SMALL,
    )  # fmt: skip
    assert len(told) == 3 * 100
    for chain in range(3):
        mine = [(draw, length) for draw, length in told if draw.chain == chain]
        assert [draw.draw_idx for draw, _ in mine] == list(range(100))
        assert [length for _, length in mine] == list(range(1, 101))
        assert [draw.tuning for draw, _ in mine] == [True] * 40 + [False] * 60
        assert [draw.is_last for draw, _ in mine] == [False] * 99 + [True]
        points = np.stack([np.exp(draw.point["x_log__"]) for draw, _ in mine])
        kept = np.concatenate([trace.warmup_posterior["x"][chain], trace.posterior["x"][chain]])
        np.testing.assert_allclose(points, kept, rtol=1e-14)
        assert all(len(draw.stats) == 1 + discrete for draw, _ in mine)
        if discrete:
            assert [int(draw.point["k"]) for draw, _ in mine[40:]] == list(
                trace.posterior["k"][chain]
            )


def test_watching_changes_nothing() -> None:
    model = walk()
    one = pm.sample(model=model, **SMALL)
    two = pm.sample(model=model, callback=lambda trace, draw: None, **SMALL)
    np.testing.assert_array_equal(one.posterior["x"], two.posterior["x"])
    assert not hasattr(two, "warmup_posterior")


def test_the_trace_answers_like_one_of_its_chain() -> None:
    traces: dict[int, Any] = {}

    def keep(trace: Any, draw: Any) -> None:
        traces[draw.chain] = trace
        if draw.draw_idx == 50:
            assert trace["twice"].shape == (51, 2)
            np.testing.assert_allclose(trace[-1]["x"], np.exp(draw.point["x_log__"]))

    result = pm.sample(model=walk(), callback=keep, **SMALL)
    both = pm.MultiTrace(list(traces.values()))
    assert both.chains == [0, 1, 2] and len(both) == 100
    np.testing.assert_array_equal(
        both.get_values("x", burn=40, chains=[1]), result.posterior["x"].values[1]
    )


def test_keyboard_interrupt_ends_the_run() -> None:
    def stop(trace: Any, draw: Any) -> None:
        if len(trace) >= 70:
            raise KeyboardInterrupt

    result = pm.sample(model=walk(), callback=stop, **SMALL)
    assert result.posterior.sizes["draw"] in (29, 30)  # the other chains are one behind
    whole = pm.sample(model=walk(), **SMALL)
    chains = result.posterior.sizes["chain"]
    np.testing.assert_array_equal(
        result.posterior["x"].values[:chains, :29], whole.posterior["x"].values[:chains, :29]
    )


def test_other_errors_come_out() -> None:
    def fail(trace: Any, draw: Any) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        pm.sample(model=walk(), callback=fail, **SMALL)


def test_mistakes() -> None:
    with pytest.raises(pm.ParameterError, match="callback"):
        pm.sample(model=walk(), callback=3, **SMALL)
    with pm.Model() as leaf:
        pm.Poisson("k", 3.0)
    with pytest.raises(pm.NotYetSupported, match="drawn"):
        pm.sample(model=leaf, callback=lambda trace, draw: None, **SMALL)
    with pytest.raises(pm.ParameterError, match="at least one"):
        pm.MultiTrace([])
