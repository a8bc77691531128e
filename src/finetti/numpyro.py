"""NumPyro's names, given by finetti: ``import finetti.numpyro as numpyro``.

Needs JAX, as programs for NumPyro use it themselves (the extra ``finetti[jax]``).
"""

from __future__ import annotations

import sys

from finetti.dialects import numpyro as _dialect

# The dialect's own modules under these names too: a second copy would have other classes.
for _name in [name for name in sys.modules if name.startswith(f"{_dialect.__name__}.")]:
    sys.modules[__name__ + _name.removeprefix(_dialect.__name__)] = sys.modules[_name]
for _name in _dialect.ELSEWHERE:
    sys.modules[f"{__name__}.{_name}"] = _dialect.module(_name)
sys.modules[__name__] = _dialect
