"""Names that NumPy, SciPy, pandas, seaborn, matplotlib and Python have dropped."""

from __future__ import annotations

import builtins
import collections.abc
import datetime
import functools
import math
import operator
import time
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from finetti.dialects.notes import note
from finetti.dialects.shims.patching import Undo, answer_missing, put, put_missing
from finetti.errors import ParameterError

Row = tuple[Callable[[], Any], str]

_BUILTIN = ("float", "int", "bool", "object", "str", "complex")
_NUMPY_NOW = {
    "product": "prod", "cumproduct": "cumprod", "trapz": "trapezoid", "row_stack": "vstack",
    "alltrue": "all", "sometrue": "any", "NaN": "nan", "NAN": "nan", "Inf": "inf",
    "Infinity": "inf", "infty": "inf", "PINF": "inf", "float_": "float64", "complex_": "complex128",
    "cfloat": "complex128", "singlecomplex": "complex64", "longfloat": "longdouble",
    "unicode_": "str_", "string_": "bytes_", "round_": "round", "mat": "asmatrix",
}  # fmt: skip
_NUMPY_MADE: dict[str, Row] = {
    "long": (lambda: int, "int"),
    "unicode": (lambda: str, "str"),
    "NINF": (lambda: -np.inf, "-np.inf"),
    "PZERO": (lambda: 0.0, "0.0"),
    "NZERO": (lambda: -0.0, "-0.0"),
    "asscalar": (lambda: lambda a: np.asarray(a).item(), "a.item()"),
    "asfarray": (lambda: lambda a, dtype=np.float64: np.asarray(a, dtype), "np.asarray(a, float)"),
    "in1d": (lambda: lambda a, b, **o: np.isin(np.ravel(a), b, **o), "np.isin"),
    "msort": (lambda: lambda a: np.sort(a, axis=0), "np.sort(a, axis=0)"),
    "math": (lambda: math, "import math"),
    "warnings": (lambda: warnings, "import warnings"),
    "issubclass_": (lambda: issubclass, "issubclass"),
}


def numpy(module: ModuleType) -> list[Undo]:
    """`np.float` and the like."""
    rows: dict[str, Row] = {
        name: (functools.partial(getattr, builtins, name), name) for name in _BUILTIN
    }
    for old, new in _NUMPY_NOW.items():
        if hasattr(module, new):
            rows[old] = (functools.partial(getattr, module, new), f"np.{new}")
    rows |= _NUMPY_MADE
    return answer_missing(module, {name: row for name, row in rows.items() if name not in
                                   vars(module)})  # fmt: skip


def numpy_random(module: ModuleType) -> list[Undo]:
    """`np.random.random_integers`."""

    def random_integers(low: int, high: int | None = None, size: Any = None) -> Any:
        first, last = (1, low) if high is None else (low, high)
        return np.random.randint(first, last + 1, size)

    today = "np.random.randint(low, high + 1)"
    if "random_integers" in vars(module):
        return []
    return answer_missing(module, {"random_integers": (lambda: random_integers, today)})


def _renamed(names: dict[str, str]) -> Callable[[ModuleType], list[Undo]]:
    """Names of a module that are called otherwise now."""

    def change(module: ModuleType) -> list[Undo]:
        rows = {
            old: (functools.partial(operator.attrgetter(new), module), f"{module.__name__}.{new}")
            for old, new in names.items()
            if old not in vars(module)
        }
        return answer_missing(module, rows)

    return change


scipy_integrate = _renamed(
    {"simps": "simpson", "cumtrapz": "cumulative_trapezoid", "trapz": "trapezoid"}
)
scipy_signal = _renamed({"gaussian": "windows.gaussian", "hann": "windows.hann"})
scipy_linalg = _renamed({"pinv2": "pinv"})


def python_collections(module: ModuleType) -> list[Undo]:
    """`collections.Iterable` and the like."""
    rows: dict[str, Row] = {
        name: (functools.partial(getattr, collections.abc, name), f"collections.abc.{name}")
        for name in collections.abc.__all__
        if name not in vars(module)
    }
    return answer_missing(module, rows)


def python_time(module: ModuleType) -> list[Undo]:
    """`time.clock`."""
    return answer_missing(module, {"clock": (lambda: time.perf_counter, "time.perf_counter")})


# -- SciPy's module of odds and ends --------------------------------------------------------------


def scipy_misc() -> ModuleType:
    """`scipy.misc`, with what tutorials took from it."""
    special = import_module("scipy.special")  # heavy, and rarely asked for

    module = ModuleType("scipy.misc", "What scipy.misc had, from where it is now.")
    names = ("logsumexp", "factorial", "factorial2", "factorialk", "comb")
    vars(module).update({name: getattr(special, name) for name in names}, derivative=derivative)
    note("scipy.misc", "scipy.special")
    return module


