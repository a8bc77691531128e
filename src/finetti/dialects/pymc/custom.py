"""PyMC's distributions with a log density of the user's own: their spelling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from finetti.dialects.pymc.names import COMPOSED
from finetti.dialects.pymc.spelling import DistributionFace, lengths
from finetti.dist import custom
from finetti.dist.base import as_param, make_rv
from finetti.dist.compose import take_apart
from finetti.errors import NotYetSupported, ParameterError, did_you_mean
from finetti.ir import FLOAT, INT, Tensor
from finetti.ir.types import broadcast
from finetti.model.context import current
from finetti.model.dims import as_dims
from finetti.model.observed import observed_tensor

Function = Callable[..., Any]

_OWN = ("logp", "random", "dist", "dtype", "class_name", "ndim_supp", "shape", "size")
_MODEL = ("dims", "initval", "observed", "transform", "default_transform")
# keywords without a meaning here, with the values that may be written all the same
_REFUSED = {
    "logcdf": "a log distribution function of your own is not there yet; leave it out",
    "moment": "a support point of your own is not there yet: write initval=",
    "support_point": "a support point of your own is not there yet: write initval=",
    "signature": "a signature is not there yet; the axes follow from what logp returns",
    "ndims_params": "the axes of parameters follow from what logp returns; leave it out",
    "rng": "randomness is seeded where it is used, with random_seed=",
    "total_size": "minibatches are not there yet; leave it out and pass all data",
}


class CustomDistFace(DistributionFace):
    """`pm.CustomDist(name, *params, logp=...)` and its `dist`."""

    def __call__(self, name: Any = None, *args: Any, **kwargs: Any) -> Any:
        owner = f"{self.row.name} {name!r}"
        if not isinstance(name, str):
            raise ParameterError(f"pm.{self.row.name}: the name comes first, got {name!r}.")
        options = _options(kwargs, (*_OWN, *_MODEL), owner)
        rv = _variable(args, options, owner)
        model: Any = current()
        return model.register_rv(rv, name, **{k: options[k] for k in _MODEL if k in options})

    def dist(self, *args: Any, **kwargs: Any) -> Any:
        """A random variable that belongs to no model.

        Parameters
        ----------
        *args
            The parameters that `logp` takes after the value.
        **kwargs
            ``logp(value, *params)``, ``random(*params, rng, size)``, or ``dist(*params, size)``.
        """
        owner = f"{self.row.name}.dist"
        return _variable(args, _options(kwargs, _OWN, owner), owner)


def _options(kwargs: Mapping[str, Any], valid: Sequence[str], owner: str) -> dict[str, Any]:
    for key, value in kwargs.items():
        if key in _REFUSED and value is not None:
            raise NotYetSupported(f"{owner}: {key}={value!r}: {_REFUSED[key]}.")
        if key not in _REFUSED and key not in valid:
            raise ParameterError(f"{owner}: unknown keyword {key}={value!r}. "
                                 f"{did_you_mean(key, valid)}")  # fmt: skip
    return {key: value for key, value in kwargs.items() if key not in _REFUSED}


def _variable(args: Sequence[Any], options: Mapping[str, Any], owner: str) -> Tensor:
    params = [as_param(f"parameter {k}", arg, owner) for k, arg in enumerate(args)]
    shape = value_shape(options, owner)
    if options.get("dist") is not None:
        return _generated(options["dist"], params, shape, owner)
    if options.get("logp") is None:
        raise ParameterError(f"{owner}: give logp=, a function of the value and the parameters.")
    if shape is None:
        if options.get("ndim_supp"):
            raise ParameterError(f"{owner}: ndim_supp={options['ndim_supp']!r} needs shape=.")
        shape = broadcast((), *(param.shape for param in params))
    dtype = value_dtype(options.get("dtype"), owner)
    traced, everything = custom.trace(options["logp"], shape, dtype, params, owner)
    random = options.get("random")
    record, given = custom.custom(
        str(options.get("class_name") or "CustomDist"),
        traced,
        everything,
        dtype=dtype,
        random=None if random is None else Rowwise(random, len(params)),
    )
    return make_rv(record, given, tuple(shape), where=owner)


def value_shape(options: Mapping[str, Any], owner: str) -> tuple[Any, ...] | None:
    """The shape that keywords ask for; None when they do not."""
    for keyword in ("shape", "size"):
        if options.get(keyword) is not None:
            return lengths(options[keyword], keyword, owner)
    names = as_dims(options.get("dims"), owner)
    if names is not None:
        model: Any = current()
        return model.dims.sizes(names, owner)  # type: ignore[no-any-return]
    if options.get("observed") is not None:
        model = current()
        return observed_tensor(options["observed"], owner, model.root.observes_expressions).shape
    return None


def value_dtype(dtype: Any, owner: str) -> str:
    """float64 or int64 from the words that PyMC takes."""
    if dtype in (None, "floatX"):
        return FLOAT
    kind = np.dtype(dtype).kind
    if kind not in "iuf":
        raise ParameterError(f"{owner}: dtype={dtype!r}: expected 'floatX' or 'int64'.")
    return FLOAT if kind == "f" else INT


def _generated(function: Function, params: list[Tensor], shape: Any, owner: str) -> Tensor:
    """The variable of a generator that returns a distribution of another name."""
    made = function(*params, None if shape is None else tuple(map(int, shape)))
    if not isinstance(made, Tensor) or made.node.op.name != "rv":
        raise NotYetSupported(
            f"{owner}: dist= returned {made!r}. Deriving the density of an expression is not there "
            "yet: return a distribution itself (`pm.Normal.dist(...)`), or write logp=."
        )
    record, given = take_apart(made, owner, "what dist= returned")
    return make_rv(record, given, made.shape if shape is None else shape, where=owner)


class Rowwise:
    """A user's ``random(*params, rng, size)``, called for each draw."""

    def __init__(self, function: Function, count: int):
        self.function, self.count = function, count

    def __call__(self, rng: np.random.Generator, shape: Any, params: Sequence[Any]) -> Any:
        rows = []
        for row in range(shape[0]):
            given = [value[row] if moves else value for value, moves in params[: self.count]]
            rows.append(self.function(*given, rng=rng, size=tuple(shape[1:])))
        return np.reshape(np.asarray(rows), shape)


CustomDist = CustomDistFace({row.name: row for row in COMPOSED}["CustomDist"])
DensityDist = CustomDist
__all__ = ["CustomDist", "DensityDist"]
