"""Compiled functions over many points; the reference backend in a native function's place."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from finetti import _core
from finetti.backends import reference
from finetti.backends.native.callback import raise_users
from finetti.ir import Node
from finetti.passes.grad import gradient

Array = npt.NDArray[Any]


class ReferenceCompiled:
    """The reference backend behind the interface of a native function, one point at a time.

    Parameters
    ----------
    outputs, inputs : list of Node
        As for `native.compile_map`.
    density : bool
        Whether the first output is a log density, to be returned with its gradient.
    wrt : list of Node, optional
        The inputs whose gradient is wanted; default all.
    """

    def __init__(
        self,
        outputs: Sequence[Node],
        inputs: Sequence[Node],
        density: bool,
        wrt: Sequence[Node] | None = None,
    ):
        self._inputs = list(inputs)
        sizes = [node.type.size for node in inputs]
        edges = np.cumsum([0, *sizes]).tolist()
        self._slices = [slice(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]
        self._density = density
        self._outputs = list(outputs)
        if density:
            self._outputs += gradient(outputs[0], self._inputs if wrt is None else wrt)
        self.n = edges[-1]
        self.m = sum(node.type.size for node in outputs)
        self.ir = ""
        self.timings: dict[str, float] = {}
        self._callback = _CALLBACK(self._call)
        address = ctypes.cast(self._callback, ctypes.c_void_p).value
        assert address is not None
        self.fn_address: int = address

    def _evaluate(self, x: Array) -> list[Array]:
        values = {
            node: x[part].reshape(node.shape).astype(node.type.dtype)
            for node, part in zip(self._inputs, self._slices, strict=True)
        }
        return reference.evaluate(self._outputs, values)

    def __call__(self, x: Array) -> Any:
        results = self._evaluate(np.asarray(x, float))
        if self._density:
            flat = [part.ravel() for part in results[1:]]
            return float(results[0]), np.concatenate([*flat, np.empty(0)])
        return results

    def _call(self, n: int, x: Any, out: Any, lp: Any, data: Any) -> int:
        point = np.ctypeslib.as_array(x, (n,)).copy() if n else np.empty(0)
        result = self(point)
        if self._density:
            lp[0], flat = result
        else:
            flat = np.concatenate([*(np.asarray(r, float).ravel() for r in result), np.empty(0)])
        if flat.size:
            np.ctypeslib.as_array(out, flat.shape)[:] = flat
        return 0

    def new_block(self) -> Any:
        """Nothing: the reference backend needs no memory of its own."""
        return _NoBlock()


class _NoBlock:
    address = 0


_DOUBLES = ctypes.POINTER(ctypes.c_double)
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_size_t, _DOUBLES, _DOUBLES, _DOUBLES, ctypes.c_void_p
)


def map_rows(function: Any, x: Array) -> Array:
    """Apply a compiled map to every row: [rows, n] -> [rows, m]."""
    x = np.ascontiguousarray(x, float)
    if isinstance(function, ReferenceCompiled):
        flat = [
            np.concatenate([*(np.asarray(r, float).ravel() for r in function(row)), np.empty(0)])
            for row in x
        ]
        return np.stack(flat) if flat else np.empty((0, function.m))
    block = function.new_block()
    try:
        return np.asarray(_core.map_rows(function.fn_address, block.address, x, function.m))
    except RuntimeError as error:
        raise_users([str(error)])
        raise
