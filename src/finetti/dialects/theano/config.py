"""`theano.config`: settings of Theano's compiler are accepted; they change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from finetti.dialects.notes import note
from finetti.errors import did_you_mean

_DEFAULTS: dict[str, Any] = {
    "allow_gc": True, "base_compiledir": "", "blas.ldflags": "", "cmodule": "",
    "cast_policy": "custom", "check_input": True, "compile.timeout": 120, "compile__timeout": 120,
    "compiledir": "", "compute_test_value": "off", "cxx": "", "cycle_detection": "regular",
    "device": "cpu", "exception_verbosity": "low", "floatX": "float64", "force_device": False,
    "gcc.cxxflags": "", "gcc__cxxflags": "", "blas__ldflags": "", "init_gpu_device": "",
    "int_division": "int", "linker": "cvm", "mode": "Mode", "nvcc.flags": "", "on_opt_error":
    "warn", "on_unused_input": "raise", "openmp": False, "optdb__max_use_ratio": 8.0,
    "optimizer": "default", "optimizer_excluding": "", "optimizer_including": "",
    "optimizer_verbose": False, "print_test_value": False, "profile": False,
    "profile_memory": False, "profile_optimizer": False, "reoptimize_unpickled_function": False,
    "scan__allow_gc": False, "scan.allow_gc": False, "traceback__limit": 8, "traceback.limit": 8,
    "warn_float64": "ignore", "warn__ignore_bug_before": "0.9",
}  # fmt: skip


class _Settings:
    """Attributes by their dotted names."""

    def __init__(self, values: dict[str, Any], prefix: str = ""):
        vars(self).update(_values=values, _prefix=prefix)

    def __getattr__(self, name: str) -> Any:
        full = self._prefix + name
        if full in self._values:
            return self._values[full]
        if not name.startswith("__") and any(key.startswith(f"{full}.") for key in self._values):
            return _Settings(self._values, f"{full}.")
        raise AttributeError(self._unknown(full))

    def __setattr__(self, name: str, value: Any) -> None:
        full = self._prefix + name
        if full not in self._values:
            raise AttributeError(self._unknown(full))
        today = "nothing: there is no C compiler to configure"
        if name == "floatX" and str(value) != "float64":
            today = "nothing: computations are in float64"
        note(f"theano.config.{full} = {value!r}", today)
        self._values[full] = value

    def _unknown(self, name: str) -> str:
        return f"theano.config has no {name!r}. {did_you_mean(name, self._values)}"


class Config(_Settings):
    """All settings."""

    def __init__(self) -> None:
        super().__init__(dict(_DEFAULTS))

    @contextmanager
    def change_flags(self, **flags: Any) -> Iterator[None]:
        """Other settings for the length of a with-block, or of a decorated function."""
        before = {name: getattr(self, name) for name in flags}
        for name, value in flags.items():
            setattr(self, name, value)
        try:
            yield
        finally:
            self._values.update(before)


config = Config()
