"""Calls of Python from compiled code, and how their exceptions come out again.

The code calls an address in its constants, ``int f(const double** arguments, double* out)``, which
takes the interpreter's lock. A call that fails returns a number of its own; the compiled
function returns it as its status, after which nothing it computed counts. Whoever gets a status
that is not 0 asks here for the exception behind it.
"""

from __future__ import annotations

import ctypes
import itertools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from finetti.backends.native.emit import Emitter
from finetti.ir import Node, TensorType
from finetti.ir.ops.blackbox import BlackBox

_CALL = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_double)
)
_FIRST = 1000  # statuses below are others'
_KEPT = 64
_codes = itertools.count(_FIRST)
_failures: dict[int, BaseException] = {}


def failure(status: int) -> BaseException | None:
    """The exception behind the status of a compiled function."""
    return _failures.pop(status, None)


def raise_users(messages: Sequence[str]) -> None:
    """Raise the exception of a Python function behind messages that name a status."""
    for text in messages:
        for code in re.findall(r"error code (\d+)", text):
            found = failure(int(code))
            if found is not None:
                raise found


def address(box: BlackBox, types: Sequence[TensorType], shapes: Sequence[Any]) -> int:
    """Where compiled code calls a black box with arguments of these types."""
    key = (tuple(types), tuple(shapes))
    if key not in box.native:
        sizes = [kind.size for kind in types]
        total = sum(TensorType("float64", tuple(map(int, shape))).size for shape in shapes)

        def call(arguments: Any, out: Any) -> int:
            try:
                arrays = [
                    _array(arguments[i], size).astype(kind.dtype).reshape(kind.shape)
                    for i, (size, kind) in enumerate(zip(sizes, types, strict=True))
                ]
                result = box.run(arrays, shapes)
                if total:
                    np.ctypeslib.as_array(out, (total,))[:] = result
                return 0
            except BaseException as error:  # it is raised where the status arrives
                error.add_note(f"in the black-box function {box.name!r}, called by compiled code")
                code = next(_codes)
                _failures[code] = error
                for old in list(_failures)[:-_KEPT]:
                    _failures.pop(old, None)
                return code

        box.native[key] = _CALL(call)
    found = ctypes.cast(box.native[key], ctypes.c_void_p).value
    assert found is not None
    return found


def _array(pointer: int, size: int) -> np.ndarray:
    if not size:
        return np.zeros(0)
    return np.ctypeslib.as_array(ctypes.cast(pointer, ctypes.POINTER(ctypes.c_double)), (size,))


def emit_blackbox(e: Emitter, node: Node) -> None:
    """Emit the call, unless an earlier one has failed."""
    b, (box, shapes) = e.b, node.attrs
    types = [arg.type for arg in node.args]
    where = np.array([address(box, types, shapes)], np.uintp)
    function = e.constant(("callback", id(box), tuple(types), shapes), where)
    if not e.status:
        e.status.append(e.scratch.take(1))
    status = b.byte_pointer("%scratch", e.status[0])
    pointers = [e.whole(arg) for arg in node.args]
    result = e.pointer(node)
    arguments = b.byte_pointer("%scratch", e.scratch.take(len(pointers)))
    for i, pointer in enumerate(pointers):
        b.effect(f"store ptr {pointer}, ptr {b.byte_pointer(arguments, 8 * i)}, align 8")
    call, after = b.fresh_label("call"), b.fresh_label("called")
    before = b.load(status, element="i32")
    b.branch_if(b.icmp("eq", before, 0, element="i32"), call, after)
    b.label(call)
    target = b.emit(f"load ptr, ptr {b.byte_pointer('%constants', function)}, align 8")
    code = b.emit(f"call i32 {target}(ptr {arguments}, ptr {result})")
    b.store(code, status, element="i32")
    b.branch(after)
    b.label(after)


__all__ = ["address", "emit_blackbox", "failure", "raise_users"]
