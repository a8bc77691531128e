# A mixture of three normals: MixtureSameFamily, logsumexp with factor, and general components.
import jax.numpy as jnp
import numpy as np
from jax import random
from jax.scipy.special import logsumexp

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, Predictive, init_to_value

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 3000 draws
REFERENCE = {
    'locs[0]': (-3.9826, 0.157), 'locs[1]': (0.56661, 0.11), 'locs[2]': (5.0658, 0.191),
    'scale[0]': (1.1327, 0.126), 'scale[1]': (0.65785, 0.097), 'scale[2]': (1.4336, 0.155),
    'weights[0]': (0.33973, 0.0349), 'weights[1]': (0.26614, 0.0347), 'weights[2]': (0.39412, 0.0372),
}

np.random.seed(9)
data = np.concatenate([np.random.normal(-4, 1.0, 60), np.random.normal(0.5, .7, 50), np.random.normal(5, 1.3, 70)])
K = 3


def model(data):
    weights = numpyro.sample('weights', dist.Dirichlet(jnp.ones(K)))
    locs = numpyro.sample('locs', dist.TransformedDistribution(
        dist.Normal(0., 10.).expand([K]).to_event(1), dist.transforms.OrderedTransform()))
    with numpyro.plate('components', K):
        scale = numpyro.sample('scale', dist.LogNormal(0., 1.))
    with numpyro.plate('data', len(data)):
        numpyro.sample('obs', dist.MixtureSameFamily(dist.Categorical(probs=weights), dist.Normal(locs, scale)), obs=data)


def model_by_factor(data):
    weights = numpyro.sample('weights', dist.Dirichlet(jnp.ones(K)))
    locs = numpyro.sample('locs', dist.TransformedDistribution(
        dist.Normal(0., 10.).expand([K]).to_event(1), dist.transforms.OrderedTransform()))
    scale = numpyro.sample('scale', dist.LogNormal(0., 1.).expand([K]))
    logps = jnp.log(weights) + dist.Normal(locs, scale).log_prob(data[:, None])
    numpyro.factor('obs', logsumexp(logps, axis=-1).sum())


def model_general(data):
    weights = numpyro.sample('weights', dist.Dirichlet(jnp.ones(K)))
    locs = numpyro.sample('locs', dist.ImproperUniform(dist.constraints.ordered_vector, (), (K,)))
    numpyro.factor('prior', dist.Normal(0., 10.).log_prob(
        jnp.concatenate([locs[:1], jnp.log(jnp.diff(locs))])).sum() - jnp.log(jnp.diff(locs)).sum())
    scale = numpyro.sample('scale', dist.LogNormal(0., 1.).expand([K]).to_event(1))
    parts = [dist.Normal(locs[i], scale[i]) for i in range(K)]
    with numpyro.plate('data', data.shape[0]):
        numpyro.sample('obs', dist.MixtureGeneral(dist.Categorical(probs=weights), parts), obs=data)


start = {'locs': jnp.array([-3., 0., 3.]), 'scale': jnp.ones(K)}
for form in (model_by_factor, model_general, model):
    kernel = NUTS(form, init_strategy=init_to_value(values=start))
    mcmc = MCMC(kernel, num_warmup=300, num_samples=500, progress_bar=False)
    mcmc.run(random.PRNGKey(1), data)
    close(mcmc, REFERENCE)
mcmc.print_summary()
samples = mcmc.get_samples()
assert (np.diff(samples['locs'], axis=1) > 0).all()
np.testing.assert_allclose(samples['weights'].sum(-1), 1, rtol=1e-5)

# which component each point came from
logits = jnp.log(samples['weights'])[:, None] + dist.Normal(samples['locs'][:, None], samples['scale'][:, None]).log_prob(data[:, None])
probabilities = jnp.exp(logits - logsumexp(logits, axis=-1, keepdims=True)).mean(0)
assert (probabilities[:60].argmax(1) == 0).mean() > 0.95 and (probabilities[-70:].argmax(1) == 2).mean() > 0.95
new = Predictive(model, num_samples=50)(random.PRNGKey(2), np.zeros(20))
assert new['obs'].shape == (50, 20)
