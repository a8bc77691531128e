# Admissions: overdispersed counts by BetaBinomial, GammaPoisson and an observation-level effect.
import jax.numpy as jnp
import numpy as np
from jax import random

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'a[0]': (-0.52895, 0.142), 'a[1]': (-1.0224, 0.154), 'phi': (4.4883, 1.15), 'theta': (6.4883, 1.15),
}

rng = np.random.default_rng(1)
gid = np.tile([0, 1], 30)
applications = rng.integers(20, 400, 60)
p = rng.beta(np.where(gid == 0, .38, .3) * 6, np.where(gid == 0, .62, .7) * 6)
admit = rng.binomial(applications, p)
dat = dict(A=admit, N=applications, gid=gid)


def model(gid, N, A=None):
    a = numpyro.sample('a', dist.Normal(0, 1.5).expand([2]))
    phi = numpyro.sample('phi', dist.Exponential(1))
    theta = numpyro.deterministic('theta', phi + 2)
    pbar = 1 / (1 + jnp.exp(-a[gid]))
    numpyro.sample('A', dist.BetaBinomial(pbar * theta, (1 - pbar) * theta, N), obs=A)


mcmc = MCMC(NUTS(model), num_warmup=500, num_samples=500, num_chains=4, progress_bar=False)
mcmc.run(random.PRNGKey(0), **dat)
mcmc.print_summary(0.89)
close(mcmc, REFERENCE)
post = mcmc.get_samples()
post['da'] = post['a'][:, 0] - post['a'][:, 1]
assert (post['da'] > 0).mean() > 0.5


def gamma_poisson(N, A=None):
    rate = numpyro.sample('rate', dist.Gamma(2., 10.))
    dispersion = numpyro.sample('dispersion', dist.Gamma(2., 1.))
    with numpyro.plate('rows', len(N)):
        numpyro.sample('A', dist.GammaPoisson(dispersion, dispersion / (rate * N)), obs=A)


def explicit(N, A=None):
    rate = numpyro.sample('rate', dist.Gamma(2., 10.))
    dispersion = numpyro.sample('dispersion', dist.Gamma(2., 1.))
    with numpyro.plate('rows', len(N)):
        own = numpyro.sample('own', dist.Gamma(dispersion, dispersion))
        numpyro.sample('A', dist.Poisson(rate * N * own), obs=A)


found = []
for form in (gamma_poisson, explicit):
    mcmc = MCMC(NUTS(form), num_warmup=400, num_samples=800, progress_bar=False)
    mcmc.run(random.PRNGKey(1), applications, admit)
    found.append(mcmc.get_samples())
# the same posterior, one of them with the effects integrated out: 5 errors with 200 effective draws
for name in ('rate', 'dispersion'):
    a, b = found[0][name], found[1][name]
    assert abs(a.mean() - b.mean()) < 5 * a.std() * np.sqrt(2 / 200), name
