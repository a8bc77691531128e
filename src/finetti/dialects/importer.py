"""Answer `import pymc` with finetti, in a process that asked for it.

A finder at the front of `sys.meta_path` looks the first part of a module's name up in `TABLE`: a
dialect answers with its own modules, a refused name raises when it is loaded. Names that other
libraries have dropped come back as `shims` says. Nothing happens before `activate`, and
`deactivate` takes everything back.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from finetti.dialects import shims
from finetti.errors import FinettiError, warn


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


def _when_there(package: str, until: str) -> Dialect | Refused:
    """A dialect that answers once its package is part of this installation."""
    spec = importlib.util.find_spec(package)
    return Dialect(package) if spec is not None and spec.origin else Refused(until)


_THEANO = Dialect("finetti.dialects.theano")

TABLE: dict[str, Dialect | Refused] = {
    "pymc": Dialect("finetti.dialects.pymc"),
    "pymc3": _when_there(
        "finetti.dialects.pymc3",
        "The PyMC3 dialect is planned. Until then write `import pymc as pm`, `sigma=` for `sd=` "
        "and `initval=` for `testval=`.",
    ),
    "theano": _THEANO,
    "aesara": _THEANO,
    "pytensor": _THEANO,
    "numpyro": _when_there(
        "finetti.dialects.numpyro",
        "The NumPyro dialect is planned. Until then write the model with pymc.",
    ),
}


def activate() -> None:
    """Answer `import pymc` (and what else `TABLE` lists) with finetti from now on.

    For notebooks and programs that cannot be started by `finetti run`. Call it before the imports;
    calling it again changes nothing.
    """
    if _finder not in sys.meta_path:
        _finder.take_over()
        shims.install()
        sys.meta_path.insert(0, _finder)


def deactivate() -> None:
    """Take back what `activate` did."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
        _finder.give_back()
        shims.remove()


def load_ipython_extension(ipython: Any) -> None:
    """``%load_ext finetti``: the same as `activate`.

    Parameters
    ----------
    ipython
        The shell, which is left alone.
    """
    activate()


def unload_ipython_extension(ipython: Any) -> None:
    """``%unload_ext finetti``: the same as `deactivate`.

    Parameters
    ----------
    ipython
        The shell, which is left alone.
    """
    deactivate()


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
            return self._shimmed(fullname, path, target)
        loader: importlib.abc.Loader
        if isinstance(row, Refused):
            # raising waits for the load: who only looks whether the module exists goes on
            loader = _RefusingLoader(f"{fullname} is not supported yet. {row.reason}")
            return importlib.machinery.ModuleSpec(fullname, loader, is_package=True)
        self._answered.add(fullname)
        if not rest:  # who only looks whether it exists does not pay for it
            return importlib.machinery.ModuleSpec(fullname, _TopLoader(row), is_package=True)
        module = _answer(row, rest)
        loader = _AliasLoader(module)
        return importlib.machinery.ModuleSpec(
            fullname, loader, origin=row.package, is_package=hasattr(module, "__path__")
        )

    def _shimmed(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a module that is changed once it is loaded, or that is gone."""
        absent = fullname in shims.ABSENT and not _installed(self, fullname, path, target)
        if absent or fullname in shims.GONE:
            self._answered.add(fullname)
            return importlib.machinery.ModuleSpec(fullname, _AliasLoader(shims.made(fullname)))
        if fullname not in shims.CHANGED:
            return None
        spec = _installed(self, fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _ChangingLoader(spec.loader)
        return spec

    def take_over(self) -> None:
        """Set aside modules of the real packages that are imported already."""
        for name in list(sys.modules):
            top = name.partition(".")[0]
            if isinstance(TABLE.get(top), Dialect):
                self._displaced[name] = sys.modules.pop(name)
        if self._displaced:
            names = sorted({name.partition(".")[0] for name in self._displaced})
            warn(
                f"finetti.activate: {', '.join(names)} was imported before; names bound to it keep "
                "the old meaning. Call finetti.activate() first and import afterwards.",
            )

    def give_back(self) -> None:
        """Forget the answered modules and put back what was set aside."""
        for name in self._answered:
            sys.modules.pop(name, None)
        sys.modules.update(self._displaced)
        self._answered.clear()
        self._displaced.clear()


_finder = DialectFinder()


def _installed(
    own: DialectFinder, fullname: str, path: Sequence[str] | None, target: ModuleType | None
) -> importlib.machinery.ModuleSpec | None:
    """The spec of a module as all other finders see it."""
    spec = None
    for finder in sys.meta_path:
        if finder is not own:
            spec = spec or finder.find_spec(fullname, path, target)
    return spec


def _answer(row: Dialect, rest: str) -> ModuleType:
    try:
        found: ModuleType = importlib.import_module(row.package).module(rest)
    except LookupError as error:
        # without `name=`: Python would take that for "no such module" and hide the message
        raise ModuleNotYetSupported(error.args[0]) from None
    return found


class _TopLoader(importlib.abc.Loader):
    """Puts a dialect's root in the place of the empty module that Python made for it."""

    def __init__(self, row: Dialect) -> None:
        self._row = row

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        try:
            root = _answer(self._row, "")
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] == "finetti":
                raise
            raise ModuleNotYetSupported(
                f"{name} needs {error.name}, which is not installed: pip install {error.name}"
            ) from None
        if module.__spec__ is not None and module.__spec__.loader_state is not None:
            # a lazy loader's: it must stay the module that it is, so it hands names on
            vars(module).update(__getattr__=lambda name: getattr(root, name),
                                __dir__=lambda: dir(root))  # fmt: skip
            return
        sys.modules[name] = root


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


class _ChangingLoader(importlib.abc.Loader):
    """Loads a module as its own loader does, and changes it then."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)  # type: ignore[no-any-return]

    def exec_module(self, module: ModuleType) -> None:
        # the module is to know its own loader only, also while it runs
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        shims.change(module, module.__name__)


class _RefusingLoader(importlib.abc.Loader):
    """Raises when the module is loaded."""

    def __init__(self, message: str) -> None:
        self._message = message

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        raise ModuleNotYetSupported(self._message)
