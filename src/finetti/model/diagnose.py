"""Which term of the density is at fault, where in its data, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.backends import reference
from finetti.errors import InitialPointError, NotYetSupported
from finetti.ir import Node, ops
from finetti.model.compile import Array, Layout
from finetti.model.data import at_row
from finetti.model.logdensity import Density, Factor
from finetti.passes.grad import gradient


@dataclass(frozen=True)
class Fault:
    """A term that is not finite.

    Parameters
    ----------
    factor : Factor
        The term.
    what : str
        "log density" or "gradient".
    result : ndarray
        The term, elementwise.
    value : ndarray
        The variable's value.
    params : dict
        Parameter name -> its value.
    """

    factor: Factor
    what: str
    result: Array
    value: Array
    params: dict[str, Array]

    @property
    def rows(self) -> Array:
        """Flat positions of the elements that are not finite."""
        return np.flatnonzero(~np.isfinite(self.result).ravel())

    def at(self, flat: int) -> tuple[Any, dict[str, Any]]:
        """Value and parameters of one element."""
        shape = self.result.shape
        events = max(self.value.ndim - len(shape), 0)
        place = np.unravel_index(flat, shape)
        params = {
            name: _element(x, shape, place, self._param_ndim(name))
            for name, x in self.params.items()
        }
        return _element(self.value, shape, place, events), params

    def _param_ndim(self, name: str) -> int:
        return int(self._dist.params[name].ndim)

    @property
    def _dist(self) -> Any:
        return self.factor.dist

    def sentence(self) -> str:
        """What is wrong, where, and what to do."""
        factor = self.factor
        if factor.kind == "potential":
            return self._potential()
        rows = self.rows
        first = int(rows[0])
        value, params = self.at(first)
        where = f" {at_row(self.result, first)}" if self.result.ndim else ""
        more = f" ({len(rows)} of {self.result.size} are not finite)" if len(rows) > 1 else ""
        given = ", ".join(f"{name}={_text(x)}" for name, x in params.items())
        kind = "observed " if factor.kind == "observed" else ""
        return (
            f"The {self.what} of {kind}{self._dist.name} {factor.name!r} is "
            f"{_text(self.result.ravel()[first])}{where}{more}: value {_text(value)} with {given}. "
            + self._reason(value, params)
        )

    def _potential(self) -> str:
        first = int(self.rows[0])
        where = f" {at_row(self.result, first)}" if self.result.ndim else ""
        return (
            f"The potential {self.factor.name!r} is {_text(self.result.ravel()[first])}{where}. "
            "Check its formula, or give the variables that it depends on an `initval=` where it is "
            "finite."
        )

    def _reason(self, value: Any, params: Mapping[str, Any]) -> str:
        dist, name = self._dist, self.factor.name
        for key, x in params.items():
            if not np.isfinite(x).all():
                if key == "chol":
                    return (
                        "The matrix that chol is made of is not positive definite there. Check "
                        "that it is symmetric, and add a small number to its diagonal, or give the "
                        "variables it depends on other initial values with `initval=`."
                    )
                return (
                    f"{key} is not finite: its formula overflows, divides by zero or takes the "
                    f"logarithm of 0 there. Rescale what {key} is made of, or give those variables "
                    "other initial values with `initval=`."
                )
            constraint = dist.params[key].constraint
            if not np.all(constraint.check(np.asarray(x))):
                how = "`pm.math.exp` for a positive one"
                if "sum" in constraint.words:
                    how = f"`{key} / {key}.sum()`"
                return (
                    f"{key} must be {constraint.words}. Change the formula of {key}, e.g. through "
                    f"{how}, or the initial values it is made of."
                )
        if np.isnan(value).any():
            return f"Give {name!r} an `initval=` that is a number."
        support = dist.support(**{key: ops.as_tensor(x) for key, x in params.items()})
        if not _member(support, np.asarray(value)):
            if self.factor.kind == "observed":
                return (
                    f"The value is outside the support of {dist.name} ({support.words}). Check "
                    "that row of the data, or choose another distribution."
                )
            return (
                f"The value is outside the support of {dist.name} ({support.words}). Give {name!r} "
                "an `initval=` inside it."
            )
        return (
            "Value and parameters are valid, but too extreme for each other. Scale the data, or "
            "give the variables that the parameters depend on an `initval=` nearer to the data."
        )


def _member(support: Any, value: Array) -> bool:
    if not np.isfinite(value).all() or (support.discrete and (value != np.floor(value)).any()):
        return False
    inside = support.contains(ops.as_tensor(value))
    return True if inside is None else bool(np.all(reference.evaluate([inside])[0]))


def _element(x: Array, shape: tuple[int, ...], place: Any, events: int) -> Any:
    event = x.shape[x.ndim - events :] if events else ()
    return np.broadcast_to(x, (*shape, *event))[place]


def _text(x: Any) -> str:
    array = np.asarray(x)
    if array.ndim == 0:
        return f"{array.item():.6g}" if array.dtype.kind == "f" else str(array.item())
    return np.array2string(array, threshold=6, edgeitems=2, precision=4)


def values_at(density: Density, x: Array) -> dict[Node, Array]:
    """The inputs' values at a vector of unconstrained values."""
    layout = Layout.of(density.inputs)
    return dict(zip(density.inputs, layout.unpack(np.asarray(x, float)).values(), strict=True))


