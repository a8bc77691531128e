"""The way from a log density as written to value and gradient, pass by pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from finetti.ir import Node, verify
from finetti.passes.grad import gradient
from finetti.passes.parts import roll
from finetti.passes.simplify import simplify
from finetti.passes.simplify.scatters import collect

# Told the name of each pass and the graph it leaves; nobody listens unless somebody wants to see.
Watch = Callable[[str, list[Node]], None]


def done(name: str, outputs: list[Node], watch: Watch | None) -> list[Node]:
    """End a pass: verify its graph where that is switched on, and show it to who watches."""
    if verify.ENABLED:
        verify.verify(outputs, name)
    if watch is not None:
        watch(name, outputs)
    return outputs


def density(logp: Node, wrt: Sequence[Node], watch: Watch | None = None) -> list[Node]:
    """A log density and its gradient, simplified.

    Parameters
    ----------
    logp : Node
        A float scalar.
    wrt : sequence of Node
        What to differentiate by.
    watch : callable, optional
        Called with the name and the outputs of each pass.

    Returns
    -------
    list of Node
        The log density, then one gradient per entry of `wrt`.
    """
    (value,) = done("simplify", simplify([logp]), watch)
    outputs = done("gradient", [value, *gradient(value, wrt)], watch)
    return done("simplify gradient", collect(simplify(outputs)), watch)


def rolled(
    logp: Node, inputs: Sequence[Node], watch: Watch | None = None
) -> tuple[list[Node], list[Node]]:
    """A log density and its gradient by all inputs, with alike terms in loops.

    Returns
    -------
    inputs : list of Node
        The values that make up ``x``: those given, or whole rows of them.
    outputs : list of Node
        The log density, then one gradient per input.
    """
    found = roll(logp, inputs)
    if found is None:
        return list(inputs), density(logp, inputs, watch)
    done("loops over alike terms, with gradient", found.outputs, watch)
    return found.inputs, done("simplify gradient", collect(simplify(found.outputs)), watch)


def outputs(roots: Sequence[Node], watch: Watch | None = None) -> list[Node]:
    """Any other graph, simplified."""
    return done("simplify", simplify(roots), watch)
