"""Write ``tests/data/model_reference.json``: PyMC's log density and gradient of the example models.

Run it with the Python of an environment that has PyMC 6 (the ``compare`` extra)::

    python tools/make_model_reference.py [output.json]

The file maps a name of ``examples/_models.py``'s ``MODELS`` to
    ``value_vars``  the unconstrained variables in PyMC's order: ``[name, shape]``
    ``points``      three of them: the initial point and two seeded random ones, each with
        ``point``        value of each unconstrained variable, by name
        ``logp``         joint log density, Jacobians included (``compile_logp``)
        ``dlogp``        its gradient, flat, in the order of ``value_vars`` (``compile_dlogp``)
        ``point_logps``  sum for each free (with Jacobian) and observed variable, not rounded
        ``deterministics``  value of each transformed-back variable and Deterministic, by name
Infinities and NaN would be the strings "inf", "-inf", "nan".
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import pytensor

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples"))
import _models

# PyTensor narrows literals that fit (5 to int8, then float32); the reference is to be exact.
pytensor.scalar.basic.autocast_float.dtypes = ("float64",)
pytensor.scalar.basic.autocast_int.dtypes = ("int64",)
# Full graph rewrites without a code generator: no compile time.
MODE = pytensor.compile.mode.Mode(linker="py", optimizer="fast_run")


def encode(value: Any) -> Any:
    """JSON form: arrays as lists, infinities and NaN as strings."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list):
        return [encode(item) for item in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def random_point(start: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """Independent normals of scale 0.7 around the initial point."""
    rng = np.random.default_rng(seed)
    return {name: value + 0.7 * rng.normal(size=value.shape) for name, value in start.items()}


def record(model: Any) -> dict[str, Any]:
    """Every stored quantity of one model."""
    start = {k: np.asarray(v, float) for k, v in model.initial_point(random_seed=1).items()}
    logp = model.compile_logp(mode=MODE)
    dlogp = model.compile_dlogp(mode=MODE)
    variables = [rv for rv in model.basic_RVs]
    factors = model.compile_fn(model.logp(vars=variables, sum=False), mode=MODE)
    names = [v.name for v in model.unobserved_value_vars]
    values = model.compile_fn(model.unobserved_value_vars, mode=MODE)
    points = []
    for point in (start, random_point(start, 1), random_point(start, 2)):
        points.append(
            {
                "point": {k: encode(v) for k, v in point.items()},
                "logp": encode(float(logp(point))),
                "dlogp": encode(np.asarray(dlogp(point))),
                "point_logps": {
                    rv.name: encode(float(np.sum(v)))
                    for rv, v in zip(variables, factors(point), strict=True)
                },
                "deterministics": {
                    name: encode(np.asarray(v))
                    for name, v in zip(names, values(point), strict=True)
                    if not name.endswith("__")
                },
            }
        )
    return {"value_vars": [[k, list(v.shape)] for k, v in start.items()], "points": points}


def main() -> None:
    default = ROOT / "tests" / "data" / "model_reference.json"
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    models = {}
    for name, build in _models.MODELS.items():
        models[name] = record(build(pm))
        print(name, [p["logp"] for p in models[name]["points"]], flush=True)
    made_with = {"pymc": pm.__version__, "pytensor": pytensor.__version__}
    rows = [f'"{name}": {json.dumps(model)}' for name, model in models.items()]
    text = '{\n"made_with": ' + json.dumps(made_with)
    text += ',\n"models": {\n' + ",\n".join(rows) + "\n}}\n"
    target.write_text(text)
    print("wrote", target, len(text), "bytes")


if __name__ == "__main__":
    main()
