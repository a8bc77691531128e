"""Every distribution of the tables as a class."""

from __future__ import annotations

from finetti.dialects.numpyro.distributions.names_counts import COUNTS
from finetti.dialects.numpyro.distributions.names_numbers import CONTINUOUS
from finetti.dialects.numpyro.distributions.names_vectors import VECTORS
from finetti.dialects.numpyro.distributions.special import MappedRow
from finetti.dialects.numpyro.distributions.tabled import Row, make_class

ROWS: tuple[Row, ...] = (*CONTINUOUS, *COUNTS, *VECTORS)
PACKAGE = __name__.rpartition(".")[0]

CLASSES: dict[str, type] = {"TransformedDistribution": MappedRow}
for _row in ROWS:
    CLASSES[_row.name] = make_class(_row, CLASSES, PACKAGE)
