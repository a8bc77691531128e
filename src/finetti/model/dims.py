"""Named dimensions: their lengths, which data may change, and their labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from finetti.errors import DimsError, did_you_mean
from finetti.ir import Size, rebuild
from finetti.ir.types import resolve_size

RESERVED = ("chain", "draw", "__sample__")


class Dim:
    """One named dimension.

    Parameters
    ----------
    name : str
        Its name.
    size : int or Size
        Its length; a `Size` follows the data it came from.
    values : tuple or None
        Labels, one for each position.
    """

    __slots__ = ("name", "size", "values")

    def __init__(self, name: str, size: int, values: tuple[Any, ...] | None):
        self.name = name
        self.size = size
        self.values = values

    @property
    def length(self) -> int:
        """The present length."""
        return present(self.size)

    @property
    def as_size(self) -> Size:
        """The length as a number that remembers this dimension."""
        return Size(self.length, ("dim", self))

    def __repr__(self) -> str:
        return f"<dim {self.name!r} of length {self.length}>"


def present(size: int) -> int:
    """The value of a size for the data as they are now."""

    def look_up(origin: tuple[Any, ...]) -> int:
        if origin[0] == "dim":
            return int(origin[1].length)
        (fresh,) = rebuild([origin[1]], {})
        return fresh.shape[origin[2]]

    return int(resolve_size(size, look_up))


class Dims:
    """The dimensions of a model.

    Parameters
    ----------
    is_variable : callable
        Whether a name already belongs to a variable of the model.
    """

    def __init__(self, is_variable: Callable[[str], bool]):
        self.known: dict[str, Dim] = {}
        self._is_variable = is_variable

    def add(self, name: str, values: Any = None, length: int | None = None) -> Dim:
        """Register a dimension; the same one twice is fine."""
        dim = self.known[name] = self.checked(name, values, length)
        return dim

    def checked(self, name: str, values: Any = None, length: int | None = None) -> Dim:
        """The dimension that `add` would register, when nothing speaks against it."""
        if not isinstance(name, str):
            raise DimsError(f"coords has the key {name!r}: expected dimension names as strings.")
        if name in RESERVED:
            raise DimsError(
                f"a dimension cannot be named {name!r}: results use {', '.join(RESERVED)} "
                "themselves. Choose another name."
            )
        if self._is_variable(name):
            raise DimsError(
                f"dimension {name!r}: the model already has a variable of that name. Rename one."
            )
        labels = as_labels(name, values)
        if labels is None and length is None:
            raise DimsError(
                f"dimension {name!r} has neither values nor a length: give labels, e.g. "
                f"coords={{{name!r}: range(3)}}, or `model.add_coord({name!r}, length=3)`."
            )
        if labels is not None and length is not None and present(length) != len(labels):
            raise DimsError(
                f"dimension {name!r} has {len(labels)} labels but length {present(length)}: "
                "expected one label for each position."
            )
        if name in self.known:
            self._check_same(self.known[name], labels, length)
            return self.known[name]
        size = len(labels or ()) if length is None else length
        return Dim(name, size, labels)

    def _check_same(self, dim: Dim, labels: tuple[Any, ...] | None, length: int | None) -> None:
        same_labels = labels is None or same_values(labels, dim.values)
        if not same_labels or (length is not None and present(length) != dim.length):
            raise DimsError(
                f"dimension {dim.name!r} is already there with {dim.length} "
                f"{'other labels' if dim.values is not None else 'positions'}: a dimension has one "
                "set of labels in a model. Use another name, or "
                f"`model.set_dim({dim.name!r}, ...)`."
            )

    def resize(self, name: str, length: int, values: Any = None) -> None:
        """Give a dimension another length and other labels."""
        dim = self[name]
        labels = as_labels(name, values)
        if labels is not None and len(labels) != length:
            raise DimsError(f"dimension {name!r}: {len(labels)} labels came for length {length}.")
        if labels is None and dim.values is not None and len(dim.values) != length:
            raise DimsError(
                f"dimension {name!r} has {len(dim.values)} labels and would change to length "
                f"{length}: give the new labels too, e.g. coords={{{name!r}: [...]}}."
            )
        if labels is not None:
            dim.values = labels
        if dim.length != length:
            dim.size = length

    def __getitem__(self, name: str) -> Dim:
        if name not in self.known:
            raise DimsError(f"the model has no dimension {name!r}. {self._hint(name)}")
        return self.known[name]

    def __contains__(self, name: object) -> bool:
        return name in self.known

    def _hint(self, name: str) -> str:
        if not self.known:
            return "It has no dimensions at all."
        return did_you_mean(name, self.known)

    def sizes(self, dims: Sequence[str | None], owner: str) -> tuple[Size, ...]:
        """The shape that dims stand for.

        Raises
        ------
        DimsError
            Naming `owner`, the unknown dim and the nearest known one.
        """
        result = []
        for name in dims:
            if name is None or name not in self.known:
                raise DimsError(
                    f"{owner}: dims={tuple(dims)!r} has {name!r}, which the model does not know, "
                    f"so its length is unknown. {self._hint(str(name))} Add it with "
                    f"`pm.Model(coords={{{name!r}: labels}})`, or give `shape=` too."
                )
            result.append(self.known[name].as_size)
        return tuple(result)

    def coords(self) -> dict[str, tuple[Any, ...] | None]:
        """Dimension name to labels."""
        return {name: dim.values for name, dim in self.known.items()}


def as_dims(dims: Any, owner: str) -> tuple[str | None, ...] | None:
    """A tuple of names from what the user wrote for `dims=`."""
    if dims is None:
        return None
    if isinstance(dims, str):
        return (dims,)
    if not isinstance(dims, Iterable):
        raise DimsError(f"{owner}: dims={dims!r}: expected a name or a tuple of names.")
    names = tuple(dims)
    for name in names:
        if name is Ellipsis:
            raise DimsError(f"{owner}: dims={names!r}: an ellipsis is not taken; name every dim.")
        if name is not None and not isinstance(name, str):
            raise DimsError(f"{owner}: dims={names!r} has {name!r}: expected names as strings.")
    repeated = [name for name in names if name is not None and names.count(name) > 1]
    if repeated:
        raise DimsError(
            f"{owner}: dims={names!r} has {repeated[0]!r} twice. Give the second axis a dimension "
            "of its own with the same labels."
        )
    return names


def check_lengths(
    dims: Sequence[str | None], shape: Sequence[int], known: Mapping[str, Dim], owner: str
) -> None:
    """Check dims against the shape of what they label.

    Raises
    ------
    DimsError
        Naming the first dim that does not fit.
    """
    if len(dims) != len(shape):
        raise DimsError(
            f"{owner} has shape {tuple(map(int, shape))} and dims={tuple(dims)!r}: expected "
            f"{len(shape)} dim{'s' if len(shape) != 1 else ''}, one for each axis."
        )
    for axis, (name, length) in enumerate(zip(dims, shape, strict=True)):
        if name is not None and name in known and known[name].length != length:
            raise DimsError(
                f"{owner}: axis {axis} has length {int(length)}, but dim {name!r} has length "
                f"{known[name].length}. The values and the coords must agree."
            )


def as_labels(name: str, values: Any) -> tuple[Any, ...] | None:
    """Labels as a tuple; xarray's and pandas' containers are unwrapped."""
    if values is None:
        return None
    if isinstance(values, (int, np.integer)) and not isinstance(values, bool):
        raise DimsError(
            f"coords[{name!r}] = {values!r}: expected labels, e.g. range({values!r}). For a bare "
            f"length use `model.add_coord({name!r}, length={values!r})`."
        )
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise DimsError(f"coords[{name!r}] = {values!r}: expected a sequence of labels.")
    inner = getattr(values, "values", None)
    if inner is not None and not callable(inner):
        values = inner
    if np.ndim(values) > 1 and isinstance(values, np.ndarray):
        raise DimsError(
            f"coords[{name!r}] has shape {values.shape}: expected one label for each position."
        )
    return tuple(values.tolist() if isinstance(values, np.ndarray) and values.dtype.kind in "iufbUS"
                 else values)  # fmt: skip


def same_values(left: Any, right: Any) -> bool:
    """Whether two sequences of labels are equal."""
    if left is None or right is None:
        return left is right
    if len(left) != len(right):
        return False
    return all(a is b or bool(np.all(a == b)) for a, b in zip(left, right, strict=True))
