"""From the equations of a traced function to a graph."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from finetti.backends import reference
from finetti.dialects.jaxpr.boxes import black_box
from finetti.dialects.jaxpr.control import (
    INLINED,
    STRUCTURED,
    inner_jaxpr,
    named_function,
    results_of,
)
from finetti.dialects.jaxpr.elementwise import ELEMENTWISE
from finetti.dialects.jaxpr.gathering import GATHERING
from finetti.dialects.jaxpr.matrices import MATRICES
from finetti.dialects.jaxpr.movement import MOVEMENT
from finetti.errors import CompileError, FinettiError, NotYetSupported
from finetti.ir import BOOL, FLOAT, INT, Tensor, ops

RULES: dict[str, Callable[..., Any]] = {**ELEMENTWISE, **MOVEMENT, **GATHERING, **MATRICES}
Value = Any  # a Tensor; or a JAX array that no tensor can hold, such as a random key


@dataclass(frozen=True)
class Walk:
    """How to go through the equations.

    Parameters
    ----------
    sites : mapping
        Name of a primitive -> ``function(equation, tensors) -> list``: what the dialect's own
        primitives mean. Their equations are kept even when nobody uses the result.
    where : str
        How error messages begin.
    """

    sites: dict[str, Callable[..., list[Value]]] = field(default_factory=dict)
    where: str = "from_jax"
    lines: list[str] = field(default_factory=list)  # of the calls that are being laid open

    def closed(self, closed: Any, args: Sequence[Value]) -> list[Value]:
        """The results of a closed jaxpr for given arguments."""
        try:
            return self.open(closed.jaxpr, list(map(constant, closed.consts)), args)
        except NotYetSupported as error:
            raise NotYetSupported(f"{self.where}: {error}") from None

    def open(
        self,
        jaxpr: Any,
        consts: Sequence[Value],
        args: Sequence[Value],
        only: Sequence[int] | None = None,
    ) -> list[Value]:
        """The results of a jaxpr (some `only`) for given constants and arguments."""
        known: dict[Any, Value] = dict(zip(jaxpr.constvars, consts, strict=True))
        known.update(zip(jaxpr.invars, args, strict=True))
        outvars = jaxpr.outvars if only is None else [jaxpr.outvars[k] for k in only]
        needed, wanted = self._needed(jaxpr, outvars)
        for eqn in needed:
            given = [read(known, v) for v in eqn.invars]
            used = [v in wanted for v in eqn.outvars]
            for var, value in zip(eqn.outvars, self._apply(eqn, given, used), strict=True):
                known[var] = value
        return [read(known, v) for v in outvars]

    def _needed(self, jaxpr: Any, outvars: Sequence[Any]) -> tuple[list[Any], set[Any]]:
        """The equations that the results or a site need, in order, and what is read of them."""
        wanted = {v for v in outvars if not _is_literal(v)}
        kept = []
        for eqn in reversed(jaxpr.eqns):
            if wanted.isdisjoint(eqn.outvars) and not self.holds_site(eqn):
                continue
            kept.append(eqn)
            wanted.update(v for v in eqn.invars if not _is_literal(v))
        return kept[::-1], wanted

    def holds_site(self, eqn: Any) -> bool:
        """Whether an equation is one of the dialect's own, or has one inside."""
        if not self.sites:
            return False
        if eqn.primitive.name in self.sites:
            return True
        return any(self.holds_site(inner) for jaxpr in _jaxprs(eqn.params) for inner in jaxpr.eqns)

    def _apply(self, eqn: Any, args: list[Value], used: list[bool]) -> list[Value]:
        name = eqn.primitive.name
        if name in self.sites:
            return self.sites[name](eqn, args)
        try:
            results = self._results(eqn, name, args, used)
        except NotYetSupported as error:
            line = line_of(eqn)
            if "It comes from" in str(error) or not line:
                raise
            raise NotYetSupported(f"{error} {line}") from None
        except FinettiError as error:
            raise CompileError(
                f"{self.where}: JAX's {name} could not be translated: {error} {line_of(eqn)}"
            ) from error
        return [
            conform(value, var.aval, name) for value, var in zip(results, eqn.outvars, strict=True)
        ]

    def _results(self, eqn: Any, name: str, args: list[Value], used: list[bool]) -> list[Value]:
        known = all(map(is_known, args))
        if name in INLINED:
            function = named_function(eqn)
            if function is not None and not known:
                return results_of(function(*args))
            return self._laid_open(eqn, args)
        if name in STRUCTURED:
            if known and name in ("scan", "while") and not self.holds_site(eqn):
                return by_jax(eqn, args)
            return STRUCTURED[name](self, eqn, args, used)
        rule = RULES.get(name)
        if known and (rule is None or _wraps(eqn)):
            return by_jax(eqn, args)
        if rule is None:
            return [*black_box(eqn, args, self._line(eqn))]
        result = rule(eqn.params, *args)
        results = result if isinstance(result, list) else [result]
        return [folded(x) for x in results] if known else results

    def _laid_open(self, eqn: Any, args: list[Value]) -> list[Value]:
        """The results of a call, whose inside becomes part of the graph."""
        closed, consts = inner_jaxpr(eqn)
        self.lines.append(self._line(eqn))
        try:
            return self.open(closed, list(map(constant, consts)), args)
        except NotYetSupported:
            # its author has given it a derivative, so it can be called as a whole
            if not eqn.primitive.name.startswith("custom_vjp") or self.holds_site(eqn):
                raise
            return [*black_box(eqn, args, self._line(eqn))]
        finally:
            self.lines.pop()

    def _line(self, eqn: Any) -> str:
        """The user's line of an equation, or of the call that it is inside of."""
        return line_of(eqn) or (self.lines[-1] if self.lines else "")


