"""A result that becomes the container when it is first touched.

A script that samples and prints a summary needs no xarray, and importing it would cost more than
everything else the script does. `LazyResult` stands in for the container until an attribute or a
group is asked for, then builds it and passes everything on. It answers isinstance for the real
class through `__class__`, which is what ArviZ and xarray test.
"""

from __future__ import annotations

import copy
import sys
import threading
from collections.abc import Iterator
from typing import Any

from finetti.results.container import (
    ResultMethods,
    arviz_is_legacy,
    from_datasets,
    inference_data_class,
)
from finetti.results.datasets import draws_to_datasets
from finetti.results.trace import Draws


class LazyResult:
    """Draws now, an `InferenceData` when asked for anything."""

    __slots__ = ("__weakref__", "_built", "_draws", "_lock")

    _draws: Draws | None
    _built: Any
    _lock: threading.Lock

    def __init__(self, draws: Draws) -> None:
        object.__setattr__(self, "_draws", draws)
        object.__setattr__(self, "_built", None)
        object.__setattr__(self, "_lock", threading.Lock())

    def _result(self) -> Any:
        with self._lock:
            if self._draws is not None:
                built = from_datasets(draws_to_datasets(self._draws))
                object.__setattr__(self, "_built", built)
                # the arrays live in the container from now on, where the user may change them
                object.__setattr__(self, "_draws", None)
        return self._built

    @property  # type: ignore[misc]
    def __class__(self) -> type[Any]:
        # nobody can test for a class of a library that is not imported: stay as cheap as possible
        known = self._built is not None or container_is_imported()
        return inference_data_class() if known else LazyResult

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._result(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._result(), name)

    def __getitem__(self, key: Any) -> Any:
        return self._result()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._result()[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._result()[key]

    def __contains__(self, key: object) -> bool:
        return key in self._result()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._result())

    def __len__(self) -> int:
        return len(self._result())

    def __bool__(self) -> bool:
        return bool(self._result())

    def __repr__(self) -> str:
        return repr(self._result())

    def __dir__(self) -> list[str]:
        return dir(self._result())

    def __eq__(self, other: object) -> Any:
        return self._result() == other

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Any) -> Any:
        return self._result() + other

    def __sub__(self, other: Any) -> Any:
        return self._result() - other

    def __mul__(self, other: Any) -> Any:
        return self._result() * other

    def __truediv__(self, other: Any) -> Any:
        return self._result() / other

    def __enter__(self) -> Any:
        return self._result().__enter__()

    def __exit__(self, *args: object) -> Any:
        return self._result().__exit__(*args)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self._result().__array__(*args, **kwargs)

    def __copy__(self) -> Any:
        return copy.copy(self._result())

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self._result(), memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self._result().__reduce__()


def container_is_imported() -> bool:
    """Whether the library of the container is imported already, by whoever."""
    if "arviz" in sys.modules:
        return True
    return "xarray" in sys.modules and not arviz_is_legacy()


def untouched_draws(result: Any) -> Draws | None:
    """The draws of a lazy result that nobody has touched yet, or of a MultiTrace; else None."""
    if type(result) is LazyResult:
        return object.__getattribute__(result, "_draws")  # type: ignore[no-any-return]
    plain = getattr(type(result), "plain_draws", None)
    return None if plain is None else plain(result)  # type: ignore[no-any-return]


def replace_draws(result: Any, draws: Draws) -> bool:
    """Give an untouched result other draws; False when it has been touched already."""
    if type(result) is not LazyResult:
        result.replace_draws(draws)
        return True
    with result._lock:
        if result._draws is None:
            return False
        object.__setattr__(result, "_draws", draws)
        return True


def is_result(value: Any) -> bool:
    """Whether `value` is a result of finetti, lazy or not."""
    return type(value) is LazyResult or isinstance(value, ResultMethods)
