"""From a graph to a function that can be called, and the memory each caller needs."""

from __future__ import annotations

import ctypes
import gc
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from finetti._core import row_threads
from finetti.backends.native.callback import emit_blackbox, raise_users
from finetti.backends.native.emit import ENTRY, SPECIAL, Emitter
from finetti.backends.native.layout import aligned_bytes
from finetti.backends.native.link import Linked, compile_ir, host_target
from finetti.backends.native.lower import lower
from finetti.backends.native.parts import emit_parts
from finetti.backends.native.plan import Plan
from finetti.backends.native.scan import emit_scan
from finetti.errors import CompileError
from finetti.ir import FLOAT, Node
from finetti.passes import pipeline

SPECIAL.update(scan=emit_scan, parts=emit_parts, blackbox=emit_blackbox)

_SIGNATURE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_size_t, *[ctypes.c_void_p] * 4)


class Block:
    """What one thread passes as ``data``: shared constants and scratch memory of its own."""

    def __init__(self, constants: np.ndarray, scratch_size: int):
        self._constants = constants
        self._scratch = aligned_bytes(scratch_size)
        self._pointers = np.array([constants.ctypes.data, self._scratch.ctypes.data], np.uintp)
        self.address: int = self._pointers.ctypes.data


@dataclass(frozen=True)
class Compiled:
    """A compiled function ``int f(n, x, out, lp, data)``.

    Parameters
    ----------
    n : int
        Length of ``x``.
    m : int
        Length of ``out``.
    outputs : tuple of Node
        What ``out`` holds, one after another: a gradient, or the outputs of a map.
    is_density : bool
        Whether ``lp`` is written, and ``out`` is the gradient.
    ir : str
        The LLVM text.
    timings : dict of str to float
        Milliseconds of CPU by stage of the compilation.
    plan : Plan
        What is computed where.
    is_cut : bool
        Whether long loops are cut into chunks on which several threads may work.
    """

    n: int
    m: int
    outputs: tuple[Node, ...]
    is_density: bool
    ir: str = field(repr=False)
    timings: dict[str, float] = field(repr=False)
    plan: Plan = field(repr=False)
    _linked: Linked = field(repr=False)
    _constants: np.ndarray = field(repr=False)
    _scratch_size: int = field(repr=False)
    is_cut: bool = False

    @property
    def fn_address(self) -> int:
        """Where the machine code begins; valid as long as this object lives."""
        return self._linked.address

    def new_block(self) -> Block:
        """Memory for one caller; keep it alive while its address is in use."""
        return Block(self._constants, self._scratch_size)

    def __call__(self, x: Any) -> Any:
        """Evaluate once: (log density, gradient) or the list of outputs."""
        point = np.ascontiguousarray(x, float)
        if point.shape != (self.n,):
            raise ValueError(f"expected a point of shape ({self.n},), got {point.shape}")
        out, lp, block = np.zeros(self.m + 1), np.zeros(1), self.new_block()
        function = _SIGNATURE(self.fn_address)
        pointers = (point.ctypes.data, out.ctypes.data, lp.ctypes.data, block.address)
        before = row_threads(_available()) if self.is_cut else 0
        try:
            status = function(self.n, *pointers)
        finally:
            if self.is_cut:
                row_threads(before)
        if status:
            raise_users([f"error code {status}"])
            raise CompileError(f"a compiled function returned the error code {status}")
        return (float(lp[0]), out[: self.m]) if self.is_density else self.split(out[: self.m])

    def split(self, flat: np.ndarray) -> list[np.ndarray]:
        """Flat outputs, last axis of length `m`, as arrays in the outputs' shapes and dtypes."""
        arrays, start = [], 0
        for node in self.outputs:
            part = flat[..., start : start + node.type.size]
            part = part.reshape((*flat.shape[:-1], *node.shape))
            arrays.append(part if node.type.dtype == FLOAT else part.astype(node.type.dtype))
            start += node.type.size
        return arrays


def _available() -> int:
    """Cores of this process."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for cyclic garbage: graphs have none, and it takes a fifth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def compile_density(
    logp: Node,
    inputs: Sequence[Node],
    watch: pipeline.Watch | None = None,
    wrt: Sequence[Node] | None = None,
) -> Compiled:
    """Compile a log density and its gradient.

    Parameters
    ----------
    logp : Node
        A float scalar.
    inputs : sequence of Node
        Float input nodes, laid one after another in ``x``.
    watch : callable, optional
        Shown the graph after each pass.
    wrt : sequence of Node, optional
        The inputs whose gradient is wanted, in the order of ``out``; default all.
    """
    with _uncollected():
        clock = _Clock(watch)
        if wrt is None:
            inputs, (value, *grads) = pipeline.rolled(logp, inputs, clock.passed)
        else:
            value, *grads = pipeline.density(logp, wrt, clock.passed)
        return _compile(grads, inputs, clock, scalar=value)


def compile_map(outputs: Sequence[Node], inputs: Sequence[Node]) -> Compiled:
    """Compile a function from inputs to several outputs, each flattened, one after another."""
    with _uncollected():
        clock = _Clock()
        simplified = pipeline.outputs(outputs, clock.passed)
        return _compile(simplified, inputs, clock, shown=tuple(outputs))


def _compile(
    outputs: list[Node],
    inputs: Sequence[Node],
    clock: _Clock,
    *,
    scalar: Node | None = None,
    shown: tuple[Node, ...] = (),
) -> Compiled:
    roots = outputs if scalar is None else [*outputs, scalar]
    lowered = pipeline.done("lower", lower(roots), clock.passed)
    density = lowered[-1] if scalar is not None else None
    lowered = lowered[: len(outputs)]
    starts = np.cumsum([0, *(node.type.size for node in lowered)]).tolist()
    plan = Plan(list(zip(lowered, starts, strict=False)), density)
    clock.lap("plan")
    target = host_target()
    emitter = Emitter(plan, inputs, target.has_fma)
    ir = emitter.run()
    clock.lap("emit")
    constants = emitter.pack.block()
    clock.lap("pack")
    linked = compile_ir(ir, ENTRY, target=target)
    timings = {**clock.laps, **linked.milliseconds}
    return Compiled(
        sum(node.type.size for node in inputs), starts[-1], shown or tuple(outputs),
        scalar is not None, ir, timings, plan, linked, constants, emitter.scratch.size,
        emitter.is_cut,
    )  # fmt: skip


class _Clock:
    """Thread CPU time by stage."""

    def __init__(self, watch: pipeline.Watch | None = None) -> None:
        self.laps: dict[str, float] = {}
        self._watch = watch
        self._last = time.thread_time()

    def passed(self, name: str, outputs: list[Node]) -> None:
        """The end of a pass."""
        self.lap(name)
        if self._watch is not None:
            self._watch(name, outputs)
            self._last = time.thread_time()

    def lap(self, name: str) -> None:
        now = time.thread_time()
        self.laps[name] = self.laps.get(name, 0.0) + 1e3 * (now - self._last)
        self._last = now
