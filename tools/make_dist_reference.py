"""Write ``tests/data/dist_reference.json``: what PyMC says about every distribution.

Run it with the Python of an environment that has PyMC 6 (the ``compare`` extra)::

    python tools/make_dist_reference.py [output.json]
    python tools/make_dist_reference.py --more [output.json]

The second form writes ``tests/data/dist_reference_more.json``, the cases of ``dist_cases.py``.

Encoding: JSON has no infinities, so ``inf``, ``-inf`` and ``nan`` are the strings "inf", "-inf"
and "nan"; an integer stays an integer; nested lists are arrays. A "nan" in ``logp`` is PyMC's own
weakness (``inf - inf``), not a value to reach.

``cases``: one record for one distribution in one parametrisation.
    ``id``                     unique name, "Normal/mu-sigma"
    ``dist, args, kwargs``     ``getattr(pm, dist).dist(*args, **kwargs)``; an argument that is an
                               object with these three keys is a distribution itself
    ``values, logp, logcdf``   one value a row; ``logcdf`` is null where PyMC has none
    ``q, icdf``                null where PyMC has none
    ``support_point``          start value of ``dist(*args, **kwargs)``
    ``shape, shaped_support_point``  the same with ``shape=shape`` (null: not tried)
    ``free``                   a model with the single free variable "x":
        ``value_name, transform``   "x_log__" and "log" (transform null: none)
        ``initial_point``           PyMC's start value in unconstrained space
        ``points, constrained, logp, dlogp``  logp includes the Jacobian; ``dlogp`` null if discrete
        ``shaped``                  the same record for ``shape=shape`` (null: not tried)
``bad_calls``: what PyMC does with a wrong parametrisation.
    ``dist, args, kwargs``; ``raises`` (type name) with ``bases`` and ``message``, or null and
    ``warns``, the texts of the warnings.
``bad_values``: parameters out of range: ``raises`` and ``message`` of ``pm.logp(...)`` evaluated
    directly, ``model_logp`` what the compiled model says for the same value.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pymc as pm
import pytensor

from dist_cases import CASES as MORE_CASES
from dist_cases import ONE_SHAPE

# PyTensor narrows literals that fit (3.0 to float32, 1 to int8) and then works in float32, which
# leaves errors of 1e-8; the reference is to be exact.
pytensor.scalar.basic.autocast_float.dtypes = ("float64",)
pytensor.scalar.basic.autocast_int.dtypes = ("int64",)

# Full graph rewrites (numerical stability) without a code generator: no compile time.
MODE = pytensor.compile.mode.Mode(linker="py", optimizer="fast_run")
REAL = [-2.5, -1.0, 0.0, 0.3, 1.0, 4.2, 40.0, "inf", "-inf"]
POSITIVE = [-1.0, 0.0, 1e-8, 0.2, 1.0, 3.7, 60.0, "inf"]
UNIT = [-0.1, 0.0, 1e-9, 0.2, 0.5, 0.95, 1.0, 1.1]
COUNT = [-1, 0, 1, 2, 5, 10, 11, 60]
BINARY = [-1, 0, 1, 2]
COV = [[2.0, 0.6, -0.3], [0.6, 1.0, 0.2], [-0.3, 0.2, 0.5]]
CHOL = np.linalg.cholesky(np.array(COV)).tolist()
TAU = np.linalg.inv(np.array(COV)).tolist()
VECTORS = [[0.0, 0.0, 0.0], [1.0, -2.0, 0.5], [30.0, 5.0, -4.0]]
SIMPLEX = [
    [0.2, 0.3, 0.5],
    [1 / 3, 1 / 3, 1 / 3],
    [0.0, 0.4, 0.6],
    [1.0, 0.0, 0.0],
    [0.5, 0.6, -0.1],
    [0.2, 0.2, 0.2],
]
SEED = 20260101

# (distribution, label, positional arguments, keywords, values)
CASES: list[tuple[str, str, list[Any], dict[str, Any], list[Any]]] = [
    ("Normal", "default", [], {}, REAL),
    ("Normal", "positional", [0.5, 2.0], {}, REAL),
    ("Normal", "mu-sigma", [], {"mu": -1.0, "sigma": 0.3}, REAL),
    ("Normal", "mu-tau", [], {"mu": 1.5, "tau": 4.0}, REAL),
    ("Normal", "positional-tau", [1.5, None, 4.0], {}, REAL),
    ("Normal", "integers", [1, 2], {}, REAL),
    ("Normal", "vector", [], {"mu": [0.0, 1.0, 2.0], "sigma": [1.0, 2.0, 0.5]}, VECTORS),
    ("HalfNormal", "default", [], {}, POSITIVE),
    ("HalfNormal", "positional", [2.5], {}, POSITIVE),
    ("HalfNormal", "sigma", [], {"sigma": 0.7}, POSITIVE),
    ("HalfNormal", "tau", [], {"tau": 4.0}, POSITIVE),
    ("Uniform", "default", [], {}, UNIT),
    ("Uniform", "positional", [-1.0, 3.0], {}, [-1.5, -1.0, 0.0, 2.9, 3.0, 3.5, "inf", "-inf"]),
    ("Uniform", "lower-upper", [], {"lower": 2, "upper": 10}, [1.9, 2.0, 5.0, 10.0, 10.1]),
    (
        "Uniform",
        "vector",
        [],
        {"lower": [0.0, -1.0], "upper": [1.0, 4.0]},
        [[0.5, 0.5], [0.0, 4.0], [1.5, 0.0]],
    ),
    ("Beta", "positional", [2.0, 5.0], {}, UNIT),
    ("Beta", "alpha-beta", [], {"alpha": 0.5, "beta": 0.5}, UNIT),
    ("Beta", "uniform", [], {"alpha": 1, "beta": 1}, UNIT),
    ("Beta", "informative", [], {"alpha": 10, "beta": 90}, UNIT),
    ("Beta", "mu-sigma", [], {"mu": 0.3, "sigma": 0.1}, UNIT),
    ("Beta", "mu-nu", [], {"mu": 0.3, "nu": 12.0}, UNIT),
    ("Binomial", "positional", [10, 0.3], {}, COUNT),
    ("Binomial", "n-p", [], {"n": 10, "p": 0.85}, COUNT),
    ("Binomial", "n-logit_p", [], {"n": 10, "logit_p": -0.4}, COUNT),
    ("Binomial", "p-zero", [], {"n": 10, "p": 0.0}, COUNT),
    ("Binomial", "p-one", [], {"n": 10, "p": 1.0}, COUNT),
    (
        "Binomial",
        "vector",
        [],
        {"n": [5, 10, 20], "p": [0.1, 0.5, 0.9]},
        [[0, 5, 20], [1, 2, 3], [6, 0, 0]],
    ),
    ("Bernoulli", "positional", [0.3], {}, BINARY),
    ("Bernoulli", "p", [], {"p": 0.8}, BINARY),
    ("Bernoulli", "logit_p", [], {"logit_p": 1.7}, BINARY),
    ("Bernoulli", "p-zero", [], {"p": 0.0}, BINARY),
    ("Bernoulli", "p-one", [], {"p": 1.0}, BINARY),
    ("Poisson", "positional", [2.4], {}, COUNT),
    ("Poisson", "mu", [], {"mu": 0.2}, COUNT),
    ("Poisson", "mu-zero", [], {"mu": 0.0}, COUNT),
    ("Poisson", "large", [], {"mu": 1e4}, [0, 9000, 10000, 11000]),
    ("Exponential", "default", [], {}, POSITIVE),
    ("Exponential", "positional", [0.5], {}, POSITIVE),
    ("Exponential", "lam", [], {"lam": 3.0}, POSITIVE),
    ("Exponential", "scale", [], {"scale": 3.0}, POSITIVE),
    ("Gamma", "positional", [2.0, 0.5], {}, POSITIVE),
    ("Gamma", "alpha-beta", [], {"alpha": 0.5, "beta": 2.0}, POSITIVE),
    ("Gamma", "alpha-one", [], {"alpha": 1.0, "beta": 2.0}, POSITIVE),
    ("Gamma", "mu-sigma", [], {"mu": 3.0, "sigma": 1.5}, POSITIVE),
    ("StudentT", "positional", [4.0, 1.0], {}, REAL),
    ("StudentT", "nu", [], {"nu": 2.0}, REAL),
    ("StudentT", "nu-mu-sigma", [], {"nu": 3.5, "mu": -1.0, "sigma": 0.3}, REAL),
    ("StudentT", "nu-mu-lam", [], {"nu": 3.5, "mu": -1.0, "lam": 4.0}, REAL),
    ("Cauchy", "positional", [0.0, 1.0], {}, REAL),
    ("Cauchy", "alpha-beta", [], {"alpha": 2.0, "beta": 0.5}, REAL),
    ("HalfCauchy", "positional", [5.0], {}, POSITIVE),
    ("HalfCauchy", "beta", [], {"beta": 0.5}, POSITIVE),
    ("LogNormal", "default", [], {}, POSITIVE),
    ("LogNormal", "positional", [0.5, 2.0], {}, POSITIVE),
    ("LogNormal", "mu-sigma", [], {"mu": -1.0, "sigma": 0.3}, POSITIVE),
    ("LogNormal", "mu-tau", [], {"mu": 0.3, "tau": 4.0}, POSITIVE),
    ("NegativeBinomial", "positional", [3.0, 2.0], {}, COUNT),
    ("NegativeBinomial", "mu-alpha", [], {"mu": 3.0, "alpha": 0.4}, COUNT),
    ("NegativeBinomial", "n-p", [], {"n": 4.5, "p": 0.35}, COUNT),
    ("NegativeBinomial", "mu-n", [], {"mu": 3.0, "n": 4.5}, COUNT),
    ("NegativeBinomial", "alpha-p", [], {"alpha": 4.5, "p": 0.35}, COUNT),
    ("NegativeBinomial", "nearly-poisson", [], {"mu": 3.0, "alpha": 1e3}, COUNT),
    ("Categorical", "positional", [[0.2, 0.3, 0.5]], {}, [-1, 0, 1, 2, 3]),
    ("Categorical", "p", [], {"p": [0.0, 0.25, 0.75]}, [-1, 0, 1, 2, 3]),
    ("Categorical", "logit_p", [], {"logit_p": [0.3, -1.0, 2.0]}, [-1, 0, 1, 2, 3]),
    (
        "Categorical",
        "batch",
        [],
        {"p": [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]},
        [[0, 0], [2, 1], [3, 0]],
    ),
    ("Dirichlet", "positional", [[1.0, 1.0, 1.0]], {}, SIMPLEX),
    ("Dirichlet", "a", [], {"a": [0.5, 2.0, 3.5]}, SIMPLEX),
    (
        "Dirichlet",
        "batch",
        [],
        {"a": [[0.5, 2.0, 3.5], [1.0, 1.0, 2.0]]},
        [[[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]],
    ),
    ("MvNormal", "positional", [[0.0, 1.0, -1.0], COV], {}, VECTORS),
    ("MvNormal", "mu-cov", [], {"mu": [0.0, 1.0, -1.0], "cov": COV}, VECTORS),
    ("MvNormal", "mu-chol", [], {"mu": [0.0, 1.0, -1.0], "chol": CHOL}, VECTORS),
    (
        "MvNormal",
        "mu-chol-upper",
        [],
        {"mu": [0.0, 1.0, -1.0], "chol": np.transpose(CHOL).tolist(), "lower": False},
        VECTORS,
    ),
    ("MvNormal", "mu-tau", [], {"mu": [0.0, 1.0, -1.0], "tau": TAU}, VECTORS),
    ("MvNormal", "scalar-mu", [], {"mu": 2.0, "cov": COV}, VECTORS),
    (
        "MvNormal",
        "batch-mu",
        [],
        {"mu": [[0.0, 1.0, -1.0], [2.0, 2.0, 2.0]], "cov": COV},
        [[[1.0, 1.0, 0.0], [0.0, 3.0, 1.0]]],
    ),
]

BAD_CALLS: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("Normal", [], {"mu": 0.0, "sigma": 1.0, "tau": 1.0}),
    ("Normal", [], {"mu": 0.0, "sd": 1.0}),
    ("Normal", [], {"mean": 0.0}),
    ("Normal", [0.0, 1.0, 1.0, 1.0], {}),
    ("Normal", [], {"mu": [0.0, 1.0, 2.0], "sigma": [1.0, 2.0]}),
    ("Normal", [], {"mu": [0.0, 1.0, 2.0], "shape": [2]}),
    ("HalfNormal", [], {"sigma": 1.0, "tau": 1.0}),
    ("Uniform", [], {"low": 0.0}),
    ("Beta", [], {}),
    ("Beta", [], {"alpha": 1.0}),
    ("Beta", [], {"mu": 0.5}),
    ("Beta", [], {"alpha": 1.0, "beta": 1.0, "mu": 0.5, "sigma": 0.1}),
    ("Beta", [], {"mu": 0.5, "sigma": 0.1, "nu": 3.0}),
    ("Binomial", [], {"n": 10}),
    ("Binomial", [], {"p": 0.5}),
    ("Binomial", [], {"n": 10, "p": 0.5, "logit_p": 0.0}),
    ("Bernoulli", [], {}),
    ("Bernoulli", [], {"p": 0.5, "logit_p": 0.0}),
    ("Poisson", [], {}),
    ("Poisson", [], {"lam": 2.0}),
    ("Exponential", [], {"lam": 1.0, "scale": 1.0}),
    ("Exponential", [1.0, 1.0], {}),
    ("Gamma", [], {}),
    ("Gamma", [], {"alpha": 1.0}),
    ("Gamma", [], {"alpha": 1.0, "sigma": 1.0}),
    ("Gamma", [], {"alpha": 1.0, "beta": 1.0, "mu": 1.0, "sigma": 1.0}),
    ("StudentT", [], {}),
    ("StudentT", [], {"nu": 3.0, "sigma": 1.0, "lam": 1.0}),
    ("StudentT", [3.0, 0.0, 1.0], {}),
    ("Cauchy", [], {}),
    ("Cauchy", [], {"alpha": 0.0}),
    ("HalfCauchy", [], {}),
    ("LogNormal", [], {"mu": 0.0, "sigma": 1.0, "tau": 1.0}),
    ("NegativeBinomial", [], {}),
    ("NegativeBinomial", [], {"mu": 3.0}),
    ("NegativeBinomial", [], {"mu": 3.0, "p": 0.5}),
    ("NegativeBinomial", [], {"mu": 3.0, "alpha": 1.0, "n": 2.0}),
    ("NegativeBinomial", [], {"mu": 3.0, "alpha": 1.0, "p": 0.5}),
    ("Categorical", [], {}),
    ("Categorical", [], {"p": [0.5, 0.5], "logit_p": [0.0, 0.0]}),
    ("Categorical", [], {"p": [0.5, -0.5, 1.0]}),
    ("Categorical", [], {"p": [1.0, 1.0, 2.0]}),
    ("Dirichlet", [], {}),
    ("Dirichlet", [], {"a": 1.0}),
    ("MvNormal", [], {"mu": [0.0, 0.0, 0.0]}),
    ("MvNormal", [], {"mu": [0.0, 0.0, 0.0], "cov": COV, "tau": TAU}),
    ("MvNormal", [], {"mu": [0.0, 0.0, 0.0], "cov": COV, "chol": CHOL}),
    ("MvNormal", [], {"mu": [0.0, 0.0, 0.0], "cov": [1.0, 1.0, 1.0]}),
]

BAD_VALUES: list[tuple[str, dict[str, Any], Any]] = [
    ("Normal", {"mu": 0.0, "sigma": -1.0}, 0.5),
    ("Normal", {"mu": 0.0, "sigma": 0.0}, 0.5),
    ("HalfNormal", {"sigma": -1.0}, 0.5),
    ("Uniform", {"lower": 1.0, "upper": 0.0}, 0.5),
    ("Beta", {"alpha": -1.0, "beta": 1.0}, 0.5),
    ("Binomial", {"n": 10, "p": 1.5}, 3),
    ("Binomial", {"n": -1, "p": 0.5}, 3),
    ("Bernoulli", {"p": -0.1}, 1),
    ("Poisson", {"mu": -1.0}, 1),
    ("Exponential", {"lam": -1.0}, 0.5),
    ("Gamma", {"alpha": 0.0, "beta": 1.0}, 0.5),
    ("Gamma", {"alpha": 1.0, "beta": -1.0}, 0.5),
    ("StudentT", {"nu": 0.0, "mu": 0.0, "sigma": 1.0}, 0.5),
    ("StudentT", {"nu": 3.0, "mu": 0.0, "sigma": -1.0}, 0.5),
    ("Cauchy", {"alpha": 0.0, "beta": 0.0}, 0.5),
    ("HalfCauchy", {"beta": -1.0}, 0.5),
    ("LogNormal", {"mu": 0.0, "sigma": -1.0}, 0.5),
    ("NegativeBinomial", {"mu": -1.0, "alpha": 1.0}, 2),
    ("NegativeBinomial", {"mu": 1.0, "alpha": 0.0}, 2),
    ("Dirichlet", {"a": [1.0, 0.0, 1.0]}, [0.2, 0.3, 0.5]),
    ("MvNormal", {"mu": [0.0, 0.0], "cov": [[1.0, 2.0], [2.0, 1.0]]}, [0.0, 0.0]),
]


def encode(value: Any) -> Any:
    """JSON form: arrays as lists, infinities and NaN as strings."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def decode(value: Any) -> Any:
    """Turn lists into arrays, the three strings into floats, and components into variables."""
    if isinstance(value, dict):
        args, kwargs = parameters(value["args"], value["kwargs"])
        return getattr(pm, value["dist"]).dist(*args, **kwargs)
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [decode(item) for item in value]
    if isinstance(value, list):
        return np.array([decode(item) for item in value])
    return float(value) if value in ("inf", "-inf", "nan") else value


