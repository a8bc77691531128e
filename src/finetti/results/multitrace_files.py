"""A trace in a directory, one folder a chain as PyMC3 has it, and as a table of pandas."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from finetti.errors import ParameterError
from finetti.results.multitrace import MultiTrace, Source, Stored
from finetti.results.trace import Array, Draws

_SAMPLES, _STATS, _METADATA = "samples.npz", "stats.npz", "metadata.json"


def save_trace(trace: MultiTrace, directory: Any = None, overwrite: bool = False) -> str:
    """Write a trace into a directory.

    Parameters
    ----------
    trace : MultiTrace
        What `sample` returned.
    directory : path, optional
        Where; `.pymc_1.trace` and so on by default.
    overwrite : bool
        Replace a directory that is there.

    Returns
    -------
    str
        The directory.
    """
    path = _fresh() if directory is None else Path(directory)
    if path.is_dir():
        if not overwrite:
            raise ParameterError(f"save_trace: {path} is there already; pass overwrite=True.")
        shutil.rmtree(path)
    stats = trace.plain_draws().sample_stats
    for place, chain in enumerate(trace.chains):
        folder = path / str(chain)
        folder.mkdir(parents=True)
        values = {name: trace.get_values(name, chains=[chain]) for name in trace.varnames}
        np.savez_compressed(folder / _SAMPLES, **values)
        np.savez_compressed(folder / _STATS, **{name: x[place] for name, x in stats.items()})
        attrs = {k: v for k, v in trace.plain_draws().attrs.items() if isinstance(v, (int, float))}
        (folder / _METADATA).write_text(json.dumps({"draws": len(trace), "attrs": attrs}))
    return str(path)


def load_trace(directory: Any, source: Source | None = None) -> MultiTrace:
    """Read a trace that `save_trace` wrote.

    Parameters
    ----------
    directory : path
        Where it is.
    source : Source, optional
        The model's side.
    """
    folders = sorted(
        (f for f in Path(directory).glob("*") if f.name.isdigit()), key=lambda f: int(f.name)
    )
    if not folders:
        raise ParameterError(f"load_trace: {directory} holds no chains: expected folders 0, 1, ...")
    samples = _stacked([folder / _SAMPLES for folder in folders])
    has_stats = all((folder / _STATS).exists() for folder in folders)
    stats = _stacked([folder / _STATS for folder in folders]) if has_stats else {}
    metadata = folders[0] / _METADATA
    attrs = json.loads(metadata.read_text()).get("attrs", {}) if metadata.exists() else {}
    inner = {name: x for name, x in samples.items() if name.endswith("__")}
    draws = Draws(
        posterior={name: x for name, x in samples.items() if name not in inner},
        sample_stats=stats,
        attrs=attrs,
    )
    return MultiTrace(draws, source or Stored(inner), [int(folder.name) for folder in folders])


def _fresh() -> Path:
    number = 1
    while Path(f".pymc_{number}.trace").exists():
        number += 1
    return Path(f".pymc_{number}.trace")


def _stacked(files: Sequence[Path]) -> dict[str, Array]:
    parts = []
    for file in files:
        with np.load(file, allow_pickle=False) as found:
            parts.append({name: found[name] for name in found.files})
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}


def trace_to_dataframe(
    trace: MultiTrace,
    chains: Any = None,
    varnames: Sequence[str] | None = None,
    include_transformed: bool = False,
) -> Any:
    """A column for each scalar (``theta__0``, ``theta__0_1``), a row for each draw.

    Parameters
    ----------
    trace : MultiTrace
        What `sample` returned.
    chains : int or list of int, optional
        Of these chains only.
    varnames : list of str, optional
        Of these variables only.
    include_transformed : bool
        Unconstrained values too.
    """
    import pandas  # type: ignore[import-untyped]

    if varnames is None:
        varnames = [n for n in trace.varnames if include_transformed or not n.endswith("_")]
    columns: dict[str, Array] = {}
    for name in varnames:
        values = trace.get_values(name, chains=chains)
        flat = values.reshape(len(values), -1)
        for column, index in enumerate(np.ndindex(*values.shape[1:])):
            label = f"{name}__{'_'.join(map(str, index))}" if index else name
            columns[label] = flat[:, column]
    return pandas.DataFrame(columns)


def series(values: Mapping[str, Any], name: str) -> Any:
    """Named numbers as a pandas Series."""
    import pandas

    return pandas.Series({key: float(np.asarray(x)) for key, x in values.items()}, name=name)
