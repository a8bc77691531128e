"""Helpers of the steps' tests: compiled conditionals, runs, and errors in units of their spread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from finetti import _core
from finetti.backends.native import compile_density, compile_map
from finetti.ir import ops
from finetti.ir.ops.leaf import new_input

CHAINS = 32
# |t| with 31 degrees of freedom exceeds 5.5 once in 200 000 times, and the tests make some 300
# comparisons: one false alarm in 600 changes of the random numbers.
LIMIT = 5.5


def gaussian(covariance: np.ndarray) -> Callable[[Any], Any]:
    """The log density of a centred normal as a graph."""
    precision = np.linalg.inv(covariance)
    return lambda x: -0.5 * ops.sum_(ops.as_tensor(precision) * x[:, None] * x[None, :])


class Target:
    """A graph over one input vector or several, compiled, with a data block for every chain.

    `gradient`: of a log density with respect to the first input; else the graph is a map.
    """

    def __init__(
        self, graph: Callable[..., Any], *sizes: int, chains: int = CHAINS, gradient: bool = False
    ):
        inputs = [new_input(f"x{i}", (size,)) for i, size in enumerate(sizes)]
        nodes = [x.node for x in inputs]
        out = ops.as_tensor(graph(*inputs)).node
        self.function = (
            compile_density(out, nodes, wrt=nodes[:1]) if gradient else compile_map([out], nodes)
        )
        self.blocks = [self.function.new_block() for _ in range(chains)]
        self.addresses = [block.address for block in self.blocks]

    def step(self, kind: str, index: Sequence[int], **fields: Any) -> Any:
        """A step on this target; `_core.<kind>Step` with its fields set."""
        step = getattr(_core, f"{kind}Step")(self.function.fn_address, self.addresses, list(index))
        for name, value in fields.items():
            setattr(step, name, value)
        return step


def python_step(call: Callable[..., Any], chains: int = CHAINS, **fields: Any) -> Any:
    step = _core.PythonStep(0, [0] * chains, fields.pop("index", []))
    step.call = call
    for name, value in fields.items():
        setattr(step, name, value)
    return step


def prepare(
    steps: Sequence[Any], initial: Any, targets: Sequence[Target] = (), *, draws: int = 1000,
    tune: int = 500, seed: int = 1, store_warmup: bool = False,
) -> Any:  # fmt: skip
    """A run that has not started."""
    initial = np.ascontiguousarray(initial, float)
    return _core.StepRun(list(steps), draws, tune, store_warmup, initial, seed, list(targets))


def sample(
    steps: Sequence[Any], initial: Any, *targets: Target, cores: int = 2, **rest: Any
) -> Any:
    """A run at its end, without errors."""
    run = prepare(steps, initial, targets, **rest)
    run.start(cores)
    assert run.join(120)
    assert not any(run.errors), run.errors
    return run


def deviations(values: np.ndarray, expected: Any) -> np.ndarray:
    """Values [chain, draw, ...]: their mean less the expected one, over its standard error.

    The error comes from the spread of the chains' means, which are independent.
    """
    means = values.mean(axis=1)
    error = means.std(axis=0, ddof=1) / np.sqrt(len(means))
    return np.asarray((means.mean(axis=0) - expected) / np.where(error > 0, error, 1e-300))


def assert_mean(values: np.ndarray, expected: Any) -> None:
    z = deviations(values, expected)
    assert (abs(z) < LIMIT).all(), (z, values.mean(axis=(0, 1)), expected)


def assert_normal(draws: np.ndarray, covariance: np.ndarray) -> None:
    """First and second moments of a centred normal."""
    assert_mean(draws, 0.0)
    assert_mean(draws[..., :, None] * draws[..., None, :], covariance)


def states(draws: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """One indicator per joint state: [chain, draw, prod(sizes)]."""
    whole = np.ravel_multi_index(tuple(np.moveaxis(draws.astype(int), -1, 0)), tuple(sizes))
    return np.asarray(whole[..., None] == np.arange(np.prod(sizes)), float)


def enumerate_states(logp: Callable[[np.ndarray], float], sizes: Sequence[int]) -> np.ndarray:
    """Probabilities of all joint states, by brute force."""
    values = np.array([logp(np.array(state, float)) for state in np.ndindex(*sizes)])
    weights = np.exp(values - values.max())
    return weights / weights.sum()
