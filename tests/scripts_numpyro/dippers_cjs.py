# Capture-recapture (Cormack-Jolly-Seber): life and death summed out in a scan over years.
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random
from jax.scipy.special import expit

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'p[0]': (0.75594, 0.111), 'p[5]': (0.77193, 0.0991), 'phi[0]': (0.61144, 0.0472),
    'phi[1]': (0.67449, 0.0472),
}

rng = np.random.RandomState(0)
N, T = 120, 7
first = rng.randint(0, T - 1, N)
sex = rng.randint(0, 2, N)
phi_true, p_true = np.array([.55, .65]), .85
history = np.zeros((N, T), int)
for i in range(N):
    alive = True
    history[i, first[i]] = 1
    for t in range(first[i] + 1, T):
        alive = alive and rng.rand() < phi_true[sex[i]]
        history[i, t] = alive and rng.rand() < p_true


def model(history, first, sex):
    N, T = history.shape
    phi = numpyro.sample('phi', dist.Uniform(0.0, 1.0).expand([2]))
    with numpyro.plate('years', T - 1):
        logit_p = numpyro.sample('logit_p', dist.Normal(1., 1.))
    p = numpyro.deterministic('p', expit(logit_p))
    surv = phi[sex]

    def transition(carry, xs):
        alive, dead = carry  # log probabilities, one an animal
        t, p_t, seen = xs
        born = t == first
        active = t > first
        new_alive = alive + jnp.log(surv) + jnp.where(seen == 1, jnp.log(p_t), jnp.log1p(-p_t))
        new_dead = jnp.logaddexp(dead, alive + jnp.log1p(-surv)) + jnp.where(seen == 1, -1e3, 0.)
        alive = jnp.where(active, new_alive, jnp.where(born, 0., alive))
        dead = jnp.where(active, new_dead, jnp.where(born, -1e3, dead))
        return (alive, dead), None

    start = (jnp.where(first == 0, 0., -1e3), jnp.full(N, -1e3))
    (alive, dead), _ = lax.scan(transition, start, (jnp.arange(1, T), p, history[:, 1:].T))
    numpyro.factor('history', jnp.logaddexp(alive, dead))


mcmc = MCMC(NUTS(model), num_warmup=300, num_samples=400, progress_bar=False)
mcmc.run(random.PRNGKey(0), jnp.array(history), jnp.array(first), jnp.array(sex))
mcmc.print_summary()
close(mcmc, REFERENCE)
