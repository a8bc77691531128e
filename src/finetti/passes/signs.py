"""What can be said of the sign of a node without its value."""

from __future__ import annotations

from functools import lru_cache

from finetti.ir import Node


def positive(node: Node) -> bool:
    """Whether every element is > 0 (or NaN)."""
    return _sign(node) == 2


def nonnegative(node: Node) -> bool:
    """Whether every element is >= 0 (or NaN)."""
    return _sign(node) >= 1


@lru_cache(maxsize=4096)
def _sign(node: Node) -> int:
    """2: positive, 1: nonnegative, 0: unknown. Underflow to zero counts as positive."""
    args = node.args
    match node.op.name:
        case "const":
            array = node.attrs[0].value
            return 2 if (array > 0).all() else 1 if (array >= 0).all() else 0
        case "exp" | "sigmoid" | "softplus":
            return 2
        case "multiply":
            if args[0] is args[1]:
                return 2 if _sign(args[0]) == 2 else 1
            return min(_sign(args[0]), _sign(args[1]))
        case "add":
            signs = [_sign(arg) for arg in args]
            return max(signs) if min(signs) >= 1 else 0
        case "maximum":
            return max(_sign(arg) for arg in args)
        case "minimum" | "concatenate":
            return min(_sign(arg) for arg in args)
        case "where":
            return min(_sign(arg) for arg in args[1:])
        case "reciprocal" | "sqrt" | "sum" | "prod" | "max" | "min" | "index" | "reshape":
            return _sign(args[0])
        case "transpose" | "broadcast_to":
            return _sign(args[0])
        case "absolute" | "square":
            return max(1, _sign(args[0]))
    return 0
