"""Answer `import pymc` with finetti, in a process that asked for it.

A finder at the front of `sys.meta_path` looks the first part of a module's name up in `TABLE`: a
dialect answers with its own modules, a refused name raises when it is loaded. Nothing happens
before `activate`, and `deactivate` takes everything back.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

from finetti.errors import FinettiError


class ModuleNotYetSupported(FinettiError, ModuleNotFoundError, NotImplementedError):
    """A module that a script imports and finetti does not have yet.

    It is an ImportError, so that `try: import ... except ImportError:` keeps its meaning.
    """


@dataclass(frozen=True)
class Dialect:
    """A module name that finetti answers.

    Parameters
    ----------
    package
        The package that answers. Its function `module(name)` gives the module for a dotted name
        below it (empty for the top), or raises `LookupError` with what to write instead.
    """

    package: str


@dataclass(frozen=True)
class Refused:
    """A module name that finetti knows and does not answer yet; `reason` is a full sentence."""

    reason: str


_THEANO = (
    "Write the model with pymc and NumPy functions (np.exp(x), x @ y work on finetti's tensors); "
    "the {} dialect is planned."
)

TABLE: dict[str, Dialect | Refused] = {
    "pymc": Dialect("finetti.dialects.pymc"),
    "pymc3": Refused(
        "The PyMC3 dialect is planned. Until then write `import pymc as pm`, `sigma=` for `sd=` "
        "and `initval=` for `testval=`."
    ),
    "pytensor": Refused(_THEANO.format("pytensor")),
    "aesara": Refused(_THEANO.format("aesara")),
    "theano": Refused(_THEANO.format("theano")),
    "numpyro": Refused("The NumPyro dialect is planned. Until then write the model with pymc."),
}


def activate() -> None:
    """Answer `import pymc` (and what else `TABLE` lists) with finetti from now on.

    For notebooks and programs that cannot be started by `finetti run`. Call it before the imports;
    calling it again changes nothing.
    """
    if _finder not in sys.meta_path:
        _finder.take_over()
        sys.meta_path.insert(0, _finder)


def deactivate() -> None:
    """Take back what `activate` did."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
        _finder.give_back()


@contextmanager
def activated() -> Iterator[None]:
    """`activate` for the length of a with-block."""
    already = _finder in sys.meta_path
    activate()
    try:
        yield
    finally:
        if not already:
            deactivate()


class DialectFinder(importlib.abc.MetaPathFinder):
    """The finder on `sys.meta_path`; remembers what to take back."""

    def __init__(self) -> None:
        self._answered: set[str] = set()
        self._displaced: dict[str, ModuleType] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a module that `TABLE` answers for; None for every other."""
        top, _, rest = fullname.partition(".")
        row = TABLE.get(top)
        if row is None:
            return None
        loader: importlib.abc.Loader
        if isinstance(row, Refused):
            # raising waits for the load: who only looks whether the module exists goes on
            loader = _RefusingLoader(f"{fullname} is not supported yet. {row.reason}")
            return importlib.machinery.ModuleSpec(fullname, loader, is_package=True)
        module = _answer(row, rest)
        self._answered.add(fullname)
        loader = _AliasLoader(module)
        return importlib.machinery.ModuleSpec(
            fullname, loader, origin=row.package, is_package=hasattr(module, "__path__")
        )

    def take_over(self) -> None:
        """Set aside modules of the real packages that are imported already."""
        for name in list(sys.modules):
            top = name.partition(".")[0]
            if isinstance(TABLE.get(top), Dialect):
                self._displaced[name] = sys.modules.pop(name)
        if self._displaced:
            names = sorted({name.partition(".")[0] for name in self._displaced})
            warnings.warn(
                f"finetti.activate: {', '.join(names)} was imported before; names bound to it keep "
                "the old meaning. Call finetti.activate() first and import afterwards.",
                UserWarning,
                stacklevel=3,
            )

    def give_back(self) -> None:
        """Forget the answered modules and put back what was set aside."""
        for name in self._answered:
            sys.modules.pop(name, None)
        sys.modules.update(self._displaced)
        self._answered.clear()
        self._displaced.clear()


_finder = DialectFinder()


def _answer(row: Dialect, rest: str) -> ModuleType:
    try:
        found: ModuleType = importlib.import_module(row.package).module(rest)
    except LookupError as error:
        # without `name=`: Python would take that for "no such module" and hide the message
        raise ModuleNotYetSupported(error.args[0]) from None
    return found


class _AliasLoader(importlib.abc.Loader):
    """Hands out a module that exists already, under a second name."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        # the import system has put the second name's spec on it; its own name keeps its own
        if module.__spec__ is not None and module.__spec__.name != module.__name__:
            module.__spec__ = self._spec


class _RefusingLoader(importlib.abc.Loader):
    """Raises when the module is loaded."""

    def __init__(self, message: str) -> None:
        self._message = message

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        raise ModuleNotYetSupported(self._message)
