"""Calls of scalar functions from vector code, lane by lane."""

from __future__ import annotations

from collections.abc import Sequence

from finetti.backends.native.builder import Builder, Operand, vector_type


def elementwise_call(b: Builder, symbol: str, operands: Sequence[Operand], lanes: int) -> str:
    """Call a scalar function of doubles for each lane, by one helper function per module."""
    if lanes == 1:
        return b.call(symbol, operands)
    return b.call(_helper(b, symbol, len(operands), lanes, rare=False), operands, lanes)


def slow_lanes(
    b: Builder, slow: str, y: str, symbol: str, operands: Sequence[str], lanes: int
) -> str:
    """y, with the lanes where `slow` holds replaced by calls of a scalar function.

    Splits the block: the calls sit behind a branch that is rarely taken.
    """
    before, calls, after = b.block, b.fresh_label("slow"), b.fresh_label("fast")
    b.branch_if(b.any_lane(slow, lanes), calls, after)
    b.label(calls)
    if lanes == 1:
        other = b.call(symbol, operands)
    else:
        other = b.call(_helper(b, symbol, len(operands), lanes, rare=True), operands, lanes)
        other = b.select(slow, other, y, lanes)
    b.branch(after)
    b.label(after)
    return b.phi(vector_type(lanes), (y, before), (other, calls))


def _helper(b: Builder, symbol: str, count: int, lanes: int, *, rare: bool) -> str:
    """The name of a module function that calls `symbol` in a loop over the lanes."""
    name = f"{'rare' if rare else 'each'}_{symbol}_{lanes}"
    if name in b.functions:
        return name
    kind, body = vector_type(lanes), b.child()
    cells = [body.emit(f"alloca {kind}") for _ in range(count)]
    for i, cell in enumerate(cells):
        body.store(f"%x{i}", cell, lanes, align=8)
    body.branch("each")
    body.label("each")
    lane = body.open_phi("i64", "0", "entry")
    places = [body.element_pointer(cell, lane) for cell in cells]
    body.store(body.call(symbol, [body.load(place) for place in places]), places[0])
    following = body.iop("add", lane, 1)
    body.close_phi(lane, following, "each")
    body.branch_if(body.icmp("ult", following, lanes), "each", "done")
    body.label("done")
    body.ret(f"{kind} {body.load(cells[0], lanes)}")
    arguments = ", ".join(f"{kind} %x{i}" for i in range(count))
    attributes = "noinline nounwind willreturn memory(none)" + (" cold" if rare else "")
    b.define(name, f"define internal {kind} @{name}({arguments}) {attributes}", body)
    return name
