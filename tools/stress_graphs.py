"""Random graphs with every operation: values and gradients on reference, native code and JAX.

Usage: python tools/stress_graphs.py [--graphs 500] [--nodes 200] [--seed 0] [--without-jax]
                                     [--least 10] [--processes 1]

Prints each mismatch with its seed and the smallest graph that shows it, then how often each
operation was drawn and the time. JAX takes part where it is installed; operations that it lacks
are drawn for every fourth graph, which then two backends compute.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from multiprocessing import get_context

from _repo import ROOT

sys.path.insert(0, str(ROOT))
# XLA compiles twice as fast without its optimiser; has to be said before JAX is loaded.
_QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
os.environ.setdefault("XLA_FLAGS", _QUICK)
os.environ.setdefault("FINETTI_CACHE", "0")

from tests.backends.agreement import (  # noqa: E402, after the path is set
    Backend,
    Expected,
    by_jax,
    expected,
    native,
    smallest,
    values_of,
)
from tests.backends.random_steps import THREE_BACKENDS, TWO_BACKENDS, stress_graph  # noqa: E402

from finetti.ir import OPS, Node, topological  # noqa: E402
from finetti.ir.body import bodies  # noqa: E402
from finetti.ir.show import show  # noqa: E402
from finetti.passes.grad import gradient  # noqa: E402

BACKENDS: dict[str, Backend] = {"native": native, "jax": by_jax}
# Black boxes hold Python functions and have tests of their own; the others are made by passes.
NOT_DRAWN = {"blackbox"} | {n for n, op in OPS.items() if "made after" in op.notes.get("vjp", "")}
BATCH = 50


@dataclass
class Outcome:
    """What came of one graph."""

    seed: int
    nodes: int = 0
    operations: set[str] = field(default_factory=set)
    lost: bool = False
    seconds: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)


def operations(outputs: Sequence[Node]) -> set[str]:
    """The operations of a graph and of the loops in it."""
    found: set[str] = set()
    stack = list(outputs)
    while stack:
        nodes = topological([stack.pop()])
        found.update(node.op.name for node in nodes)
        stack += [out for node in nodes for body in bodies(node) for out in body.outputs]
    return found


def attempt(seed: int, nodes: int, jax: bool) -> Outcome:
    """Draw a graph and compare the backends on it."""
    outcome = Outcome(seed)
    try:
        compare(outcome, nodes, jax)
    except Exception:  # a long run goes on
        outcome.complaints.append(f"seed {seed}: {traceback.format_exc()}")
    return outcome


def compare(outcome: Outcome, nodes: int, jax: bool) -> None:
    """The work of `attempt`."""
    seed = outcome.seed
    everywhere = jax and seed % 4 != 3
    clock = time.perf_counter()
    total, tensors, point = stress_graph(
        seed, nodes, THREE_BACKENDS if everywhere else TWO_BACKENDS
    )
    inputs, values = [t.node for t in tensors], values_of(tensors, point)
    graph = [total.node, *gradient(total.node, inputs)]
    outcome.nodes, outcome.operations = len(topological([total.node])), operations(graph)
    want = expected(total.node, inputs, values)
    outcome.lost = want.lost
    outcome.seconds["reference"] = time.perf_counter() - clock
    for name in ("native", "jax") if everywhere else ("native",):
        clock = time.perf_counter()
        complaint = disagreement(name, want, total.node, inputs, values)
        outcome.seconds[name] = time.perf_counter() - clock
        if complaint is not None and not want.lost:
            outcome.complaints.append(explained(name, seed, complaint, total.node, inputs, values))


def batch(seeds: Sequence[int], run: Callable[[int], Outcome]) -> list[Outcome]:
    """Run seeds in a process of their own: one that crashes is a finding, not the end."""
    outcomes: list[Outcome] = []
    while len(outcomes) < len(seeds):
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            for seed in seeds[len(outcomes) :]:
                try:
                    outcomes.append(pool.submit(run, seed).result())
                except BrokenProcessPool:
                    outcomes.append(Outcome(seed, complaints=[f"seed {seed}: the process died"]))
                    break
    return outcomes


def disagreement(name: str, want: Expected, *graph: object) -> str | None:
    """How a backend differs from the reference, if it does."""
    try:
        got = BACKENDS[name](*graph)
    except Exception as error:  # whatever a backend dies of is a finding
        return f"{type(error).__name__}: {error}"
    return want.complaint(got)


def explained(name: str, seed: int, complaint: str, *graph: object) -> str:
    """A mismatch with the smallest graph that has one."""

    def fails(*part: object) -> bool:
        want = expected(*part)
        return not want.lost and disagreement(name, want, *part) is not None

    total, inputs, values = smallest(*graph, fails)
    lines = [f"seed {seed}, {name}: {complaint}", show([total])]
    if sum(v.size for v in values.values()) <= 60:
        lines += [f"{node}: {value.tolist()}" for node, value in values.items()]
    want = expected(total, inputs, values)
    lines.append(f"there: {disagreement(name, want, total, inputs, values)}")
    return "\n".join(lines)


def summary(outcomes: list[Outcome], jax: bool, least: int) -> tuple[list[str], bool]:
    """Lines of the report, and whether all is well."""
    drawn = Counter(name for outcome in outcomes for name in outcome.operations)
    wanted = [name for name, op in OPS.items() if op.samples and name not in NOT_DRAWN]
    rare = [f"{name} {drawn[name]}" for name in wanted if drawn[name] < least]
    seconds = sum((outcome.seconds for outcome in outcomes), Counter())
    sizes = sorted(outcome.nodes for outcome in outcomes)
    wrong = [outcome for outcome in outcomes if outcome.complaints]
    lost = [outcome.seed for outcome in outcomes if outcome.lost]
    with_jax = sum("jax" in outcome.seconds for outcome in outcomes)
    lines = [
        f"{len(outcomes)} graphs of {sizes[0]} to {sizes[-1]} nodes (median "
        f"{sizes[len(sizes) // 2]}), {with_jax} of them in JAX as well",
        f"mismatches: {len(wrong)} {[outcome.seed for outcome in wrong] or ''}",
        f"left out because rounding decides their values: {len(lost)} {lost or ''}",
        "seconds: " + ", ".join(f"{name} {value:.0f}" for name, value in seconds.items()),
        f"{len(wanted)} operations, each in at least {min(drawn[n] for n in wanted)} graphs; "
        + ", ".join(f"{name} {drawn[name]}" for name in sorted(wanted, key=lambda n: drawn[n])),
    ]
    if rare:
        lines.append(f"in fewer than {least} graphs: {', '.join(rare)}")
    return lines, not wrong and not rare


def main(arguments: Sequence[str]) -> int:
    """Run the graphs; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graphs", type=int, default=500)
    parser.add_argument("--nodes", type=int, default=200, help="at most so many in a graph")
    parser.add_argument("--seed", type=int, default=0, help="of the first graph")
    parser.add_argument("--without-jax", action="store_true")
    parser.add_argument("--least", type=int, default=None, help="draws that each operation needs")
    parser.add_argument("--processes", type=int, default=1, help="at a time")
    options = parser.parse_args(arguments)
    jax = not options.without_jax and find_spec("jax") is not None
    least = options.graphs // 50 if options.least is None else options.least
    run = partial(attempt, nodes=options.nodes, jax=jax)
    seeds = range(options.seed, options.seed + options.graphs)
    # JAX never forgets what it compiled: a new process after some graphs.
    batches = [seeds[start : start + BATCH] for start in range(0, len(seeds), BATCH)]
    outcomes = []
    with ThreadPoolExecutor(options.processes) as pool:
        for found in pool.map(partial(batch, run=run), batches):
            outcomes += found
            for complaint in (text for outcome in found for text in outcome.complaints):
                print(complaint, end="\n\n", flush=True)
    lines, well = summary(outcomes, jax, least)
    print("\n".join(lines))
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
