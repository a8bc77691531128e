"""The container that `sample` returns: `InferenceData`, in the form that the installed ArviZ takes.

ArviZ 1 takes an `xarray.DataTree` and ArviZ 0.x only its own `InferenceData`. So there are two
bases and one set of methods on top of them. xarray advises against subclassing DataTree, so
the subclass keeps no state of its own: copies and selections, which xarray builds, lose nothing.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from finetti.errors import ParameterError, did_you_mean, warn
from finetti.results.datasets import SAMPLE_DIMS, group_to_dataset
from finetti.results.trace import DATA_GROUPS, GROUP_ORDER

# methods of ArviZ 0.x's InferenceData that DataTree lacks: applied to every group that they fit
_EVERY_GROUP = (
    *("stack", "unstack", "quantile", "sortby", "set_coords", "reset_coords"),
    *("rename", "rename_vars", "rename_dims", "set_index", "reset_index"),
)

_lock = threading.RLock()
_class: type[Any] | None = None


class GroupNames(tuple[str, ...]):
    """`result.groups`: a tuple, as on a DataTree, that can be called, as on an InferenceData."""

    def __call__(self) -> list[str]:
        return [path.lstrip("/") for path in self if path != "/"]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (
            tuple.__contains__(self, name) or name.lstrip("/") in self()
        )


class ResultMethods:
    """What a result answers whatever its base is."""

    __slots__ = ()

    def _datasets(self) -> dict[str, Any]:
        """Group name to dataset."""
        raise NotImplementedError

    def _put(self, name: str, dataset: Any) -> None:
        """Add or replace a group."""
        raise NotImplementedError

    def __reduce__(self) -> tuple[Any, ...]:
        # groups only: what one ArviZ pickled, another can read
        return from_datasets, (self._datasets(), dict(self.attrs))  # type: ignore[attr-defined]

    def extend(self, other: Any, join: str = "left", warn_on_custom_groups: bool = False) -> None:
        """Add the groups of another result, in place.

        Parameters
        ----------
        other
            A result, a DataTree, or a mapping of group name to dataset.
        join
            Whose group stays where both have it: `"left"` this one's, `"right"` the other's.
        warn_on_custom_groups
            Warn about a group that ArviZ's schema does not know.
        """
        if join not in ("left", "right"):
            raise ParameterError(f"extend: join must be 'left' or 'right', got {join!r}")
        mine = self._datasets()
        for name, dataset in as_datasets(other).items():
            if name in mine and join == "left":
                continue
            if warn_on_custom_groups and name not in GROUP_ORDER:
                warn(
                    f"extend: {name} is no group of ArviZ's schema",
                )
            self._put(name, dataset)

    def add_groups(
        self,
        group_dict: Mapping[str, Any] | None = None,
        coords: Mapping[str, Any] | None = None,
        dims: Mapping[str, Any] | None = None,
        warn_on_custom_groups: bool = False,
        **kwargs: Any,
    ) -> None:
        """Add new groups, in place.

        Parameters
        ----------
        group_dict, **kwargs
            Group name to a Dataset, a DataArray or a mapping of variable name to array.
        coords, dims
            Labels and names of the dimensions, for the groups given as mappings.
        warn_on_custom_groups
            Warn about a group that ArviZ's schema does not know.
        """
        groups = {**(group_dict or {}), **kwargs}
        if not groups:
            raise ParameterError("add_groups: no group came; write add_groups(prior={...})")
        present = [name for name in groups if name in self._datasets()]
        if present:
            raise ParameterError(
                f"add_groups: {present} already exist; use extend(..., join='right') to replace"
            )
        new = {name: _as_dataset(name, group, coords, dims) for name, group in groups.items()}
        self.extend(new, warn_on_custom_groups=warn_on_custom_groups)

    def to_datatree(self) -> Any:
        """The result as a plain `xarray.DataTree`, the form that ArviZ 1 uses."""
        import xarray

        tree = xarray.DataTree.from_dict(self._datasets())
        tree.attrs = dict(self.attrs)  # type: ignore[attr-defined]
        return tree

    def to_inferencedata(self) -> Any:
        """The result with InferenceData's methods, which is this object itself."""
        return self

    def _flat(self, name: str) -> Any:
        """One variable with its chains concatenated, as PyMC3's `trace[name]`."""
        for group in ("posterior", "sample_stats"):
            dataset = self._datasets().get(group)
            if dataset is not None and name in dataset.data_vars:
                array = dataset[name].transpose(*SAMPLE_DIMS, ...).to_numpy()
                return array.reshape(-1, *array.shape[2:])
        raise KeyError(self._no_such(name))

    def _no_such(self, name: str) -> str:
        datasets = self._datasets()
        known = list(datasets)
        for group in ("posterior", "sample_stats"):
            known += [str(key) for key in datasets.get(group, ())]
        return f"no group or variable {name!r}. {did_you_mean(name, known)}"


