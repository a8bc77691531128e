"""Slice sampling."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti import _core
from finetti.errors import ParameterError, ShapeError
from finetti.infer.steps.compound import BlockedStep, Competence
from finetti.infer.steps.gibbs import elements_of
from finetti.infer.steps.workplace import Workplace

__all__ = ["Slice"]


def _count(value: Any, keyword: str) -> int:
    if isinstance(value, bool) or value != int(value) or value < 1:
        raise ParameterError(f"Slice: {keyword}={value!r}: expected a whole number >= 1.")
    return int(value)


class Slice(BlockedStep):
    """Slice sampling of every element by itself (Neal 2003), one step for each variable.

    Parameters
    ----------
    vars : list of tensors, optional
        What to move; every continuous variable by default.
    w : float or array_like
        First width of the interval.
    tune : bool
        Whether the warm-up tunes it.
    model : Model, optional
        The open model by default.
    max_steps : int
        An interval grows to at most so many widths.
    iter_limit : int, optional
        PyMC3's: more iterations for one element are an error.
    **kwargs
        PyMC's: blocked, rng, initial_point and compile_kwargs.
    """

    name = "slice"
    default_blocked = False
    continuous_only = True
    stats_dtypes_shapes = dict.fromkeys(("nstep_out", "nstep_in"), (int, []))

    def __init__(  # noqa: PLR0913, a user's keywords as PyMC spells them
        self,
        vars: Any = None,
        w: Any = 1.0,
        tune: bool = True,
        model: Any = None,
        max_steps: int = 100,
        iter_limit: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(vars, model, **kwargs)
        self.w, self.tune = np.asarray(w, float), bool(tune)
        if not self.w.size or not np.all((self.w > 0) & np.isfinite(self.w)):
            raise ParameterError(f"Slice: w={w!r}: expected positive numbers.")
        self.max_steps = _count(max_steps, "max_steps")
        self.iter_limit = 0 if iter_limit in (None, np.inf) else _count(iter_limit, "iter_limit")

    def kernel(self, place: Workplace) -> Any:
        part = place.conditional(self.names)
        if self.w.size not in (1, part.size):
            raise ShapeError(
                f"{self!r}: w has {self.w.size} numbers for {part.size} elements: give one number, "
                f"or {part.size} of them."
            )
        how = elements_of(part, 1)
        step = _core.SliceStep(*place.map(how.output, part.index))
        how.settle(step)
        step.w = [float(v) for v in np.broadcast_to(self.w.ravel(), (part.size,))]
        step.tune, step.max_steps, step.iter_limit = self.tune, self.max_steps, self.iter_limit
        return step

    @classmethod
    def competence(cls, var: Any, has_grad: bool = True) -> Competence:
        if var.dtype.kind != "f":
            return Competence.INCOMPATIBLE
        return Competence.COMPATIBLE if has_grad or var.ndim else Competence.PREFERRED
