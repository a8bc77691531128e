"""`theano.scan` and its family, on finetti's own scan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finetti.dialects.notes import note
from finetti.dialects.theano.deferred import Deferred, lift
from finetti.errors import NotYetSupported, ParameterError, ShapeError
from finetti.ir import Size, Tensor, ops
from finetti.ir.ops import control

_stack = lift(ops.stack)


@dataclass(frozen=True)
class _Sequence:
    """What is gone through: a tensor, and which elements each step sees."""

    tensor: Tensor
    taps: tuple[int, ...]

    @property
    def length(self) -> int:
        """How many steps it lasts."""
        return self.tensor.shape[0] - (max(*self.taps, 0) - min(*self.taps, 0))

    def elements(self, backwards: bool) -> list[Tensor]:
        """For each tap what the steps see, in the order of the steps."""
        # as Theano: what is left over at the ends is cut before the sequence is turned
        first = -min(*self.taps, 0)
        parts = [self.tensor[first + tap : first + tap + self.length] for tap in self.taps]
        return [ops.flip(part, 0) for part in parts] if backwards else parts


@dataclass(frozen=True)
class _Output:
    """What comes back: its first values, and which of the earlier ones each step sees."""

    history: list[Any]
    taps: tuple[int, ...]

    def seen(self, window: Sequence[Any]) -> list[Any]:
        """What a step sees of the latest values."""
        return [window[len(window) + tap] for tap in self.taps]


class _Waits(Exception):
    """A step gave what depends on symbolic inputs."""


@lift
def _scan(fn: Callable[..., Any], sequences: Any, outputs_info: Any, rest: Any, how: Any) -> Any:
    """Whether there is a list of outputs, and the outputs."""
    going = [_as_sequence(one) for one in _listed(sequences)]
    starts = None if outputs_info is None else [_as_output(one) for one in _listed(outputs_info)]
    n_steps, backwards = how
    steps = _number_of_steps(n_steps, going)
    backwards = backwards != (n_steps is not None and n_steps < 0)
    try:
        return _looped(fn, [one.elements(backwards) for one in going], starts, rest, steps)
    except _Waits:
        return _unrolled(fn, [one.elements(backwards) for one in going], starts, rest, steps)


def _looped(
    fn: Callable[..., Any], going: list[list[Tensor]], starts: list[_Output] | None,
    rest: list[Any], steps: int,
) -> tuple[bool, list[Any]]:  # fmt: skip
    """All steps in one node of the graph."""
    several = [False]
    fed = starts or []
    moving = [x for elements in going for x in elements]

    def step(windows: list[list[Tensor]], *elements: Any) -> tuple[Any, Any]:
        back = [x for start, window in zip(fed, windows, strict=True) for x in start.seen(window)]
        several[0], results = _results(fn(*elements[: len(moving)], *back, *rest))
        if any(isinstance(result, Deferred) for result in results):
            raise _Waits
        _check_count(results, starts)
        following = [
            [*window[1:], result] if start.taps else []
            for start, window, result in zip(fed, windows, results, strict=bool(fed))
        ]
        return following, results

    _, outputs = control.scan(step, [start.history for start in fed], moving, (), steps)
    return several[0], outputs


def _unrolled(
    fn: Callable[..., Any], going: list[list[Tensor]], starts: list[_Output] | None,
    rest: list[Any], steps: int,
) -> tuple[bool, list[Any]]:  # fmt: skip
    """Step after step."""
    several = False
    rows: list[list[Any]] = []
    windows = [start.history for start in starts or []]
    for k in range(steps):
        seen = [x[k] for elements in going for x in elements]
        fed = zip(starts or [], windows, strict=True)
        back = [x for start, window in fed for x in start.seen(window)]
        several, results = _results(fn(*seen, *back, *rest))
        _check_count(results, starts)
        rows.append(results)
        windows = [[*w[1:], r] if w else [] for w, r in zip(windows, results, strict=False)]
    return several, [_stack(list(column)) for column in zip(*rows, strict=True)]


def _check_count(results: list[Any], starts: list[_Output] | None) -> None:
    if starts is not None and len(results) != len(starts):
        raise ShapeError(
            f"theano.scan: fn gave {len(results)} outputs, outputs_info has {len(starts)} entries. "
            "Write one for each; None for what does not come back."
        )


def scan(  # noqa: PLR0913, a user's keywords
    fn: Callable[..., Any],
    sequences: Any = None,
    outputs_info: Any = None,
    non_sequences: Any = None,
    n_steps: Any = None,
    truncate_gradient: int = -1,
    go_backwards: bool = False,
    mode: Any = None,
    name: str | None = None,
    profile: Any = False,
    allow_gc: Any = None,
    strict: bool = False,
    return_list: bool = False,
    return_updates: bool = True,
) -> Any:
    """Apply a function step by step, feeding back what it gave.

    Parameters
    ----------
    fn
        Takes the elements of the sequences, then earlier outputs, then `non_sequences`.
    sequences
        Tensors gone through along their first axis, or dicts with `input` and `taps`.
    outputs_info
        For each output its first value, or a dict with `initial` and `taps`, or None when it does
        not come back.
    non_sequences
        What every step gets.
    n_steps
        The number of steps; that of the shortest sequence by default.
    truncate_gradient
        Only -1: the gradient goes through all steps.
    go_backwards
        Go through the sequences from their end.
    mode, name, profile, allow_gc, strict
        Of Theano's compiler, without meaning here.
    return_list
        A list also of a single output.
    return_updates
        False for the outputs alone, as PyTensor has it.

    Returns
    -------
    outputs, updates
        The values of all steps along a new first axis (a list when there are several outputs), and
        an empty dict.
    """
    if truncate_gradient != -1:
        raise NotYetSupported(
            f"theano.scan: truncate_gradient={truncate_gradient}: the gradient goes through all "
            "steps. Leave it out."
        )
    note("theano.scan", "pytensor.scan, or a Python loop and pm.math.stack")
    rest = _listed(non_sequences)
    made = _scan(fn, sequences, outputs_info, rest, (n_steps, go_backwards))
    if isinstance(made, Deferred):
        single = not isinstance(outputs_info, (list, tuple)) or len(outputs_info) == 1
        outputs: Any = (
            Deferred(_only, (made,))
            if single
            else [Deferred(_nth, (made, k)) for k in range(len(outputs_info))]
        )
        outputs = [outputs] if single and return_list else outputs
    else:
        several, values = made
        outputs = values if (return_list or several and len(values) > 1) else values[0]
    return (outputs, {}) if return_updates else outputs


def map_(
    fn: Callable[..., Any], sequences: Any, non_sequences: Any = None, go_backwards: bool = False,
    **options: Any,
) -> Any:  # fmt: skip
    """Apply a function to every element.

    Parameters
    ----------
    fn, sequences, non_sequences, go_backwards
        As for `scan`.
    """
    return scan(fn, sequences, None, non_sequences, go_backwards=go_backwards, **options)


def reduce_(
    fn: Callable[..., Any], sequences: Any, outputs_info: Any, non_sequences: Any = None,
    go_backwards: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """The last outputs of a `scan`.

    Parameters
    ----------
    fn, sequences, outputs_info, non_sequences, go_backwards
        As for `scan`.
    """
    outputs, updates = scan(
        fn, sequences, outputs_info, non_sequences, go_backwards=go_backwards, **options
    )
    many = isinstance(outputs, list)
    return ([one[-1] for one in outputs] if many else outputs[-1]), updates


def foldl(fn: Any, sequences: Any, outputs_info: Any, non_sequences: Any = None, **o: Any) -> Any:
    """`reduce_` from the first element on."""
    return reduce_(fn, sequences, outputs_info, non_sequences, **o)


def foldr(fn: Any, sequences: Any, outputs_info: Any, non_sequences: Any = None, **o: Any) -> Any:
    """`reduce_` from the last element on."""
    return reduce_(fn, sequences, outputs_info, non_sequences, go_backwards=True, **o)


def until(condition: Any) -> Any:
    """Refused: the number of steps must be known.

    Parameters
    ----------
    condition
        When Theano would stop.
    """
    raise NotYetSupported(
        "theano.scan: until(condition): the number of steps must be known. Do them all, and keep "
        "the value with `tt.switch(condition, old, new)`."
    )


@lift
def ifelse(condition: Any, then_branch: Any, else_branch: Any, name: str | None = None) -> Any:
    """One of two expressions (or lists of them), as a condition says; both are computed.

    Parameters
    ----------
    condition
        A scalar.
    then_branch, else_branch
        Expressions of one shape.
    name
        Without meaning.
    """
    condition = ops.not_equal(condition, 0)
    if isinstance(then_branch, (list, tuple)):
        pairs = zip(then_branch, else_branch, strict=True)
        return [ops.where(condition, one, other) for one, other in pairs]
    return ops.where(condition, then_branch, else_branch)


def _nth(made: tuple[bool, list[Any]], k: int) -> Any:
    return made[1][k]


def _only(made: tuple[bool, list[Any]]) -> Any:
    if len(made[1]) != 1:
        raise ShapeError(
            f"theano.scan of symbolic inputs: fn gives {len(made[1])} outputs. Write outputs_info= "
            "with one entry for each; None for what does not come back."
        )
    return made[1][0]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _taps(given: Any, default: tuple[int, ...]) -> tuple[int, ...]:
    taps = given.get("taps", default)
    taps = default if taps is None else taps
    return tuple(taps) if isinstance(taps, (list, tuple)) else (int(taps),)


def _as_sequence(value: Any) -> _Sequence:
    given = value if isinstance(value, dict) else {"input": value}
    tensor = ops.as_tensor(given["input"])
    if not tensor.ndim:
        raise ShapeError(f"theano.scan: the sequence {tensor!r} is a scalar: put it among the "
                         "non_sequences.")  # fmt: skip
    return _Sequence(tensor, _taps(given, (0,)))


def _as_output(value: Any) -> _Output:
    given = value if isinstance(value, dict) else {"initial": value}
    initial = given.get("initial")
    if initial is None:
        return _Output([], ())
    taps = _taps(given, (-1,))
    if any(tap >= 0 for tap in taps):
        raise ParameterError(f"theano.scan: taps={list(taps)} of an output: expected values < 0.")
    if taps == (-1,):
        return _Output([ops.as_tensor(initial)], taps)
    initial = ops.as_tensor(initial)
    reach = -min(taps)
    if not initial.ndim or len(initial) < reach:
        raise ShapeError(
            f"theano.scan: taps={list(taps)} need {reach} first values along the first axis, got "
            f"{initial!r}."
        )
    return _Output([initial[k] for k in range(reach)], taps)


def _number_of_steps(n_steps: Any, going: Sequence[_Sequence]) -> int:
    lengths = [one.length for one in going]
    if n_steps is None:
        if not lengths:
            raise ParameterError("theano.scan: neither sequences nor n_steps: how many steps?")
        return min(lengths)
    if isinstance(n_steps, Tensor):
        value = ops.constant_value(n_steps)
        if value is None and n_steps.node.op.name == "data":
            value = n_steps.node.attrs[0].value
        if value is None:
            raise NotYetSupported(
                f"theano.scan: n_steps={n_steps!r} is symbolic; the number of steps must be known "
                "when the model is written."
            )
        n_steps = value
    if isinstance(n_steps, Size):
        return n_steps
    steps = abs(int(np.asarray(n_steps)))
    if lengths and min(lengths) < steps:
        raise ShapeError(f"theano.scan: n_steps={steps}, but a sequence has {min(lengths)} steps.")
    return steps


def _results(made: Any) -> tuple[bool, list[Any]]:
    """What one step gave, without updates; and whether it is a list."""
    if isinstance(made, (list, tuple)) and len(made) == 2 and _is_updates(made[1]):
        _no_updates(made[1])
        made = made[0]
    if isinstance(made, dict):
        _no_updates(made)
        made = []
    if isinstance(made, (list, tuple)):
        return True, [_tensor(one) for one in made]
    return False, [_tensor(made)]


def _is_updates(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, (list, tuple))
        and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value)
    )


def _no_updates(updates: Any) -> None:
    if updates:
        raise NotYetSupported(
            "theano.scan: fn returns updates of shared variables: return the new values as outputs "
            "and feed them back with outputs_info."
        )


def _tensor(value: Any) -> Any:
    return value if isinstance(value, Deferred) else ops.as_tensor(value)
