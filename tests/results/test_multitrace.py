"""MultiTrace: what PyMC3's documentation says of it, on draws that are known."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from finetti.errors import FinettiError
from finetti.results import multitrace_files as files
from finetti.results.arviz import to_draws
from finetti.results.multitrace import MultiTrace, Stored, merge_traces
from finetti.results.trace import Draws

CHAINS, DRAWS = 3, 10
MU = np.arange(30.0).reshape(CHAINS, DRAWS)
THETA = np.arange(120.0).reshape(CHAINS, DRAWS, 2, 2)


@pytest.fixture
def trace() -> MultiTrace:
    draws = Draws(
        posterior={"mu": MU, "theta": THETA, "sigma": np.exp(MU / 10)},
        sample_stats={"energy": -MU, "tree_depth": MU.astype(int)},
        attrs={"tuning_steps": 7, "sampling_time": 1.5},
    )
    return MultiTrace.from_draws(draws, Stored({"sigma_log__": MU / 10}))


# asked with `trace` -> what must come
ASKED = {
    "trace['mu']": MU.ravel(),
    "trace.mu": MU.ravel(),
    "trace['theta']": THETA.reshape(-1, 2, 2),
    "trace['sigma_log__']": MU.ravel() / 10,
    "trace.sigma_log__": MU.ravel() / 10,
    "trace['mu', 4:]": MU[:, 4:].ravel(),
    "trace['mu', 4::3]": MU[:, 4::3].ravel(),
    "trace['mu', ::3]": MU[:, ::3].ravel(),
    "trace['mu', -2:]": MU[:, -2:].ravel(),
    "trace['energy']": -MU.ravel(),
    "trace.energy": -MU.ravel(),
    "trace['depth']": MU.ravel(),
    "trace['energy', 5:]": -MU[:, 5:].ravel(),
    "trace[6:]['mu']": MU[:, 6:].ravel(),
    "trace[6:]['sigma_log__']": MU[:, 6:].ravel() / 10,
    "trace[2:8:2]['theta']": THETA[:, 2:8:2].reshape(-1, 2, 2),
    "trace[::2]['energy']": -MU[:, ::2].ravel(),
    "trace[3]['mu']": 23.0,
    "trace[-1]['theta']": THETA[2, -1],
    "trace[3]['sigma_log__']": 2.3,
    "trace.point(3, chain=0)['mu']": 3.0,
    "[p['mu'] for p in trace.points()]": list(MU.ravel()),
    "[p['mu'] for p in trace.points(chains=[1])]": list(MU[1]),
    "trace.get_values('mu')": MU.ravel(),
    "trace.get_values('mu', burn=2, thin=4)": MU[:, 2::4].ravel(),
    "trace.get_values('mu', combine=False)": list(MU),
    "trace.get_values('mu', chains=1)": MU[1],
    "trace.get_values('mu', chains=[2, 0])": MU[[2, 0]].ravel(),
    "trace.get_values('mu', chains=[1], combine=False)": MU[1],
    "trace.get_values('mu', chains=[1], combine=False, squeeze=False)": [MU[1]],
    "trace.get_values('mu', squeeze=False)": [MU.ravel()],
    "trace.get_sampler_stats('energy', burn=8, combine=False)": list(-MU[:, 8:]),
    "trace.get_sampler_stats('depth', chains=2)": MU[2],
    "len(trace)": DRAWS,
    "len(trace[6:])": 4,
    "trace.nchains": CHAINS,
    "trace.chains": [0, 1, 2],
    "trace[4:].chains": [0, 1, 2],
    "trace.report.n_tune": 7,
    "trace.report.n_draws": DRAWS,
    "trace.report.ok": True,
}
WORDS = {
    "trace.varnames": ["sigma_log__", "mu", "theta", "sigma"],
    "sorted(trace.stat_names)": ["depth", "energy", "tree_depth"],
    "'mu' in trace and 'nu' not in trace": True,
    "repr(trace)": "<MultiTrace: 3 chains, 10 iterations, 4 variables>",
}


@pytest.mark.parametrize("question", ASKED)
def test_numbers(trace, question):
    got = eval(question, {"trace": trace})
    np.testing.assert_array_equal(np.asarray(got), np.asarray(ASKED[question]))
    assert isinstance(got, list) == isinstance(ASKED[question], list)


@pytest.mark.parametrize("question", WORDS)
def test_words(trace, question):
    assert eval(question, {"trace": trace}) == WORDS[question]


@pytest.mark.parametrize(
    ("question", "error", "word"),
    [
        ("trace['nu']", KeyError, "mu"),
        ("trace.get_values('nu')", KeyError, "mu"),
        ("trace.get_sampler_stats('nu')", KeyError, "energy"),
        ("trace.get_values('mu', chains=[5])", ValueError, "chain 5"),
        ("trace[10]", IndexError, "10 draws"),
        ("iter(trace)", FinettiError, "points"),
        ("trace.add_values({'mu': MU.ravel()})", ValueError, "overwrite"),
        ("trace.add_values({'nu': MU[0]})", ValueError, "3 chains x 10 draws"),
        ("trace.remove_values('nu')", KeyError, "nu"),
        ("merge_traces([trace, trace])", ValueError, "not unique"),
    ],
)
def test_mistakes(trace, question, error, word):
    with pytest.raises(error, match=word):
        eval(question, {"trace": trace, "MU": MU, "merge_traces": merge_traces})


def test_add_and_remove(trace):
    trace.add_values({"nu": np.arange(60.0).reshape(30, 2)})
    assert trace["nu"].shape == (30, 2)
    assert trace[-1]["nu"].tolist() == [58.0, 59.0]
    trace.add_values({"nu": np.zeros(30)}, overwrite=True)
    trace.remove_values("nu")
    trace.remove_values("sigma_log__")
    assert trace.varnames == ["mu", "theta", "sigma"]


def test_slices_share_memory(trace):
    assert np.shares_memory(trace["mu"], MU)
    assert np.shares_memory(trace[5:].plain_draws().posterior["mu"], MU)


def test_merge(trace):
    draws = Draws(posterior={"mu": MU + 100, "theta": THETA}, sample_stats={"energy": MU})
    both = merge_traces([trace, MultiTrace.from_draws(draws, chain_idx=3)])
    assert both.chains == [0, 1, 2, 3, 4, 5]
    np.testing.assert_array_equal(both["mu"], np.concatenate([MU, MU + 100]).ravel())
    assert both.point(0, chain=3)["mu"] == 100
    short = MultiTrace(trace[2:].plain_draws(), None, [3, 4, 5])
    with pytest.raises(ValueError, match="lengths"):
        merge_traces([trace, short])


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_copies(trace, way):
    again = way(trace[2:])
    assert type(again) is MultiTrace
    np.testing.assert_array_equal(again["sigma_log__"], MU[:, 2:].ravel() / 10)


def test_files(trace, tmp_path):
    where = files.save_trace(trace, tmp_path / "t")
    with pytest.raises(ValueError, match="overwrite"):
        files.save_trace(trace, where)
    files.save_trace(trace, where, overwrite=True)
    again = files.load_trace(where)
    assert again.chains == trace.chains
    for name in trace.varnames:
        np.testing.assert_array_equal(again[name], trace[name])
    np.testing.assert_array_equal(again.energy, trace.energy)
    assert again.report.n_tune == 7
    with pytest.raises(ValueError, match="no chains"):
        files.load_trace(tmp_path)


def test_dataframe(trace):
    pytest.importorskip("pandas")
    frame = files.trace_to_dataframe(trace)
    assert [*frame.columns] == [
        "mu", "theta__0_0", "theta__0_1", "theta__1_0", "theta__1_1", "sigma",
    ]  # fmt: skip
    assert frame.shape == (30, 6)
    np.testing.assert_array_equal(frame["theta__1_0"], THETA[:, :, 1, 0].ravel())
    assert "sigma_log__" in files.trace_to_dataframe(trace, include_transformed=True)
    assert len(files.trace_to_dataframe(trace, chains=[0], varnames=["mu"])) == 10


def test_arviz_takes_it(trace):
    az = pytest.importorskip("arviz")
    assert isinstance(trace, MultiTrace)
    assert trace.posterior["mu"].shape == (CHAINS, DRAWS)
    assert trace["posterior"]["mu"].dims == ("chain", "draw")
    assert "sigma_log__" not in trace.posterior
    table = az.summary(trace, var_names=["mu"])
    assert table.shape[0] == 1
    assert to_draws(trace) is trace.plain_draws()
    later = MultiTrace.from_draws(trace.plain_draws(), chain_idx=4)
    assert later.posterior.chain.values.tolist() == [4, 5, 6]


def test_without_a_model_there_is_no_log_likelihood(trace):
    with pytest.raises(ValueError, match="model="):
        trace.with_log_likelihood()
