"""PyMC's submodules. Those whose names all live in PyMC's root too are forwarded there."""

from __future__ import annotations

from collections.abc import Callable, Container
from types import ModuleType
from typing import Any

_MODULES = """
    backends backends.arviz backends.base data
    distributions distributions.censored distributions.continuous distributions.custom
    distributions.discrete distributions.distribution distributions.mixture
    distributions.multivariate distributions.simulator distributions.timeseries
    distributions.truncated
    func_utils logprob logprob.basic model model.core model.transform
    model.transform.conditioning model_graph printing
    sampling sampling.deterministic sampling.forward sampling.mcmc smc smc.sampling
    stats stats.log_density step_methods step_methods.arraystep step_methods.compound
    step_methods.hmc step_methods.hmc.hmc step_methods.hmc.nuts step_methods.metropolis
    step_methods.slicer tuning tuning.starting
    variational variational.approximations variational.inference
"""
_FORWARDED = frozenset(["", *_MODULES.split()])  # the empty name is the root itself
# modules with names of their own: where they are below `finetti`, once they are there
REAL = {
    "dims": "dims",
    "distributions.transforms": "transforms",
    "gp": "gp",
    "gp.cov": "gp.cov",
    "gp.mean": "gp.mean",
    "gp.util": "gp.util",
    "math": "math",
    "ode": "ode",
    "testing": "testing",
    "variational.callbacks": "callbacks",
}
_modules: dict[tuple[str, str], ForwardModule] = {}


class ForwardModule(ModuleType):
    """A module whose names are those of a package's root; the root itself when `name` is empty."""

    def __init__(
        self,
        name: str,
        get: Callable[[str], Any],
        names: Callable[[], list[str]],
        top: str = "pymc",
        modules: Container[str] = _FORWARDED,
    ):
        super().__init__(f"{top}.{name}".rstrip("."), f"finetti, spelled as {top}.")
        self.__path__: list[str] = []  # a package to the import system; the finder does the rest
        self._prefix, self._get, self._names = f"{name}.".lstrip("."), get, names
        self._top, self._modules = top, modules

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__all__", "__version__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        below = self._prefix + name
        if below not in self._modules:
            return self._get(name)
        return forwarded(below, self._get, self._names, self._top, self._modules)

    def __dir__(self) -> list[str]:
        return self._names()


def is_forwarded(name: str) -> bool:
    """Whether `pymc.<name>` is a module that forwards to the root."""
    return name in _FORWARDED


def forwarded(
    name: str,
    get: Callable[[str], Any],
    names: Callable[[], list[str]],
    top: str = "pymc",
    modules: Container[str] = _FORWARDED,
) -> ForwardModule:
    """The forwarding module for `<top>.<name>`, always the same one."""
    if (top, name) not in _modules:
        _modules[top, name] = ForwardModule(name, get, names, top, modules)
    return _modules[top, name]
