"""`import pymc` answered by finetti: only where asked for, and taken back afterwards."""

from __future__ import annotations

import importlib
import importlib.util
import sys

import pytest

import finetti
from finetti.dialects import importer
from finetti.errors import FinettiError, NotYetSupported


@pytest.fixture
def pm():
    with importer.activated():
        yield importlib.import_module("pymc")


def test_nothing_before_activation_and_nothing_after():
    before = {name for name in sys.modules if name.partition(".")[0] in importer.TABLE}
    path = list(sys.meta_path)
    with importer.activated():
        importlib.import_module("pymc.distributions.continuous")
        assert "pymc" in sys.modules
        assert sys.meta_path[0] is not path[0]
        with importer.activated():
            pass
        assert sys.meta_path[0] is not path[0]
    assert sys.meta_path == path
    assert {name for name in sys.modules if name.partition(".")[0] in importer.TABLE} == before
    importer.deactivate()


def test_activate_twice_is_activate_once():
    importer.activate()
    importer.activate()
    assert sum(isinstance(f, importer.DialectFinder) for f in sys.meta_path) == 1
    importer.deactivate()
    assert not any(isinstance(f, importer.DialectFinder) for f in sys.meta_path)


def test_names_are_finettis_own(pm):
    assert pm.__name__ == "pymc"
    assert pm.Model is finetti.Model
    assert pm.Normal is finetti.Normal
    assert {"Model", "Normal", "sample"} <= set(dir(pm))
    assert int(pm.__version__.split(".")[0]) >= 5
    assert pm.__version__.endswith("+finetti")


def test_star_import(pm):
    names: dict[str, object] = {}
    exec("from pymc import *", names)
    assert names["Model"] is finetti.Model
    assert not [name for name in names if name.startswith("_") and name != "__builtins__"]


@pytest.mark.parametrize(
    "statement",
    [
        "from pymc import Normal",
        "from pymc.distributions import Normal",
        "from pymc.distributions.continuous import Normal",
        "import pymc.distributions.continuous as c; Normal = c.Normal",
        "import pymc; Normal = pymc.distributions.continuous.Normal",
        "from pymc.distributions import continuous; Normal = continuous.Normal",
    ],
)
def test_submodules_forward_to_the_root(pm, statement):
    names: dict[str, object] = {}
    exec(statement, names)
    assert names["Normal"] is finetti.Normal


def test_a_submodule_that_finetti_has_is_that_module(pm):
    math = importlib.import_module("pymc.math")
    assert math is finetti.math
    assert pm.math is math
    assert math.__spec__ is None or not math.__spec__.name.startswith("pymc")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("from pymc import SVGD", "pymc.SVGD: finetti does not have it yet"),
        ("from pymc.step_methods import SVGD", "pymc.SVGD: finetti does not have it yet"),
        ("import pymc.nothing", "pymc has no 'nothing'"),
        ("import pymc.errors", "pymc has no 'errors'"),
        ("from pymc.gp import cov", "pymc.gp: finetti does not have it yet"),
        ("import theano.nothing", "theano has no 'nothing'"),
        ("from theano.tensor import swich", "theano.tensor has no 'swich'.*switch"),
        ("import theano.tensor.shared_randomstreams", "random numbers inside a graph"),
        ("from theano.gof import OpFromGraph", "as_op"),
    ],
)
def test_missing_modules_say_what_to_write(pm, statement, message):
    with pytest.raises(ImportError, match=message) as caught:
        exec(statement, {})
    assert isinstance(caught.value, FinettiError)
    assert isinstance(caught.value, NotImplementedError)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("SVGD", "pymc.SVGD: finetti does not have it yet"),
        ("plot_trace", r"import arviz as az` and az.plot_trace\(idata\)"),
        ("traceplot", r"az.plot_trace\(idata\)"),
        ("trace_to_dataframe", r"write idata.to_dataframe\(\) instead"),
    ],
)
def test_missing_names_say_what_to_write(pm, name, message):
    if name in dir(finetti):
        pytest.skip("finetti has it by now")
    assert not hasattr(pm, name)
    with pytest.raises(NotYetSupported, match=message):
        getattr(pm, name)


