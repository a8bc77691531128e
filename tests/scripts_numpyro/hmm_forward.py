# A hidden Markov model, its states summed out by the forward algorithm in lax.scan.
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax, random
from jax.scipy.special import logsumexp

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 1500 draws
REFERENCE = {
    'emission_prob[0,0]': (0.71333, 0.0689), 'emission_prob[2,3]': (0.74572, 0.0691),
    'transition_prob[0,0]': (0.86907, 0.0528), 'transition_prob[1,1]': (0.75971, 0.064),
    'transition_prob[2,0]': (0.052018, 0.0365),
}


def simulate(seed, T=150):
    rng = np.random.RandomState(seed)
    A = np.array([[.9, .08, .02], [.1, .8, .1], [.02, .08, .9]])
    B = np.array([[.8, .1, .05, .05], [.05, .8, .1, .05], [.05, .05, .1, .8]])
    z, w = np.zeros(T, int), np.zeros(T, int)
    for t in range(T):
        z[t] = rng.choice(3, p=A[z[t - 1]]) if t else 1
        w[t] = rng.choice(4, p=B[z[t]])
    return z, w


def forward_one_step(prev_log_prob, curr_word, transition_log_prob, emission_log_prob):
    log_prob_tmp = jnp.expand_dims(prev_log_prob, axis=1) + transition_log_prob
    log_prob = log_prob_tmp + emission_log_prob[:, curr_word]
    return logsumexp(log_prob, axis=0)


def forward_log_prob(init_log_prob, words, transition_log_prob, emission_log_prob, unroll_loop=False):
    def scan_fn(log_prob, word):
        return (
            forward_one_step(log_prob, word, transition_log_prob, emission_log_prob),
            None,
        )

    if unroll_loop:
        log_prob = init_log_prob
        for word in words:
            log_prob = forward_one_step(log_prob, word, transition_log_prob, emission_log_prob)
    else:
        log_prob, _ = lax.scan(scan_fn, init_log_prob, words)
    return log_prob


def model(words, known_states, K, V):
    transition_prob = numpyro.sample('transition_prob', dist.Dirichlet(jnp.broadcast_to(jnp.ones(K), (K, K))))
    emission_prob = numpyro.sample('emission_prob', dist.Dirichlet(jnp.broadcast_to(jnp.ones(V) * 0.5, (K, V))))
    n = known_states.shape[0]
    # the first part is supervised
    numpyro.sample('states', dist.Categorical(transition_prob[known_states[:-1]]), obs=known_states[1:])
    numpyro.sample('words', dist.Categorical(emission_prob[known_states]), obs=words[:n])
    transition_log_prob = jnp.log(transition_prob)
    emission_log_prob = jnp.log(emission_prob)
    init_log_prob = emission_log_prob[:, words[n]] + transition_log_prob[known_states[-1]]
    log_prob = forward_log_prob(init_log_prob, words[n + 1:], transition_log_prob, emission_log_prob)
    log_prob = logsumexp(log_prob, axis=0, keepdims=True)
    numpyro.factor('forward_log_prob', log_prob)


states, words = simulate(0)
kernel = NUTS(model)
mcmc = MCMC(kernel, num_warmup=200, num_samples=300, progress_bar=False)
mcmc.run(random.PRNGKey(2), words, states[:60], 3, 4)
mcmc.print_summary()
close(mcmc, REFERENCE)

# the loop and the unrolled loop say the same
p = {k: jnp.log(v[0]) for k, v in mcmc.get_samples().items()}
one = forward_log_prob(jnp.zeros(3), words[:20], p['transition_prob'], p['emission_prob'])
two = forward_log_prob(jnp.zeros(3), words[:20], p['transition_prob'], p['emission_prob'], unroll_loop=True)
np.testing.assert_allclose(one, two, rtol=1e-4)
