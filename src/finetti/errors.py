"""The few kinds of error finetti raises.

Every message says where, what came, what was expected, and how to fix it.
"""

from __future__ import annotations

import difflib
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any


class FinettiError(Exception):
    """Base of every error that finetti raises on purpose."""


class ShapeError(FinettiError, ValueError):
    """Shapes that do not fit together."""


class DtypeError(FinettiError, TypeError):
    """A dtype that the operation cannot take."""


class ParameterError(FinettiError, TypeError, ValueError):
    """Unknown, missing or contradictory arguments."""


class SupportError(FinettiError, ValueError):
    """Data or values outside the support of their distribution."""


class DimsError(FinettiError, ValueError):
    """Unknown or contradictory dims and coords."""


class ModelError(FinettiError, ValueError):
    """A model put together wrongly: no context, a duplicate name, an unknown variable."""


class InitialPointError(FinettiError, ValueError):
    """The log density or its gradient is not finite where sampling would start."""


class TracedValueError(FinettiError, TypeError):
    """Python asked for the value of a tensor that only has one after sampling."""

    # How an operator goes on with an operand that has no shape yet: postponed(function, args).
    postponed: Callable[..., Any] | None = None


class CompileError(FinettiError, RuntimeError):
    """A graph that the backend could not turn into code."""


class SamplingError(FinettiError, RuntimeError):
    """The sampler could not go on."""


class NotYetSupported(FinettiError, NotImplementedError, AttributeError):
    """Something that PyMC or NumPyro has and finetti does not have yet."""


class MissingPackageError(FinettiError, ModuleNotFoundError):
    """An optional package that is not installed."""


def optional_package(module: str, purpose: str, install: str) -> Any:
    """An optional module.

    Parameters
    ----------
    module
        Its dotted name.
    purpose
        What needs it, the subject of a sentence: "plots".
    install
        What to install: "finetti[plots]".

    Raises
    ------
    MissingPackageError
        With the command that installs it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        name = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != name:
            raise  # it is there, and broken
        raise MissingPackageError(
            f"{purpose} need {name}, which is not installed: `pip install {install}`.", name=name
        ) from None


def nearest(word: str, valid: Iterable[str], count: int = 3) -> list[str]:
    """The names in `valid` that look most like `word`, best first."""
    names = list(valid)
    lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower(), list(lower), n=count, cutoff=0.5)
    return [lower[name] for name in close]


def did_you_mean(word: str, valid: Iterable[str]) -> str:
    """A sentence that offers the nearest valid names, or lists them all."""
    names = list(valid)
    close = nearest(word, names)
    if close:
        return f"Did you mean {' or '.join(repr(name) for name in close)}?"
    return f"Valid names: {', '.join(sorted(names)) or 'none'}."


_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the user's own line: the nearest one outside of finetti."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
