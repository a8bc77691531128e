"""What all step methods share: which variables they move, how several make one, how they are named.

A step method is a plain description that a user can make by hand: the class says what is done, its
attributes how, `vars` to which variables. It becomes a C++ kernel when `sample` starts (`kernel`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum, unique
from typing import Any, ClassVar

from finetti.errors import ModelError, NotYetSupported, ParameterError, did_you_mean
from finetti.infer.steps.workplace import Workplace
from finetti.ir import Tensor
from finetti.model.context import modelcontext
from finetti.model.variables import VarList

# PyMC's keywords of every step that choose among its machinery, or are set again by `sample`
NEUTRAL = ("rng", "initial_point", "compile_kwargs", "mode", "profile", "blocked")


@unique
class Competence(IntEnum):
    """How well a step method suits a variable."""

    INCOMPATIBLE = 0
    COMPATIBLE = 1
    PREFERRED = 2
    IDEAL = 3


class BlockedStep:
    """A step method: moves some variables with the others given.

    Parameters
    ----------
    vars : list of tensors, optional
        The variables, or their unconstrained values.
    model : Model, optional
        The open model by default.
    **kwargs
        PyMC's keywords that have no meaning here: those that only choose among its compilers and
        random generators are accepted, others refused.
    """

    name: ClassVar[str] = ""
    default_blocked: ClassVar[bool] = True
    discrete_only: ClassVar[bool] = False
    continuous_only: ClassVar[bool] = False
    stats_dtypes_shapes: ClassVar[dict[str, Any]] = {}
    generates_stats = True
    chosen = True  # whether the user named the variables
    vars: VarList
    names: list[str]
    model: Any

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        blocked = kwargs.get("blocked")
        blocked = cls.default_blocked if blocked is None else blocked
        if blocked or issubclass(cls, CompoundStep):
            return super().__new__(cls)
        given = args[0] if args else kwargs.get("vars")
        model = modelcontext(kwargs.get("model"))
        names = cls._names(given, model)
        if len(names) < 2:
            return super().__new__(cls)
        rest = {key: value for key, value in kwargs.items() if key != "vars"}
        methods = [cls([model[name]], *args[1:], **rest) for name in names]
        for method in methods:
            method.chosen = given is not None
        return CompoundStep(methods)

    def __init__(self, vars: Any = None, model: Any = None, **kwargs: Any) -> None:
        where = type(self).__name__
        for keyword, value in kwargs.items():
            if keyword not in NEUTRAL:
                raise NotYetSupported(f"{where}: {keyword}={value!r} is not there yet.")
        model = modelcontext(model)
        names = self._names(vars, model)
        self.chosen = vars is not None
        self._take(names, model)

    def _take(self, names: Sequence[str], model: Any) -> None:
        self.model, self.names = model, list(names)
        self.vars = VarList(model.rvs_to_values[model.root[name]] for name in names)

    @classmethod
    def _names(cls, vars: Any, model: Any) -> list[str]:
        names = variable_names(vars, model, cls.__name__)
        discrete = {rv.name for rv in model.root.free_RVs if rv.dtype.kind != "f"}
        if vars is None and cls.continuous_only:
            names = [name for name in names if name not in discrete]
        if vars is None and cls.discrete_only:
            names = [name for name in names if name in discrete]
        kind = "discrete" if cls.discrete_only else "continuous"
        for name in names:
            wrong = name in discrete if cls.continuous_only else name not in discrete
            if wrong and (cls.continuous_only or cls.discrete_only):
                other = "continuous" if cls.discrete_only else "discrete"
                raise ParameterError(
                    f"{cls.__name__}: {name!r} is {other}, and this step moves {kind} variables "
                    "only. Name others in `vars=`, or leave it to `sample`, which finds a step for "
                    "every variable that has none."
                )
        if not names:
            raise ModelError(f"{cls.__name__}: the model has no free {kind} variables to move.")
        return names

    @property
    def var_names(self) -> tuple[str, ...]:
        """Names of the unconstrained values it moves."""
        return tuple(str(value.name) for value in self.vars)

    def without(self, names: Iterable[str]) -> BlockedStep | None:
        """The same step for its other variables; None when there are none."""
        left = [name for name in self.names if name not in set(names)]
        if left == self.names:
            return self
        if not left:
            return None
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin._take(left, self.model)
        return twin

    def kernel(self, place: Workplace) -> Any:
        """The C++ step."""
        raise NotImplementedError(f"{type(self).__name__}.kernel")

    @classmethod
    def competence(cls, var: Any, has_grad: bool = True) -> Competence:
        """How well it suits a variable."""
        return Competence.INCOMPATIBLE

    def stop_tuning(self) -> None:
        """For Python steps: called when the warm-up is over."""
        if "tune" in self.__dict__:
            self.__dict__["tune"] = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}: [{', '.join(self.names)}]"


class CompoundStep(BlockedStep):
    """Several step methods, one after another in every draw.

    Parameters
    ----------
    methods : list of step methods
        In order.
    """

    name = "compound"

    def __init__(self, methods: Iterable[Any], **kwargs: Any) -> None:
        self.methods = list(methods)
        self.tune = True

    @property
    def names(self) -> list[str]:  # type: ignore[override]
        """Names of all variables they move."""
        return [name for method in self.methods for name in method.names]

    @property
    def vars(self) -> VarList:  # type: ignore[override]
        """The unconstrained values they move."""
        return VarList(var for method in self.methods for var in method.vars)

    def without(self, names: Iterable[str]) -> BlockedStep | None:
        left = [method.without(names) for method in self.methods]
        kept = [method for method in left if method is not None]
        if len(kept) < 2:
            return kept[0] if kept else None
        return CompoundStep(kept)

    def __repr__(self) -> str:
        return f"CompoundStep: {self.methods!r}"


def variable_names(vars: Any, model: Any, where: str) -> list[str]:
    """Names of free variables from variables, their unconstrained values, or names; all for None.

    Raises
    ------
    ModelError
        For what is no free variable of the model.
    """
    root = model.root
    known = {rv.name: rv.name for rv in root.free_RVs}
    if vars is None:
        return list(known)
    known |= {root.rvs_to_values[rv].name: rv.name for rv in root.free_RVs}
    names = []
    for var in [vars] if isinstance(vars, (str, Tensor)) else vars:
        name = var if isinstance(var, str) else getattr(var, "name", None)
        if name not in known and isinstance(var, str):
            name = model.name_for(var)
        if name not in known:
            shown = repr(name if name is not None else var)
            raise ModelError(
                f"{where}: {shown} in vars= is no free variable of the model. "
                f"{did_you_mean(str(name), known)}"
            )
        if known[name] not in names:
            names.append(known[name])
    return names


def flattened(step: BlockedStep) -> list[BlockedStep]:
    """The step methods of a hierarchy, in order."""
    if not isinstance(step, CompoundStep):
        return [step]
    return [inner for method in step.methods for inner in flattened(method)]


def hierarchy(step: Any, level: int = 0) -> list[str]:
    """What the log says of a step, PyMC's way."""
    if not isinstance(step, CompoundStep):
        return [f"{'>' * level}{step!r}"]
    lines = [f"{'>' * level}CompoundStep"]
    for method in step.methods:
        lines += hierarchy(method, level + 1)
    return lines
