# Two-parameter item response: persons by items, long format, a positive discrimination.
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import random
from jax.nn import sigmoid

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'a[0]': (0.9866, 0.159), 'a[4]': (1.0103, 0.176), 'a[7]': (0.98218, 0.159),
    'b[0]': (-0.8328, 0.307), 'b[7]': (0.82313, 0.301), 'mu_b': (-0.04309, 0.36),
    'sigma_a': (0.16777, 0.133), 'sigma_b': (0.90753, 0.315), 'theta[0]': (0.34703, 0.624),
}

rng = np.random.default_rng(2)
n_person, n_item = 80, 8
ability = rng.normal(size=n_person)
difficulty = np.linspace(-1.5, 1.5, n_item)
discrimination = np.array([.6, .8, 1., 1.2, 1.5, 1.8, 1., .7])
answers = pd.DataFrame([(p, i, rng.uniform() < 1 / (1 + np.exp(-discrimination[i] * (ability[p] - difficulty[i]))))
                        for p in range(n_person) for i in range(n_item)], columns=['person', 'item', 'correct'])


def irt_2pl(person, item, correct=None):
    n_person, n_item = 80, 8
    mu_b = numpyro.sample('mu_b', dist.Normal(0, 2))
    sigma_a = numpyro.sample('sigma_a', dist.HalfCauchy(0.5))
    sigma_b = numpyro.sample('sigma_b', dist.HalfCauchy(1))
    with numpyro.plate('persons', n_person):
        theta = numpyro.sample('theta', dist.Normal())
    with numpyro.plate('items', n_item):
        a = numpyro.sample('a', dist.LogNormal(0, sigma_a))
        b = numpyro.sample('b', dist.Normal(mu_b, sigma_b))
    with numpyro.plate('answers', len(person)):
        numpyro.sample('correct', dist.Bernoulli(logits=a[item] * (theta[person] - b[item])), obs=correct)


mcmc = MCMC(NUTS(irt_2pl), num_warmup=300, num_samples=300, num_chains=2, chain_method='vectorized', progress_bar=False)
mcmc.run(random.PRNGKey(0), answers.person.values, answers.item.values, answers.correct.values)
close(mcmc, REFERENCE)
samples = mcmc.get_samples()
assert np.corrcoef(samples['theta'].mean(0), ability)[0, 1] > 0.75
assert np.corrcoef(samples['b'].mean(0), difficulty)[0, 1] > 0.9
curve = sigmoid(samples['a'][:, None, :] * (jnp.linspace(-3, 3, 7)[:, None] - samples['b'][:, None, :]))
assert curve.shape == (600, 7, 8) and (jnp.diff(curve, axis=1) > 0).all()
