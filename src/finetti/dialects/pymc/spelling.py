"""How PyMC spells a distribution: with a name inside a model, or without one.

Only spelling is handled here; `finetti.dist` has the meaning.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from finetti import dist
from finetti.dialects.pymc.names import SYNONYMS, Row
from finetti.dist.base import Distribution
from finetti.errors import NotYetSupported, ParameterError, did_you_mean, warn
from finetti.ir import Tensor
from finetti.model.context import current

# Keywords beside the parameters, with and without a name.
_REGISTERED = ("dims", "initval", "observed", "transform", "default_transform", "shape", "size")
_PLAIN = ("shape", "size")
# Keywords that PyMC has and that are refused by name; their value when they are not used.
_REFUSED: dict[str, str] = {
    "rng": "randomness is seeded where it is used: pass random_seed= to `pm.sample` or `pm.draw`",
    "total_size": "minibatches are not there yet; leave it out and pass all data",
    "dtype": "values are float64 or int64; leave it out",
    "return_next_rng": "randomness is seeded where it is used, with random_seed=",
    "signature": "it belongs to custom distributions, which are not there yet",
}


class DistributionFace:
    """One distribution as PyMC spells it.

    Call it with a name inside a model, or its `dist` for a variable outside of any model.
    """

    # Further keywords of this distribution, beside its parameters.
    extra: tuple[str, ...] = ()

    def __init__(self, row: Row):
        self.row = row
        self.__name__ = self.__qualname__ = row.name
        self.__doc__ = _docstring(row)

    def __repr__(self) -> str:
        return f"<distribution {self.row.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.row.name,)

    @property
    def __signature__(self) -> inspect.Signature:
        return _signature(self.row)

    def __call__(self, name: Any = None, *args: Any, **kwargs: Any) -> Any:
        row = self.row
        check_name(row.name, name, args, kwargs)
        owner = f"{row.name} {name!r}"
        given = _parameters(row, args, kwargs, (*_REGISTERED, *self.extra), owner)
        options = {key: kwargs[key] for key in (*_REGISTERED, *self.extra) if key in kwargs}
        record, params = self.meaning(given, options, owner)
        model: Any = current()
        rv = _variable(record, params, options, owner)
        keep = ("dims", "initval", "observed", "transform", "default_transform")
        registered = {key: options[key] for key in keep if key in options}
        return self.finish(model.register_rv(rv, name, **registered), given, options)

    def dist(self, *args: Any, **kwargs: Any) -> Any:
        """A random variable that belongs to no model.

        Parameters
        ----------
        *args, **kwargs
            The distribution's parameters.
        shape, size : int or tuple of int, optional
            Its shape; with `size` the axes of one vector value come on top.

        Returns
        -------
        Tensor
            To be used in expressions, in other distributions, in `pm.draw` and in `pm.logp`.
        """
        owner = f"{self.row.name}.dist"
        if args and isinstance(args[0], str):
            raise ParameterError(
                f"{owner} got the name {args[0]!r}: a variable without a model has none. Leave the "
                f"name out, or write `pm.{self.row.name}({args[0]!r}, ...)` inside a model."
            )
        given = _parameters(self.row, args, kwargs, (*_PLAIN, *self.extra), owner)
        options = {key: kwargs[key] for key in (*_PLAIN, *self.extra) if key in kwargs}
        record, params = self.meaning(given, options, owner)
        return self.finish(_variable(record, params, options, owner), given, options)

    def meaning(
        self, given: Mapping[str, Any], options: Mapping[str, Any], owner: str
    ) -> tuple[Distribution, dict[str, Any]]:
        """The record and its parameters."""
        assert self.row.record is not None
        return dist.resolve(self.row.record, given, owner)

    def finish(self, rv: Tensor, given: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """What the user gets for the variable, which has a name when it is a model's."""
        return rv


