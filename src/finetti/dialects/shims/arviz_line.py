"""Which ArviZ a script was written for: 0.x, whose plots give axes, or 1.x with its collections.

Most calls read the same on both. So the file that calls is read for what only one of them knows:
names, keywords, and what is done with a plot. A file that says nothing counts as one for 0.x.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Iterator
from functools import lru_cache

TODAYS_NAMES = frozenset(
    """
    PlotCollection PlotMatrix add_bands add_lines bayesian_r2 ci_in_rope combine_plots
    convert_to_datatree diagnose eti kde2d lfo_cv loo_expectations loo_i loo_influence loo_kfold
    loo_metrics loo_moment_match loo_r2 loo_score loo_subsample plot_convergence_dist plot_dgof
    plot_dgof_dist plot_ecdf_pit plot_ess_evolution plot_loo_interval plot_loo_pava plot_matrix
    plot_pair_focus plot_ppc_censored plot_ppc_dist plot_ppc_dist_pit plot_ppc_interval
    plot_ppc_pava plot_ppc_pava_residuals plot_ppc_pit plot_ppc_rootogram plot_ppc_tstat
    plot_prior_posterior plot_psense_dist plot_psense_quantities plot_rank_dist plot_ridge
    plot_trace_dist psense psense_summary residual_r2 rhat_nested
    """.split()
)
BEFORE_NAMES = frozenset(
    """
    InferenceData autocorr convert_to_inference_data extract_dataset from_pymc3
    from_pymc3_predictions hpd plot_bpv plot_density plot_dist_comparison plot_dot plot_elpd
    plot_hdi plot_hpd plot_joint plot_kde plot_posterior plot_ppc plot_separation plot_ts
    plot_violin r2_score waic
    """.split()
)
# keywords of ArviZ's functions
TODAYS_WORDS = frozenset(
    """
    aes aes_by_visuals ci_kind ci_prob figure_kwargs pc_kwargs plot_collection sample_dims visuals
    """.split()
)
BEFORE_WORDS = frozenset(
    """
    ax axes backend_kwargs colors compact credible_interval figsize hdi_prob hpd_markers lines
    plot_kwargs ref_val round_to rope rug show textsize trace_kwargs varnames
    """.split()
)
# what is done with a plot
TODAYS_RESULTS = frozenset("add_legend add_title aes coords get_viz map savefig show viz".split())
BEFORE_RESULTS = frozenset("flat flatten ravel reshape shape".split())
BEFORE_MODULES = frozenset(("pymc3", "theano", "aesara"))


def written_for_today(depth: int = 1) -> bool:
    """Whether the calling file was written for ArviZ 1.x.

    Parameters
    ----------
    depth
        How many frames lie between.
    """
    return for_today(sys._getframe(depth + 1).f_code.co_filename)


def for_today(filename: str) -> bool:
    """Whether a file was written for ArviZ 1.x.

    Parameters
    ----------
    filename
        As its code objects have it.
    """
    return _says_today("".join(linecache.getlines(filename)))


@lru_cache(maxsize=64)
def _says_today(source: str) -> bool:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    today = before = False
    for says_today in _signs(tree):
        today, before = today or says_today, before or not says_today
    return today and not before


def _signs(tree: ast.Module) -> Iterator[bool]:
    """True for each thing that only 1.x knows, False for each that only 0.x knew."""
    aliases = {"arviz"} | {
        name.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
        if name.name == "arviz" and name.asname
    }
    plots = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _plots(node.value, aliases)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        yield from _signs_of(node, aliases, plots)


def _signs_of(node: ast.AST, aliases: set[str], plots: set[str]) -> Iterator[bool]:
    if isinstance(node, ast.Import):
        modules = {name.name.partition(".")[0] for name in node.names}
        yield from (False for _ in modules & BEFORE_MODULES)
        yield from (True for _ in modules & {"arviz_plots", "arviz_stats", "arviz_base"})
    elif isinstance(node, ast.ImportFrom) and (node.module or "") in BEFORE_MODULES:
        yield False
    elif isinstance(node, ast.Assign) and _plots(node.value, aliases):
        yield from (False for target in node.targets if isinstance(target, ast.Tuple | ast.List))
    elif isinstance(node, ast.Call) and _of(node.func, aliases):
        words = {keyword.arg for keyword in node.keywords}
        yield from (True for _ in words & TODAYS_WORDS)
        yield from (False for _ in words & BEFORE_WORDS)
    elif isinstance(node, ast.Subscript) and _is_plot(node.value, aliases, plots):
        yield False
    elif isinstance(node, ast.Attribute):
        if _of(node, aliases):
            yield from (True for _ in {node.attr} & TODAYS_NAMES)
            yield from (False for _ in {node.attr} & BEFORE_NAMES)
        elif _is_plot(node.value, aliases, plots):
            yield from (True for _ in {node.attr} & TODAYS_RESULTS)
            yield from (False for _ in {node.attr} & BEFORE_RESULTS)


def _of(node: ast.AST, aliases: set[str]) -> bool:
    """Whether an expression is ``az.name``."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in aliases
    )


def _plots(node: ast.AST, aliases: set[str]) -> bool:
    """Whether an expression is ``az.plot_name(...)``."""
    return (
        isinstance(node, ast.Call)
        and _of(node.func, aliases)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr.startswith("plot_")
    )


def _is_plot(node: ast.AST, aliases: set[str], plots: set[str]) -> bool:
    return _plots(node, aliases) or (isinstance(node, ast.Name) and node.id in plots)
