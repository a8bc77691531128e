"""What a script gets for `import theano`, `aesara` or `pytensor`: tables of names.

`theano.tensor` is a table onto finetti's operations; the modules below it that only sort its names
answer with the same table.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from finetti.errors import FinettiError, NotYetSupported, nearest

__version__ = "1.0.5+finetti"

# The tables, each with the module that makes it on first use.
_ROOT = "finetti.dialects.theano.root:ROOT"
_TENSOR = "finetti.dialects.theano.tensor:TABLE"
_LINALG = "finetti.dialects.theano.linalg:LINALG"
_NNET = "finetti.dialects.theano.linalg:NNET"

# Module -> the tables that answer for its names, in order.
_MODULES: dict[str, tuple[str, ...]] = {
    "": (_ROOT,),
    **dict.fromkeys(
        """
        tensor tensor.basic tensor.elemwise tensor.extra_ops tensor.math tensor.special
        tensor.subtensor tensor.shape tensor.sort tensor.type tensor.variable tensor.var
        tensor.sharedvar tensor.opt tensor.basic_opt tensor.inplace tensor.reduction tensor.utils
        tensor.einsum tensor.functional tensor.exceptions
        """.split(),
        (_TENSOR, _ROOT),
    ),
    **dict.fromkeys(
        ("tensor.nlinalg", "tensor.slinalg", "tensor.linalg", "sandbox.linalg",
         "sandbox.linalg.ops"),
        (_LINALG, _TENSOR),
    ),
    **dict.fromkeys(("tensor.nnet", "tensor.nnet.nnet", "tensor.nnet.basic"), (_NNET, _TENSOR)),
    **dict.fromkeys(
        """
        compile compile.ops compile.sharedvalue compile.io compile.function compile.builders
        configdefaults configparser gof gof.op gof.graph gof.type gradient graph graph.basic
        graph.op graph.type ifelse printing raise_op sandbox scan scan.basic scan.utils scan.views
        scan_module scan_module.until scalar
        """.split(),
        (_ROOT, _TENSOR),
    ),
}  # fmt: skip
_modules: dict[str, TableModule] = {}


class TableModule(ModuleType):
    """A module whose names are in tables.

    Parameters
    ----------
    name
        Its dotted name below the root; empty for the root.
    """

    def __init__(self, name: str):
        full = f"theano.{name}".rstrip(".")
        super().__init__(full, "finetti, spelled as Theano.")
        self.__path__: list[str] = []  # a package to the import system; the finder does the rest
        self._name = name

    def _tables(self) -> list[Mapping[str, Any]]:
        return [_table(path) for path in _MODULES[self._name]]

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [public for public in dir(self) if not public.startswith("_")]
        if name == "__version__":
            return __version__
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        below = f"{self._name}.{name}".lstrip(".")
        if below in _MODULES:
            return module(below)
        for table in self._tables():
            if name in table:
                value = table[name]
                setattr(self, name, value)
                return value
        raise _explain(self.__name__, name, [key for table in self._tables() for key in table])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # `theano.scan`, `tt.sort`: a module, and a function of its parent too
        parent, _, own = self._name.rpartition(".")
        for path in _MODULES.get(parent, ()):
            if own in _table(path):
                return _table(path)[own](*args, **kwargs)
        raise TypeError(f"{self.__name__} is a module and cannot be called")

    def __dir__(self) -> list[str]:
        names = {key for table in self._tables() for key in table}
        prefix = f"{self._name}.".lstrip(".")
        below = {m[len(prefix) :] for m in _MODULES if m.startswith(prefix) and m != self._name}
        return sorted(names | {part for part in below if part and "." not in part})


def module(name: str) -> ModuleType:
    """The module for `theano.<name>`, for `theano` itself when the name is empty.

    Raises
    ------
    LookupError
        There is none; the text says what to write.
    """
    if name not in _MODULES:
        parent, _, last = name.rpartition(".")
        tables = [_table(path) for path in _MODULES.get(parent, (_ROOT, _TENSOR))]
        known = [key for table in tables for key in table]
        raise LookupError(str(_explain(f"theano.{parent}".rstrip("."), last, known)))
    if name not in _modules:
        _modules[name] = TableModule(name)
    return _modules[name]


def _table(path: str) -> Mapping[str, Any]:
    where, _, name = path.partition(":")
    return getattr(import_module(where), name)  # type: ignore[no-any-return]


def _explain(where: str, name: str, known: list[str]) -> FinettiError | AttributeError:
    reason = _table("finetti.dialects.theano.other:REFUSED").get(name)
    if reason is not None:
        return NotYetSupported(f"{where}.{name}: {reason}")
    close = nearest(name, [key for key in known if not key.startswith("_")])
    near = f" The nearest names there are: {', '.join(close)}." if close else ""
    return AttributeError(f"{where} has no {name!r}.{near}")
