"""What operations cost, in additions: for decisions of the plan, not for accounts."""

from __future__ import annotations

from finetti.ir import Node

# Operations that cost as much as about twenty additions.
_HEAVY = {"exp", "log", "log1p", "log1p_unit", "log_few", "expm1", "reciprocal", "divide", "sqrt",
          "power", "sin", "cos", "tan", "tanh", "erf", "erfc", "erfcx", "log_ndtr", "mills_inverse",
          "logaddexp", "log1mexp", "arcsinh", "arccosh", "arctanh", "arctan2", "sinh",
          "cosh"}  # fmt: skip
_VERY_HEAVY = {"gammaln", "digamma", "polygamma", "erfinv", "ndtri", "gamma", "i0e", "i1e", "ive",
               "gammainc", "gammaincc", "gammainc_d", "gammaincinv", "betainc", "betainc_d",
               "betaincinv"}  # fmt: skip


def own_cost(node: Node) -> int:
    """What one element of an operation takes, in additions."""
    return 60 if node.op.name in _VERY_HEAVY else 20 if node.op.name in _HEAVY else 1
