"""Which model is being written: a stack for each thread and asynchronous task."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from finetti.errors import ModelError

if TYPE_CHECKING:
    from finetti.model.model import Model

# A tuple, so that a task that copies the context never sees another task's pushes.
_stack: ContextVar[tuple[Model, ...]] = ContextVar("finetti_models", default=())


def push(model: Model) -> None:
    """Make `model` the current one."""
    _stack.set((*_stack.get(), model))


def pop() -> None:
    """Go back to the model before."""
    _stack.set(_stack.get()[:-1])


def current(error_if_none: bool = True) -> Model | None:
    """The innermost open model.

    Raises
    ------
    ModelError
        When there is none and `error_if_none`.
    """
    stack = _stack.get()
    if stack:
        return stack[-1]
    if error_if_none:
        raise ModelError(
            "there is no open model: write this inside a `with pm.Model() as model:` block, or "
            "pass `model=`. For a variable outside of any model use `pm.Normal.dist(...)`."
        )
    return None


def modelcontext(model: Model | None = None) -> Model:
    """`model` itself, or the innermost open model when it is None."""
    if model is None:
        found: Any = current()
        return found
    if not hasattr(model, "register_rv"):
        raise ModelError(
            f"model={model!r} is no model: expected what `pm.Model()` returns, or None inside a "
            "`with` block."
        )
    return model
