"""Loops over columns, written out by blocks of rows and by what adds them up."""

from __future__ import annotations

from collections.abc import Callable

from finetti.backends.native.builder import Builder, vector_type
from finetti.backends.native.layout import LANES

_VECTOR = vector_type(LANES)


def count(
    b: Builder, times: int, starts: list[str], body: Callable[[str, list[str]], list[str]]
) -> list[str]:
    """``for i in range(times): values = body(i, values)``, vectors carried; the last values."""
    before, head, after = b.block, b.fresh_label("columns"), b.fresh_label("done")
    b.branch(head)
    b.label(head)
    i = b.open_phi("i64", "0", before)
    values = [b.open_phi(_VECTOR, start, before) for start in starts]
    new = body(i, values)
    following, latch = b.iop("add nuw nsw", i, 1), b.block
    b.branch_if(b.icmp("ult", following, times), head, after)
    b.close_phi(i, following, latch)
    for value, result in zip(values, new, strict=True):
        b.close_phi(value, result, latch)
    b.label(after)
    return new


def fold_lanes(b: Builder, sums: str, target: str, size: int) -> None:
    """Sums kept in eight lanes each, into numbers."""

    def fold(column: str, _: list[str]) -> list[str]:
        value = b.load(b.element_pointer(sums, b.iop("mul", column, LANES)), LANES)
        b.store(b.reduce_fadd(value, LANES), b.element_pointer(target, column))
        return []

    count(b, size, [], fold)
