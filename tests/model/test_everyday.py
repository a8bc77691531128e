"""What a newcomer with pandas, SciPy, exchanged data and threads meets."""

from __future__ import annotations

import copy
import pickle
import threading

import numpy as np
import pytest

import finetti as pm
from finetti.errors import DimsError, InitialPointError, NotYetSupported, ParameterError, ShapeError
from finetti.infer import logs


def test_a_pandas_column_on_the_left_of_a_tensor():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    x = pm.Normal.dist(0, 1)
    for column in (frame["a"], frame, frame.index):
        for left, right in ((column * x, x * column), (column + x, x + column)):
            assert left.shape == right.shape
    with pm.Model() as model:
        slope = pm.Normal("slope", 0, 1)
        pm.Normal("y", frame["a"] * slope - frame["b"], 1, observed=frame["b"])
    assert np.isfinite(model.compile_logp()(model.initial_point()))


def test_scipy_functions_of_tensors():
    special = pytest.importorskip("scipy.special")
    values = np.array([0.1, 0.4, 0.8])
    with pm.Model():
        data = pm.Data("d", values)
    for name in ("expit", "logit", "gammaln", "psi", "erf", "erfc", "ndtr", "log_ndtr", "erfinv"):
        function = getattr(special, name)
        np.testing.assert_allclose(function(data * 1.0).eval(), function(values), rtol=1e-10)
    with pytest.raises(NotYetSupported, match="'ellipk' takes no tensors"):
        special.ellipk(data)


def test_compiled_functions_follow_set_data():
    with pm.Model() as model:
        x = pm.Normal("x", 0, 1)
        pm.Normal("y", x * pm.Data("d", [1.0, 2.0]), 1, observed=pm.Data("o", [1.0, 2.0]))
    point = {"x": np.array(0.5)}
    logp, dlogp = model.compile_logp(), model.compile_dlogp()
    own = model.compile_fn(model["x"] * model["d"].sum())
    before = logp(point), dlogp(point), own(point)
    with model:
        pm.set_data({"d": [3.0, 1.0, 4.0], "o": [0.0, 1.0, 2.0]})
    np.testing.assert_allclose(logp(point), model.compile_logp()(point))
    np.testing.assert_allclose(dlogp(point), model.compile_dlogp()(point))
    np.testing.assert_allclose(own(point), 4.0)
    assert not np.isclose(logp(point), before[0])


def test_positions_beyond_the_groups_name_the_variable():
    with pm.Model() as model:
        a = pm.Normal("a", 0, 1, shape=2)
        pm.Normal("y", a[pm.Data("group", [0, 1, 1])], 1, observed=[1.0, 2.0, 3.0])
    model.set_data("group", [0, 2, 1])
    with pytest.raises(ShapeError, match=r"'y'.*index 2 is out of bounds.*set_data"):
        model.compile_logp()
    model.set_data("group", [0, -1, 1])
    assert np.isfinite(model.compile_logp()(model.initial_point()))


def test_empty_values_and_tables_of_labels_are_refused():
    with pm.Model() as model, pytest.raises(ParameterError, match="'d'.*None"):
        pm.Data("d", None)
    assert not model.named_vars
    with pytest.raises(DimsError, match=r"\(2, 2\)"):
        pm.Model(coords={"s": np.ones((2, 2))})


@pytest.mark.parametrize(("old", "new"), [("start", "initvals"), ("njobs", "cores")])
def test_keywords_of_older_versions(old, new):
    with pm.Model():
        pm.Normal("x")
        with pytest.raises(ParameterError, match=f"Write {new}="):
            pm.sample(**{old: 1})


def test_quiet_is_of_its_thread(caplog):
    caplog.set_level("INFO", "finetti")
    inside, done = threading.Event(), threading.Event()

    def loud():
        inside.wait()
        logs.log.info("loud")
        done.set()

    thread = threading.Thread(target=loud)
    thread.start()
    with logs.quietly(True):
        logs.log.info("silent")
        inside.set()
        done.wait()
    thread.join()
    assert [record.message for record in caplog.records] == ["loud"]


def test_models_with_deep_graphs_can_be_pickled_and_copied():
    with pm.Model() as model:
        x = z = pm.Normal("x", 0, 1)
        for _ in range(3000):
            z = 0.999 * z + 0.001 * x
        pm.Normal("y", z * pm.Data("d", 1.0), 1, observed=1.0)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert "_graph" not in vars(twin)
        assert list(twin.named_vars) == list(model.named_vars)
        assert twin["y"].node is not model["y"].node  # its data are its own
        assert twin.frozen().rv("y").node is model.frozen().rv("y").node


def test_a_covariance_that_is_none_says_so():
    with pm.Model():
        pm.MvNormal("v", np.zeros(2), cov=np.array([[1.0, 2.0], [2.0, 1.0]]))
        with pytest.raises(InitialPointError, match="not positive definite"):
            pm.sample(10, tune=10, chains=1, progressbar=False, quiet=True)
