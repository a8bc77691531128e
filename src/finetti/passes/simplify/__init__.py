"""Simplification: each operation has a list of rules, tried in order when its node is rebuilt.

A rule takes the arguments and attributes and answers with a node that means the same, or None.
Canonical forms: differences and negatives are sums and products, quotients are products with
reciprocals, squares are products; in a product of an array and scalars the scalars are one factor,
outermost, from where it leaves sums, gathers and matrix products; what only stretches an operand
stretches the result instead, and a single element has no axes while it is computed with.

Rules keep -inf, inf and NaN where arithmetic gives them, with these exceptions: a constant zero
annuls whatever it multiplies; inputs are taken to be finite; what is positive before rounding (an
exponential, a sigmoid) counts as positive after; terms are regrouped, so that what overflows
half-way may differ.
"""

from finetti.passes.simplify import arithmetic, conditions, exponentials, movement, stable, sums
from finetti.passes.simplify.core import (
    RULES,
    add,
    as_dtype,
    build,
    mul,
    negate,
    number,
    rules,
    scalar_value,
    scale,
    split_scale,
    value,
)
from finetti.passes.simplify.loops import simplify

__all__ = ["RULES", "add", "arithmetic", "as_dtype", "build", "conditions", "exponentials", "loops",
           "movement", "mul", "negate", "number", "rules", "scalar_value", "scale", "simplify",
           "split_scale", "stable", "sums", "value"]  # fmt: skip
