"""Write ``examples/data/answers.json``: posteriors of examples without a closed form.

Run it with the Python of an environment that has PyMC 6 and nutpie (the ``compare`` extra)::

    python tools/make_example_answers.py

For each model and variable: posterior ``mean``, ``sd`` and ``mcse`` (standard error of the mean)
from 8 chains of 10 000 draws of nutpie.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import nutpie
import pymc as pm

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples"))
import _checks
import _models

VARIABLES = {
    "poisson_glmm": ["beta0", "beta1", "s", "r"],
    "logistic_regression": ["weights"],
    "radon": ["mu_a", "sigma_a", "mu_b", "sigma_b", "sigma_y", "intercept", "slope"],
}


def main() -> None:
    models = {}
    for name, variables in VARIABLES.items():
        compiled = nutpie.compile_pymc_model(_models.MODELS[name](pm))
        idata = nutpie.sample(
            compiled,
            draws=10_000,
            tune=2000,
            chains=8,
            cores=2,
            seed=7,
            target_accept=0.95,
            progress_bar=False,
        )
        models[name] = {}
        for variable in variables:
            draws = np.asarray(idata.posterior[variable])
            models[name][variable] = {
                "mean": np.round(draws.mean((0, 1)), 6).tolist(),
                "sd": np.round(draws.std((0, 1)), 6).tolist(),
                "mcse": float(f"{np.max(_checks.batch_error(draws, 100)):.2g}"),
            }
        scalars = {k: v for k, v in models[name].items() if isinstance(v["mean"], float)}
        divergences = int(idata.sample_stats["diverging"].sum())
        print(name, divergences, "divergences", scalars, flush=True)
    made_with = {"pymc": pm.__version__, "nutpie": nutpie.__version__, "draws": 80_000}
    target = ROOT / "examples" / "data" / "answers.json"
    target.write_text(json.dumps({"made_with": made_with, "models": models}, indent=1) + "\n")


if __name__ == "__main__":
    main()
