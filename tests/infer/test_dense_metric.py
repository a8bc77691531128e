"""Dense mass matrices in PyMC's words: `init="adapt_full"` and `scaling=` with a matrix.

Means and squares are compared with the truth within 5 of their standard errors: 12 numbers each
time, so that a false alarm has a probability of 1e-5 a test; the seeds are fixed.
"""

import logging

import numpy as np
import pytest

import finetti as pm
from finetti import _core
from finetti.errors import ParameterError, ShapeError
from finetti.results.arviz import to_draws

FEW = {"draws": 5, "tune": 5, "chains": 2, "progressbar": False, "random_seed": 1}
SD = np.array([0.1, 1.0, 20.0, 3.0, 5.0])
ROOT = np.random.default_rng(4).normal(size=(5, 5))
COVARIANCE = ROOT @ ROOT.T + 1e-3 * np.eye(5)
COVARIANCE *= np.outer(SD, SD) / np.sqrt(np.outer(np.diag(COVARIANCE), np.diag(COVARIANCE)))
EDGE = 2.0  # of w
WHOLE = np.zeros((6, 6))  # of v and w
WHOLE[:5, :5], WHOLE[5, 5] = COVARIANCE, EDGE**2


def correlated():
    with pm.Model() as model:
        pm.MvNormal("v", np.zeros(5), cov=COVARIANCE)
        pm.Normal("w", 0.0, EDGE)
    return model


def moments_are_right(drawn):
    values = np.concatenate([drawn.posterior["v"], drawn.posterior["w"][..., None]], -1)
    for moment, truth in ((values, 0.0), (values**2, np.diag(WHOLE))):
        moment = np.ascontiguousarray(moment)
        assert (abs(moment.mean((0, 1)) - truth) < 5 * _core.mcse_mean(moment)).all()


@pytest.mark.parametrize("init", ["adapt_full", "jitter+adapt_full", "Jitter+Adapt_Full"])
def test_a_matrix_is_learned(init, caplog):
    caplog.set_level(logging.INFO, logger="finetti")
    drawn = to_draws(
        pm.sample(500, tune=500, chains=2, init=init, random_seed=2, progressbar=False,
                  model=correlated())
    )  # fmt: skip
    assert f"Initializing NUTS using {init.lower()}..." in caplog.messages
    moments_are_right(drawn)
    assert drawn.sample_stats["n_steps"].mean() < 8  # 15 and more with a diagonal metric


def test_steps_of_a_part_have_a_matrix_of_their_own():
    """A NUTS that is chosen for some variables, beside a step for a discrete one."""
    with correlated() as model:
        pm.Bernoulli("b", 0.3)
        drawn = to_draws(
            pm.sample(500, tune=500, chains=2, init="adapt_full", random_seed=2,
                      step=pm.BinaryMetropolis([model["b"]]), progressbar=False)
        )  # fmt: skip
    moments_are_right(drawn)
    assert drawn.sample_stats["n_steps"].mean() < 8


@pytest.mark.parametrize("kind", ["NUTS", "HamiltonianMC"])
@pytest.mark.parametrize("is_cov", [False, True])
def test_scaling_with_a_matrix(is_cov, kind):
    """In the order of the step's variables; kept without adaptation."""
    order = [5, 0, 1, 2, 3, 4]
    matrix = WHOLE[np.ix_(order, order)]
    with correlated() as model:
        step = getattr(pm, kind)(
            [model["w"], model["v"]], scaling=matrix if is_cov else np.linalg.inv(matrix),
            is_cov=is_cov, adapt_metric=False,
        )  # fmt: skip
        drawn = to_draws(pm.sample(400, tune=200, step=step, random_seed=3, progressbar=False))
    moments_are_right(drawn)
    assert drawn.sample_stats["n_steps"].mean() < 8


def test_the_same_bits_on_any_number_of_cores():
    few = {"draws": 30, "tune": 60, "chains": 3, "progressbar": False, "random_seed": 5}
    one, two = (
        to_draws(pm.sample(**few, cores=cores, init="adapt_full", model=correlated()))
        for cores in (1, 3)
    )
    np.testing.assert_array_equal(one.posterior["v"], two.posterior["v"])


@pytest.mark.parametrize(
    ("scaling", "error", "words"),
    [
        (np.ones((2, 3)), ShapeError, r"scaling has the shape \(2, 3\): expected a square"),
        (np.ones((2, 2, 2)), ShapeError, r"scaling has the shape \(2, 2, 2\)"),
        ([[1.0, 0.3], [0.0, 1.0]], ParameterError, r"not symmetric: \[0, 1\] is 0.3, \[1, 0\] is"),
        ([[1.0, 2.0], [2.0, 1.0]], ParameterError, "not positive definite: its smallest eigenv"),
        ([[1.0, np.inf], [np.inf, 1.0]], ParameterError, r"scaling\[0, 1\] is inf"),
    ],
)
def test_bad_matrices_are_named(scaling, error, words):
    with correlated() as model, pytest.raises(error, match=f"NUTS: {words}|NUTS.*{words}"):
        pm.NUTS([model["v"]], scaling=scaling)


def test_a_matrix_of_the_wrong_size_is_named():
    with correlated() as model, pytest.raises(ShapeError, match="3 rows.*5 unconstrained values"):
        pm.sample(step=pm.NUTS([model["v"]], scaling=np.eye(3)), **FEW)


def test_too_wide_a_matrix_is_refused():
    with pm.Model(), pytest.raises(ParameterError, match="2001 elements is too wide"):
        pm.Normal("x", shape=2001)
        pm.sample(init="adapt_full", **FEW)


def test_a_matrix_goes_to_a_step():
    with correlated(), pytest.raises(ParameterError, match=r"scaling= belongs.*step=pm.NUTS\("):
        pm.sample(nuts={"scaling": np.eye(6)}, **FEW)


def test_a_depth_of_the_warmup():
    drawn = to_draws(
        pm.sample(20, tune=20, nuts={"warmup_treedepth": 2, "adapt_metric": False,
                  "adapt_step_size": False, "initial_step": 1e-3}, max_treedepth=3, chains=1,
                  discard_tuned_samples=False, progressbar=False, model=correlated())
    )  # fmt: skip
    assert drawn.group("warmup_sample_stats")["n_steps"].max() == 3
    assert drawn.sample_stats["n_steps"].max() == 7


def test_blocks_are_no_keyword():
    with correlated(), pytest.raises(ParameterError, match="unknown keyword dense_blocks"):
        pm.sample(nuts={"dense_blocks": [[0, 1]]}, **FEW)
