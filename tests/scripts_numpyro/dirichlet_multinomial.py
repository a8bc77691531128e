# Counts of categories by group: DirichletMultinomial, Multinomial with latent simplexes, softmax.
import jax.numpy as jnp
import numpy as np
from jax import nn, random

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, Predictive

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'conc': (22.674, 8.16), 'frac[0]': (0.44542, 0.0378), 'frac[1]': (0.1972, 0.0288),
    'frac[2]': (0.23371, 0.0309), 'frac[3]': (0.12367, 0.0244),
}


rng = np.random.default_rng(8)
forests, K, n = 12, 4, 40
conc_true, frac_true = 25.0, np.array([.4, .25, .2, .15])
counts = rng.multinomial(n, rng.dirichlet(conc_true * frac_true, forests))


def marginal(total, counts=None):
    frac = numpyro.sample('frac', dist.Dirichlet(jnp.ones(K)))
    conc = numpyro.sample('conc', dist.LogNormal(3., .7))
    with numpyro.plate('forest', len(total)):
        numpyro.sample('counts', dist.DirichletMultinomial(frac * conc, total_count=total), obs=counts)


def explicit(total, counts=None):
    frac = numpyro.sample('frac', dist.Dirichlet(jnp.ones(K)))
    conc = numpyro.sample('conc', dist.LogNormal(3., .7))
    with numpyro.plate('forest', len(total)):
        p = numpyro.sample('p', dist.Dirichlet(frac * conc))
        numpyro.sample('counts', dist.Multinomial(total_count=total, probs=p), obs=counts)


total = counts.sum(-1)
for model in (marginal, explicit):
    mcmc = MCMC(NUTS(model), num_warmup=300, num_samples=500, progress_bar=False)
    mcmc.run(random.PRNGKey(0), total, counts)
    mcmc.print_summary()
    close(mcmc, REFERENCE)
    drawn = Predictive(model, mcmc.get_samples())(random.PRNGKey(1), total)['counts']
    assert drawn.shape == (500, forests, K) and (drawn.sum(-1) == n).all()

# multinomial logit with the last category's scores fixed at zero
X = np.column_stack([np.ones(200), rng.normal(size=200)])
B = np.array([[.5, 1.], [-.5, -1.], [0., 0.]]).T
p = np.exp(X @ B)
p /= p.sum(1, keepdims=True)
label = np.array([rng.choice(3, p=row) for row in p])


def softmax_regression(X, label):
    w = numpyro.sample('w', dist.Normal(0, 2).expand([2, 2]).to_event(2))
    scores = jnp.pad(X @ w, ((0, 0), (0, 1)))
    with numpyro.plate('N', X.shape[0]):
        numpyro.sample('label', dist.Categorical(logits=scores), obs=label)


def softmax_by_hand(X, label):
    w = numpyro.sample('w', dist.Normal(0, 2).expand([2, 2]).to_event(2))
    scores = jnp.concatenate([X @ w, jnp.zeros((X.shape[0], 1))], axis=1)
    logp = nn.log_softmax(scores, axis=-1)
    numpyro.factor('label', (logp * nn.one_hot(label, 3)).sum())


w = []
for model in (softmax_regression, softmax_by_hand):
    mcmc = MCMC(NUTS(model), num_warmup=300, num_samples=500, progress_bar=False)
    mcmc.run(random.PRNGKey(0), X, label)
    w.append(mcmc.get_samples()['w'])
assert (jnp.abs(w[0].mean(0) - w[1].mean(0)) < 5 * w[0].std(0) * np.sqrt(2 / 200)).all()
assert (np.abs(w[0].mean(0) - B[:, :2]) < 4 * w[0].std(0)).all()
