"""`theano.function`, `eval` and `clone` on finetti's compiled maps; `grad` on its gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from finetti.dialects.notes import note
from finetti.dialects.theano.deferred import Deferred, Input, build, inputs_of, lift
from finetti.errors import NotYetSupported, ParameterError, ShapeError, TracedValueError
from finetti.ir import Node, Tensor, ops, rebuild, topological
from finetti.ir.ops import leaf
from finetti.ir.ops.leaf import new_input
from finetti.ir.types import canonical_dtype
from finetti.model.compile import compile_outputs
from finetti.model.data import DataTensor, as_array, to_dtype
from finetti.model.forward import draw_tensors
from finetti.model.frozen import freeze
from finetti.model.variables import rv_nodes
from finetti.passes.grad import gradient

# what speaks of Theano's own compiler and has no meaning here: any value is as good as another
_COMPILER = ("mode", "accept_inplace", "name", "rebuild_strict", "profile", "no_default_updates",
             "trust_input", "strict")  # fmt: skip


Evaluate = Callable[[list[Any]], list[Any]]
State = Callable[[], Any]


class In:
    """An input of `theano.function` with a default value.

    Parameters
    ----------
    variable
        The symbolic input.
    name
        The keyword under which the function takes it; the variable's name by default.
    value
        What it is when it is not given.
    """

    def __init__(self, variable: Any, name: str | None = None, value: Any = None, **options: Any):
        _refuse("theano.In", options, ("mutable", "strict", "borrow", "allow_downcast", "implicit"))
        self.variable, self.value = variable, value
        self.name = name or getattr(variable, "name", None)


class Function:
    """What `theano.function` returns: call it with values.

    Parameters
    ----------
    inputs
        Symbolic inputs, or tensors whose value is given.
    outputs
        A tensor, a list or a dict of them, or None.
    updates
        Pairs of a shared variable and its new value, set after each call.
    givens
        Pairs of what is replaced and what takes its place.
    """

    def __init__(self, inputs: Sequence[In], outputs: Any, updates: Any, givens: Any):
        self._inputs, self._outputs = list(inputs), outputs
        self._updates, self._givens = list(updates), list(givens)
        self._compiled: dict[Any, tuple[Evaluate, State, Any]] = {}
        self._lengths = False  # whether whole numbers stand where lengths must be known
        named = [*(old for old, _ in self._givens), *(given.variable for given in inputs)]
        for x in inputs_of([outputs, [new for _, new in self._updates]]):
            if all(x is not other for other in named):
                raise ParameterError(
                    f"theano.function: the outputs also depend on {x!r}, which is not among the "
                    "inputs. Add it to them, or to `givens`."
                )

    def __call__(self, *args: Any, **named: Any) -> Any:
        values = self._values(args, named)
        outputs = list(_flat(self._outputs))
        wanted = [*outputs, *(new for _, new in self._updates)]
        results = self._evaluate(wanted, values)
        for (shared, _), value in zip(self._updates, results[len(outputs) :], strict=True):
            shared.set_value(value)
        return _shaped(self._outputs, results[: len(outputs)])

    def _values(self, args: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        if len(args) > len(self._inputs):
            raise ParameterError(
                f"theano.function: called with {len(args)} values, expected {len(self._inputs)}."
            )
        values = [given.value for given in self._inputs]
        values[: len(args)] = args
        names = [given.name for given in self._inputs]
        for key, value in named.items():
            if key not in names:
                raise ParameterError(f"theano.function: no input is called {key!r}: {names}.")
            values[names.index(key)] = value
        checked = []
        for given, value in zip(self._inputs, values, strict=True):
            owner = f"theano.function: input {given.name or given.variable!r}"
            if value is None:
                raise ParameterError(f"{owner} has no value.")
            array = as_array(value, owner)
            dtype, ndim = canonical_dtype(np.dtype(given.variable.dtype)), given.variable.ndim
            if array.ndim != ndim:
                raise ShapeError(f"{owner} has {array.ndim} axes, expected {ndim}.")
            checked.append(to_dtype(array, dtype, owner))
        return checked

    def _evaluate(self, wanted: list[Any], values: list[Any]) -> list[Any]:
        # what the function itself changes is passed like an input, so that it compiles once
        values = [*values, *(shared.handle.value for shared, _ in self._updates)]
        fixed = [self._lengths and v.ndim == 0 and v.dtype.kind == "i" for v in values]
        key = tuple(
            int(value) if once else (value.shape, str(value.dtype))
            for value, once in zip(values, fixed, strict=True)
        )
        made = self._compiled.get(key)
        if made is None or made[1]() != made[2]:
            try:
                made = self._compiled[key] = self._compile(wanted, values, fixed)
            except (NotYetSupported, TracedValueError):
                whole = any(v.ndim == 0 and v.dtype.kind == "i" for v in values)
                if self._lengths or not whole:
                    raise
        if made is None:
            self._lengths = True
            return self._evaluate(wanted, values[: len(self._inputs)])
        return made[0](values)

    def _compile(
        self, wanted: list[Any], values: list[Any], fixed: list[bool]
    ) -> tuple[Evaluate, State, Any]:
        """How to compute, the state of the shared data, and that at present."""
        twins: list[Any] = [
            int(value) if once else new_input(f"input_{k}", value.shape, str(value.dtype))
            for k, (value, once) in enumerate(zip(values, fixed, strict=True))
        ]
        nodes = [tensor.node for tensor in self._built(wanted, twins)]
        handles = [n.attrs[0] for n in topological(nodes) if n.op is leaf.data]
        places = [k for k, once in enumerate(fixed) if not once]
        leaves = [twins[k].node for k in places]
        make = _drawn if rv_nodes(nodes) else _computed

        def state() -> tuple[int, ...]:
            return tuple(handle.version for handle in handles)

        run = make(nodes, leaves)
        return lambda values: run([values[k] for k in places]), state, state()

    def _built(self, wanted: list[Any], twins: Sequence[Any]) -> list[Tensor]:
        given = [*(one.variable for one in self._inputs), *(old for old, _ in self._updates)]
        known: dict[Deferred, Any] = {}
        swapped: dict[Node, Node] = {}
        for x, twin in zip(given, twins, strict=True):
            if isinstance(x, Deferred):
                known[x] = twin
            else:
                swapped[x.node] = ops.as_tensor(twin).node
        for old, new in self._givens:
            built = ops.as_tensor(build(new, known))
            if isinstance(old, Deferred):
                known[old] = built
            else:
                swapped[old.node] = built.node
        tensors = [ops.as_tensor(value) for value in build(wanted, known)]
        return (
            list(map(Tensor, rebuild([t.node for t in tensors], swapped))) if swapped else tensors
        )


def _computed(nodes: list[Node], leaves: list[Node]) -> Evaluate:
    function = compile_outputs(freeze(nodes), leaves)

    def compute(values: list[Any]) -> list[Any]:
        flat = [np.asarray(value, float).ravel() for value in values]
        return [np.asarray(result) for result in function(np.concatenate([*flat, np.empty(0)]))]

    return compute


def _drawn(nodes: list[Node], leaves: list[Node]) -> Evaluate:
    def draw(values: list[Any]) -> list[Any]:
        given = dict(zip(leaves, values, strict=True))
        drawn = draw_tensors(list(map(Tensor, nodes)), 1, None, given, "reference")
        return [np.array(result[0]) for result in drawn]

    return draw


def function(  # noqa: PLR0913, a user's keywords
    inputs: Sequence[Any],
    outputs: Any = None,
    mode: Any = None,
    updates: Any = None,
    givens: Any = None,
    no_default_updates: Any = False,
    accept_inplace: Any = False,
    name: str | None = None,
    rebuild_strict: Any = True,
    allow_input_downcast: bool | None = None,
    profile: Any = None,
    on_unused_input: str | None = None,
) -> Function:
    """A function of symbolic inputs, compiled for the shapes it is called with.

    Parameters
    ----------
    inputs
        Symbolic inputs, random variables or other tensors; `In(x, value=...)` for a default.
    outputs
        A tensor, a list or a dict of them; None for a function that only updates.
    updates
        Pairs (shared variable, new value).
    givens
        Pairs (old, new), replaced in the outputs.
    mode, no_default_updates, accept_inplace, name, rebuild_strict, profile
        Of Theano's compiler, without meaning here.
    allow_input_downcast
        Numbers with fractions are never cut: False and None.
    on_unused_input
        "raise", "warn" or "ignore": an input that no output uses is accepted.
    """
    note("theano.function(inputs, outputs)", "pm.compile_fn, or x.eval({input: value})")
    if not isinstance(inputs, (list, tuple)):
        raise ParameterError(f"theano.function: inputs={inputs!r}: expected a list.")
    wrapped = [one if isinstance(one, In) else In(one) for one in inputs]
    for one in wrapped:
        if not isinstance(one.variable, (Deferred, Tensor)):
            raise ParameterError(f"theano.function: the input {one.variable!r} is not symbolic.")
    changed = _pairs(updates)
    for shared, _ in changed:
        if not isinstance(shared, DataTensor):
            raise ParameterError(f"theano.function: updates {shared!r}, which is not shared.")
    return Function(wrapped, outputs, changed, _pairs(givens))


def evaluate(expression: Any, inputs_to_values: Mapping[Any, Any] | None = None) -> Any:
    """The value of an expression, given the values of its inputs.

    Parameters
    ----------
    expression
        What to compute.
    inputs_to_values
        Input -> value.
    """
    given = dict(inputs_to_values or {})
    return Function([In(x) for x in given], expression, [], [])(*given.values())


def clone(output: Any, replace: Any = None, strict: bool = True, share_inputs: bool = True) -> Any:
    """An expression with parts of it replaced.

    Parameters
    ----------
    output
        An expression, or a list of them.
    replace
        Pairs (old, new), or a dict.
    strict, share_inputs
        Theano's checks of types, which hold here anyway.
    """
    pairs = _pairs(replace)
    if any(isinstance(part, Deferred) for part in (*_flat(output), *(old for old, _ in pairs))):
        return build(output, {old: new for old, new in pairs})
    swapped = {old.node: ops.as_tensor(new).node for old, new in pairs}
    nodes = rebuild([ops.as_tensor(part).node for part in _flat(output)], swapped)
    return _shaped(output, list(map(Tensor, nodes)))


@lift
def grad(
    cost: Any,
    wrt: Any,
    consider_constant: Any = None,
    disconnected_inputs: str = "raise",
    add_names: bool = True,
    known_grads: Any = None,
    **options: Any,
) -> Any:
    """The gradient of a scalar.

    Parameters
    ----------
    cost
        A scalar expression.
    wrt
        A variable, or a list of them.
    consider_constant
        Expressions through which nothing flows.
    disconnected_inputs
        "raise", or "ignore" and "warn" for zeros where the cost does not depend on a variable.
    add_names
        Theano's names of gradients; there are none.
    known_grads
        Not there.
    """
    _refuse("theano.grad", {"known_grads": known_grads, **options}, ("null_gradients",))
    cost = ops.as_tensor(cost)
    many = isinstance(wrt, (list, tuple))
    targets = [ops.as_tensor(x).node for x in (wrt if many else [wrt])]
    if cost.ndim:
        raise ShapeError(f"theano.grad of {cost!r}: expected a scalar, e.g. its `.sum()`.")
    out = cost.node
    if consider_constant is not None:
        stopped = {ops.as_tensor(x).node: ops.stop_gradient(x).node for x in consider_constant}
        (out,) = rebuild([out], stopped)
    if disconnected_inputs == "raise":
        reached = set(topological([out]))
        for target in targets:
            if target not in reached:
                raise ParameterError(
                    f"theano.grad: the cost does not depend on {Tensor(target)!r}. Write "
                    "disconnected_inputs='ignore' for a gradient of zeros."
                )
    results = list(map(Tensor, gradient(out, targets)))
    return type(wrt)(results) if many else results[0]


@lift
def jacobian(expression: Any, wrt: Any, disconnected_inputs: str = "raise", **options: Any) -> Any:
    """The derivatives of every element of a vector: one row each.

    Parameters
    ----------
    expression
        A vector.
    wrt
        A variable, or a list of them.
    disconnected_inputs
        As for `grad`.
    """
    _refuse("jacobian", options, ("vectorize",))
    expression = ops.as_tensor(expression)
    many = isinstance(wrt, (list, tuple))
    targets = list(wrt) if many else [wrt]
    if not expression.ndim:
        rows = [grad(expression, targets, disconnected_inputs=disconnected_inputs)]
        return rows[0] if many else rows[0][0]
    rows = [
        grad(expression[k], targets, disconnected_inputs=disconnected_inputs)
        for k in range(len(expression))
    ]
    results = [ops.stack(list(column)) for column in zip(*rows, strict=True)]
    return results if many else results[0]


@lift
def hessian(cost: Any, wrt: Any, disconnected_inputs: str = "raise", **options: Any) -> Any:
    """The second derivatives of a scalar with respect to a vector, or each of a list of them.

    Parameters
    ----------
    cost
        A scalar.
    wrt
        A vector, or a list of them.
    disconnected_inputs
        As for `grad`.
    """
    _refuse("hessian", options, ())
    many = isinstance(wrt, (list, tuple))
    results = [
        jacobian(grad(cost, x, disconnected_inputs=disconnected_inputs), x, "ignore")
        for x in (wrt if many else [wrt])
    ]
    return results if many else results[0]


def _refuse(where: str, options: Mapping[str, Any], without_meaning: Sequence[str]) -> None:
    for name, value in options.items():
        if value is not None and name not in without_meaning and name not in _COMPILER:
            raise NotYetSupported(f"{where}: {name}={value!r} is not there. Leave it out.")


def _pairs(pairs: Any) -> list[tuple[Any, Any]]:
    return [] if pairs is None else list(pairs.items() if hasattr(pairs, "items") else pairs)


def _flat(outputs: Any) -> list[Any]:
    if outputs is None:
        return []
    if isinstance(outputs, dict):
        return list(outputs.values())
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _shaped(outputs: Any, results: list[Any]) -> Any:
    if outputs is None:
        return None
    if isinstance(outputs, dict):
        return dict(zip(outputs, results, strict=True))
    return results if isinstance(outputs, (list, tuple)) else results[0]


def _eval(self: Deferred, inputs_to_values: Mapping[Any, Any] | None = None) -> Any:
    return evaluate(self, inputs_to_values)


Deferred.eval = _eval  # type: ignore[attr-defined]
__all__ = ["Function", "In", "Input", "clone", "evaluate", "function", "grad", "hessian",
           "jacobian"]  # fmt: skip