def _jaxprs(params: Any) -> list[Any]:
    """The jaxprs among an equation's parameters."""
    found = []
    for value in params.values():
        for part in value if isinstance(value, (tuple, list)) else (value,):
            part = getattr(part, "jaxpr", part)
            if hasattr(part, "eqns") and hasattr(part, "invars"):
                found.append(part)
    return found


def _is_literal(var: Any) -> bool:
    return hasattr(var, "val")


def read(known: dict[Any, Value], var: Any) -> Value:
    """The value of a variable or a literal."""
    return constant(var.val) if _is_literal(var) else known[var]


def constant(value: Any) -> Value:
    """A constant of a jaxpr as a tensor; random keys stay what they are."""
    if isinstance(value, Tensor):
        return value
    dtype = getattr(value, "dtype", None)
    if dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key):
        return value
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        return value
    return ops.as_tensor(array)


def is_known(value: Value) -> bool:
    """Whether a value is a number already."""
    return not isinstance(value, Tensor) or ops.constant_value(value) is not None


def folded(x: Value) -> Value:
    """A tensor of constants only as one constant."""
    if not isinstance(x, Tensor) or ops.constant_value(x) is not None:
        return x
    (value,) = reference.evaluate([x])
    return ops.as_tensor(value)


def conform(value: Value, aval: Any, name: str) -> Value:
    """A result in the kind of number that JAX says it has; its shape must be JAX's."""
    if not isinstance(value, Tensor) or not hasattr(aval, "dtype"):
        return value
    kind = np.dtype(aval.dtype).kind if not _is_key(aval) else "O"
    dtype = {"f": FLOAT, "i": INT, "u": INT, "b": BOOL}.get(kind)
    if dtype is None:
        raise NotYetSupported(f"JAX's {name} makes numbers of type {aval.dtype}.")
    if tuple(map(int, value.node.shape)) != tuple(aval.shape):
        raise CompileError(
            f"JAX's {name} has shape {tuple(aval.shape)}, its translation {value.node.shape}"
        )
    return value if value.node.type.dtype == dtype else folded_cast(value, dtype)


def folded_cast(value: Tensor, dtype: str) -> Tensor:
    """A tensor in another dtype; a constant stays a constant."""
    number = ops.constant_value(value)
    return ops.cast(value, dtype) if number is None else ops.as_tensor(number.astype(dtype))


def _is_key(aval: Any) -> bool:
    return bool(jnp.issubdtype(aval.dtype, jax.dtypes.prng_key))


def _wraps(eqn: Any) -> bool:
    """Whether an equation computes with unsigned numbers or random keys."""
    return any(
        _is_key(v.aval) or np.dtype(v.aval.dtype).kind not in "fib"
        for v in (*eqn.invars, *eqn.outvars)
        if hasattr(v.aval, "dtype")
    )


def by_jax(eqn: Any, args: Sequence[Value]) -> list[Value]:
    """An equation of constants only, evaluated by JAX itself."""
    arrays = []
    with jax.enable_x64(True), jax.ensure_compile_time_eval():
        for value, var in zip(args, eqn.invars, strict=True):
            if isinstance(value, Tensor):
                value = jnp.asarray(ops.constant_value(value), var.aval.dtype)
            arrays.append(value)
        bound = eqn.primitive.get_bind_params(eqn.params)
        subfuns, params = ((), bound) if isinstance(bound, dict) else bound
        results = eqn.primitive.bind(*subfuns, *arrays, **params)
    results = results if eqn.primitive.multiple_results else [results]
    return list(map(constant, results))


_OWN = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_JAX = os.path.dirname(os.path.abspath(jax.__file__))


def line_of(eqn: Any) -> str:
    """Where the user's code made an equation, as a sentence; empty when that is not known."""
    traceback = getattr(getattr(eqn, "source_info", None), "traceback", None)
    if traceback is None:
        return ""
    step, found = traceback.as_python_traceback(), ""
    while step is not None:
        name = step.tb_frame.f_code.co_filename
        if not name.startswith((_OWN, _JAX)):
            found = f"It comes from {name}, line {step.tb_lineno}."
        step = step.tb_next
    return found
