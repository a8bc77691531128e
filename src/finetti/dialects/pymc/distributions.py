"""PyMC's distributions as callables: ``Normal(name, mu, sigma)`` and ``Normal.dist(mu, sigma)``.

`names.ROWS` and `names.COMPOSED` are the tables; `spelling` has what all share, `composed` those
that are made of other distributions.
"""

from __future__ import annotations

import copyreg
from typing import TYPE_CHECKING, Any

from finetti.dialects.pymc.composed import FACES
from finetti.dialects.pymc.names import COMPOSED, ROWS
from finetti.dialects.pymc.spelling import DistributionFace

_FACES = {row.name: FACES.get(row.name, DistributionFace)(row) for row in (*ROWS, *COMPOSED)}


def _face(name: str) -> DistributionFace:
    return _FACES[name]


def _reduced(face: DistributionFace) -> tuple[Any, ...]:
    return _face, (face.row.name,)


_kinds: set[type[DistributionFace]] = {DistributionFace, *FACES.values()}
for _kind in _kinds:
    copyreg.pickle(_kind, _reduced)

globals().update(_FACES)
if TYPE_CHECKING:

    def __getattr__(name: str) -> DistributionFace: ...


__all__ = list(_FACES)
