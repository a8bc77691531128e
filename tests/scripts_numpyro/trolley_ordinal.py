# Ordered categories: ordered cutpoints in three spellings, and monotonic effects by a Dirichlet.
import jax.numpy as jnp
import numpy as np
from jax import random
from jax.scipy.special import expit

import numpyro
import numpyro.distributions as dist
from numpyro.distributions import constraints, transforms
from numpyro.infer import MCMC, NUTS, Predictive

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'bA': (-1.0617, 0.209), 'bE': (0.47528, 0.257), 'bI': (-0.51045, 0.207),
    'cutpoints[0]': (-2.2211, 0.254), 'cutpoints[1]': (-0.98682, 0.225),
    'cutpoints[2]': (-0.1223, 0.219), 'cutpoints[3]': (1.3415, 0.237), 'delta[0]': (0.33256, 0.167),
}

rng = np.random.RandomState(12)
N = 300
A, I = rng.binomial(1, .5, N), rng.binomial(1, .4, N)
edu = rng.randint(0, 4, N)
effect = np.array([0., .2, .7, .8])
cuts = np.array([-1.6, -.4, .5, 1.7])
phi = -.6 * A - .5 * I + effect[edu]
R = (rng.logistic(size=N) + phi)[:, None] > cuts
R = R.sum(1)


def model(A, I, E, K, R=None, spelling='transformed'):
    if spelling == 'transformed':
        cutpoints = numpyro.sample('cutpoints', dist.TransformedDistribution(
            dist.Normal(0, 1.5).expand([K - 1]), transforms.OrderedTransform()))
    elif spelling == 'improper':
        cutpoints = numpyro.sample('cutpoints', dist.ImproperUniform(constraints.ordered_vector, (), event_shape=(K - 1,)))
        numpyro.sample('x', dist.Normal(0, 1.5).expand([K - 1]).to_event(1), obs=transforms.OrderedTransform().inv(cutpoints))
        numpyro.factor('jacobian', -jnp.log(jnp.diff(cutpoints)).sum())
    else:
        raise ValueError(spelling)
    bA = numpyro.sample('bA', dist.Normal(0, 1))
    bI = numpyro.sample('bI', dist.Normal(0, 1))
    bE = numpyro.sample('bE', dist.Normal(0, 1))
    delta = numpyro.sample('delta', dist.Dirichlet(jnp.repeat(2., 3)))
    delta_j = jnp.concatenate([jnp.zeros(1), delta])
    sum_delta = jnp.cumsum(delta_j)
    phi = bA * A + bI * I + bE * sum_delta[E]
    numpyro.sample('R', dist.OrderedLogistic(phi, cutpoints), obs=R)


data = dict(A=A, I=I, E=edu, K=5)
for spelling in ('improper', 'transformed'):
    mcmc = MCMC(NUTS(model), num_warmup=300, num_samples=400, progress_bar=False)
    mcmc.run(random.PRNGKey(1), R=R, spelling=spelling, **data)
    close(mcmc, REFERENCE)
mcmc.print_summary(0.89)
drawn = Predictive(model, mcmc.get_samples())(random.PRNGKey(2), **data)
assert drawn['R'].shape == (400, N) and set(np.unique(drawn['R'])) == set(range(5))
shares = np.array([(drawn['R'] == k).mean() for k in range(5)])
assert np.abs(shares - np.bincount(R, minlength=5) / N).max() < 0.06

# categories from a Dirichlet: SimplexToOrdered
ordered = dist.TransformedDistribution(dist.Dirichlet(jnp.ones(5)), transforms.SimplexToOrderedTransform(0.0))


def induced(R):
    c = numpyro.sample('c', ordered)
    numpyro.sample('R', dist.OrderedLogistic(jnp.zeros(len(R)), c), obs=R)


mcmc = MCMC(NUTS(induced), num_warmup=300, num_samples=400, progress_bar=False)
mcmc.run(random.PRNGKey(3), R)
c = mcmc.get_samples()['c']
p = jnp.diff(expit(c), prepend=0., append=1., axis=-1).mean(0)
counts = np.bincount(R, minlength=5)
exact = (1 + counts) / (5 + N)  # conjugate
assert (np.abs(p - exact) < 5 * np.sqrt(exact * (1 - exact) / (N + 6)) / np.sqrt(100)).all()