def faults(density: Density, x: Array) -> Iterator[Fault]:
    """The terms that are not finite at a point."""
    values = values_at(density, x)
    for factor in density.factors:
        names = list(factor.params)
        outputs = [factor.elementwise(), factor.value, *factor.params.values()]
        result, value, *params = reference.evaluate(outputs, values)
        if not np.isfinite(result).all():
            yield Fault(factor, "log density", result, value, dict(zip(names, params, strict=True)))


def explain(density: Density, x: Array) -> str | None:
    """What is not finite at a point, in sentences; None when all is well."""
    found = [fault.sentence() for fault in faults(density, x)]
    if found:
        return " ".join(found)
    return _gradient_fault(density, x)


def _gradient_fault(density: Density, x: Array) -> str | None:
    values = values_at(density, x)
    inputs = [value.input for value in density.values if not value.discrete]
    names = [value.name for value in density.values if not value.discrete]
    for factor in density.factors:
        try:
            wanted = gradient(factor.total().node, inputs)
        except NotYetSupported:
            continue  # a step that needs no gradient may follow, and one that does says so
        grads = reference.evaluate(wanted, values)
        for name, grad in zip(names, grads, strict=True):
            bad = np.flatnonzero(~np.isfinite(grad).ravel())
            if bad.size:
                row = f" {at_row(grad, int(bad[0]))}" if grad.ndim else ""
                return (
                    f"The gradient of the term {factor.name!r} with respect to {name!r} is "
                    f"{_text(grad.ravel()[bad[0]])}{row}. The density has an edge or a pole there: "
                    f"give {name!r} another `initval=`, or use a smooth formula in {factor.name!r}."
                )
    return None


def check_start(density: Density, x: Array, where: str) -> None:
    """Refuse a start where the log density or its gradient is not finite.

    Raises
    ------
    InitialPointError
        Naming the term, the row, the value and the parameters there, and what to do.
    """
    sentence = explain(density, x)
    if sentence is not None:
        raise InitialPointError(f"{where}: sampling cannot start here. {sentence}")


def debug_text(density: Density, point: Mapping[str, Any]) -> str:
    """PyMC's report on a point, term by term."""
    x = Layout.of(density.inputs).pack(point, "debug")
    lines = [f"point={dict(point)}", ""]
    found = list(faults(density, x))
    for fault in found:
        name, kind = fault.factor.name, fault.factor.kind
        if kind == "potential":
            lines += [f"The potential {name} is not finite:", f" {fault.result}", ""]
            continue
        lines.append(f"The variable {name} has the following parameters:")
        lines += [f"{i}: {key}" for i, key in enumerate(fault.params)]
        lines.append("The parameters evaluate to:")
        lines += [f"{i}: {x}" for i, x in enumerate(fault.params.values())]
        observed = " observed " if kind == "observed" else " "
        lines.append(
            f"Some of the{observed}values of variable {name} are associated with a non-finite logp:"
        )
        for row in fault.rows[:20]:
            value, _ = fault.at(int(row))
            lines.append(f" value = {value} -> logp = {fault.result.ravel()[row]}")
        if len(fault.rows) > 20:
            lines.append(f" ... and {len(fault.rows) - 20} more")
        lines += [fault.sentence(), ""]
    if not found:
        sentence = _gradient_fault(density, x)
        lines.append(sentence or "No problems found")
    return "\n".join(lines)
