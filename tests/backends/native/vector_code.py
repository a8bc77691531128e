"""Functions of `MATH` compiled into loops over arrays, for any number of lanes."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

import numpy as np

from finetti.backends.native.builder import Builder
from finetti.backends.native.link import Target, compile_ir
from finetti.backends.native.mathlib import MATH

Emit = Callable[..., str]


def loop_text(emit: Emit, lanes: int, count: int = 1, *, has_fma: bool = True) -> str:
    """``void f(ptr x0, ..., ptr y, i64 n)``: y = emit(x0, ...), n a multiple of lanes."""
    b = Builder(has_fma=has_fma)
    b.branch("loop")
    b.label("loop")
    i = b.open_phi("i64", "0", "entry")
    operands = [b.load(b.element_pointer(f"%x{k}", i), lanes) for k in range(count)]
    b.store(emit(b, *operands, lanes), b.element_pointer("%y", i), lanes)
    following = b.iop("add", i, lanes)
    b.close_phi(i, following, b.block)
    b.branch_if(b.icmp("ult", following, "%n"), "loop", "done")
    b.label("done")
    b.ret("void")
    inputs = "".join(f"ptr noalias %x{k}, " for k in range(count))
    return b.module(f"define void @f({inputs}ptr noalias %y, i64 %n) nounwind")


class VectorFunction:
    """A compiled loop, called with arrays of any length."""

    def __init__(self, emit: Emit, lanes: int, count: int, target: Target | None, has_fma: bool):
        self._lanes = lanes
        self.linked = compile_ir(loop_text(emit, lanes, count, has_fma=has_fma), "f", target=target)
        kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (count + 1), ctypes.c_int64)
        self._function = kind(self.linked.address)

    def __call__(self, *arrays: np.ndarray) -> np.ndarray:
        size = len(arrays[0])
        padded = -(-size // self._lanes) * self._lanes
        inputs = [np.concatenate([x, np.ones(padded - size)]) for x in arrays]
        out = np.empty(padded)
        self._function(*(x.ctypes.data for x in inputs), out.ctypes.data, padded)
        return out[:size]


@cache
def vectorised(
    name: str,
    lanes: int,
    count: int = 1,
    target: Target | None = None,
    has_fma: bool = True,
) -> VectorFunction:
    """The function `name` of `MATH` over arrays."""
    return VectorFunction(MATH[name], lanes, count, target, has_fma)


def same(got: np.ndarray, expected: np.ndarray, tol: float = 0.0) -> np.ndarray:
    """Equal within a relative tolerance; NaN equals NaN, and zeros must agree in sign."""
    with np.errstate(invalid="ignore"):
        near = np.abs(got - expected) <= tol * np.abs(expected)
    zeros = (got == 0) & (expected == 0) & (np.signbit(got) == np.signbit(expected))
    exact = (got == expected) & (expected != 0)
    return (near & (expected != 0)) | exact | zeros | (np.isnan(got) & np.isnan(expected))
