"""Where steps become kernels: the model's density, and compiled parts of it for every chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from finetti.ir import Node
from finetti.model.compile import Array, Layout, compile_gradient, compile_outputs
from finetti.model.conditional import Conditional, conditional
from finetti.model.frozen import FrozenRV
from finetti.model.logdensity import Density


@dataclass(frozen=True)
class Workplace:
    """What kernels are made of.

    Parameters
    ----------
    density : Density
        Of the variables that are walked.
    chains : int
        How many.
    seed : int
        Of all streams.
    backend : str, optional
        "native" (default) or "reference".
    keep : list
        What must live as long as the kernels do.
    """

    density: Density
    chains: int
    seed: int
    backend: str | None = None
    keep: list[Any] = field(default_factory=list)

    @property
    def layout(self) -> Layout:
        """How the values lie in one vector."""
        return Layout.of(self.density.inputs)

    def conditional(self, names: Sequence[str]) -> Conditional:
        """The terms that touch some variables."""
        return conditional(self.density, names)

    def rv(self, name: str) -> FrozenRV:
        """A random variable with its present data."""
        return self.density.frozen.rv(name)

    def map(self, output: Node, index: Array) -> tuple[int, list[int], list[int]]:
        """What a kernel is made with: a compiled map's address, a data block a chain, its index."""
        return self._handed(compile_outputs([output], self.density.inputs, self.backend), index)

    def gradient(self, part: Conditional) -> tuple[int, list[int], list[int]]:
        """The same for a log density and its gradient."""
        function = compile_gradient(part.full, self.density.inputs, part.inputs, self.backend)
        return self._handed(function, part.index)

    def _handed(self, function: Any, index: Array) -> tuple[int, list[int], list[int]]:
        blocks = [function.new_block() for _ in range(self.chains)]
        self.keep.extend((function, blocks))
        return function.fn_address, [block.address for block in blocks], index.tolist()
