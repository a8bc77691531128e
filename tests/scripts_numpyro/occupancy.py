# Site occupancy with imperfect detection: a marginal likelihood as a class of its own.
import jax.numpy as jnp
import numpy as np
from jax import random
from jax.nn import log_sigmoid, sigmoid

import numpyro
import numpyro.distributions as dist
from numpyro.distributions import constraints
from numpyro.distributions.util import promote_shapes, validate_sample
from numpyro.infer import MCMC, NUTS, log_likelihood

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 3000 draws
REFERENCE = {
    'alpha[0]': (-0.28896, 0.144), 'alpha[1]': (-0.76703, 0.157), 'beta[0]': (0.42424, 0.312),
    'beta[1]': (1.8578, 0.47),
}


class ZeroInflatedDetections(dist.Distribution):
    """Detections in n visits to a place that is occupied or not."""

    arg_constraints = {'psi': constraints.unit_interval, 'p': constraints.unit_interval}
    support = constraints.nonnegative_integer
    pytree_data_fields = ('psi', 'p')
    pytree_aux_fields = ('visits',)

    def __init__(self, psi, p, visits, *, validate_args=None):
        self.psi, self.p = promote_shapes(psi, p)
        self.visits = visits
        batch_shape = jnp.broadcast_shapes(jnp.shape(psi), jnp.shape(p))
        super().__init__(batch_shape=batch_shape, event_shape=(), validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        a, b = random.split(key)
        shape = sample_shape + self.batch_shape
        z = random.bernoulli(a, self.psi, shape)
        return jnp.where(z, random.binomial(b, self.visits, self.p, shape), 0).astype(int)

    @validate_sample
    def log_prob(self, value):
        inside = jnp.log(self.psi) + dist.Binomial(self.visits, self.p).log_prob(value)
        return jnp.where(value > 0, inside, jnp.logaddexp(inside, jnp.log1p(-self.psi)))


rng = np.random.default_rng(5)
sites, visits = 150, 4
elevation = rng.normal(size=sites)
wind = rng.normal(size=sites)
psi = 1 / (1 + np.exp(-(0.3 + 1.1 * elevation)))
p = 1 / (1 + np.exp(-(-0.4 - 0.7 * wind)))
detections = rng.binomial(visits, p) * (rng.uniform(size=sites) < psi)


def model(elevation, wind, y=None):
    beta = numpyro.sample('beta', dist.Normal(0, 2).expand([2]).to_event(1))
    alpha = numpyro.sample('alpha', dist.Normal(0, 2).expand([2]).to_event(1))
    psi = numpyro.deterministic('psi', sigmoid(beta[0] + beta[1] * elevation))
    p = sigmoid(alpha[0] + alpha[1] * wind)
    with numpyro.plate('sites', elevation.shape[0]):
        return numpyro.sample('y', ZeroInflatedDetections(psi, p, visits), obs=y)


def model_by_hand(elevation, wind, y):
    beta = numpyro.sample('beta', dist.Normal(0, 2).expand([2]).to_event(1))
    alpha = numpyro.sample('alpha', dist.Normal(0, 2).expand([2]).to_event(1))
    logit_psi = beta[0] + beta[1] * elevation
    logit_p = alpha[0] + alpha[1] * wind
    present = log_sigmoid(logit_psi) + dist.Binomial(visits, logits=logit_p).log_prob(y)
    absent = log_sigmoid(-logit_psi)
    numpyro.factor('y', jnp.where(y > 0, present, jnp.logaddexp(present, absent)))


mcmc = MCMC(NUTS(model), num_warmup=300, num_samples=400, progress_bar=False)
mcmc.run(random.PRNGKey(0), elevation, wind, detections)
close(mcmc, REFERENCE)
terms = log_likelihood(model, mcmc.get_samples(), elevation, wind, detections)['y']
assert terms.shape == (400, 150)
by_hand = MCMC(NUTS(model_by_hand), num_warmup=300, num_samples=400, progress_bar=False)
by_hand.run(random.PRNGKey(1), elevation, wind, detections)
close(by_hand, REFERENCE)
prior = numpyro.infer.Predictive(model, num_samples=10)(random.PRNGKey(2), elevation, wind)
assert prior['y'].shape == (10, 150) and prior['y'].max() <= visits
