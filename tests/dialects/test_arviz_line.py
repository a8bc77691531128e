"""Which ArviZ a script was written for."""

from __future__ import annotations

import pytest

from finetti.dialects.shims.arviz_line import _says_today, for_today

START = "import arviz as az\n"


@pytest.mark.parametrize(
    ("text", "today"),
    [
        ("az.plot_trace(idata)", False),
        ("az.plot_trace_dist(idata)", True),
        ("pc = az.plot_forest(idata)\npc.add_legend('model')", True),
        ("pc = az.plot_trace(idata)\npc.viz['mu']", True),
        ("az.plot_trace(idata).savefig('a.png')", True),
        ("az.plot_forest(idata, visuals={'labels': False})", True),
        ("az.summary(idata, ci_prob=0.9)", True),
        ("import arviz_plots as azp", True),
        ("axes = az.plot_trace(idata)\naxes[0, 0].set_title('a')", False),
        ("pc = az.plot_trace_dist(idata)\nax, = az.plot_forest(idata)", False),
        ("az.plot_trace_dist(idata)\naz.summary(idata, hdi_prob=0.9)", False),
        ("az.plot_posterior(idata)\naz.plot_ppc_dist(idata)", False),
        ("import pymc3 as pm\naz.plot_trace_dist(idata)", False),
        ("az.plot_trace(idata)[0, 0]\naz.plot_ridge(idata)", False),
        ("other.plot_trace_dist(idata)", False),
        ("this is no Python", False),
    ],
)
def test_signs(text: str, today: bool) -> None:
    assert _says_today(START + text) is today


def test_a_file_that_is_not_there_says_nothing() -> None:
    assert for_today("<cell 3>") is False