def check_name(
    distribution: str, name: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> None:
    """Refuse a variable whose name was forgotten, in the words it was written with.

    Raises
    ------
    ParameterError
        With the name put in.
    """
    if isinstance(name, str):
        return
    shown = ", ".join([*map(_short, args), *(f"{k}={_short(v)}" for k, v in kwargs.items())])
    if name is None and not args:
        raise ParameterError(
            f"pm.{distribution}({shown}) has no name. Inside a model the name comes first: "
            f"`pm.{distribution}('x', ...)`; without a model write "
            f"`pm.{distribution}.dist({shown})`."
        )
    first = _short(name)
    rest = f"{first}, {shown}" if shown else first
    raise ParameterError(
        f"pm.{distribution} got {first} where the variable's name is expected. Did you forget the "
        f"name? Write `pm.{distribution}('x', {rest})`, or `pm.{distribution}.dist({rest})` for a "
        "variable without a model."
    )


def _parameters(
    row: Row,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    options: tuple[str, ...],
    owner: str,
) -> dict[str, Any]:
    """The distribution's parameters by name; every other keyword is known or refused."""
    if len(args) > len(row.order):
        raise ParameterError(
            f"{owner} got {len(args)} positional parameters, expected at most {len(row.order)}: "
            f"{', '.join(row.order)}."
            + (f" Write {', '.join(row.keyword_only)} by name." if row.keyword_only else "")
        )
    given = dict(zip(row.order, args, strict=False))
    names = (*row.order, *row.keyword_only)
    for key, value in kwargs.items():
        if key in names:
            if given.get(key) is not None:
                raise ParameterError(
                    f"{owner} got {key} twice: by position and as {key}={_short(value)}."
                )
            given[key] = value
        elif key in _REFUSED:
            if value is not None and value is not False:
                raise NotYetSupported(f"{owner}: {key}={_short(value)}: {_REFUSED[key]}.")
        elif key not in options:
            raise ParameterError(_unknown(key, value, names, options, owner))
    for key, value in given.items():
        if isinstance(value, DistributionFace):
            raise ParameterError(
                f"{owner}: {key}=pm.{value.row.name}: expected a value, got the distribution "
                f"itself. Write `pm.{value.row.name}.dist(...)`, or a variable of the model."
            )
    return given


def _unknown(
    key: str, value: Any, names: tuple[str, ...], options: tuple[str, ...], owner: str
) -> str:
    message = f"{owner}: unknown keyword {key}={_short(value)}. "
    if key in _REGISTERED:  # only outside of a model
        return message + f"A variable without a model takes {', '.join((*names, *options))}."
    valid = (*names, *options)
    meant = [name for name in SYNONYMS.get(key, ()) if name in valid]
    if meant:
        return message + f"Write {meant[0]}= instead."
    return message + did_you_mean(key, valid)


def _shape(
    options: Mapping[str, Any], record: Distribution, params: Mapping[str, Any], owner: str
) -> tuple[Any, str]:
    """The full shape that was asked for, and in which words; (None, "") when it was not."""
    shape, size = options.get("shape"), options.get("size")
    if shape is not None and size is not None:
        raise ParameterError(f"{owner} got shape={shape!r} and size={size!r}: give one of them.")
    if shape is not None:
        return lengths(shape, "shape", owner), f"shape={shape!r}"
    if size is not None:
        event = _event_shape(record, params, owner)
        return (*lengths(size, "size", owner), *event), f"size={size!r}"
    return None, ""


def lengths(shape: Any, keyword: str, owner: str) -> tuple[Any, ...]:
    """The lengths that a keyword asks for."""
    if isinstance(shape, Tensor):
        raise ParameterError(
            f"{owner}: {keyword}={shape!r} is a tensor, but a shape must be known while the model "
            "is written. Use lengths of data (`x.shape[0]`) or `dims=`."
        )
    if isinstance(shape, (str, bytes)):
        raise ParameterError(
            f"{owner}: {keyword}={shape!r}: expected lengths. Did you mean dims={shape!r}?"
        )
    if isinstance(shape, np.ndarray):
        shape = shape.tolist()
    lengths = tuple(shape) if isinstance(shape, Iterable) else (shape,)
    if any(length is Ellipsis or length is None for length in lengths):
        raise NotYetSupported(f"{owner}: {keyword}={lengths!r}: write every length as a number.")
    return lengths


def _event_shape(record: Distribution, params: Mapping[str, Any], owner: str) -> tuple[int, ...]:
    if not record.event_ndim:
        return ()
    shapes = {key: dist.as_param(key, value, owner).shape for key, value in params.items()}
    return record.event_shape(**shapes)


def _variable(
    record: Distribution, params: Mapping[str, Any], options: Mapping[str, Any], owner: str
) -> Tensor:
    shape, origin = _shape(options, record, params, owner)
    return _make(record, params, shape, owner, origin)


def _make(
    record: Distribution, params: Mapping[str, Any], shape: Any, owner: str, origin: str
) -> Tensor:
    if record in (dist.Categorical, dist.Multinomial):
        params = {**params, "p": _rescaled(params["p"], owner)}
    return dist.make_rv(record, params, shape, where=owner, origin=origin)


def _rescaled(p: Any, owner: str) -> Any:
    """Constant probabilities, summing to 1 with a warning as PyMC does."""
    numbers = dist.constant(p, "p", owner)
    if numbers is None or not numbers.ndim:
        return p
    if (numbers < 0).any():
        raise ParameterError(f"{owner}: p={p!r} has negative probabilities: expected numbers >= 0.")
    total = numbers.sum(-1, keepdims=True)
    if np.allclose(total, 1.0):
        return p
    warn(
        f"{owner}: `p` parameters sum to {total[..., 0]}, instead of 1.0. They will be "
        "automatically rescaled. You can rescale them directly to get rid of this warning.",
    )
    return numbers / total


def _named(name: str) -> Any:
    return getattr(import_module("finetti"), name)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _signature(row: Row) -> inspect.Signature:
    kind = inspect.Parameter
    params = row.record.params if row.record is not None else {}
    defaults = {name: param.default for name, param in params.items()} | dict(row.defaults)
    parts = [kind("name", kind.POSITIONAL_OR_KEYWORD)]
    parts += [
        kind(name, kind.POSITIONAL_OR_KEYWORD, default=defaults.get(name)) for name in row.order
    ]
    parts += [kind(n, kind.KEYWORD_ONLY, default=defaults.get(n)) for n in row.keyword_only]
    parts += [kind(name, kind.KEYWORD_ONLY, default=None) for name in _REGISTERED]
    return inspect.Signature(parts, return_annotation=Tensor)


def _docstring(row: Row) -> str:
    record = row.record
    alternatives = record.alternatives if record is not None else ()
    sets = [alternatives[0].replaces] if alternatives else []
    sets += [alternative.names for alternative in alternatives]
    choice = " or ".join(f"({', '.join(names)})" for names in sets)
    lines = [row.summary, "", "Parameters", "----------", "name : str"]
    lines += ["    Its name in the model; `dist` takes none."]
    for name in (*row.order, *row.keyword_only):
        param = record.params.get(name) if record is not None else None
        if param is None:
            words = "Of another parametrisation." if record is not None else "As in PyMC."
            lines += [f"{name} : tensor_like, optional", f"    {words}"]
            continue
        default = "" if param.default is None else f", default {param.default:g}"
        lines += [f"{name} : tensor_like{default}", f"    Valid: {param.constraint.words}."]
    lines += [
        "dims, shape, size, initval, observed, transform, default_transform : optional",
        "    As in PyMC.",
    ]
    if choice:
        lines += ["", "Notes", "-----", f"Give exactly one of {choice}."]
    return "\n".join(lines)
