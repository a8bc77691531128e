"""Data that can be exchanged: a leaf of the graph whose value, and shape, may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from finetti.errors import (
    DimsError,
    DtypeError,
    ModelError,
    NotYetSupported,
    ParameterError,
    ShapeError,
)
from finetti.ir import Node, Size, Tensor, topological
from finetti.ir.node import Constant, make
from finetti.ir.ops import leaf
from finetti.ir.types import BOOL, FLOAT, INT, canonical_dtype
from finetti.model.context import modelcontext
from finetti.model.dims import as_dims, as_labels, check_lengths, present


class DataHandle:
    """What a data node holds: the present value, read-only."""

    __slots__ = ("constant", "name", "version")

    constant: Constant

    def __init__(self, name: str, value: np.ndarray):
        self.name = name
        self.version = -1
        self.set(value)

    @property
    def value(self) -> np.ndarray:
        return self.constant.value

    def set(self, value: np.ndarray) -> None:
        """Exchange the value; `value` must be an array of the handle's own."""
        value.setflags(write=False)
        self.constant = Constant(value)
        self.version += 1

    def __repr__(self) -> str:
        return repr(self.name)


class DataTensor(Tensor):
    """The tensor of a `Data` variable."""

    __slots__ = ()

    @property
    def handle(self) -> DataHandle:
        """Where the present value is kept."""
        return self.node.attrs[0]  # type: ignore[no-any-return]

    def get_value(self, borrow: bool = False) -> np.ndarray:
        """The present value: a copy, or the read-only array itself with ``borrow=True``."""
        value = self.handle.value
        return value if borrow else value.copy()

    def set_value(self, value: Any, borrow: bool = False) -> None:
        """Exchange the value; `Model.set_data` also changes coords."""
        new = as_array(value, f"Data {self.name!r}")
        old = self.handle.value
        if new.ndim != old.ndim:
            raise ShapeError(
                f"Data {self.name!r}: the new value has shape {new.shape}, the old one "
                f"{old.shape}. Lengths may change, the number of axes may not."
            )
        self.handle.set(to_dtype(new, str(old.dtype), f"Data {self.name!r}"))

    def eval(self, inputs_to_values: Any = None) -> np.ndarray:
        """The present value."""
        return self.get_value()

    def __reduce__(self) -> tuple[Any, ...]:
        return DataTensor, (self.node, self.name)


def as_array(value: Any, owner: str) -> np.ndarray:
    """An own contiguous array in one of the three dtypes.

    Parameters
    ----------
    value : array_like
        Numbers, sequences, arrays, and frames of pandas, polars or xarray.
    owner : str
        Who asks, for messages.
    """
    if np.ma.isMaskedArray(value):
        if np.ma.getmaskarray(value).any():
            raise NotYetSupported(
                f"{owner}: {int(np.ma.getmaskarray(value).sum())} values are masked. Imputing "
                "missing values is not there yet: drop those rows, or write them as a variable of "
                "their own."
            )
        value = value.data
    convert = getattr(value, "to_numpy", None)
    array = convert() if convert is not None else value
    try:
        array = np.asarray(array)
        if array.dtype == object:
            array = _from_objects(array)
        dtype = canonical_dtype(array.dtype)
    except (DtypeError, ValueError, TypeError):
        first = np.asarray(array, dtype=object).ravel()[:1]
        raise DtypeError(
            f"{owner}: expected numbers, got {type(value).__name__} starting with "
            f"{first[0] if first.size else value!r}. Convert it first: text to codes with "
            "`pandas.factorize(x)[0]`, rows of different lengths to one long vector and an index."
        ) from None
    return np.array(array, dtype=dtype, order="C", copy=True)


def _from_objects(array: np.ndarray) -> np.ndarray:
    """Numbers in an object array, None counted as missing."""
    values = [np.nan if item is None else item for item in array.ravel().tolist()]
    numbers = np.asarray(values)
    if numbers.dtype.kind not in "biuf":
        raise TypeError("not numbers")
    return numbers.reshape(array.shape)


def to_dtype(array: np.ndarray, dtype: str, owner: str) -> np.ndarray:
    """`array` in `dtype`; fractions never become integers silently."""
    if str(array.dtype) == dtype or dtype == FLOAT:
        return array.astype(dtype)
    if dtype in (INT, BOOL):
        with np.errstate(invalid="ignore"):
            cast = array.astype(dtype)
        wrong = np.flatnonzero((cast != array).ravel())
        if wrong.size:
            raise DtypeError(
                f"{owner}: expected {'whole numbers' if dtype == INT else 'booleans'}, got "
                f"{array.ravel()[wrong[0]]} {at_row(array, int(wrong[0]))}. Round the data, or "
                "choose a distribution or data of real numbers."
            )
        return cast
    return array


def at_row(array: np.ndarray, flat: int) -> str:
    """Where in an array a flat position is, in words."""
    if array.ndim == 0:
        return "(the only value)"
    if array.ndim == 1:
        return f"in row {flat}"
    return f"at position {tuple(int(i) for i in np.unravel_index(flat, array.shape))}"