def test_a_misspelt_name_gets_the_nearest(pm):
    with pytest.raises(AttributeError, match=r"pymc has no 'Norml'.*Normal"):
        _ = pm.Norml


def test_one_set_of_modules_answers_for_theano_aesara_and_pytensor(pm):
    theano, aesara, pytensor = map(importlib.import_module, ("theano", "aesara", "pytensor"))
    assert theano is aesara is pytensor
    tensors = [importlib.import_module(f"{name}.tensor") for name in ("theano", "pytensor")]
    assert tensors[0] is tensors[1] is theano.tensor
    assert importlib.import_module("theano.tensor.nlinalg").matrix_inverse is not None
    names: dict[str, object] = {}
    exec("from theano import scan, shared; from theano.tensor import *", names)
    assert names["scan"] is not None and names["dot"] is tensors[0].dot


def test_pymc3_is_answered(pm):
    old = importlib.import_module("pymc3")
    assert old.__version__.startswith("3.11")
    assert importlib.import_module("pymc3.distributions").Normal is not None


def test_a_dialect_that_this_installation_lacks_is_refused(pm, monkeypatch):
    row = importer._when_there("finetti.dialects.klingon", "Write it with pymc.")
    monkeypatch.setitem(importer.TABLE, "klingon", row)
    assert importlib.util.find_spec("klingon") is not None  # who only looks goes on
    with pytest.raises(ImportError, match="klingon is not supported yet. Write it with pymc."):
        importlib.import_module("klingon")
    script = "try:\n    import klingon as pm\nexcept ImportError:\n    import pymc as pm"
    names: dict[str, object] = {}
    exec(script, names)
    assert names["pm"] is pm


def test_looking_for_a_dialect_does_not_load_it(pm):
    # ArviZ 1 looks for numpyro when it is imported, and loads it only when it is used
    sys.modules.pop("aesara", None)
    spec = importlib.util.find_spec("aesara")
    assert spec is not None and "aesara" not in sys.modules


def test_a_lazy_loader_gets_a_module_that_answers(pm):
    sys.modules.pop("aesara", None)
    spec = importlib.util.find_spec("aesara")
    lazy = importlib.util.module_from_spec(spec)
    sys.modules["aesara"] = lazy
    importlib.util.LazyLoader(spec.loader).exec_module(lazy)
    assert lazy.shared is importlib.import_module("theano").shared
    assert importlib.import_module("aesara.tensor") is importlib.import_module("theano.tensor")


def test_a_missing_requirement_is_named(pm, monkeypatch):
    def fails(row, rest):
        raise ModuleNotFoundError("No module named 'jax'", name="jax")

    monkeypatch.setattr(importer, "_answer", fails)
    sys.modules.pop("theano", None)
    with pytest.raises(ImportError, match="theano needs jax, which is not installed"):
        importlib.import_module("theano")


def test_the_ipython_extension_is_activate():
    finetti.load_ipython_extension(None)
    assert any(isinstance(f, importer.DialectFinder) for f in sys.meta_path)
    finetti.unload_ipython_extension(None)
    assert not any(isinstance(f, importer.DialectFinder) for f in sys.meta_path)


def test_a_real_package_on_the_path_does_not_win(tmp_path, monkeypatch):
    (tmp_path / "pymc").mkdir()
    (tmp_path / "pymc" / "__init__.py").write_text("real = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    real = importlib.import_module("pymc")
    assert real.real
    with pytest.warns(UserWarning, match="pymc was imported before"):
        importer.activate()
    assert importlib.import_module("pymc").Model is finetti.Model
    importer.deactivate()
    assert sys.modules["pymc"] is real
    del sys.modules["pymc"]
