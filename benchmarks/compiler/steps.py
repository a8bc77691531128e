"""Models whose density goes through time step by step; ``pm`` is finetti or PyMC."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

STEPS = 500


def returns() -> np.ndarray:
    """What a price gains or loses each day, calm and wild days in clusters."""
    rng = np.random.default_rng(10)
    y, variance = np.zeros(STEPS), 1.0
    for t in range(STEPS):
        variance = 0.1 + 0.2 * y[t - 1] ** 2 * (t > 0) + 0.7 * variance
        y[t] = np.sqrt(variance) * rng.normal()
    return y


def visits(states: int) -> np.ndarray:
    """Noise about levels that a hidden chain visits."""
    rng = np.random.default_rng(11)
    state, y = 0, np.zeros(STEPS)
    for t in range(STEPS):
        state = state if rng.uniform() < 0.9 else int(rng.integers(states))
        y[t] = 2.0 * state + rng.normal()
    return y - y.mean()


def along(
    pm: ModuleType, rule: Callable[..., Any], start: Any, sequence: Any, fixed: Sequence[Any]
) -> Any:
    """``x[t] = rule(sequence[t], x[t - 1], *fixed)`` for all t."""
    if pm.__name__ != "finetti":
        import pytensor

        return pytensor.scan(
            rule, sequences=[pytensor.tensor.as_tensor(sequence)], outputs_info=[start],
            non_sequences=list(fixed), return_updates=False,
        )  # fmt: skip
    from finetti.ir import ops

    return ops.scan(lambda last, e: (rule(e, last, *fixed),) * 2, start, [sequence])[1]


def garch(pm: ModuleType) -> Any:
    """Volatility that follows yesterday's surprise and yesterday's volatility."""
    y = returns()
    before = np.concatenate([[0.0], y[:-1]])
    with pm.Model() as model:
        mean = pm.Normal("mean", 0, 1)
        log_base = pm.Normal("log_base", 0, 1)
        shape = pm.Normal("shape", 0, 1, shape=2)
        shares = pm.math.sigmoid(shape)

        def rule(e: Any, last: Any, mean: Any, base: Any, shares: Any) -> Any:
            return pm.math.sqrt(base + shares[0] * (e - mean) ** 2 + shares[1] * last**2)

        start = pm.math.exp(0.0 * log_base)
        sd = along(pm, rule, start, before, [mean, pm.math.exp(log_base), shares])
        pm.Normal("y", mean, sd, observed=y)
    return model


def hidden_markov(pm: ModuleType, states: int) -> Any:
    """A hidden chain summed out by the forward algorithm, in logarithms."""
    y = visits(states)
    with pm.Model() as model:
        level = pm.Normal("level", 0, 1, shape=states)
        logits = pm.Normal("logits", 0, 1, shape=(states, states))
        rates = logits - pm.math.logsumexp(logits, axis=1, keepdims=True)

        def rule(e: Any, last: Any, level: Any, rates: Any) -> Any:
            come = pm.math.logsumexp(last[:, None] + rates, axis=0, keepdims=True)[0]
            return come - 0.5 * (e - level) ** 2

        start = -0.5 * (y[0] - level) ** 2 - np.log(states)
        alpha = along(pm, rule, start, y[1:], [level, rates])
        total = pm.math.logsumexp(alpha[-1], axis=0, keepdims=True)[0]
        pm.Potential("y", total - 0.5 * np.log(2 * np.pi) * STEPS)
    return model
