"""Steps that users write in Python: PyMC's base classes, and how a chain calls them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from finetti import _core
from finetti.errors import ParameterError, SamplingError
from finetti.infer.steps.compound import BlockedStep, Competence, CompoundStep, variable_names
from finetti.infer.steps.workplace import Workplace
from finetti.model.context import modelcontext
from finetti.model.forward import stream
from finetti.model.variables import VarList

__all__ = [
    "ArrayStep", "ArrayStepShared", "BlockedStep", "Competence", "CompoundStep", "RaveledVars",
    "metrop_select",
]  # fmt: skip

Array = npt.NDArray[Any]
Point = dict[str, Array]


class RaveledVars(np.ndarray[Any, Any]):
    """The values of a step's variables in one vector, with PyMC's `data` and `point_map_info`.

    Parameters
    ----------
    data : array_like
        The vector.
    point_map_info : tuple
        (name, shape, size, dtype) of each variable.
    """

    point_map_info: tuple[Any, ...]

    def __new__(cls, data: Any, point_map_info: tuple[Any, ...] = ()) -> RaveledVars:
        array = np.array(data).view(cls)
        array.point_map_info = point_map_info
        return array

    def __array_finalize__(self, source: Any) -> None:
        self.point_map_info = getattr(source, "point_map_info", ())

    @property
    def data(self) -> Array:  # type: ignore[override]
        """The plain vector."""
        return np.asarray(self)


def metrop_select(mr: Any, q: Any, q0: Any, rng: Any = None) -> tuple[Any, bool]:
    """Accept `q` with probability ``min(1, exp(mr))``, else keep `q0`.

    Parameters
    ----------
    mr : float
        Log ratio of the densities.
    q, q0 : array_like
        The proposed and the present point.
    rng : numpy.random.Generator, optional
        Where the uniform number comes from.
    """
    uniform = (np.random if rng is None else rng).uniform()
    accepted = bool(np.isfinite(mr) and np.log(uniform) < mr)
    return (q if accepted else q0), accepted


class ArrayStep(BlockedStep):
    """The base of steps in Python: `astep` moves the vector of the variables' values.

    Parameters
    ----------
    vars : list of tensors
        What it moves.
    fs : list of callables, optional
        Functions of a point; `astep` gets them as functions of the vector.
    allvars : bool
        Hand the whole point to `astep` too, last.
    blocked : bool
        One step for all variables.
    model : Model, optional
        The open model by default.
    **kwargs
        PyMC's: rng, initial_point and compile_kwargs.
    """

    name = "array_step"

    def __init__(
        self,
        vars: Any = None,
        fs: Sequence[Callable[..., Any]] = (),
        allvars: bool = False,
        blocked: bool = True,
        model: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(vars, model, **kwargs)
        self.fs, self.allvars, self.blocked = list(fs or ()), allvars, blocked
        self.rng = np.random.default_rng()

    def astep(self, apoint: RaveledVars, *args: Any) -> Any:
        """One move: the new vector, or the vector and a list of one dict of statistics."""
        raise NotImplementedError(f"{type(self).__name__} has no astep")

    def step(self, point: Point) -> Any:
        """One move of a point: the new point, and a list of one dict of statistics."""
        info = tuple((name, point[name].shape, point[name].size, point[name].dtype)
                     for name in self.var_names)  # fmt: skip
        q = RaveledVars(np.concatenate([point[name].ravel() for name in self.var_names]), info)
        functions: list[Any] = [lambda x, f=f: f(_unraveled(x, info, point)) for f in self.fs]
        extra = [point] if self.allvars else []
        result = self.astep(q, *functions, *extra)
        moved, stats = result if isinstance(result, tuple) else (result, [])
        return _unraveled(moved, info, point), stats

    def kernel(self, place: Workplace) -> Any:
        return python_kernel(self, place)


class ArrayStepShared(ArrayStep):
    """PyMC's faster base, whose second argument is a dict of shared variables.

    Parameters
    ----------
    vars : list of tensors
        What it moves.
    shared : dict
        PyMC's; kept as it is.
    blocked : bool
        One step for all variables.
    **kwargs
        model, and PyMC's rng, initial_point and compile_kwargs.
    """

    def __init__(
        self, vars: Any = None, shared: Any = None, blocked: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(vars, blocked=blocked, **kwargs)
        self.shared = shared


def _unraveled(x: Any, info: Sequence[Any], point: Point) -> Point:
    flat, moved, start = np.asarray(x).ravel(), dict(point), 0
    for name, shape, size, dtype in info:
        moved[name] = flat[start : start + size].reshape(shape).astype(dtype)
        start += size
    return moved


class Foreign(BlockedStep):
    """An object that is no subclass of ours, but moves points.

    Parameters
    ----------
    inner : object
        With `vars`, and `step(point)` or `astep(q)`.
    model : Model
        Whose variables it moves.
    """

    name = "foreign"

    def __init__(self, inner: Any, model: Any) -> None:
        self.inner = inner
        self._take(variable_names(inner.vars, model, type(inner).__name__), model)

    def without(self, names: Any) -> BlockedStep | None:
        return self  # it has its own list of variables

    def kernel(self, place: Workplace) -> Any:
        return python_kernel(self.inner, place, self)

    def __repr__(self) -> str:
        return f"{type(self.inner).__name__}: [{', '.join(self.names)}]"


def as_step(step: Any, model: Any) -> BlockedStep:
    """What a user gave for a step, as one.

    Raises
    ------
    ParameterError
        When it is none.
    """
    # a subclass with only `vars` and `step(point)`, as tutorials write it, is none of ours
    if isinstance(step, CompoundStep) or (
        isinstance(step, BlockedStep) and type(step).kernel is not BlockedStep.kernel
    ):
        return step
    if isinstance(step, (list, tuple)):
        return CompoundStep([as_step(part, model) for part in step])
    if isinstance(step, type) and (issubclass(step, BlockedStep) or hasattr(step, "step")):
        raise ParameterError(
            f"sample: step={step.__name__} is a class: make one of it, e.g. `pm.{step.__name__}()`."
        )
    if hasattr(step, "vars") and (hasattr(step, "step") or hasattr(step, "astep")):
        return Foreign(step, modelcontext(model))
    raise ParameterError(
        f"sample: step={step!r}: expected a step method such as `pm.Metropolis()`, an object with "
        "`vars` and `step(point)`, or a list of them."
    )


# -- calls from a chain --------------------------------------------------------------------------


class PythonChains:
    """Calls a Python step for every chain: each chain has a copy of its own.

    Parameters
    ----------
    step : object
        With `step(point)` or `astep(q)`.
    place : Workplace
        Number of chains, the seed, and how points lie in a vector.
    names : sequence of str
        Names of the unconstrained values it moves.
    label : str
        For messages.
    """

    def __init__(self, step: Any, place: Workplace, names: Sequence[str], label: str) -> None:
        self.label = label
        layout = place.layout
        self._layout = layout
        self._parts = list(
            zip(layout.names, layout.slices, layout.shapes, layout.dtypes, strict=True)
        )
        self._names = list(names)
        self._steps = [_copied(step) for _ in range(place.chains)]
        self._tuning = [True] * place.chains
        self.stats = _stat_names(step)
        self.error: BaseException | None = None
        for chain, own in enumerate(self._steps):
            if isinstance(own, ArrayStep):
                own.rng = stream(place.seed, f"step {'/'.join(names)}, chain {chain}")

    def __call__(self, chain: int, draw: int, tuning: bool, x: Array) -> Any:
        try:
            return self._move(chain, tuning, x)
        except BaseException as error:  # handed to the user as it is, once the threads are done
            self.error = self.error or error
            raise

    def _move(self, chain: int, tuning: bool, x: Array) -> Any:
        step = self._steps[chain]
        if self._tuning[chain] and not tuning:
            self._tuning[chain] = False
            if hasattr(step, "stop_tuning"):
                step.stop_tuning()
        point = {n: x[part].reshape(shape).astype(d) for n, part, shape, d in self._parts}
        result = step.step(point) if hasattr(step, "step") else self._by_astep(step, point)
        moved, stats = result if isinstance(result, tuple) else (result, {})
        if not isinstance(moved, Mapping):
            raise SamplingError(
                f"{type(step).__name__}.step returned {type(moved).__name__}: expected the new "
                "point, a dict, or the point and its statistics."
            )
        row = stats if isinstance(stats, Mapping) else (stats[0] if stats else {})
        return self._packed(point, moved, x, type(step).__name__), {
            key: float(row[key]) for key in self.stats if key in row
        }

    def _packed(self, point: Point, moved: Mapping[str, Any], x: Array, where: str) -> Array:
        if moved.keys() - point.keys() or any(
            np.shape(moved[name]) != shape for name, _, shape, _ in self._parts if name in moved
        ):
            return self._layout.pack({**point, **moved}, where)  # raises, with words
        new = np.array(x, float)
        for name, part, _, _ in self._parts:
            if name in moved:
                new[part] = np.ravel(moved[name])
        return new

    def _by_astep(self, step: Any, point: Point) -> Any:
        names = self._names
        info = tuple((n, point[n].shape, point[n].size, point[n].dtype) for n in names)
        q = RaveledVars(np.concatenate([point[name].ravel() for name in names]), info)
        result = step.astep(q)
        moved, stats = result if isinstance(result, tuple) else (result, {})
        return _unraveled(moved, info, point), stats


def python_kernel(step: Any, place: Workplace, owner: BlockedStep | None = None) -> Any:
    """The kernel that calls a Python step."""
    owner = step if owner is None else owner
    part = place.conditional(owner.names)
    kernel = _core.PythonStep(0, [0] * place.chains, part.index.tolist())
    calls = PythonChains(step, place, [v.value_name for v in part.values], repr(owner))
    kernel.stats = calls.stats
    kernel.call = calls
    place.keep.append(calls)
    return kernel


def _copied(step: Any) -> Any:
    """A chain's own copy: what the step remembers is copied, models and tensors are shared."""
    twin = copy.copy(step)
    for key, value in vars(step).items():
        if isinstance(value, (list, dict, set, np.ndarray, np.random.Generator)):
            shared = isinstance(value, VarList) or key in ("fs", "vars")
            setattr(twin, key, value if shared else copy.deepcopy(value))
    return twin


def _stat_names(step: Any) -> list[str]:
    shapes = getattr(step, "stats_dtypes_shapes", None) or {}
    older = getattr(step, "stats_dtypes", None) or []
    return [*shapes, *(name for row in older for name in row if name not in shapes)]
