"""`summary`: the table of estimates and diagnostics that one prints after sampling."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from finetti.errors import NotYetSupported, ParameterError, did_you_mean
from finetti.report.digits import Rounding
from finetti.report.table import SummaryTable
from finetti.report.variables import (
    Variable,
    drawn_exactly,
    read_variables,
    select_coords,
    select_names,
)
from finetti.results.diagnostics import (
    ESS_PER_CHAIN_LIMIT,
    INTERVAL_PROB,
    RHAT_LIMIT,
    TAIL_PROB,
    check_prob,
    describe,
)

StatFuncs = Mapping[str, Callable[..., Any]] | Sequence[Callable[..., Any]]

_KINDS = ("all", "stats", "diagnostics")
_NOTE = (
    f"r_hat above {RHAT_LIMIT} or fewer than {ESS_PER_CHAIN_LIMIT} effective draws per chain: "
    "do not rely on these rows yet"
)
# keywords of ArviZ's summary that are refused, and what to do instead
_REFUSED = {
    "circ_var_names": "circular statistics are not there; wrap the variable's draws yourself",
    "labeller": "rows are named theta[label]; rename them in table.to_dataframe()",
    "index_origin": "ArviZ dropped it; change the coordinate's values instead",
    "order": "ArviZ dropped it; numbers of a table are not ordered by memory layout",
    "sample_dims": "draws are always [chain, draw, ...]",
}
_MOVED = {"varnames": "var_names", "alpha": "hdi_prob", "credible_interval": "hdi_prob"}


@dataclass(frozen=True)
class _Plan:
    """Which columns to compute, and from which measures of the core."""

    measures: dict[str, tuple[str, float]]
    stats: frozenset[str]  # the columns that skipna applies to
    funcs: dict[str, Callable[..., Any]]


def summary(
    data: Any,
    var_names: str | Sequence[str] | None = None,
    filter_vars: str | None = None,
    group: str | None = None,
    fmt: str = "wide",
    kind: str = "all",
    round_to: Rounding | None = None,
    *,
    stat_focus: str = "mean",
    stat_funcs: StatFuncs | None = None,
    extend: bool = True,
    hdi_prob: float | None = None,
    ci_prob: float | None = None,
    ci_kind: str | None = None,
    skipna: bool = False,
    coords: Mapping[str, Any] | None = None,
    **other: Any,
) -> SummaryTable:
    """Estimates, intervals and convergence diagnostics of every scalar in a result.

    The numbers are those of ArviZ under its classic names and defaults (94 % highest-density
    intervals). Needs neither ArviZ nor xarray.

    Parameters
    ----------
    data
        What `sample` returned, a mapping of name to array `[chain, draw, ...]`, an
        `xarray.DataTree` or `Dataset`, or an `arviz.InferenceData`.
    var_names
        Variables to show, all by default; `"~theta"` leaves one out.
    filter_vars
        `None`: `var_names` are names; `"like"`: substrings; `"regex"`: regular expressions.
    group
        Group of the result; the posterior, or the prior where there is no posterior.
    fmt
        Only `"wide"`, one row a scalar; `.to_dataframe()` gives pandas.
    kind
        `"all"`, `"stats"` or `"diagnostics"`.
    round_to
        `None` or `"auto"`: print the digits that the standard errors leave certain, keep the
        numbers whole. An int rounds to decimals, `"3g"` to significant digits, `"none"` prints all.
    stat_focus
        `"mean"` (mean, sd, HDI) or `"median"` (median, MAD, equal-tailed interval).
    stat_funcs
        Further statistics, a list of functions or a mapping of name to function; each is called
        with the flat draws of one scalar.
    extend
        Whether `stat_funcs` come on top of the columns or replace them.
    hdi_prob, ci_prob
        Probability that the interval holds, 0.94; two names of one thing.
    ci_kind
        `"hdi"` or `"eti"`; follows `stat_focus` by default.
    skipna
        Leave NaN draws out of the statistics (not out of the diagnostics).
    coords
        Dimension name to the labels to show: a label, a list of labels or a slice.
    **other
        ArviZ's remaining keywords are refused by name.

    Returns
    -------
    SummaryTable
        Prints as a table; `table["mean"]` and `table.loc["mu", "mean"]` as in pandas.
    """
    _refuse(other, fmt)
    rounding = _rounding(round_to)
    if str(kind).endswith("_median"):  # how ArviZ 1 spells the focus
        kind, stat_focus = kind.removesuffix("_median"), "median"
    plan = _plan(kind, stat_focus, _interval(hdi_prob, ci_prob, ci_kind, stat_focus))
    plan = _with_functions(plan, stat_funcs, extend)
    variables = select_names(read_variables(data, group), var_names, filter_vars)
    if coords:
        variables = select_coords(variables, coords)
    names: list[str] = []
    blocks = [np.empty((0, len(plan.measures) + len(plan.funcs)))]
    marks = [np.empty(0, bool)]
    for variable in variables:
        names += variable.element_names()
        rows = _rows(variable, plan, skipna)
        blocks.append(rows)
        marks.append(_marked(rows, list(plan.measures), variable.values.shape[0]))
    return SummaryTable(
        np.concatenate(blocks),
        names,
        [*plan.measures, *plan.funcs],
        rounding=rounding,
        marked=np.concatenate(marks),
        note=_NOTE,
        remark=_exactly(data, [variable.name for variable in variables]),
    )


def _exactly(data: Any, shown: list[str]) -> str:
    names = [name for name in drawn_exactly(data) if name in shown]
    if not names:
        return ""
    its = "its distribution" if len(names) == 1 else "their distributions"
    return f"{', '.join(names)}: drawn exactly from {its}, given the draws of the others."


def _rows(variable: Variable, plan: _Plan, skipna: bool) -> npt.NDArray[np.float64]:
    draws = variable.values.reshape(*variable.values.shape[:2], -1)
    columns = describe(draws, plan.measures.values()).T
    if skipna and plan.stats:
        _redo_without_nan(draws, columns, plan)
    if not plan.funcs:
        return columns
    flat = draws.reshape(-1, draws.shape[2])
    extra = [[float(f(flat[:, k])) for f in plan.funcs.values()] for k in range(draws.shape[2])]
    return np.concatenate([columns, np.reshape(extra, (draws.shape[2], len(plan.funcs)))], axis=1)


def _redo_without_nan(
    draws: npt.NDArray[Any], columns: npt.NDArray[np.float64], plan: _Plan
) -> None:
    chosen = [i for i, column in enumerate(plan.measures) if column in plan.stats]
    measures = [measure for column, measure in plan.measures.items() if column in plan.stats]
    for k in np.flatnonzero(np.isnan(draws).any(axis=(0, 1))):
        kept = draws[:, :, k][~np.isnan(draws[:, :, k])]
        if kept.size:
            columns[k, chosen] = describe(kept[None], measures)


def _marked(
    rows: npt.NDArray[np.float64], columns: Sequence[str], chains: int
) -> npt.NDArray[np.bool_]:
    bad = np.zeros(len(rows), bool)
    for place, column in enumerate(columns):
        if column == "r_hat":
            bad |= rows[:, place] > RHAT_LIMIT
        elif column.startswith("ess_"):
            bad |= rows[:, place] < ESS_PER_CHAIN_LIMIT * chains
    return bad


def _plan(kind: str, focus: str, interval: tuple[str, float]) -> _Plan:
    if kind not in _KINDS:
        raise ParameterError(f"summary: kind={kind!r}. {did_you_mean(str(kind), _KINDS)}")
    if focus not in ("mean", "median"):
        raise ParameterError(f"summary: stat_focus must be 'mean' or 'median', got {focus!r}")
    ci_kind, prob = interval
    tail = (1 - prob) / 2
    ends = [f"{ci_kind}_{100 * tail:g}%", f"{ci_kind}_{100 * (1 - tail):g}%"]
    if ci_kind == "hdi":
        limits = [("hdi_lower", prob), ("hdi_upper", prob)]
    else:
        limits = [("quantile", tail), ("quantile", 1 - tail)]
    centre, spread = ("mean", "sd") if focus == "mean" else ("median", "mad")
    stats: dict[str, tuple[str, float]] = {centre: (centre, 0.0), spread: (spread, 0.0)}
    stats |= dict(zip(ends, limits, strict=True))
    names = ["mcse_mean", "mcse_sd", "ess_bulk"] if focus == "mean" else []
    names += ["mcse_median", "ess_median"] if focus == "median" else []
    diagnostics = {name: (name, 0.0) for name in names}
    diagnostics |= {"ess_tail": ("ess_tail", TAIL_PROB), "r_hat": ("rhat", 0.0)}
    chosen = {"all": stats | diagnostics, "stats": stats, "diagnostics": diagnostics}[kind]
    return _Plan(chosen, frozenset(stats) & frozenset(chosen), {})


def _with_functions(plan: _Plan, stat_funcs: StatFuncs | None, extend: bool) -> _Plan:
    if stat_funcs is None:
        return plan
    if isinstance(stat_funcs, Mapping):
        funcs = dict(stat_funcs)
    else:
        funcs = {getattr(func, "__name__", str(func)): func for func in stat_funcs}
    for name, func in funcs.items():
        if not callable(func):
            raise ParameterError(f"summary: stat_funcs[{name!r}] is no function: {func!r}")
        if extend and name in plan.measures:
            raise ParameterError(
                f"summary: stat_funcs[{name!r}] has the name of a column; rename it or pass "
                "extend=False"
            )
    return _Plan(plan.measures if extend else {}, plan.stats if extend else frozenset(), funcs)


def _interval(
    hdi_prob: float | None, ci_prob: float | None, ci_kind: str | None, focus: str
) -> tuple[str, float]:
    if hdi_prob is not None and ci_prob is not None and hdi_prob != ci_prob:
        raise ParameterError(
            f"summary: hdi_prob={hdi_prob!r} and ci_prob={ci_prob!r} are two names of one thing; "
            "pass one of them"
        )
    name = "hdi_prob" if ci_prob is None else "ci_prob"
    given = hdi_prob if ci_prob is None else ci_prob
    prob = INTERVAL_PROB if given is None else check_prob("summary", name, given)
    if prob == 0:
        raise ParameterError(f"summary: {name} must be above 0, got {given!r}")
    if ci_kind is None:
        ci_kind = "eti" if focus == "median" else "hdi"
    if ci_kind not in ("hdi", "eti"):
        raise ParameterError(f"summary: ci_kind must be 'hdi' or 'eti', got {ci_kind!r}")
    return ci_kind, prob


def _rounding(round_to: Any) -> Rounding:
    if round_to is None:
        return "auto"
    if isinstance(round_to, (int, np.integer)) and not isinstance(round_to, bool):
        return int(round_to)
    text = str(round_to).lower()
    if isinstance(round_to, str) and (text in ("auto", "none") or re.fullmatch(r"[1-9]\d*g", text)):
        return text
    raise ParameterError(
        f"summary: round_to={round_to!r}; give a number of decimals, 'auto', 'none', or '3g' for "
        "three significant digits"
    )


def _refuse(other: Mapping[str, Any], fmt: Any) -> None:
    if fmt != "wide":
        raise NotYetSupported(
            f"summary: fmt={fmt!r} came, only 'wide' is there; reshape table.to_dataframe()"
        )
    for name, value in other.items():
        if name in _REFUSED and value is None:
            continue  # ArviZ's own default asks for nothing
        if name in _REFUSED:
            raise NotYetSupported(f"summary: {name}={value!r} is not supported: {_REFUSED[name]}")
        if name in _MOVED:
            raise ParameterError(f"summary: {name} is now {_MOVED[name]}")
        known = [n for n in summary.__annotations__ if n not in ("other", "return")]
        raise ParameterError(f"summary: unknown keyword {name!r}. {did_you_mean(name, known)}")
