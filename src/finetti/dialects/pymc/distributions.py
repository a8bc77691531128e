"""PyMC's distributions as callables: ``Normal(name, mu, sigma)`` and ``Normal.dist(mu, sigma)``.

`names.ROWS` is the table, `spelling` has what all share; those that are made of other distributions
are in `composed`. A callable is made when it is first asked for, and loads its record then.
"""

from __future__ import annotations

from finetti.dialects.pymc.names import ROWS
from finetti.dialects.pymc.spelling import DistributionFace

_ROWS = {row.name: row for row in ROWS}


def __getattr__(name: str) -> DistributionFace:
    row = _ROWS.get(name)
    if row is None:
        raise AttributeError(f"{__name__} has no attribute {name!r}")
    face = globals()[name] = DistributionFace(row)
    return face


__all__ = list(_ROWS)  # noqa: PLE0604
