"""PyMC3's way to write a distribution, translated into today's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import finetti
from finetti.dialects.notes import note
from finetti.dialects.pymc.spelling import DistributionFace, check_name
from finetti.dialects.pymc3.names import OLD, SAME, SYNONYMS, Old
from finetti.dialects.pymc3.variables import Dist
from finetti.errors import ParameterError
from finetti.ir import FLOAT, INT, Tensor

_AUTOMATIC = ("auto", "infer", "interval", "log", "logodds", "stick_breaking", "circular")
_DTYPES = {"f": FLOAT, "i": INT, "u": INT, "b": INT}


class OldFace:
    """One distribution as PyMC3 spells it.

    Call it with a name inside a model, or its `dist` for a distribution by itself.
    """

    def __init__(self, name: str, old: Old):
        self.old = old
        self.__name__ = self.__qualname__ = name
        self.__doc__ = self.today.__doc__

    @property
    def today(self) -> DistributionFace:
        """The same distribution in today's spelling."""
        return getattr(finetti, self.old.today)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<distribution {self.__name__}>"

    def __call__(self, name: Any = None, *args: Any, **kwargs: Any) -> Any:
        check_name(self.__name__, name, args, kwargs)
        owner = f"{self.__name__} {name!r}"
        given = self.translated(args, kwargs, owner)
        today = registered(given, owner)
        if today.get("observed") is None and today.get("initval") is None:
            today |= {} if self.old.start is None else {"initval": self.old.start}
        return self.made(name, today)

    def dist(self, *args: Any, **kwargs: Any) -> Any:
        """A distribution without a name."""
        owner = f"{self.__name__}.dist"
        if args and isinstance(args[0], str):  # today's face has the sentence for it
            return self.today.dist(*args, **kwargs)
        given = self.translated(args, kwargs, owner)
        return self.plain(unregistered(given, owner))

    def made(self, name: Any, given: dict[str, Any]) -> Any:
        """The named variable."""
        return self.today(name, **given)

    def plain(self, given: dict[str, Any]) -> Any:
        """The one without a name."""
        made = self.today.dist(**given)
        return Dist(made.node) if isinstance(made, Tensor) else made

    @property
    def order(self) -> tuple[str, ...]:
        """PyMC3's positional parameters."""
        return self.today.row.order if self.old.order is None else self.old.order

    def translated(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], owner: str
    ) -> dict[str, Any]:
        """All keywords under today's names."""
        order, row = self.order, self.today.row
        if len(args) > len(order):
            raise ParameterError(
                f"{owner} got {len(args)} positional parameters, expected at most {len(order)}: "
                f"{', '.join(order)}."
            )
        pairs = [*zip(order, args, strict=False), *kwargs.items()]
        self._note_order(len(args), row.order)
        given: dict[str, Any] = {}
        for key, value in pairs:
            if key in self.old.dropped:
                note(f"{key}=", "leave it out: the shape follows from the parameters")
                continue
            new = self._today(key, (*row.order, *row.keyword_only))
            if given.get(new) is not None and value is not None:
                raise ParameterError(f"{owner} got {new} twice, the second time as {key}={value!r}")
            if value is not None or new not in given:
                given[new] = value
        return {**self.old.defaults, **given}

    def _today(self, key: str, names: tuple[str, ...]) -> str:
        new = self.old.renamed.get(key)
        if new is None and key not in names and SYNONYMS.get(key) in names:
            new = SYNONYMS[key]
        if new is None:
            return key
        note(f"{key}=", f"{new}=")
        return new

    def _note_order(self, count: int, today: tuple[str, ...]) -> None:
        for place in range(count):
            old = self.old.renamed.get(self.order[place], self.order[place])
            if place >= len(today) or today[place] != old:
                note(f"pm.{self.__name__} with {old} in place {place + 1}", f"{old}=")


def registered(given: dict[str, Any], owner: str) -> dict[str, Any]:
    """The keywords of a named variable under today's names."""
    given = _without_dtype(given, owner)
    if "testval" in given:
        note("testval=", "initval=")
        value = given.pop("testval")
        if given.get("initval") is None:
            given["initval"] = value
    if given.get("observed") is not None:  # PyMC3 took no notice of a test value of data
        given.pop("initval", None)
    if "transform" in given:
        chosen = given.pop("transform")
        if not (isinstance(chosen, str) and chosen in _AUTOMATIC):
            given["default_transform"] = None
            if chosen is not None:
                note("transform=", "transform=..., default_transform=None")
                given["transform"] = chosen
    return given


def unregistered(given: dict[str, Any], owner: str) -> dict[str, Any]:
    """The keywords of a distribution without a name."""
    given = _without_dtype(given, owner)
    if given.get("testval") is None:
        given.pop("testval", None)
    return given


def _without_dtype(given: dict[str, Any], owner: str) -> dict[str, Any]:
    given = dict(given)
    dtype = given.pop("dtype", None)
    if dtype is not None and dtype != "floatX" and np.dtype(dtype).kind not in _DTYPES:
        raise ParameterError(f"{owner}: dtype={dtype!r}: values are float64 or int64.")
    for key in ("broadcastable", "total_size"):
        if given.get(key, 0) is None:
            del given[key]
    return given


FACES: dict[str, OldFace] = {
    **{name: OldFace(name, Old(name)) for name in SAME},
    **{name: OldFace(name, old) for name, old in OLD.items()},
}
