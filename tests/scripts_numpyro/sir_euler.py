# An epidemic by Euler steps in fori_loop and in scan, negative binomial counts.
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, Predictive, init_to_median

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'R0': (3.9397, 0.552), 'beta': (0.44664, 0.0268), 'gamma': (0.11649, 0.0232), 'i0': (10.568, 1.8),
    'phi': (12.221, 2.97),
}


POPULATION = 10_000.
DAYS = 45


def simulate(beta, gamma, i0, substeps=4):
    def day(state, _):
        def sub(_, state):
            S, I, R = state
            new = beta * S * I / POPULATION / substeps
            gone = gamma * I / substeps
            return S - new, I + new - gone, R + gone

        before = state
        state = lax.fori_loop(0, substeps, sub, state)
        return state, before[0] - state[0]

    start = (POPULATION - i0, i0, jnp.zeros_like(i0))
    return lax.scan(day, start, None, length=DAYS)[1]


def model(cases=None, *, days=DAYS):
    beta = numpyro.sample('beta', dist.LogNormal(jnp.log(0.4), 0.5))
    gamma = numpyro.sample('gamma', dist.LogNormal(jnp.log(0.125), 0.2))
    i0 = numpyro.sample('i0', dist.Exponential(1 / 20.))
    phi = numpyro.sample('phi', dist.Exponential(1 / 5.))
    numpyro.deterministic('R0', beta / gamma)
    incidence = numpyro.deterministic('incidence', simulate(beta, gamma, i0))
    with numpyro.plate('days', days):
        numpyro.sample('cases', dist.NegativeBinomial2(incidence + 1e-3, phi), obs=cases)


rng = np.random.default_rng(7)
truth = np.asarray(simulate(0.45, 0.13, jnp.array(12.)))
cases = rng.negative_binomial(15, 15 / (15 + truth))
mcmc = MCMC(NUTS(model, init_strategy=init_to_median), num_warmup=300, num_samples=400, num_chains=2, progress_bar=False)
mcmc.run(jax.random.PRNGKey(0), cases, days=DAYS)
mcmc.print_summary()
close(mcmc, REFERENCE)
samples = mcmc.get_samples()
assert abs(np.median(samples['R0']) - 0.45 / 0.13) < 1.0
predicted = Predictive(model, samples, return_sites=('cases',))(jax.random.PRNGKey(1))['cases']
low, high = np.percentile(predicted, [5, 95], axis=0)
assert ((low <= cases) & (cases <= high)).mean() > 0.8
