"""Write docs/operations.md: every operation and what its record fills in.

Usage: python tools/make_coverage.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from _repo import ROOT, relative, report
from finetti.ir import OPS, ops
from finetti.ir.opdef import OpDef

PAGE = ROOT / "docs" / "operations.md"
COLUMNS = ("numpy", "vjp", "native", "jax")
HEAD = """# Operations

Written by `python tools/make_coverage.py` from the records in `src/finetti/ir/ops`; a test holds it
to them. Every other function of tensors is made of these.

- **reference**: NumPy or SciPy gives the meaning, which every other column is tested against.
- **gradient**: a rule written in the graph, so that derivatives of derivatives come from it too.
- **native**: how the compiled function computes it. *loop* is element by element inside a fused
  loop, *movement* only changes where a loop reads, *kernel* is a call into the C++ core.
- **JAX**: the function that `to_jax` calls (`jnp` is `jax.numpy`); *ours* is written in
  `src/finetti/backends/jax.py`.
- **tolerance**: the relative difference from the reference that tests allow.

"""
KINDS = {"movement": "movement", "kernel": "kernel"}


def _cell(op: OpDef, column: str) -> str:
    """What a column of the table says about an operation."""
    value = getattr(op, column)
    if value is None:
        return "-"
    if column == "native":
        return KINDS.get(value, "loop" if op.family == "elementwise" else f"`{value}`")
    if column == "jax":
        return "*ours*" if value.startswith("finetti.") else f"`{_short(value)}`"
    return "yes"


def _short(path: str) -> str:
    return path.replace("jax.numpy.", "jnp.", 1)


def _reasons(op: OpDef) -> str:
    """Why columns are empty."""
    names = {"numpy": "reference", "vjp": "gradient", "native": "native", "jax": "JAX"}
    empty = [c for c in COLUMNS if getattr(op, c) is None]
    return "; ".join(f"{names[c]}: {op.notes.get(c, 'no reason given')}" for c in empty)


def _families() -> dict[str, list[OpDef]]:
    families: dict[str, list[OpDef]] = {}
    for op in OPS.values():
        families.setdefault(op.family, []).append(op)
    return families


def page() -> str:
    """The text of the page."""
    assert ops.add.name in OPS  # every record is there once `ops` is loaded
    lines = [HEAD + f"{len(OPS)} operations, of which {_count()}.\n"]
    for family, records in _families().items():
        lines.append(f"## {family.capitalize()}\n")
        lines.append("| operation | reference | gradient | native | JAX | tolerance | why not |")
        lines.append("|---|---|---|---|---|---|---|")
        for op in records:
            cells = [_cell(op, column) for column in COLUMNS]
            cells = [f"`{op.name}`", *cells, f"{op.tol:.0e}", _reasons(op)]
            lines.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
        lines.append("")
    return "\n".join(lines)


def _count() -> str:
    named = {"vjp": "have a gradient", "native": "native code", "jax": "a JAX function"}
    counts = {c: sum(getattr(op, c) is not None for op in OPS.values()) for c in named}
    *first, last = (f"{counts[c]} {what}" for c, what in named.items())
    return f"{', '.join(first)} and {last}"


def check() -> Iterator[str]:
    """Findings: the page is missing or not what the records give."""
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        yield f"{relative(PAGE)} is not up to date: run `python tools/make_coverage.py`"


def main(arguments: list[str]) -> int:
    """Write the page, or check it; returns the exit status."""
    if arguments == ["--check"]:
        return report("make_coverage", check(), f"{len(OPS)} operations")
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
