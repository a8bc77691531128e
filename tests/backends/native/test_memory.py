"""Nothing is left of what was compiled and let go: no nodes, no code, no text at exit."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import finetti as pm
from finetti.backends.native import compile_density
from finetti.ir import ops
from finetti.ir.node import _interned
from finetti.passes.facts import finite, positive, whole

WARM, COMPILES, GROWTH = 300, 2000, 10e6

# Distinct graphs, of one loop to three, some of them with a scan.
PROGRAM = f"""
import gc
import numpy as np
from finetti.backends.native import compile_density
from finetti.ir import ops

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * {os.sysconf("SC_PAGESIZE")}

functions = [ops.sin, ops.exp, ops.tanh, ops.square, ops.sigmoid]
for seed in range({COMPILES}):
    rng = np.random.default_rng(seed)
    x = ops.new_input("x", (int(rng.integers(1, 40)),))
    y = functions[seed % 5](x * rng.normal()) + (x[::-1] if rng.integers(2) else x[0])
    if seed % 20 == 0:
        y = ops.scan(lambda c, e: (ops.tanh(c * 0.5 + e), c), 0.1 * rng.normal(), [y])[1]
    total = ops.sum_(y * rng.normal(size=y.node.shape))
    compile_density(total.node, [x.node])(np.zeros(x.node.shape))
    if seed == {WARM}:
        before = resident()
print(resident() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="Linux tells its memory there")
@pytest.mark.parametrize("cache", [False, True], ids=["no cache", "cache"])
def test_memory_is_flat_over_many_compiles(cache, tmp_path):
    settings = {"FINETTI_CACHE_DIR": str(tmp_path)} if cache else {"FINETTI_CACHE": "0"}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **settings},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < GROWTH


# -- what is interned and remembered -------------------------------------------------------------

FEW = dict(draws=10, tune=10, chains=1, progressbar=False, random_seed=1, cores=1)


def density(i):
    x = ops.new_input("x", (4,))
    total = ops.sum_(ops.log(1.0 + ops.exp(x * (i + 0.5))) / (2.0 + i))
    assert finite(x.node) and not positive(x.node) and not whole(x.node)
    compile_density(total.node, [x.node])(np.zeros(4))


def loop(i):
    x = ops.new_input("x", (4,))
    last, kept = ops.scan(lambda c, e: (ops.tanh(c * (i + 0.5) + e), c * e), 0.2 + i, [x])
    compile_density((ops.sum_(kept) + last).node, [x.node])(np.zeros(4))


def refused(i):
    x = ops.new_input("x", (4,))
    with pytest.raises(pm.ShapeError):
        ops.exp(x * (i + 0.5)) + np.zeros(7 + i)


def called_back(i):
    f = pm.blackbox(lambda x: np.sin(x) * i, grad=lambda g, x: g * np.cos(x) * i)
    x = ops.new_input("x", (2,))
    compile_density(ops.sum_(f(x) * (i + 0.5)).node, [x.node])(np.zeros(2))


def sampled(i):
    x = pm.Normal("x", i + 0.5)
    pm.Normal("y", x, 1.0, observed=np.arange(3.0) + i)
    pm.sample(**FEW)


def with_data(i):
    held = pm.Data("held", np.arange(3.0) + i)
    pm.Normal("y", pm.Normal("x", held.mean()) * held, observed=held)
    pm.sample(**FEW)


def imputed(i):
    seen = np.ma.masked_invalid([1.0, np.nan, 2.0 + i])
    pm.Normal("y", pm.Normal("x", i + 0.5), observed=seen)
    pm.sample(**FEW)


def custom(i):
    x = pm.Normal("x", i + 0.5)
    pm.CustomDist("y", x, logp=lambda v, m: -((v - m) ** 2) * (i + 0.5), observed=np.arange(3.0))
    pm.sample(**FEW)


def discrete(i):
    kind = pm.Bernoulli("kind", pm.Beta("p", 1.0 + i, 2.0), shape=3)
    pm.Normal("y", kind * (i + 1.0), 1.0, observed=np.arange(3.0))
    pm.sample(**FEW)


def predicted(i):
    pm.Normal("y", pm.Normal("x", i + 0.5), observed=np.arange(3.0))
    pm.sample_posterior_predictive(pm.sample(**FEW), progressbar=False, random_seed=1)


def impossible(i):
    pm.Normal("y", np.log(pm.Normal("x", i + 0.5) - 1000.0), observed=1.0)
    with pytest.raises(pm.InitialPointError):
        pm.sample(**FEW)


GRAPHS = (density, loop, refused, called_back)
MODELS = (sampled, with_data, imputed, custom, discrete, predicted, impossible)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("work", [*GRAPHS, *MODELS], ids=lambda work: work.__name__)
def test_no_node_outlives_its_work(work):
    def do(i):
        if work in MODELS:
            with pm.Model():
                work(i)
        else:
            work(i)

    do(0)
    gc.collect()
    before = set(_interned.values())
    for i in range(1, 4):
        do(i)
    gc.collect()
    # Common numbers stay once they were needed.
    left = [node for node in _interned.values() if node not in before and node.type.size > 1]
    assert not left


SAMPLED = """
import finetti as pm
from finetti import _core
with pm.Model():
    pm.Normal("x")
    kept = pm.sample(draws=10, tune=10, chains=2, progressbar=False, random_seed=1)
    pm.Bernoulli("k", 0.5)
    more = pm.sample(draws=10, tune=10, chains=2, progressbar=False, random_seed=1)
_core.warn_of_leaks(True)
"""
HELD = """
import threading, time
from finetti import _core
def hold(config=_core.NutsConfig()):
    time.sleep(60)
threading.Thread(target=hold, daemon=True).start()
"""


@pytest.mark.parametrize("program", [SAMPLED, HELD], ids=["sampled", "held by a thread"])
def test_nothing_is_said_of_leaks_at_exit(program):
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert result.returncode == 0 and "leak" not in result.stderr, result.stderr
