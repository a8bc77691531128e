"""Variables that nothing depends on: drawn exactly, given the draws of the others.

Random numbers are addressed by the variable and the chunk of draws, so that chunks can be drawn on
any number of threads, in any order, with the same bits.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from finetti.ir import Node, rebuild, topological
from finetti.model.compile import Array, compile_named
from finetti.model.forward import CHUNK, Rows, compute, draw_rows
from finetti.model.logdensity import Density
from finetti.model.variables import is_rv

PHASES = {"posterior": 1, "warmup": 2}  # 0 would be the stream of other forward draws


@dataclass(frozen=True)
class Forward:
    """What is computed forward from the draws of the walked variables.

    Parameters
    ----------
    core : Density
        Of the walked variables.
    leaves : list of str
        Variables to draw, parents first.
    formulas : list of str
        Deterministics that depend on them.
    nodes : dict
        Name of a variable or a formula -> its node over the free variables.
    parents : list of str
        Walked variables that any of these depend on.
    """

    core: Density
    leaves: list[str]
    formulas: list[str]
    nodes: dict[str, Node]
    parents: list[str]


def plan_forward(core: Density, leaves: Sequence[str], names: Sequence[str]) -> Forward:
    """What has to be computed forward to return some variables and deterministics.

    Parameters
    ----------
    core : Density
        Of the walked variables.
    leaves : sequence of str
        Variables that are not walked.
    names : sequence of str
        What is returned.
    """
    frozen = core.frozen
    replaced: dict[Node, Node] = {}
    for rv in frozen.observed:  # an observed variable is its data
        (replaced[rv.node],) = rebuild([rv.data], replaced)
    known = [rv.name for rv in frozen.free]
    formulas = [name for name in names if name in frozen.deterministics]
    roots = [rv.node for rv in frozen.free] + [frozen.named[name] for name in formulas]
    nodes = dict(zip([*known, *formulas], rebuild(roots, replaced), strict=True))
    label = {nodes[name]: name for name in known}
    drawn = {nodes[name] for name in leaves}
    forward = [n for n in formulas if not drawn.isdisjoint(topological([nodes[n]]))]
    wanted = {name for name in leaves if name in names}
    reached = topological([nodes[name] for name in [*wanted, *forward]])
    above = [label[node] for node in reached if is_rv(node)]
    return Forward(
        core,
        [name for name in above if name in leaves],
        forward,
        nodes,
        [name for name in above if name not in leaves],
    )


def run_forward(
    plan: Forward,
    x: Array,
    seed: int,
    *,
    known: Mapping[str, Array],
    phase: str = "posterior",
    cores: int = 1,
    backend: str | None = None,
) -> dict[str, Array]:
    """Values of leaves and of the formulas that depend on them.

    Parameters
    ----------
    plan : Forward
        What to compute.
    x : ndarray
        [count, n]: unconstrained values of the walked variables.
    seed : int
        Of all streams.
    known : mapping
        Name -> [count, *shape] of walked variables that are computed already.
    phase : str
        "posterior" or "warmup": which streams.
    cores : int
        Threads.
    backend : str, optional
        "native" (default) or "reference".
    """
    if not plan.leaves and not plan.formulas:
        return {}
    missing = [name for name in plan.parents if name not in known]
    rows = dict(known)
    if missing:
        rows |= compile_named(plan.core, missing, backend).rows(x)
    values = {plan.nodes[name]: rows[name] for name in plan.parents}
    count = len(x)
    for level in _levels(plan):
        _draw_level(plan, level, values, count, (seed, PHASES[phase]), cores, backend)
    results = {name: values[plan.nodes[name]] for name in plan.leaves}
    outputs = compute([plan.nodes[name] for name in plan.formulas], count, values, backend)
    return results | dict(zip(plan.formulas, outputs, strict=True))


def _levels(plan: Forward) -> list[list[str]]:
    """Leaves in groups, each with parameters that the groups before give."""
    depth: dict[str, int] = {}
    label = {plan.nodes[name]: name for name in plan.leaves}
    for name in plan.leaves:
        above = [label[n] for n in topological(plan.nodes[name].args) if n in label]
        depth[name] = 1 + max((depth[parent] for parent in above), default=-1)
    groups: list[list[str]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for name, level in depth.items():
        groups[level].append(name)
    return groups


def _draw_level(
    plan: Forward,
    names: Sequence[str],
    values: dict[Node, Array],
    count: int,
    address: tuple[int, int],
    cores: int,
    backend: str | None,
) -> None:
    """Draw variables whose parameters are known, chunk by chunk, into `values`."""
    nodes = [plan.nodes[name] for name in names]
    rows = Rows(list(dict.fromkeys(arg for node in nodes for arg in node.args)), values, backend)
    results = {node: np.empty((count, *map(int, node.shape)), node.type.dtype) for node in nodes}
    widest = sum(node.type.size for node in [*nodes, *rows.moving])
    step = max(1, CHUNK // max(1, widest))

    def draw(chunk: int) -> None:
        start, stop = chunk * step, min((chunk + 1) * step, count)
        params = rows(start, stop)
        for name, node in zip(names, nodes, strict=True):
            rng = _chunk_stream(*address, name, chunk)
            results[node][start:stop] = draw_rows(node, stop - start, params, rng)

    chunks = range(-(-count // step))
    if cores < 2 or len(chunks) < 2:
        for chunk in chunks:
            draw(chunk)
    else:
        with ThreadPoolExecutor(cores) as pool:
            list(pool.map(draw, chunks))
    values.update(results)


def _chunk_stream(seed: int, phase: int, name: str, chunk: int) -> np.random.Generator:
    counter = [0, 0, phase, chunk]  # the first two words count the numbers of one stream
    return np.random.Generator(
        np.random.Philox(key=[seed, zlib.crc32(name.encode())], counter=counter)
    )
