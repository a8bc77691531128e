"""`theano.shared`: a value that can be exchanged, without a name in any model."""

from __future__ import annotations

from typing import Any

import numpy as np

from finetti.dialects.notes import note
from finetti.errors import NotYetSupported, ParameterError
from finetti.ir import Tensor
from finetti.ir.node import make
from finetti.ir.ops import leaf
from finetti.model.data import DataHandle, DataTensor, as_array

_WITHOUT_MEANING = ("strict", "allow_downcast", "borrow", "broadcastable", "shape", "target")


def shared(value: Any, name: str | None = None, **options: Any) -> DataTensor:
    """A tensor whose value can be exchanged with `set_value`, also after the model is written.

    Parameters
    ----------
    value
        Numbers, as `pm.Data` takes them.
    name
        A label; no model registers it.
    strict, allow_downcast, borrow, broadcastable, shape, target
        Theano's, without meaning here: the value is copied, its lengths may change.

    Returns
    -------
    DataTensor
        Has `get_value()` and `set_value(array)` beside a tensor's methods.
    """
    note("theano.shared(value)", "pm.Data(name, value) in the model")
    for option in options:
        if option not in _WITHOUT_MEANING:
            raise ParameterError(f"theano.shared: unknown keyword {option}=. Leave it out.")
    if isinstance(value, (np.random.RandomState, np.random.Generator)):
        raise NotYetSupported(
            "theano.shared of a random state: randomness is seeded where it is used, with "
            "random_seed=."
        )
    if isinstance(value, DataTensor):
        value = value.get_value()
    elif isinstance(value, Tensor):
        raise ParameterError(
            f"theano.shared got {value!r}, a tensor, which has no value. Pass the array itself."
        )
    array = as_array(value, f"theano.shared {name!r}" if name else "theano.shared")
    return DataTensor(make(leaf.data, (), (DataHandle(name or "shared", array),)), name)
