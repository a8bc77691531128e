"""The processor to generate code for, and the LLVM that generates it.

Everything that a compilation served by the object cache needs to know is found without importing
llvmlite, which takes longer than all the rest: what identifies the processor, whether it has fused
multiply-add, and the version of llvmlite.
"""

from __future__ import annotations

import importlib.util
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, wraps
from typing import Any, TypeVar

from finetti._core import cpu_has_fma, cpu_identity

__all__ = ["HostTarget", "Target", "host_target", "llvm", "llvm_identity", "once"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

_lock = threading.RLock()
_LIBRARIES = ("libllvmlite.so", "libllvmlite.dylib", "llvmlite.dll")


def once(function: _Function) -> _Function:
    """Cache the result; a second thread waits instead of making a second one."""
    cached = lru_cache(maxsize=8)(function)

    @wraps(function)
    def call(*args: Any) -> Any:
        with _lock:
            return cached(*args)

    return call  # type: ignore[return-value]


@dataclass(frozen=True)
class Target:
    """A processor to generate code for.

    Parameters
    ----------
    cpu : str
        LLVM's name of the processor, as ``znver4``.
    features : str
        LLVM's feature list, as ``+avx2,+fma,-avx512f``.
    """

    cpu: str
    features: str

    @property
    def has_fma(self) -> bool:
        """Whether fused multiply-add is an instruction here."""
        return any(name in self.features.split(",") for name in ("+fma", "+fma4", "+neon"))

    @property
    def identity(self) -> str:
        """Equal only for targets that equal code is generated for."""
        return f"{self.cpu} {self.features}"


class HostTarget(Target):
    """The processor we run on; LLVM is asked for its name and features when they are needed.

    Parameters
    ----------
    without : tuple of str
        Prefixes of features to switch off.
    """

    without: tuple[str, ...]

    def __init__(self, without: tuple[str, ...] = ()):
        object.__setattr__(self, "without", without)  # the base class is frozen

    @cached_property
    def cpu(self) -> str:  # type: ignore[override]
        """LLVM's name of the processor."""
        return _host()[0]

    @cached_property
    def features(self) -> str:  # type: ignore[override]
        """LLVM's feature list."""
        flags = _host()[1].split(",")
        return ",".join(f"-{flag[1:]}" if self._is_off(flag[1:]) else flag for flag in flags)

    @property
    def has_fma(self) -> bool:
        """Whether fused multiply-add is an instruction here."""
        known = _processor() and not self.without
        return cpu_has_fma() if known else super().has_fma

    @property
    def identity(self) -> str:
        """What the processor says of itself: LLVM's name and features follow from it."""
        known = _processor()
        return f"host {known} -{','.join(self.without)}" if known else super().identity

    def _is_off(self, feature: str) -> bool:
        return feature.startswith(self.without)


def host_target(*, without: tuple[str, ...] = ()) -> Target:
    """The processor we run on.

    Parameters
    ----------
    without : tuple of str
        Features to switch off, by prefix: ``("avx512",)`` turns off every AVX-512 extension.
    """
    return _host_target(tuple(without))


@once
def _host_target(without: tuple[str, ...]) -> HostTarget:
    return HostTarget(without)


@once
def _processor() -> str:
    """What the processor says of itself; empty if it does not."""
    return cpu_identity().hex()


@once
def _host() -> tuple[str, str]:
    return llvm().get_host_cpu_name(), llvm().get_host_cpu_features().flatten()


@once
def llvm() -> Any:
    """llvmlite.binding, initialised."""
    import llvmlite.binding as binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding


@once
def llvm_identity() -> str:
    """The version of llvmlite, and the size of its library: builds of one version may differ.

    Read off its files. `importlib.metadata` would take as long as all the rest of a cached
    compilation; llvmlite itself is imported only if its files are not as expected.
    """
    spec = importlib.util.find_spec("llvmlite")
    for folder in (spec and spec.submodule_search_locations) or ():
        version = _written_version(os.path.join(folder, "_version.py"))
        for name in _LIBRARIES:
            try:
                size = os.stat(os.path.join(folder, "binding", name)).st_size
            except OSError:
                continue
            if version:
                return f"llvmlite {version} {size}"
    import llvmlite

    return f"llvmlite {llvmlite.__version__}"


def _written_version(path: str) -> str:
    """The version that the build wrote into the package; empty if it is computed on import."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return ""
    found = re.search(r"""^version_version = '([^']+)'|^ "version": "([^"]+)\"""", text, re.M)
    return (found[1] or found[2]) if found else ""
