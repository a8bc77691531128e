# Models as methods, dataclasses, partials and closures; keyword arguments, pandas and lists as data.
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, Predictive

REFERENCE_MEAN = 2.0


class Data(NamedTuple):
    x: np.ndarray
    group: np.ndarray
    y: np.ndarray


@dataclass
class Regression:
    n_groups: int
    scale: float = 1.0
    names: list = field(default_factory=list)
    likelihood: type = dist.Normal

    def effects(self):
        with numpyro.plate('groups', self.n_groups):
            return numpyro.sample('effect', dist.Normal(0, self.scale))

    def __call__(self, x, group, y=None, *, slope_prior=None, robust=False):
        effect = self.effects()
        slope = numpyro.sample('slope', dist.Normal(0, 1) if slope_prior is None else slope_prior)
        sigma = numpyro.sample('sigma', dist.HalfNormal(1))
        family = partial(dist.StudentT, 5.) if robust else self.likelihood
        with numpyro.plate('rows', len(x)):
            return numpyro.sample('y', family(effect[group] + slope * x, sigma), obs=y)

    def fit(self, data, seed=0, **kwargs):
        self.mcmc = MCMC(NUTS(self), num_warmup=300, num_samples=300, progress_bar=False)
        self.mcmc.run(jax.random.PRNGKey(seed), *data[:2], y=data.y, **kwargs)
        return self

    def predict(self, x, group):
        return Predictive(self, self.mcmc.get_samples())(jax.random.PRNGKey(1), x, group)['y']


rng = np.random.default_rng(1)
group = rng.integers(0, 3, 90)
x = rng.normal(size=90)
y = np.array([0., 1., -1.])[group] + 2 * x + rng.normal(0, .4, 90)

fits = [
    Regression(3).fit(Data(x, group, y)),
    Regression(3, scale=2.).fit(Data(jnp.array(x), jnp.array(group), jnp.array(y)), robust=True),
    Regression(3).fit(Data(x.astype('float32'), group.astype('int8'), y.astype('float32')), slope_prior=dist.Cauchy(0, 2.)),
    Regression(3).fit(Data(pd.Series(x).values, pd.Categorical(group).codes, pd.Series(y).to_numpy())),
]
for fit in fits:
    s = fit.mcmc.get_samples()
    assert s['slope'].dtype == jnp.float32 and s['effect'].shape == (300, 3)
    assert abs(s['slope'].mean() - REFERENCE_MEAN) < 0.2
    assert np.abs(s['effect'].mean(0) - np.array([0., 1., -1.])).max() < 0.35
    assert fit.predict(x[:4], group[:4]).shape == (300, 4)


def coins(heads, tails, prior=(1., 1.)):
    p = numpyro.sample('p', dist.Beta(*prior))
    numpyro.sample('heads', dist.Binomial(heads + tails, p), obs=heads)


mcmc = MCMC(NUTS(partial(coins, prior=(2., 2.))), num_warmup=300, num_samples=600, progress_bar=False)
mcmc.run(jax.random.PRNGKey(0), heads=7, tails=3)
exact = dist.Beta(9., 5.)
assert abs(mcmc.get_samples()['p'].mean() - exact.mean) < 5 * np.sqrt(exact.variance / 150)
mcmc.run(jax.random.PRNGKey(0), np.int64(70), np.int32(30))
exact = dist.Beta(72., 32.)
assert abs(mcmc.get_samples()['p'].mean() - exact.mean) < 5 * np.sqrt(exact.variance / 150)

counts = [3, 0, 2, 5, 1, 4, 2]  # a list
flags = [True, False, True, True, False, True, True]


def lists(counts, flags=None):
    rate = numpyro.sample('rate', dist.Gamma(2., 1.))
    p = numpyro.sample('p', dist.Beta(1., 1.))
    numpyro.sample('counts', dist.Poisson(rate), obs=jnp.array(counts))
    numpyro.sample('flags', dist.Bernoulli(p), obs=np.array(flags))


mcmc = MCMC(NUTS(lists), num_warmup=300, num_samples=600, progress_bar=False)
mcmc.run(jax.random.PRNGKey(2), counts, flags)
s = mcmc.get_samples()
rate, p = dist.Gamma(2. + sum(counts), 1. + len(counts)), dist.Beta(1. + sum(flags), 1. + len(flags) - sum(flags))
assert abs(s['rate'].mean() - rate.mean) < 5 * np.sqrt(rate.variance / 150)
assert abs(s['p'].mean() - p.mean) < 5 * np.sqrt(p.variance / 150)

frame = pd.DataFrame({'a': [1., 2., 3., 4.], 'b': [0, 1, 0, 1]})


def frames(df):
    mu = numpyro.sample('mu', dist.Normal(0, 10).expand([2]))
    numpyro.sample('obs', dist.Normal(mu[df['b'].values], 1.), obs=df['a'].values)


mcmc = MCMC(NUTS(frames), num_warmup=300, num_samples=600, progress_bar=False)
mcmc.run(jax.random.PRNGKey(2), frame)
assert np.abs(mcmc.get_samples()['mu'].mean(0) - np.array([2., 3.])).max() < 5 * np.sqrt(.5 / 150)
assert [str(c) for c in frame.columns] == ['a', 'b']