def datatree_class() -> type[Any]:
    """Build the class on `xarray.DataTree`."""
    import xarray

    class InferenceData(ResultMethods, xarray.DataTree):  # type: ignore[no-untyped-call]
        __slots__ = ()
        __doc__ = "Draws and their groups: an xarray.DataTree with InferenceData's methods too."

        def _datasets(self) -> dict[str, Any]:
            return {name: child.to_dataset() for name, child in self.children.items()}

        def _put(self, name: str, dataset: Any) -> None:
            xarray.DataTree.__setitem__(self, name, type(self)(dataset=dataset))

        def __reduce__(self) -> tuple[Any, ...]:
            if self.children:
                return super().__reduce__()
            return _unpickle_group, (self.to_dataset(), self.name)

        @property
        def groups(self) -> GroupNames:
            return GroupNames(node.path for node in self.subtree)

        def __getitem__(self, key: Any) -> Any:
            try:
                return super().__getitem__(key)
            except KeyError:
                if not self.children or not isinstance(key, str):
                    raise
            return self._flat(key)

        def __setitem__(self, key: str, value: Any) -> None:
            # a plain DataTree or Dataset takes this class on, so that its methods stay
            if isinstance(value, xarray.Dataset):
                value = type(self)(dataset=value)
            elif isinstance(value, xarray.DataTree) and not isinstance(value, type(self)):
                value = type(self).from_dict(value.to_dict(relative=True))
            super().__setitem__(key, value)

        def __getattr__(self, name: str) -> Any:
            try:
                return super().__getattr__(name)
            except AttributeError:
                if name.startswith("_") or not hasattr(xarray.Dataset, name):
                    raise
            return _from_groups(self, name)

        def to_dataframe(self, *args: Any, **kwargs: Any) -> Any:
            """Draws as a pandas DataFrame: chain, draw and a column for each scalar.

            On a single group this is `Dataset.to_dataframe`.
            """
            if not self.children:
                return self.to_dataset().to_dataframe(*args, **kwargs)
            return _to_dataframe(self._datasets(), *args, **kwargs)

    return _named(InferenceData)


def _from_groups(tree: Any, name: str) -> Any:
    """A name that a Dataset has: of one group, or for every group of a result."""
    if not tree.children:
        return getattr(tree.to_dataset(), name)
    if name in _EVERY_GROUP:
        return _over_groups(tree, name)
    raise AttributeError(
        f"a result has no {name!r} for all its groups at once; "
        f"ask one of them: result.{next(iter(tree.children))}.{name}"
    )


def legacy_class() -> type[Any]:
    """Build the class on ArviZ 0.x's `InferenceData`."""
    import arviz

    base: Any = arviz.InferenceData

    class InferenceData(ResultMethods, base):  # type: ignore[misc]
        __doc__ = "Draws and their groups: ArviZ's InferenceData with DataTree's ways in too."

        def _datasets(self) -> dict[str, Any]:
            return {name: getattr(self, name) for name in self._groups_all}

        def _put(self, name: str, dataset: Any) -> None:
            if name in self._groups_all:
                delattr(self, name)
            # the base's own method keeps the groups in the schema's order
            base.extend(self, base(**{name: dataset}), "right")

        @property
        def groups(self) -> GroupNames:
            return GroupNames(self._groups_all)

        @property
        def children(self) -> dict[str, Any]:
            """Group name to dataset, as on a DataTree."""
            return self._datasets()

        def __getitem__(self, key: str) -> Any:
            if not isinstance(key, str):
                raise KeyError(key)
            group, _, variable = key.strip("/").partition("/")
            if group in self._groups_all:
                return getattr(self, group)[variable] if variable else getattr(self, group)
            return self._flat(key)

        def __setitem__(self, key: str, value: Any) -> None:
            self._put(key.strip("/"), _as_dataset(key, value, None, None))

        def update(self, other: Any) -> None:
            """Add or replace groups, as on a DataTree."""
            self.extend(other, join="right")

    return _named(InferenceData)


def as_datasets(result: Any) -> dict[str, Any]:
    """Group name to dataset of a result, a DataTree, an InferenceData or a mapping of groups."""
    if isinstance(result, ResultMethods):
        return result._datasets()
    if hasattr(result, "children") and hasattr(result, "to_dataset"):  # a DataTree
        return {name: child.to_dataset() for name, child in result.children.items()}
    if callable(getattr(result, "groups", None)):  # ArviZ's own InferenceData
        return {name: result[name] for name in result.groups()}
    if isinstance(result, Mapping):
        return {name: _as_dataset(name, group, None, None) for name, group in result.items()}
    raise ParameterError(
        f"a result was expected (what sample returns, a DataTree or an InferenceData), "
        f"got {type(result).__name__}"
    )


