"""Compare draws with a posterior that is known from longer runs."""
import numpy as np
from numpyro.diagnostics import effective_sample_size


def close(mcmc, reference, width=5.0):
    """Means within `width` standard errors of the reference's, which are from NumPyro itself.

    `reference` has {"site" or "site[0,1]": (mean, standard deviation)}. With 5 standard errors the
    chance of a false alarm is below 1e-5 for each number; the reference's own error is a tenth of
    its standard deviation at most.
    """
    draws = mcmc.get_samples(group_by_chain=True)
    assert reference
    for name, (mean, sd) in reference.items():
        site, _, place = name.partition('[')
        x = np.asarray(draws[site], dtype=float)
        if place:
            x = x[(slice(None), slice(None), *(int(i) for i in place[:-1].split(',')))]
        assert x.ndim == 2, f'{name} has shape {x.shape[2:]}'
        ess = float(np.clip(effective_sample_size(x), 4.0, x.size))
        error = sd / np.sqrt(ess)
        assert abs(x.mean() - mean) < width * error + 0.02 * sd, (name, x.mean(), mean, sd, ess)
        # a standard deviation's relative error, for tails up to those of a kurtosis of 9
        assert abs(x.std() / sd - 1) < 0.05 + width * np.sqrt(2 / ess), (name, x.std(), sd, ess)
