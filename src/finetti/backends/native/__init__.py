"""The native backend: graph to machine code through LLVM text."""

from finetti.backends.native.compiled import Block, Compiled, compile_density, compile_map

__all__ = ["Block", "Compiled", "compile_density", "compile_map"]
