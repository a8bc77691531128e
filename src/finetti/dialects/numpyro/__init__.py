"""NumPyro's names, given by finetti.

Models are functions of JAX's arrays. The function is traced once, its graph enters finetti's, and
is compiled and sampled there; `MCMC`, `Predictive` and `log_likelihood` run no code of JAX. What
programs compute with arrays themselves, and what handlers do outside of inference, JAX does.
`__version__` is the version of NumPyro whose spelling is spoken, marked as finetti's.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

from finetti.dialects.numpyro import (
    diagnostics,
    distributions,
    handlers,
    infer,
    primitives,
    util,
)
from finetti.dialects.numpyro.distributions.base import enable_validation, validation_enabled
from finetti.dialects.numpyro.infer.inspect import render_model
from finetti.dialects.numpyro.missing import explain
from finetti.dialects.numpyro.primitives import (
    deterministic,
    factor,
    get_mask,
    mutable,
    param,
    plate,
    plate_stack,
    prng_key,
    sample,
    subsample,
)
from finetti.dialects.numpyro.util import enable_x64, set_host_device_count, set_platform

__version__ = "0.22.0+finetti"
__all__ = [
    "__version__", "deterministic", "diagnostics", "distributions", "enable_validation",
    "enable_x64", "factor", "get_mask", "handlers", "infer", "mutable", "param", "plate",
    "plate_stack", "primitives", "prng_key", "render_model", "sample", "set_host_device_count",
    "set_platform", "subsample", "util", "validation_enabled",
]  # fmt: skip

# NumPyro's module below its root -> ours, where the names differ
ELSEWHERE = {
    "distributions.distribution": "distributions.base",
    "distributions.continuous": "distributions",
    "distributions.discrete": "distributions",
    "distributions.truncated": "distributions",
    "distributions.directional": "distributions",
    "distributions.conjugate": "distributions",
    "distributions.censored": "distributions",
    "distributions.mixtures": "distributions",
}
_INNER = ("collapsing", "loops", "lowered", "missing", "replacing", "sites", "translate")


def module(name: str, nn: Any = None, input_shape: Any = None) -> ModuleType:
    """The module for `numpyro.<name>`, for `numpyro` itself when the name is empty.

    NumPyro's statement of the same name, which takes a network, is refused.

    Raises
    ------
    LookupError
        There is none; the text says what to write.
    """
    if nn is not None:
        primitives.module(name, nn, input_shape)
    if not name:
        return sys.modules[__name__]
    if name.partition(".")[0] not in _INNER:
        try:
            return import_module(f"{__name__}.{ELSEWHERE.get(name, name)}")
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith(__name__):
                raise
    raise LookupError(str(explain(name, __all__)))


def __getattr__(name: str) -> Any:
    if name in ("contrib", "ops", "optim", "nn", "examples", "compat"):
        try:
            return module(name)
        except LookupError:
            pass
    raise explain(name, __all__)