def Data(
    name: str,
    value: Any,
    *,
    dims: Any = None,
    coords: Mapping[str, Any] | None = None,
    infer_dims_and_coords: bool = False,
    model: Any = None,
    mutable: bool | None = None,
) -> DataTensor:
    """Register data that can be exchanged with `set_data`.

    Parameters
    ----------
    name : str
        Its name in the model and in the results' `constant_data`.
    value : array_like
        Numbers; NumPy arrays, lists, pandas, polars and xarray objects.
    dims : str or tuple of str, optional
        A name for each axis. New names become dimensions of the model.
    coords : mapping, optional
        Labels of the new dimensions.
    infer_dims_and_coords : bool, optional
        Not supported: write `dims` and `coords`.
    model : Model, optional
        The open model by default.
    mutable : bool, optional
        PyMC 4's and 5's; constant data were for their compiler, all data can be exchanged here.

    Returns
    -------
    DataTensor
        Has `get_value()` and `set_value(array)` beside a tensor's methods.
    """
    if infer_dims_and_coords:
        raise NotYetSupported(
            f"Data {name!r}: infer_dims_and_coords=True is not there yet. Write dims= and coords=."
        )
    model = modelcontext(model)
    full = model.name_for(name)
    owner = f"Data {full!r}"
    model.check_new_name(full, owner)
    if isinstance(value, Tensor):
        raise ModelError(f"{owner}: the value is a tensor already; pass the array it was made of.")
    if value is None:
        raise ParameterError(f"{owner}: the value is None: expected numbers.")
    array = as_array(value, owner)
    names = as_dims(dims, owner)
    fresh: dict[str, Any] = dict(coords or {})
    for new in fresh:
        if names is None or new not in names:
            raise DimsError(f"{owner}: coords names {new!r}, which is not in dims={names!r}.")
    handle = DataHandle(full, array)
    tensor = DataTensor(make(leaf.data, (), (handle,)), full)
    if names is not None:
        check_lengths(names, array.shape, model.dims.known, owner)
        added = [
            (dim, fresh.get(dim), Size(array.shape[axis], ("shape", tensor.node, axis)))
            for axis, dim in enumerate(names)
            if dim is not None and (dim not in model.dims or dim in fresh)
        ]
        for args in added:
            model.dims.checked(*args)  # all of them before any is registered
        for args in added:
            model.dims.add(*args)
    model.register_data_var(tensor, dims=names)
    return tensor


def set_value_of(model: Any, name: str, values: Any, coords: Mapping[str, Any] | None) -> None:
    """Exchange a data variable's value, and the labels of its dims.

    Everything is checked before anything is changed.
    """
    tensor = model[name]
    if not isinstance(tensor, DataTensor):
        raise ModelError(
            f"set_data: {name!r} is no `pm.Data` of the model and keeps its value. Make it with "
            f"`pm.Data({name!r}, value)` inside the model. Data variables: "
            f"{', '.join(d.name or '' for d in model.data_vars) or 'none'}."
        )
    owner = f"set_data({name!r})"
    new = as_array(values, owner)
    old = tensor.handle.value
    if new.ndim != old.ndim:
        raise ShapeError(
            f"{owner}: the new value has shape {new.shape}, the old one {old.shape}. Lengths may "
            "change, the number of axes may not."
        )
    new = to_dtype(new, str(old.dtype), owner) if old.dtype != FLOAT else new.astype(FLOAT)
    coords = dict(coords or {})
    changes = []
    for axis, dim_name in enumerate(model.named_vars_to_dims.get(tensor.name) or ()):
        if dim_name is None:
            continue
        dim, labels = model.dims[dim_name], coords.get(dim_name)
        if new.shape[axis] != dim.length and dim.values is not None and labels is None:
            raise DimsError(
                f"{owner}: dim {dim_name!r} has {len(dim.values)} labels and changes to length "
                f"{new.shape[axis]}: give the new labels too, "
                f"`pm.set_data({{...}}, coords={{{dim_name!r}: [...]}})`."
            )
        labels = as_labels(dim_name, labels)
        if labels is not None and len(labels) != new.shape[axis]:
            raise DimsError(
                f"{owner}: coords[{dim_name!r}] has {len(labels)} labels for length "
                f"{new.shape[axis]}: expected one for each position."
            )
        changes.append((dim_name, new.shape[axis], labels))
    tensor.handle.set(new)
    for changed, length, labels in changes:
        if labels is not None or present(model.dims[changed].size) != length:
            model.dims.resize(changed, length, labels)


def set_data(
    new_data: Mapping[str, Any], model: Any = None, *, coords: Mapping[str, Any] | None = None
) -> None:
    """Exchange the values of data variables; lengths may change.

    Parameters
    ----------
    new_data : mapping
        Name of a `Data` variable -> its new value.
    model : Model, optional
        The open model by default.
    coords : mapping, optional
        New labels of the dims whose length changes.
    """
    model = modelcontext(model)
    unknown = [name for name in new_data if name not in model]
    if unknown:
        model[unknown[0]]  # raises with the nearest name
    known = {
        dim for name in new_data for dim in model.named_vars_to_dims.get(model[name].name) or ()
    }
    stray = [dim for dim in coords or {} if dim not in known]
    if stray:
        raise DimsError(
            f"set_data: coords names {stray[0]!r}, but none of the data given has that dim. Use "
            f"`model.set_dim({stray[0]!r}, length, coord_values)`."
        )
    for name, values in new_data.items():
        set_value_of(model, name, values, coords)


def freeze(node: Node) -> Node | None:
    """The constant that stands for a data node now; None for any other node."""
    if node.op is not leaf.data:
        return None
    return make(leaf.const, (), (node.attrs[0].constant,))


def data_only(tensor: Tensor) -> bool:
    """Whether a tensor depends on data and constants alone."""
    return not any(
        node.op.name == "rv" or node.op.family == "random" or node.op is leaf.input_
        for node in topological([tensor.node])
    )


__all__ = ["Data", "DataHandle", "DataTensor", "as_array", "at_row", "data_only", "freeze",
           "set_data", "set_value_of", "to_dtype"]  # fmt: skip
