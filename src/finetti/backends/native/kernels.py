"""Operations that one call of a C++ kernel computes: operation name -> symbol and arguments.

Every kernel has the signature ``void f(size_t sizes..., const double* arguments..., double* out,
double* work, int flags...)``, the work space and the flags only where it needs them. Arrays are
whole and contiguous; integers and booleans are held in doubles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from finetti.backends.native.builder import Builder
from finetti.ir import Node

Sizes = tuple[int, ...]


def _product(lengths: Sequence[int]) -> int:
    total = 1
    for length in lengths:
        total *= int(length)
    return total


@dataclass(frozen=True)
class Kernel:
    """How an operation is called.

    Parameters
    ----------
    symbol : str
        The kernel's name in `finetti._core.kernel_addresses()`.
    sizes : callable
        ``sizes(node) -> tuple of int``: the leading arguments.
    work : callable, optional
        ``work(node) -> int``: the doubles of work space it needs.
    flags : callable, optional
        ``flags(node) -> tuple of int``: the trailing arguments.
    """

    symbol: str
    sizes: Callable[[Node], Sizes]
    work: Callable[[Node], int] | None = None
    flags: Callable[[Node], Sizes] | None = None


def _line(shape: Sizes, axis: int) -> Sizes:
    """(outer, n, inner): the axes before, at and after an axis."""
    return _product(shape[:axis]), int(shape[axis]), _product(shape[axis + 1 :])


def _along(node: Node) -> Sizes:
    return _line(node.args[0].shape, node.attrs[0])


def _picked(node: Node) -> Sizes:
    """(outer, n, m, inner) of m positions in lines of n."""
    axis = node.attrs[0]
    positions = node.args[-1].shape
    length = node.attrs[1] if node.op.name == "add_along" else node.args[0].shape[axis]
    outer, count, inner = _line(positions, axis)
    return outer, int(length), count, inner


def _matrices(node: Node) -> Sizes:
    """(batch, n) of square matrices."""
    shape = node.args[0].shape
    return _product(shape[:-2]), int(shape[-1])


def _product_sizes(node: Node) -> Sizes:
    """(batch, n, k, m) of products of matrices."""
    n, k = node.args[0].shape[-2:]
    return _product(node.shape[:-2]), int(n), int(k), int(node.shape[-1])


def _squares(count: int, extra: int = 0) -> Callable[[Node], int]:
    """Work space of `count` matrices and `extra` vectors."""

    def work(node: Node) -> int:
        n = int(node.args[0].shape[-1])
        return count * n * n + extra * n

    return work


KERNELS: dict[str, Kernel] = {
    "add_along": Kernel("finetti_add_along", _picked),
    "argmax": Kernel("finetti_argmax", _along),
    "argsort": Kernel("finetti_argsort", _along, work=lambda node: 2 * _along(node)[1]),
    "cholesky": Kernel("finetti_cholesky_many", _matrices),
    "cholesky_adjoint": Kernel("finetti_cholesky_adjoint", _matrices),
    "cumargmax": Kernel("finetti_cumargmax", _along),
    "cumprod": Kernel("finetti_cumprod", _along),
    "cumsum": Kernel("finetti_cumsum", _along),
    "eigh": Kernel("finetti_eigh", _matrices, work=_squares(1, extra=1)),
    "expm": Kernel("finetti_expm", _matrices, work=_squares(6)),
    "matmul": Kernel("finetti_matmul_many", _product_sizes),
    "put_along": Kernel("finetti_put_along", _picked),
    "recurrence": Kernel("finetti_recurrence", _along),
    "slogdet": Kernel("finetti_slogdet", _matrices, work=_squares(1)),
    "solve": Kernel(
        "finetti_solve", lambda node: (*_matrices(node), int(node.shape[-1])), work=_squares(1)
    ),
    "solve_triangular": Kernel(
        "finetti_solve_triangular_many",
        lambda node: (*_matrices(node), int(node.shape[-1])),
        flags=lambda node: tuple(map(int, node.attrs)),
    ),
    "take_along": Kernel("finetti_take_along", _picked),
}


def work_size(node: Node) -> int:
    """Doubles of work space that the kernel of `node` needs."""
    work = KERNELS[node.op.name].work
    return 0 if work is None else max(1, work(node))


def call_kernel(
    b: Builder, node: Node, arguments: Sequence[str], out: str, work: str | None
) -> None:
    """Emit the call.

    Parameters
    ----------
    b : Builder
    node : Node
        An operation in `KERNELS`.
    arguments : sequence of str
        Pointers to its whole arguments.
    out : str
        Pointer to where the result goes.
    work : str or None
        Pointer to `work_size(node)` doubles, when that is not zero.
    """
    kernel = KERNELS[node.op.name]
    sizes = [("i64", str(size)) for size in kernel.sizes(node)]
    pointers = [("ptr", pointer) for pointer in (*arguments, out)]
    if kernel.work is not None:
        if work is None:
            raise ValueError(f"the kernel of {node!r} needs work space")
        pointers.append(("ptr", work))
    flags = [("i32", str(flag)) for flag in (kernel.flags(node) if kernel.flags else ())]
    b.call_effect(kernel.symbol, sizes + pointers + flags)