def _as_dataset(name: str, group: Any, coords: Any, dims: Any) -> Any:
    import xarray

    if isinstance(group, xarray.Dataset):
        return group
    if isinstance(group, xarray.DataArray):
        return group.to_dataset(name=group.name or "x")
    if isinstance(group, xarray.DataTree):
        return group.to_dataset()
    if isinstance(group, Mapping):
        arrays = {str(key): np.asarray(value) for key, value in group.items()}
        if name not in DATA_GROUPS:
            # one row of draws is one chain
            arrays = {key: np.atleast_2d(array) for key, array in arrays.items()}
        return group_to_dataset(name, arrays, coords, dims)
    raise ParameterError(
        f"group {name!r}: expected a Dataset, a DataArray or a mapping of arrays, "
        f"got {type(group).__name__}"
    )


def _over_groups(tree: Any, method: str) -> Callable[..., Any]:
    def apply(*args: Any, **kwargs: Any) -> Any:
        done: dict[str, Any] = {}
        refused: Exception | None = None
        fitting = 0
        for name, dataset in tree._datasets().items():
            try:
                done[name] = getattr(dataset, method)(*args, **kwargs)
                fitting += 1
            except (KeyError, ValueError) as error:  # a group without the dimension asked for
                refused, done[name] = error, dataset
        if refused is not None and not fitting:
            raise refused
        return type(tree).from_dict(done)

    apply.__name__ = method
    return apply


def _to_dataframe(datasets: Mapping[str, Any], groups: Any = None, *, var_names: Any = None) -> Any:
    import pandas  # type: ignore[import-untyped]

    chosen = [groups] if isinstance(groups, str) else groups
    if chosen is None:
        chosen = [name for name in datasets if name == "posterior"] or list(datasets)[:1]
    unknown = [name for name in chosen if name not in datasets]
    if unknown:
        raise ParameterError(f"to_dataframe: {did_you_mean(unknown[0], datasets)}")
    columns: dict[Any, Any] = {}
    for group in chosen:
        dataset = datasets[group]
        missing = [dim for dim in SAMPLE_DIMS if dim not in dataset.dims]
        if missing:
            raise ParameterError(f"to_dataframe: the group {group!r} has no draws")
        chain, draw = np.meshgrid(dataset["chain"], dataset["draw"], indexing="ij")
        columns.setdefault("chain", chain.ravel())
        columns.setdefault("draw", draw.ravel())
        for name, column in _scalar_columns(dataset, var_names):
            columns[(group, name) if len(chosen) > 1 else name] = column
    return pandas.DataFrame(columns)


def _scalar_columns(dataset: Any, var_names: Any) -> Iterator[tuple[str, Any]]:
    wanted = [var_names] if isinstance(var_names, str) else var_names
    for name, variable in dataset.data_vars.items():
        if wanted is not None and name not in wanted:
            continue
        array = variable.transpose(*SAMPLE_DIMS, ...).to_numpy()
        flat = array.reshape(array.shape[0] * array.shape[1], -1)
        for column, index in enumerate(np.ndindex(*array.shape[2:])):
            label = f"{name}[{','.join(map(str, index))}]" if index else str(name)
            yield label, flat[:, column]


def _named(cls: type[Any]) -> type[Any]:
    # ArviZ tests the class's name; pickle looks it up through this module's __getattr__
    cls.__module__, cls.__qualname__ = __name__, "InferenceData"
    return cls


def arviz_is_legacy() -> bool:
    """Whether the installed ArviZ is a 0.x one, which takes only its own `InferenceData`."""
    from importlib import metadata  # 15 ms, and not needed before the first result is built

    try:
        version = metadata.version("arviz")
    except metadata.PackageNotFoundError:
        return False
    return version.split(".", 1)[0] == "0"


def inference_data_class() -> type[Any]:
    """The class of finetti's results in this environment; built once."""
    global _class
    with _lock:
        if _class is None:
            _class = _build_class()
        return _class


def from_datasets(datasets: Mapping[str, Any], attrs: Mapping[Any, Any] | None = None) -> Any:
    """A result out of one dataset for each group."""
    cls = inference_data_class()
    if not hasattr(cls, "from_dict"):
        return cls(attrs=attrs, **datasets)
    tree = cls.from_dict(dict(datasets))
    tree.attrs = dict(attrs or {})
    return tree


def _build_class() -> type[Any]:
    if arviz_is_legacy():
        # ArviZ's notice about its next version is for those who import it themselves
        warnings.filterwarnings("ignore", r"\s*ArviZ is undergoing", FutureWarning)
        try:
            return legacy_class()
        except Exception as error:  # draws must not be lost because a plotting package is broken
            warn(
                f"the installed arviz does not import ({type(error).__name__}: {error}); "
                "the result is an xarray.DataTree instead",
            )
    return datatree_class()


def _unpickle_group(dataset: Any, name: str | None) -> Any:
    cls = inference_data_class()
    return cls(dataset=dataset, name=name) if hasattr(cls, "from_dict") else dataset


def __getattr__(name: str) -> Any:
    if name == "InferenceData":
        return inference_data_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