def derivative(
    func: Callable[..., Any], x0: Any, dx: float = 1.0, n: int = 1, args: Any = (), order: int = 3
) -> Any:
    """A derivative from differences, as SciPy had it.

    Parameters
    ----------
    func, x0, args
        The function, where, and its further arguments.
    dx
        The distance of the points.
    n
        Which derivative.
    order
        The number of points, odd.
    """
    if order % 2 == 0 or order < n + 1:
        raise ParameterError(f"derivative: order={order}: expected an odd number above n={n}.")
    steps = np.arange(order) - order // 2
    powers = np.vander(steps, increasing=True).T
    weights = np.linalg.solve(powers, np.eye(order)[n] * math.factorial(n))
    terms = [w * func(x0 + k * dx, *args) for w, k in zip(weights, steps, strict=True)]
    return functools.reduce(np.add, terms) / dx**n


# -- pandas ---------------------------------------------------------------------------------------


class _Ix:
    """`frame.ix[...]`: labels, and positions where no label fits."""

    def __init__(self, frame: Any):
        self._frame = frame

    def __getitem__(self, key: Any) -> Any:
        note("frame.ix[...]", "frame.loc[...], or frame.iloc[...]")
        try:
            return self._frame.loc[key]
        except (KeyError, TypeError):
            return self._frame.iloc[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        note("frame.ix[...] = value", "frame.loc[...] = value")
        self._frame.loc[key] = value


def pandas(module: ModuleType) -> list[Undo]:
    """`.ix`, `.append`, `.as_matrix`, `.iteritems`, `pd.np`, `pd.datetime`."""
    concat: Any = vars(module)["concat"]

    def append(self: Any, other: Any, ignore_index: bool = False, verify_integrity: bool = False,
               sort: bool = False) -> Any:  # fmt: skip
        note("frame.append(other)", "pd.concat([frame, other])")
        if isinstance(other, dict):
            other = module.DataFrame([other])  # type: ignore[attr-defined]
        elif isinstance(other, module.Series) and isinstance(self, module.DataFrame):  # type: ignore[attr-defined]
            other = other.to_frame().T
        parts = [self, *(other if isinstance(other, (list, tuple)) else [other])]
        options: dict[str, Any] = {"sort": sort} if isinstance(self, module.DataFrame) else {}  # type: ignore[attr-defined]
        return concat(parts, ignore_index=ignore_index, verify_integrity=verify_integrity,
                      **options)  # fmt: skip

    def as_matrix(self: Any, columns: Sequence[Any] | None = None) -> Any:
        note("frame.as_matrix()", "frame.to_numpy()")
        return (self if columns is None else self[columns]).to_numpy()

    def iteritems(self: Any) -> Any:
        note("frame.iteritems()", "frame.items()")
        return self.items()

    undo: list[Undo] = []
    for name in ("DataFrame", "Series"):
        undo += put_missing(
            vars(module)[name],
            {"ix": property(_Ix), "append": append, "as_matrix": as_matrix, "iteritems": iteritems},
        )
    rows: dict[str, Row] = {
        "np": (lambda: np, "import numpy as np"),
        "datetime": (lambda: datetime.datetime, "datetime.datetime"),
    }
    return undo + answer_missing(module, rows)


# -- seaborn and matplotlib -----------------------------------------------------------------------


def seaborn(module: ModuleType) -> list[Undo]:
    """`sns.factorplot`."""
    if "factorplot" in vars(module):
        return []
    catplot = functools.partial(vars(module)["catplot"], kind="point")
    return answer_missing(module, {"factorplot": (lambda: catplot, "sns.catplot(kind='point')")})


def matplotlib_style(module: ModuleType) -> list[Undo]:
    """`plt.style.use("seaborn-darkgrid")`."""
    library, available = vars(module)["library"], vars(module)["available"]
    new = [name for name in library if name.startswith("seaborn-v0_8")]
    old = {name.replace("-v0_8", ""): name for name in new}
    added = {name: library[today] for name, today in old.items() if name not in library}
    library.update(added)
    available.extend(added)

    def undo() -> None:
        for name in added:
            library.pop(name, None)
            if name in available:
                available.remove(name)

    return [undo]


def matplotlib_axes(module: ModuleType) -> list[Undo]:
    """`hist(normed=True)`."""
    original = vars(module)["Axes"].hist

    @functools.wraps(original)
    def hist(self: Any, *args: Any, **kwargs: Any) -> Any:
        if "normed" in kwargs:
            note("hist(normed=...)", "hist(density=...)", through_libraries=True)
            kwargs["density"] = bool(kwargs.pop("normed"))
        return original(self, *args, **kwargs)

    return [put(vars(module)["Axes"], "hist", hist)]