def parameters(args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Arguments as a user would pass them (``shape`` stays a tuple)."""
    named = {k: tuple(v) if k == "shape" else decode(v) for k, v in kwargs.items()}
    return [decode(a) for a in args], named


def evaluate(variable: Any) -> Any:
    """Value of a PyTensor variable without inputs."""
    return pytensor.function([], variable, mode=MODE, on_unused_input="ignore")()


def optional(function: Any, rv: Any, inputs: list[Any]) -> list[Any] | None:
    """``function(rv, x)`` for each x, or None where PyMC does not implement it."""
    try:
        return [encode(evaluate(function(rv, decode(x)))) for x in inputs]
    except (NotImplementedError, ValueError, TypeError, AttributeError) as error:
        print("   none:", function.__name__, type(error).__name__, str(error)[:80])
        return None


def points_for(rv: Any, start: np.ndarray, values: list[Any]) -> list[np.ndarray]:
    """Two unconstrained points; discrete variables take two of the tabled values."""
    if not np.issubdtype(start.dtype, np.floating):
        inside = [v for v in values if np.all(np.asarray(v) >= 0)][:2]
        return [np.broadcast_to(np.asarray(v), start.shape).astype("int64") for v in inside]
    rng = np.random.default_rng(SEED)
    return [rng.normal(size=start.shape) * 0.8, rng.normal(size=start.shape) * 2.0 - 0.5]


def free_record(name: str, args: list[Any], kwargs: dict[str, Any], values: list[Any]) -> dict:
    """A model with one free variable: value-variable name, transform, logp and gradient."""
    with pm.Model() as model:
        rv = getattr(pm, name)("x", *args, **kwargs)
    value = model.value_vars[0]
    transform = model.rvs_to_transforms[rv]
    start = np.asarray(model.initial_point(random_seed=1)[value.name])
    points = points_for(rv, start, values)
    logp = pytensor.function([value], model.logp(), mode=MODE)
    continuous = np.issubdtype(start.dtype, np.floating)
    dlogp = pytensor.function([value], model.dlogp(), mode=MODE) if continuous else None
    back = value if transform is None else transform.backward(value, *rv.owner.inputs)
    constrained = pytensor.function([value], back, mode=MODE, on_unused_input="ignore")
    return {
        "value_name": value.name,
        "transform": None if transform is None else transform.name,
        "initial_point": encode(start),
        "points": [encode(p) for p in points],
        "constrained": [encode(constrained(p)) for p in points],
        "logp": [encode(logp(p)) for p in points],
        "dlogp": [encode(dlogp(p)) for p in points] if dlogp else None,
    }


def case_record(name: str, label: str, args: list, kwargs: dict, values: list) -> dict[str, Any]:
    """Everything PyMC says about one parametrisation."""
    print(f"{name}/{label}", flush=True)
    dist = getattr(pm, name)
    positional, named = parameters(args, kwargs)
    rv = dist.dist(*positional, **named)
    start = evaluate(pm.distributions.distribution.support_point(rv))
    shape = [3] if rv.ndim == 0 else [2, *start.shape] if rv.ndim == 1 else None
    shape = None if name in ONE_SHAPE or "steps" in kwargs else shape
    record = {
        "id": f"{name}/{label}",
        "dist": name,
        "args": args,
        "kwargs": kwargs,
        "values": values,
        "logp": [encode(evaluate(pm.logp(rv, decode(v)))) for v in values],
        "logcdf": optional(pm.logcdf, rv, values),
        "q": [0.0, 0.05, 0.5, 0.95, 1.0],
        "icdf": optional(pm.icdf, rv, [0.0, 0.05, 0.5, 0.95, 1.0]),
        "support_point": encode(start),
        "shape": shape,
        "shaped_support_point": None,
        "free": free_record(name, positional, named, values),
    }
    record["free"]["shaped"] = None
    if shape is not None:
        shaped = {**named, "shape": tuple(shape)}
        point = pm.distributions.distribution.support_point(dist.dist(*positional, **shaped))
        record["shaped_support_point"] = encode(evaluate(point))
        record["free"]["shaped"] = free_record(name, positional, shaped, values)
    return record


def bad_call_record(name: str, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What PyMC raises (or only warns about) for one wrong call inside a model."""
    positional, named = parameters(args, kwargs)
    record: dict[str, Any] = {"dist": name, "args": args, "kwargs": kwargs, "raises": None}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with pm.Model() as model:
                getattr(pm, name)("x", *positional, **named)
            record["stage"] = "initial_point"
            model.initial_point(random_seed=1)
        except Exception as error:  # noqa: BLE001  any type is an answer here
            bases = [c.__name__ for c in type(error).__mro__[:-2]]
            record.update(raises=type(error).__name__, bases=bases, message=str(error)[:300])
            record.setdefault("stage", "construction")
    record["warns"] = [str(w.message)[:200] for w in caught if issubclass(w.category, UserWarning)]
    return record


def bad_value_record(name: str, kwargs: dict[str, Any], value: Any) -> dict[str, Any]:
    """The error of a direct evaluation and the value of a compiled model."""
    _, named = parameters([], kwargs)
    record: dict[str, Any] = {"dist": name, "kwargs": kwargs, "value": value, "raises": None}
    try:
        evaluate(pm.logp(getattr(pm, name).dist(**named), decode(value)))
    except Exception as error:  # noqa: BLE001
        record.update(raises=type(error).__name__, message=str(error).split("\n")[0][:200])
    try:
        with pm.Model() as model:
            getattr(pm, name)("x", **named, observed=decode(value))
        record["model_logp"] = encode(float(model.compile_logp(mode=MODE)({})))
    except Exception as error:  # noqa: BLE001
        record["model_logp"] = type(error).__name__
    return record


def main() -> None:
    arguments = sys.argv[1:]
    more = arguments[:1] == ["--more"]
    name = "dist_reference_more.json" if more else "dist_reference.json"
    default = Path(__file__).parents[1] / "tests" / "data" / name
    target = Path(arguments[more]) if len(arguments) > more else default
    made_with = {"pymc": pm.__version__, "pytensor": pytensor.__version__}
    if more:
        reference = {"made_with": made_with, "cases": [case_record(*case) for case in MORE_CASES]}
    else:
        reference = {
            "made_with": made_with,
            "cases": [case_record(*case) for case in CASES],
            "bad_calls": [bad_call_record(*call) for call in BAD_CALLS],
            "bad_values": [bad_value_record(*row) for row in BAD_VALUES],
        }
    rows = ",\n".join(
        f'"{key}": '
        + (
            json.dumps(part)
            if isinstance(part, dict)
            else "[\n" + ",\n".join(json.dumps(row) for row in part) + "\n]"
        )
        for key, part in reference.items()
    )
    target.write_text("{\n" + rows + "\n}\n")
    print("wrote", target, target.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
