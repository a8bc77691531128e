"""What a user of PyMC, or of finetti, runs: one problem from import to printed summary.

``python -m benchmarks.cold_pymc pymc ab``
"""

from __future__ import annotations

import importlib
import sys

from benchmarks.problems import CHAINS, CORES, DRAWS, PROBLEMS, TUNE

if __name__ == "__main__":
    pm = importlib.import_module(sys.argv[1])
    problem = PROBLEMS[sys.argv[2]]
    with problem.build(pm):
        idata = pm.sample(
            DRAWS, tune=TUNE, chains=CHAINS, cores=CORES, random_seed=1, progressbar=False
        )
    print(pm.summary(idata, var_names=problem.variables))
