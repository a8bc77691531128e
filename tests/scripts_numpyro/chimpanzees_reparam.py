# Prosocial chimpanzees: two crossed groups, the non-centred form by handlers.reparam and by hand.
import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jax.scipy.special import expit

import numpyro
import numpyro.distributions as dist
from numpyro.handlers import reparam
from numpyro.infer import MCMC, NUTS, Predictive
from numpyro.infer.reparam import LocScaleReparam

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 3000 draws
REFERENCE = {
    'a[0]': (0.31197, 0.423), 'a[1]': (3.7145, 1.17), 'a[6]': (1.5886, 0.493),
    'a_bar': (0.62463, 0.622), 'b[0]': (0.088566, 0.328), 'b[1]': (0.14511, 0.325),
    'b[2]': (-0.53394, 0.323), 'b[3]': (0.35025, 0.327), 'g[0]': (-0.086077, 0.201),
    'g[5]': (0.094479, 0.208), 'sigma_a': (1.5664, 0.573), 'sigma_g': (0.19466, 0.174),
}

rng = np.random.default_rng(4)
N, actors, blocks = 280, 7, 6
actor = np.repeat(np.arange(actors), 40)
block_id = np.tile(np.arange(blocks), 47)[:N]
treatment = rng.integers(0, 4, N)
truth_a = np.array([-.4, 3.5, -.7, -.7, -.4, .5, 1.9])
truth_b = np.array([-.1, .4, -.5, .3])
pulled_left = rng.binomial(1, expit(truth_a[actor] + truth_b[treatment]))
dat = {'actor': actor, 'block_id': block_id, 'treatment': treatment, 'pulled_left': pulled_left}


def model(actor, block_id, treatment, pulled_left=None):
    sigma_a = numpyro.sample('sigma_a', dist.Exponential(1))
    sigma_g = numpyro.sample('sigma_g', dist.Exponential(1))
    a_bar = numpyro.sample('a_bar', dist.Normal(0, 1.5))
    with numpyro.plate('actors', 7):
        a = numpyro.sample('a', dist.Normal(a_bar, sigma_a))
    with numpyro.plate('blocks', 6):
        g = numpyro.sample('g', dist.Normal(0, sigma_g))
    b = numpyro.sample('b', dist.Normal(0, 0.5).expand([4]))
    logit_p = a[actor] + g[block_id] + b[treatment]
    numpyro.sample('pulled_left', dist.Binomial(logits=logit_p), obs=pulled_left)


def model_z(actor, block_id, treatment, pulled_left=None):
    a_bar = numpyro.sample('a_bar', dist.Normal(0, 1.5))
    sigma_a = numpyro.sample('sigma_a', dist.Exponential(1))
    sigma_g = numpyro.sample('sigma_g', dist.Exponential(1))
    z = numpyro.sample('z', dist.Normal(0, 1).expand([7]))
    x = numpyro.sample('x', dist.Normal(0, 1).expand([6]))
    b = numpyro.sample('b', dist.Normal(0, 0.5).expand([4]))
    a = numpyro.deterministic('a', a_bar + z * sigma_a)
    g = numpyro.deterministic('g', x * sigma_g)
    logit_p = a[actor] + g[block_id] + b[treatment]
    numpyro.deterministic('p', expit(logit_p))
    numpyro.sample('pulled_left', dist.Binomial(logits=logit_p), obs=pulled_left)


by_handler = reparam(model, config={'a': LocScaleReparam(0), 'g': LocScaleReparam(0)})
mcmc = MCMC(NUTS(by_handler, target_accept_prob=0.9), num_warmup=400, num_samples=400, num_chains=2, progress_bar=False)
mcmc.run(random.PRNGKey(13), **dat)
mcmc.print_summary(0.89)
close(mcmc, REFERENCE)
post = mcmc.get_samples()
assert list(post) == ['a', 'a_bar', 'a_decentered', 'b', 'g', 'g_decentered', 'sigma_a', 'sigma_g']
np.testing.assert_allclose(post['a'], post['a_bar'][:, None] + post['sigma_a'][:, None] * post['a_decentered'], atol=1e-5)

again = MCMC(NUTS(model_z, target_accept_prob=0.9), num_warmup=400, num_samples=400, num_chains=2, progress_bar=False)
again.run(random.PRNGKey(14), **dat)
close(again, {name: value for name, value in REFERENCE.items() if 'decentered' not in name})
again.print_summary(exclude_deterministic=False)

# marginal of actor: new actors drawn from the population
new = Predictive(model_z, again.get_samples(), return_sites=['p', 'pulled_left'])(
    random.PRNGKey(5), jnp.zeros(4, int), jnp.zeros(4, int), jnp.arange(4))
assert set(new) == {'p', 'pulled_left'} and new['p'].shape == (800, 4)
assert set(np.unique(new['pulled_left'])) <= {0, 1}
assert jnp.issubdtype(new['pulled_left'].dtype, jnp.integer)
