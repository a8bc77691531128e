"""What becomes of a model on its way to machine code, as text a person can read."""

from __future__ import annotations

from typing import Any

from finetti.backends import native
from finetti.backends.native.plan import describe
from finetti.backends.native.work import work
from finetti.ir import Node, topological
from finetti.ir.show import show
from finetti.model.compile import build_density


def explain(model: Any, graphs: bool = True) -> str:
    """The graph after each pass, the fused loops, the work of one gradient, and the compile time.

    Parameters
    ----------
    model : Model
        It is compiled, not sampled.
    graphs : bool, default True
        Print every node after each pass; otherwise only how many there are.

    Returns
    -------
    str
        Sections under headings, in the order in which a model flows through.
    """
    density = build_density(model)
    sections: list[str] = []

    def watch(name: str, outputs: list[Node]) -> None:
        text = f"after {name}: {len(topological(outputs))} nodes"
        sections.append(f"{text}\n{show(outputs)}" if graphs else text)

    logp = density.logp().node
    watch("writing the model", [logp])
    compiled = native.compile_density(logp, density.inputs, watch)
    plan = compiled.plan
    total = sum(compiled.timings.values())
    stages = ", ".join(f"{name} {ms:.2f}" for name, ms in compiled.timings.items())
    sections.append(f"loops\n{describe(plan)}")
    sections.append(f"one gradient\n{work(plan)}")
    sections.append(f"compilation, ms of CPU: {total:.1f} in all\n{stages}")
    return "\n\n".join(sections)
