"""The names of `theano` itself and of its modules beside `tensor`."""

from __future__ import annotations

from typing import Any

from finetti.dialects.theano import function as functions
from finetti.dialects.theano import loops, other
from finetti.dialects.theano.classes import CLASSES
from finetti.dialects.theano.config import config
from finetti.dialects.theano.deferred import lift
from finetti.dialects.theano.shared import shared
from finetti.dialects.theano.types import TYPES
from finetti.ir import Tensor, ops
from finetti.model.data import DataTensor

_stop = lift(ops.stop_gradient)

ROOT: dict[str, Any] = {
    **CLASSES,
    "Assert": other.Assert,
    "In": functions.In,
    "Out": lambda variable, borrow=False: variable,
    "Param": lambda variable, default=None, name=None, **o: functions.In(
        variable, name, default, **o
    ),
    "Print": other.Print,
    "SharedVariable": DataTensor,
    "TensorType": TYPES["TensorType"],
    "Variable": Tensor,
    "as_op": other.as_op,
    "assert_op": other.assert_op,
    "change_flags": config.change_flags,
    "clone": functions.clone,
    "clone_replace": functions.clone,
    "config": config,
    "consider_constant": _stop,
    "debugprint": other.debugprint,
    "disconnected_grad": _stop,
    "dprint": other.debugprint,
    "foldl": loops.foldl,
    "foldr": loops.foldr,
    "function": functions.function,
    "grad": functions.grad,
    "hessian": functions.hessian,
    "ifelse": loops.ifelse,
    "jacobian": functions.jacobian,
    "map": loops.map_,
    "pp": other.pprint,
    "pprint": other.pprint,
    "reduce": loops.reduce_,
    "scan": loops.scan,
    "shared": shared,
    "until": loops.until,
    "zero_grad": _stop,
}
