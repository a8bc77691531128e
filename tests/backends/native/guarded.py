"""Calls of compiled functions with memory that answers for every byte beyond its end.

Run as a program: a read or write outside of a block ends it by a segmentation fault. Within the
blocks, what no array owns is filled with NaN and must be found unchanged.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Callable

import numpy as np
from finetti._core import row_threads
from tests.backends.random_graphs import random_graph, random_outputs

from finetti.backends.native import Compiled, compile_density, compile_map, row_chunks
from finetti.backends.native.compiled import ENTRY
from finetti.backends.native.layout import Pack, Scratch
from finetti.backends.reference import evaluate
from finetti.ir import Tensor, ops
from finetti.passes.grad import gradient

ENTRY_TYPE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_size_t, *[ctypes.c_void_p] * 4)
PAGE = mmap.PAGESIZE
ZONE = 256  # bytes between two arrays of scratch memory
FILL = 0xFF  # eight of them are a NaN, four are the position -1
_mprotect = ctypes.CDLL(None, use_errno=True).mprotect


class Guarded:
    """Bytes between two pages that must not be touched, next to one of them."""

    def __init__(self, size: int, at_end: bool):
        pages = -(-max(size, 1) // PAGE)
        self._map = mmap.mmap(-1, (pages + 2) * PAGE)
        whole = np.frombuffer(self._map, np.uint8)
        for start in (0, (pages + 1) * PAGE):
            if _mprotect(ctypes.c_void_p(whole.ctypes.data + start), PAGE, 0):
                raise OSError(ctypes.get_errno(), "mprotect")
        room = whole[PAGE : (pages + 1) * PAGE]
        room[:] = FILL
        self.bytes = room[pages * PAGE - size :] if at_end else room[:size]
        self._rest = room[: pages * PAGE - size] if at_end else room[size:]

    def intact(self) -> bool:
        """Whether the rest of the first and last page is as it was."""
        return bool((self._rest == FILL).all())


class Zones:
    """Records where scratch arrays lie, and keeps them apart."""

    def __init__(self) -> None:
        self.arrays: list[tuple[int, int]] = []
        self._take = Scratch.take
        zones = self

        def take(scratch: Scratch, doubles: int) -> int:
            if not scratch.size:
                zones.arrays = []
            scratch.size += ZONE
            offset = scratch.size
            scratch.size += -(-8 * doubles // 64) * 64 + ZONE
            zones.arrays.append((offset, offset + 8 * doubles))
            return offset

        Scratch.take = take  # type: ignore[method-assign]

    def intact(self, memory: np.ndarray) -> bool:
        """Whether nothing was written between the arrays."""
        outside = np.ones(len(memory), bool)
        for start, stop in self.arrays:
            outside[start:stop] = False
        return bool((memory[outside] == FILL).all())


def strict_block(pack: Pack) -> np.ndarray:
    """The constants with NaN between them."""
    buffer = np.full(pack.size, FILL, np.uint8)
    for offset, array in pack._arrays:
        room = buffer[offset : offset + array.nbytes].view(array.dtype)
        room.reshape(array.shape)[...] = array
    return buffer


def call(function: Compiled, point: np.ndarray, zones: Zones, at_end: bool) -> np.ndarray:
    """Outputs, the log density last, of a call that may touch nothing but its own memory."""
    constants = Guarded(function._constants.nbytes, at_end)
    constants.bytes[:] = function._constants
    sizes = (point.nbytes, 8 * function.m, 8, function._scratch_size)
    x, out, lp, scratch = (Guarded(size, at_end) for size in sizes)
    x.bytes[:] = point.view(np.uint8)
    data = np.array([constants.bytes.ctypes.data, scratch.bytes.ctypes.data], np.uintp)
    blocks = [part.bytes.ctypes.data for part in (x, out, lp)]
    for _ in range(2):  # what one call leaves behind must not reach the next
        status = ENTRY_TYPE(function.fn_address)(function.n, *blocks, data.ctypes.data)
        check(status == 0, "status")
    check(all(part.intact() for part in (x, out, lp, scratch, constants)), "written outside")
    check(zones.intact(scratch.bytes), "written between scratch arrays")
    check((constants.bytes == function._constants).all(), "constants changed")
    check((x.bytes == point.view(np.uint8)).all(), "point changed")
    return np.concatenate([part.bytes.copy().view(float) for part in (out, lp)])


def check(holds: bool, what: str) -> None:
    """Stop with a message when something does not hold."""
    if not holds:
        raise SystemExit(what)


def density(total: Tensor, inputs: list[Tensor], point: np.ndarray, zones: Zones) -> None:
    """Compare a density and its gradient with the reference, at both ends of a page."""
    nodes, values = [x.node for x in inputs], split(inputs, point)
    expected, *parts = evaluate([total.node, *gradient(total.node, nodes)], values)
    want = np.concatenate([*(part.ravel() for part in parts), [expected]])
    function = compile_density(total.node, nodes)
    for at_end in (True, False):
        got = call(function, point, zones, at_end)
        np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-9)


def outputs(results: list[Tensor], inputs: list[Tensor], point: np.ndarray, zones: Zones) -> None:
    """Compare the outputs of a map with the reference, at both ends of a page."""
    want = evaluate(results, split(inputs, point))
    function = compile_map([t.node for t in results], [x.node for x in inputs])
    for at_end in (True, False):
        got = function.split(call(function, point, zones, at_end)[:-1])
        for one, other in zip(got, want, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-9)


def split(inputs: list[Tensor], point: np.ndarray) -> dict:  # type: ignore[type-arg]
    """The value of each input in a flat point."""
    values, start = {}, 0
    for x in inputs:
        values[x.node] = point[start : start + x.node.type.size].reshape(x.node.shape)
        start += x.node.type.size
    return values


def lengths(zones: Zones) -> None:
    """Every short length and tail: plain, gathered at the edges, scattered, grouped, stored."""
    rng = np.random.default_rng(0)
    for n in [*range(1, 36), 63, 64, 65, 511, 512, 513]:
        x, s = ops.new_input("x", (n,)), ops.new_input("s", ())
        edges = np.resize([0, n - 1, -1, -n, n // 2], max(3 * n, 40))
        z = ops.exp(x * 0.1)
        total = ops.sum_(x[edges] * rng.normal(size=len(edges))) * s + ops.sum_(z * z)
        total = total + ops.sum_(ops.cumsum(ops.tanh(z))) * 0.01 + ops.max_(x + rng.normal(size=n))
        point = rng.normal(size=n + 1)
        density(total, [x, s], point, zones)
        parts = [z, x[::-1], x > 0.1234, z[edges] + s, s * 2.0, ops.stack([z, x]), ops.cumsum(x)]
        outputs(parts, [x, s], point, zones)


def matrices(zones: Zones) -> None:
    """Products with constant matrices: written out, blocked with a tail, in one loop or apart."""
    rng = np.random.default_rng(1)
    for n, k in [(9, 3), (33, 5), (32, 17), (33, 18), (65, 40), (100, 100), (31, 20), (20, 40)]:
        w, z = ops.new_input("w", (k,)), ops.new_input("z", (3,))
        eta = ops.matmul(ops.as_tensor(rng.normal(size=(n, k))), w[::-1])
        eta = eta + ops.matmul(ops.as_tensor(rng.normal(size=(n, 3))), z)
        total = ops.sum_(ops.tanh(eta)) + 0.1 * ops.max_(eta) + ops.sum_(w[: k // 2] ** 2)
        point = 0.3 * rng.normal(size=k + 3)
        density(total, [w, z], point, zones)
        outputs([eta, ops.exp(eta), eta > 0.1], [w, z], point, zones)


def main(seeds: range, cut: bool) -> None:
    """Check every length and some random graphs, with all loops cut that can be, or none."""
    if cut:
        row_chunks.LEAST_WORK = row_chunks.ROWS_A_SUM = 1
        row_threads(3)
    Pack.block = strict_block  # type: ignore[method-assign]
    zones = Zones()
    lengths(zones)
    matrices(zones)
    kinds: tuple[tuple[Callable, Callable], ...] = (  # type: ignore[type-arg]
        (random_graph, density), (random_outputs, outputs))  # fmt: skip
    for seed in seeds:
        for draw, compare in kinds:
            compare(*draw(seed), zones)
    print(f"{ENTRY}: nothing outside was touched")


if __name__ == "__main__":
    main(range(*map(int, sys.argv[1:3])), "cut" in sys.argv)
